#ifndef BROKER_ENTRY_TOKEN_REPORTS_H
#define BROKER_ENTRY_TOKEN_REPORTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/*
 * Which users reported that an API refused a token of one connection, and how many refreshes their reports may still
 * start. A report concerns the user who made it: the daemon cannot check what the user says, so it takes the token from
 * that user alone.
 *
 * Each user has a budget of reports for each connection. Four reports count at once. The next one pauses the user's
 * reports for 30 s, the one after it for 60 s, and so on. One counted report is forgotten every ten minutes.
 *
 * The table has at most REPORTERS_MAX users. When it is full, a new user takes the place of the one with the fewest
 * counted reports and inherits that count, so that nobody gets a fresh budget by changing users.
 */
enum { REPORTERS_MAX = 64, REPORTS_AT_ONCE = 4, REPORT_PAUSE_MS = 30 * 1000, REPORT_FORGOTTEN_MS = 600 * 1000 };

struct token_reports; /* NULL is an empty table */

void token_reports_destroy(struct token_reports *reports);
AUTO_DEFINE(token_reports);

/*
 * The user refuses this generation. A generation that the user refused before, or an older one, changes nothing. During
 * a pause the report is noted without being counted. False when out of memory; then nothing is noted.
 */
bool token_reports_add(struct token_reports **reports, uid_t uid, uint64_t generation, int64_t now_ms);
/* The newest generation that the user refused; 0: none. */
uint64_t token_reports_refused(const struct token_reports *reports, uid_t uid);
/* Milliseconds for which the user's reports start no refresh; 0: they start one. */
int64_t token_reports_pause(const struct token_reports *reports, uid_t uid, int64_t now_ms);
/* The budgets are whole again and the pauses are over; what was refused stays refused. */
void token_reports_forgive(struct token_reports *reports);
/* Drops the users of whom nothing matters any more: their reports are forgotten and concern older generations. */
void token_reports_drop_old(struct token_reports **reports, uint64_t generation, int64_t now_ms);

#endif
