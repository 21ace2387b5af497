#ifndef MODEL_RULE_FAILURE_RULE_H
#define MODEL_RULE_FAILURE_RULE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "model/reply/reply_document.h"

/*
 * When a reply means that the token or the authorization is no longer good, whatever its status (a 200 that says
 * {"ok":false,"error":"invalid_auth"}). A rule has any of statusCode, path, values and matches when every part that
 * it has matches. The path is a reply path (model/reply/reply_path.h). Without values any value at path counts but
 * null, false, 0 and "". Values compare as strings, numbers and booleans as JSON writes them, exactly; of an array any
 * element counts.
 */
struct failure_rules;

enum { FAILURE_RULES_MAX = 64, FAILURE_VALUES_MAX = 256 };

struct failure_rules *failure_rules_create(void);
void failure_rules_destroy(struct failure_rules *rules);
AUTO_DEFINE(failure_rules);

/*
 * One {statusCode?, path?, values?} object. ERR_INVALID: an unknown member, a wrong type, no part at all, values
 * without path.
 */
enum status failure_rules_add_json(struct failure_rules *rules, const json_t *rule, struct error *ret_error);
/* status 0: any; path NULL: none; values: a JSON array or a comma-separated string, or NULL. */
enum status failure_rules_add(struct failure_rules *rules, int status, const char *path, const json_t *values,
                              struct error *ret_error);

size_t failure_rules_count(const struct failure_rules *rules);
/*
 * body: the parsed reply; NULL, or empty, when it is neither JSON nor XML (then only rules without a path can match).
 */
bool failure_rules_match(const struct failure_rules *rules, int status, const struct reply_document *body);

/* Why a rule matches. path NULL, value NULL: by the status alone. */
struct failure_match {
    const char *path; /* borrowed from the rules */
    json_t *value;    /* what stands at path; of several values the one that counts */
};
void failure_match_finish(struct failure_match *match);
/* As failure_rules_match(), for the first rule that matches. ret_match: for failure_match_finish(). */
bool failure_rules_find(const struct failure_rules *rules, int status, const struct reply_document *body,
                        struct failure_match *ret_match);
/* The rules as a JSON array, as the computed field "failures" gives them back. New reference. */
json_t *failure_rules_to_json(const struct failure_rules *rules);

#endif
