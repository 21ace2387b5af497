#include "io/store/store_rekey.h"

#include "base/clock.h"
#include "base/random.h"
#include "io/store/store_crypto_keys.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 30 * 1000 };

static void start_counting(struct store_rekey *rekey)
{
    rekey->stage = REKEY_COUNT;
    rekey->place = (struct store_place){.row = INT64_MIN};
    rekey->values_left = 0;
    rekey->old_unused = false;
}

static void start_walk(struct store_rekey *rekey)
{
    rekey->stage = REKEY_WALK;
    rekey->place = (struct store_place){.row = INT64_MIN};
    rekey->sealed_in_walk = 0;
}

static void go_on_now(struct store_rekey *rekey)
{
    rekey->failures = 0;
    rekey->due = 0;
}

void store_rekey_init(struct store_rekey *rekey, struct store_database *database)
{
    *rekey = (struct store_rekey){.database = database, .crypto = store_database_crypto(database)};
    if (store_crypto_key_count(rekey->crypto) > 1)
        start_counting(rekey);
}

/* ---- begin ---- */

static enum status make_key(struct secret **ret_key, struct error *ret_error)
{
    unsigned char bytes[STORE_KEY_BYTES];
    if (random_bytes(bytes, sizeof bytes) != OK)
        return error_set(ret_error, ERR_CRYPTO, "no random bytes to make a key from");
    *ret_key = secret_create(bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    return *ret_key ? OK : error_set(ret_error, ERR_NO_MEMORY, "a new key");
}

enum status store_rekey_begin(struct store_rekey *rekey, struct error *ret_error)
{
    go_on_now(rekey);
    if (rekey->old_unused && !store_crypto_key_is_credential(rekey->crypto))
        rekey->stage = REKEY_END;
    if (rekey->stage != REKEY_REST || rekey->old_unused)
        return OK;
    AUTO(secret) key = NULL;
    enum status status = make_key(&key, ret_error);
    if (status == OK)
        status = store_crypto_add_new_key(rekey->crypto, key, ret_error);
    if (status != OK)
        return status;
    /* On disk before anything is sealed with it. */
    status = store_key_save(rekey->crypto, store_crypto_key_count(rekey->crypto), ret_error);
    if (status != OK) {
        store_crypto_drop_new_key(rekey->crypto);
        return status;
    }
    start_counting(rekey);
    return OK;
}

/* ---- steps ---- */

static enum status count_table(struct store_rekey *rekey, struct error *ret_error)
{
    size_t count = 0;
    enum status status = store_database_count(rekey->database, rekey->place.table, &count, ret_error);
    if (status != OK)
        return status;
    rekey->values_left += count;
    rekey->place.table++;
    if (rekey->place.table == STORE_TABLE_COUNT)
        start_walk(rekey);
    return OK;
}

/* The canary goes first: from then on a start with the old key alone is refused with the new one's id. */
static enum status reseal(struct store_rekey *rekey, struct store_place *place, struct store_resealed *ret_resealed,
                          struct error *ret_error)
{
    bool is_first = place->table == 0 && place->row == INT64_MIN;
    bool canary_sealed = false;
    enum status status = store_database_begin(rekey->database, ret_error);
    if (status == OK && is_first)
        status = store_database_reseal_canary(rekey->database, &canary_sealed, ret_error);
    if (status == OK)
        status = store_database_reseal(rekey->database, place, ret_resealed, ret_error);
    if (status == OK)
        status = store_database_commit(rekey->database, ret_error);
    if (status != OK)
        store_database_rollback(rekey->database);
    ret_resealed->sealed += canary_sealed;
    return status;
}

/* Rows that come meanwhile are sealed with the current key, so one walk does; a second one proves it before the end. */
static void end_walk(struct store_rekey *rekey)
{
    rekey->values_left = 0;
    if (rekey->sealed_in_walk > 0)
        start_walk(rekey);
    else
        rekey->stage = REKEY_END;
}

static enum status walk(struct store_rekey *rekey, struct error *ret_error)
{
    struct store_place place = rekey->place;
    struct store_resealed resealed = {0};
    enum status status = reseal(rekey, &place, &resealed, ret_error);
    if (status != OK)
        return status;
    rekey->place = place;
    rekey->sealed_in_walk += resealed.sealed;
    rekey->values_left -= resealed.seen < rekey->values_left ? resealed.seen : rekey->values_left;
    if (!resealed.at_end)
        return OK;
    rekey->place = (struct store_place){.table = place.table + 1, .row = INT64_MIN};
    if (rekey->place.table == STORE_TABLE_COUNT)
        end_walk(rekey);
    return OK;
}

static enum status give_up_old_keys(struct store_rekey *rekey, struct error *ret_error)
{
    enum status status = store_database_empty_log(rekey->database, ret_error);
    if (status == OK && store_crypto_key_file(rekey->crypto))
        status = store_key_save(rekey->crypto, 1, ret_error);
    if (status == OK)
        store_crypto_drop_old_keys(rekey->crypto);
    if (status == OK || status == ERR_DENIED)
        rekey->stage = REKEY_REST;
    rekey->old_unused = status == ERR_DENIED;
    /* Nobody expects it to write there. */
    return store_crypto_key_is_credential(rekey->crypto) && status == ERR_DENIED ? OK : status;
}

static enum status make_step(struct store_rekey *rekey, struct error *ret_error)
{
    switch (rekey->stage) {
    case REKEY_COUNT:
        return count_table(rekey, ret_error);
    case REKEY_WALK:
        return walk(rekey, ret_error);
    case REKEY_END:
        return give_up_old_keys(rekey, ret_error);
    case REKEY_REST:
        break;
    }
    return OK;
}

void store_rekey_step(struct store_rekey *rekey)
{
    struct error error = {0};
    if (make_step(rekey, &error) == OK) {
        rekey->trouble = (struct error){0};
        go_on_now(rekey);
        return;
    }
    int64_t delay = (int64_t)RETRY_FIRST_MS << (rekey->failures < 5 ? rekey->failures : 5);
    rekey->failures++;
    rekey->due = clock_boot_ms() + (delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS);
    rekey->trouble = error;
}

int64_t store_rekey_delay(const struct store_rekey *rekey)
{
    if (rekey->stage == REKEY_REST)
        return -1;
    int64_t delay = rekey->due > 0 ? rekey->due - clock_boot_ms() : 0;
    return delay > 0 ? delay : 0;
}

/* ---- state ---- */

void store_rekey_state(const struct store_rekey *rekey, struct store_key_state *ret_state)
{
    const struct store_crypto *crypto = rekey->crypto;
    bool is_at_rest = rekey->stage == REKEY_REST;
    *ret_state = (struct store_key_state){
        .phase = !is_at_rest         ? STORE_KEY_RESEALING
                 : rekey->old_unused ? STORE_KEY_OLD_UNUSED
                                     : STORE_KEY_SETTLED,
        .is_counted = rekey->stage != REKEY_COUNT,
        .values_left = rekey->values_left,
        .old_key_count = store_crypto_key_count(crypto) - 1,
        .trouble = rekey->trouble,
        .key_file = store_crypto_key_file(crypto),
        .is_credential = store_crypto_key_is_credential(crypto),
    };
    store_crypto_key_id(crypto, ret_state->key_id);
    for (size_t i = 0; i < ret_state->old_key_count; i++)
        store_crypto_key_id_at(crypto, i + 1, ret_state->old_key_ids[i]);
}
