#ifndef ICLIENTD_BALLAST_LOG_H
#define ICLIENTD_BALLAST_LOG_H

#include <stddef.h>

#include "io/store/store.h"

/*
 * Has the store keep a ballast of so many bytes (0: none) and logs when it is given up and made again. store: one of
 * SQLite's.
 */
void ballast_log_start(struct store *store, size_t size);

#endif
