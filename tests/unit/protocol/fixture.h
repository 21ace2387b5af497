#ifndef TEST_PROTOCOL_FIXTURE_H
#define TEST_PROTOCOL_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/http_request.h"
#include "base/json/json_read.h"
#include "base/text/url.h"
#include "model/connection/connection.h"
#include "model/iclient/iclient.h"
#include "protocol/request/grant_context.h"

/* An iClient and its connection, read from JSON texts by the real model, and a context to fill in. */
enum { NOW = 1795000000 };

struct fixture {
    struct connection *connection;
    struct grant_context context;
    struct token_set *tokens; /* context.tokens, once fixture_set_tokens() was called */
    json_t *callback;
};

static inline json_t *fixture_json(const char *text)
{
    json_t *document = NULL;
    struct error error = {0};
    cr_assert_eq(json_read_text(text, strlen(text), &document, &error), OK, "%s in %s", error.message, text);
    return document;
}

static inline void fixture_refuse_faults(const struct fault_list *faults)
{
    for (size_t i = 0; i < fault_list_count(faults); i++) {
        char *text = fault_format(fault_list_at(faults, i));
        cr_assert(fault_list_at(faults, i)->warning, "%s", text);
        free(text);
    }
}

static inline struct iclient *fixture_iclient(const char *text)
{
    static const struct iclient_options options = {.default_redirect_uri = "http://127.0.0.1:8085/callback"};
    AUTO_JSON document = fixture_json(text);
    AUTO(fault_list) faults = fault_list_create();
    AUTO(provider_preset) preset = provider_preset_create_empty("custom_oauth2");
    struct iclient *iclient = NULL;
    iclient_from_json(document, preset, "", &options, NULL, faults, &iclient);
    fixture_refuse_faults(faults);
    cr_assert_not_null(iclient);
    return iclient;
}

/* connection NULL: the implicit one. */
static inline struct fixture fixture_create(const char *iclient_text, const char *connection_text)
{
    AUTO(iclient) iclient = fixture_iclient(iclient_text);
    struct fixture fixture = {0};
    if (connection_text) {
        AUTO_JSON document = fixture_json(connection_text);
        AUTO(fault_list) faults = fault_list_create();
        connection_from_json(document, iclient, "", NULL, NULL, faults, &fixture.connection);
        fixture_refuse_faults(faults);
    } else {
        fixture.connection = connection_implicit(iclient);
    }
    cr_assert_not_null(fixture.connection);
    fixture.context = (struct grant_context){.connection = fixture.connection, .now = NOW};
    return fixture;
}

static inline void fixture_set_tokens(struct fixture *fixture, const char *access_token, const char *refresh_token)
{
    fixture->tokens = token_set_create();
    fixture->tokens->access_token = secret_from_text(access_token);
    fixture->tokens->refresh_token = refresh_token ? secret_from_text(refresh_token) : NULL;
    fixture->context.tokens = fixture->tokens;
}

static inline void fixture_set_callback(struct fixture *fixture, const char *text)
{
    fixture->callback = fixture_json(text);
    fixture->context.callback = fixture->callback;
}

static inline void fixture_finish(struct fixture *fixture)
{
    connection_destroy(fixture->connection);
    token_set_destroy(fixture->tokens);
    json_decref(fixture->callback);
}

/* ---- what a request looks like ---- */

static inline const char *request_header(const struct http_request *request, const char *name)
{
    return secret_reveal(http_request_find_header(request, name));
}

static inline const char *request_url(const struct http_request *request)
{
    return secret_reveal(http_request_url(request));
}

static inline const char *request_body(const struct http_request *request)
{
    const char *body = secret_reveal(http_request_body(request));
    return body ? body : "(none)";
}

/* One part of a compact JWT (0 header, 1 payload) as JSON. */
static inline json_t *jwt_part(const char *token, int part)
{
    for (; part > 0; part--)
        token = strchr(token, '.') + 1;
    AUTO_FINISH(text_buffer) bytes;
    text_buffer_init(&bytes, 64 * 1024);
    cr_assert_eq(base64url_decode(token, strcspn(token, "."), &bytes), OK);
    return fixture_json(text_buffer_text(&bytes));
}

/* iClient texts: the named parts of a document that every test has, and what it adds to "oauth2". */
#define HEAD "{\"name\":\"test\",\"provider\":\"custom_oauth2\","
#define SERVER "https://server.example.com"
#define URIS "\"auth\":{\"uri\":\"" SERVER "/authorize\"},\"token\":{\"uri\":\"" SERVER "/token\"}"
#define CLIENT "\"clientId\":\"s6BhdRkqt3\",\"clientSecret\":\"gX1fBat3bV\""
/* RFC 6749 §2.3.1 */
#define BASIC "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"

#endif
