#ifndef IO_STORE_STORE_H
#define IO_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "io/store/store_crypto.h"

/*
 * The durable memory: tables of (key, value), values secret. A vtable, because a networked backend is to stand beside
 * SQLite; for the same reason every operation ends in a callback on the loop's thread, never inside the call (but when
 * there is no memory to remember the call: then at once with ERR_NO_MEMORY). error is NULL when status is OK.
 */
enum store_table {
    STORE_TOKENS,   /* key: tenant "/" connection; value: token_set_serialise() */
    STORE_STATES,   /* the same key; value: the connection's state as JSON */
    STORE_JOURNAL,  /* the same key; value: refresh_started as JSON: present while a single-use token may be on its way
                     */
    STORE_ICLIENTS, /* key: _id; value: the document as JSON, secrets included */
    STORE_CONNECTIONS, /* key: tenant "/" name; value: the document as JSON */
    STORE_TABLE_COUNT
};

enum { STORE_KEY_MAX = 512, STORE_VALUE_MAX = 1024 * 1024 };

/* One change; value NULL deletes. The texts and values are copied or held by the call. */
struct store_change {
    enum store_table table;
    const char *key;
    const struct secret *value;
};

typedef void store_done(void *context, enum status status, const struct error *error);
/* One row of store_read_all(); borrowed for the call. False stops the reading (the done callback then gets
 * ERR_CANCELLED). */
typedef bool store_row(void *context, const char *key, const struct secret *value);

/* How far a change of the key has come. */
enum store_key_phase {
    STORE_KEY_SETTLED,    /* one key, and every value is sealed with it */
    STORE_KEY_RESEALING,  /* values of old keys are sealed anew */
    STORE_KEY_OLD_UNUSED, /* no value needs an old key any more; they stand where the daemon cannot take them out */
};

struct store_key_state {
    enum store_key_phase phase;
    char key_id[STORE_KEY_ID_TEXT_SIZE]; /* new values are sealed with this one */
    char old_key_ids[STORE_OLD_KEYS_MAX][STORE_KEY_ID_TEXT_SIZE];
    size_t old_key_count;
    bool is_counted;
    size_t values_left;   /* once counted: not looked at yet, so at most so many have an old key */
    struct error trouble; /* why it does not go on for now; status OK: it does. It is tried again by itself */
    const char *key_file; /* NULL: none. Lives as long as the store */
    bool is_credential;
};

struct store {
    const struct store_operations *operations;
};

struct store_operations {
    /* Each row of a table, then done. A row that cannot be decrypted or parsed ends it with ERR_CRYPTO or ERR_CORRUPT
     * naming table and key. */
    void (*read_all)(struct store *store, enum store_table table, store_row *row, store_done *done, void *context);
    /*
     * Writes all changes in one transaction, durable when done says OK. Changes of one caller are applied in the order
     * of the calls; calls that gather while a commit runs share the next one. done may be NULL. ERR_BUSY when too much
     * is queued; ERR_TOO_LARGE beyond STORE_KEY_MAX, STORE_VALUE_MAX; ERR_IO (disk full, read-only, busy),
     * ERR_NO_MEMORY: then none of the changes happened, and the caller retries.
     */
    void (*write)(struct store *store, const struct store_change *changes, size_t count, store_done *done,
                  void *context);
    /* Answers through done whether the backend can be read and written now (readyz). */
    void (*check)(struct store *store, store_done *done, void *context);
    /*
     * Makes a new key, durable when done says OK; from then on every value is sealed with it, and those of the old key
     * are sealed anew, between other work, also after a restart. Where that is under way already it goes on at once,
     * and no third key is made. ERR_DENIED: the key stands where the daemon cannot write; ERR_IO (disk full): then
     * nothing has changed.
     */
    void (*rekey)(struct store *store, store_done *done, void *context);
    /* As it was at the latest step; never waits. */
    void (*key_state)(struct store *store, struct store_key_state *ret_state);
    /* Waits until everything queued is written, then closes. Callbacks that had not run are dropped. Not from a
     * callback. */
    void (*destroy)(struct store *store);
};

static inline void store_destroy(struct store *store)
{
    if (store)
        store->operations->destroy(store);
}
AUTO_DEFINE(store);

#endif
