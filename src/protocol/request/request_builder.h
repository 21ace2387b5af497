#ifndef PROTOCOL_REQUEST_REQUEST_BUILDER_H
#define PROTOCOL_REQUEST_REQUEST_BUILDER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/http_request.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "protocol/request/grant_context.h"

/*
 * What token, refresh and revoke requests have in common: parameters gathered in order, each value once, then written
 * to the body (form or JSON) or the query, with headers and client authentication as the iClient says.
 */
struct request_fields {
    const char *name; /* "token": for messages, as in oauth2.token.body */
    enum iclient_field uri, method, body, headers;
};

struct request_builder {
    const struct grant_context *context;
    const struct iclient *iclient;
    const struct request_fields *fields;
    const char *uri;              /* template; borrowed */
    const char *method;           /* borrowed */
    json_t *headers;              /* templates: array of {"name","value"}; NULL: none */
    json_t *parameters;           /* what the request is made of */
    json_t *extra;                /* what was added to that: tokenParams, the connection's params */
    struct secret *authorization; /* value of the header that we make; NULL */
    bool own_body;                /* the iClient's body stands in place of the default parameters */
    bool as_json;                 /* on the wire */
};

/*
 * Reads the iClient's fields and renders its body, if it has one. default_uri: the field to use where fields->uri is
 * absent. ERR_INVALID: no URI; errors of template_render(). finish it in any case.
 */
enum status request_builder_init(struct request_builder *builder, const struct grant_context *context,
                                 const struct request_fields *fields, enum iclient_field default_uri,
                                 struct error *ret_error);
void request_builder_finish(struct request_builder *builder);

/* Sets one of the protocol's own parameters; text or secret NULL: no-op. ERR_INVALID when it is not UTF-8. */
enum status request_builder_set(struct request_builder *builder, const char *name, const char *text,
                                struct error *ret_error);
enum status request_builder_set_secret(struct request_builder *builder, const char *name, const struct secret *secret,
                                       struct error *ret_error);
/*
 * Adds a PARAMS object (NULL: no-op), templates rendered, over the parameters; of two params objects the first one
 * wins. The names that are the protocol's own were refused when the document was read. field names it in messages.
 */
enum status request_builder_add_params(struct request_builder *builder, const json_t *params, const char *field,
                                       struct error *ret_error);

/* True when the iClient's headers set name themselves. */
bool request_builder_has_header(const struct request_builder *builder, const char *name);

/* URL with its policy check, headers, body. ERR_DENIED, ERR_INVALID, ERR_TOO_LARGE. */
enum status request_builder_make(struct request_builder *builder, struct http_request **ret_request,
                                 struct error *ret_error);

/*
 * Appends object's members to a URL that may have a query, percent-encoded. A parameter that the URL's own query has
 * already is left alone when it says the same, else ERR_INVALID (RFC 6749 §3.1: never twice).
 */
enum status request_url_append(struct text_buffer *url, const json_t *object, struct error *ret_error);

#endif
