#include "model/secret/wire_secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/json/json_read.h"
#include "base/text/text_buffer.h"
#include "model/secret/secret_value.h"
#include "model/template/template.h"

/* Beside a template a literal is a word such as "Basic" or "token="; what is longer without a break may be a secret. */
enum { LITERAL_BESIDE_TEMPLATE_MAX = 15, SPELLED_MAX = 1024 * 1024 };

bool wire_secret_has_kind(enum iclient_field_kind kind)
{
    return kind == FIELD_HEADERS || kind == FIELD_BODY || kind == FIELD_PARAMS;
}

/* ---- what is a secret ---- */

/* What is said of a secret, and is none: token_type_hint, client_assertion_type. */
static bool name_is_harmless(const char *name)
{
    static const char *const ends[] = {"type", "hint", "method", "uri", "url", "endpoint", "format", "lifetime"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t end = strlen(ends[i]);
        if (length >= end && strcasecmp(name + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

/* "X-Auth" ends with the word "auth", "oauth" does not. */
static bool ends_with_word(const char *name, const char *word)
{
    const size_t length = strlen(name);
    const size_t end = strlen(word);
    return length >= end && strcasecmp(name + length - end, word) == 0 &&
           (length == end || !isalnum((unsigned char)name[length - end - 1]));
}

static bool name_is_secret(const char *name)
{
    static const char *const parts[] = {"authorization", "secret", "token",      "key",       "passw",     "pwd",
                                        "passphrase",    "cookie", "credential", "signature", "assertion", "session"};
    static const char *const words[] = {"auth", "pass", "pin", "otp"}; /* too short to be looked for within words */
    if (name_is_harmless(name))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcasestr(name, parts[i]))
            return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ends_with_word(name, words[i]))
            return true;
    return false;
}

static bool value_has_scheme(const char *value)
{
    return strncasecmp(value, "Basic ", 6) == 0 || strncasecmp(value, "Bearer ", 7) == 0;
}

static size_t longest_literal(const char *value)
{
    size_t longest = 0;
    for (size_t run = 0; *value;) {
        if (strncmp(value, "{{", 2) == 0) {
            const char *end = strstr(value, "}}");
            value = end ? end + strspn(end, "}") : value + strlen(value);
            run = 0;
            continue;
        }
        run = isalnum((unsigned char)*value) || strchr("+/_-.~", *value) ? run + 1 : 0;
        longest = run > longest ? run : longest;
        value++;
    }
    return longest;
}

static bool is_mask(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), SECRET_MASK) == 0;
}

/* is_named: by its own name or by that of what it is in. */
static bool is_secret(bool is_named, const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_number(value))
        return is_named;
    if (!text || !*text || !(is_named || value_has_scheme(text)))
        return false;
    return !template_is_in(text) || longest_literal(text) > LITERAL_BESIDE_TEMPLATE_MAX;
}

/* ---- walks: a header is an object with a name of its own ---- */

static const char *header_name(const json_t *value)
{
    return json_object_get(value, "value") ? json_read_string(value, "name") : NULL;
}

static bool mask_members(json_t *value, bool is_named, size_t *count);

/* All that stands in an object or list with a secret's name is secret: "credentials": {…}, "api_keys": […]. */
static bool mask_member(json_t *object, const char *member, bool is_named, json_t *value, size_t *count)
{
    if (!is_secret(is_named, value))
        return mask_members(value, is_named, count);
    ++*count;
    return json_object_set_new(object, member, json_string(SECRET_MASK)) == 0;
}

static bool mask_element(json_t *list, size_t place, bool is_named, json_t *value, size_t *count)
{
    const char *header = header_name(value);
    if (header)
        return mask_member(value, "value", is_named || name_is_secret(header), json_object_get(value, "value"), count);
    if (!is_secret(is_named, value))
        return mask_members(value, is_named, count);
    ++*count;
    return json_array_set_new(list, place, json_string(SECRET_MASK)) == 0;
}

static bool mask_members(json_t *value, bool is_named, size_t *count)
{
    const char *name;
    json_t *member;
    size_t i;
    bool done = true;
    json_object_foreach (value, name, member) {
        bool is_secrets = is_named ? !name_is_harmless(name) : name_is_secret(name);
        done = mask_member(value, name, is_secrets, member, count) && done;
    }
    json_array_foreach (value, i, member) {
        done = mask_element(value, i, is_named, member, count) && done;
    }
    return done;
}

json_t *wire_secret_mask(const json_t *normal, bool *ret_done)
{
    size_t count = 0;
    AUTO_JSON copy = json_deep_copy(normal);
    *ret_done = copy && mask_members(copy, false, &count);
    return *ret_done && count > 0 ? TAKE(copy) : NULL;
}

bool wire_secret_has_mask(const json_t *normal)
{
    const char *name;
    json_t *member;
    size_t i;
    json_object_foreach ((json_t *)normal, name, member) {
        if (wire_secret_has_mask(member))
            return true;
    }
    json_array_foreach ((json_t *)normal, i, member) {
        if (wire_secret_has_mask(member))
            return true;
    }
    return is_mask(normal);
}

static json_t *previous_header(const json_t *previous, const char *name)
{
    size_t i;
    json_t *header;
    json_array_foreach ((json_t *)previous, i, header) {
        const char *own = header_name(header);
        if (own && strcasecmp(own, name) == 0)
            return header;
    }
    return NULL;
}

/* What the place of an element is known by: a header by its name, another one by its index. */
static json_t *previous_element(const json_t *previous, size_t place, const json_t *element)
{
    const char *header = header_name(element);
    return header ? previous_header(previous, header) : json_array_get(previous, place);
}

bool wire_secret_keep(json_t *normal, const json_t *previous)
{
    const char *name;
    json_t *member;
    size_t i;
    bool done = true;
    json_object_foreach (normal, name, member) {
        json_t *old = json_object_get(previous, name);
        if (is_mask(member) && old)
            done = json_object_set(normal, name, old) == 0 && done;
        else
            done = wire_secret_keep(member, old) && done;
    }
    json_array_foreach (normal, i, member) {
        json_t *old = previous_element(previous, i, member);
        if (is_mask(member) && old)
            done = json_array_set(normal, i, old) == 0 && done;
        else
            done = wire_secret_keep(member, old) && done;
    }
    return done;
}

void wire_secret_drop_masked(json_t *normal)
{
    const char *name;
    json_t *member;
    void *next;
    json_object_foreach_safe (normal, next, name, member) {
        if (is_mask(member))
            json_object_del(normal, name);
        else
            wire_secret_drop_masked(member);
    }
    for (size_t i = json_array_size(normal); i-- > 0;) {
        json_t *element = json_array_get(normal, i);
        if (is_mask(element) || (header_name(element) && is_mask(json_object_get(element, "value"))))
            json_array_remove(normal, i);
        else
            wire_secret_drop_masked(element);
    }
}

json_t *wire_secret_spell(const json_t *written, json_t *normal)
{
    if (!json_is_string(written))
        return json_incref(normal);
    AUTO_FINISH(text_buffer) text;
    text_buffer_init(&text, SPELLED_MAX);
    return text_buffer_append_json(&text, normal) ? json_string(text_buffer_text(&text)) : NULL;
}
