#ifndef PROTOCOL_REPLY_REPLY_QUOTE_H
#define PROTOCOL_REPLY_REPLY_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/request/grant_context.h"

/*
 * A provider's words as they may be shown and logged. A reply can echo what was sent to it, or hold what it grants, so
 * nothing of it is quoted raw.
 */

/*
 * Writes text into quoted (size bytes, always ended): printable ASCII, all else as '?', every run that looks like a
 * token as "[...]", cut at the end with "...". When it holds one of our secrets or of the reply's own tokens, as it is
 * or encoded (secret_search()), it is not quoted at all, and false is returned with quoted empty. body: the parsed
 * reply, or NULL.
 */
bool reply_quote(const struct grant_context *context, const struct reply_document *body, const char *text, char *quoted,
                 size_t size);

/*
 * The same for the "error" code: false and empty also when it is longer than size or has other bytes than RFC 6749
 * §5.2.
 */
bool reply_quote_code(const struct grant_context *context, const struct reply_document *body, const char *code,
                      char *quoted, size_t size);

#endif
