"""Each grant against real authorization servers."""

import base64
import json

import documents
import pytest
from daemon import ROOT, error_of
from fakes.support import CurlUser, call, query_of, wait_until


def glewlwyd_document(server, client, grant, plugin=None, **oauth2):
    uris = {"token": {"uri": server.plugin_uri("token", plugin)}, "revoke": {"uri": server.plugin_uri("revoke", plugin)}}
    if grant == "authorizecode":
        uris["auth"] = {"uri": server.plugin_uri("auth", plugin)}
    return documents.iclient(server, (client.id, client.secret), grant, oauth2={**uris, **oauth2})


@pytest.mark.parametrize("method", ["s256", "plain"])
def test_authorization_code_with_pkce(prepare, glewlwyd, method):
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri])
    daemon.write_iclient(glewlwyd_document(glewlwyd, client, "authorizecode", pkceCodeChallengeMethod=method))
    daemon.start()
    page = daemon.login_at_glewlwyd(glewlwyd, client)
    assert page.status == 200, page
    token = daemon.token().json()
    facts = glewlwyd.introspect(token["access_token"], client)
    assert facts["active"] is True and facts["username"] == glewlwyd.user[0]
    assert set(token["scope"].split()) == {"mail", "files"}


def test_authorization_code_for_a_public_client(prepare, glewlwyd):
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri], public=True)
    document = glewlwyd_document(glewlwyd, client, "authorizecode", clientSecret=None)
    daemon.write_iclient({**document, "type": "public"})
    daemon.start()
    assert daemon.login_at_glewlwyd(glewlwyd, client).status == 200
    assert daemon.token().status == 200


def test_preset_at_addresses_of_ones_own(launch, provider):
    """The preset's manners, another server: no validDomainNames are needed for what the document itself says."""
    daemon = launch(documents.code(provider, provider="google"), config={"presetDir": str(ROOT / "conf" / "providers")})
    assert daemon.login().status == 200 and daemon.token().status == 200
    assert provider.requests_to("/authorize")[0].query["access_type"] == "offline"
    exchange = provider.requests_to("/token")[0]
    assert exchange.form["client_secret"] == provider.client[1] and not exchange.basic


def test_refresh_with_rotation(prepare, glewlwyd):
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri])
    daemon.write_iclient(glewlwyd_document(glewlwyd, client, "authorizecode"))
    daemon.start()
    daemon.login_at_glewlwyd(glewlwyd, client)
    seen = {daemon.token().json()["access_token"]}
    for generation in range(2, 5):
        reply = daemon.admin("POST", "/v1/connections/crm/refresh")
        assert reply.status == 200, reply
        token = daemon.token().json()
        assert token["generation"] == generation
        assert glewlwyd.introspect(token["access_token"], client)["active"] is True
        seen.add(token["access_token"])
    assert len(seen) == 4


def test_short_tokens_are_refreshed_ahead_and_rotated(prepare, glewlwyd):
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri])
    daemon.write_iclient(glewlwyd_document(glewlwyd, client, "authorizecode", plugin="short"))
    daemon.start()
    daemon.login_at_glewlwyd(glewlwyd, client)
    wait_until(lambda: daemon.token().json()["generation"] >= 3, what="two refreshes", interval=0.1)
    # Asked again: the one just got may end on its way.
    wait_until(lambda: glewlwyd.introspect(daemon.token().json()["access_token"], client, "short")["active"], what="a good token")


@pytest.mark.parametrize("location", ["basicauthheader", "body"])
def test_client_credentials(prepare, glewlwyd, location):
    client = glewlwyd.add_client(location="basic" if location == "basicauthheader" else "body")
    daemon = prepare(glewlwyd_document(glewlwyd, client, "clientcredentials", clientCredentialsLocation=location, scope=["mail"]))
    daemon.start()
    reply = daemon.token()
    assert reply.status == 200, reply
    assert glewlwyd.introspect(reply.json()["access_token"], client)["active"] is True


def test_password(prepare, glewlwyd):
    client = glewlwyd.add_client()
    daemon = prepare(glewlwyd_document(glewlwyd, client, "password", username=glewlwyd.user[0], password=glewlwyd.user[1],
                                       scope=["mail"]))
    daemon.start()
    facts = glewlwyd.introspect(daemon.token().json()["access_token"], client)
    assert facts["active"] is True and facts["username"] == glewlwyd.user[0]


def test_password_of_the_connection_wins(prepare, glewlwyd):
    client = glewlwyd.add_client()
    document = glewlwyd_document(glewlwyd, client, "password", username="nobody", password="not this one at all", scope=["mail"])
    daemon = prepare(document, connections=[{"name": "anna", "iClient": "crm", "username": glewlwyd.user[0],
                                             "password": glewlwyd.user[1]}])
    daemon.start()
    assert daemon.token("anna").status == 200


def test_wrong_secret_is_a_failure_that_serves_nothing(prepare, glewlwyd):
    client = glewlwyd.add_client()
    daemon = prepare(glewlwyd_document(glewlwyd, client, "clientcredentials", clientSecret="quite a wrong one", scope=["mail"]))
    daemon.start()
    reply = daemon.token()
    assert reply.status == 502 and error_of(reply)["code"] in ("client_rejected", "provider_error")


def test_revoke_reaches_the_server(prepare, glewlwyd):
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri])
    daemon.write_iclient(glewlwyd_document(glewlwyd, client, "authorizecode"))
    daemon.start()
    daemon.login_at_glewlwyd(glewlwyd, client)
    token = daemon.token().json()["access_token"]
    reply = daemon.admin("POST", "/v1/connections/crm/revoke")
    assert reply.status in (200, 204), reply
    assert glewlwyd.introspect(token, client)["active"] is False
    assert error_of(daemon.token())["code"] == "authorization_required"


def test_authorization_revoked_at_the_server_needs_a_person(prepare, glewlwyd):
    """glewlwyd refuses a dead refresh token with 400 and an empty body."""
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri])
    daemon.write_iclient(glewlwyd_document(glewlwyd, client, "authorizecode"))
    daemon.start()
    person = CurlUser()
    glewlwyd.log_in(person, client.id)
    callback = glewlwyd.authorize(person, person.get(daemon.authorize()).header("Location"), daemon.redirect_uri)
    assert person.get(callback).status == 200
    # A replayed code makes glewlwyd revoke all that it was exchanged for (RFC 6749 §4.1.2).
    form = {"grant_type": "authorization_code", "code": query_of(callback)["code"], "redirect_uri": daemon.redirect_uri,
            "code_verifier": "v" * 43}
    assert call("POST", glewlwyd.token_uri, **client.authenticate(form)).status == 403
    reply = daemon.rejected(generation=1, status=401)
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"
    assert daemon.login_at_glewlwyd(glewlwyd, client).status == 200
    assert daemon.token().status == 200


@pytest.mark.parametrize("method", ["RS256", "RS512", "ES256", "ES384", "PS256", "EdDSA", "HS256"])
def test_jwt_bearer(launch, authlib, method):
    client = authlib.add_client(method)
    daemon = launch(documents.jwt_bearer(authlib, client))
    reply = daemon.token()
    assert reply.status == 200, reply
    assert authlib.is_active(reply.json()["access_token"])
    # A new assertion each time: this server refuses a jti that it has seen.
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert daemon.token().json()["generation"] == 2


def test_jwt_bearer_with_an_encrypted_key(launch, authlib):
    client = authlib.add_client("RS256", passphrase="a passphrase of some length")
    daemon = launch(documents.jwt_bearer(authlib, client))
    assert daemon.token().status == 200


def test_jwt_bearer_with_a_foreign_key_is_refused(launch, authlib):
    client, other = authlib.add_client("ES256"), authlib.add_client("ES256")
    daemon = launch(documents.jwt_bearer(authlib, client, jwt={"privateKey": other.private_key}))
    reply = daemon.token()
    assert reply.status >= 400
    assert daemon.state() != "ready"


def test_jwt_bearer_tokens_are_revoked(launch, authlib):
    client = authlib.add_client("RS256")
    daemon = launch(documents.jwt_bearer(authlib, client))
    token = daemon.token().json()["access_token"]
    assert daemon.admin("POST", "/v1/connections/crm/revoke").status in (200, 204)
    assert not authlib.is_active(token)


def test_a_jwt_in_the_platforms_words(launch, authlib):
    """As an export has it: another word for the method, headers and payload as text, the secret in Base64."""
    client = authlib.add_client("HS256")
    payload = {"iss": client.id, "sub": "somebody", "aud": authlib.token_uri, "jti": "{{{uuid}}}"}
    jwt = {"signatureMethod": "hmac-sha256", "headers": '{"kid": "k1"}', "payload": json.dumps(payload), "isSecretBase64Encoded": True,
           "secret": base64.b64encode(client.secret.encode()).decode()}
    document = documents.iclient(authlib, (client.id, client.secret), "jwtbearer", jwt=jwt)
    daemon = launch(document)
    reply = daemon.token()
    assert reply.status == 200 and authlib.is_active(reply.json()["access_token"]), reply


def test_a_jwt_that_was_signed_elsewhere_is_sent_as_it_is(launch, provider):
    signed = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmVkLWVsc2V3aGVyZQ"
    daemon = launch(documents.iclient(provider, provider.client, "clientcredentials", jwt={"token": signed}, oauth2={
        "token": {"uri": provider.token_uri, "body": {"grant_type": "client_credentials", "proof": "{{{iClient.jwt.token}}}"}}}, enableJWT=True))
    assert daemon.token().status == 200
    assert provider.requests_to("/token")[0].params["proof"] == signed
    assert signed not in daemon.log()


ODD_SECRET = "x/y+z=:%7E %~é"


@pytest.mark.parametrize("encoding, reaches", [(None, False), ("form", False), ("none", True)])
def test_a_secret_reaches_a_server_that_does_not_decode_it(launch, authlib, encoding, reaches):
    """Authlib takes what is in the Authorization header as it is."""
    client = authlib.add_client()
    client.secret = ODD_SECRET.encode("ascii", "ignore").decode()
    daemon = launch(documents.iclient(authlib, (client.id, client.secret), "clientcredentials",
                                      oauth2={"clientCredentialsEncoding": encoding}))
    reply = daemon.token()
    assert (reply.status == 200) == reaches, reply
    assert reaches or error_of(reply)["code"] == "client_rejected"


@pytest.mark.parametrize("encoding, reaches", [(None, True), ("form", True), ("none", False)])
def test_a_secret_reaches_a_server_that_decodes_it(launch, provider, encoding, reaches):
    provider.client = ("client~1.a_b-c", ODD_SECRET)
    daemon = launch(documents.iclient(provider, provider.client, "clientcredentials",
                                      oauth2={"clientCredentialsEncoding": encoding}))
    assert (daemon.token().status == 200) == reaches
    header = base64.b64decode(provider.requests_to("/token")[0].headers["Authorization"].removeprefix("Basic ")).decode()
    assert header.startswith("client~1.a_b-c:") and header.endswith("~é" if encoding == "none" else "~%C3%A9")


@pytest.mark.parametrize("auth_method, key_method", [("private_key_jwt", "RS256"), ("private_key_jwt", "ES256"),
                                                     ("client_secret_jwt", "HS256")])
def test_jwt_client_authentication(launch, authlib, auth_method, key_method):
    client = authlib.add_client(key_method, auth_methods=("client_assertion_jwt",))
    document = documents.iclient(authlib, (client.id, client.secret), "clientcredentials",
                                 oauth2={"tokenAuthMethod": auth_method})
    if auth_method == "private_key_jwt":
        del document["oauth2"]["clientSecret"]
        document["jwt"] = {"signatureMethod": key_method, "privateKey": client.private_key, "use": "clientAssertion"}
    daemon = launch(document)
    reply = daemon.token()
    assert reply.status == 200, reply
    assert authlib.is_active(reply.json()["access_token"])
    assert daemon.admin("POST", "/v1/connections/crm/revoke").status in (200, 204)
    assert not authlib.is_active(reply.json()["access_token"])
