#ifndef MODEL_RULE_PATH_SEGMENT_H
#define MODEL_RULE_PATH_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether a segment of a URI path is a dot segment (RFC 3986 §3.3: "." or ".."), or holds one for a server that decodes
 * first. Percent-encoding is undone until none is left, and so is overlong UTF-8 (RFC 3629 §10). A slash or backslash
 * that appears then separates segments. A ';' (parameters), '?', '#', space or control ends the name of a segment.
 * Decodes segment in place: pass a copy.
 */
bool path_segment_has_dots(char *segment, size_t length);

#endif
