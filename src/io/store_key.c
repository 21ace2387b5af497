#include "io/store_crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "io/file_read.h"
#include "io/file_sync.h"

/* 64 digits and one newline. */
enum { KEY_FILE_MAX = 2 * STORE_KEY_BYTES + 1 };

/* systemd lets the service read its credential by an ACL, which shows as the group's bit in the mode. */
static bool is_systemd_credential(const char *path)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    size_t length = directory ? strlen(directory) : 0;
    return length > 0 && strncmp(path, directory, length) == 0 && path[length] == '/';
}

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

static enum status parse_key(const char *path, const struct secret *bytes, struct secret **ret_key,
                             struct error *ret_error)
{
    const char *text = secret_reveal(bytes);
    size_t length = secret_length(bytes);
    if (length == STORE_KEY_BYTES) {
        *ret_key = secret_hold(bytes);
        return OK;
    }
    bool is_hex = length == 2 * STORE_KEY_BYTES || (length == KEY_FILE_MAX && text[KEY_FILE_MAX - 1] == '\n');
    struct secret *key = is_hex ? decode_hex(text) : NULL;
    if (!key)
        return error_set(ret_error, ERR_INVALID, "key file %s: neither %d raw bytes nor %d hex digits", path,
                         STORE_KEY_BYTES, 2 * STORE_KEY_BYTES);
    *ret_key = key;
    return OK;
}

static enum status read_key(const char *path, struct secret **ret_key, struct error *ret_error)
{
    AUTO(secret) bytes = NULL;
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
    return parse_key(path, bytes, ret_key, ret_error);
}

static enum status write_new_file(const char *path, struct error *ret_error)
{
    unsigned char key[STORE_KEY_BYTES];
    if (random_bytes(key, sizeof key) != OK)
        return error_set(ret_error, ERR_CRYPTO, "key file %s: no random bytes to make it from", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    bool written = fd >= 0 && write(fd, key, sizeof key) == (ssize_t)sizeof key && fsync(fd) == 0;
    int reason = errno;
    secret_wipe(key, sizeof key);
    if (fd >= 0)
        close(fd);
    return written ? OK : error_set(ret_error, ERR_IO, "key file %s: %s", path, strerror(reason));
}

static enum status create_key(const char *path, struct error *ret_error)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary)
        return error_set(ret_error, ERR_INVALID, "key file: its path is too long");
    unlink(temporary);
    enum status status = write_new_file(temporary, ret_error);
    /* Another one at that name: a second daemon starts at this moment, and may be using it already. */
    if (status == OK && !file_publish(temporary, path) && errno != EEXIST)
        status = error_set(ret_error, ERR_IO, "key file %s: %s", path, strerror(errno));
    unlink(temporary);
    return status;
}

enum status store_key_load(const char *path, bool create, struct secret **ret_key, struct error *ret_error)
{
    enum status status = read_key(path, ret_key, ret_error);
    if (status != ERR_NOT_FOUND || !create)
        return status;
    status = create_key(path, ret_error);
    if (status != OK)
        return status;
    return read_key(path, ret_key, ret_error);
}
