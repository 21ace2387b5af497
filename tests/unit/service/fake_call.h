#ifndef FAKE_CALL_H
#define FAKE_CALL_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/text/text_buffer.h"
#include "io/http/http_server.h"
#include "model/rule/access_rule.h"

/*
 * The HTTP server's side of a call, in the place of the real one: the request is what the test says, the reply is
 * kept. Included by one file of each program.
 */
enum { FAKE_HEADERS_MAX = 16, FAKE_REPLY_MAX = 4 * 1024 * 1024 };

struct http_call {
    enum http_verb verb;
    const char *path;
    const char *query;
    const char *body;
    struct http_reply_header headers[FAKE_HEADERS_MAX];
    struct peer peer;
    bool is_tcp;
    /* the reply */
    int status; /* 0: none yet */
    bool is_streaming;
    bool has_ended;
    struct text_buffer head; /* "Name: value\n" each */
    struct text_buffer reply;
    char *ready;
    size_t ready_length;
    http_call_gone *gone;
    void *gone_context;
};

static inline void fake_call_init(struct http_call *call, enum http_verb verb, const char *path)
{
    *call = (struct http_call){.verb = verb, .path = path};
    text_buffer_init(&call->head, FAKE_REPLY_MAX);
    text_buffer_init(&call->reply, FAKE_REPLY_MAX);
}

static inline void http_call_finish(struct http_call *call)
{
    text_buffer_finish(&call->head);
    text_buffer_finish(&call->reply);
    free(call->ready);
}

/* The body of the reply, whichever way it was given. */
static inline const char *fake_call_text(const struct http_call *call)
{
    return call->ready ? call->ready : text_buffer_text(&call->reply);
}

static inline bool fake_call_has(const struct http_call *call, const char *text)
{
    return strstr(fake_call_text(call), text);
}

static inline bool fake_call_has_header(const struct http_call *call, const char *line)
{
    return strstr(text_buffer_text(&call->head), line);
}

static inline struct http_text fake_text(const char *text)
{
    return (struct http_text){text, text ? strlen(text) : 0};
}

enum http_verb http_call_verb(const struct http_call *call)
{
    return call->verb;
}

struct http_text http_call_path(const struct http_call *call)
{
    return fake_text(call->path);
}

struct http_text http_call_query(const struct http_call *call)
{
    return fake_text(call->query);
}

struct http_text http_call_body(const struct http_call *call)
{
    return fake_text(call->body);
}

bool http_call_header(const struct http_call *call, const char *name, struct http_text *ret_value)
{
    for (size_t i = 0; i < FAKE_HEADERS_MAX && call->headers[i].name; i++) {
        if (strcasecmp(call->headers[i].name, name) == 0) {
            *ret_value = fake_text(call->headers[i].value);
            return true;
        }
    }
    return false;
}

const struct peer *http_call_peer(const struct http_call *call)
{
    return call->is_tcp ? NULL : &call->peer;
}

void http_call_find_peer_unit(struct http_call *call)
{
    (void)call;
}

void http_call_charge(struct http_call *call, size_t usual_calls)
{
    (void)call;
    (void)usual_calls;
}

bool http_call_peer_is_there(const struct http_call *call)
{
    (void)call;
    return true;
}

void http_call_on_gone(struct http_call *call, http_call_gone *gone, void *context)
{
    call->gone = gone;
    call->gone_context = context;
}

static inline void fake_call_answer(struct http_call *call, int status)
{
    cr_assert_eq(call->status, 0, "a call is answered once");
    call->status = status;
    if (!call->is_streaming)
        call->gone = NULL;
}

void http_call_reply(struct http_call *call, int status, const char *content_type,
                     const struct http_reply_header *headers, size_t count, const char *body, size_t length)
{
    fake_call_answer(call, status);
    if (content_type)
        text_buffer_append_format(&call->head, "Content-Type: %s\n", content_type);
    for (size_t i = 0; i < count; i++) {
        cr_assert_null(strpbrk(headers[i].value, "\r\n"), "no value breaks its line");
        text_buffer_append_format(&call->head, "%s: %s\n", headers[i].name, headers[i].value);
    }
    text_buffer_append(&call->reply, body, length);
}

char *http_call_reply_ready(struct http_call *call, const char *head, size_t head_length, size_t length)
{
    fake_call_answer(call, 200);
    text_buffer_append(&call->head, head, head_length);
    call->ready = calloc(1, length + 1);
    call->ready_length = length;
    return call->ready;
}

void http_call_stream_begin(struct http_call *call, const char *content_type)
{
    call->is_streaming = true;
    fake_call_answer(call, 200);
    text_buffer_append_format(&call->head, "Content-Type: %s\n", content_type);
}

void http_call_stream_write(struct http_call *call, const char *data, size_t length)
{
    cr_assert(call->is_streaming && !call->has_ended);
    text_buffer_append(&call->reply, data, length);
}

void http_call_stream_end(struct http_call *call)
{
    cr_assert(call->is_streaming && !call->has_ended);
    call->has_ended = true;
    call->gone = NULL;
}

#endif
