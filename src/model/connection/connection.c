#include "model/connection/connection.h"

#include <string.h>

#include "base/json/json_read.h"
#include "model/connection/connection_record.h"
#include "model/iclient/iclient_record.h"
#include "model/catalog/tenant.h"

/* ---- the shared rule ---- */

struct shared_access *shared_access_create(struct access_rule *take_rule)
{
    AUTO(access_rule) rule = take_rule;
    struct shared_access *access = rule ? malloc(sizeof *access) : NULL;
    if (!access)
        return NULL;
    *access = (struct shared_access){.holds = 1, .rule = TAKE(rule)};
    return access;
}

struct shared_access *shared_access_hold(struct shared_access *access)
{
    if (access)
        access->holds++;
    return access;
}

void shared_access_destroy(struct shared_access *access)
{
    if (!access || --access->holds > 0)
        return;
    access_rule_destroy(access->rule);
    free(access);
}

struct shared_access *access_share_find(const struct access_share *share, const json_t *allow)
{
    for (size_t i = 0; i < ACCESS_SHARE_MAX; i++) {
        if (share->recent[i].allow && json_equal(share->recent[i].allow, allow))
            return share->recent[i].access;
    }
    return NULL;
}

void access_share_add(struct access_share *share, const json_t *allow, struct shared_access *access)
{
    size_t at = share->next++ % ACCESS_SHARE_MAX;
    json_decref(share->recent[at].allow);
    shared_access_destroy(share->recent[at].access);
    share->recent[at].allow = json_incref((json_t *)allow);
    share->recent[at].access = shared_access_hold(access);
}

void access_share_finish(struct access_share *share)
{
    for (size_t i = 0; i < ACCESS_SHARE_MAX; i++) {
        json_decref(share->recent[i].allow);
        shared_access_destroy(share->recent[i].access);
    }
    *share = (struct access_share){0};
}

/* ---- life ---- */

struct connection *connection_implicit_sharing(const struct iclient *iclient, struct shared_access *access)
{
    AUTO(connection) connection = access ? calloc(1, sizeof *connection) : NULL;
    if (!connection)
        return NULL;
    *connection = (struct connection){
        .holds = 1,
        .implicit = true,
        .ahead = true,
        .active = true,
        .iclient = iclient_hold(iclient),
        .access = shared_access_hold(access),
    };
    return TAKE(connection);
}

struct connection *connection_implicit(const struct iclient *iclient)
{
    struct access_rule *rule = NULL;
    if (access_rule_from_json(NULL, NULL, &rule, NULL) != OK)
        return NULL;
    AUTO(shared_access) access = shared_access_create(rule);
    return connection_implicit_sharing(iclient, access);
}

struct connection *connection_hold(const struct connection *connection)
{
    struct connection *held = (struct connection *)connection;
    if (held)
        held->holds++;
    return held;
}

static void content_destroy(struct connection_content *content)
{
    if (!content)
        return;
    free(content->text);
    free(content->username);
    free(content->scope);
    free(content->audience);
    secret_destroy(content->password);
    secret_object_destroy(content->encrypted);
    json_decref(content->params);
    free(content);
}

void connection_destroy(struct connection *connection)
{
    if (!connection || (connection->holds > 0 && --connection->holds > 0))
        return;
    content_destroy(connection->content);
    shared_access_destroy(connection->access);
    iclient_destroy((struct iclient *)connection->iclient);
    free(connection->name);
    free(connection->file);
    free(connection);
}

struct connection_content *connection_own_content(struct connection *connection)
{
    if (!connection->content)
        connection->content = calloc(1, sizeof *connection->content);
    return connection->content;
}

/* ---- values ---- */

const char *connection_name(const struct connection *connection)
{
    return connection->name ? connection->name : iclient_name(connection->iclient);
}

const char *connection_tenant(const struct connection *connection)
{
    return iclient_tenant(connection->iclient);
}

const char *connection_file(const struct connection *connection)
{
    return connection->file ? connection->file : iclient_file(connection->iclient);
}

bool connection_is_implicit(const struct connection *connection)
{
    return connection->implicit;
}

const struct iclient *connection_iclient(const struct connection *connection)
{
    return connection->iclient;
}

const struct access_rule *connection_access(const struct connection *connection)
{
    return connection->access->rule;
}

bool connection_refreshes_ahead(const struct connection *connection)
{
    return connection->ahead;
}

bool connection_is_active(const struct connection *connection)
{
    return connection->active && iclient_flag(connection->iclient, ICLIENT_ACTIVE);
}

const char *connection_username(const struct connection *connection)
{
    if (connection->content && connection->content->username)
        return connection->content->username;
    return iclient_text(connection->iclient, ICLIENT_USERNAME);
}

const struct secret *connection_password(const struct connection *connection)
{
    if (connection->content && connection->content->has_password)
        return connection->content->password;
    return iclient_secret(connection->iclient, ICLIENT_PASSWORD);
}

bool connection_has_password(const struct connection *connection)
{
    return (connection->content && connection->content->has_password) ||
           iclient_json(connection->iclient, ICLIENT_PASSWORD);
}

const char *connection_scope(const struct connection *connection)
{
    if (connection->content && connection->content->scope)
        return connection->content->scope;
    return iclient_scope(connection->iclient);
}

const char *connection_audience(const struct connection *connection)
{
    return connection->content ? connection->content->audience : NULL;
}

const json_t *connection_params(const struct connection *connection)
{
    return connection->content ? connection->content->params : NULL;
}

/* ---- templates ---- */

/* A member's text; *ret_known false when path is none of these. */
static const char *find_text(const struct connection *connection, const char *path, bool *ret_known)
{
    static const struct {
        const char *path;
        const char *(*value)(const struct connection *);
    } texts[] = {
        {"name", connection_name},
        {"username", connection_username},
        {"scope", connection_scope},
        {"audience", connection_audience},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *ret_known = strcmp(texts[i].path, path) == 0;
        if (*ret_known)
            return texts[i].value(connection);
    }
    return NULL;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * Members of settings, unencrypted and encrypted: the connection's, else the iClient's of the same path, so that an
 * iClient serves its implicit connection too.
 */
static bool find_member(const struct connection *connection, const json_t *document, const char *path,
                        struct iclient_path_value *ret_value)
{
    *ret_value = (struct iclient_path_value){0};
    if (starts_with(path, "encrypted.")) {
        const struct secret_object *own = connection->content ? connection->content->encrypted : NULL;
        if (secret_object_find(own, path + strlen("encrypted."), &ret_value->secret))
            return true;
    } else if (starts_with(path, "settings.") || starts_with(path, "unencrypted.")) {
        ret_value->json = json_read_path(document, path);
        if (ret_value->json && !json_is_null(ret_value->json))
            return true;
    } else {
        return false;
    }
    return iclient_find_path(connection->iclient, path, ret_value);
}

bool connection_has_path(const struct connection *connection, const json_t *document, const char *path)
{
    bool known;
    const char *text = find_text(connection, path, &known);
    if (known)
        return text != NULL;
    if (strcmp(path, "password") == 0)
        return connection_has_password(connection);
    struct iclient_path_value value;
    return find_member(connection, document, path, &value);
}

json_t *connection_own_document(const struct connection *connection, bool *ret_done)
{
    *ret_done = true;
    if (!connection->content || !connection->content->text)
        return NULL;
    json_t *document = json_loads(connection->content->text, 0, NULL);
    *ret_done = document != NULL;
    return document;
}

static enum status append_secret(struct text_buffer *value, const struct secret *secret)
{
    if (!secret)
        return ERR_NOT_FOUND;
    return text_buffer_append(value, secret_reveal(secret), secret_length(secret)) ? OK : ERR_TOO_LARGE;
}

enum status connection_lookup_in(const struct connection *connection, const json_t *document, const char *path,
                                 struct text_buffer *value)
{
    bool known;
    const char *text = find_text(connection, path, &known);
    if (known && !text)
        return ERR_NOT_FOUND;
    if (known)
        return text_buffer_append_text(value, text) ? OK : ERR_TOO_LARGE;
    if (strcmp(path, "password") == 0)
        return append_secret(value, connection_password(connection));
    struct iclient_path_value found;
    if (!find_member(connection, document, path, &found))
        return ERR_NOT_FOUND;
    if (found.json)
        return json_read_as_text(found.json, value) ? OK : ERR_TOO_LARGE;
    return append_secret(value, found.secret);
}

enum status connection_lookup(const struct connection *connection, const char *path, struct text_buffer *value)
{
    bool done = true;
    bool is_in_document = starts_with(path, "settings.") || starts_with(path, "unencrypted.");
    AUTO_JSON document = is_in_document ? connection_own_document(connection, &done) : NULL;
    return done ? connection_lookup_in(connection, document, path, value) : ERR_NO_MEMORY;
}

json_t *connection_to_json(const struct connection *connection)
{
    bool done;
    AUTO_JSON own = connection_own_document(connection, &done);
    const char *reference =
        connection->refers_by_id ? iclient_id(connection->iclient) : iclient_name(connection->iclient);
    AUTO_JSON document = json_pack("{s:s,s:s}", "name", connection_name(connection), "iClient", reference);
    const char *tenant = connection_tenant(connection);
    if (!done || !document)
        return NULL;
    if (!tenant_is_default(tenant) && json_object_set_new(document, "tenant", json_string(tenant)) < 0)
        return NULL;
    if (own && json_object_update(document, own) < 0)
        return NULL;
    return TAKE(document);
}
