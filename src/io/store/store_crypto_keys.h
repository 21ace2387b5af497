#ifndef IO_STORE_STORE_CRYPTO_KEYS_H
#define IO_STORE_STORE_CRYPTO_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text/text_buffer.h"
#include "io/store/store_crypto.h"

/*
 * The keys of a store_crypto, their change and the file that they stand in. Whoever changes them is the only one who
 * uses the store_crypto at that time: once there is a store, its writer.
 */

/* Makes key the current one, the present one old. As store_crypto_add_old_key(). */
enum status store_crypto_add_new_key(struct store_crypto *crypto, const struct secret *key, struct error *ret_error);
/* Undoes that: what the key sealed meanwhile is lost. */
void store_crypto_drop_new_key(struct store_crypto *crypto);
void store_crypto_drop_old_keys(struct store_crypto *crypto);

/* The current one among them. */
size_t store_crypto_key_count(const struct store_crypto *crypto);
/* 0: the current one. */
void store_crypto_key_id_at(const struct store_crypto *crypto, size_t index, char ret_text[STORE_KEY_ID_TEXT_SIZE]);
/* The first count keys as a key file has them. False: as text_buffer_append(). */
bool store_crypto_append_keys(const struct store_crypto *crypto, size_t count, struct text_buffer *text);

/* The file that the keys were read from, links resolved; NULL: none. */
void store_crypto_set_key_file(struct store_crypto *crypto, char *take_path, bool is_credential);
const char *store_crypto_key_file(const struct store_crypto *crypto);
bool store_crypto_key_is_credential(const struct store_crypto *crypto);

/*
 * Puts the first count keys into the key file: complete under a temporary name, fsynced, renamed, the directory
 * fsynced. ERR_DENIED: the daemon may not write there (a credential, a read-only file system, permissions, its own
 * sandbox), the message says which; ERR_IO: the disk is full or broken; ERR_NO_MEMORY. After an error the file is as
 * it was, or has the keys but may lose them in a power cut.
 */
enum status store_key_save(const struct store_crypto *crypto, size_t count, struct error *ret_error);
/* What a save that was cut off left behind. Only under the store's lock: it may be another daemon's. */
void store_key_remove_leftover(const struct store_crypto *crypto);

/* What to do about a store whose content is no longer what was written. */
#define STORE_WAY_OUT "restore it from a backup, or move it away with its -wal file and authorize the connections anew"

#endif
