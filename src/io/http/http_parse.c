#include "io/http/http_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "io/http/http_grammar.h"
#include "io/http/http_heads.h"
#include "io/http/http_strict.h"

/*
 * http_grammar decides what a request is; what it lets pass and should not is refused here: what http_strict says,
 * Transfer-Encoding, a second Content-Length.
 */

enum {
    FIRST_CAPACITY = 4096,
    KEPT_CAPACITY_MAX = 4096, /* what an idle workspace may keep */
    METHOD_MAX = 8,           /* of the requests that are looked for among the known ones, with the space */
};

/* Counted from the request's first byte. */
struct place {
    uint32_t begin;
    uint32_t length;
};

struct header_place {
    struct place name;
    struct place value;
};

enum parse_step { STEP_BEFORE, STEP_REQUEST_LINE, STEP_HEADER_NAME, STEP_HEADER_VALUE, STEP_BODY, STEP_COMPLETE };

/* What a head was parsed to: all that a handler may ask of it, and the same for the same bytes. */
struct request {
    enum http_verb verb;
    bool is_version_1_0;
    bool is_keep_alive;
    struct place target;
    struct place path;
    struct place query;
    size_t header_count;
    struct header_place headers[];
};

struct http_parse {
    const struct http_server_options *limits;
    struct http_heads *heads; /* NULL: none are known */
    struct http_grammar *grammar;

    char *data;
    size_t capacity;
    size_t begin;  /* of the request in data */
    size_t parsed; /* end of what the parser has seen */
    size_t end;    /* of the received bytes */

    enum parse_step step;
    bool skipped_line;
    bool wants_continue;
    int refusal;
    const char *refusal_message;
    struct place body;
    struct request request; /* last: its headers follow */
};

static const struct http_grammar_events events;

/* ---- memory ---- */

struct http_parse *http_parse_create(const struct http_server_options *limits, struct http_heads *heads)
{
    size_t size = sizeof(struct http_parse) + limits->max_header_count * sizeof(struct header_place);
    struct http_parse *parse = calloc(1, size);
    if (!parse)
        return NULL;
    parse->limits = limits;
    parse->heads = heads;
    parse->data = malloc(FIRST_CAPACITY);
    parse->grammar = http_grammar_create(&events, parse);
    if (!parse->data || !parse->grammar) {
        http_parse_destroy(parse);
        return NULL;
    }
    parse->capacity = FIRST_CAPACITY;
    return parse;
}

void http_parse_destroy(struct http_parse *parse)
{
    if (!parse)
        return;
    if (parse->data)
        secret_wipe(parse->data, parse->end);
    free(parse->data);
    http_grammar_destroy(parse->grammar);
    free(parse);
}

bool http_parse_reset(struct http_parse *parse)
{
    secret_wipe(parse->data, parse->end);
    parse->begin = parse->parsed = parse->end = 0;
    parse->step = STEP_BEFORE;
    parse->skipped_line = false;
    parse->refusal = 0;
    return parse->capacity <= KEPT_CAPACITY_MAX;
}

static bool grow(struct http_parse *parse)
{
    size_t capacity = 2 * parse->capacity;
    char *data = malloc(capacity);
    if (!data)
        return false;
    memcpy(data, parse->data, parse->end);
    secret_wipe(parse->data, parse->end);
    free(parse->data);
    parse->data = data;
    parse->capacity = capacity;
    return true;
}

/* Bounded without a limit of its own: a head or body that is too large is refused before it fills the next doubling. */
char *http_parse_room(struct http_parse *parse, size_t *ret_size)
{
    if (parse->end == parse->capacity && parse->begin > 0) {
        size_t kept = parse->end - parse->begin;
        memmove(parse->data, parse->data + parse->begin, kept);
        secret_wipe(parse->data + kept, parse->begin);
        parse->parsed -= parse->begin;
        parse->end = kept;
        parse->begin = 0;
    }
    if (parse->end == parse->capacity && !grow(parse))
        return NULL;
    *ret_size = parse->capacity - parse->end;
    return parse->data + parse->end;
}

void http_parse_filled(struct http_parse *parse, size_t length)
{
    parse->end += length;
}

bool http_parse_is_empty(const struct http_parse *parse)
{
    return parse->begin == parse->end;
}

/* ---- what the grammar calls ---- */

static bool refuse(struct http_parse *parse, int status, const char *message)
{
    parse->refusal = status;
    parse->refusal_message = message;
    return false;
}

static const char *at_place(const struct http_parse *parse, struct place place)
{
    return parse->data + parse->begin + place.begin;
}

static struct http_text text_at(const struct http_parse *parse, struct place place)
{
    return (struct http_text){at_place(parse, place), place.length};
}

/* The parser gives a text in as many pieces as there were reads; in our memory they stand one after the other. */
static void place_extend(struct http_parse *parse, struct place *place, bool is_first, const char *at, size_t length)
{
    if (is_first)
        *place = (struct place){.begin = (uint32_t)(at - parse->data - (ptrdiff_t)parse->begin)};
    place->length += (uint32_t)length;
}

static bool on_target(void *context, const char *at, size_t length)
{
    struct http_parse *parse = context;
    place_extend(parse, &parse->request.target, parse->request.target.length == 0, at, length);
    if (parse->request.target.length > parse->limits->max_target)
        return refuse(parse, 414, "The request target is too long.");
    return true;
}

static bool on_header_name(void *context, const char *at, size_t length)
{
    struct http_parse *parse = context;
    bool is_first = parse->step != STEP_HEADER_NAME;
    if (is_first) {
        if (parse->request.header_count == parse->limits->max_header_count)
            return refuse(parse, 431, "The request has too many headers.");
        parse->request.headers[parse->request.header_count++] = (struct header_place){0};
        parse->step = STEP_HEADER_NAME;
    }
    place_extend(parse, &parse->request.headers[parse->request.header_count - 1].name, is_first, at, length);
    return true;
}

static bool on_header_value(void *context, const char *at, size_t length)
{
    struct http_parse *parse = context;
    bool is_first = parse->step != STEP_HEADER_VALUE;
    parse->step = STEP_HEADER_VALUE;
    place_extend(parse, &parse->request.headers[parse->request.header_count - 1].value, is_first, at, length);
    return true;
}

static bool on_body(void *context, const char *at, size_t length)
{
    struct http_parse *parse = context;
    place_extend(parse, &parse->body, parse->body.length == 0, at, length);
    return true;
}

static void on_complete(void *context)
{
    struct http_parse *parse = context;
    parse->step = STEP_COMPLETE;
}

/* ---- the head ---- */

/* RFC 9112 §3.2: origin form, or absolute form, of which the origin counts. */
static bool split_target(struct http_parse *parse)
{
    static const char *const schemes[] = {"http://", "https://"};
    struct http_text target = text_at(parse, parse->request.target);
    size_t path = 0;
    bool is_origin_form = target.data[0] == '/';
    for (size_t i = 0; !is_origin_form && i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i]);
        if (target.length <= size || strncasecmp(target.data, schemes[i], size) != 0)
            continue;
        for (path = size; path < target.length && target.data[path] != '/' && target.data[path] != '?'; path++)
            ;
        if (path == size)
            return false;
    }
    if (path == 0 && !is_origin_form)
        return false;

    const char *mark = memchr(target.data + path, '?', target.length - path);
    size_t query = mark ? (size_t)(mark - target.data) : target.length;
    parse->request.path = (struct place){parse->request.target.begin + (uint32_t)path, (uint32_t)(query - path)};
    parse->request.query = (struct place){parse->request.target.begin + (uint32_t)query + 1, 0};
    if (mark)
        parse->request.query.length = (uint32_t)(target.length - query - 1);
    return true;
}

static struct http_text trimmed_value(const struct http_parse *parse, const struct header_place *header)
{
    struct http_text value = text_at(parse, header->value);
    while (value.length > 0 && (value.data[value.length - 1] == ' ' || value.data[value.length - 1] == '\t'))
        value.length--;
    return value;
}

static bool is_text(struct http_text text, const char *other)
{
    return text.length == strlen(other) && strncasecmp(text.data, other, text.length) == 0;
}

static bool begins_with(struct http_text text, const char *beginning)
{
    size_t length = strlen(beginning);
    return text.length >= length && strncasecmp(text.data, beginning, length) == 0;
}

static bool check_headers(struct http_parse *parse, const struct http_grammar_head *head)
{
    size_t hosts = 0;
    size_t lengths = 0;
    for (size_t i = 0; i < parse->request.header_count; i++) {
        const struct header_place *header = &parse->request.headers[i];
        struct http_text name = text_at(parse, header->name);
        struct http_text value = trimmed_value(parse, header);
        if (!http_strict_header(name, value))
            return refuse(parse, 400, "A header is malformed.");
        if (is_text(name, "host"))
            hosts++;
        else if (begins_with(name, "transfer-encoding")) /* http-parser takes Transfer-Encoding-X for it */
            return refuse(parse, 400, "Transfer-Encoding is not taken here; send a Content-Length.");
        else if (is_text(name, "content-length") && (lengths++ > 0 || !http_strict_content_length(value)))
            return refuse(parse, 400, "There must be one Content-Length, and it must be a number.");
        else if (is_text(name, "expect"))
            parse->wants_continue = is_text(value, "100-continue");
    }
    if (hosts > 1 || (hosts == 0 && head->version_minor > 0))
        return refuse(parse, 400, "There must be one Host header.");
    return true;
}

static bool on_head(void *context, const struct http_grammar_head *head)
{
    struct http_parse *parse = context;
    struct http_text received = {parse->data + parse->begin, parse->end - parse->begin};
    struct http_text target = text_at(parse, parse->request.target);
    size_t head_length = http_strict_head_length(received);
    if (head_length == 0 || !http_strict_request_line(received, target))
        return refuse(parse, 400, "The request's lines are malformed.");
    if (head_length - target.length > parse->limits->max_header_bytes)
        return refuse(parse, 431, "The request's headers are too large.");
    if (head->version_major != 1)
        return refuse(parse, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    if (!http_strict_target(target) || !split_target(parse))
        return refuse(parse, 400, "The request target is malformed.");
    if (!check_headers(parse, head))
        return false;
    if (head->content_length > parse->limits->max_body)
        return refuse(parse, 413, "The request's body is too large.");
    parse->request.verb = head->verb;
    parse->request.is_version_1_0 = head->version_minor == 0;
    parse->request.is_keep_alive = head->keeps_alive;
    /* RFC 9110 §10.1.1: not for 1.0, and not when the body is on its way already. */
    if (head->content_length == 0 || parse->request.is_version_1_0 || received.length > head_length)
        parse->wants_continue = false;
    parse->step = STEP_BODY;
    return true;
}

/* ---- the request ---- */

static const struct http_grammar_events events = {
    .on_target = on_target,
    .on_header_name = on_header_name,
    .on_header_value = on_header_value,
    .on_head = on_head,
    .on_body = on_body,
    .on_complete = on_complete,
};

/* RFC 9112 §2.2: one empty line before a request is forgiven. */
static enum http_parse_result begin_request(struct http_parse *parse)
{
    const char *data = parse->data + parse->begin;
    size_t length = parse->end - parse->begin;
    if (length > 0 && (data[0] == '\r' || data[0] == '\n')) {
        if (parse->skipped_line || data[0] == '\n' || (length > 1 && data[1] != '\n')) {
            refuse(parse, 400, "The request's lines are malformed.");
            return HTTP_PARSE_REFUSED;
        }
        if (length == 1)
            return HTTP_PARSE_NEEDS_MORE;
        parse->skipped_line = true;
        parse->begin += 2;
        return begin_request(parse);
    }
    if (length == 0)
        return HTTP_PARSE_NEEDS_MORE;
    http_grammar_begin(parse->grammar);
    parse->parsed = parse->begin;
    parse->step = STEP_REQUEST_LINE;
    parse->wants_continue = false;
    parse->body = (struct place){0};
    parse->request = (struct request){0};
    return HTTP_PARSE_COMPLETE;
}

/* False: nothing is wrong. */
static bool refuse_for_grammar(struct http_parse *parse)
{
    const char *message = http_grammar_fault(parse->grammar);
    if (!message)
        return false;
    if (parse->refusal)
        return true;
    struct http_text received = {parse->data + parse->begin, parse->end - parse->begin};
    bool is_in_version = parse->step == STEP_REQUEST_LINE && parse->request.target.length > 0;
    if (is_in_version && http_strict_has_bad_version(received, text_at(parse, parse->request.target)))
        refuse(parse, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    else
        refuse(parse, 400, message);
    return true;
}

/* ---- heads that were parsed before ---- */

/* Of a request in origin form that one read brought as a whole, and nothing behind it. */
static bool find_key(const struct http_parse *parse, struct http_head_key *ret_key, struct http_text *ret_target)
{
    const char *begin = parse->data + parse->begin;
    const char *end = parse->data + parse->end;
    if (!parse->heads || parse->step != STEP_BEFORE || end - begin < METHOD_MAX || *begin < 'A' || *begin > 'Z')
        return false;
    const char *space = memchr(begin, ' ', METHOD_MAX);
    if (!space || space + 1 == end || space[1] != '/')
        return false;
    const char *target = space + 1;
    const char *rest = memchr(target, ' ', (size_t)(end - target));
    if (!rest || end - rest > HTTP_HEAD_KEPT_MAX - METHOD_MAX)
        return false;
    *ret_target = (struct http_text){target, (size_t)(rest - target)};
    ret_key->method = (struct http_text){begin, (size_t)(target - begin)};
    ret_key->rest = (struct http_text){rest, (size_t)(end - rest)};
    ret_key->hash = http_heads_hash(ret_key->method, ret_key->rest);
    return true;
}

/* The target is looked at each time, and must be one that the parser takes whatever stands around it. */
static bool recall(struct http_parse *parse, const struct http_head_key *key, struct http_text target)
{
    size_t size;
    const void *known = http_heads_find(parse->heads, key, &size);
    if (!known || target.length > parse->limits->max_target || !http_strict_target(target))
        return false;
    struct request *request = &parse->request;
    memcpy(request, known, size);
    uint32_t shift = (uint32_t)target.length - request->target.length;
    for (size_t i = 0; i < request->header_count; i++) {
        request->headers[i].name.begin += shift;
        request->headers[i].value.begin += shift;
    }
    request->target.length = (uint32_t)target.length;
    parse->body = (struct place){0};
    parse->wants_continue = false;
    parse->parsed = parse->end;
    parse->step = STEP_COMPLETE;
    return split_target(parse);
}

/* Who sends credentials here does so by mistake; they are not kept. */
static bool has_credentials(const struct http_parse *parse)
{
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie"};
    struct http_text value;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (http_parse_header(parse, names[i], &value))
            return true;
    }
    return false;
}

static void learn(struct http_parse *parse, const struct http_head_key *key)
{
    if (parse->parsed < parse->end || parse->body.length > 0 || has_credentials(parse))
        return;
    size_t size = sizeof parse->request + parse->request.header_count * sizeof *parse->request.headers;
    http_heads_learn(parse->heads, key, &parse->request, size);
}

/* ---- one request after another ---- */

static enum http_parse_result parse_on(struct http_parse *parse)
{
    if (parse->step == STEP_BEFORE) {
        enum http_parse_result begun = begin_request(parse);
        if (begun != HTTP_PARSE_COMPLETE)
            return begun;
    }
    if (parse->parsed < parse->end)
        parse->parsed += http_grammar_run(parse->grammar, parse->data + parse->parsed, parse->end - parse->parsed);
    if (parse->step == STEP_COMPLETE)
        return HTTP_PARSE_COMPLETE;
    if (refuse_for_grammar(parse))
        return HTTP_PARSE_REFUSED;
    size_t target = parse->request.target.length;
    if (parse->step < STEP_BODY && parse->end - parse->begin - target > parse->limits->max_header_bytes) {
        refuse(parse, 431, "The request's headers are too large.");
        return HTTP_PARSE_REFUSED;
    }
    return HTTP_PARSE_NEEDS_MORE;
}

enum http_parse_result http_parse_run(struct http_parse *parse)
{
    if (parse->refusal)
        return HTTP_PARSE_REFUSED;
    struct http_head_key key;
    struct http_text target;
    bool may_be_known = find_key(parse, &key, &target);
    if (may_be_known && recall(parse, &key, target))
        return HTTP_PARSE_COMPLETE;
    enum http_parse_result result = parse_on(parse);
    if (may_be_known && result == HTTP_PARSE_COMPLETE)
        learn(parse, &key);
    return result;
}

void http_parse_finish_request(struct http_parse *parse)
{
    parse->begin = parse->parsed;
    parse->step = STEP_BEFORE;
    parse->skipped_line = false;
}

void http_parse_find_path(struct http_parse *parse)
{
    /* Before a request there is only what is left of the one before. */
    if (parse->step == STEP_BEFORE)
        parse->request = (struct request){0};
    if (parse->step >= STEP_BODY || parse->request.target.length == 0)
        return;
    parse->request.verb = http_grammar_verb(parse->grammar);
    (void)split_target(parse);
}

int http_parse_refusal(const struct http_parse *parse, const char **ret_message)
{
    *ret_message = parse->refusal_message;
    return parse->refusal;
}

bool http_parse_wants_continue(struct http_parse *parse)
{
    bool wants = parse->step == STEP_BODY && parse->wants_continue;
    if (wants)
        parse->wants_continue = false;
    return wants;
}

enum http_verb http_parse_verb(const struct http_parse *parse)
{
    return parse->request.verb;
}

struct http_text http_parse_path(const struct http_parse *parse)
{
    /* An absolute form may have none (RFC 9110 §4.2.3). */
    if (parse->request.path.length == 0)
        return (struct http_text){"/", 1};
    return text_at(parse, parse->request.path);
}

struct http_text http_parse_query(const struct http_parse *parse)
{
    return parse->request.query.length == 0 ? (struct http_text){"", 0} : text_at(parse, parse->request.query);
}

struct http_text http_parse_body(const struct http_parse *parse)
{
    return parse->body.length == 0 ? (struct http_text){"", 0} : text_at(parse, parse->body);
}

bool http_parse_header(const struct http_parse *parse, const char *name, struct http_text *ret_value)
{
    for (size_t i = 0; i < parse->request.header_count; i++) {
        if (is_text(text_at(parse, parse->request.headers[i].name), name)) {
            *ret_value = trimmed_value(parse, &parse->request.headers[i]);
            return true;
        }
    }
    return false;
}

bool http_parse_is_version_1_0(const struct http_parse *parse)
{
    return parse->request.is_version_1_0;
}

bool http_parse_keeps_alive(const struct http_parse *parse)
{
    return parse->request.is_keep_alive;
}
