#include "iclientctl/check/explain_request.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/template/template.h"
#include "protocol/request/authorization_url.h"
#include "protocol/jwt/jwt_assertion.h"
#include "protocol/request/pkce.h"
#include "protocol/request/revoke_request.h"
#include "protocol/request/token_request.h"

#define GRANT_BIT(grant) (1U << (grant))

enum {
    ASKING_GRANTS = GRANT_BIT(GRANT_AUTHORIZATION_CODE) | GRANT_BIT(GRANT_PASSWORD) |
                    GRANT_BIT(GRANT_CLIENT_CREDENTIALS) | GRANT_BIT(GRANT_JWT_BEARER),
    SHOWN_MAX = 1024 * 1024,
    NAME_MAX_SHOWN = TEMPLATE_PATH_MAX + 2,
};

/* What requests are made from, the same for all of a connection. */
struct run_time {
    struct placeholders *placeholders;
    const struct connection *connection;
    const struct iclient *iclient;
    const char *code;
    const char *code_verifier;
    const char *state;
    struct token_set *tokens;
    json_t *callback; /* what the templates name */
    int64_t now;
};

struct request_row {
    const char *name, *title;
    unsigned grants; /* those that have it */
    json_t *(*explain)(struct run_time *run, const struct request_row *row);
    enum token_exchange exchange;
};

/* ---- what the templates name of an answer ---- */

struct name_search {
    struct placeholders *placeholders;
    const char *prefix; /* "callback." */
    json_t *names;      /* gets a placeholder for each */
    bool failed;
};

static enum status add_name(void *context, const char *path, struct error *ret_error)
{
    (void)ret_error;
    struct name_search *search = context;
    size_t length = strlen(search->prefix);
    if (strncmp(path, search->prefix, length) != 0 || json_object_get(search->names, path + length))
        return OK;
    char shown[NAME_MAX_SHOWN + 1];
    snprintf(shown, sizeof shown, "<%s>", path);
    /* Such a value may become a part of a host. */
    const char *value = placeholder_add_short(search->placeholders, shown);
    search->failed |= !value || json_object_set_new(search->names, path + length, json_string(value)) != 0;
    return OK;
}

static void search_names(struct name_search *search, const json_t *value)
{
    const char *name;
    size_t index;
    json_t *member;
    if (json_is_string(value))
        (void)template_walk(json_string_value(value), add_name, search, NULL); /* faults were told by the check */
    json_array_foreach (value, index, member) {
        search_names(search, member);
    }
    json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
        search_names(search, member);
    }
}

static json_t *names_below(const struct run_time *run, const char *prefix)
{
    struct name_search search = {.placeholders = run->placeholders, .prefix = prefix, .names = json_object()};
    for (enum iclient_field field = 0; field < ICLIENT_FIELD_COUNT; field++)
        search_names(&search, iclient_json(run->iclient, field));
    search_names(&search, connection_params(run->connection));
    if (!search.failed)
        return search.names;
    json_decref(search.names);
    return NULL;
}

/* ---- one request ---- */

static json_t *shown(const struct run_time *run, const char *text, json_t *jwts)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, SHOWN_MAX);
    return placeholders_show(run->placeholders, text, jwts, &buffer) ? json_string(text_buffer_text(&buffer)) : NULL;
}

static json_t *shown_header(const struct run_time *run, const struct http_request *request, size_t index, json_t *jwts)
{
    AUTO_FINISH(text_buffer) buffer;
    text_buffer_init(&buffer, SHOWN_MAX);
    const char *value = secret_reveal(http_request_header_value(request, index));
    if (!placeholders_show_header(run->placeholders, value, jwts, &buffer))
        return NULL;
    return json_pack("{s:s, s:s}", "name", http_request_header_name(request, index), "value",
                     text_buffer_text(&buffer));
}

static json_t *shown_headers(const struct run_time *run, const struct http_request *request, json_t *jwts)
{
    AUTO_JSON headers = json_array();
    for (size_t i = 0; i < http_request_header_count(request); i++) {
        if (json_array_append_new(headers, shown_header(run, request, i, jwts)) != 0)
            return NULL;
    }
    return TAKE(headers);
}

static json_t *row_with_error(const struct run_time *run, const struct request_row *row, const struct error *error)
{
    AUTO_JSON jwts = json_array();
    return json_pack("{s:s, s:s, s:o}", "request", row->name, "title", row->title, "error",
                     shown(run, error->message, jwts));
}

static json_t *row_with_request(const struct run_time *run, const struct request_row *row,
                                const struct http_request *request)
{
    AUTO_JSON jwts = json_array();
    json_t *url = shown(run, secret_reveal(http_request_url(request)), jwts);
    json_t *headers = shown_headers(run, request, jwts);
    const char *bytes = secret_reveal(http_request_body(request));
    json_t *body = bytes ? shown(run, bytes, jwts) : json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:O}", "request", row->name, "title", row->title, "method",
                     http_request_method(request), "url", url, "headers", headers, "body", body, "jwts", jwts);
}

static json_t *explain_authorization(struct run_time *run, const struct request_row *row)
{
    const struct grant_context context = {
        .connection = run->connection,
        .code_verifier = run->code_verifier,
        .state = run->state,
        .now = run->now,
    };
    struct error error;
    AUTO_TEXT url = NULL;
    if (authorization_url_create(&context, &url, &error) != OK)
        return row_with_error(run, row, &error);
    AUTO_JSON jwts = json_array();
    json_t *shown_url = shown(run, url, jwts);
    return json_pack("{s:s, s:s, s:s, s:o, s:[], s:n, s:O}", "request", row->name, "title", row->title, "method", "GET",
                     "url", shown_url, "headers", "body", "jwts", jwts);
}

/* As broker's login_exchange_fill() for a code, else its token_fetch. */
static json_t *explain_exchange(struct run_time *run, const struct request_row *row)
{
    const bool code = row->exchange == TOKEN_EXCHANGE_CODE;
    const struct grant_context context = {
        .connection = run->connection,
        .tokens = row->exchange == TOKEN_EXCHANGE_REFRESH ? run->tokens : NULL,
        .code = code ? run->code : NULL,
        .code_verifier = code ? run->code_verifier : NULL,
        .state = code ? run->state : NULL,
        .callback = code ? run->callback : NULL,
        .now = run->now,
    };
    if (row->exchange == TOKEN_EXCHANGE_REFRESH && iclient_number(run->iclient, ICLIENT_REFRESH_COUNT, -1) == 0)
        return json_null();
    struct error error;
    AUTO(http_request) request = NULL;
    if (token_request_create(row->exchange, &context, &request, &error) != OK)
        return row_with_error(run, row, &error);
    return row_with_request(run, row, request);
}

static json_t *explain_jwt_token(struct run_time *run, const struct request_row *row)
{
    const struct grant_context context = {.connection = run->connection, .now = run->now};
    struct error error;
    AUTO(token_set) tokens = NULL;
    if (jwt_assertion_create_token(&context, &tokens, &error) != OK)
        return row_with_error(run, row, &error);
    AUTO_JSON jwts = json_array();
    json_decref(shown(run, secret_reveal(tokens->access_token), jwts));
    return json_pack("{s:s, s:s, s:n, s:n, s:[], s:n, s:O}", "request", row->name, "title", row->title, "method", "url",
                     "headers", "body", "jwts", jwts);
}

/* As broker's revocation. */
static enum status make_revocation(const struct run_time *run, const struct secret *token, const char *hint,
                                   struct http_request **ret_request, struct error *ret_error)
{
    const struct grant_context context = {
        .connection = run->connection,
        .tokens = run->tokens,
        .token = token,
        .token_type_hint = hint,
        .now = run->now,
    };
    return revoke_request_create(&context, ret_request, ret_error);
}

static json_t *row_of_revocation(const struct run_time *run, const struct request_row *row, enum status status,
                                 const struct http_request *request, const struct error *error)
{
    if (status == ERR_UNSUPPORTED)
        return json_null();
    return status == OK ? row_with_request(run, row, request) : row_with_error(run, row, error);
}

/* Where the request is the same for either token it is sent once. */
static json_t *explain_revocation_of_refresh_token(struct run_time *run, const struct request_row *row)
{
    if (iclient_number(run->iclient, ICLIENT_REFRESH_COUNT, -1) == 0)
        return json_null();
    struct error error;
    AUTO(http_request) request = NULL;
    AUTO(http_request) other = NULL;
    enum status status = make_revocation(run, run->tokens->refresh_token, "refresh_token", &request, &error);
    if (status == OK && make_revocation(run, run->tokens->access_token, "access_token", &other, NULL) == OK &&
        http_request_equal(request, other))
        return json_null();
    return row_of_revocation(run, row, status, request, &error);
}

static json_t *explain_revocation_of_access_token(struct run_time *run, const struct request_row *row)
{
    struct error error;
    AUTO(http_request) request = NULL;
    enum status status = make_revocation(run, run->tokens->access_token, "access_token", &request, &error);
    return row_of_revocation(run, row, status, request, &error);
}

/* ---- all of them ---- */

/* A row's function gives null for a request that this iClient never leads to, NULL when out of memory. */
static const struct request_row requests[] = {
    {"authorization_url", "authorization URL, opened in the browser", GRANT_BIT(GRANT_AUTHORIZATION_CODE),
     explain_authorization, 0},
    {"authorization_code", "code exchange", GRANT_BIT(GRANT_AUTHORIZATION_CODE), explain_exchange, TOKEN_EXCHANGE_CODE},
    {"password", "password grant", GRANT_BIT(GRANT_PASSWORD), explain_exchange, TOKEN_EXCHANGE_PASSWORD},
    {"client_credentials", "client credentials grant", GRANT_BIT(GRANT_CLIENT_CREDENTIALS), explain_exchange,
     TOKEN_EXCHANGE_CLIENT_CREDENTIALS},
    {"jwt_bearer", "JWT grant", GRANT_BIT(GRANT_JWT_BEARER), explain_exchange, TOKEN_EXCHANGE_JWT_BEARER},
    {"jwt_token", "no request: this JWT is itself the token", GRANT_BIT(GRANT_JWT_TOKEN), explain_jwt_token, 0},
    {"refresh_token", "refresh, if there is a refresh token", ASKING_GRANTS, explain_exchange, TOKEN_EXCHANGE_REFRESH},
    {"revoke_refresh_token", "revocation of the refresh token, if there is one", ASKING_GRANTS,
     explain_revocation_of_refresh_token, 0},
    {"revoke_access_token", "revocation of the access token", ASKING_GRANTS | GRANT_BIT(GRANT_JWT_TOKEN),
     explain_revocation_of_access_token, 0},
};

/* What comes of the code verifier is found again only as a whole. */
static bool add_challenge(const struct run_time *run)
{
    char challenge[PKCE_CHALLENGE_SIZE];
    if (iclient_pkce(run->iclient) != PKCE_S256)
        return true;
    return pkce_challenge(PKCE_S256, run->code_verifier, challenge, NULL) == OK &&
           placeholder_add_value(run->placeholders, challenge, "<code_challenge>");
}

static bool prepare_tokens(struct run_time *run)
{
    const char *access_token = placeholder_add(run->placeholders, "<access_token>");
    const char *refresh_token = placeholder_add(run->placeholders, "<refresh_token>");
    run->tokens = token_set_create();
    if (!access_token || !refresh_token || !run->tokens)
        return false;
    run->tokens->access_token = secret_from_text(access_token);
    run->tokens->refresh_token = secret_from_text(refresh_token);
    run->tokens->metadata = names_below(run, "metadata.");
    return run->tokens->access_token && run->tokens->refresh_token && run->tokens->metadata;
}

static bool prepare(struct run_time *run)
{
    run->code = placeholder_add(run->placeholders, "<code>");
    run->code_verifier = placeholder_add(run->placeholders, "<code_verifier>");
    run->state = placeholder_add(run->placeholders, "<state>");
    run->callback = names_below(run, "callback.");
    run->now = clock_wall();
    return run->code && run->code_verifier && run->state && run->callback && add_challenge(run) && prepare_tokens(run);
}

static json_t *explain_all(struct run_time *run)
{
    AUTO_JSON list = json_array();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (!(requests[i].grants & GRANT_BIT(iclient_grant(run->iclient))))
            continue;
        AUTO_JSON request = requests[i].explain(run, &requests[i]);
        if (!json_is_null(request) && json_array_append(list, request) != 0)
            return NULL;
    }
    return TAKE(list);
}

json_t *explain_requests(const struct connection *connection, struct placeholders *placeholders)
{
    struct run_time run = {
        .placeholders = placeholders,
        .connection = connection,
        .iclient = connection_iclient(connection),
    };
    const size_t count = placeholders_count(placeholders);
    json_t *list = prepare(&run) ? explain_all(&run) : NULL;
    placeholders_truncate(placeholders, count);
    token_set_destroy(run.tokens);
    json_decref(run.callback);
    return list;
}
