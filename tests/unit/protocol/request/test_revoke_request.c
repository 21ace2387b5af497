#include "protocol/fixture.h"
#include "protocol/request/revoke_request.h"

#define IN(location, revoke)                                                                                           \
    HEAD "\"oauth2\":{\"grantType\":\"authorizecode\",\"clientCredentialsLocation\":\"" location "\"," CLIENT "," URIS \
         ",\"revoke\":{" revoke "}}}"
#define REVOKE "\"uri\":\"" SERVER "/revoke\""
#define FORM "application/x-www-form-urlencoded"

static const struct {
    const char *about, *iclient;
    const char *method, *url, *authorization, *content_type, *body; /* NULL: none */
} requests[] = {
    {"RFC 7009 section 2.1", IN("basicauthheader", REVOKE), "POST", SERVER "/revoke", BASIC, FORM,
     "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token"},
    {"credentials in the body", IN("body", REVOKE), "POST", SERVER "/revoke", NULL, FORM,
     "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"},
    {"GET", IN("basicauthheader", REVOKE ",\"method\":\"GET\""), "GET",
     SERVER "/revoke?token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token", BASIC, NULL, NULL},
    {"DELETE whose URI says it all",
     IN("body", "\"uri\":\"" SERVER "/refresh-tokens/{{token}}\",\"method\":\"DELETE\""), "DELETE",
     SERVER "/refresh-tokens/45ghiukldjahdnhzdauz", NULL, FORM, "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"},
    {"GitHub: DELETE with a JSON body",
     IN("basicauthheader", "\"uri\":\"" SERVER "/applications/{{{iClient.oauth2.clientId}}}/token\",\"method\":"
                           "\"DELETE\",\"headers\":{\"Content-Type\":\"application/json\"},\"body\":"
                           "{\"access_token\":\"{{{token}}}\"}"),
     "DELETE", SERVER "/applications/s6BhdRkqt3/token", BASIC, "application/json",
     "{\"access_token\":\"45ghiukldjahdnhzdauz\"}"},
    {"Dropbox: the token itself as bearer and nothing else",
     IN("body", REVOKE ",\"headers\":{\"Authorization\":\"Bearer {{{token}}}\"},\"body\":{}"), "POST", SERVER "/revoke",
     "Bearer 45ghiukldjahdnhzdauz", NULL, NULL},
};

static void expect_text(const char *found, const char *expected, const char *about)
{
    if (expected)
        cr_expect_str_eq(found ? found : "(none)", expected, "%s: %s", about, found);
    else
        cr_expect_null(found, "%s: %s", about, found);
}

Test(revoke_request, it_is_what_the_iclient_says)
{
    AUTO(secret) token = secret_from_text("45ghiukldjahdnhzdauz");
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct fixture fixture = fixture_create(requests[i].iclient, NULL);
        fixture.context.token = token;
        fixture.context.token_type_hint = "refresh_token";
        AUTO(http_request) request = NULL;
        struct error error = {0};
        cr_assert_eq(revoke_request_create(&fixture.context, &request, &error), OK, "%s: %s", requests[i].about,
                     error.message);
        expect_text(http_request_method(request), requests[i].method, requests[i].about);
        expect_text(request_url(request), requests[i].url, requests[i].about);
        expect_text(request_header(request, "Authorization"), requests[i].authorization, requests[i].about);
        expect_text(request_header(request, "Content-Type"), requests[i].content_type, requests[i].about);
        expect_text(secret_reveal(http_request_body(request)), requests[i].body, requests[i].about);
        fixture_finish(&fixture);
    }
}

Test(revoke_request, without_a_revoke_uri_it_is_unsupported)
{
    AUTO(secret) token = secret_from_text("t");
    struct fixture fixture =
        fixture_create(HEAD "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT "," URIS "}}", NULL);
    fixture.context.token = token;
    struct http_request *request = NULL;
    cr_expect_eq(revoke_request_create(&fixture.context, &request, NULL), ERR_UNSUPPORTED);
    fixture_finish(&fixture);
}

Test(revoke_request, without_a_token_there_is_nothing_to_revoke)
{
    struct fixture fixture = fixture_create(IN("body", REVOKE), NULL);
    struct http_request *request = NULL;
    cr_expect_eq(revoke_request_create(&fixture.context, &request, NULL), ERR_INVALID);
    fixture_finish(&fixture);
}
