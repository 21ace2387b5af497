#include "broker/document/document_prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "base/random.h"
#include "broker/broker_state.h"
#include "broker/entry/token_cache.h"
#include "model/catalog/document_patch.h"
#include "model/catalog/document_secrets.h"
#include "model/catalog/tenant.h"

enum { ID_BYTES = 12, ID_TEXT_SIZE = 2 * ID_BYTES + 1 };

static enum document_result result_of(enum status status)
{
    switch (status) {
    case OK:
        return DOCUMENT_DONE;
    case ERR_INVALID:
        return DOCUMENT_INVALID;
    case ERR_NOT_FOUND:
        return DOCUMENT_NOT_FOUND;
    case ERR_DENIED:
        return DOCUMENT_READ_ONLY;
    case ERR_CONFLICT:
        return DOCUMENT_IN_USE;
    default:
        return DOCUMENT_NO_MEMORY;
    }
}

static bool set_text(json_t *object, const char *name, const char *text)
{
    return json_object_set_new(object, name, json_string(text)) == 0;
}

/* ---- what there is ---- */

static const struct catalog *catalog_of(const struct document_write *write)
{
    return write->queue->broker->catalog;
}

static enum document_result not_found(struct document_write *write)
{
    error_set(&write->error, ERR_NOT_FOUND,
              write->kind == DOCUMENT_ICLIENT ? "there is no iClient of this _id" : "no connection has this name");
    return DOCUMENT_NOT_FOUND;
}

/* The present one has to be there; an _id of another tenant is none. */
static enum document_result check_present(struct document_write *write)
{
    if (write->kind == DOCUMENT_CONNECTION)
        return catalog_find_connection(catalog_of(write), write->tenant, write->key) ? DOCUMENT_DONE : not_found(write);
    const struct iclient *iclient = catalog_find_iclient_by_id(catalog_of(write), write->key);
    return iclient && strcmp(iclient_tenant(iclient), write->tenant) == 0 ? DOCUMENT_DONE : not_found(write);
}

/* What is wrong with a patch itself is wrong wherever the document comes from. */
static enum document_result check_patch(struct document_write *write)
{
    AUTO_JSON scratch = json_object();
    return scratch ? result_of(document_patch_apply(scratch, write->body, write->faults)) : DOCUMENT_NO_MEMORY;
}

/* Before a change is made of what is stored; the edit itself judges the rest. */
static enum document_result check_writable(struct document_write *write)
{
    if (write->kind == DOCUMENT_CONNECTION)
        return DOCUMENT_DONE;
    const struct iclient *iclient = catalog_find_iclient_by_id(catalog_of(write), write->key);
    if (*iclient_file(iclient) == '\0')
        return DOCUMENT_DONE;
    error_set(&write->error, ERR_DENIED, "iClient %s comes from the file %s: change it there and reload",
              iclient_name(iclient), iclient_file(iclient));
    return DOCUMENT_READ_ONLY;
}

static enum document_result check_request(struct document_write *write)
{
    if (write->action == DOCUMENT_CREATE)
        return DOCUMENT_DONE;
    enum document_result result = check_present(write);
    if (result == DOCUMENT_DONE && write->action == DOCUMENT_PATCH)
        result = check_patch(write);
    return result == DOCUMENT_DONE && write->action != DOCUMENT_REMOVE ? check_writable(write) : result;
}

static void check_free(struct document_write *write)
{
    const struct connection *taken =
        write->key ? catalog_find_connection(catalog_of(write), write->tenant, write->key) : NULL;
    if (write->kind == DOCUMENT_CONNECTION && taken && !connection_is_implicit(taken))
        fault_list_add(write->faults, "", "/name", NULL, "is taken within the tenant (%s)",
                       *connection_file(taken) ? connection_file(taken) : "made through the API");
}

/* ---- the document that is to be ---- */

static bool make_id(struct document_write *write)
{
    unsigned char bytes[ID_BYTES];
    char id[ID_TEXT_SIZE];
    if (random_bytes(bytes, sizeof bytes) != OK)
        return false;
    for (size_t i = 0; i < ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    write->key = strdup(id);
    return write->key != NULL;
}

/* What the path says already: the document may leave it out, but not say otherwise. */
static bool take_from_path(struct document_write *write, const char *member, const char *value)
{
    const json_t *own = json_object_get(write->body, member);
    if (!own)
        return set_text(write->body, member, value);
    char pointer[16];
    snprintf(pointer, sizeof pointer, "/%s", member);
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): what is no creation has a key. */
    if (json_is_string(own) && strcmp(json_string_value(own), value) != 0)
        fault_list_add(write->faults, "", pointer, NULL, "is not the one of the path (\"%.64s\")", value);
    return true;
}

/* before NULL: there was none. */
static bool keep_text(json_t *document, const char *member, const char *before)
{
    return !before || json_object_get(document, member) || set_text(document, member, before);
}

static bool complete_iclient(struct document_write *write)
{
    char modified[CLOCK_TEXT_SIZE];
    clock_format(clock_wall(), modified);
    const struct iclient *before = catalog_find_iclient_by_id(catalog_of(write), write->key);
    const char *name = before ? iclient_name(before) : NULL;
    const char *connector = before ? iclient_text(before, ICLIENT_HTTP_CONNECTOR_ID) : NULL;
    /* Neither can be changed, so that they need not be said again. */
    return keep_text(write->body, "name", name) && keep_text(write->body, "_httpConnectorId", connector) &&
           set_text(write->body, "_id", write->key) && set_text(write->body, "lastModified", modified);
}

static bool complete(struct document_write *write)
{
    bool is_default = tenant_is_default(write->tenant) && !json_object_get(write->body, "tenant");
    if (!is_default && !take_from_path(write, "tenant", write->tenant))
        return false;
    if (write->kind == DOCUMENT_ICLIENT)
        return complete_iclient(write);
    return write->action == DOCUMENT_CREATE || take_from_path(write, "name", write->key);
}

static enum document_result make_document(struct document_write *write, const json_t *previous)
{
    bool is_iclient = write->kind == DOCUMENT_ICLIENT;
    if (!json_is_object(write->body)) {
        fault_list_add(write->faults, "", "", NULL, "must be an object");
        return DOCUMENT_INVALID;
    }
    if (is_iclient && !write->key && !make_id(write))
        return DOCUMENT_NO_MEMORY;
    bool done = complete(write) && (is_iclient ? document_secrets_keep_iclient(write->body, previous)
                                               : document_secrets_keep_connection(write->body, previous));
    return done ? DOCUMENT_DONE : DOCUMENT_NO_MEMORY;
}

static enum document_result make_patched(struct document_write *write, json_t *previous)
{
    enum status status = document_patch_apply(previous, write->body, write->faults);
    if (status != OK)
        return result_of(status);
    json_decref(write->body);
    write->body = json_incref(previous);
    return complete(write) ? DOCUMENT_DONE : DOCUMENT_NO_MEMORY;
}

/* ---- the edit ---- */

static enum document_result make_edit(struct document_write *write)
{
    struct catalog *catalog = write->queue->broker->catalog;
    bool is_iclient = write->kind == DOCUMENT_ICLIENT;
    enum status status;
    if (write->action == DOCUMENT_REMOVE && is_iclient)
        status = catalog_edit_remove_iclient(catalog, write->key, &write->edit, &write->error);
    else if (write->action == DOCUMENT_REMOVE)
        status = catalog_edit_remove_connection(catalog, write->tenant, write->key, &write->edit, &write->error);
    else if (is_iclient)
        status = catalog_edit_put_iclient(catalog, write->body, write->faults, &write->edit, &write->error);
    else
        status = catalog_edit_put_connection(catalog, write->body, write->faults, &write->edit, &write->error);
    /* A name that is taken is a fault, whoever has it. */
    bool is_invalid = status != ERR_NO_MEMORY && fault_list_has_errors(write->faults);
    return is_invalid ? DOCUMENT_INVALID : result_of(status);
}

/* Memory for what follows the commit, which has to succeed then. */
static bool make_entries(const struct document_write *write)
{
    struct broker *broker = write->queue->broker;
    for (size_t i = 0; i < catalog_edit_change_count(write->edit); i++) {
        const struct connection *after = catalog_edit_change_at(write->edit, i).after;
        char key[TOKEN_CACHE_KEY_MAX];
        const char *name = after ? connection_name(after) : NULL;
        if (after && (token_cache_key(connection_tenant(after), name, strlen(name), key) == 0 ||
                      !token_cache_ensure(&broker->cache, broker, key)))
            return false;
    }
    return true;
}

static enum document_result make_text(struct document_write *write)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, STORE_VALUE_MAX);
    if (write->action != DOCUMENT_REMOVE) {
        text_buffer_append_json(&text, write->body);
        write->text = text_buffer_take_secret(&text);
    }
    AUTO_TEXT key = document_store_key(write->kind, write->tenant, write->key);
    write->place = key ? document_ensure(write->queue->broker->documents, write->kind, key) : NULL;
    bool done = write->place && (write->text || write->action == DOCUMENT_REMOVE) && make_entries(write);
    return done ? DOCUMENT_DONE : DOCUMENT_NO_MEMORY;
}

enum document_result document_prepare(struct document_write *write)
{
    enum document_result result = check_request(write);
    if (result != DOCUMENT_DONE)
        return result;
    AUTO_TEXT key = write->key ? document_store_key(write->kind, write->tenant, write->key) : NULL;
    const struct document *stored = key ? document_find(write->queue->broker->documents, write->kind, key) : NULL;
    AUTO_JSON previous = stored ? document_parse(write->kind, stored) : NULL;
    if ((write->key && !key) || (stored && !previous))
        return DOCUMENT_NO_MEMORY;
    if (write->action == DOCUMENT_PATCH)
        result = make_patched(write, previous);
    else if (write->action != DOCUMENT_REMOVE)
        result = make_document(write, write->action == DOCUMENT_CREATE ? NULL : previous);
    if (write->action == DOCUMENT_CREATE)
        check_free(write);
    if (result == DOCUMENT_DONE)
        result = make_edit(write);
    return result == DOCUMENT_DONE ? make_text(write) : result;
}
