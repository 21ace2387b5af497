#ifndef ICLIENTCTL_DAEMON_TOKEN_REPLY_H
#define ICLIENTCTL_DAEMON_TOKEN_REPLY_H

#include <jansson.h>

#include "iclientctl/arguments.h"
#include "iclientctl/exit_code.h"

/*
 * GET /v1/token/NAME with --min-ttl and --wait, for the first operand. On EXIT_DONE the document is an object with an
 * access_token that a request header can carry; a stale token's reason has been said on stderr.
 */
enum exit_code token_reply_fetch(const struct arguments *arguments, json_t **ret_document);
/* Borrowed from the document. */
const char *token_reply_access_token(const json_t *document);

#endif
