#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Expiry is wall clock: seconds since 1970, as providers mean it. */
int64_t clock_wall(void);
/* Delays are CLOCK_BOOTTIME, which goes on while the machine sleeps: milliseconds since some fixed point. */
int64_t clock_boot_ms(void);
/* What the process has used of processors' time. */
int64_t clock_cpu_ms(void);

enum { CLOCK_TEXT_SIZE = sizeof "2026-01-01T00:00:00.000Z" };
/* "2026-01-01T00:00:00.000Z" (ISO 8601 in UTC). text: CLOCK_TEXT_SIZE bytes. */
void clock_format(int64_t wall, char text[CLOCK_TEXT_SIZE]);
/*
 * Reads ISO 8601 / RFC 3339, fraction of any length dropped. False when it is none. Without Z or an offset it is UTC:
 * servers write their own time so, and of a local one nobody could say whose.
 */
bool clock_parse(const char *text, int64_t *ret_wall);
/* Reads an HTTP date (RFC 9110 §5.6.7, IMF-fixdate), as Retry-After may carry it. */
bool clock_parse_http_date(const char *text, int64_t *ret_wall);

#endif
