#ifndef SERVICE_API_API_ERROR_H
#define SERVICE_API_API_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text/text_buffer.h"
#include "io/http/http_server.h"

/*
 * Every error of both sockets: symbol, code (stable, docs/API.md), HTTP status, whether asking again may help. BUSY is
 * of the caller's own doing: his user has his share. OVERLOADED is the daemon's: a queue is full, or there is no
 * memory.
 */
#define API_ERROR_TABLE(X)                                                                                             \
    X(INVALID_REQUEST, "invalid_request", 400, false)                                                                  \
    X(NOT_ALLOWED, "not_allowed", 403, false)                                                                          \
    X(NOT_FOUND, "not_found", 404, false)                                                                              \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, false)                                                            \
    X(AUTHORIZATION_REQUIRED, "authorization_required", 409, false)                                                    \
    X(INACTIVE, "inactive", 409, false)                                                                                \
    X(UNSUPPORTED, "unsupported", 409, false)                                                                          \
    X(CONFLICT, "conflict", 409, true)                                                                                 \
    X(TOO_LARGE, "too_large", 413, false)                                                                              \
    X(INVALID_ICLIENT, "invalid_iclient", 422, false)                                                                  \
    X(INVALID_CONNECTION, "invalid_connection", 422, false)                                                            \
    X(DELETE_NOT_ALLOWED, "delete_not_allowed", 422, false)                                                            \
    X(READ_ONLY, "read_only", 422, false)                                                                              \
    X(BUSY, "busy", 429, true)                                                                                         \
    X(TOKEN_REJECTED, "token_rejected", 429, true)                                                                     \
    X(OVERLOADED, "busy", 503, true)                                                                                   \
    X(CLIENT_REJECTED, "client_rejected", 502, false)                                                                  \
    X(PROVIDER_ERROR, "provider_error", 502, true)                                                                     \
    X(PROVIDER_UNAVAILABLE, "provider_unavailable", 503, true)                                                         \
    X(STORE_UNAVAILABLE, "store_unavailable", 503, true)                                                               \
    X(NOT_READY, "not_ready", 503, true)
#define API_ERROR_SYMBOL(symbol, code, status, retryable) API_ERROR_##symbol,
enum api_error_code { API_ERROR_TABLE(API_ERROR_SYMBOL) API_ERROR_COUNT };
#undef API_ERROR_SYMBOL

enum { API_ERROR_TEXT_MAX = 16 * 1024 };

struct api_error {
    enum api_error_code code;
    const char *message;
    const char *field;   /* the parameter or member at fault; NULL */
    int64_t retry_after; /* seconds; 0: not known (for BUSY and OVERLOADED: one) */
    const char *allow;   /* for METHOD_NOT_ALLOWED; NULL otherwise */
    const char *members; /* more members of the document, JSON text without braces; NULL */
    int refused_status;  /* the HTTP server refused the request, with this status instead of the code's own and without
                            "retryable"; 0: a handler did */
};

int api_error_status(enum api_error_code code);
/* {"errors":[{"code","message","field"?}],"retryable":…, members}. Appends. */
bool api_error_append(const struct api_error *error, struct text_buffer *buffer);
/* One element of "errors". */
bool api_error_append_one(const struct api_error *error, struct text_buffer *buffer);
void api_error_reply(struct http_call *call, const struct api_error *error);

/*
 * Paths below /v2/ speak JSON:API: an error is {"errors":[{"status","code","detail","source"?}]} there, source
 * {"pointer"} for a field that begins with '/', else {"parameter"}. api_error_reply() and the usual ones see to it.
 */
bool api_error_is_json_api(const struct http_call *call);
/* Of any reply to this call that has a document. */
const char *api_error_content_type(const struct http_call *call);
/* One element of "errors". */
bool api_error_append_json_api(const struct api_error *error, struct text_buffer *buffer);

/* A request, or a connection, that never reached a path. */
void api_error_reply_refusal(struct http_call *call, const struct http_refusal *refusal);

/* The usual ones. */
void api_error_reply_text(struct http_call *call, enum api_error_code code, const char *message);
void api_error_reply_field(struct http_call *call, const char *field, const char *message); /* invalid_request */
void api_error_reply_no_memory(struct http_call *call);

#endif
