/* Any bytes: nothing opens but what was sealed, where it was sealed. */
#include "fuzz.h"
#include "io/store/store_crypto.h"

static struct secret *open_sealed(const struct store_crypto *crypto, const char *row, const void *sealed, size_t length)
{
    struct secret *value = NULL;
    struct error error = {0};
    enum status status = store_crypto_open(crypto, "tokens", row, "value", sealed, length, &value, &error);
    REQUIRE((status == OK) == (value != NULL) && (status == OK) == (error.message[0] == '\0'), "half a result");
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store_crypto *crypto;
    if (!crypto) {
        AUTO(secret) key = secret_from_text("0123456789abcdef0123456789abcdef");
        REQUIRE(store_crypto_create(key, &crypto, NULL) == OK, "no crypto");
    }
    size_t length;
    AUTO_TEXT bytes = fuzz_bytes(data, size, 0, &length);
    AUTO(secret) raw = open_sealed(crypto, "default/crm", bytes, length);
    REQUIRE(!raw, "what was never sealed opens");
    store_crypto_is_current(crypto, bytes, length);
    AUTO(secret) value = secret_create(bytes, length);
    AUTO_FINISH(text_buffer) sealed;
    text_buffer_init(&sealed, 2 * SECRET_MAX);
    if (!value)
        return 0;
    REQUIRE(store_crypto_seal(crypto, "tokens", "default/crm", "value", value, &sealed, NULL) == OK, "not sealed");
    REQUIRE(store_crypto_is_current(crypto, sealed.data, sealed.length), "sealed with another key");
    AUTO(secret) opened = open_sealed(crypto, "default/crm", sealed.data, sealed.length);
    REQUIRE(secret_equal(opened, value), "opens as something else");
    AUTO(secret) moved = open_sealed(crypto, "default/other", sealed.data, sealed.length);
    AUTO(secret) cut = open_sealed(crypto, "default/crm", sealed.data, sealed.length - 1);
    size_t at = (size > 1 ? data[0] * 256u + data[1] : 0) % sealed.length;
    sealed.data[at] = (char)(sealed.data[at] ^ (1 << (size % 8)));
    AUTO(secret) changed = open_sealed(crypto, "default/crm", sealed.data, sealed.length);
    REQUIRE(!moved && !cut && !changed, "opens although it was moved, cut or changed");
    return 0;
}
