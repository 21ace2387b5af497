/* The answer of the authorization server (RFC 6749 §4.1.2): whose it is, whether it may be believed, what it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/text/url.h"
#include "broker/login/authorization_issuer.h"
#include "broker/login/authorization_session_state.h"
#include "broker/broker_state.h"
#include "broker/entry/entry_event.h"
#include "broker/entry/token_entry_state.h"
#include "model/iclient/iclient.h"
#include "protocol/reply/reply_quote.h"

enum { CALLBACK_PARAMETERS_MAX = 32, CALLBACK_QUERY_MAX = 16 * 1024, ERROR_CODE_SIZE = 65, ERROR_WORDS_SIZE = 301 };

static bool texts_equal(const char *a, const char *b, size_t length)
{
    return strlen(a) == length && CRYPTO_memcmp(a, b, length) == 0;
}

enum status authorization_session_take_up(struct broker *broker, const char *ticket,
                                          const struct authorization_session **ret_session, char **ret_cookie_name,
                                          char **ret_cookie)
{
    size_t length = strlen(ticket);
    struct authorization_session *session, *found = NULL;
    /* All are compared, each in constant time, so that timing tells nothing of a ticket. */
    DL_FOREACH (broker->sessions, session)
        if (length == RANDOM_TOKEN_SIZE - 1 && texts_equal(session->ticket, ticket, length))
            found = session;
    if (!found || found->state != SESSION_PENDING)
        return ERR_NOT_FOUND;
    AUTO_TEXT name = strdup(found->cookie_name);
    AUTO_TEXT cookie = strdup(found->cookie);
    if (!name || !cookie)
        return ERR_NO_MEMORY;
    secret_wipe(found->ticket, sizeof found->ticket);
    authorization_session_set_state(found, SESSION_STARTED, NULL);
    *ret_cookie_name = TAKE(name);
    *ret_cookie = TAKE(cookie);
    *ret_session = found;
    return OK;
}

/* RFC 6265 §4.2.1: pairs of name=value, separated by "; ". */
static bool cookie_fits(const char *cookies, const char *name, const char *value)
{
    size_t name_length = strlen(name);
    for (const char *at = cookies; at && *at;) {
        at += strspn(at, "; ");
        size_t length = strcspn(at, ";");
        if (length > name_length && at[name_length] == '=' && strncmp(at, name, name_length) == 0)
            return texts_equal(value, at + name_length + 1, length - name_length - 1);
        at += length;
    }
    return false;
}

static struct authorization_session *find_by_state(const struct broker *broker, const char *state)
{
    size_t length = strlen(state);
    struct authorization_session *session, *found = NULL;
    DL_FOREACH (broker->sessions, session)
        if (length == RANDOM_TOKEN_SIZE - 1 && texts_equal(session->state_text, state, length))
            found = session;
    return found;
}

static bool is_open_for(const struct authorization_session *session, const struct authorization_answer *answer)
{
    bool is_open = session->state == SESSION_STARTED || session->state == SESSION_PENDING;
    return is_open && (!answer->paste_entry || session->entry == answer->paste_entry);
}

/*
 * Every parameter of the callback, for callbackMetadata and {{{callback.…}}}; those that cannot be read are left out.
 */
static json_t *read_parameters(const char *query)
{
    json_t *parameters = json_object();
    size_t length = strlen(query);
    for (size_t at = 0, count = 0; parameters && at < length && count < CALLBACK_PARAMETERS_MAX; count++) {
        size_t name_length = strcspn(query + at, "=&");
        AUTO_TEXT name = strndup(query + at, name_length);
        AUTO_TEXT value = NULL;
        if (name && form_find(query, length, name, &value) == OK)
            json_object_set_new(parameters, name, json_string(value));
        at += strcspn(query + at, "&") + 1;
    }
    return parameters;
}

static enum status find_optional(const char *query, const char *name, char **ret_value, struct error *ret_error)
{
    enum status status = form_find(query, strlen(query), name, ret_value);
    if (status == OK || status == ERR_NOT_FOUND)
        return OK;
    return error_set(ret_error, status, "the parameter \"%s\" stands twice or is badly encoded", name);
}

static void fail_by_provider(struct authorization_session *session, const char *error, const char *description)
{
    const struct grant_context context = {
        .connection = session->connection, .code_verifier = session->verifier, .state = session->state_text};
    char message[SESSION_MESSAGE_MAX];
    char code[ERROR_CODE_SIZE];
    char words[ERROR_WORDS_SIZE] = "";
    bool is_denied = strcmp(error, "access_denied") == 0;
    bool is_code_told = reply_quote(&context, NULL, error, code, sizeof code);
    bool are_words_told = !description || reply_quote(&context, NULL, description, words, sizeof words);
    snprintf(message, sizeof message, "%s (%s%s%s)",
             is_denied ? "the login was declined at the provider" : "the provider refused the login",
             is_code_told ? code : "its error holds a secret", description ? ": " : "",
             are_words_told ? words : "its description holds a secret");
    authorization_session_set_state(session, SESSION_FAILED, message);
}

static enum status begin_exchange(struct authorization_session *session, const char *code, const char *query,
                                  authorization_done *done, void *context, struct error *ret_error)
{
    AUTO(secret) code_secret = secret_from_text(code);
    AUTO_JSON parameters = read_parameters(query);
    if (!code_secret || !parameters)
        return error_set(ret_error, ERR_NO_MEMORY, "no memory for the login");
    session->code = TAKE(code_secret);
    session->callback = TAKE(parameters);
    session->done = done;
    session->done_context = context;
    authorization_session_set_state(session, SESSION_EXCHANGING, NULL);
    entry_report(session->entry, EVENT_CODE_ARRIVED);
    return OK;
}

enum status authorization_session_answer(struct broker *broker, const struct authorization_answer *answer,
                                         authorization_done *done, void *context,
                                         const struct authorization_session **ret_session, struct error *ret_error)
{
    const char *query = answer->query ? answer->query : "";
    if (strlen(query) > CALLBACK_QUERY_MAX)
        return error_set(ret_error, ERR_INVALID, "the answer is too long");
    AUTO_TEXT state = NULL;
    AUTO_TEXT issuer = NULL;
    AUTO_TEXT error = NULL;
    AUTO_TEXT description = NULL;
    AUTO_TEXT code = NULL;
    enum status status = find_optional(query, "state", &state, ret_error);
    if (status != OK)
        return status;
    struct authorization_session *session = state ? find_by_state(broker, state) : NULL;
    if (!session || !is_open_for(session, answer))
        return error_set(ret_error, ERR_NOT_FOUND,
                         "no login waits for this answer: it was used already, it has expired, or it "
                         "was never begun here");
    if (!authorization_issuer_path_fits(session, answer->path))
        return error_set(ret_error, ERR_NOT_FOUND, "this is not the redirect URI of the login");
    if (!answer->paste_entry && !cookie_fits(answer->cookie, session->cookie_name, session->cookie))
        return error_set(ret_error, ERR_DENIED, "the login was begun in another browser");
    *ret_session = session;
    const char *code_name = iclient_text(connection_iclient(session->connection), ICLIENT_CODE_PARAM);
    if ((status = find_optional(query, "iss", &issuer, ret_error)) != OK ||
        (status = find_optional(query, "error", &error, ret_error)) != OK ||
        (status = find_optional(query, "error_description", &description, ret_error)) != OK ||
        (status = find_optional(query, code_name, &code, ret_error)) != OK)
        return status;
    /* An error brings nothing that another server could use, and not all send iss with it. */
    struct error reason = {0};
    if (issuer || !error)
        status = authorization_issuer_check(session, answer->path, issuer, &reason);
    if (status == ERR_DENIED)
        authorization_session_set_state(session, SESSION_FAILED, reason.message);
    if (status != OK)
        return error_set(ret_error, status, "%s", reason.message);
    if (error) {
        session->done = done;
        session->done_context = context;
        fail_by_provider(session, error, description);
        return OK;
    }
    if (!code || !*code)
        return error_set(ret_error, ERR_INVALID, "the answer has neither a code nor an error");
    return begin_exchange(session, code, query, done, context, ret_error);
}

void authorization_session_forget_waiter(const struct authorization_session *session, void *context)
{
    struct authorization_session *at;
    DL_FOREACH (session->broker->sessions, at)
        if (at == session && at->done_context == context)
            at->done = NULL;
}
