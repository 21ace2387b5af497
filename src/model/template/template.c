#include "model/template/template.h"

#include <string.h>

#include "model/rule/path_segment.h"

/* One run of literal text, or one {{path}} or {{{path}}}. */
struct piece {
    const char *text;
    size_t length;
    bool is_path;
    bool encode; /* {{path}} */
};

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* \{{{ and \{{: the braces without the backslash. */
static size_t escape_length(const char *text)
{
    if (!starts_with(text, "\\{{"))
        return 0;
    return text[3] == '{' ? 4 : 3;
}

/* The text may hold secrets, so that a message says what is wrong and where, never what stands there. */
static enum status read_path(const char *whole, const char **at, struct piece *ret_piece, struct error *ret_error)
{
    static const char path_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$-";
    const long position = (long)(*at - whole) + 1;
    const bool raw = starts_with(*at, "{{{");
    const char *closing = raw ? "}}}" : "}}";
    const char *path = *at + (raw ? 3 : 2);
    const size_t length = strspn(path, path_characters);
    const char *end = strstr(path, closing);
    if (!end)
        return error_set(ret_error, ERR_INVALID, "the template at byte %ld is not closed with %s", position, closing);
    if (end != path + length)
        return error_set(ret_error, ERR_INVALID, "the template at byte %ld is no path of letters, digits and _.$-",
                         position);
    if (length == 0)
        return error_set(ret_error, ERR_INVALID, "the template at byte %ld is empty", position);
    if (length > TEMPLATE_PATH_MAX)
        return error_set(ret_error, ERR_INVALID, "the template at byte %ld is longer than %d bytes", position,
                         TEMPLATE_PATH_MAX);
    *ret_piece = (struct piece){.text = path, .length = length, .is_path = true, .encode = !raw};
    *at = end + strlen(closing);
    return OK;
}

/* Reads the piece at *at, which is not the end of the text, and moves *at past it. */
static enum status read_piece(const char *whole, const char **at, struct piece *ret_piece, struct error *ret_error)
{
    const char *start = *at;
    size_t escape = escape_length(start);
    if (escape > 0) {
        *ret_piece = (struct piece){.text = start + 1, .length = escape - 1};
        *at += escape;
        return OK;
    }
    if (starts_with(start, "{{"))
        return read_path(whole, at, ret_piece, ret_error);
    const char *end = start + 1;
    while (*end && escape_length(end) == 0 && !starts_with(end, "{{"))
        end++;
    *ret_piece = (struct piece){.text = start, .length = (size_t)(end - start)};
    *at = end;
    return OK;
}

/*
 * The first byte after the authority (RFC 3986 §3.2). Values cannot hold its delimiters, so that the end in the
 * template is the end in the result. Before "://" everything counts as authority: no value chooses the scheme.
 */
static const char *authority_end(const char *uri)
{
    const char *mark = strstr(uri, "://");
    const char *authority = mark ? mark + 3 : uri;
    return authority + strcspn(authority, "/?#");
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

/* A byte of forbidden or a control, NUL included, is in the value. */
static bool has_forbidden(const struct text_buffer *value, const char *forbidden, bool controls)
{
    for (size_t i = 0; i < value->length; i++) {
        char c = value->data[i];
        if (c == '\0' || strchr(forbidden, c) || (controls && is_control(c)))
            return true;
    }
    return false;
}

/* Escapes what would end the path segment or the parameter in which a raw value stands. */
static void append_raw_in_uri(struct text_buffer *result, const struct text_buffer *value, bool in_query)
{
    const char *delimiters = in_query ? "&#=+ \\" : "?# \\";
    for (size_t i = 0; i < value->length; i++) {
        const char *c = value->data + i;
        if (is_control(*c) || strchr(delimiters, *c))
            text_buffer_append_percent(result, c, 1);
        else
            text_buffer_append(result, c, 1);
    }
}

struct rendering {
    enum template_place place;
    const char *authority_end;
    template_lookup *lookup;
    const void *context;
    struct text_buffer result;
    /* The segment that is being written, between two '/' of a URI as a server sees it. */
    size_t segment_start;
    struct piece segment_value; /* the first value that it has, or that bounds it; text NULL: none */
    bool is_in_query;
};

/* ---- path segments ---- */

/* A segment as the template's author wrote it is his; what a value makes of one must not lead out of it. */
static enum status end_segment(struct rendering *rendering, size_t end, struct error *ret_error)
{
    const struct piece *value = &rendering->segment_value;
    if (!value->text)
        return OK;
    AUTO_FINISH(text_buffer) copy;
    text_buffer_init(&copy, TEMPLATE_RESULT_MAX);
    size_t start = rendering->segment_start;
    if (!text_buffer_append(&copy, text_buffer_text(&rendering->result) + start, end - start))
        return error_set(ret_error, ERR_NO_MEMORY, "URI");
    if (copy.length > 0 && path_segment_has_dots(copy.data, copy.length))
        return error_set(ret_error, ERR_INVALID, "the value of {{{%.*s}}} makes a path segment \".\" or \"..\"",
                         (int)value->length, value->text);
    return OK;
}

/*
 * Follows the bytes that piece has appended from start on. What stands before the path is a segment like any other: a
 * host is never only dots. A value's own '?' is encoded, so that the first one is the template's.
 */
static enum status follow_segments(struct rendering *rendering, const struct piece *piece, size_t start,
                                   struct error *ret_error)
{
    static const struct piece none = {0};
    const struct text_buffer *result = &rendering->result;
    if (piece->is_path && !rendering->segment_value.text)
        rendering->segment_value = *piece;
    for (size_t i = start; i < result->length && !rendering->is_in_query; i++) {
        const char byte = result->data[i];
        if (byte != '/' && byte != '?')
            continue;
        enum status status = end_segment(rendering, i, ret_error);
        if (status != OK)
            return status;
        rendering->segment_start = i + 1;
        rendering->segment_value = piece->is_path ? *piece : none;
        rendering->is_in_query = byte == '?';
    }
    return OK;
}

/* ---- values ---- */

static enum status append_value(struct rendering *rendering, const struct piece *piece, const char *path,
                                const struct text_buffer *value, struct error *ret_error)
{
    const bool in_uri = rendering->place == TEMPLATE_IN_URI;
    const bool in_authority = in_uri && piece->text < rendering->authority_end;
    if (in_authority && has_forbidden(value, "/@:?#\\", true))
        return error_set(ret_error, ERR_INVALID, "the value of {{{%s}}} cannot stand in a host", path);
    if (rendering->place == TEMPLATE_IN_HEADER && has_forbidden(value, "\r\n", false))
        return error_set(ret_error, ERR_INVALID, "the value of {{{%s}}} has a line break or NUL, not for a header",
                         path);

    struct text_buffer *result = &rendering->result;
    if (piece->encode) {
        text_buffer_append_percent(result, text_buffer_text(value), value->length);
    } else if (in_uri && !in_authority) {
        const char *path_start = rendering->authority_end;
        const bool in_query = memchr(path_start, '?', (size_t)(piece->text - path_start)) != NULL;
        append_raw_in_uri(result, value, in_query);
    } else {
        text_buffer_append(result, text_buffer_text(value), value->length);
    }
    return OK;
}

static enum status render_path(struct rendering *rendering, const struct piece *piece, struct error *ret_error)
{
    char path[TEMPLATE_PATH_MAX + 1];
    memcpy(path, piece->text, piece->length);
    path[piece->length] = '\0';

    AUTO_FINISH(text_buffer) value;
    text_buffer_init(&value, TEMPLATE_RESULT_MAX);
    enum status status = rendering->lookup(rendering->context, path, &value);
    if (status == ERR_NOT_FOUND)
        return error_set(ret_error, status, "{{{%s}}} resolves to nothing", path);
    if (status != OK)
        return error_set(ret_error, status, "{{{%s}}} cannot be resolved", path);
    if (value.failed)
        return error_set(ret_error, ERR_TOO_LARGE, "the value of {{{%s}}} is too large", path);
    return append_value(rendering, piece, path, &value, ret_error);
}

static enum status render_pieces(struct rendering *rendering, const char *text, struct error *ret_error)
{
    const bool in_uri = rendering->place == TEMPLATE_IN_URI;
    for (const char *at = text; *at;) {
        struct piece piece = {0};
        enum status status = read_piece(text, &at, &piece, ret_error);
        if (status != OK)
            return status;
        const size_t start = rendering->result.length;
        if (!piece.is_path)
            text_buffer_append(&rendering->result, piece.text, piece.length);
        else if ((status = render_path(rendering, &piece, ret_error)) != OK)
            return status;
        if (rendering->result.failed)
            return error_set(ret_error, ERR_TOO_LARGE, "a rendered text is longer than %d bytes", TEMPLATE_RESULT_MAX);
        if (in_uri && (status = follow_segments(rendering, &piece, start, ret_error)) != OK)
            return status;
    }
    const bool ends_in_path = in_uri && !rendering->is_in_query;
    return ends_in_path ? end_segment(rendering, rendering->result.length, ret_error) : OK;
}

enum status template_render(const char *text, enum template_place place, template_lookup *lookup, const void *context,
                            struct text_buffer *result, struct error *ret_error)
{
    struct rendering rendering = {
        .place = place,
        .authority_end = authority_end(text),
        .lookup = lookup,
        .context = context,
    };
    text_buffer_init(&rendering.result, TEMPLATE_RESULT_MAX);
    enum status status = render_pieces(&rendering, text, ret_error);
    if (status == OK && !text_buffer_append(result, text_buffer_text(&rendering.result), rendering.result.length))
        status = error_set(ret_error, ERR_TOO_LARGE, "a rendered text does not fit");
    text_buffer_finish(&rendering.result);
    return status;
}

/* Unescaped opening braces before end, closed or not: what is not closed must not pass for plain text. */
static bool has_opening_before(const char *text, const char *end)
{
    while (text < end && *text) {
        if (starts_with(text, "{{"))
            return true;
        size_t escape = escape_length(text);
        text += escape ? escape : 1;
    }
    return false;
}

const char *template_path_below(const char *path, const char *step)
{
    size_t length = strlen(step);
    return strncmp(path, step, length) == 0 && path[length] == '.' ? path + length + 1 : NULL;
}

bool template_is_in(const char *text)
{
    return has_opening_before(text, text + strlen(text));
}

bool template_is_in_authority(const char *uri)
{
    return has_opening_before(uri, authority_end(uri));
}

enum status template_walk(const char *text, template_visit *each, void *context, struct error *ret_error)
{
    for (const char *at = text; *at;) {
        struct piece piece = {0};
        enum status status = read_piece(text, &at, &piece, ret_error);
        if (status != OK)
            return status;
        if (!piece.is_path)
            continue;
        char path[TEMPLATE_PATH_MAX + 1];
        memcpy(path, piece.text, piece.length);
        path[piece.length] = '\0';
        status = each(context, path, ret_error);
        if (status != OK)
            return status;
    }
    return OK;
}
