#include "key_log.h"

#include "base/log/log.h"
#include "io/store/store_sqlite.h"

static void on_change(void *context, const struct store_key_state *state)
{
    (void)context;
    if (state->trouble.status != OK) {
        log_error("store key: %s; the old key still reads%s", state->trouble.message,
                  state->phase == STORE_KEY_RESEALING ? ", and it is tried again" : "");
        return;
    }
    switch (state->phase) {
    case STORE_KEY_RESEALING:
        log_notice("store key: values are sealed anew with the key %s; the old key still reads", state->key_id);
        break;
    case STORE_KEY_OLD_UNUSED:
        log_notice("store key: every value is sealed with the key %s; take the old key out of %s", state->key_id,
                   state->is_credential ? "the credential" : state->key_file);
        break;
    case STORE_KEY_SETTLED:
        log_notice("store key: every value is sealed with the key %s, and the old key is gone", state->key_id);
        break;
    }
}

void key_log_start(struct store *store)
{
    struct store_key_state state;
    store->operations->key_state(store, &state);
    if (state.phase != STORE_KEY_SETTLED)
        on_change(NULL, &state);
    store_sqlite_on_key_change(store, on_change, NULL);
}
