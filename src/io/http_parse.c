#include "io/http_parse.h"

#include <http_parser.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"

/*
 * http-parser decides what a request is; what it lets pass although RFC 9112 does not, or a proxy could read in
 * another way, is refused here: bare LF, obs-fold, loose request lines, Transfer-Encoding, a second Content-Length.
 */

enum {
    FIRST_CAPACITY = 4096,
    KEPT_CAPACITY_MAX = 4096,     /* what an idle workspace may keep */
    PARSER_HEAD_MAX = 0x7fffffff, /* our own limits are the ones that count, and they say which one it was */
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

struct http_parse {
    const struct http_server_options *limits;
    http_parser parser;

    char *data;
    size_t capacity;
    size_t begin;  /* of the request in data */
    size_t parsed; /* end of what the parser has seen */
    size_t end;    /* of the received bytes */

    enum parse_step step;
    bool skipped_line;
    bool is_keep_alive;
    bool wants_continue;
    int refusal;
    const char *refusal_message;
    struct place target;
    struct place path;
    struct place query;
    struct place body;
    size_t header_count;
    struct header_place headers[];
};

/* ---- memory ---- */

struct http_parse *http_parse_create(const struct http_server_options *limits)
{
    size_t size = sizeof(struct http_parse) + limits->max_header_count * sizeof(struct header_place);
    struct http_parse *parse = calloc(1, size);
    if (!parse)
        return NULL;
    parse->limits = limits;
    parse->data = malloc(FIRST_CAPACITY);
    if (!parse->data) {
        free(parse);
        return NULL;
    }
    parse->capacity = FIRST_CAPACITY;
    http_parser_set_max_header_size(PARSER_HEAD_MAX);
    return parse;
}

void http_parse_destroy(struct http_parse *parse)
{
    if (!parse)
        return;
    secret_wipe(parse->data, parse->end);
    free(parse->data);
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

/* ---- what the parser calls ---- */

static int refuse(struct http_parse *parse, int status, const char *message)
{
    parse->refusal = status;
    parse->refusal_message = message;
    return -1;
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

static int on_target(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    place_extend(parse, &parse->target, parse->target.length == 0, at, length);
    if (parse->target.length > parse->limits->max_target)
        return refuse(parse, 414, "The request target is too long.");
    return 0;
}

static int on_header_name(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    bool is_first = parse->step != STEP_HEADER_NAME;
    if (is_first) {
        if (parse->header_count == parse->limits->max_header_count)
            return refuse(parse, 431, "The request has too many headers.");
        parse->headers[parse->header_count++] = (struct header_place){0};
        parse->step = STEP_HEADER_NAME;
    }
    place_extend(parse, &parse->headers[parse->header_count - 1].name, is_first, at, length);
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    bool is_first = parse->step != STEP_HEADER_VALUE;
    parse->step = STEP_HEADER_VALUE;
    place_extend(parse, &parse->headers[parse->header_count - 1].value, is_first, at, length);
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http_parse *parse = parser->data;
    place_extend(parse, &parse->body, parse->body.length == 0, at, length);
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct http_parse *parse = parser->data;
    parse->step = STEP_COMPLETE;
    http_parser_pause(parser, 1);
    return 0;
}

/* ---- what the parser lets pass ---- */

/* RFC 9112 §3: single spaces, and the version is there (a line without one would be HTTP/0.9). */
static bool is_request_line_strict(const struct http_parse *parse)
{
    static const char version[] = " HTTP/";
    const char *target = at_place(parse, parse->target);
    const char *after = target + parse->target.length;
    size_t left = (size_t)(parse->data + parse->end - after);
    return parse->target.begin >= 2 && target[-2] != ' ' && left >= sizeof version - 1 &&
           memcmp(after, version, sizeof version - 1) == 0;
}

/* RFC 9112 §2.2, §5.2: each line ends in CR LF, has neither within, and begins with no space. 0 when one does not. */
static size_t strict_head_length(const struct http_parse *parse)
{
    const char *begin = parse->data + parse->begin;
    const char *end = parse->data + parse->end;
    for (const char *line = begin;;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (!feed || memchr(line, '\r', (size_t)(feed - line + 1)) != feed - 1 || *line == ' ' || *line == '\t')
            return 0;
        if (feed == line + 1)
            return (size_t)(feed + 1 - begin);
        line = feed + 1;
    }
}

static bool is_visible(struct http_text target)
{
    for (size_t i = 0; i < target.length; i++) {
        if (target.data[i] <= ' ' || target.data[i] > '~' || target.data[i] == '#')
            return false;
    }
    return target.length > 0;
}

/* RFC 9112 §3.2: origin form, or absolute form, of which the origin counts. */
static bool split_target(struct http_parse *parse)
{
    static const char *const schemes[] = {"http://", "https://"};
    struct http_text target = text_at(parse, parse->target);
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
    parse->path = (struct place){parse->target.begin + (uint32_t)path, (uint32_t)(query - path)};
    parse->query = (struct place){parse->target.begin + (uint32_t)query + 1, 0};
    if (mark)
        parse->query.length = (uint32_t)(target.length - query - 1);
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

static bool is_number(struct http_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.length > 0;
}

/* RFC 9112 §5.1: no space before the colon; RFC 9110 §5.5: no control bytes but the tab. http-parser takes both. */
static bool is_header_strict(struct http_text name, struct http_text value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return name.length > 0 && !memchr(name.data, ' ', name.length);
}

static int check_headers(struct http_parse *parse)
{
    size_t hosts = 0;
    size_t lengths = 0;
    for (size_t i = 0; i < parse->header_count; i++) {
        const struct header_place *header = &parse->headers[i];
        struct http_text name = text_at(parse, header->name);
        struct http_text value = trimmed_value(parse, header);
        if (!is_header_strict(name, value))
            return refuse(parse, 400, "A header is malformed.");
        if (is_text(name, "host"))
            hosts++;
        else if (is_text(name, "transfer-encoding"))
            return refuse(parse, 400, "Transfer-Encoding is not taken here; send a Content-Length.");
        else if (is_text(name, "content-length") && (lengths++ > 0 || !is_number(value)))
            return refuse(parse, 400, "There must be one Content-Length, and it must be a number.");
        else if (is_text(name, "expect"))
            parse->wants_continue = is_text(value, "100-continue");
    }
    if (hosts > 1 || (hosts == 0 && parse->parser.http_minor > 0))
        return refuse(parse, 400, "There must be one Host header.");
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct http_parse *parse = parser->data;
    size_t head_length = strict_head_length(parse);
    if (head_length == 0 || !is_request_line_strict(parse))
        return refuse(parse, 400, "The request's lines are malformed.");
    if (head_length - parse->target.length > parse->limits->max_header_bytes)
        return refuse(parse, 431, "The request's headers are too large.");
    if (parser->http_major != 1)
        return refuse(parse, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    if (!is_visible(text_at(parse, parse->target)) || !split_target(parse))
        return refuse(parse, 400, "The request target is malformed.");
    if (check_headers(parse) < 0)
        return -1;
    bool has_body = parser->content_length != UINT64_MAX && parser->content_length > 0;
    if (has_body && parser->content_length > parse->limits->max_body)
        return refuse(parse, 413, "The request's body is too large.");
    parse->is_keep_alive = http_should_keep_alive(parser);
    /* RFC 9110 §10.1.1: not for 1.0, and not when the body is on its way already. */
    if (!has_body || parser->http_minor == 0 || parse->end - parse->begin > head_length)
        parse->wants_continue = false;
    parse->step = STEP_BODY;
    return 0;
}

/* ---- the request ---- */

static const http_parser_settings callbacks = {
    .on_url = on_target,
    .on_header_field = on_header_name,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
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
    http_parser_init(&parse->parser, HTTP_REQUEST);
    parse->parser.data = parse;
    parse->parsed = parse->begin;
    parse->step = STEP_REQUEST_LINE;
    parse->wants_continue = false;
    parse->target = parse->path = parse->query = parse->body = (struct place){0};
    parse->header_count = 0;
    return HTTP_PARSE_COMPLETE;
}

static void refuse_for_parser(struct http_parse *parse)
{
    enum http_errno reason = HTTP_PARSER_ERRNO(&parse->parser);
    if (parse->refusal)
        return;
    if (reason == HPE_INVALID_VERSION)
        refuse(parse, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    else
        refuse(parse, 400, http_errno_description(reason));
}

enum http_parse_result http_parse_run(struct http_parse *parse)
{
    if (parse->refusal)
        return HTTP_PARSE_REFUSED;
    if (parse->step == STEP_BEFORE) {
        enum http_parse_result begun = begin_request(parse);
        if (begun != HTTP_PARSE_COMPLETE)
            return begun;
    }
    if (parse->parsed < parse->end)
        parse->parsed +=
            http_parser_execute(&parse->parser, &callbacks, parse->data + parse->parsed, parse->end - parse->parsed);
    if (parse->step == STEP_COMPLETE)
        return HTTP_PARSE_COMPLETE;
    if (HTTP_PARSER_ERRNO(&parse->parser) != HPE_OK) {
        refuse_for_parser(parse);
        return HTTP_PARSE_REFUSED;
    }
    if (parse->step < STEP_BODY && parse->end - parse->begin - parse->target.length > parse->limits->max_header_bytes) {
        refuse(parse, 431, "The request's headers are too large.");
        return HTTP_PARSE_REFUSED;
    }
    return HTTP_PARSE_NEEDS_MORE;
}

void http_parse_finish_request(struct http_parse *parse)
{
    parse->begin = parse->parsed;
    parse->step = STEP_BEFORE;
    parse->skipped_line = false;
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
    switch (parse->parser.method) {
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

struct http_text http_parse_path(const struct http_parse *parse)
{
    /* An absolute form may have none (RFC 9110 §4.2.3). */
    if (parse->path.length == 0)
        return (struct http_text){"/", 1};
    return text_at(parse, parse->path);
}

struct http_text http_parse_query(const struct http_parse *parse)
{
    return parse->query.length == 0 ? (struct http_text){"", 0} : text_at(parse, parse->query);
}

struct http_text http_parse_body(const struct http_parse *parse)
{
    return parse->body.length == 0 ? (struct http_text){"", 0} : text_at(parse, parse->body);
}

bool http_parse_header(const struct http_parse *parse, const char *name, struct http_text *ret_value)
{
    for (size_t i = 0; i < parse->header_count; i++) {
        if (is_text(text_at(parse, parse->headers[i].name), name)) {
            *ret_value = trimmed_value(parse, &parse->headers[i]);
            return true;
        }
    }
    return false;
}

bool http_parse_is_version_1_0(const struct http_parse *parse)
{
    return parse->parser.http_minor == 0;
}

bool http_parse_keeps_alive(const struct http_parse *parse)
{
    return parse->is_keep_alive;
}
