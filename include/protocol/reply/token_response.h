#ifndef PROTOCOL_REPLY_TOKEN_RESPONSE_H
#define PROTOCOL_REPLY_TOKEN_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/reply/token_set.h"
#include "protocol/request/grant_context.h"
#include "protocol/request/token_request.h"

/* How an exchange ended. Nothing above judges a reply a second time. */
enum outcome_class {
    OUTCOME_GRANTED,
    OUTCOME_TOKEN_REFUSED,  /* invalid_grant, or a failure rule */
    OUTCOME_CLIENT_REFUSED, /* invalid_client, unauthorized_client */
    OUTCOME_TRANSIENT,      /* never answered, 408, 425, 429, 5xx */
    OUTCOME_BROKEN,         /* 2xx without a token, not JSON, too large, other 4xx */
};
/* "granted", "token_refused", "client_refused", "transient", "broken". */
const char *outcome_class_name(enum outcome_class outcome);

enum { OUTCOME_CODE_MAX = 64, OUTCOME_MESSAGE_MAX = 400 };

struct token_outcome {
    enum outcome_class outcome;
    int status;                        /* HTTP status; 0 when there was none */
    char code[OUTCOME_CODE_MAX];       /* the provider's "error", printable ASCII only; "" when none */
    char message[OUTCOME_MESSAGE_MAX]; /* for a person, redacted: no token, no secret, no control bytes; of a grant
                                          a remark, mostly "" */
    int64_t retry_after;               /* seconds from now by Retry-After, 0 when not given; at most 24 h */
    struct token_set *tokens;          /* for OUTCOME_GRANTED: complete but for the generation */
};
void token_outcome_finish(struct token_outcome *outcome);

/* A reply as it came. */
struct provider_reply {
    int status;
    const char *content_type; /* may be NULL */
    const char *retry_after;  /* may be NULL */
    const char *body;
    size_t length;
    bool too_large; /* the body was cut off at the client's limit */
};

/*
 * How a reply is judged: the first row that fits decides. The order is JSON error, failure rules, status.
 *
 *    reply                                                             outcome         why
 *  1 "error" is a code that says enough: invalid_grant; invalid_client TOKEN_REFUSED,  RFC 6749 §5.2, at any status.
 *    unauthorized_client; server_error, temporarily_unavailable; and   CLIENT_REFUSED, In a 5xx, 408, 425 or 429 only
 *    GitHub's and Slack's words for the same                           TRANSIENT       the token-refused ones count
 *  2 401 or 403 to client credentials or a JWT grant (403: not HTML)   CLIENT_REFUSED  nothing else was presented there
 *  3 a failure rule of the iClient matches, whatever the status        TOKEN_REFUSED   the iClient's author says so
 *  4 2xx with a usable access token at its path                        GRANTED
 *    any other 2xx                                                     BROKEN          unreadable, cut off, no token
 *  5 408, 425, 429, 5xx                                                TRANSIENT       it may pass
 *  6 401 or 403 without "error", body empty or read                    CLIENT_REFUSED  glewlwyd's, to a bad secret
 *  7 400 without "error", body empty or read, to a code or a refresh   TOKEN_REFUSED   glewlwyd's, to a bad token:
 *                                                                                      a login mends it, retries do not
 *  8 all else: other 4xx, 3xx, an HTML page                            BROKEN          perhaps not the endpoint at all
 *
 * Rows 6 and 7 trust the status only where the body does not look like something in between (a proxy's HTML page);
 * row 7 leaves out the password grant, where trying again could lock the account.
 */

/*
 * Judges a token or refresh reply: JSON, form text where the shape says so (GitHub's default), or XML where the media
 * type does. "error" of XML is the element of that name below the root (Salesforce's format=xml).
 * Paths from the iClient (refresh's own where given). For a refresh, silence about the refresh token, scope or
 * metadata keeps context->tokens' (RFC 6749 §6); refreshCount is counted down and at 0 the refresh token is not kept.
 * Expiry: expiresAtPath, expiresInPath (number or string, unit), else accessTokenLifetime. Expiry is clamped to
 * [now, now + 100 years]. Never fails: what cannot be read is OUTCOME_BROKEN. Out of memory is OUTCOME_TRANSIENT.
 * RFC 6749 §5.2 error bodies are believed at any status but a 5xx, 408, 425 or 429 where only invalid_grant-like codes
 * of a well-formed JSON error count.
 */
void token_response_read(enum token_exchange exchange, const struct grant_context *context,
                         const struct provider_reply *reply, struct token_outcome *ret_outcome);

/* An exchange that brought no reply: OUTCOME_TRANSIENT with the client's reason ("connect to host:port failed: …"). */
void token_outcome_set_unanswered(struct token_outcome *ret_outcome, const char *reason);

/*
 * Judges a revoke reply: 2xx without a matching failure rule is granted (RFC 7009 §2.2; an unknown token is a success
 * there); unsupported_token_type is granted for the caller's purpose too, with the message saying so; the other
 * classes as above.
 */
void revoke_response_read(const struct grant_context *context, const struct provider_reply *reply,
                          struct token_outcome *ret_outcome);

#endif
