#include "io/store/store_crypto_keys.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { SEALED_VERSION = 1, KEY_ID_BYTES = 8, NONCE_BYTES = 12, TAG_BYTES = 16, KEYS_MAX = 1 + STORE_OLD_KEYS_MAX };
enum { HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES };
static const char KEY_ID_LABEL[] = "iclientd key id";

struct store_key {
    unsigned char id[KEY_ID_BYTES];
    struct secret *bytes;
};

/* keys[0] is the current one: it seals. All of them open. */
struct store_crypto {
    EVP_CIPHER *cipher;
    size_t key_count;
    struct store_key keys[KEYS_MAX];
    char *key_file; /* NULL: in no file */
    bool is_credential;
};

/* What a value is bound to: the place where it stands and the key that sealed it. */
struct seal_place {
    const char *table;
    const char *row;
    const char *column;
    const struct store_key *key;
};

static bool make_key_id(const struct secret *key, unsigned char ret_id[KEY_ID_BYTES])
{
    unsigned char labelled[sizeof KEY_ID_LABEL - 1 + STORE_KEY_BYTES];
    unsigned char digest[SHA256_DIGEST_LENGTH];
    memcpy(labelled, KEY_ID_LABEL, sizeof KEY_ID_LABEL - 1);
    memcpy(labelled + sizeof KEY_ID_LABEL - 1, secret_reveal(key), STORE_KEY_BYTES);
    int digested = EVP_Digest(labelled, sizeof labelled, digest, NULL, EVP_sha256(), NULL);
    secret_wipe(labelled, sizeof labelled);
    if (digested != 1)
        return false;
    memcpy(ret_id, digest, KEY_ID_BYTES);
    return true;
}

static const struct store_key *find_key(const struct store_crypto *crypto, const unsigned char id[KEY_ID_BYTES])
{
    for (size_t i = 0; i < crypto->key_count; i++) {
        if (memcmp(crypto->keys[i].id, id, KEY_ID_BYTES) == 0)
            return &crypto->keys[i];
    }
    return NULL;
}

/* at: its place among the keys; those from there on move back. */
static enum status add_key(struct store_crypto *crypto, const struct secret *key, size_t at, struct error *ret_error)
{
    unsigned char id[KEY_ID_BYTES];
    if (secret_length(key) != STORE_KEY_BYTES)
        return error_set(ret_error, ERR_INVALID, "the store's key must have %d bytes", STORE_KEY_BYTES);
    if (!make_key_id(key, id))
        return error_set(ret_error, ERR_CRYPTO, "SHA-256 is not available");
    if (find_key(crypto, id))
        return OK;
    if (crypto->key_count == KEYS_MAX)
        return error_set(ret_error, ERR_TOO_LARGE, "more than %d old keys", STORE_OLD_KEYS_MAX);

    struct store_key *added = &crypto->keys[at];
    memmove(added + 1, added, (crypto->key_count - at) * sizeof *added);
    crypto->key_count++;
    memcpy(added->id, id, KEY_ID_BYTES);
    added->bytes = secret_hold(key);
    return OK;
}

enum status store_crypto_create(const struct secret *key, struct store_crypto **ret_crypto, struct error *ret_error)
{
    AUTO(store_crypto) crypto = calloc(1, sizeof *crypto);
    if (!crypto)
        return error_set(ret_error, ERR_NO_MEMORY, "store encryption");
    /* Fetched once: EVP_aes_256_gcm() would look the implementation up for each value. */
    crypto->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (!crypto->cipher)
        return error_set(ret_error, ERR_CRYPTO, "AES-256-GCM is not available");
    enum status status = add_key(crypto, key, 0, ret_error);
    if (status != OK)
        return status;
    *ret_crypto = TAKE(crypto);
    return OK;
}

void store_crypto_destroy(struct store_crypto *crypto)
{
    if (!crypto)
        return;
    for (size_t i = 0; i < crypto->key_count; i++)
        secret_destroy(crypto->keys[i].bytes);
    EVP_CIPHER_free(crypto->cipher);
    free(crypto->key_file);
    free(crypto);
}

enum status store_crypto_add_old_key(struct store_crypto *crypto, const struct secret *key, struct error *ret_error)
{
    return add_key(crypto, key, crypto->key_count, ret_error);
}

/* ---- another current key ---- */

enum status store_crypto_add_new_key(struct store_crypto *crypto, const struct secret *key, struct error *ret_error)
{
    return add_key(crypto, key, 0, ret_error);
}

void store_crypto_drop_new_key(struct store_crypto *crypto)
{
    secret_destroy(crypto->keys[0].bytes);
    crypto->key_count--;
    memmove(crypto->keys, crypto->keys + 1, crypto->key_count * sizeof *crypto->keys);
}

void store_crypto_drop_old_keys(struct store_crypto *crypto)
{
    while (crypto->key_count > 1)
        secret_destroy(crypto->keys[--crypto->key_count].bytes);
}

size_t store_crypto_key_count(const struct store_crypto *crypto)
{
    return crypto->key_count;
}

bool store_crypto_append_keys(const struct store_crypto *crypto, size_t count, struct text_buffer *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        const unsigned char *bytes = (const unsigned char *)secret_reveal(crypto->keys[i].bytes);
        for (size_t at = 0; at < STORE_KEY_BYTES; at++)
            text_buffer_append(text, (char[]){digits[bytes[at] >> 4], digits[bytes[at] & 15]}, 2);
        text_buffer_append_text(text, "\n");
    }
    return !text->failed;
}

/* ---- where they come from ---- */

void store_crypto_set_key_file(struct store_crypto *crypto, char *take_path, bool is_credential)
{
    free(crypto->key_file);
    crypto->key_file = take_path;
    crypto->is_credential = is_credential;
}

const char *store_crypto_key_file(const struct store_crypto *crypto)
{
    return crypto->key_file;
}

bool store_crypto_key_is_credential(const struct store_crypto *crypto)
{
    return crypto->is_credential;
}

/* ---- ids ---- */

static void format_key_id(const unsigned char id[KEY_ID_BYTES], char ret_text[STORE_KEY_ID_TEXT_SIZE])
{
    for (size_t i = 0; i < KEY_ID_BYTES; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", id[i]);
}

void store_crypto_key_id_at(const struct store_crypto *crypto, size_t index, char ret_text[STORE_KEY_ID_TEXT_SIZE])
{
    format_key_id(crypto->keys[index].id, ret_text);
}

void store_crypto_key_id(const struct store_crypto *crypto, char ret_text[STORE_KEY_ID_TEXT_SIZE])
{
    store_crypto_key_id_at(crypto, 0, ret_text);
}

/* ---- values ---- */

/* The texts with their NULs: no two places give the same bytes. */
static bool add_place(EVP_CIPHER_CTX *context, const struct seal_place *place)
{
    const char *texts[] = {place->table, place->row, place->column};
    int ignored;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (EVP_CipherUpdate(context, NULL, &ignored, (const unsigned char *)texts[i], (int)strlen(texts[i]) + 1) != 1)
            return false;
    }
    return EVP_CipherUpdate(context, NULL, &ignored, place->key->id, KEY_ID_BYTES) == 1;
}

/* length is at most SECRET_MAX, which an int holds. out may not be in. tag is written when sealing, read when opening.
 */
static bool run_cipher(const struct store_crypto *crypto, bool sealing, const struct seal_place *place,
                       const unsigned char *nonce, const unsigned char *in, size_t length, unsigned char *out,
                       unsigned char *tag)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context)
        return false;
    const unsigned char *key = (const unsigned char *)secret_reveal(place->key->bytes);
    int written = 0;
    int rest = 0;
    /* The tag must be set before the end when opening, and stands only after it when sealing. */
    bool done = EVP_CipherInit_ex2(context, crypto->cipher, key, nonce, sealing, NULL) == 1 &&
                add_place(context, place) && EVP_CipherUpdate(context, out, &written, in, (int)length) == 1 &&
                (sealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1) &&
                EVP_CipherFinal_ex(context, out + written, &rest) == 1 &&
                (!sealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1);
    EVP_CIPHER_CTX_free(context);
    return done;
}

enum status store_crypto_seal(const struct store_crypto *crypto, const char *table, const char *row, const char *column,
                              const struct secret *value, struct text_buffer *ret_sealed, struct error *ret_error)
{
    const struct store_key *key = &crypto->keys[0];
    size_t length = secret_length(value);
    size_t size = HEADER_BYTES + length + TAG_BYTES;
    AUTO_TEXT sealed = malloc(size);
    if (!sealed)
        return error_set(ret_error, ERR_NO_MEMORY, "sealing a value");

    unsigned char *at = (unsigned char *)sealed;
    unsigned char *nonce = at + 1 + KEY_ID_BYTES;
    at[0] = SEALED_VERSION;
    memcpy(at + 1, key->id, KEY_ID_BYTES);
    /* NIST SP 800-38D §8.3: random nonces are good for 2^32 values under one key. */
    if (random_bytes(nonce, NONCE_BYTES) != OK)
        return error_set(ret_error, ERR_CRYPTO, "no random bytes for sealing a value");
    struct seal_place place = {table, row, column, key};
    const unsigned char *plain = (const unsigned char *)secret_reveal(value);
    unsigned char *cipher_text = at + HEADER_BYTES;
    if (!run_cipher(crypto, true, &place, nonce, plain, length, cipher_text, cipher_text + length))
        return error_set(ret_error, ERR_CRYPTO, "a value could not be sealed");
    if (!text_buffer_append(ret_sealed, sealed, size))
        return error_set(ret_error, ERR_NO_MEMORY, "sealing a value");
    return OK;
}

bool store_crypto_is_current(const struct store_crypto *crypto, const void *sealed, size_t length)
{
    const unsigned char *at = sealed;
    return length >= HEADER_BYTES && memcmp(at + 1, crypto->keys[0].id, KEY_ID_BYTES) == 0;
}

/* Which key is missing, which are here, and where it belongs. */
static enum status refuse_key(const struct store_crypto *crypto, const unsigned char id[KEY_ID_BYTES],
                              struct error *ret_error)
{
    enum { IDS_MAX = KEYS_MAX * (STORE_KEY_ID_TEXT_SIZE + 1) };
    char missing[STORE_KEY_ID_TEXT_SIZE];
    AUTO_FINISH(text_buffer) ours;
    text_buffer_init(&ours, IDS_MAX);
    format_key_id(id, missing);
    for (size_t i = 0; i < crypto->key_count; i++) {
        char text[STORE_KEY_ID_TEXT_SIZE];
        store_crypto_key_id_at(crypto, i, text);
        text_buffer_append_format(&ours, "%s%s", i > 0 ? ", " : "", text);
    }
    const char *file = crypto->key_file;
    return error_set(ret_error, ERR_CRYPTO,
                     "sealed with the key %s, but the key here is %s; give the key file that it was written with%s%s%s",
                     missing, text_buffer_text(&ours), file ? ", or put that key into " : "", file ? file : "",
                     file ? " as one more line" : "");
}

enum status store_crypto_open(const struct store_crypto *crypto, const char *table, const char *row, const char *column,
                              const void *sealed, size_t length, struct secret **ret_value, struct error *ret_error)
{
    const unsigned char *at = sealed;
    if (length < HEADER_BYTES + TAG_BYTES || length > HEADER_BYTES + (size_t)SECRET_MAX + TAG_BYTES)
        return error_set(ret_error, ERR_CORRUPT, "not a sealed value: its length is wrong");
    if (at[0] != SEALED_VERSION)
        return error_set(ret_error, ERR_CORRUPT, "not a sealed value: version %d", at[0]);
    const struct store_key *key = find_key(crypto, at + 1);
    if (!key)
        return refuse_key(crypto, at + 1, ret_error);

    size_t plain_length = length - HEADER_BYTES - TAG_BYTES;
    AUTO_TEXT plain = malloc(plain_length + 1);
    if (!plain)
        return error_set(ret_error, ERR_NO_MEMORY, "opening a sealed value");
    unsigned char tag[TAG_BYTES];
    memcpy(tag, at + length - TAG_BYTES, TAG_BYTES);
    struct seal_place place = {table, row, column, key};
    struct secret *value = NULL;
    bool opened = run_cipher(crypto, false, &place, at + 1 + KEY_ID_BYTES, at + HEADER_BYTES, plain_length,
                             (unsigned char *)plain, tag);
    if (opened)
        value = secret_create(plain, plain_length);
    secret_wipe(plain, plain_length);
    if (!opened)
        return error_set(ret_error, ERR_CRYPTO, "a sealed value was tampered with or moved; %s", STORE_WAY_OUT);
    if (!value)
        return error_set(ret_error, ERR_NO_MEMORY, "opening a sealed value");
    *ret_value = value;
    return OK;
}
