#include "io/files/file_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text/text_buffer.h"

static enum status set_system_error(struct error *ret_error)
{
    enum status status = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
    return error_set(ret_error, status, "%s", strerror(errno));
}

static enum status read_whole(int fd, size_t limit, struct secret **ret_bytes, struct error *ret_error)
{
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, limit);
    char chunk[16 * 1024];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || !text_buffer_append(&text, chunk, (size_t)got))
            break;
        /* A regular file gives less than asked for at its end alone; with very many files each call counts. */
        if ((size_t)got < sizeof chunk)
            break;
    }
    int reason = errno;
    secret_wipe(chunk, sizeof chunk);
    if (got < 0) {
        errno = reason;
        return set_system_error(ret_error);
    }
    if (text.failed && (size_t)got > limit - text.length)
        return error_set(ret_error, ERR_TOO_LARGE, "larger than %zu bytes", limit);
    struct secret *bytes = text_buffer_take_secret(&text);
    if (!bytes)
        return error_set(ret_error, ERR_NO_MEMORY, "reading a file");
    *ret_bytes = bytes;
    return OK;
}

/* Looked at before it is opened, because opening a device may already do something; then again, because it may have
 * changed. */
static enum status open_regular(int directory, const char *path, bool is_regular, int *ret_fd,
                                struct stat *ret_metadata, struct error *ret_error)
{
    struct stat metadata;
    if (!is_regular && fstatat(directory, path, &metadata, 0) != 0)
        return set_system_error(ret_error);
    if (!is_regular && !S_ISREG(metadata.st_mode))
        return error_set(ret_error, ERR_INVALID, "not a regular file");
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return set_system_error(ret_error);
    if (fstat(fd, &metadata) != 0 || !S_ISREG(metadata.st_mode)) {
        close(fd);
        return error_set(ret_error, ERR_INVALID, "not a regular file");
    }
    *ret_fd = fd;
    *ret_metadata = metadata;
    return OK;
}

static enum status read_regular(int directory, const char *path, bool is_regular, size_t limit,
                                struct secret **ret_bytes, struct stat *ret_metadata, struct error *ret_error)
{
    int fd = -1;
    struct stat metadata;
    enum status status = open_regular(directory, path, is_regular, &fd, &metadata, ret_error);
    if (status != OK)
        return status;
    status = read_whole(fd, limit, ret_bytes, ret_error);
    close(fd);
    if (status == OK)
        *ret_metadata = metadata;
    return status;
}

enum status file_read(const char *path, size_t limit, struct secret **ret_bytes, struct stat *ret_metadata,
                      struct error *ret_error)
{
    return read_regular(AT_FDCWD, path, false, limit, ret_bytes, ret_metadata, ret_error);
}

enum status file_read_in(int directory, const char *name, bool is_regular, size_t limit, struct secret **ret_bytes,
                         struct error *ret_error)
{
    struct stat ignored;
    return read_regular(directory, name, is_regular, limit, ret_bytes, &ignored, ret_error);
}
