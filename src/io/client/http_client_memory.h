#ifndef SRC_IO_HTTP_CLIENT_MEMORY_H
#define SRC_IO_HTTP_CLIENT_MEMORY_H

#include <stdbool.h>

/*
 * libcurl's memory, wiped when it is freed. libcurl 7.88 does not survive every lack of it: a socket's table of
 * transfers that was not allocated stays in use, and the next look into it divides by zero (lib/multi.c,
 * singlesocket()). So what is missing is taken from a reserve, of the process as libcurl's allocator is.
 */

/* curl_global_init_mem(). Every success is ended by curl_global_cleanup(). */
bool http_client_memory_init(void);
/* Fills the reserve up again. False: there is no memory for it, and no transfer should begin. */
bool http_client_memory_prepare(void);
void http_client_memory_finish(void);

#endif
