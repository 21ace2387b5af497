#ifndef MODEL_ICLIENT_ICLIENT_RECORD_H
#define MODEL_ICLIENT_ICLIENT_RECORD_H

#include "model/secret/digest.h"
#include "model/catalog/document_faults.h"
#include "model/iclient/field_view.h"
#include "model/iclient/iclient.h"
#include "model/reply/token_binding.h"

enum { ICLIENT_ID_SIZE = 25, CONNECTION_PATHS_MAX = 32 };

struct iclient {
    unsigned holds;
    struct provider_preset *preset;
    char *file;
    struct field_set fields;
    char *scope;                /* joined with the delimiter; NULL: none */
    char *default_redirect_uri; /* authorization code alone */
    char id[ICLIENT_ID_SIZE];
    enum grant_type grant;
    enum client_authentication client_authentication;
    enum pkce_method pkce;
    struct secret *jwt_key; /* jwt.secret decoded; NULL: the key is a field as it stands there */
    struct url_policy *url_policy;
    struct failure_rules *token_failures;
    struct failure_rules *api_failures;
    char **connection_paths; /* what its templates want of a connection, below "connection." */
    size_t connection_path_count;
    /* Made when first asked for; only what the tokens of a connection need. */
    struct token_binding *binding; /* of all its connections without values of their own; see connection_binding.c */
    char *digest;                  /* of all its fields; see connection_digest.c */
};

struct field_view iclient_view(const struct iclient *iclient);
/* The scopes as they are sent; NULL. */
const char *iclient_scope(const struct iclient *iclient);
/* The field that the client secret or the JWT key comes from; ICLIENT_FIELD_COUNT when there is none. */
enum iclient_field iclient_client_secret_field(const struct iclient *iclient);
enum iclient_field iclient_jwt_key_field(const struct iclient *iclient);

/* Where a template's path below "iClient." leads: exactly one of the three is set, none for a secret left unread. */
struct iclient_path_value {
    const char *text;
    const json_t *json;
    const struct secret *secret;
};
/* False when it leads nowhere. */
bool iclient_find_path(const struct iclient *iclient, const char *path, struct iclient_path_value *ret_value);

/* Elements joined with the delimiter; NULL when out of memory. Caller frees. */
char *iclient_join_scopes(const json_t *scopes, const char *delimiter);

/* All rules between fields, templates and URIs; sets url_policy, failure rules and connection_paths on the way. */
void iclient_validate(struct iclient *iclient, const struct iclient_options *options, struct document_faults *faults);
/* The part of it about keys and client authentication. */
void iclient_validate_jwt(const struct iclient *iclient, bool template_uses_token,
                          const struct iclient_options *options, struct document_faults *faults);
/* True when a template anywhere names the path. */
bool iclient_template_uses(const struct iclient *iclient, const char *path, struct document_faults *faults);

/* grant, client_authentication, pkce, id, scope and redirect URI from the fields. False: no memory. */
bool iclient_derive(struct iclient *iclient, const struct iclient_options *options);

#endif
