#include "protocol/fixture.h"
#include "protocol/jws_keys.h"
#include "protocol/request/token_request.h"

#define IN_BASIC(grant, more) HEAD "\"oauth2\":{\"grantType\":\"" grant "\"," CLIENT "," URIS more "}}"
#define IN_BODY(grant, more)                                                                                           \
    HEAD "\"oauth2\":{\"grantType\":\"" grant "\",\"clientCredentialsLocation\":\"body\"," CLIENT "," URIS more "}}"
#define NO_PKCE ",\"pkceCodeChallengeMethod\":null"
#define FORM "application/x-www-form-urlencoded"

static struct http_request *make(struct fixture *fixture, enum token_exchange exchange)
{
    struct http_request *request = NULL;
    struct error error = {0};
    cr_assert_eq(token_request_create(exchange, &fixture->context, &request, &error), OK, "%s", error.message);
    return request;
}

static void fill(struct fixture *fixture)
{
    fixture_set_tokens(fixture, "old-access", "tGzv3JOkF0XG5Qx2TlKWIA");
    fixture_set_callback(fixture, "{\"code\":\"SplxlOBeZQQYbYS6WxSbIA\",\"shop\":\"a&b\",\"host\":\"evil.example.net\","
                                  "\"end\":\"evil.net/\"}");
    fixture->context.code = "SplxlOBeZQQYbYS6WxSbIA";
    fixture->context.redirect_uri = "https://client.example.com/cb";
    fixture->context.code_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    fixture->context.state = "xyz";
}

/* ---- what goes over the wire, request by request ---- */

static const struct {
    const char *about;
    enum token_exchange exchange;
    const char *iclient, *connection;
    const char *authorization, *content_type, *body;
} bodies[] = {
    {"RFC 6749 section 4.1.3", TOKEN_EXCHANGE_CODE, IN_BASIC("authorizecode", NO_PKCE), NULL, BASIC, FORM,
     "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"},
    {"RFC 7636 section 4.5", TOKEN_EXCHANGE_CODE, IN_BASIC("authorizecode", ""), NULL, BASIC, FORM,
     "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"
     "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"RFC 6749 section 4.3.2", TOKEN_EXCHANGE_PASSWORD,
     IN_BASIC("password", ",\"username\":\"johndoe\",\"password\":\"A3ddj3w\""), NULL, BASIC, FORM,
     "grant_type=password&username=johndoe&password=A3ddj3w"},
    {"RFC 6749 section 4.4.2", TOKEN_EXCHANGE_CLIENT_CREDENTIALS, IN_BASIC("clientcredentials", ""), NULL, BASIC, FORM,
     "grant_type=client_credentials"},
    {"RFC 6749 section 6", TOKEN_EXCHANGE_REFRESH, IN_BASIC("authorizecode", ""), NULL, BASIC, FORM,
     "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"},
    {"credentials in the body", TOKEN_EXCHANGE_REFRESH, IN_BODY("authorizecode", ""), NULL, NULL, FORM,
     "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"},
    {"a public client", TOKEN_EXCHANGE_REFRESH,
     HEAD "\"type\":\"public\",\"oauth2\":{\"grantType\":\"authorizecode\",\"clientId\":\"pub\"," URIS "}}", NULL, NULL,
     FORM, "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=pub"},
    {"the scope with its delimiter", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     IN_BASIC("clientcredentials", ",\"scope\":[\"a\",\"b\"],\"scopeDelimiter\":\",\""), NULL, BASIC, FORM,
     "grant_type=client_credentials&scope=a%2Cb"},
    {"the connection's username, password and scope win", TOKEN_EXCHANGE_PASSWORD,
     IN_BASIC("password", ",\"username\":\"u\",\"password\":\"p\",\"scope\":\"s\""),
     "{\"name\":\"c\",\"iClient\":\"test\",\"username\":\"j d\",\"password\":\"a&b=c\",\"scope\":\"x y\"}", BASIC, FORM,
     "grant_type=password&username=j+d&password=a%26b%3Dc&scope=x+y"},
    {"Salesforce's security token behind the password", TOKEN_EXCHANGE_PASSWORD,
     HEAD "\"salesforce\":{\"apiToken\":\"TOK\"},\"oauth2\":{\"grantType\":\"password\",\"username\":\"u\","
          "\"password\":\"pass\"," CLIENT "," URIS "}}",
     NULL, BASIC, FORM, "grant_type=password&username=u&password=passTOK"},
    {"tokenParams, and the connection's params over them", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     IN_BASIC("clientcredentials", ",\"tokenParams\":{\"resource\":\"r\",\"n\":1,\"flag\":true}"),
     "{\"name\":\"c\",\"iClient\":\"test\",\"params\":{\"resource\":\"mine\"},\"audience\":\"https://api\"}", BASIC,
     FORM, "grant_type=client_credentials&resource=mine&audience=https%3A%2F%2Fapi&n=1&flag=true"},
    {"a scope among the tokenParams in place of the default one", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     IN_BASIC("clientcredentials", ",\"scope\":\"a\",\"tokenParams\":{\"scope\":\"b\"}"), NULL, BASIC, FORM,
     "grant_type=client_credentials&scope=b"},
    {"refreshParams at a refresh and not tokenParams", TOKEN_EXCHANGE_REFRESH,
     IN_BASIC("authorizecode",
              ",\"tokenParams\":{\"a\":\"1\"},\"refreshParams\":{\"redirect_uri\":\"{{{redirectUri}}}\"}"),
     NULL, BASIC, FORM,
     "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
     "&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"},
    {"a body of its own takes the defaults' place, credentials included", TOKEN_EXCHANGE_CODE,
     HEAD "\"oauth2\":{\"grantType\":\"authorizecode\",\"clientCredentialsLocation\":\"body\"," CLIENT ","
          "\"auth\":{\"uri\":\"" SERVER "/a\"},\"token\":{\"uri\":\"" SERVER "/token\","
          "\"body\":{\"code\":\"{{{code}}}\",\"shop\":\"{{{callback.shop}}}\"}},\"tokenParams\":{\"more\":\"1\"}}}",
     NULL, NULL, FORM, "code=SplxlOBeZQQYbYS6WxSbIA&shop=a%26b&more=1"},
    {"a body of its own keeps the basic header", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
          "/token\",\"body\":\"grant_type=account_credentials&account_id=7\"}}}",
     NULL, BASIC, FORM, "grant_type=account_credentials&account_id=7"},
    {"a body of its own with the secret in it is the only authentication", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
          "/token\",\"body\":\"client_id={{{iClient.clientId}}}&client_secret={{{iClient.clientSecret}}}\"}}}",
     NULL, NULL, FORM, "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"},
    {"a body of its own with a client assertion is the only authentication", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
          "/token\",\"body\":{\"client_assertion\":\"made.by.hand\"}}}}",
     NULL, NULL, FORM, "client_assertion=made.by.hand"},
    {"JSON by bodyFormat", TOKEN_EXCHANGE_REFRESH, IN_BASIC("authorizecode", ",\"bodyFormat\":\"json\""), NULL, BASIC,
     "application/json", "{\"grant_type\":\"refresh_token\",\"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\"}"},
    {"JSON by Content-Type, values of their own type, nested", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
          "/token\",\"headers\":\"Content-Type: application/vnd.api+json\",\"body\":{\"n\":1,\"deep\":{\"id\":"
          "\"{{{iClient.oauth2.clientId}}}\"},\"q\":\"\\\"\"}}}}",
     NULL, BASIC, "application/vnd.api+json", "{\"n\":1,\"deep\":{\"id\":\"s6BhdRkqt3\"},\"q\":\"\\\"\"}"},
    {"an Authorization header of its own is the only one", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
          "/token\",\"headers\":{\"authorization\":\"Client {{{iClient.oauth2.clientSecret}}}\"}}}}",
     NULL, "Client gX1fBat3bV", FORM, "grant_type=client_credentials"},
    {"what a form encodes, and nothing unreserved", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD
     "\"oauth2\":{\"grantType\":\"clientcredentials\",\"clientId\":\"a-b.c_d~e\",\"clientSecret\":\"x/y+z=:%~\"," URIS
     "}}",
     NULL, "Basic YS1iLmNfZH5lOnglMkZ5JTJCeiUzRCUzQSUyNX4=", FORM, "grant_type=client_credentials"},
    {"nothing encoded for a server that does not decode", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\",\"clientCredentialsEncoding\":\"NONE\",\"clientId\":\"a b\","
          "\"clientSecret\":\"x/y+z=:%~\"," URIS "}}",
     NULL, "Basic YSBiOngveSt6PTolfg==", FORM, "grant_type=client_credentials"},
    {"id and secret form-encoded before Base64", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\",\"clientId\":\"a:b\",\"clientSecret\":\"c d%\"," URIS "}}",
     NULL, "Basic YSUzQWI6YytkJTI1", FORM, "grant_type=client_credentials"},
};

Test(token_request, each_exchange_has_the_body_and_the_credentials_that_its_iclient_says)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fixture fixture = fixture_create(bodies[i].iclient, bodies[i].connection);
        fill(&fixture);
        AUTO(http_request) request = make(&fixture, bodies[i].exchange);
        const char *authorization = request_header(request, "Authorization");
        cr_expect_str_eq(http_request_method(request), "POST");
        cr_expect_str_eq(request_url(request), SERVER "/token", "%s", bodies[i].about);
        cr_expect_str_eq(request_body(request), bodies[i].body, "%s: %s", bodies[i].about, request_body(request));
        cr_expect_str_eq(request_header(request, "Content-Type"), bodies[i].content_type, "%s", bodies[i].about);
        cr_expect_str_eq(request_header(request, "Accept"), "application/json");
        if (bodies[i].authorization)
            cr_expect_str_eq(authorization ? authorization : "(none)", bodies[i].authorization, "%s", bodies[i].about);
        else
            cr_expect_null(authorization, "%s", bodies[i].about);
        fixture_finish(&fixture);
    }
}

Test(token_request, get_puts_the_parameters_into_the_query_behind_the_uris_own)
{
    struct fixture fixture =
        fixture_create(HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\",\"scope\":\"a b\"," CLIENT
                            ",\"token\":{\"method\":\"GET\","
                            "\"uri\":\"" SERVER "/token?v=2\"}}}",
                       NULL);
    AUTO(http_request) request = make(&fixture, TOKEN_EXCHANGE_CLIENT_CREDENTIALS);
    cr_expect_str_eq(http_request_method(request), "GET");
    cr_expect_str_eq(request_url(request), SERVER "/token?v=2&grant_type=client_credentials&scope=a%20b");
    cr_expect_null(http_request_body(request));
    cr_expect_null(request_header(request, "Content-Type"));
    cr_expect_str_eq(request_header(request, "Authorization"), BASIC);
    fixture_finish(&fixture);
}

Test(token_request, headers_are_rendered_and_win_over_accept)
{
    struct fixture fixture = fixture_create(
        HEAD "\"settings\":{\"v\":\"7\"},\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT
             ",\"token\":{\"uri\":\"" SERVER "/token\",\"headers\":[{\"name\":\"Accept\",\"value\":\"text/json\"},"
             "{\"name\":\"X-Version\",\"value\":\"v{{{iClient.settings.v}}}\"}]}}}",
        NULL);
    AUTO(http_request) request = make(&fixture, TOKEN_EXCHANGE_CLIENT_CREDENTIALS);
    cr_expect_str_eq(request_header(request, "Accept"), "text/json");
    cr_expect_str_eq(request_header(request, "X-Version"), "v7");
    fixture_finish(&fixture);
}

Test(token_request, refresh_has_its_own_uri_body_and_headers)
{
    struct fixture fixture = fixture_create(
        HEAD "\"oauth2\":{\"grantType\":\"authorizecode\"," CLIENT "," URIS ",\"refresh\":{\"uri\":\"" SERVER
             "/refresh/{{metadata.id}}\",\"headers\":\"X-R: 1\",\"body\":{\"rt\":\"{{{refreshToken}}}\"}}}}",
        NULL);
    fixture_set_tokens(&fixture, "a", "r&1");
    fixture.tokens->metadata = fixture_json("{\"id\":\"x/y\"}");
    AUTO(http_request) request = make(&fixture, TOKEN_EXCHANGE_REFRESH);
    cr_expect_str_eq(request_url(request), SERVER "/refresh/x%2Fy");
    cr_expect_str_eq(request_body(request), "rt=r%261");
    cr_expect_str_eq(request_header(request, "X-R"), "1");
    fixture_finish(&fixture);
}

/* ---- JWT ---- */

#define JWT_BLOCK(more)                                                                                                \
    "\"enableJWT\":true,\"jwt\":{\"signatureMethod\":\"HS256\",\"secret\":\"0123456789abcdef0123456789abcdef\"" more   \
    "},"

/* The value of a parameter in a form body whose value needs no decoding (a JWT). */
static char *parameter(const struct http_request *request, const char *name)
{
    char *value = NULL;
    const struct secret *body = http_request_body(request);
    cr_assert_eq(form_find(secret_reveal(body), secret_length(body), name, &value), OK, "%s", name);
    return value;
}

Test(token_request, jwt_bearer_has_the_shape_of_rfc_7523_section_2_1)
{
    struct fixture fixture =
        fixture_create(HEAD JWT_BLOCK(",\"payload\":{\"iss\":\"{{{iClient.clientId}}}\",\"sub\":\"{{{connection."
                                      "username}}}\"}") "\"oauth2\":{\"grantType\":\"jwtbearer\","
                                                        "\"clientId\":\"s6BhdRkqt3\",\"scope\":\"a\","
                                                        "\"token\":{\"uri\":\"" SERVER "/token\"}}}",
                       "{\"name\":\"c\",\"iClient\":\"test\",\"username\":\"ann\"}");
    AUTO(http_request) request = make(&fixture, TOKEN_EXCHANGE_JWT_BEARER);
    AUTO_TEXT grant_type = parameter(request, "grant_type");
    AUTO_TEXT assertion = parameter(request, "assertion");
    AUTO_TEXT scope = parameter(request, "scope");
    cr_expect_str_eq(grant_type, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    cr_expect_str_eq(scope, "a");
    cr_expect_null(request_header(request, "Authorization"), "without a secret the assertion is all the proof");
    AUTO_JSON claims = jwt_part(assertion, 1);
    cr_expect_str_eq(json_read_string(claims, "iss"), "s6BhdRkqt3");
    cr_expect_str_eq(json_read_string(claims, "sub"), "ann");
    cr_expect_eq(json_object_size(claims), 4, "nothing but iat and exp is added to a payload");
    fixture_finish(&fixture);
}

Test(token_request, private_key_jwt_has_the_shape_of_rfc_7523_section_2_2)
{
    AUTO_JSON document = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:s, s:s, s:s, s:{s:s}}}", "name", "test",
                                   "provider", "custom_oauth2", "jwt", "signatureMethod", "ES256", "privateKey", EC_A3,
                                   "header", "kid", "k7", "oauth2", "grantType", "clientcredentials", "clientId",
                                   "s6BhdRkqt3", "tokenAuthMethod", "private_key_jwt", "token", "uri", SERVER "/token");
    char *text = json_dumps(document, 0);
    struct fixture fixture = fixture_create(text, NULL);
    free(text);
    AUTO(http_request) request = make(&fixture, TOKEN_EXCHANGE_CLIENT_CREDENTIALS);
    AUTO_TEXT type = parameter(request, "client_assertion_type");
    AUTO_TEXT assertion = parameter(request, "client_assertion");
    AUTO_TEXT client_id = parameter(request, "client_id");
    cr_expect_str_eq(type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    cr_expect_str_eq(client_id, "s6BhdRkqt3");
    cr_expect_null(request_header(request, "Authorization"));
    AUTO_JSON header = jwt_part(assertion, 0);
    AUTO_JSON claims = jwt_part(assertion, 1);
    cr_expect_str_eq(json_read_string(header, "alg"), "ES256");
    cr_expect_str_eq(json_read_string(header, "kid"), "k7");
    cr_expect_str_eq(json_read_string(claims, "iss"), "s6BhdRkqt3");
    cr_expect_str_eq(json_read_string(claims, "sub"), "s6BhdRkqt3");
    cr_expect_str_eq(json_read_string(claims, "aud"), SERVER "/token");
    cr_expect_eq(json_integer_value(json_object_get(claims, "exp")), NOW + 300);
    fixture_finish(&fixture);
}

Test(token_request, a_body_can_carry_the_iclients_jwt)
{
    struct fixture fixture = fixture_create(
        HEAD JWT_BLOCK("") "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
                           "/token\",\"body\":{\"grant_type\":\"x\",\"jwt\":\"{{{iClient.jwt.token}}}\"}}}}",
        NULL);
    AUTO(http_request) request = make(&fixture, TOKEN_EXCHANGE_CLIENT_CREDENTIALS);
    AUTO_TEXT token = parameter(request, "jwt");
    AUTO_JSON claims = jwt_part(token, 1);
    cr_expect_str_eq(json_read_string(claims, "iss"), "s6BhdRkqt3");
    fixture_finish(&fixture);
}

/* ---- what is refused ---- */

/* A host that no document has, so that nothing but the request can refuse it. */
#define IN_CALLBACK_HOST(uri)                                                                                          \
    HEAD "\"oauth2\":{\"grantType\":\"authorizecode\",\"validDomainNames\":[\"example.com\"]," CLIENT                  \
         ",\"auth\":{\"uri\":\"" SERVER "/authorize\"},\"token\":{\"uri\":\"" uri "\"}}}"

static const struct {
    const char *about;
    enum token_exchange exchange;
    const char *iclient, *connection;
    enum status status;
    const char *says;
} refused[] = {
    {"no client id", TOKEN_EXCHANGE_REFRESH,
     HEAD "\"oauth2\":{\"grantType\":\"password\",\"username\":\"u\",\"password\":\"p\",\"token\":{\"uri\":\"" SERVER
          "/token\",\"body\":{\"x\":\"y\"}}}}",
     NULL, ERR_INVALID, "clientId"},
    {"no username", TOKEN_EXCHANGE_PASSWORD, IN_BASIC("password", ""), NULL, ERR_INVALID, "username"},
    {"a template that resolves to nothing", TOKEN_EXCHANGE_CODE,
     IN_BASIC("authorizecode", ",\"tokenParams\":{\"a\":\"{{{callback.missing}}}\"}"), NULL, ERR_NOT_FOUND,
     "oauth2.tokenParams.a: {{{callback.missing}}}"},
    {"a host outside the policy", TOKEN_EXCHANGE_CODE, IN_CALLBACK_HOST("https://{{{callback.host}}}/token"), NULL,
     ERR_DENIED, "evil.example.net"},
    {"a value that would end the host", TOKEN_EXCHANGE_CODE,
     IN_CALLBACK_HOST("https://{{{callback.end}}}.example.com/token"), NULL, ERR_INVALID, "host"},
    {"a line break in a header", TOKEN_EXCHANGE_CLIENT_CREDENTIALS,
     HEAD "\"oauth2\":{\"grantType\":\"clientcredentials\"," CLIENT ",\"token\":{\"uri\":\"" SERVER
          "/token\",\"headers\":{\"X-A\":\"{{{connection.settings.a}}}\"}}}}",
     "{\"name\":\"c\",\"iClient\":\"test\",\"settings\":{\"a\":\"1\\r\\nX-B: 2\"}}", ERR_INVALID, "X-A"},
};

Test(token_request, what_cannot_be_sent_safely_is_refused_with_its_reason)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct fixture fixture = fixture_create(refused[i].iclient, refused[i].connection);
        fill(&fixture);
        struct http_request *request = NULL;
        struct error error = {0};
        cr_expect_eq(token_request_create(refused[i].exchange, &fixture.context, &request, &error), refused[i].status,
                     "%s: %s", refused[i].about, error.message);
        cr_expect(strstr(error.message, refused[i].says), "%s says: %s", refused[i].about, error.message);
        cr_expect_null(request);
        cr_expect_null(strstr(error.message, "gX1fBat3bV"));
        fixture_finish(&fixture);
    }
}

Test(token_request, without_code_or_refresh_token_nothing_is_made)
{
    struct fixture fixture = fixture_create(IN_BASIC("authorizecode", ""), NULL);
    struct http_request *request = NULL;
    cr_expect_eq(token_request_create(TOKEN_EXCHANGE_CODE, &fixture.context, &request, NULL), ERR_INVALID);
    cr_expect_eq(token_request_create(TOKEN_EXCHANGE_REFRESH, &fixture.context, &request, NULL), ERR_INVALID);
    fixture_set_tokens(&fixture, "access", NULL);
    cr_expect_eq(token_request_create(TOKEN_EXCHANGE_REFRESH, &fixture.context, &request, NULL), ERR_INVALID);
    fixture_finish(&fixture);
}

Test(token_request, exchanges_have_names)
{
    cr_expect_str_eq(token_exchange_name(TOKEN_EXCHANGE_CODE), "authorization_code");
    cr_expect_str_eq(token_exchange_name(TOKEN_EXCHANGE_REFRESH), "refresh_token");
}
