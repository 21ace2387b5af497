#include "io/store/store_crypto_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "io/files/file_read.h"
#include "io/files/file_sync.h"

/* A line: the digits of one key and a newline. */
enum { HEX_MAX = 2 * STORE_KEY_BYTES, KEY_LINE = HEX_MAX + 1, KEY_FILE_MAX = (1 + STORE_OLD_KEYS_MAX) * KEY_LINE };

/* systemd lets the service read its credential by an ACL, which shows as the group's bit in the mode. */
static bool is_systemd_credential(const char *path)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    size_t length = directory ? strlen(directory) : 0;
    return length > 0 && strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* ---- reading ---- */

static enum status check_permissions(const char *path, const struct stat *metadata, struct error *ret_error)
{
    mode_t forbidden = is_systemd_credential(path) ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    if (metadata->st_mode & forbidden)
        return error_set(ret_error, ERR_DENIED, "key file %s: group or others may use it; chmod 0600 it", path);
    if (metadata->st_uid != 0 && metadata->st_uid != geteuid())
        return error_set(ret_error, ERR_DENIED, "key file %s: belongs to another user", path);
    return OK;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static struct secret *decode_hex(const char *text)
{
    unsigned char bytes[STORE_KEY_BYTES];
    bool valid = true;
    for (size_t i = 0; i < sizeof bytes; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        valid = valid && high >= 0 && low >= 0;
        bytes[i] = (unsigned char)(valid ? high * 16 + low : 0);
    }
    struct secret *key = valid ? secret_create(bytes, sizeof bytes) : NULL;
    secret_wipe(bytes, sizeof bytes);
    return key;
}

/* The key at the beginning of text; *ret_length: how much of it that is. NULL: none, or no memory. */
static struct secret *take_key(const char *text, size_t length, size_t *ret_length)
{
    *ret_length = length;
    if (length == STORE_KEY_BYTES)
        return secret_create(text, length);
    if (length < HEX_MAX || (length > HEX_MAX && text[HEX_MAX] != '\n'))
        return NULL;
    if (length > HEX_MAX)
        *ret_length = KEY_LINE;
    return decode_hex(text);
}

static enum status add_keys(const struct secret *bytes, struct store_crypto **crypto, struct error *ret_error)
{
    const char *text = secret_reveal(bytes);
    size_t length = secret_length(bytes);
    enum status status = length > 0 ? OK : ERR_INVALID;
    for (size_t at = 0, taken = 0; at < length && status == OK; at += taken) {
        AUTO(secret) key = take_key(text + at, length - at, &taken);
        if (!key)
            status = ERR_INVALID;
        else if (*crypto)
            status = store_crypto_add_old_key(*crypto, key, ret_error);
        else
            status = store_crypto_create(key, crypto, ret_error);
    }
    if (status == ERR_INVALID)
        return error_set(ret_error, status, "neither %d raw bytes nor lines of %d hex digits each", STORE_KEY_BYTES,
                         HEX_MAX);
    return status;
}

static enum status read_keys(const char *path, struct store_crypto **ret_crypto, struct error *ret_error)
{
    AUTO(secret) bytes = NULL;
    AUTO(store_crypto) crypto = NULL;
    struct stat metadata;
    struct error reason;
    enum status status = file_read(path, KEY_FILE_MAX, &bytes, &metadata, &reason);
    if (status == ERR_TOO_LARGE)
        status = ERR_INVALID;
    if (status != OK)
        return error_set(ret_error, status, "key file %s: %s", path, reason.message);
    status = check_permissions(path, &metadata, ret_error);
    if (status != OK)
        return status;
    status = add_keys(bytes, &crypto, &reason);
    if (status != OK)
        return error_set(ret_error, status, "key file %s: %s", path, reason.message);
    char *resolved = realpath(path, NULL);
    if (!resolved)
        return error_set(ret_error, ERR_IO, "key file %s: %s", path, strerror(errno));
    store_crypto_set_key_file(crypto, resolved, is_systemd_credential(path));
    *ret_crypto = TAKE(crypto);
    return OK;
}

/* ---- writing ---- */

/* errno says why not. */
static bool write_whole(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return fsync(fd) == 0;
}

static bool write_new_file(const char *path, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return false;
    bool written = write_whole(fd, bytes, length);
    int reason = errno;
    close(fd);
    errno = reason;
    return written;
}

static enum status set_write_error(const char *path, struct error *ret_error)
{
    bool is_denied = errno == EACCES || errno == EPERM || errno == EROFS;
    return error_set(ret_error, is_denied ? ERR_DENIED : ERR_IO, "key file %s: %s", path, strerror(errno));
}

static enum status create_key(const char *path, struct error *ret_error)
{
    char temporary[PATH_MAX];
    unsigned char key[STORE_KEY_BYTES];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary)
        return error_set(ret_error, ERR_INVALID, "key file: its path is too long");
    if (random_bytes(key, sizeof key) != OK)
        return error_set(ret_error, ERR_CRYPTO, "key file %s: no random bytes to make it from", path);
    unlink(temporary);
    enum status status = OK;
    /* Another one at that name: a second daemon starts at this moment, and may be using it already. */
    if (!write_new_file(temporary, (const char *)key, sizeof key) ||
        (!file_publish(temporary, path) && errno != EEXIST))
        status = error_set(ret_error, ERR_IO, "key file %s: %s", path, strerror(errno));
    secret_wipe(key, sizeof key);
    unlink(temporary);
    return status;
}

enum status store_key_load(const char *path, bool create, struct store_crypto **ret_crypto, struct error *ret_error)
{
    enum status status = read_keys(path, ret_crypto, ret_error);
    if (status != ERR_NOT_FOUND || !create)
        return status;
    status = create_key(path, ret_error);
    if (status != OK)
        return status;
    return read_keys(path, ret_crypto, ret_error);
}

/* One name, so that what a kill leaves behind is found again. False: too long. */
static bool save_path(const char *path, char ret_path[PATH_MAX])
{
    return snprintf(ret_path, PATH_MAX, "%s.new", path) < PATH_MAX;
}

enum status store_key_save(const struct store_crypto *crypto, size_t count, struct error *ret_error)
{
    const char *path = store_crypto_key_file(crypto);
    char temporary[PATH_MAX];
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, KEY_FILE_MAX);
    if (store_crypto_key_is_credential(crypto))
        return error_set(ret_error, ERR_DENIED, "the key is a systemd credential, which a service cannot change");
    if (!path || !save_path(path, temporary))
        return error_set(ret_error, ERR_DENIED, "the key comes from no file that can be written");
    if (!store_crypto_append_keys(crypto, count, &text))
        return error_set(ret_error, ERR_NO_MEMORY, "key file %s", path);
    unlink(temporary);
    enum status status = OK;
    if (!write_new_file(temporary, text.data, text.length) || rename(temporary, path) != 0)
        status = set_write_error(path, ret_error);
    else if (!file_sync_directory_of(path))
        status = error_set(ret_error, ERR_IO, "key file %s: %s", path, strerror(errno));
    if (status != OK)
        unlink(temporary);
    return status;
}

void store_key_remove_leftover(const struct store_crypto *crypto)
{
    char temporary[PATH_MAX];
    const char *path = store_crypto_key_file(crypto);
    if (path && !store_crypto_key_is_credential(crypto) && save_path(path, temporary))
        unlink(temporary);
}
