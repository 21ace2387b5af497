#ifndef SERVICE_REDIRECT_REDIRECT_ENDPOINT_H
#define SERVICE_REDIRECT_REDIRECT_ENDPOINT_H

#include "base/cleanup.h"
#include "base/error.h"
#include "broker/broker.h"
#include "io/http/http_server.h"

/*
 * The face for a person's browser: takes up a login's one-time link, takes the provider's answer, and says in plain
 * words how it ended. It never shows a token, a code or a state.
 */
struct redirect_endpoint;

struct redirect_endpoint_options {
    const char *base_uri; /* redirect.baseUri; its host is one that a request may name; copied */
    int listen_port;      /* localhost, 127.0.0.1 and [::1] with this port are the others; 0: none */
};

/* broker: borrowed. ERR_INVALID (the base URI), ERR_NO_MEMORY. */
enum status redirect_endpoint_create(struct broker *broker, const struct redirect_endpoint_options *options,
                                     struct redirect_endpoint **ret_endpoint, struct error *ret_error);
/* After the server that calls into it is gone; before the broker. */
void redirect_endpoint_destroy(struct redirect_endpoint *endpoint);
AUTO_DEFINE(redirect_endpoint);

/* For http_server_create(); the context is the struct redirect_endpoint. */
void redirect_endpoint_handle(struct http_call *call, void *endpoint);
/* A page as all others. */
void redirect_endpoint_refuse(struct http_call *call, const struct http_refusal *refusal, void *endpoint);

#endif
