#ifndef MODEL_CONNECTION_CONNECTION_RECORD_H
#define MODEL_CONNECTION_CONNECTION_RECORD_H

#include "model/connection/connection.h"
#include "model/catalog/document_faults.h"
#include "model/secret/secret_value.h"

/* A catalog has very many connections and most of them have the default rule: one for all. */
struct shared_access {
    unsigned holds;
    struct access_rule *rule;
};
/* take_rule NULL gives NULL. */
struct shared_access *shared_access_create(struct access_rule *take_rule);
struct shared_access *shared_access_hold(struct shared_access *access);
void shared_access_destroy(struct shared_access *access);
AUTO_DEFINE(shared_access);

/*
 * The rules that were read last and what they were read from: thousands of connections may say the same, and each user
 * or group that a rule names costs a look-up in the system's database. Kept while a catalog is filled only, so that an
 * edit sees the database of its day.
 */
enum { ACCESS_SHARE_MAX = 16 };
struct access_share {
    struct {
        json_t *allow;
        struct shared_access *access;
    } recent[ACCESS_SHARE_MAX];
    size_t next;
};
/* Borrowed; NULL: none was read from this. */
struct shared_access *access_share_find(const struct access_share *share, const json_t *allow);
/* allow, access: held. */
void access_share_add(struct access_share *share, const json_t *allow, struct shared_access *access);
void access_share_finish(struct access_share *share);

/* What a connection says itself; most say little, so that text is kept in place of a tree of JSON values. */
struct connection_content {
    char *text; /* the document without name, iClient and tenant, secrets masked; compact JSON; NULL: empty */
    char *username;
    char *scope; /* joined */
    char *audience;
    struct secret *password; /* NULL also when it was left unread */
    bool has_password;
    struct secret_object *encrypted;
    json_t *params;
};

struct connection {
    unsigned holds;
    bool implicit;
    bool ahead;
    bool active;
    bool refers_by_id;
    const struct iclient *iclient;
    struct shared_access *access;
    char *name; /* NULL when implicit, and so for the file */
    char *file;
    struct connection_content *content; /* NULL: nothing of its own */
};

/*
 * As in connection.h, with the rule that a connection without "allow" shares, and share for the others; NULL: none.
 * iclient NULL: which is meant is not known, and told already. What is wrong beside is told then, and it is
 * ERR_INVALID.
 */
enum status connection_from_json_sharing(const json_t *document, const struct iclient *iclient, const char *file,
                                         const struct secret_resolver *resolve,
                                         const struct identity_resolver *resolve_ids, struct shared_access *access,
                                         struct access_share *share, struct fault_list *faults,
                                         struct connection **ret_connection);
struct connection *connection_implicit_sharing(const struct iclient *iclient, struct shared_access *access);

/*
 * The same connection of another iClient, or of a newer object of the same one: name, own values and access stay; what
 * follows from both is judged and made anew. ERR_INVALID: it could not go on so; ERR_NO_MEMORY.
 */
enum status connection_rebind(const struct connection *connection, const struct iclient *iclient,
                              struct fault_list *faults, struct connection **ret_connection);

/* What its fields say together, and with its iClient's. kept: its own members, secrets masked. */
void connection_check(const struct connection *connection, const json_t *kept, struct document_faults *faults);
/* What the connection says itself, as JSON; NULL when it says nothing or memory ran out (*ret_done false). */
json_t *connection_own_document(const struct connection *connection, bool *ret_done);

/* Where a template's path below "connection." leads. document: its own members, NULL when it has none. */
bool connection_has_path(const struct connection *connection, const json_t *document, const char *path);
/* connection_lookup() for who has the document at hand. */
enum status connection_lookup_in(const struct connection *connection, const json_t *document, const char *path,
                                 struct text_buffer *value);
/*
 * Whether the iClient's URIs stay within its validDomainNames with the values of this connection. Of the implicit one a
 * fault is a warning.
 */
void connection_check_uris(const struct connection *connection, const json_t *document, struct document_faults *faults);
/* True when the password grant has an account to log in with. */
bool connection_has_password(const struct connection *connection);

/* An empty one where there is none yet; NULL when out of memory. */
struct connection_content *connection_own_content(struct connection *connection);

#endif
