#include "io/http/http_grammar.h"

#include <http_parser.h>
#include <stdlib.h>

enum { HEAD_MAX = 0x7fffffff }; /* http_parse's own limits are the ones that count, and they say which one it was */

struct http_grammar {
    http_parser parser; /* its data: this struct */
    const struct http_grammar_events *events;
    void *context;
};

static int on_target(http_parser *parser, const char *at, size_t length)
{
    const struct http_grammar *grammar = parser->data;
    return grammar->events->on_target(grammar->context, at, length) ? 0 : -1;
}

static int on_header_name(http_parser *parser, const char *at, size_t length)
{
    const struct http_grammar *grammar = parser->data;
    return grammar->events->on_header_name(grammar->context, at, length) ? 0 : -1;
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    const struct http_grammar *grammar = parser->data;
    return grammar->events->on_header_value(grammar->context, at, length) ? 0 : -1;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    const struct http_grammar *grammar = parser->data;
    return grammar->events->on_body(grammar->context, at, length) ? 0 : -1;
}

static enum http_verb verb_of(const http_parser *parser)
{
    switch (parser->method) {
    case HTTP_GET:
        return HTTP_VERB_GET;
    case HTTP_HEAD:
        return HTTP_VERB_HEAD;
    case HTTP_POST:
        return HTTP_VERB_POST;
    case HTTP_PUT:
        return HTTP_VERB_PUT;
    case HTTP_PATCH:
        return HTTP_VERB_PATCH;
    case HTTP_DELETE:
        return HTTP_VERB_DELETE;
    default:
        return HTTP_VERB_OTHER;
    }
}

static int on_head(http_parser *parser)
{
    const struct http_grammar *grammar = parser->data;
    const struct http_grammar_head head = {
        .verb = verb_of(parser),
        .version_major = parser->http_major,
        .version_minor = parser->http_minor,
        .content_length = parser->content_length == UINT64_MAX ? 0 : parser->content_length,
        .keeps_alive = http_should_keep_alive(parser),
    };
    return grammar->events->on_head(grammar->context, &head) ? 0 : -1;
}

static int on_complete(http_parser *parser)
{
    const struct http_grammar *grammar = parser->data;
    grammar->events->on_complete(grammar->context);
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {
    .on_url = on_target,
    .on_header_field = on_header_name,
    .on_header_value = on_header_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

struct http_grammar *http_grammar_create(const struct http_grammar_events *events, void *context)
{
    struct http_grammar *grammar = malloc(sizeof *grammar);
    if (!grammar)
        return NULL;
    grammar->events = events;
    grammar->context = context;
    http_parser_set_max_header_size(HEAD_MAX);
    http_grammar_begin(grammar);
    return grammar;
}

void http_grammar_destroy(struct http_grammar *grammar)
{
    free(grammar);
}

void http_grammar_begin(struct http_grammar *grammar)
{
    http_parser_init(&grammar->parser, HTTP_REQUEST);
    grammar->parser.data = grammar;
}

size_t http_grammar_run(struct http_grammar *grammar, const char *bytes, size_t length)
{
    return http_parser_execute(&grammar->parser, &callbacks, bytes, length);
}

enum http_verb http_grammar_verb(const struct http_grammar *grammar)
{
    return verb_of(&grammar->parser);
}

const char *http_grammar_fault(const struct http_grammar *grammar)
{
    enum http_errno reason = HTTP_PARSER_ERRNO(&grammar->parser);
    return reason == HPE_OK || reason == HPE_PAUSED ? NULL : http_errno_description(reason);
}
