#include "broker/login/authorization_issuer.h"

#include <stdlib.h>
#include <string.h>

#include "base/text/url.h"
#include "broker/login/authorization_session_state.h"
#include "broker/broker_state.h"
#include "model/connection/redirect_share.h"
#include "model/template/template.h"
#include "protocol/request/grant_context.h"
#include "protocol/reply/reply_quote.h"

enum { QUOTED_ISSUER_SIZE = 200 };

static const struct iclient *iclient_of(const struct authorization_session *session)
{
    return connection_iclient(session->connection);
}

static bool is_shared(const struct authorization_session *session, const struct redirect_share_query *query)
{
    return redirect_share_find(session->broker->catalog, iclient_of(session), query) != NULL;
}

bool authorization_issuer_path_fits(const struct authorization_session *session, const char *path)
{
    AUTO_TEXT own = redirect_share_path(session->redirect_uri);
    if (own)
        return strcmp(own, path) == 0;
    return !is_shared(session, &(struct redirect_share_query){.path = path});
}

/* Another server's answer names that one: it is shown, as far as it can be, so that a person sees which. */
static enum status deny(const struct authorization_session *session, const char *issuer, const char *why,
                        struct error *ret_error)
{
    const struct grant_context context = {
        .connection = session->connection, .code_verifier = session->verifier, .state = session->state_text};
    char quoted[QUOTED_ISSUER_SIZE];
    if (!reply_quote(&context, NULL, issuer, quoted, sizeof quoted))
        strcpy(quoted, "withheld, it holds a secret");
    return error_set(ret_error, ERR_DENIED, "the answer's iss (%s) %s (RFC 9207)", quoted, why);
}

/* ---- with oauth2.issuer ---- */

/* RFC 9207 §2.4: simple string comparison (RFC 3986 §6.2.1). */
static enum status check_exactly(const struct authorization_session *session, const char *issuer,
                                 struct error *ret_error)
{
    struct grant_context context = {.connection = session->connection, .redirect_uri = session->redirect_uri};
    AUTO_FINISH(text_buffer) expected;
    text_buffer_init(&expected, URL_MAX);
    enum status status = template_render(iclient_issuer(iclient_of(session)), TEMPLATE_IN_URI, grant_context_lookup,
                                         &context, &expected, ret_error);
    if (status == ERR_NO_MEMORY)
        return status;
    if (status != OK)
        return ret_error ? (error_prefix(ret_error, "oauth2.issuer"), ERR_DENIED) : ERR_DENIED;
    if (strcmp(text_buffer_text(&expected), issuer) == 0)
        return OK;
    return deny(session, issuer, "is not the provider's oauth2.issuer", ret_error);
}

/* ---- without ---- */

static bool has_origin_of(const char *issuer, const char *authorization_url)
{
    AUTO(url) expected = NULL;
    AUTO(url) given = NULL;
    if (url_parse(authorization_url, &expected, NULL) != OK || url_parse(issuer, &given, NULL) != OK)
        return false;
    return strcmp(url_scheme(expected), url_scheme(given)) == 0 && strcmp(url_host(expected), url_host(given)) == 0 &&
           url_port(expected) == url_port(given) && !url_query(given);
}

static enum status check_loosely(const struct authorization_session *session, const char *path, const char *issuer,
                                 struct error *ret_error)
{
    if (!has_origin_of(issuer, session->url))
        return deny(session, issuer,
                    "is on another host than the provider that was asked; where the provider's own documentation says "
                    "that this is its issuer, set oauth2.issuer to it",
                    ret_error);
    if (is_shared(session, &(struct redirect_share_query){.path = path, .issuer = issuer}))
        return deny(session, issuer, "is the issuer of another iClient", ret_error);
    return OK;
}

enum status authorization_issuer_check(const struct authorization_session *session, const char *path,
                                       const char *issuer, struct error *ret_error)
{
    const bool has_issuer = iclient_issuer(iclient_of(session)) != NULL;
    if (issuer)
        return has_issuer ? check_exactly(session, issuer, ret_error) : check_loosely(session, path, issuer, ret_error);
    /* At a redirect URI that no other server has, its path says as much as iss would (RFC 9700 §4.4.2). */
    if (!is_shared(session, &(struct redirect_share_query){.path = path}))
        return OK;
    return error_set(
        ret_error, ERR_DENIED,
        "the answer has no iss, and another authorization server's answers arrive at the same redirect URI: "
        "give this iClient a redirectUri of its own%s (RFC 9700 §4.4)",
        has_issuer ? "" : ", or set oauth2.issuer if the provider sends iss");
}
