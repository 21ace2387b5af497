"""What a provider can do wrong, and what it does to callers: each failure has one class, one state, one back-off."""

import time

import documents
import pytest
from daemon import error_of, is_retryable
from fakes.scripted_provider import Answer
from fakes.support import free_port, wait_until

SHORT = {"http": {"timeout": 1, "connectTimeout": 1}}
MIB = 1024 * 1024

TRANSIENT = {
    "500": lambda: Answer(500, text="<h1>Internal error</h1>"),
    "502_html": lambda: Answer(502, text="<html>Bad gateway</html>"),
    "503": lambda: Answer(503),
    "408": lambda: Answer(408),
    "429": lambda: Answer(429),
    "never_answers": lambda: Answer(hang=True),
    "cut_off": lambda: Answer(json={"access_token": "x" * 100}, cut_at=20),
    "drips_for_ever": lambda: Answer(json={"access_token": "x" * 1000}, drip=0.2),
}

BROKEN = {
    "html": lambda: Answer(text="<html><script>alert(1)</script></html>"),
    "empty": lambda: Answer(200),
    "10_mb": lambda: Answer(json={"access_token": "x", "padding": "y" * (10 * MIB)}),
    "endless": lambda: Answer(endless=True, body=b'{"access_token":"x",'),
    "token_is_a_number": lambda: Answer(json={"access_token": 5}),
    "token_is_an_object": lambda: Answer(json={"access_token": {"a": 1}}),
    "token_is_null": lambda: Answer(json={"access_token": None}),
    "token_is_empty": lambda: Answer(json={"access_token": ""}),
    "token_smuggles_a_header": lambda: Answer(json={"access_token": "a\r\nX-Evil: 1"}),
    "json_array": lambda: Answer(json=[1, 2]),
    "json_string": lambda: Answer(json='"access_token"'),
    "json_cut": lambda: Answer(json='{"access_token": "abc'),
    "json_deep": lambda: Answer(json="[" * 100000),
    "not_utf8": lambda: Answer(body=b'{"access_token":"\xff\xfe"}', content_type="application/json"),
    "404": lambda: Answer(404, text="no such page"),
    "400_without_error": lambda: Answer(400, text=""),
    "redirect": lambda: Answer(302, headers={"Location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("kind", TRANSIENT)
def test_transient_failure_is_503_and_passes(launch, provider, kind):
    provider.on("/token", TRANSIENT[kind]())
    daemon = launch(documents.client_credentials(provider), config=SHORT)
    reply = daemon.token()
    assert reply.status == 503, reply
    assert error_of(reply)["code"] == "provider_unavailable" and is_retryable(reply)
    assert int(reply.header("Retry-After")) >= 1
    assert daemon.state() == "provider_unavailable"
    provider.on("/token", lambda _: Answer(json=provider.issue()))
    assert wait_until(lambda: daemon.token(wait=1).status == 200, what="the recovery")
    assert daemon.state() == "ready" and daemon.token().json()["stale_reason"] is None
    assert daemon.metrics()['iclientd_exchanges_total{class="transient"}'] >= 1


def test_refused_port_is_transient(launch, provider):
    document = documents.client_credentials(provider, oauth2={"token": {"uri": f"http://127.0.0.1:{free_port()}/token"}})
    daemon = launch(document)
    reply = daemon.token()
    assert reply.status == 503 and error_of(reply)["code"] == "provider_unavailable"
    assert daemon.state() == "provider_unavailable"


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_answer_is_502_and_passes(launch, provider, kind):
    provider.on("/token", BROKEN[kind]())
    daemon = launch(documents.client_credentials(provider))
    reply = daemon.token()
    assert reply.status == 502, reply
    assert error_of(reply)["code"] == "provider_error"
    assert "<script>" not in reply.text and "X-Evil" not in reply.text
    assert daemon.state() == "provider_error"
    assert daemon.metrics()['iclientd_exchanges_total{class="broken"}'] == 1
    assert provider.count() == 1
    # Slow back-off: callers do not make it ask again, an operator does.
    assert daemon.token(wait=0).status == 502 and provider.count() == 1
    provider.on("/token", lambda _: Answer(json=provider.issue()))
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert daemon.token().status == 200 and daemon.state() == "ready"


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_refused_client_opens_the_breaker_and_an_edit_closes_it(launch, provider, error):
    provider.on("/token", Answer(401 if error == "invalid_client" else 400, json={"error": error}))
    document = documents.client_credentials(provider)
    daemon = launch(document, connections=[{"name": name, "iClient": "crm"} for name in ("one", "two")])
    reply = daemon.token("one")
    assert reply.status == 502 and error_of(reply)["code"] == "client_rejected"
    # The breaker is the iClient's: its other connection does not ask either.
    assert daemon.token("two", wait=0).status == 502
    assert daemon.state("one") == "client_rejected"
    assert provider.count() == 1
    provider.on("/token", lambda _: Answer(json=provider.issue()))
    daemon.write_iclient({**document, "description": "the secret was mended at the provider"})
    assert daemon.reload() == "done"
    assert daemon.token("one").status == daemon.token("two").status == 200


@pytest.mark.parametrize("answer", [TRANSIENT["500"], BROKEN["html"], BROKEN["10_mb"],
                                    lambda: Answer(401, json={"error": "invalid_client"})],
                         ids=["500", "html", "10_mb", "invalid_client"])
def test_stored_token_is_still_served_and_says_why(launch, provider, answer):
    daemon = launch(documents.code(provider))
    daemon.login()
    before = daemon.token().json()
    provider.next("/token", answer())
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status >= 400
    reply = daemon.token()
    assert reply.status == 200
    after = reply.json()
    assert after["access_token"] == before["access_token"] and after["generation"] == before["generation"]
    assert after["stale_reason"]
    daemon.restart()
    assert daemon.token().json()["access_token"] == before["access_token"]


def test_refresh_token_survives_failures(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    provider.next("/token", Answer(500), Answer(text="<html>"), Answer(401, json={"error": "invalid_client"}))
    for _ in range(3):
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status >= 400
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert not provider.revoked and provider.count(grant_type="refresh_token") == 4


def test_lost_answer_of_a_rotation_is_not_blindly_sent_again(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    provider.next("/token", lambda _, regular: regular().but(cut_at=10))
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status >= 400
    assert provider.count(grant_type="refresh_token") == 1


def test_refused_refresh_token_needs_a_person(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    provider.on("/token", Answer(400, json={"error": "invalid_grant", "error_description": "revoked by the user"}))
    reply = daemon.rejected(generation=1, status=401)
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"
    assert daemon.state() == "authorization_required"
    for _ in range(5):
        assert daemon.token(wait=0).status == 409
    assert provider.count(grant_type="refresh_token") == 1
    assert daemon.metrics()['iclientd_exchanges_total{class="token_refused"}'] == 1


def test_refused_refresh_token_of_an_unattended_grant_runs_the_grant_again(launch, provider):
    daemon = launch(documents.password(provider))
    first = daemon.token().json()
    provider.next("/token", Answer(400, json={"error": "invalid_grant"}))
    reply = daemon.rejected(generation=1, status=401)
    assert reply.status == 200 and reply.json()["access_token"] != first["access_token"]
    assert provider.count(grant_type="refresh_token") == 1 and provider.count(grant_type="password") == 2


def test_wrong_password_is_not_tried_for_ever(launch, provider):
    daemon = launch(documents.password(provider, oauth2={"password": "a wrong password"}))
    for _ in range(10):
        assert daemon.token(wait=0).status >= 400
    wait_until(lambda: provider.in_flight == 0, what="the exchange to end")
    reply = daemon.token()
    assert reply.status >= 400 and "user name and password" in error_of(reply)["message"], reply
    assert provider.count() <= 2


def test_callers_do_not_defeat_the_back_off(launch, provider):
    provider.on("/token", Answer(503))
    daemon = launch(documents.client_credentials(provider))
    begun = time.time()
    daemon.token()
    for _ in range(50):
        assert daemon.token(wait=0).status == 503
    # Pauses of one second and more: never two exchanges in a second of the clock.
    assert provider.count() <= int(time.time()) - int(begun) + 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(launch, provider, status):
    provider.next("/token", Answer(status, headers={"Retry-After": "3"}))
    daemon = launch(documents.client_credentials(provider))
    started = time.monotonic()
    reply = daemon.token()
    assert reply.status == 503 and 1 <= int(reply.header("Retry-After")) <= 4
    wait_until(lambda: daemon.token(wait=0).status == 200, what="the recovery", interval=0.05)
    assert time.monotonic() - started >= 2.5
    assert provider.count() == 2


def test_retry_after_as_a_date_is_obeyed(launch, provider):
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 400))
    provider.on("/token", Answer(429, headers={"Retry-After": date}))
    daemon = launch(documents.client_credentials(provider))
    assert 300 <= int(daemon.token().header("Retry-After")) <= 401
    assert provider.count() == 1


# 200s that are no tokens

def test_200_with_an_oauth_error_is_an_error(launch, provider):
    """GitHub answers errors with 200."""
    provider.on("/token", Answer(json={"error": "invalid_client", "error_description": "The client_id is wrong"}))
    daemon = launch(documents.client_credentials(provider))
    assert error_of(daemon.token())["code"] == "client_rejected"


def test_200_with_an_unknown_error_serves_no_token(launch, provider):
    provider.on("/token", Answer(json={"error": "incorrect_something", "access_token": ""}))
    daemon = launch(documents.client_credentials(provider))
    reply = daemon.token()
    assert reply.status == 502 and error_of(reply)["code"] == "provider_error"
    assert "incorrect_something" in reply.text


def test_token_failure_rule_names_a_providers_own_refusal(launch, provider):
    rules = [{"path": "error", "values": ["bad_refresh_token"]}]
    daemon = launch(documents.code(provider, oauth2={"tokenFailures": rules}))
    daemon.login()
    provider.on("/token", Answer(json={"error": "bad_refresh_token"}))
    reply = daemon.rejected(generation=1, status=401)
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"


def test_form_encoded_token_reply_is_read(launch, provider):
    """GitHub's default."""
    text = "access_token=" + provider.issue()["access_token"] + "&scope=repo&token_type=bearer"
    provider.next("/token", Answer(text=text, content_type="application/x-www-form-urlencoded; charset=utf-8"))
    daemon = launch(documents.client_credentials(provider))
    token = daemon.token().json()
    assert provider.is_active(token["access_token"]) and token["scope"] == "repo"


def slack(provider):
    return documents.code(provider, oauth2={
        "failPath": "ok", "failValues": ["false"], "failStatusCode": 200, "accessTokenPath": "authed_user.access_token",
        "refreshTokenPath": "authed_user.refresh_token"})


def test_slack_like_refusal_is_a_refused_token(launch, provider):
    daemon = launch(slack(provider))
    issued = provider.issue()
    provider.next("/token", Answer(json={"ok": True, "authed_user": {
        "access_token": issued["access_token"], "refresh_token": issued["refresh_token"]}}))
    daemon.login()
    assert daemon.token().json()["access_token"] == issued["access_token"]
    provider.on("/token", Answer(json={"ok": False, "error": "invalid_auth"}))
    reply = daemon.rejected(generation=1, status=200, body='{"ok":false,"error":"invalid_auth"}')
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"
    assert provider.requests_to("/token")[-1].params["refresh_token"] == issued["refresh_token"]


def test_slack_like_refusal_at_login_shows_a_failure(launch, provider):
    daemon = launch(slack(provider))
    provider.on("/token", Answer(json={"ok": False, "error": "invalid_code"}))
    assert daemon.login().status >= 400
    assert daemon.token().status == 409


@pytest.mark.parametrize("path, refusal", [
    ("$.errorMessage", {"errorMessage": "session is over"}), ("$['status']['code']", {"status": {"code": "E7"}}),
    ("errors.*.code", {"errors": [{}, {"code": "E7"}]}), ("errors[1].code", {"errors": [{}, {"code": "E7"}]})])
def test_a_refusal_at_any_json_path_keeps_the_good_token(launch, provider, path, refusal):
    daemon = launch(documents.client_credentials(provider, oauth2={"failPath": path, "failStatusCode": 200}))
    good = daemon.token().json()["access_token"]
    provider.on("/token", Answer(json={"access_token": "refused-token", "expires_in": 3600, **refusal}))
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status >= 400
    token = daemon.token().json()
    assert token["access_token"] == good and token["generation"] == 1
    assert daemon.metrics()['iclientd_exchanges_total{class="token_refused"}'] == 1


XML = {"accessTokenPath": "/s:Session/Token", "refreshTokenPath": "/s:Session/Refresh/@value", "expiresInPath": "//Expires",
       "scopePath": "/s:Session/Scope", "responseMetadata": ["/s:Session/Server"], "failPath": "/*/Fault/Code", "failValues": ["E7"]}


def session(token, refresh, fault=""):
    return Answer(content_type="application/soap+xml; charset=utf-8", text=(
        '<?xml version="1.0"?><s:Session xmlns:s="urn:s" xmlns="urn:d">' + fault + f"<Token>\n {token}\n</Token>"
        f'<Refresh value="{refresh}"/><More><Expires>1200</Expires></More><Scope>a</Scope><Scope>b</Scope><Server>eu&amp;1</Server></s:Session>'))


def test_answers_in_xml_are_read_by_xpath(launch, provider):
    daemon = launch(documents.code(provider, oauth2=XML))
    issued = [provider.issue() for _ in range(2)]
    provider.next("/token", session(issued[0]["access_token"], issued[0]["refresh_token"]))
    daemon.login()
    token = daemon.token().json()
    assert token["access_token"] == issued[0]["access_token"] and 1100 <= token["expires_in"] <= 1200
    assert token["scope"] == "a b" and token["metadata"] == {"/s:Session/Server": "eu&1"}
    assert provider.requests_to("/token")[-1].headers["accept"].startswith("application/xml")
    provider.next("/token", session(issued[1]["access_token"], issued[1]["refresh_token"]))
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert provider.requests_to("/token")[-1].params["refresh_token"] == issued[0]["refresh_token"]
    assert daemon.token().json()["access_token"] == issued[1]["access_token"]
    fault = "<Fault><Code>E7</Code></Fault>"
    provider.on("/token", session("refused-token", "refused-refresh-token", fault))
    report = {"generation": 2, "status": 500, "body": f"<e>{fault}</e>"}
    assert daemon.rejected(**{**report, "content_type": "application/json"}).json()["auth_failure"] is False
    assert daemon.rejected(**{**report, "body": f"<e>{fault}<!-- half"}).json()["auth_failure"] is False
    reply = daemon.rejected(**report, content_type="text/xml; charset=iso-8859-1")
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"


def test_a_report_in_xml_needs_no_media_type(launch, provider):
    rules = {"failPath": "//faultcode", "failValues": ["INVALID_SESSION_ID"]}
    daemon = launch(documents.client_credentials(provider, oauth2=rules))
    daemon.token()
    fault = '<?xml version="1.0" encoding="ISO-8859-1"?><e:Envelope xmlns:e="x"><faultcode>%s</faultcode></e:Envelope>'
    assert daemon.rejected(generation=1, status=500, body=fault % "OTHER").json()["auth_failure"] is False
    hostile = '<!DOCTYPE e [<!ENTITY f "INVALID_SESSION_ID">]><e><faultcode>&f;</faultcode></e>'
    assert daemon.rejected(generation=1, status=500, body=hostile).json()["auth_failure"] is False
    assert daemon.rejected(generation=1, status=500, body=fault % "INVALID_SESSION_ID").json()["auth_failure"] is True
    assert provider.count() == 2
    assert daemon.rejected(generation=2, status=401, content_type=7).status == 400


def test_expires_in_as_text_is_read(launch, provider):
    provider.token_extra = {"expires_in": "1200"}
    daemon = launch(documents.client_credentials(provider))
    assert 1100 <= daemon.token().json()["expires_in"] <= 1200


@pytest.mark.parametrize("expires_in", [-5, 0, 10**18, "soon", [], {"a": 1}, 1.5e300, True])
def test_odd_expires_in_does_not_hurt(launch, provider, expires_in):
    provider.token_extra = {"expires_in": expires_in}
    daemon = launch(documents.client_credentials(provider))
    for _ in range(5):
        assert daemon.token().status in (200, 502, 503)
    assert daemon.get("/healthz").status == 200
    assert provider.count() <= 6


def test_refresh_without_a_new_refresh_token_keeps_the_old_one(launch, provider):
    provider.rotate = False
    daemon = launch(documents.code(provider))
    daemon.login()
    for _ in range(3):
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    sent = {request.params.get("refresh_token") for request in provider.requests_to("/token")[1:]}
    assert len(sent) == 1


def test_refresh_without_a_refresh_token_says_so_and_the_token_is_still_served(launch, provider):
    daemon = launch(documents.code(provider, refreshCount=0))
    daemon.login()
    reply = daemon.admin("POST", "/v1/connections/crm/refresh")
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"
    assert "no refresh token" in error_of(reply)["message"] and "has ended" not in error_of(reply)["message"]
    assert daemon.token().json()["generation"] == 1


def test_refresh_count_ends_in_a_new_login(launch, provider):
    daemon = launch(documents.code(provider, refreshCount=1))
    daemon.login()
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    reply = daemon.rejected(generation=2, status=401)
    assert reply.status == 409
    assert provider.count(grant_type="refresh_token") == 1
