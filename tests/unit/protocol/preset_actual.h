#ifndef TEST_PRESET_ACTUAL_H
#define TEST_PRESET_ACTUAL_H

#include "fixture.h"

/* What came out, as JSON in the form in which the cases of presets say what is to come out. */

/* RFC 7636 appendix B */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static inline char *form_decoded(const char *from, size_t length)
{
    char *text = malloc(length + 1);
    char *to = text;
    for (size_t i = 0; i < length; i++, to++) {
        unsigned byte;
        *to = from[i] == '+' ? ' ' : from[i];
        if (from[i] != '%')
            continue;
        cr_assert_eq(sscanf(from + i + 1, "%2x", &byte), 1, "%.*s", (int)length, from);
        *to = (char)byte;
        i += 2;
    }
    *to = '\0';
    return text;
}

/* No name twice. */
static inline json_t *form_object(const char *form)
{
    json_t *object = json_object();
    while (*form) {
        size_t length = strcspn(form, "&");
        size_t name_length = strcspn(form, "=");
        cr_assert_lt(name_length, length, "%s", form);
        AUTO_TEXT name = form_decoded(form, name_length);
        AUTO_TEXT value = form_decoded(form + name_length + 1, length - name_length - 1);
        cr_assert_null(json_object_get(object, name), "%s stands twice", name);
        json_object_set_new(object, name, json_string(value));
        form += length + (form[length] == '&');
    }
    return object;
}

static inline void replace_what_varies(json_t *object)
{
    static const struct {
        const char *value, *name;
    } known[] = {{VERIFIER, "$verifier"}, {CHALLENGE, "$challenge"}};
    const char *name;
    json_t *value;
    json_object_foreach (object, name, value) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (json_is_string(value) && strcmp(json_string_value(value), known[i].value) == 0)
                json_string_set(value, known[i].name);
        }
    }
}

/* {"url": without its query, "query": {…}} */
static inline json_t *actual_authorization(const char *url)
{
    size_t length = strcspn(url, "?");
    json_t *query = form_object(url[length] == '?' ? url + length + 1 : "");
    replace_what_varies(query);
    return json_pack("{s:s%,s:o}", "url", url, length, "query", query);
}

/* {"header": {…}, "payload": {…}} */
static inline json_t *jwt_parts(const char *token)
{
    json_t *payload = jwt_part(token, 1);
    if (json_string_length(json_object_get(payload, "jti")) > 0)
        json_object_set_new(payload, "jti", json_string("$random"));
    return json_pack("{s:o,s:o}", "header", jwt_part(token, 0), "payload", payload);
}

/* Takes a JWT out of the parameters: "$jwt" in its place, its two parts beside them. */
static inline void move_jwt(json_t *actual, json_t *parameters)
{
    static const char *const names[] = {"assertion", "client_assertion"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *token = json_read_string(parameters, names[i]);
        if (!token)
            continue;
        json_object_set_new(actual, "jwt", jwt_parts(token));
        json_object_set_new(parameters, names[i], json_string("$jwt"));
    }
}

/* {"method", "url", "headers": {…}, "parameters": {…}}; the last one is the body, read by its Content-Type. */
static inline json_t *actual_request(const struct http_request *request)
{
    json_t *headers = json_object();
    for (size_t i = 0; i < http_request_header_count(request); i++)
        json_object_set_new(headers, http_request_header_name(request, i),
                            json_string(secret_reveal(http_request_header_value(request, i))));
    json_t *actual = json_pack("{s:s,s:s,s:o}", "method", http_request_method(request), "url", request_url(request),
                               "headers", headers);
    if (!http_request_body(request))
        return actual;
    const char *type = json_read_string(headers, "Content-Type");
    bool is_json = type && strcmp(type, "application/json") == 0;
    json_t *parameters = is_json ? fixture_json(request_body(request)) : form_object(request_body(request));
    replace_what_varies(parameters);
    move_jwt(actual, parameters);
    json_object_set_new(actual, "parameters", parameters);
    return actual;
}

static inline void set_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

/* Times from now on, in seconds; what the token set does not know is left out. NULL for NULL. */
static inline json_t *actual_tokens(const struct token_set *tokens, int64_t now)
{
    if (!tokens)
        return NULL;
    json_t *actual = json_object();
    set_text(actual, "access_token", secret_reveal(tokens->access_token));
    set_text(actual, "refresh_token", secret_reveal(tokens->refresh_token));
    set_text(actual, "token_type", tokens->token_type);
    set_text(actual, "scope", tokens->scope);
    json_object_set_new(actual, "expires_in",
                        tokens->expires_at ? json_integer(tokens->expires_at - now) : json_string("never"));
    if (tokens->refresh_expires_at)
        json_object_set_new(actual, "refresh_expires_in", json_integer(tokens->refresh_expires_at - now));
    if (tokens->metadata)
        json_object_set(actual, "metadata", tokens->metadata);
    return actual;
}

#endif
