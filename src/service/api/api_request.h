#ifndef SERVICE_API_API_REQUEST_H
#define SERVICE_API_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text/text_buffer.h"
#include "broker/login/authorization_session.h"
#include "broker/broker.h"
#include "io/http/http_server.h"
#include "service/api/api_error.h"
#include "service/api/audit.h"
#include "service/api/route.h"

enum {
    API_NAME_MAX = 255,
    API_STORE_WAITS_MAX = 64,
    API_MIN_TTL_MAX = 3650 * 24 * 3600, /* seconds */
    API_WAIT_DEFAULT = 30,              /* seconds */
    API_WAIT_MAX = 300,
    API_DOCUMENT_MAX = 1024 * 1024,
    API_LIST_MAX = 128 * 1024 * 1024, /* about 250,000 connections */
};

struct store_wait;

struct api {
    struct broker *broker;
    struct metrics *metrics;
    char *redirect_base_uri;
    struct access_rule *operators;
    struct audit *audit;
    struct tenant_access *tenants;  /* NULL: operators alone */
    struct store_wait *store_waits; /* the store owes each an answer */
    size_t store_wait_count;
};

/* One request on its way to its handler. Not kept: what goes on later takes the call alone. */
struct api_request {
    struct api *api;
    struct http_call *call;
    struct route_match match;
    struct token_entry *entry; /* for NEED_ACCESS; else NULL until api_request_find_entry() */
    bool says_tenant;          /* in its query; else tenant is "default" */
    char tenant[API_NAME_MAX + 1];
    char name[API_NAME_MAX + 1]; /* of the connection, decoded */
};

/*
 * Each of these answers the call itself and returns false (NULL) when the request cannot go on.
 */
/* The connection that the first '*' names. */
struct token_entry *api_request_find_entry(struct api_request *request);
/* A query parameter; *ret_value NULL when absent. Caller frees. */
bool api_request_query_text(struct api_request *request, const char *name, char **ret_value);
/* A query parameter in whole seconds, 0 to max; *seconds stays as it is when absent. */
bool api_request_query_seconds(struct api_request *request, const char *name, int64_t max, int64_t *seconds);
/* The body as any JSON value. */
bool api_request_read_json(struct api_request *request, json_t **ret_value);
/* The body as a JSON object; *ret_document NULL when there is no body and optional. */
bool api_request_read_body(struct api_request *request, bool optional, json_t **ret_document);

/* The document in body, or that there was no memory for it. */
void api_reply_json(struct http_call *call, const struct text_buffer *body);
void api_reply_text(struct http_call *call, const char *content_type, const struct text_buffer *body);

/*
 * A call that waits for an exchange. reply runs once, when it ended, and answers the call; not at all when the caller
 * went away. Usage: create, hand api_wait_done and the wait to the broker, give the waiter to api_wait_begin().
 */
struct api_wait;
typedef void api_wait_reply(struct api *api, struct http_call *call, struct token_entry *entry,
                            enum token_answer answer, int detail);
/* Answers the call and returns NULL when out of memory. */
struct api_wait *api_wait_create(struct api_request *request, api_wait_reply *reply, int detail);
void api_wait_done(void *context, enum token_answer answer);
/* What the broker said; answers at once unless it is TOKEN_PENDING. */
void api_wait_begin(struct api_wait *wait, enum token_answer answer, struct token_waiter *waiter);

/* The user on whose account the request goes. */
uid_t api_request_caller(const struct api_request *request);
/* Puts on record who does what to the request's connection. */
void api_request_log_action(const struct api_request *request, const char *action);

/* The error that tells why there is no token; members: see struct api_error. */
void api_reply_token_error(struct http_call *call, struct token_entry *entry, enum token_answer answer,
                           const char *members);

/* "iclientctl login NAME --tenant T": what a person has to run. */
void api_append_login_command(const struct connection *connection, struct text_buffer *buffer);

extern const struct route_table api_token_routes;
extern const struct route_table api_admin_routes;

#endif
