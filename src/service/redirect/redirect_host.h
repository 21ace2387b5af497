#ifndef SERVICE_REDIRECT_REDIRECT_HOST_H
#define SERVICE_REDIRECT_REDIRECT_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "io/http/http_server.h"

/*
 * The hosts that a request to the redirect endpoint may name. A page that made its own name point to 127.0.0.1
 * (DNS rebinding) names that one, and gets nothing.
 */
enum { REDIRECT_HOSTS_MAX = 8 };

struct redirect_hosts {
    char *names[REDIRECT_HOSTS_MAX];
    size_t count;
};

/* Those of the base URI and of the loopback interface with listen_port (0: none). ERR_INVALID, ERR_NO_MEMORY. */
enum status redirect_hosts_init(struct redirect_hosts *hosts, const char *base_uri, int listen_port,
                                struct error *ret_error);
void redirect_hosts_finish(struct redirect_hosts *hosts);
/* host: a Host header's value; case ignored. */
bool redirect_hosts_have(const struct redirect_hosts *hosts, struct http_text host);

#endif
