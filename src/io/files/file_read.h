#ifndef IO_FILES_FILE_READ_H
#define IO_FILES_FILE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/secret.h"

/*
 * Reads a regular file whole, at most limit bytes (SECRET_MAX at most), and gives its metadata as they were when it
 * was opened. Symbolic links are followed; a FIFO or device is neither opened nor waited for. The message says what is
 * wrong without the path: the caller names the thing. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE, ERR_INVALID (no regular
 * file), ERR_NO_MEMORY.
 */
enum status file_read(const char *path, size_t limit, struct secret **ret_bytes, struct stat *ret_metadata,
                      struct error *ret_error);
/*
 * The same for one of very many files: name is relative to the open directory, and is_regular says that the directory
 * showed it as a regular file just now.
 */
enum status file_read_in(int directory, const char *name, bool is_regular, size_t limit, struct secret **ret_bytes,
                         struct error *ret_error);

#endif
