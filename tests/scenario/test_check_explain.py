"""`iclientctl check --explain`: the requests that documents lead to, without their secrets and without a daemon."""

import json
from urllib.parse import parse_qsl

import pytest

import documents
from test_iclientctl_check import CONNECTION, ICLIENT, ROOT, check, write

SECRET = "the-secret-of-a-test"
LOGIN = {"name": "crm", "provider": "custom_oauth2", "oauth2": {
    "grantType": "authorizecode", "clientId": "an id", "clientSecret": SECRET, "scope": ["a", "b"],
    "auth": {"uri": "https://as.example.com/auth?tenant=7"}, "token": {"uri": "https://as.example.com/token"},
    "revoke": {"uri": "https://as.example.com/revoke"}}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "presets").mkdir()
    return tmp_path


def explain(folder, *given, code=0):
    """connection -> request -> what is shown of it."""
    files = [write(folder / f"{number}.json", document) for number, document in enumerate(given)]
    got, out, err = check(folder, "--explain", "--json", *files)
    assert got == code, err
    return {row["connection"]: {request["request"]: request for request in row["requests"]} for row in json.loads(out)}


def with_oauth2(document=LOGIN, **changes):
    return documents.merged(document, {"oauth2": changes})


def headers(request):
    return {header["name"]: header["value"] for header in request["headers"]}


def test_login_has_its_url_exchange_refresh_and_revocations(folder):
    requests = explain(folder, LOGIN)["crm"]
    assert list(requests) == ["authorization_url", "authorization_code", "refresh_token", "revoke_refresh_token", "revoke_access_token"]
    assert requests["authorization_url"]["url"] == (
        "https://as.example.com/auth?tenant=7&response_type=code&client_id=an%20id&redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback%2Fcrm"
        "&scope=a%20b&state=<state>&code_challenge=<code_challenge>&code_challenge_method=S256")
    exchange = requests["authorization_code"]
    assert (exchange["method"], exchange["url"]) == ("POST", "https://as.example.com/token")
    assert exchange["body"] == ("grant_type=authorization_code&code=<code>&redirect_uri=http%3A%2F%2F127.0.0.1%3A8085%2Fcallback%2Fcrm"
                                "&code_verifier=<code_verifier>")
    assert headers(exchange)["Authorization"] == "Basic base64(an+id:******)"
    assert requests["refresh_token"]["body"] == "grant_type=refresh_token&refresh_token=<refresh_token>"
    assert requests["revoke_refresh_token"]["body"] == "token=<refresh_token>&token_type_hint=refresh_token"
    assert requests["revoke_access_token"]["body"] == "token=<access_token>&token_type_hint=access_token"


@pytest.mark.parametrize("document, uri", [
    (LOGIN, "http://127.0.0.1:8085/callback/crm"), ({**LOGIN, "tenant": "acme"}, "http://127.0.0.1:8085/callback/acme/crm"),
    (with_oauth2(redirectUri="http://127.0.0.1:8085/callback"), "http://127.0.0.1:8085/callback"),
])
def test_redirect_uri_to_register_is_shown(folder, document, uri):
    file = write(folder / "login.json", document)
    _, out, _ = check(folder, "--explain", file)
    assert f"redirect URI to register at the provider: {uri}\n" in out
    _, out, _ = check(folder, "--explain", "--json", file)
    assert [row["redirect_uri"] for row in json.loads(out)] == [uri]


@pytest.mark.parametrize("changes, names", [
    ({"revoke": None}, ["authorization_url", "authorization_code", "refresh_token"]),
    ({"grantType": "clientcredentials"}, ["client_credentials", "refresh_token", "revoke_refresh_token", "revoke_access_token"]),
    ({"grantType": "password", "username": "u", "password": SECRET, "revoke": None}, ["password", "refresh_token"]),
])
def test_what_never_is_sent_is_not_shown(folder, changes, names):
    assert list(explain(folder, with_oauth2(**changes))["crm"]) == names


def test_revocation_that_is_the_same_for_either_token_is_one_request(folder):
    revoke = {"uri": "https://as.example.com/apps/{{iClient.clientId}}", "method": "DELETE", "body": {"access_token": "{{{accessToken}}}"}}
    requests = explain(folder, with_oauth2(revoke=revoke))["crm"]
    assert "revoke_refresh_token" not in requests and requests["revoke_access_token"]["body"] == "access_token=<access_token>"


def test_refresh_count_0_has_no_refresh(folder):
    names = explain(folder, {**LOGIN, "refreshCount": 0})["crm"]
    assert "refresh_token" not in names and "revoke_refresh_token" not in names and "revoke_access_token" in names


def test_secrets_are_masked_wherever_they_go(folder):
    document = with_oauth2(
        clientCredentialsLocation="body", encrypted={"key": SECRET, "pin": 918273, "deep": [{"er": {"$env": "NOT_SET"}}]},
        token={"uri": "https://as.example.com/token?k={{iClient.encrypted.key}}", "headers": {"X-Pin": "{{{iClient.encrypted.pin}}}"}},
        tokenParams={"deep": "{{{iClient.encrypted.deep.0.er}}}", "own": "{{{connection.encrypted.own}}}", "metadata": "{{{callback.realmId}}}"})
    connection = {"name": "mine", "iClient": "crm", "encrypted": {"own": "another-" + SECRET}}
    got, out, err = check(folder, "--explain", write(folder / "i.json", document), write(folder / "c.json", connection))
    assert got == 0, err
    assert SECRET not in out + err and "918273" not in out
    exchange = explain(folder, document, connection)["mine"]["authorization_code"]
    assert exchange["url"].endswith("?k=******") and headers(exchange)["X-Pin"] == "******"
    assert exchange["body"].endswith("&client_id=an+id&client_secret=******&deep=******&own=******&metadata=<callback.realmId>")


def test_basic_credentials_written_by_hand_are_masked(folder):
    document = with_oauth2(token={"uri": "https://as.example.com/token", "headers": {"Authorization": "Basic aGFuZDp3cml0dGVu"}})
    assert headers(explain(folder, document)["crm"]["authorization_code"])["Authorization"] == "Basic ******"


@pytest.mark.parametrize("secret", [{"$file": "/nowhere/at.all"}, {"$credential": "none"}, {"$env": "NOT_SET"}, SECRET])
def test_secrets_need_not_be_readable(folder, secret):
    requests = explain(folder, with_oauth2(clientSecret=secret))["crm"]
    assert headers(requests["refresh_token"])["Authorization"] == "Basic base64(an+id:******)"


@pytest.mark.parametrize("secret", [{"$env": "NOT_SET"}, "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWUtaGVyZQ=="])
def test_a_jwt_secret_in_base64_need_not_be_readable(folder, secret):
    document = with_oauth2(ICLIENT, grantType="jwtbearer", clientSecret=None)
    document["jwt"] = {"signatureMethod": "hmac-sha256", "secret": secret, "isSecretBase64Encoded": True, "payload": '{"sub": "me"}'}
    jwt, = next(iter(explain(folder, document)["sales"].values()))["jwts"]
    assert jwt["header"]["alg"] == "HS256" and set(jwt["payload"]) == {"sub", "iat", "exp"}


@pytest.mark.parametrize("token", [{"$env": "NOT_SET"}, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmVk"])
def test_a_jwt_that_was_signed_elsewhere_is_masked(folder, token):
    document = with_oauth2(ICLIENT, grantType="jwtbearer", clientSecret=None)
    document["jwt"] = {"token": token}
    request = next(iter(explain(folder, document)["sales"].values()))
    assert "assertion=******" in request["body"]


@pytest.mark.parametrize("method", ["HS256", "HS512", "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"])
@pytest.mark.parametrize("use", ["assertion", "clientAssertion", "accessToken"])
def test_jwts_are_shown_decoded_and_without_signature(folder, method, use):
    symmetric = method.startswith("HS")
    key = {"secret": {"$env": "NOT_SET"}} if symmetric else {"privateKey": {"$file": "none.pem"}, "passphrase": {"$env": "NOT_SET"}}
    by_client_secret = symmetric and use == "clientAssertion"
    grant = {"assertion": "jwtbearer", "clientAssertion": "clientcredentials"}.get(use)
    document = with_oauth2(ICLIENT, grantType=grant, clientSecret={"$env": "NOT_SET"} if by_client_secret else None)
    document.update({"enableJWT": True, "jwt": {"signatureMethod": method, "use": use, "header": {"kid": "k1"},
                                                "payload": {"iss": "{{{iClient.clientId}}}", "sub": "me", "hidden": "{{{iClient.encrypted.key}}}"},
                                                **({} if by_client_secret else key)}})
    document["oauth2"]["encrypted"] = {"key": SECRET}
    first = next(iter(explain(folder, document)["sales"].values()))
    jwt, = first["jwts"]
    assert jwt["header"] == {"alg": method, "typ": "JWT", "kid": "k1"}
    assert (jwt["payload"]["sub"], jwt["payload"]["hidden"], jwt["payload"]["iss"]) == ("me", "******", "id")
    if use == "accessToken":
        assert (first["request"], first["method"]) == ("jwt_token", None)
    else:
        jwt["payload"].pop("jti", None)  # random: it may read like anything
        assert "<JWT 1>" in first["body"] and "eyJ" not in json.dumps(first)


def test_connections_have_their_own(folder):
    rows = explain(folder, ICLIENT, {**CONNECTION, "scope": "x", "params": {"resource": "r"}}, {"name": "two", "iClient": "sales"})
    assert rows["crm"]["client_credentials"]["body"] == "grant_type=client_credentials&scope=x&resource=r"
    assert rows["two"]["client_credentials"]["body"] == "grant_type=client_credentials"


def test_what_cannot_be_made_says_why(folder):
    document = with_oauth2(tokenParams={"shop": "{{{connection.settings.shop}}}"})
    requests = explain(folder, document, code=1)["crm"]
    assert "connection.settings.shop" in requests["authorization_code"]["error"] and "error" not in requests["refresh_token"]
    _, out, _ = check(folder, "--explain", write(folder / "0.json", document))
    assert "cannot be made: " in out


def test_values_of_earlier_answers_may_stand_in_hosts(folder):
    document = with_oauth2(refresh={"uri": "https://{{{metadata.pod}}}.example.com/t"}, responseMetadata=["pod"], validDomainNames=["example.com"])
    assert explain(folder, document)["crm"]["refresh_token"]["url"] == "https://<metadata.pod>.example.com/t"


def test_faults_go_to_stderr_and_good_documents_are_explained(folder):
    bad, good = write(folder / "bad.json", {**ICLIENT, "name": "bad", "x": 1}), write(folder / "good.json", LOGIN)
    code, out, err = check(folder, "--explain", bad, good)
    assert code == 1 and "bad.json: /x: " in err and "crm: iClient crm" in out and "bad: " not in out


def test_a_person_reads_one_parameter_a_line(folder):
    code, out, err = check(folder, "--explain", write(folder / "i.json", ICLIENT))
    assert (code, err) == (0, "")
    assert "sales: iClient sales, grant clientcredentials\n" in out
    assert "    POST https://as.example.com/token\n" in out and "    grant_type=client_credentials\n" in out


def test_a_document_is_needed(folder):
    code, out, err = check(folder, "--explain")
    assert (code, out) == (2, "") and "--explain" in err


def test_every_preset_can_be_explained(folder):
    for preset in (ROOT / "conf" / "providers").glob("*.json"):
        document = {"name": "of-" + preset.stem, "provider": preset.stem, "oauth2": {"clientId": "id", "clientSecret": SECRET}}
        write(folder / "all" / preset.name, document)
    _, out, err = check(folder, "--explain", "--json", "--preset-dir", ROOT / "conf" / "providers", folder / "all")
    rows = {row["iclient"]: row for row in json.loads(out)}
    assert SECRET not in out and len(rows) > 20, err
    assert rows["of-google"]["requests"][0]["url"].startswith("https://accounts.google.com/")
    assert rows["of-netsuite"]["grant"] is None and "OAuth 1.0a" in rows["of-netsuite"]["reason"]


def test_it_shows_what_the_daemon_sends(launch, provider):
    daemon = launch(documents.password(provider, oauth2={"clientCredentialsLocation": "body", "scope": ["mail"], "token": {
        "uri": provider.token_uri, "headers": {"X-Tenant": "{{{iClient.name}}}"}}}))
    assert daemon.token().status == 200
    sent = provider.requests[-1]
    done = daemon.ctl("check", "--explain", "--json", "--config", daemon.config_file, daemon.folder / "iclients.d")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)[0]["requests"][0]
    assert (shown["method"], shown["url"]) == (sent.method, provider.base + sent.path)
    assert dict(parse_qsl(shown["body"])) == {**sent.form, "client_secret": "******", "password": "******"}
    assert {name: sent.headers[name] for name in headers(shown)} == headers(shown)
