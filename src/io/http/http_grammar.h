#ifndef SRC_IO_HTTP_GRAMMAR_H
#define SRC_IO_HTTP_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "io/http/http_server.h"

/*
 * Takes the bytes of one request apart, by the library that the build chose: llhttp (http_grammar_llhttp.c) or its
 * predecessor http-parser (http_grammar_http_parser.c). What either lets pass and RFC 9112 does not, http_parse and
 * http_strict refuse, so that both builds take the same requests.
 */
struct http_grammar;

/* What the head said beside its texts. */
struct http_grammar_head {
    enum http_verb verb;
    unsigned version_major;
    unsigned version_minor;
    uint64_t content_length; /* 0: none, too */
    bool keeps_alive;
};

/*
 * Called in the order of the request. A text comes in as many pieces as there were runs, and points into their bytes; a
 * header's value may be empty. False ends the request.
 */
struct http_grammar_events {
    bool (*on_target)(void *context, const char *at, size_t length);
    bool (*on_header_name)(void *context, const char *at, size_t length);
    bool (*on_header_value)(void *context, const char *at, size_t length);
    bool (*on_head)(void *context, const struct http_grammar_head *head);
    bool (*on_body)(void *context, const char *at, size_t length);
    void (*on_complete)(void *context);
};

/* events: borrowed. NULL: no memory. */
struct http_grammar *http_grammar_create(const struct http_grammar_events *events, void *context);
void http_grammar_destroy(struct http_grammar *grammar);
AUTO_DEFINE(http_grammar);

/* The next byte is a request's first. */
void http_grammar_begin(struct http_grammar *grammar);
/* How many of the bytes belong to the request: it stops behind its last one, after on_complete(). */
size_t http_grammar_run(struct http_grammar *grammar, const char *bytes, size_t length);

/* The method of the request, as soon as a run passed its target. */
enum http_verb http_grammar_verb(const struct http_grammar *grammar);

/* After a run: what is wrong with the request, in words; NULL: nothing. Also not NULL when an event returned false. */
const char *http_grammar_fault(const struct http_grammar *grammar);

#endif
