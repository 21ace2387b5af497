#ifndef ICLIENTCTL_TERMINAL_CONNECTION_TEXT_H
#define ICLIENTCTL_TERMINAL_CONNECTION_TEXT_H

#include <jansson.h>

#include "base/text/text_buffer.h"
#include "iclientctl/arguments.h"
#include "iclientctl/exit_code.h"

/* The connections of the daemon's replies as a person reads them. Members that are missing are left out or "-". */

/* From the admin socket (every connection, all members) or the token socket (those of the caller; name, state, expiry).
 */
enum exit_code connections_fetch(const struct arguments *arguments, json_t **ret_array);

/* A table of all of them. */
bool connections_append(const json_t *array, bool colours, struct text_buffer *buffer);
/* One of them, a line per member. */
bool connection_append(const json_t *connection, bool colours, struct text_buffer *buffer);
/* Prints one of them on stdout, as JSON under --json, and what to do about its state on stderr. */
enum exit_code connection_print(const struct arguments *arguments, const json_t *connection);

enum { MOMENT_SIZE = 64 };
/* "2026-01-01T00:00:00Z (in 58 min)" for a wall clock time, "-" for what is none. now: wall clock. */
void moment_format(const json_t *time, int64_t now, char text[MOMENT_SIZE]);

#endif
