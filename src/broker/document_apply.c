#include "broker/document_apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/log/log.h"
#include "broker/login/authorization_session_state.h"
#include "broker/broker_state.h"
#include "broker/catalog_apply.h"
#include "broker/login/login_exchange.h"
#include "broker/exchange/revocation.h"
#include "broker/entry/token_cache.h"
#include "broker/exchange/token_fetch_state.h"

static struct token_entry *entry_of(struct broker *broker, const struct connection *connection)
{
    const char *name = connection_name(connection);
    char key[TOKEN_CACHE_KEY_MAX];
    size_t length = token_cache_key(connection_tenant(connection), name, strlen(name), key);
    return length ? token_cache_find(&broker->cache, key, length) : NULL;
}

/* ---- tokens of a connection that goes ---- */

static void delete_rows(const struct token_entry *entry)
{
    const struct store_change changes[] = {{.table = STORE_TOKENS, .key = entry->key},
                                           {.table = STORE_STATES, .key = entry->key},
                                           {.table = STORE_JOURNAL, .key = entry->key}};
    struct store *store = entry->broker->store;
    store->operations->write(store, changes, sizeof changes / sizeof changes[0], NULL, NULL);
}

static void on_revoked(void *context, enum revoke_result result, const char *message)
{
    struct token_entry *entry = context;
    if (result == REVOKE_UNREACHED)
        log_warning("connection %s: deleted, but the provider was not told: %s", token_entry_name(entry), message);
    delete_rows(entry);
}

static void on_revoked_for_write(void *context, enum revoke_result result, const char *message)
{
    struct document_write *write = context;
    on_revoked(write->parting, result, message);
    DL_DELETE(write->queue->revoking, write);
    document_write_end(write, DOCUMENT_DONE, result, message);
}

/*
 * A code that is with the provider is waited for, so that what it brings is revoked; one that waits for its turn is not
 * sent.
 */
static void end_login(const struct token_entry *entry)
{
    struct authorization_session *login = entry->login;
    bool is_with_provider = entry->fetch && entry->fetch->done_context == login;
    bool is_open = login && (login->state == SESSION_PENDING || login->state == SESSION_STARTED ||
                             login->state == SESSION_EXCHANGING);
    if (is_open && !is_with_provider)
        login_exchange_end(login, false, "the connection was deleted");
}

/* While the entry still has its connection. write: waits for the answer; NULL: nobody does. */
static void part_from(struct token_entry *entry, struct document_write *write)
{
    revoke_done *done = write ? on_revoked_for_write : on_revoked;
    void *context = write ? (void *)write : (void *)entry;
    struct error error;
    end_login(entry);
    if (write)
        write->parting = entry;
    if (revocation_begin_final(entry, done, context, &error) == OK)
        return;
    token_entry_forget_tokens(entry);
    done(context, REVOKE_UNREACHED, error.message);
}

/* ---- the change ---- */

static void keep_text(struct document_store *documents, struct document_write *write)
{
    struct document *place = write->place;
    write->place = NULL;
    if (!write->text) {
        document_drop(documents, write->kind, place);
        return;
    }
    secret_destroy(place->text);
    place->text = TAKE(write->text);
}

static void configure_entries(struct broker *broker, const struct catalog_edit *edit)
{
    for (size_t i = 0; i < catalog_edit_change_count(edit); i++) {
        struct catalog_change change = catalog_edit_change_at(edit, i);
        struct token_entry *entry = entry_of(broker, change.after ? change.after : change.before);
        if (entry)
            catalog_apply_to_entry(entry, change.after);
    }
}

bool document_apply(struct broker *broker, struct document_write *write)
{
    AUTO(catalog_edit) edit = TAKE(write->edit);
    keep_text(broker->documents, write);
    bool waits = write->action == DOCUMENT_REMOVE && write->kind == DOCUMENT_CONNECTION;
    if (waits)
        DL_APPEND(write->queue->revoking, write);
    bool is_removal = write->action == DOCUMENT_REMOVE;
    catalog_edit_apply(edit);
    for (size_t i = 0; is_removal && i < catalog_edit_change_count(edit); i++) {
        const struct connection *before = catalog_edit_change_at(edit, i).before;
        struct token_entry *entry = before ? entry_of(broker, before) : NULL;
        if (entry)
            part_from(entry, waits ? write : NULL);
    }
    if (catalog_edit_iclient(edit))
        client_breaker_close(broker, catalog_edit_iclient(edit));
    configure_entries(broker, edit);
    catalog_apply_count(broker);
    return waits;
}
