/*
 * Gives every connection below FOLDER/connections.d a token pair in FOLDER/state, sealed and written by the daemon's
 * own code, so that a start with very many of them can be measured. STORED more connections of the iClient p0, which
 * the user nobody may use, are made as through the API: their documents stand in the store. The daemon must not run.
 *
 * usage: fill_store FOLDER PRESET_FOLDER ACCESS_BYTES REFRESH_BYTES EXPIRES_IN STORED
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "broker/broker_state.h"
#include "broker/entry/token_entry_state.h"
#include "broker/entry/token_record.h"
#include "io/loop/event_loop.h"
#include "io/files/file_load.h"
#include "io/host/identity_lookup.h"
#include "io/store/store_crypto.h"
#include "io/store/store_sqlite.h"
#include "model/connection/connection_binding.h"

enum { PATH_SIZE = 4096, TOKEN_MAX = 16 * 1024, WRITES_AT_ONCE = 4096 };

struct filler {
    const char *folder;
    struct event_loop *loop;
    struct store_crypto *crypto;
    struct store *store;
    struct metrics metrics;
    struct broker *broker;
    size_t access_length;
    size_t refresh_length;
    int64_t expires_in;
    size_t stored;
    size_t next; /* connection */
    size_t written;
    enum status status;
};

static void filler_finish(struct filler *filler)
{
    broker_destroy(filler->broker);
    store_destroy(filler->store);
    store_crypto_destroy(filler->crypto);
    event_loop_destroy(filler->loop);
}

/* Letters that tell the connections' tokens apart. */
static struct secret *make_token(char kind, size_t number, size_t length)
{
    char text[TOKEN_MAX + 1];
    int head = snprintf(text, sizeof text, "%c%zu-", kind, number);
    memset(text + head, 'x', sizeof text - 1 - (size_t)head);
    return secret_create(text, length);
}

static struct token_set *make_tokens(const struct filler *filler, size_t number)
{
    AUTO(token_set) tokens = token_set_create();
    if (!tokens)
        return NULL;
    tokens->access_token = make_token('a', number, filler->access_length);
    tokens->refresh_token = filler->refresh_length ? make_token('r', number, filler->refresh_length) : NULL;
    tokens->token_type = strdup("Bearer");
    tokens->scope = strdup("read write");
    tokens->obtained_at = clock_wall();
    tokens->expires_at = tokens->obtained_at + filler->expires_in;
    tokens->generation = 1;
    bool is_whole = tokens->access_token && tokens->token_type && tokens->scope;
    return is_whole ? TAKE(tokens) : NULL;
}

static void write_document(const struct filler *filler, const struct token_entry *entry)
{
    AUTO_JSON document = connection_to_json(entry->connection);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, STORE_VALUE_MAX);
    text_buffer_append_json(&text, document);
    AUTO(secret) value = text_buffer_take_secret(&text);
    const struct store_change change = {STORE_CONNECTIONS, entry->key, value};
    filler->store->operations->write(filler->store, &change, 1, NULL, NULL);
}

static void write_some(struct filler *filler);

static void on_written(void *context, enum status status, const struct error *error)
{
    struct filler *filler = context;
    if (status != OK) {
        fprintf(stderr, "fill_store: %s\n", error->message);
        filler->status = status;
        event_loop_stop(filler->loop);
        return;
    }
    filler->written++;
    if (filler->written == catalog_connection_count(broker_catalog(filler->broker)))
        event_loop_stop(filler->loop);
    else if (filler->written == filler->next)
        write_some(filler);
}

static void write_some(struct filler *filler)
{
    const struct catalog *catalog = broker_catalog(filler->broker);
    size_t count = catalog_connection_count(catalog);
    for (size_t i = 0; i < WRITES_AT_ONCE && filler->next < count; i++) {
        const struct connection *connection = catalog_connection_at(catalog, filler->next);
        const char *name = connection_name(connection);
        struct token_entry *entry = broker_find(filler->broker, connection_tenant(connection), name, strlen(name));
        AUTO(token_set) tokens = make_tokens(filler, filler->next);
        if (!entry || !tokens) {
            filler->status = ERR_NO_MEMORY;
            event_loop_stop(filler->loop);
            return;
        }
        filler->next++;
        if (connection_file(connection)[0] == '\0')
            write_document(filler, entry);
        token_set_bind(tokens, connection_binding(connection, NULL, NULL));
        token_record_write(entry, RECORD_TOKENS | RECORD_STATE, tokens, on_written, filler);
    }
}

static const char *path_in(const char *folder, const char *name, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static enum status open_broker(struct filler *filler, struct error *ret_error)
{
    char state_path[PATH_SIZE];
    char key_path[PATH_SIZE];
    char store_path[PATH_SIZE];
    path_in(filler->folder, "state/key", key_path);
    path_in(filler->folder, "state/store.sqlite3", store_path);
    mkdir(path_in(filler->folder, "state", state_path), 0700);
    struct broker_options options = {.max_waiters = 1};
    enum status status;
    if ((status = event_loop_create(&filler->loop, ret_error)) != OK ||
        (status = store_key_load(key_path, access(store_path, F_OK) != 0, &filler->crypto, ret_error)) != OK ||
        (status = store_sqlite_create(filler->loop, store_path, filler->crypto, &filler->store, ret_error)) != OK)
        return status;
    return broker_create(filler->loop, NULL, filler->store, &filler->metrics, &options, &filler->broker, ret_error);
}

static enum status add_stored(void *context, struct catalog *catalog, struct fault_list *faults)
{
    const struct filler *filler = context;
    enum status status = OK;
    for (size_t i = 0; i < filler->stored && status == OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "c%06zu", i);
        AUTO_JSON document =
            json_pack("{s:s,s:s,s:{s:[s]}}", "name", name, "iClient", "p0", "allow", "users", "nobody");
        status = document ? catalog_add_connection(catalog, document, "", faults) : ERR_NO_MEMORY;
    }
    return status;
}

static enum status add_none(void *context, struct catalog *catalog, struct fault_list *faults)
{
    (void)context, (void)catalog, (void)faults;
    return OK;
}

static enum status load_catalog(struct filler *filler, const char *presets, struct catalog **ret_catalog,
                                struct error *ret_error)
{
    char iclients[PATH_SIZE];
    char connections[PATH_SIZE];
    struct identity_resolver identities = identity_lookup_resolver();
    struct catalog_options options = {.iclient = {.allow_loopback_http = true}, .resolve_ids = &identities};
    struct catalog_directories directories = {
        .presets = presets,
        .iclients = path_in(filler->folder, "iclients.d", iclients),
        .connections = path_in(filler->folder, "connections.d", connections),
        .beside = &(struct catalog_source){add_none, add_stored, filler},
    };
    AUTO(fault_list) faults = fault_list_create();
    AUTO(catalog) catalog = catalog_create(&options);
    enum status status = faults && catalog ? file_load_catalog(&directories, catalog, faults) : ERR_NO_MEMORY;
    if (status != OK)
        return error_set(ret_error, status, "%s has faults; see iclientd --check", filler->folder);
    *ret_catalog = TAKE(catalog);
    return OK;
}

static enum status fill(struct filler *filler, const char *presets, struct error *ret_error)
{
    AUTO(catalog) catalog = NULL;
    enum status status = open_broker(filler, ret_error);
    if (status == OK)
        status = load_catalog(filler, presets, &catalog, ret_error);
    if (status == OK)
        status = broker_apply_catalog(filler->broker, TAKE(catalog), ret_error);
    if (status != OK)
        return status;
    write_some(filler);
    return event_loop_run(filler->loop, ret_error);
}

int main(int argc, char **argv)
{
    struct filler filler = {0};
    struct error error = {0};
    if (argc == 7) {
        filler.folder = argv[1];
        filler.access_length = strtoul(argv[3], NULL, 10);
        filler.refresh_length = strtoul(argv[4], NULL, 10);
        filler.expires_in = strtoll(argv[5], NULL, 10);
        filler.stored = strtoul(argv[6], NULL, 10);
    }
    if (filler.access_length < 1 || filler.access_length > TOKEN_MAX || filler.refresh_length > TOKEN_MAX) {
        fputs("usage: fill_store FOLDER PRESET_FOLDER ACCESS_BYTES REFRESH_BYTES EXPIRES_IN STORED\n", stderr);
        return 2;
    }
    log_set_level(LOG_LEVEL_WARNING);
    umask(077);
    enum status status = fill(&filler, argv[2], &error);
    if (status == OK)
        status = filler.status;
    if (status != OK)
        fprintf(stderr, "fill_store: %s\n", error.message);
    filler_finish(&filler);
    return status == OK && filler.written > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
