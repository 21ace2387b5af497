#include "service/admin/connection_json.h"

#include <inttypes.h>
#include <string.h>

#include "service/admin/api_document.h"

/* Values; a missing one is null. */

static void append_text(struct text_buffer *buffer, const char *name, const char *text)
{
    text_buffer_append_format(buffer, ",\"%s\":", name);
    if (text)
        text_buffer_append_json_string(buffer, text, strlen(text));
    else
        text_buffer_append_text(buffer, "null");
}

static void append_time(struct text_buffer *buffer, const char *name, int64_t time)
{
    if (time)
        text_buffer_append_format(buffer, ",\"%s\":%" PRId64, name, time);
    else
        text_buffer_append_format(buffer, ",\"%s\":null", name);
}

static void append_flag(struct text_buffer *buffer, const char *name, bool flag)
{
    text_buffer_append_format(buffer, ",\"%s\":%s", name, flag ? "true" : "false");
}

static void append_head(struct text_buffer *buffer, const struct token_entry *entry)
{
    const char *name = connection_name(token_entry_connection(entry));
    text_buffer_append_text(buffer, "{\"name\":");
    text_buffer_append_json_string(buffer, name, strlen(name));
    append_text(buffer, "iclient", iclient_name(connection_iclient(token_entry_connection(entry))));
}

bool connection_json_append_brief(struct token_entry *entry, struct text_buffer *buffer)
{
    const struct token_set *tokens = token_entry_tokens(entry);
    append_head(buffer, entry);
    append_text(buffer, "state", entry_state_name(token_entry_state(entry)));
    append_time(buffer, "expires_at", tokens ? tokens->expires_at : 0);
    return text_buffer_append_text(buffer, "}");
}

static void append_tokens(struct text_buffer *buffer, const struct token_entry *entry)
{
    const struct token_set *tokens = token_entry_tokens(entry);
    append_time(buffer, "expires_at", tokens ? tokens->expires_at : 0);
    append_time(buffer, "refresh_after", token_entry_refresh_after(entry));
    text_buffer_append_format(buffer, ",\"generation\":%" PRIu64, tokens ? tokens->generation : 0);
    append_text(buffer, "scope", token_entry_scope(entry));
    append_flag(buffer, "refreshing", token_entry_is_refreshing(entry));
    append_flag(buffer, "unsaved", token_entry_is_unsaved(entry));
    append_flag(buffer, "has_refresh_token", tokens && tokens->refresh_token);
}

static void append_trouble(struct text_buffer *buffer, const struct entry_trouble *trouble)
{
    if (!trouble) {
        text_buffer_append_text(buffer, ",\"last_error\":null");
        return;
    }
    text_buffer_append_text(buffer, ",\"last_error\":{\"code\":");
    text_buffer_append_json_string(buffer, trouble->code, strlen(trouble->code));
    append_text(buffer, "message", trouble->message);
    append_time(buffer, "at", trouble->at);
    append_time(buffer, "retry_at", trouble->retry_at);
    text_buffer_append_text(buffer, "}");
}

static void append_login(struct text_buffer *buffer, const struct authorization_session *session)
{
    if (!session) {
        text_buffer_append_text(buffer, ",\"login\":null");
        return;
    }
    text_buffer_append_format(buffer, ",\"login\":{\"state\":\"%s\"",
                              session_state_name(authorization_session_state(session)));
    append_text(buffer, "message", authorization_session_message(session));
    text_buffer_append_format(buffer, ",\"expires_in\":%" PRId64 "}", authorization_session_expires_in(session));
}

bool connection_json_append_full(struct token_entry *entry, struct text_buffer *buffer)
{
    const struct connection *connection = token_entry_connection(entry);
    const struct iclient *iclient = connection_iclient(connection);
    append_head(buffer, entry);
    append_text(buffer, "iclient_id", iclient_id(iclient));
    append_text(buffer, "tenant", connection_tenant(connection));
    append_text(buffer, "provider", iclient_text(iclient, ICLIENT_PROVIDER));
    append_text(buffer, "grant", grant_type_name(iclient_grant(iclient)));
    append_text(buffer, "state", entry_state_name(token_entry_state(entry)));
    append_tokens(buffer, entry);
    append_trouble(buffer, token_entry_trouble(entry));
    append_login(buffer, authorization_session_latest(entry));
    append_text(buffer, "file", connection_file(connection));
    return text_buffer_append_text(buffer, "}");
}

/* How many rows cost as much as serving a token; what is sent counts by itself. */
enum { ROWS_PER_CALL = 32 };

struct listing {
    struct api_request *request;
    connection_json_append *append;
    bool only_allowed;
    bool has_unit; /* the peer's is looked up, for all rows */
    struct text_buffer body;
};

/* As api_permission_may_use() says, but with one look at the peer's unit for any number of connections. */
static bool is_allowed(struct listing *listing, const struct access_rule *rule)
{
    struct http_call *call = listing->request->call;
    const struct peer *peer = http_call_peer(call);
    if (!peer || access_rule_allows_user(rule, peer))
        return peer;
    if (!access_rule_needs_unit(rule))
        return false;
    if (!listing->has_unit)
        http_call_find_peer_unit(call);
    listing->has_unit = true;
    return access_rule_allows(rule, peer);
}

static bool append_row(void *context, struct token_entry *entry)
{
    struct listing *listing = context;
    const struct connection *connection = token_entry_connection(entry);
    if (strcmp(connection_tenant(connection), listing->request->tenant) != 0)
        return true;
    if (listing->only_allowed && !is_allowed(listing, connection_access(connection)))
        return true;
    if (listing->body.length > 1)
        text_buffer_append_text(&listing->body, ",");
    return listing->append(entry, &listing->body);
}

void connection_json_reply_list(struct api_request *request, connection_json_append *append, bool only_allowed)
{
    struct listing listing = {.request = request, .append = append, .only_allowed = only_allowed};
    text_buffer_init(&listing.body, API_LIST_MAX);
    text_buffer_append_text(&listing.body, "[");
    broker_for_each(request->api->broker, append_row, &listing);
    text_buffer_append_text(&listing.body, "]");
    http_call_charge(request->call, catalog_connection_count(broker_catalog(request->api->broker)) / ROWS_PER_CALL);
    api_reply_json(request->call, &listing.body);
    text_buffer_finish(&listing.body);
}

void connection_json_reply(struct http_call *call, struct token_entry *entry)
{
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_DOCUMENT_MAX);
    connection_json_append_full(entry, &body);
    api_reply_json(call, &body);
}

void connection_json_reply_document(struct http_call *call, int status, const char *location, struct token_entry *entry)
{
    AUTO_JSON document = connection_to_json(token_entry_connection(entry));
    AUTO_FINISH(text_buffer) body;
    text_buffer_init(&body, API_DOCUMENT_MAX);
    connection_json_append_full(entry, &body);
    text_buffer_truncate(&body, body.length - 1);
    text_buffer_append_text(&body, ",\"document\":");
    text_buffer_append_json(&body, document);
    text_buffer_append_text(&body, "}");
    if (document)
        api_document_reply_json(call, status, location, &body);
    else
        api_error_reply_no_memory(call);
}
