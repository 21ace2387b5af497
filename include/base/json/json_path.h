#ifndef BASE_JSON_JSON_PATH_H
#define BASE_JSON_JSON_PATH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * A path to values in a JSON document, read once and followed often. The notations, which may be mixed:
 *   a.b.0.c   $.a.b[0].c   $['a']["b"]   a.*.c   a[*].c
 * A step is a member name, an index where the value is an array, or "*" for every element of an array. A quoted step is
 * always a member name, and its text has no escapes. A member whose own name is all the rest of a path ("a.b": …) is
 * found too, after the steps led nowhere.
 */
struct json_path;

/* ERR_INVALID: another notation, or more than JSON_PATH_STEPS_MAX steps; the message says at which character. */
enum status json_path_compile(const char *text, struct json_path **ret_path, struct error *ret_error);
void json_path_destroy(struct json_path *path);
AUTO_DEFINE(json_path);

/* True when it has a "*": it may lead to several values. */
bool json_path_is_many(const struct json_path *path);
/* The name, when the path is one member name and nothing else; else NULL. Borrowed. */
const char *json_path_single_name(const struct json_path *path);

/* Returns true to end the search. value is borrowed. */
typedef bool json_path_visit(void *context, json_t *value);
/* Visits each value that the path leads to, in the document's order. True when a visit ended it. value may be NULL. */
bool json_path_each(const struct json_path *path, const json_t *value, json_path_visit *visit, void *context);

#endif
