#ifndef MODEL_TEMPLATE_TEMPLATE_H
#define MODEL_TEMPLATE_TEMPLATE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text/text_buffer.h"

/*
 * {{{path}}} inserts a value, {{path}} inserts it percent-encoded, \{{{ (and \{{) is a literal. No helpers, no logic.
 * Each value of a body, header or URI is rendered by itself; what a value may not do depends on where it lands.
 */
enum template_place {
    TEMPLATE_IN_VALUE,  /* a body value, a parameter, a JWT claim: any text; the wire encoding comes later */
    TEMPLATE_IN_HEADER, /* CR, LF and NUL in a value are errors */
    TEMPLATE_IN_URI,    /* in the authority / @ : ? # \ and controls are errors; in the path ? and # and in the query
                           & # = + (and controls, space) of a raw value are percent-encoded, so that it stays one value.
                           A value that makes a path segment "." or ".." (path_segment.h), alone or with what stands
                           beside it, is an error */
};

enum { TEMPLATE_PATH_MAX = 256, TEMPLATE_RESULT_MAX = 64 * 1024 };

/*
 * Appends the value of path to value. ERR_NOT_FOUND when it resolves to nothing; other errors are passed on. context is
 * what was given to template_render().
 */
typedef enum status template_lookup(const void *context, const char *path, struct text_buffer *value);

/*
 * Renders text, appending to result. ERR_INVALID: unclosed or empty braces, a path over TEMPLATE_PATH_MAX or with
 * characters other than [A-Za-z0-9_.$-], a value that its place forbids; ERR_NOT_FOUND: "{{{path}}} resolves to
 * nothing". The message names the path, never a value. On failure result is as it was.
 */
enum status template_render(const char *text, enum template_place place, template_lookup *lookup, const void *context,
                            struct text_buffer *result, struct error *ret_error);

/*
 * What of a template's path lies below its first step, as of "iClient.jwt.token" below "iClient"; NULL when that is
 * another.
 */
const char *template_path_below(const char *path, const char *step);

/* True when text has at least one template in it (escaped ones do not count). */
bool template_is_in(const char *text);
/* True when a template stands in the authority part of a URI text. */
bool template_is_in_authority(const char *uri);

/* Calls each(path) for every template of text, in order; the syntax errors of template_render(). */
typedef enum status template_visit(void *context, const char *path, struct error *ret_error);
enum status template_walk(const char *text, template_visit *each, void *context, struct error *ret_error);

#endif
