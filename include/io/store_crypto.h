#ifndef IO_STORE_CRYPTO_H
#define IO_STORE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/text_buffer.h"

/*
 * Encryption at rest: AES-256-GCM per value, random 96-bit nonce, additional data = table, row, column, key id, so
 * that a value moved to another row does not open. Sealed form: version byte 1, key id (8 bytes), nonce, ciphertext,
 * tag.
 */
struct store_crypto;
enum { STORE_KEY_BYTES = 32, STORE_KEY_ID_TEXT_SIZE = 17 };

/* key: STORE_KEY_BYTES raw bytes; its id is the first 8 bytes of SHA-256("iclientd key id" || key). */
enum status store_crypto_create(const struct secret *key, struct store_crypto **ret_crypto, struct error *ret_error);
void store_crypto_destroy(struct store_crypto *crypto);
AUTO_DEFINE(store_crypto);
/* Another key that still opens (after a rekey). New values are sealed with the first. */
enum status store_crypto_add_old_key(struct store_crypto *crypto, const struct secret *key, struct error *ret_error);
void store_crypto_key_id(const struct store_crypto *crypto, char ret_text[STORE_KEY_ID_TEXT_SIZE]);

/* Thread-safe. Appends to ret_sealed. ERR_CRYPTO, ERR_NO_MEMORY. */
enum status store_crypto_seal(const struct store_crypto *crypto, const char *table, const char *row, const char *column,
                              const struct secret *value, struct text_buffer *ret_sealed, struct error *ret_error);
/* ERR_CRYPTO: sealed with another key (the message names both ids) or tampered with; ERR_CORRUPT: no sealed value. */
enum status store_crypto_open(const struct store_crypto *crypto, const char *table, const char *row, const char *column,
                              const void *sealed, size_t length, struct secret **ret_value, struct error *ret_error);
/* True when it was sealed with the first key, and not with an old one. */
bool store_crypto_is_current(const struct store_crypto *crypto, const void *sealed, size_t length);

/*
 * The key: 32 raw bytes, or 64 hex digits, in a file. Not there: made, 0600, written to a temporary name, fsynced and
 * renamed, unless create is false. ERR_DENIED when group or others may use it (but systemd's ACL on a credential is
 * fine) or another user than root and ours owns it; ERR_INVALID when it is no key.
 */
enum status store_key_load(const char *path, bool create, struct secret **ret_key, struct error *ret_error);

#endif
