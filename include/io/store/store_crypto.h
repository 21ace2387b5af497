#ifndef IO_STORE_STORE_CRYPTO_H
#define IO_STORE_STORE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"

/*
 * Encryption at rest: AES-256-GCM per value, random 96-bit nonce, additional data = table, row, column, key id, so
 * that a value moved to another row does not open. Sealed form: version byte 1, key id (8 bytes), nonce, ciphertext,
 * tag.
 */
struct store_crypto;
enum { STORE_KEY_BYTES = 32, STORE_KEY_ID_TEXT_SIZE = 17, STORE_OLD_KEYS_MAX = 8 };

/* key: STORE_KEY_BYTES raw bytes; its id is the first 8 bytes of SHA-256("iclientd key id" || key). */
enum status store_crypto_create(const struct secret *key, struct store_crypto **ret_crypto, struct error *ret_error);
void store_crypto_destroy(struct store_crypto *crypto);
AUTO_DEFINE(store_crypto);
/*
 * Another key that still opens; new values are sealed with the current one. One that is there already is not added
 * again. ERR_INVALID: no key; ERR_TOO_LARGE: more than STORE_OLD_KEYS_MAX.
 */
enum status store_crypto_add_old_key(struct store_crypto *crypto, const struct secret *key, struct error *ret_error);
/* The current key's. */
void store_crypto_key_id(const struct store_crypto *crypto, char ret_text[STORE_KEY_ID_TEXT_SIZE]);

/* Any thread, while nobody changes the keys. Appends to ret_sealed. ERR_CRYPTO, ERR_NO_MEMORY. */
enum status store_crypto_seal(const struct store_crypto *crypto, const char *table, const char *row, const char *column,
                              const struct secret *value, struct text_buffer *ret_sealed, struct error *ret_error);
/*
 * ERR_CRYPTO: sealed with a key that is not here (the message names it and those that are) or tampered with;
 * ERR_CORRUPT: no sealed value.
 */
enum status store_crypto_open(const struct store_crypto *crypto, const char *table, const char *row, const char *column,
                              const void *sealed, size_t length, struct secret **ret_value, struct error *ret_error);
/* True when it was sealed with the current key, and not with an old one. */
bool store_crypto_is_current(const struct store_crypto *crypto, const void *sealed, size_t length);

/*
 * The keys of a file: one line of 64 hex digits for each, the current one first, the others only open what they sealed.
 * The last may be 32 raw bytes instead, so that a key of that form goes on when a line is put before it. Not there: one
 * is made, 0600, written to a temporary name, fsynced and renamed, unless create is false. ERR_DENIED when group or
 * others may use it (but systemd's ACL on a credential is fine) or another user than root and ours owns it; ERR_INVALID
 * when it holds no keys.
 */
enum status store_key_load(const char *path, bool create, struct store_crypto **ret_crypto, struct error *ret_error);

#endif
