#ifndef SERVICE_AUDIT_H
#define SERVICE_AUDIT_H

#include "base/cleanup.h"
#include "broker/token_entry.h"
#include "io/http_server.h"

/*
 * Who was handed which token: one log line (notice) for each process and generation of a connection, however often that
 * process asks; never the token. At most AUDIT_LINES_PER_SECOND lines, then a line that counts what was left out.
 */
enum { AUDIT_SLOTS = 1024, AUDIT_LINES_PER_SECOND = 100 };

struct audit;
/* NULL when out of memory. */
struct audit *audit_create(void);
void audit_destroy(struct audit *audit);
AUTO_DEFINE(audit);

/* The entry's present token goes to the call's peer. A look-up when that is on record already. */
void audit_token_served(struct audit *audit, struct http_call *call, const struct token_entry *entry);

#endif
