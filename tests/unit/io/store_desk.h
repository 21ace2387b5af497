#ifndef TEST_STORE_DESK_H
#define TEST_STORE_DESK_H

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <string.h>

#include "io/store/store_sqlite.h"
#include "io/temporary_folder.h"

enum { PATIENCE_MS = 60000 };

/* ---- a store and one who waits for it ---- */

struct desk {
    struct event_loop *loop;
    struct store_crypto *crypto;
    struct store *store;
};

struct reply {
    struct event_loop *loop;
    int wanted; /* calls of done before the loop stops */
    int done;
    int rows;
    int rows_wanted; /* 0: all */
    enum status status;
    char message[ERROR_MESSAGE_MAX];
    char text[1024]; /* "key=value " of each row, as far as it fits */
};

static inline void give_up(void *context)
{
    (void)context;
    cr_assert_fail("no answer");
}

static inline void wait_for(struct desk *desk, struct reply *reply)
{
    AUTO(loop_timer) timer = loop_timer_create(desk->loop, give_up, NULL);
    loop_timer_start(timer, PATIENCE_MS);
    while (reply->done < reply->wanted)
        cr_assert_eq(event_loop_run(desk->loop, NULL), OK);
}

static inline void on_done(void *context, enum status status, const struct error *error)
{
    struct reply *reply = context;
    reply->done++;
    if (status != OK) {
        reply->status = status;
        strcpy(reply->message, error->message);
    }
    if (reply->done == reply->wanted)
        event_loop_stop(reply->loop);
}

static inline bool on_row(void *context, const char *key, const struct secret *value)
{
    struct reply *reply = context;
    size_t length = strlen(reply->text);
    snprintf(reply->text + length, sizeof reply->text - length, "%s=%s ", key, secret_reveal(value));
    reply->rows++;
    return reply->rows != reply->rows_wanted;
}

static inline struct secret *key_of(char fill)
{
    char bytes[STORE_KEY_BYTES];
    memset(bytes, fill, sizeof bytes);
    return secret_create(bytes, sizeof bytes);
}

static inline struct store_crypto *crypto_of(char fill)
{
    AUTO(secret) key = key_of(fill);
    struct store_crypto *crypto = NULL;
    cr_assert_eq(store_crypto_create(key, &crypto, NULL), OK);
    return crypto;
}

static inline enum status desk_try_open(struct desk *desk, const char *path, char key, struct error *ret_error)
{
    *desk = (struct desk){.crypto = crypto_of(key)};
    cr_assert_eq(event_loop_create(&desk->loop, NULL), OK);
    return store_sqlite_create(desk->loop, path, desk->crypto, &desk->store, ret_error);
}

static inline void desk_finish(struct desk *desk)
{
    store_destroy(desk->store);
    event_loop_destroy(desk->loop);
    store_crypto_destroy(desk->crypto);
    *desk = (struct desk){0};
}

#define DESK(name) __attribute__((cleanup(desk_finish))) struct desk name = {0}

static inline void desk_open(struct desk *desk, const char *path)
{
    struct error error = {0};
    cr_assert_eq(desk_try_open(desk, path, 'k', &error), OK, "%s", error.message);
}

static inline enum status refused(const char *path, char key, struct error *ret_error)
{
    DESK(desk);
    enum status status = desk_try_open(&desk, path, key, ret_error);
    cr_assert_neq(status, OK);
    cr_assert_null(desk.store);
    cr_assert_not_null(strstr(ret_error->message, path), "%s", ret_error->message);
    return status;
}

static inline struct reply write_changes(struct desk *desk, const struct store_change *changes, size_t count)
{
    struct reply reply = {.loop = desk->loop, .wanted = 1};
    desk->store->operations->write(desk->store, changes, count, on_done, &reply);
    wait_for(desk, &reply);
    return reply;
}

static inline struct reply put(struct desk *desk, enum store_table table, const char *key, const char *text)
{
    AUTO(secret) value = text ? secret_from_text(text) : NULL;
    struct store_change change = {table, key, value};
    return write_changes(desk, &change, 1);
}

static inline struct reply read_table(struct desk *desk, enum store_table table)
{
    struct reply reply = {.loop = desk->loop, .wanted = 1};
    desk->store->operations->read_all(desk->store, table, on_row, on_done, &reply);
    wait_for(desk, &reply);
    return reply;
}

static inline struct reply check(struct desk *desk)
{
    struct reply reply = {.loop = desk->loop, .wanted = 1};
    desk->store->operations->check(desk->store, on_done, &reply);
    wait_for(desk, &reply);
    return reply;
}

/* What an attacker or a fault does to the file behind our back. */
static inline void tamper(const char *path, const char *sql)
{
    sqlite3 *handle = NULL;
    cr_assert_eq(sqlite3_open(path, &handle), SQLITE_OK);
    char *message = NULL;
    cr_assert_eq(sqlite3_exec(handle, sql, NULL, NULL, &message), SQLITE_OK, "%s", message);
    sqlite3_close(handle);
}

#endif
