#include "protocol/reply/token_response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json/json_read.h"
#include "protocol/reply/reply_body.h"
#include "protocol/reply/reply_quote.h"
#include "protocol/reply/token_grant.h"

enum { RETRY_AFTER_MAX = 24 * 3600, DESCRIPTION_MAX = 240, CONTENT_TYPE_MAX = 64, FAILURE_VALUE_MAX = 80 };

const char *outcome_class_name(enum outcome_class outcome)
{
    static const char *const names[] = {
        [OUTCOME_GRANTED] = "granted",
        [OUTCOME_TOKEN_REFUSED] = "token_refused",
        [OUTCOME_CLIENT_REFUSED] = "client_refused",
        [OUTCOME_TRANSIENT] = "transient",
        [OUTCOME_BROKEN] = "broken",
    };
    return names[outcome];
}

void token_outcome_finish(struct token_outcome *outcome)
{
    token_set_destroy(outcome->tokens);
    outcome->tokens = NULL;
}

/* ---- what was asked, and what came ---- */

/* What an endpoint was shown decides what a bare status can mean. */
struct question {
    const char *endpoint;     /* for messages */
    bool shows_client_alone;  /* no token, code or password of a user */
    bool shows_authorization; /* a code or a refresh token */
    bool grants;              /* 2xx has to bring a token */
    enum token_exchange exchange;
};

struct judgement {
    const struct question *question;
    const struct grant_context *context;
    const struct provider_reply *reply;
    enum reply_body kind;
    const struct reply_document *body; /* empty unless it could be read */
    struct token_outcome *outcome;
};

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static bool may_pass(int status)
{
    return status == 408 || status == 425 || status == 429 || (status >= 500 && status < 600);
}

/* An "error" that says something; Slack and others write null, false or "" for none. */
static bool has_error(const struct judgement *judgement)
{
    AUTO_JSON error = reply_document_member(judgement->body, "error");
    return error && !json_is_null(error) && !json_is_false(error) &&
           !(json_is_string(error) && json_string_length(error) == 0);
}

/* ---- messages ---- */

static void say(struct token_outcome *outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct token_outcome *outcome, const char *format, ...)
{
    size_t length = strlen(outcome->message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome->message + length, sizeof outcome->message - length, format, arguments);
    va_end(arguments);
}

/* New reference; NULL when there is none. Of XML only the names: its errors have no usual shape beyond Salesforce's. */
static json_t *find_description(const struct reply_document *body)
{
    static const char *const paths[] = {"error_description", "error.message", "message", "errors.0.message", "detail"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        AUTO_JSON text =
            body->xml ? reply_document_member(body, paths[i]) : json_incref(json_read_path(body->json, paths[i]));
        if (json_string_length(text) > 0)
            return TAKE(text);
    }
    return NULL;
}

static void say_description(const struct judgement *judgement)
{
    AUTO_JSON description = find_description(judgement->body);
    char quoted[DESCRIPTION_MAX];
    if (!description)
        return;
    if (reply_quote(judgement->context, judgement->body, json_string_value(description), quoted, sizeof quoted))
        say(judgement->outcome, ": %s", quoted);
    else
        say(judgement->outcome, " (its description is withheld: it holds a secret)");
}

static void say_foreign_body(const struct judgement *judgement)
{
    char quoted[CONTENT_TYPE_MAX] = "";
    if (judgement->reply->content_type)
        reply_quote(judgement->context, NULL, judgement->reply->content_type, quoted, sizeof quoted);
    if (judgement->reply->too_large)
        say(judgement->outcome, " with a reply that is too large");
    else
        say(judgement->outcome, " with %zu bytes of %s that are not %s", judgement->reply->length,
            *quoted ? quoted : "an unnamed type",
            xml_is_media_type(judgement->reply->content_type) ? "XML that can be read" : "JSON");
}

/* Which field made a failure of the reply, and by which value. */
static void say_failure_rule(const struct judgement *judgement, const struct failure_match *match)
{
    if (!match->path)
        return;
    AUTO_FINISH(text_buffer) text;
    char quoted[FAILURE_VALUE_MAX];
    text_buffer_init(&text, DESCRIPTION_MAX);
    text_buffer_append_json(&text, match->value);
    const char *value = text.failed ? "a long value" : text_buffer_text(&text);
    bool is_quoted = reply_quote(judgement->context, judgement->body, value, quoted, sizeof quoted);
    say(judgement->outcome, " (a failure rule matches: %s is %s)", match->path,
        is_quoted ? quoted : "withheld, it holds a secret");
}

/* "the token endpoint answered 400 invalid_grant: Token has been revoked" */
static void say_what_came(const struct judgement *judgement)
{
    struct token_outcome *outcome = judgement->outcome;
    say(outcome, "the %s endpoint answered %d", judgement->question->endpoint, outcome->status);
    if (*outcome->code)
        say(outcome, " %s", outcome->code);
    if (judgement->kind == REPLY_BODY_EMPTY)
        say(outcome, " with an empty body");
    else if (judgement->kind == REPLY_BODY_FOREIGN)
        say_foreign_body(judgement);
    else
        say_description(judgement);
}

/* ---- the rows of the table in the header ---- */

static const struct {
    const char *code;
    enum outcome_class outcome;
} error_codes[] = {
    /* RFC 6749 §5.2 */
    {"invalid_grant", OUTCOME_TOKEN_REFUSED},
    {"invalid_client", OUTCOME_CLIENT_REFUSED},
    {"unauthorized_client", OUTCOME_CLIENT_REFUSED},
    /* RFC 6749 §4.1.2.1, which token endpoints send as well */
    {"server_error", OUTCOME_TRANSIENT},
    {"temporarily_unavailable", OUTCOME_TRANSIENT},
    /* GitHub */
    {"bad_refresh_token", OUTCOME_TOKEN_REFUSED},
    {"bad_verification_code", OUTCOME_TOKEN_REFUSED},
    {"incorrect_client_credentials", OUTCOME_CLIENT_REFUSED},
    /* Slack */
    {"invalid_refresh_token", OUTCOME_TOKEN_REFUSED},
    {"invalid_code", OUTCOME_TOKEN_REFUSED},
    {"code_already_used", OUTCOME_TOKEN_REFUSED},
    {"bad_client_secret", OUTCOME_CLIENT_REFUSED},
    {"invalid_client_id", OUTCOME_CLIENT_REFUSED},
    {"ratelimited", OUTCOME_TRANSIENT},
};

/* Row 1. */
static bool judge_by_code(const struct judgement *judgement, enum outcome_class *ret_outcome)
{
    AUTO_JSON error = reply_document_member(judgement->body, "error");
    const char *code = json_string_value(error);
    for (size_t i = 0; code && i < sizeof error_codes / sizeof error_codes[0]; i++) {
        if (strcmp(error_codes[i].code, code) != 0)
            continue;
        *ret_outcome = error_codes[i].outcome;
        return !may_pass(judgement->reply->status) || *ret_outcome == OUTCOME_TOKEN_REFUSED;
    }
    return false;
}

/* Row 2. */
static bool refuses_the_client_alone(const struct judgement *judgement)
{
    int status = judgement->reply->status;
    return judgement->question->shows_client_alone &&
           (status == 401 || (status == 403 && judgement->kind != REPLY_BODY_FOREIGN));
}

/* Rows 6 to 8. */
static enum outcome_class judge_by_bare_status(const struct judgement *judgement)
{
    int status = judgement->reply->status;
    if (has_error(judgement) || judgement->kind == REPLY_BODY_FOREIGN)
        return OUTCOME_BROKEN;
    if (status == 401 || status == 403)
        return OUTCOME_CLIENT_REFUSED;
    if (status == 400 && judgement->question->shows_authorization)
        return OUTCOME_TOKEN_REFUSED;
    return OUTCOME_BROKEN;
}

/*
 * GRANTED is what the reply claims; whether it brings a token is still to be seen. ret_match is set where a failure
 * rule decides.
 */
static enum outcome_class judge(const struct judgement *judgement, struct failure_match *ret_match)
{
    const struct iclient *iclient = connection_iclient(judgement->context->connection);
    int status = judgement->reply->status;
    enum outcome_class by_code;
    if (judge_by_code(judgement, &by_code))
        return by_code;
    if (refuses_the_client_alone(judgement))
        return OUTCOME_CLIENT_REFUSED;
    if (failure_rules_find(iclient_token_failures(iclient), status, judgement->body, ret_match))
        return OUTCOME_TOKEN_REFUSED;
    if (is_success(status))
        return OUTCOME_GRANTED;
    return may_pass(status) ? OUTCOME_TRANSIENT : judge_by_bare_status(judgement);
}

/* ---- outcomes ---- */

/* RFC 9110 §10.2.3: seconds or a date. */
static int64_t read_retry_after(const char *text, int64_t now)
{
    if (!text)
        return 0;
    int64_t seconds = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[digits] == '\0') {
        for (size_t i = 0; i < digits && seconds < RETRY_AFTER_MAX; i++)
            seconds = seconds * 10 + (text[i] - '0');
    } else if (clock_parse_http_date(text, &seconds)) {
        seconds = seconds > now ? seconds - now : 0;
    }
    return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}

static void set_no_memory(struct token_outcome *outcome)
{
    outcome->outcome = OUTCOME_TRANSIENT;
    snprintf(outcome->message, sizeof outcome->message, "out of memory while reading the reply");
}

static void read_code(const struct judgement *judgement)
{
    AUTO_JSON error = reply_document_member(judgement->body, "error");
    const char *code = json_string_value(error);
    if (code)
        reply_quote_code(judgement->context, judgement->body, code, judgement->outcome->code,
                         sizeof judgement->outcome->code);
}

static void grant(const struct judgement *judgement)
{
    struct token_outcome *outcome = judgement->outcome;
    if (judgement->kind != REPLY_BODY_READ) {
        outcome->outcome = OUTCOME_BROKEN;
        say_what_came(judgement);
        return;
    }
    struct error error;
    enum status status =
        token_grant_read(judgement->question->exchange, judgement->context, judgement->body, &outcome->tokens, &error);
    if (status == ERR_NO_MEMORY) {
        set_no_memory(outcome);
    } else if (status != OK) {
        outcome->outcome = OUTCOME_BROKEN;
        say_what_came(judgement);
        say(outcome, ", %s", error.message);
    } else {
        say(outcome, "%s", error.message);
    }
}

static void judge_and_fill(const struct judgement *judgement)
{
    struct token_outcome *outcome = judgement->outcome;
    AUTO_FINISH(failure_match) match = {0};
    read_code(judgement);
    outcome->outcome = judge(judgement, &match);
    if (outcome->outcome != OUTCOME_GRANTED) {
        say_what_came(judgement);
        say_failure_rule(judgement, &match);
    } else if (judgement->question->grants) {
        grant(judgement);
    }
}

static void read_reply(const struct question *question, const struct grant_context *context,
                       const struct provider_reply *reply, struct token_outcome *ret_outcome)
{
    *ret_outcome = (struct token_outcome){
        .status = reply->status,
        .retry_after = read_retry_after(reply->retry_after, context->now),
    };
    AUTO_FINISH(reply_document) body = {0};
    enum reply_body kind;
    if (reply_body_read(reply, &kind, &body) != OK) {
        set_no_memory(ret_outcome);
        return;
    }
    struct judgement judgement = {
        .question = question,
        .context = context,
        .reply = reply,
        .kind = kind,
        .body = &body,
        .outcome = ret_outcome,
    };
    judge_and_fill(&judgement);
}

void token_response_read(enum token_exchange exchange, const struct grant_context *context,
                         const struct provider_reply *reply, struct token_outcome *ret_outcome)
{
    const struct question question = {
        .endpoint = "token",
        .shows_client_alone = exchange == TOKEN_EXCHANGE_CLIENT_CREDENTIALS || exchange == TOKEN_EXCHANGE_JWT_BEARER,
        .shows_authorization = exchange == TOKEN_EXCHANGE_CODE || exchange == TOKEN_EXCHANGE_REFRESH,
        .grants = true,
        .exchange = exchange,
    };
    read_reply(&question, context, reply, ret_outcome);
}

void revoke_response_read(const struct grant_context *context, const struct provider_reply *reply,
                          struct token_outcome *ret_outcome)
{
    static const struct question question = {.endpoint = "revoke"};
    read_reply(&question, context, reply, ret_outcome);
    /* RFC 7009 §2.2.1: this one cannot be revoked, so that nothing is left to do. */
    if (strcmp(ret_outcome->code, "unsupported_token_type") == 0)
        ret_outcome->outcome = OUTCOME_GRANTED;
}

void token_outcome_set_unanswered(struct token_outcome *ret_outcome, const char *reason)
{
    *ret_outcome = (struct token_outcome){.outcome = OUTCOME_TRANSIENT};
    snprintf(ret_outcome->message, sizeof ret_outcome->message, "%s", reason);
}
