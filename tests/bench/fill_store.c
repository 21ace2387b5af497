/*
 * Gives every connection of a configuration a token pair in the daemon's store, sealed and written by the daemon's own
 * code, so that a start with very many of them can be measured. The daemon must not run.
 *
 * usage: fill_store CONFIG_FILE ACCESS_BYTES REFRESH_BYTES EXPIRES_IN
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/broker_state.h"
#include "broker/token_entry_state.h"
#include "broker/token_record.h"
#include "iclientd/configuration.h"
#include "iclientd/directories.h"
#include "io/event_loop.h"
#include "io/store_crypto.h"
#include "io/store_sqlite.h"

enum { STORE_PATH_MAX = 4096, TOKEN_MAX = 16 * 1024, WRITES_AT_ONCE = 4096 };

struct filler {
    struct config *config;
    struct event_loop *loop;
    struct store_crypto *crypto;
    struct store *store;
    struct metrics metrics;
    struct broker *broker;
    size_t access_length;
    size_t refresh_length;
    int64_t expires_in;
    size_t next;    /* connection */
    size_t written;
    enum status status;
};

static void filler_finish(struct filler *filler)
{
    broker_destroy(filler->broker);
    store_destroy(filler->store);
    store_crypto_destroy(filler->crypto);
    event_loop_destroy(filler->loop);
    config_destroy(filler->config);
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
        token_record_write(entry, RECORD_TOKENS | RECORD_STATE, tokens, connection_fingerprint(connection), on_written,
                           filler);
    }
}

static enum status open_broker(struct filler *filler, struct catalog *take_catalog, struct error *ret_error)
{
    AUTO(catalog) catalog = take_catalog;
    AUTO(secret) key = NULL;
    char path[STORE_PATH_MAX];
    snprintf(path, sizeof path, "%s/store.sqlite3", filler->config->state_dir);
    struct broker_options options = {.max_waiters = 1, .redirect_base_uri = filler->config->redirect.base_uri};
    enum status status;
    if ((status = directories_prepare(filler->config, ret_error)) != OK ||
        (status = event_loop_create(&filler->loop, ret_error)) != OK ||
        (status = store_key_load(filler->config->key_file, access(path, F_OK) != 0, &key, ret_error)) != OK ||
        (status = store_crypto_create(key, &filler->crypto, ret_error)) != OK ||
        (status = store_sqlite_create(filler->loop, path, filler->crypto, &filler->store, ret_error)) != OK ||
        (status = broker_create(filler->loop, NULL, filler->store, &filler->metrics, &options, &filler->broker,
                                ret_error)) != OK)
        return status;
    return broker_apply_catalog(filler->broker, TAKE(catalog), ret_error);
}

static enum status fill(struct filler *filler, const char *config_file, struct error *ret_error)
{
    AUTO(fault_list) faults = fault_list_create();
    AUTO(catalog) catalog = NULL;
    enum status status = configuration_load(config_file, faults, &filler->config, &catalog);
    if (status != OK)
        return error_set(ret_error, status, "%s has faults; see iclientd --check", config_file);
    status = open_broker(filler, TAKE(catalog), ret_error);
    if (status != OK)
        return status;
    write_some(filler);
    return event_loop_run(filler->loop, ret_error);
}

int main(int argc, char **argv)
{
    struct filler filler = {0};
    struct error error = {0};
    if (argc == 5) {
        filler.access_length = strtoul(argv[2], NULL, 10);
        filler.refresh_length = strtoul(argv[3], NULL, 10);
        filler.expires_in = strtoll(argv[4], NULL, 10);
    }
    if (filler.access_length < 1 || filler.access_length > TOKEN_MAX || filler.refresh_length > TOKEN_MAX) {
        fputs("usage: fill_store CONFIG_FILE ACCESS_BYTES REFRESH_BYTES EXPIRES_IN\n", stderr);
        return 2;
    }
    log_set_level(LOG_LEVEL_WARNING);
    umask(077);
    filler.status = fill(&filler, argv[1], &error);
    if (filler.status != OK)
        fprintf(stderr, "fill_store: %s\n", error.message);
    bool is_done = filler.status == OK && filler.written > 0;
    filler_finish(&filler);
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
