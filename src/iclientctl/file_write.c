#include "iclientctl/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return fsync(descriptor) == 0;
}

static enum status put_in_place(const char *temporary, const char *path, bool replace, struct error *ret_error)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) == 0)
        return OK;
    if (errno == EEXIST)
        return error_set(ret_error, ERR_CONFLICT, "%s exists; --force replaces it", path);
    return error_set(ret_error, ERR_IO, "%s: %s", path, strerror(errno));
}

enum status file_write(const char *path, const char *bytes, size_t length, bool replace, struct error *ret_error)
{
    AUTO_TEXT temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        temporary = NULL;
        return error_set(ret_error, ERR_NO_MEMORY, "out of memory");
    }
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0)
        return error_set(ret_error, ERR_IO, "%s: %s", path, strerror(errno));
    enum status status = OK;
    if (!write_all(descriptor, bytes, length))
        status = error_set(ret_error, ERR_IO, "%s: %s", path, strerror(errno));
    close(descriptor);
    if (status == OK)
        status = put_in_place(temporary, path, replace, ret_error);
    if (status != OK)
        unlink(temporary);
    return status;
}
