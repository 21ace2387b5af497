#ifndef SRC_IO_HTTP_PARSE_H
#define SRC_IO_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "io/http/http_server.h"

/*
 * The bytes that one connection sent and has no answer to yet, and the request at their front. A connection that is
 * idle needs none, so the server hands the same few around.
 */
struct http_parse;
struct http_heads;

/*
 * limits: max_target, max_header_bytes, max_header_count, max_body; heads: NULL, or those that were parsed before,
 * always with the same limits. Both borrowed. NULL when out of memory.
 */
struct http_parse *http_parse_create(const struct http_server_options *limits, struct http_heads *heads);
void http_parse_destroy(struct http_parse *parse);
AUTO_DEFINE(http_parse);

/* Forgets and wipes everything. False when its memory has grown so much that it is better destroyed. */
bool http_parse_reset(struct http_parse *parse);

/* Room to read at least one byte into, then how many were read. NULL when out of memory. */
char *http_parse_room(struct http_parse *parse, size_t *ret_size);
void http_parse_filled(struct http_parse *parse, size_t length);

enum http_parse_result { HTTP_PARSE_NEEDS_MORE, HTTP_PARSE_COMPLETE, HTTP_PARSE_REFUSED };
/* Goes on with the bytes that are there. After COMPLETE the request can be read until http_parse_finish_request(). */
enum http_parse_result http_parse_run(struct http_parse *parse);
void http_parse_finish_request(struct http_parse *parse);
/* No byte of a further request is there. */
bool http_parse_is_empty(const struct http_parse *parse);

/*
 * For a request that is refused before it is complete: http_parse_path() gives what came of its path, and
 * http_parse_verb() its method, if the request line came so far.
 */
void http_parse_find_path(struct http_parse *parse);
/* After REFUSED: the status, and what is wrong in words. */
int http_parse_refusal(const struct http_parse *parse, const char **ret_message);
/* True once, when the client waits for "100 Continue" before it sends the body (RFC 9110 §10.1.1). */
bool http_parse_wants_continue(struct http_parse *parse);

/* Of the complete request; texts are borrowed. */
enum http_verb http_parse_verb(const struct http_parse *parse);
struct http_text http_parse_path(const struct http_parse *parse);
struct http_text http_parse_query(const struct http_parse *parse);
struct http_text http_parse_body(const struct http_parse *parse);
bool http_parse_header(const struct http_parse *parse, const char *name, struct http_text *ret_value);
bool http_parse_is_version_1_0(const struct http_parse *parse);
bool http_parse_keeps_alive(const struct http_parse *parse);

#endif
