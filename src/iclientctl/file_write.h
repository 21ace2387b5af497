#ifndef ICLIENTCTL_FILE_WRITE_H
#define ICLIENTCTL_FILE_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Writes a file that only its owner may read: all of it or nothing, and durable. ERR_CONFLICT when it exists and is not
 * to be replaced; ERR_IO.
 */
enum status file_write(const char *path, const char *bytes, size_t length, bool replace, struct error *ret_error);

#endif
