#include "io/store/store_crypto.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

enum { HEADER = 1 + 8 + 12, TAG = 16, SEALED_LIMIT = 2 * 1024 * 1024 };

static struct secret *key_of(char fill)
{
    char bytes[STORE_KEY_BYTES];
    memset(bytes, fill, sizeof bytes);
    return secret_create(bytes, sizeof bytes);
}

static struct store_crypto *crypto_of(char fill)
{
    AUTO(secret) key = key_of(fill);
    struct store_crypto *crypto = NULL;
    cr_assert_eq(store_crypto_create(key, &crypto, NULL), OK);
    return crypto;
}

static void seal_text(const struct store_crypto *crypto, const char *text, struct text_buffer *sealed)
{
    text_buffer_init(sealed, SEALED_LIMIT);
    AUTO(secret) value = secret_from_text(text);
    cr_assert_eq(store_crypto_seal(crypto, "tokens", "default/crm", "value", value, sealed, NULL), OK);
}

static enum status open_sealed(const struct store_crypto *crypto, const struct text_buffer *sealed,
                               struct error *ret_error)
{
    AUTO(secret) value = NULL;
    enum status status =
        store_crypto_open(crypto, "tokens", "default/crm", "value", sealed->data, sealed->length, &value, ret_error);
    cr_assert_eq(value != NULL, status == OK);
    return status;
}

Test(store_crypto, opens_what_it_sealed)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    AUTO_FINISH(text_buffer) sealed;
    seal_text(crypto, "refresh-token", &sealed);
    cr_assert_eq(sealed.length, HEADER + strlen("refresh-token") + TAG);
    cr_assert_null(memmem(sealed.data, sealed.length, "refresh", 7));

    AUTO(secret) value = NULL;
    cr_assert_eq(store_crypto_open(crypto, "tokens", "default/crm", "value", sealed.data, sealed.length, &value, NULL),
                 OK);
    cr_assert_str_eq(secret_reveal(value), "refresh-token");
}

Test(store_crypto, seals_empty_and_largest_values)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    static char large[SECRET_MAX];
    memset(large, 'x', sizeof large);
    size_t lengths[] = {0, SECRET_MAX};
    for (size_t i = 0; i < 2; i++) {
        AUTO_FINISH(text_buffer) sealed;
        text_buffer_init(&sealed, SEALED_LIMIT);
        AUTO(secret) value = secret_create(large, lengths[i]);
        AUTO(secret) opened = NULL;
        cr_assert_eq(store_crypto_seal(crypto, "t", "r", "c", value, &sealed, NULL), OK);
        cr_assert_eq(store_crypto_open(crypto, "t", "r", "c", sealed.data, sealed.length, &opened, NULL), OK);
        cr_assert(secret_equal(value, opened));
    }
}

Test(store_crypto, same_value_seals_differently_each_time)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    AUTO_FINISH(text_buffer) first;
    AUTO_FINISH(text_buffer) second;
    seal_text(crypto, "same", &first);
    seal_text(crypto, "same", &second);
    cr_assert_neq(memcmp(first.data, second.data, first.length), 0);
}

Test(store_crypto, sealed_value_opens_only_in_its_place)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    AUTO_FINISH(text_buffer) sealed;
    seal_text(crypto, "token", &sealed);
    static const char *const places[][3] = {
        {"states", "default/crm", "value"}, {"tokens", "default/erp", "value"}, {"tokens", "default/crm", "other"},
        {"token", "sdefault/crm", "value"}, {"tokens", "default/crmv", "alue"},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        AUTO(secret) value = NULL;
        struct error error;
        cr_assert_eq(store_crypto_open(crypto, places[i][0], places[i][1], places[i][2], sealed.data, sealed.length,
                                       &value, &error),
                     ERR_CRYPTO, "place %zu", i);
        cr_assert_null(value);
    }
}

Test(store_crypto, any_changed_byte_is_noticed)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    AUTO_FINISH(text_buffer) sealed;
    seal_text(crypto, "token", &sealed);
    for (size_t i = 0; i < sealed.length; i++) {
        sealed.data[i] ^= 1;
        struct error error;
        cr_assert_eq(open_sealed(crypto, &sealed, &error), i == 0 ? ERR_CORRUPT : ERR_CRYPTO, "byte %zu", i);
        sealed.data[i] ^= 1;
    }
    cr_assert_eq(open_sealed(crypto, &sealed, NULL), OK);
}

Test(store_crypto, any_shorter_value_is_refused)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    AUTO_FINISH(text_buffer) sealed;
    seal_text(crypto, "token", &sealed);
    while (sealed.length > 0) {
        text_buffer_truncate(&sealed, sealed.length - 1);
        struct error error;
        cr_assert_eq(open_sealed(crypto, &sealed, &error), sealed.length < HEADER + TAG ? ERR_CORRUPT : ERR_CRYPTO);
    }
}

Test(store_crypto, wrong_key_names_both_key_ids)
{
    AUTO(store_crypto) ours = crypto_of('a');
    AUTO(store_crypto) other = crypto_of('b');
    AUTO_FINISH(text_buffer) sealed;
    seal_text(other, "token", &sealed);
    struct error error;
    cr_assert_eq(open_sealed(ours, &sealed, &error), ERR_CRYPTO);
    char id[STORE_KEY_ID_TEXT_SIZE];
    store_crypto_key_id(ours, id);
    cr_assert_not_null(strstr(error.message, id));
    store_crypto_key_id(other, id);
    cr_assert_not_null(strstr(error.message, id));
}

Test(store_crypto, old_key_opens_and_new_key_seals)
{
    AUTO(store_crypto) old = crypto_of('a');
    AUTO(store_crypto) both = crypto_of('b');
    AUTO(store_crypto) new = crypto_of('b');
    AUTO(secret) old_key = key_of('a');
    AUTO_FINISH(text_buffer) sealed;
    seal_text(old, "token", &sealed);
    cr_assert_eq(open_sealed(both, &sealed, NULL), ERR_CRYPTO);
    cr_assert_eq(store_crypto_add_old_key(both, old_key, NULL), OK);
    cr_assert_eq(open_sealed(both, &sealed, NULL), OK);

    AUTO_FINISH(text_buffer) again;
    seal_text(both, "token", &again);
    cr_assert_eq(open_sealed(new, &again, NULL), OK);
    cr_assert_eq(open_sealed(old, &again, NULL), ERR_CRYPTO);
}

Test(store_crypto, key_of_wrong_length_is_refused)
{
    AUTO(secret) key = secret_create("0123456789012345678901234567890", STORE_KEY_BYTES - 1);
    struct store_crypto *crypto = NULL;
    cr_assert_eq(store_crypto_create(key, &crypto, NULL), ERR_INVALID);
    cr_assert_null(crypto);
}

Test(store_crypto, too_many_old_keys_are_refused)
{
    AUTO(store_crypto) crypto = crypto_of(0);
    enum status status = OK;
    int added = 0;
    for (char fill = 1; fill < 100 && status == OK; fill++) {
        AUTO(secret) key = key_of(fill);
        status = store_crypto_add_old_key(crypto, key, NULL);
        added += status == OK;
    }
    cr_assert_eq(status, ERR_TOO_LARGE);
    cr_assert_eq(added, 8);
}

/* SHA-256("iclientd key id" || 32 zero bytes), made with another tool. */
Test(store_crypto, key_id_is_the_documented_digest)
{
    AUTO(store_crypto) crypto = crypto_of(0);
    char id[STORE_KEY_ID_TEXT_SIZE];
    store_crypto_key_id(crypto, id);
    cr_assert_str_eq(id, "a69e48897c94627e");
}

static void *seal_and_open(void *argument)
{
    const struct store_crypto *crypto = argument;
    AUTO_FINISH(text_buffer) sealed;
    text_buffer_init(&sealed, SEALED_LIMIT);
    for (int i = 0; i < 1000; i++) {
        AUTO(secret) value = secret_from_text("token");
        AUTO(secret) opened = NULL;
        text_buffer_clear(&sealed);
        if (store_crypto_seal(crypto, "t", "r", "c", value, &sealed, NULL) != OK ||
            store_crypto_open(crypto, "t", "r", "c", sealed.data, sealed.length, &opened, NULL) != OK)
            return "failed";
    }
    return NULL;
}

Test(store_crypto, threads_share_it)
{
    AUTO(store_crypto) crypto = crypto_of('k');
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, seal_and_open, crypto), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failure = NULL;
        pthread_join(threads[i], &failure);
        cr_assert_null(failure);
    }
}
