#ifndef MODEL_REPLY_TOKEN_BINDING_H
#define MODEL_REPLY_TOKEN_BINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text/text_buffer.h"

/*
 * What a token set belongs to (RFC 6749 §6 and §10.4, RFC 9700 §4.14): the client that it was issued to, the servers
 * that issued it, the account, and the kind of grant. Beside these stands what was asked for (scope, audience,
 * resource), which may change without an end of the token set. All values are as rendered for one connection.
 *
 * One row for each part: symbol, name in the store, kind, words for a person.
 */
#define BINDING_PART_TABLE(X)                                                                                          \
    X(GRANT, "grant", VALUE, "grant")                                                                                  \
    X(CLIENT, "client", VALUE, "client id")                                                                            \
    X(TOKEN_ORIGIN, "token_origin", ORIGIN, "origin of its token URI")                                                 \
    X(REFRESH_ORIGIN, "refresh_origin", ORIGIN, "origin of its refresh URI")                                           \
    X(REVOKE_ORIGIN, "revoke_origin", ORIGIN, "origin of its revoke URI")                                              \
    X(USERNAME, "username", ACCOUNT, "user name")                                                                      \
    X(JWT_ISSUER, "jwt_iss", ACCOUNT, "JWT claim \"iss\"")                                                             \
    X(JWT_SUBJECT, "jwt_sub", ACCOUNT, "JWT claim \"sub\"")                                                            \
    X(JWT_AUDIENCE, "jwt_aud", ACCOUNT, "JWT claim \"aud\"")                                                           \
    X(FINGERPRINT, "fingerprint", UNKNOWN, "configuration")                                                            \
    X(SCOPE, "asked_scope", ASKED, "scope")                                                                            \
    X(REFRESHED_SCOPE, "refreshed_scope", NARROWED, "scope of its last refresh")                                       \
    X(AUDIENCE, "asked_audience", ASKED, "audience")                                                                   \
    X(RESOURCE, "asked_resource", ASKED, "resource")

#define BINDING_PART_SYMBOL(symbol, name, kind, words) BINDING_##symbol,
enum binding_part { BINDING_PART_TABLE(BINDING_PART_SYMBOL) BINDING_PART_COUNT };
#undef BINDING_PART_SYMBOL

/*
 * Immutable, reference counted, shared by all token sets that it is the same for.
 *
 * An absent ORIGIN was not known when the tokens were granted, or there was no such URI. SCOPE is what the grant asked
 * for, as names with one space between them; REFRESHED_SCOPE is what the last refresh asked for, where that was less.
 * A binding with a FINGERPRINT has nothing else: the tokens are of a version that stored no more, and belong to the
 * configuration that legacy_fingerprint() gives the same for.
 */
struct token_binding;

/* values: BINDING_PART_COUNT texts, NULL where a part is absent; copied. NULL when out of memory. */
struct token_binding *token_binding_create(const char *const *values);
/* The same with the values' lengths, for texts without a NUL. */
struct token_binding *token_binding_create_from(const char *const *values, const size_t *lengths);
struct token_binding *token_binding_hold(const struct token_binding *binding);
void token_binding_destroy(struct token_binding *binding);
AUTO_DEFINE(token_binding);

/* NULL when the part is absent. Borrowed. */
const char *token_binding_value(const struct token_binding *binding, enum binding_part part);
/* The name in the store. */
const char *binding_part_name(enum binding_part part);
bool token_binding_equal(const struct token_binding *a, const struct token_binding *b);

/*
 * Whether tokens of the binding "stored" may be used under a configuration whose binding is "present": the first part
 * that forbids it, BINDING_PART_COUNT when none does. A URI that the configuration does not have, or that cannot be
 * rendered now, forbids nothing: nothing is sent there. A URI that is new has to lead to an origin that the tokens were
 * sent to before. stored NULL: nothing is known of the tokens, and it is FINGERPRINT.
 */
enum binding_part token_binding_conflict(const struct token_binding *stored, const struct token_binding *present);

/* How what the configuration asks for differs from what the tokens were asked with. */
enum asked_change {
    ASKED_SAME,
    ASKED_NARROWER, /* a part of the scope that was granted: a refresh may ask for it (RFC 6749 §6) */
    ASKED_WHOLE,    /* the whole scope that was granted, after a refresh with less of it */
    ASKED_OTHER,    /* more or something else: only a new grant brings it */
};
/* *ret_part: what differs, when it is not ASKED_SAME. */
enum asked_change token_binding_asked(const struct token_binding *stored, const struct token_binding *present,
                                      enum binding_part *ret_part);

/*
 * The binding of what a refresh brings: client, account and servers are the present ones, with those servers kept that
 * cannot be rendered now; what was asked for stays the grant's. NULL when out of memory.
 */
struct token_binding *token_binding_refreshed(const struct token_binding *stored, const struct token_binding *present);

/*
 * The last look before a secret leaves: OK when a request of this client id (NULL: none) to this URL goes to the server
 * that the token set of the binding is bound to. endpoint: one of the ORIGIN parts. ERR_DENIED with both origins;
 * ERR_NO_MEMORY.
 */
enum status token_binding_check_request(const struct token_binding *binding, enum binding_part endpoint,
                                        const char *client_id, const char *url, struct error *ret_error);

/*
 * "the origin of its token URI was https://a.example and is now https://b.example"; of an account only that it changed.
 * present NULL: only what stands in stored is said. Appends.
 */
bool token_binding_describe(const struct token_binding *stored, const struct token_binding *present,
                            enum binding_part part, struct text_buffer *buffer);

#endif
