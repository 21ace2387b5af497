#ifndef IO_HOST_IDENTITY_LOOKUP_H
#define IO_HOST_IDENTITY_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/rule/access_rule.h"

/*
 * Asks the host's user database (getpwnam, getgrnam) in a thread of its own: behind NSS may be a directory service that
 * answers after a minute, or never, and the C library has no deadline for it.
 */
struct identity_lookup;

/* names: copied. Where no thread can be had the caller's own asks, and has to wait. NULL: no memory. */
struct identity_lookup *identity_lookup_start(const struct identity_name *names, size_t count);
/* Waits until all names are answered; false: not within that time (0: does not wait). */
bool identity_lookup_wait(struct identity_lookup *lookup, int64_t timeout_ms);
/* Borrowed. */
struct identity_name identity_lookup_name(const struct identity_lookup *lookup, size_t index);
/* Of the name at index, after identity_lookup_wait() said true: what struct identity_resolver's find() returns. */
enum status identity_lookup_result(const struct identity_lookup *lookup, size_t index, unsigned *ret_id);
/* A thread that still waits for its answer goes on alone and then frees what is left. */
void identity_lookup_destroy(struct identity_lookup *lookup);
AUTO_DEFINE(identity_lookup);

/* What a rule waits for one name. */
enum { IDENTITY_PATIENCE_MS = 3000 };

/* For rules: waits IDENTITY_PATIENCE_MS for each name, then says ERR_TIMEOUT. context: ignored. */
struct identity_resolver identity_lookup_resolver(void);

#endif
