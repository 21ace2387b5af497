#include "model/reply/token_binding.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"
#include "model/reply/scope_set.h"
#include "model/rule/uri_origin.h"

enum part_kind { KIND_VALUE, KIND_ORIGIN, KIND_ACCOUNT, KIND_UNKNOWN, KIND_ASKED, KIND_NARROWED };

#define BINDING_PART_ROW(symbol, name, kind, words) [BINDING_##symbol] = {name, words, KIND_##kind},
static const struct {
    const char *name;
    const char *words;
    enum part_kind kind;
} parts[BINDING_PART_COUNT] = {BINDING_PART_TABLE(BINDING_PART_ROW)};
#undef BINDING_PART_ROW

/* One allocation: there may be one for each of very many connections. */
struct token_binding {
    unsigned holds;
    uint32_t offsets[BINDING_PART_COUNT]; /* into texts, plus one; 0: absent */
    char texts[];
};

/* ---- life ---- */

struct token_binding *token_binding_create_from(const char *const *values, const size_t *lengths)
{
    size_t size = 0;
    for (int i = 0; i < BINDING_PART_COUNT; i++)
        size += values[i] ? lengths[i] + 1 : 0;
    struct token_binding *binding = size < UINT32_MAX ? calloc(1, sizeof *binding + size) : NULL;
    if (!binding)
        return NULL;
    binding->holds = 1;
    size_t at = 0;
    for (int i = 0; i < BINDING_PART_COUNT; i++) {
        if (!values[i])
            continue;
        memcpy(binding->texts + at, values[i], lengths[i]);
        binding->offsets[i] = (uint32_t)at + 1;
        at += lengths[i] + 1;
    }
    return binding;
}

struct token_binding *token_binding_create(const char *const *values)
{
    size_t lengths[BINDING_PART_COUNT];
    for (int i = 0; i < BINDING_PART_COUNT; i++)
        lengths[i] = values[i] ? strlen(values[i]) : 0;
    return token_binding_create_from(values, lengths);
}

struct token_binding *token_binding_hold(const struct token_binding *binding)
{
    struct token_binding *held = (struct token_binding *)(uintptr_t)binding;
    if (held)
        held->holds++;
    return held;
}

void token_binding_destroy(struct token_binding *binding)
{
    if (binding && --binding->holds == 0)
        free(binding);
}

/* ---- values ---- */

const char *token_binding_value(const struct token_binding *binding, enum binding_part part)
{
    return binding->offsets[part] ? binding->texts + binding->offsets[part] - 1 : NULL;
}

const char *binding_part_name(enum binding_part part)
{
    return parts[part].name;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_part(const struct token_binding *a, const struct token_binding *b, enum binding_part part)
{
    return same_text(token_binding_value(a, part), token_binding_value(b, part));
}

bool token_binding_equal(const struct token_binding *a, const struct token_binding *b)
{
    bool is_equal = a == b || (a && b);
    for (int i = 0; a != b && is_equal && i < BINDING_PART_COUNT; i++)
        is_equal = same_part(a, b, (enum binding_part)i);
    return is_equal;
}

/* ---- comparison ---- */

static bool has_origin(const struct token_binding *binding, const char *origin)
{
    for (int i = 0; i < BINDING_PART_COUNT; i++) {
        const char *own = token_binding_value(binding, (enum binding_part)i);
        if (parts[i].kind == KIND_ORIGIN && own && strcmp(own, origin) == 0)
            return true;
    }
    return false;
}

static bool permits_origin(const struct token_binding *binding, enum binding_part endpoint, const char *origin)
{
    const char *own = token_binding_value(binding, endpoint);
    return own ? strcmp(own, origin) == 0 : has_origin(binding, origin);
}

static bool forbids(const struct token_binding *stored, const struct token_binding *present, enum binding_part part)
{
    switch (parts[part].kind) {
    case KIND_ORIGIN:
        return token_binding_value(present, part) && !permits_origin(stored, part, token_binding_value(present, part));
    case KIND_VALUE:
    case KIND_ACCOUNT:
        return !same_part(stored, present, part);
    default:
        return false;
    }
}

enum binding_part token_binding_conflict(const struct token_binding *stored, const struct token_binding *present)
{
    if (stored == present)
        return BINDING_PART_COUNT;
    if (!stored || token_binding_value(stored, BINDING_FINGERPRINT))
        return BINDING_FINGERPRINT;
    for (int i = 0; i < BINDING_PART_COUNT; i++)
        if (forbids(stored, present, (enum binding_part)i))
            return (enum binding_part)i;
    return BINDING_PART_COUNT;
}

enum asked_change token_binding_asked(const struct token_binding *stored, const struct token_binding *present,
                                      enum binding_part *ret_part)
{
    const char *refreshed = token_binding_value(stored, BINDING_REFRESHED_SCOPE);
    if (stored == present && !refreshed)
        return ASKED_SAME;
    static const enum binding_part wholes[] = {BINDING_AUDIENCE, BINDING_RESOURCE};
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++) {
        *ret_part = wholes[i];
        if (!same_part(stored, present, wholes[i]))
            return ASKED_OTHER;
    }
    *ret_part = BINDING_SCOPE;
    const char *granted = token_binding_value(stored, BINDING_SCOPE);
    const char *wanted = token_binding_value(present, BINDING_SCOPE);
    if (scope_set_equal(wanted, refreshed ? refreshed : granted))
        return ASKED_SAME;
    if (scope_set_equal(wanted, granted))
        return ASKED_WHOLE;
    return wanted && granted && scope_set_contains(granted, wanted) ? ASKED_NARROWER : ASKED_OTHER;
}

/* ---- after a refresh ---- */

struct token_binding *token_binding_refreshed(const struct token_binding *stored, const struct token_binding *present)
{
    const char *values[BINDING_PART_COUNT];
    for (int i = 0; i < BINDING_PART_COUNT; i++) {
        const char *own = token_binding_value(present, (enum binding_part)i);
        bool is_kept = parts[i].kind == KIND_ASKED || (parts[i].kind == KIND_ORIGIN && !own);
        values[i] = is_kept ? token_binding_value(stored, (enum binding_part)i) : own;
    }
    const char *granted = values[BINDING_SCOPE];
    const char *wanted = token_binding_value(present, BINDING_SCOPE);
    bool is_less = wanted && granted && !scope_set_equal(wanted, granted) && scope_set_contains(granted, wanted);
    values[BINDING_REFRESHED_SCOPE] = is_less ? wanted : NULL;
    const struct token_binding *candidates[] = {stored, present};
    for (size_t c = 0; c < sizeof candidates / sizeof candidates[0]; c++) {
        bool is_same = true;
        for (int i = 0; is_same && i < BINDING_PART_COUNT; i++)
            is_same = same_text(values[i], token_binding_value(candidates[c], (enum binding_part)i));
        if (is_same)
            return token_binding_hold(candidates[c]);
    }
    return token_binding_create(values);
}

/* ---- the last look ---- */

enum status token_binding_check_request(const struct token_binding *binding, enum binding_part endpoint,
                                        const char *client_id, const char *url, struct error *ret_error)
{
    if (!binding || token_binding_value(binding, BINDING_FINGERPRINT))
        return error_set(ret_error, ERR_DENIED,
                         "it is not known which server the tokens belong to, so they are not sent");
    if (!same_text(client_id, token_binding_value(binding, BINDING_CLIENT)))
        return error_set(ret_error, ERR_DENIED, "the tokens belong to another client id, so they are not sent");
    AUTO_TEXT origin = NULL;
    enum status status = uri_origin(url, &origin, ret_error);
    if (status != OK || permits_origin(binding, endpoint, origin))
        return status;
    const char *own = token_binding_value(binding, endpoint);
    if (!own)
        own = token_binding_value(binding, BINDING_TOKEN_ORIGIN);
    return error_set(ret_error, ERR_DENIED, "the tokens belong to %.200s, so they are not sent to %.200s",
                     own ? own : "another server", origin);
}

/* ---- words ---- */

static void append_value(struct text_buffer *buffer, const char *value)
{
    bool is_shown = value && strlen(value) <= URL_MAX;
    text_buffer_append_text(buffer, is_shown ? value : "absent");
}

bool token_binding_describe(const struct token_binding *stored, const struct token_binding *present,
                            enum binding_part part, struct text_buffer *buffer)
{
    if (part == BINDING_FINGERPRINT)
        return text_buffer_append_text(
            buffer, stored ? "the configuration is not the one that an earlier version stored the tokens for"
                           : "the store does not tell which client and servers the tokens belong to");
    text_buffer_append_format(buffer, "the %s", parts[part].words);
    if (parts[part].kind == KIND_ACCOUNT || !stored || !present)
        return text_buffer_append_text(buffer, " was changed");
    text_buffer_append_text(buffer, " was ");
    append_value(buffer, token_binding_value(stored, part));
    text_buffer_append_text(buffer, " and is now ");
    append_value(buffer, token_binding_value(present, part));
    return !buffer->failed;
}
