#ifndef SERVICE_API_ROUTE_H
#define SERVICE_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/http/http_server.h"

/* A socket's paths: which handler takes a verb and a path. Matching allocates nothing. */
struct api_request;
typedef void api_handler(struct api_request *request);

/* Who may use a route. The zero permission denies. */
enum need {
    NEED_NOT_SAID,
    NEED_ANYBODY,    /* who may open the socket */
    NEED_ACCESS,     /* whom the connection that the first '*' names allows; the handler gets it as request->entry */
    NEED_OPERATOR,   /* the default access rule: root, the daemon's user, the socket's group */
    NEED_TENANT_GET, /* operators, and whom the tenant that the first '*' names allows this */
    NEED_TENANT_EDIT,
    NEED_TENANT_CREATE,
    NEED_TENANT_DELETE,
};

struct route {
    enum http_verb verb;
    const char *pattern; /* '*' stands for one segment that is not empty */
    enum need need;
    size_t max_body; /* bytes; a request with more gets 413 */
    api_handler *handle;
};

/* Frequent routes first. */
struct route_table {
    const struct route *routes;
    size_t count;
    bool ignore_case; /* of the literal parts; what '*' stands for is always exact. Also ignores a slash at the end */
};

enum { ROUTE_NAMES_MAX = 2, ROUTE_ALLOW_SIZE = sizeof "GET, HEAD, POST, PUT, PATCH, DELETE" };

struct route_match {
    const struct route *route;               /* NULL: no route has this path, or none this verb */
    struct http_text names[ROUTE_NAMES_MAX]; /* what the '*' stand for, still percent-encoded */
    unsigned allowed_verbs;                  /* when route is NULL: bits of the path's verbs; 0: unknown path */
};

bool route_find(const struct route_table *table, enum http_verb verb, struct http_text path,
                struct route_match *ret_match);
/* "GET, POST" for an Allow header. */
void route_format_allow(unsigned allowed_verbs, char allow[ROUTE_ALLOW_SIZE]);

/*
 * Percent-decodes one segment into text (size bytes) and ends it with a NUL. False for a bad encoding, one of '/', of a
 * control byte, or what does not fit.
 */
bool route_decode_name(struct http_text name, char *text, size_t size, size_t *ret_length);

#endif
