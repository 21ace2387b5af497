#include "io/http/http_grammar.h"

#include <llhttp.h>
#include <stdlib.h>

/* The highest number that http-parser reads. */
static const uint64_t LENGTH_MAX = UINT64_MAX / 10 * 10 - 1;

struct http_grammar {
    llhttp_t parser; /* its data: this struct */
    llhttp_settings_t callbacks;
    const struct http_grammar_events *events;
    void *context;
    const char *name_end;
    bool has_value; /* of the present header, some piece of it */
};

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    const struct http_grammar *grammar = parser->data;
    return grammar->events->on_target(grammar->context, at, length) ? 0 : HPE_USER;
}

static int on_header_name(llhttp_t *parser, const char *at, size_t length)
{
    struct http_grammar *grammar = parser->data;
    grammar->name_end = at + length;
    grammar->has_value = false;
    return grammar->events->on_header_name(grammar->context, at, length) ? 0 : HPE_USER;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct http_grammar *grammar = parser->data;
    grammar->has_value = true;
    return grammar->events->on_header_value(grammar->context, at, length) ? 0 : HPE_USER;
}

/* Of an empty value there is no piece. */
static int on_header_value_complete(llhttp_t *parser)
{
    struct http_grammar *grammar = parser->data;
    return grammar->has_value || on_header_value(parser, grammar->name_end, 0) == 0 ? 0 : -1;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    const struct http_grammar *grammar = parser->data;
    return grammar->events->on_body(grammar->context, at, length) ? 0 : HPE_USER;
}

static enum http_verb verb_of(const llhttp_t *parser)
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

/* One build must not accept what another refuses: behind SOURCE come HTTP/2's PRI, RTSP's methods, and new ones. */
static int on_method_complete(llhttp_t *parser)
{
    if (parser->method <= HTTP_SOURCE)
        return 0;
    llhttp_set_error_reason(parser, "invalid HTTP method");
    return HPE_USER;
}

static int on_head(llhttp_t *parser)
{
    const struct http_grammar *grammar = parser->data;
    const struct http_grammar_head head = {
        .verb = verb_of(parser),
        .version_major = parser->http_major,
        .version_minor = parser->http_minor,
        .content_length = parser->content_length,
        .keeps_alive = llhttp_should_keep_alive(parser),
    };
    if (parser->content_length > LENGTH_MAX) {
        llhttp_set_error_reason(parser, "invalid character in content-length header");
        return -1;
    }
    return grammar->events->on_head(grammar->context, &head) ? 0 : -1;
}

static int on_complete(llhttp_t *parser)
{
    const struct http_grammar *grammar = parser->data;
    grammar->events->on_complete(grammar->context);
    return HPE_PAUSED;
}

struct http_grammar *http_grammar_create(const struct http_grammar_events *events, void *context)
{
    struct http_grammar *grammar = calloc(1, sizeof *grammar);
    if (!grammar)
        return NULL;
    grammar->events = events;
    grammar->context = context;
    llhttp_settings_init(&grammar->callbacks);
    grammar->callbacks.on_method_complete = on_method_complete;
    grammar->callbacks.on_url = on_target;
    grammar->callbacks.on_header_field = on_header_name;
    grammar->callbacks.on_header_value = on_header_value;
    grammar->callbacks.on_header_value_complete = on_header_value_complete;
    grammar->callbacks.on_headers_complete = on_head;
    grammar->callbacks.on_body = on_body;
    grammar->callbacks.on_message_complete = on_complete;
    http_grammar_begin(grammar);
    return grammar;
}

void http_grammar_destroy(struct http_grammar *grammar)
{
    free(grammar);
}

/* It is strict by itself but for one thing: RFC 9110 §2.5 wants HTTP/1.2 to be read as 1.1, and llhttp refuses it. */
void http_grammar_begin(struct http_grammar *grammar)
{
    llhttp_init(&grammar->parser, HTTP_REQUEST, &grammar->callbacks);
    grammar->parser.data = grammar;
    grammar->parser.lenient_flags |= LENIENT_VERSION;
}

size_t http_grammar_run(struct http_grammar *grammar, const char *bytes, size_t length)
{
    if (llhttp_execute(&grammar->parser, bytes, length) == HPE_OK)
        return length;
    return (size_t)(llhttp_get_error_pos(&grammar->parser) - bytes);
}

enum http_verb http_grammar_verb(const struct http_grammar *grammar)
{
    return verb_of(&grammar->parser);
}

const char *http_grammar_fault(const struct http_grammar *grammar)
{
    enum llhttp_errno reason = llhttp_get_errno(&grammar->parser);
    if (reason == HPE_OK || reason == HPE_PAUSED)
        return NULL;
    const char *message = llhttp_get_error_reason(&grammar->parser);
    return message ? message : "";
}
