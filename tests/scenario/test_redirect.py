"""The redirect endpoint: where a person's login begins and ends."""

import socket
import threading
from urllib.parse import urlencode, urlsplit

import documents
import pytest
from daemon import ROOT, Background, error_of, get_page, read_to_end
from fakes.scripted_provider import Answer
from fakes.support import PATIENCE, CurlUser, call, query_of, wait_until

HTML = "<script>alert(1)</script>&\"'"


@pytest.fixture
def daemon(launch, provider):
    return launch(documents.code(provider))


def assert_is_safe_page(page, status=None):
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert "no-store" in page.header("Cache-Control")
    assert "default-src 'none'" in page.header("Content-Security-Policy")
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")
    assert page.header("X-Frame-Options") == "DENY"
    assert page.header("X-Content-Type-Options") == "nosniff"
    assert page.header("Referrer-Policy") == "no-referrer"
    assert "<script" not in page.text
    if status:
        assert page.status == status, page


def with_query(url, **changes):
    """The address with other parameters; None removes one."""
    query = {**query_of(url), **changes}
    return url.split("?")[0] + "?" + urlencode({name: value for name, value in query.items() if value is not None})


def test_login_from_link_to_token(daemon, provider):
    page = daemon.login()
    assert_is_safe_page(page, 200)
    assert "crm" in page.text
    token = daemon.token().json()
    assert provider.is_active(token["access_token"])
    assert token["access_token"] not in page.text and "access-" not in page.text and "refresh-" not in page.text
    metrics = daemon.metrics()
    assert metrics['iclientd_logins_total{result="started"}'] == metrics['iclientd_logins_total{result="completed"}'] == 1


def test_link_sets_a_cookie_and_sends_a_full_authorization_request(daemon, provider):
    reply = CurlUser().get(daemon.authorize())
    assert reply.status in (302, 303)
    assert "no-store" in reply.header("Cache-Control")
    cookie = reply.header("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    location = reply.header("Location")
    query = query_of(location)
    assert location.startswith(provider.authorize_uri + "?")
    assert query["response_type"] == "code" and query["client_id"] == provider.client[0]
    assert query["redirect_uri"] == daemon.redirect_uri and query["scope"] == "mail files"
    assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 43
    assert provider.client[1] not in location


def test_states_links_and_challenges_never_repeat(daemon):
    seen = set()
    for _ in range(20):
        link = daemon.authorize()
        query = query_of(CurlUser().get(link).header("Location"))
        seen |= {link, query["state"], query["code_challenge"]}
    assert len(seen) == 60


def test_link_works_once(daemon):
    link = daemon.authorize()
    assert CurlUser().get(link).status in (302, 303)
    page = CurlUser().get(link)
    assert_is_safe_page(page)
    assert page.status in (404, 410) and "iclientctl login" in page.text


def test_unknown_link_is_told(daemon):
    page = get_page(daemon.base + "/connect/" + "A" * 43)
    assert_is_safe_page(page)
    assert page.status in (404, 410)


def test_wrong_state_ends_nothing_and_asks_nobody(daemon, provider):
    person, callback = daemon.callback_of()
    page = person.get(with_query(callback, state="B" * 43))
    assert_is_safe_page(page)
    assert page.status >= 400 and provider.count() == 0
    # The true answer still counts.
    assert person.get(callback).status == 200


def test_missing_state_is_refused(daemon, provider):
    person, callback = daemon.callback_of()
    assert person.get(with_query(callback, state=None)).status >= 400
    assert provider.count() == 0


def test_answer_in_another_browser_is_refused(daemon, provider):
    """Login CSRF: the cookie binds the answer to the browser that began."""
    _, callback = daemon.callback_of()
    page = CurlUser().get(callback)
    assert_is_safe_page(page)
    assert page.status >= 400 and provider.count() == 0
    assert daemon.token().status == 409


def test_cookie_of_another_login_is_refused(launch, provider):
    daemon = launch(documents.code(provider), documents.code(provider, "other"))
    _, callback = daemon.callback_of()
    mallory, _ = daemon.callback_of("other")
    assert mallory.get(callback).status >= 400
    assert provider.count() == 0


def test_answer_counts_once(daemon, provider):
    person, callback = daemon.callback_of()
    assert person.get(callback).status == 200
    page = person.get(callback)
    assert_is_safe_page(page)
    assert page.status >= 400 and provider.count() == 1
    assert daemon.token().status == 200


def test_wrong_issuer_is_refused(daemon, provider):
    """Mix-up (RFC 9207)."""
    person, callback = daemon.callback_of()
    page = person.get(with_query(callback, iss="https://evil.example"))
    assert_is_safe_page(page)
    assert page.status >= 400 and provider.count() == 0


def test_missing_issuer_is_no_fault(daemon, provider):
    provider.callback_changes = {"iss": None}
    assert daemon.login().status == 200


@pytest.mark.parametrize("twice", ["code", "state", "iss"])
def test_doubled_parameter_is_refused(daemon, provider, twice):
    person, callback = daemon.callback_of()
    assert person.get(callback + f"&{twice}=again").status >= 400
    assert provider.count() == 0


def test_denied_login_is_told_and_escaped(daemon, provider):
    provider.callback_changes = {"code": None, "error": "access_denied", "error_description": HTML}
    page = daemon.login()
    assert_is_safe_page(page)
    assert page.status >= 400 and "&lt;script&gt;" in page.text
    assert "iclientctl login" in page.text
    assert provider.count() == 0
    assert daemon.metrics()['iclientd_logins_total{result="failed"}'] == 1


@pytest.mark.parametrize("hidden", ["\x1b", "\u009b", "\u202e", "\u2066", "\u200b", "\ufeff"], ids=ascii)
def test_provider_cannot_hide_or_turn_its_words(daemon, provider, hidden):
    """A browser would obey U+202E: what reads "moc.elgoog" would look like another host."""
    provider.callback_changes = {"code": None, "error": "access_denied", "error_description": f"go to {hidden}moc.elgoog"}
    page = daemon.login()
    assert hidden not in page.text and "go to \ufffdmoc.elgoog" in page.text
    assert hidden not in daemon.log()
    status = daemon.ctl("status", "crm")
    assert status.returncode == 0 and hidden not in status.stdout + status.stderr


def test_error_with_a_foreign_state_shows_none_of_its_words(daemon, provider):
    """Nobody may write on our page who does not know the state."""
    page = get_page(daemon.redirect_uri + "?error=access_denied&error_description=Call+0800+12345&state=" + "C" * 43)
    assert page.status >= 400 and "0800" not in page.text


def test_refused_code_is_told(daemon, provider):
    provider.next("/token", Answer(400, json={"error": "invalid_grant", "error_description": HTML}))
    page = daemon.login()
    assert_is_safe_page(page)
    assert page.status >= 400
    assert daemon.state() == "authorization_required"


def test_failed_login_keeps_the_tokens_at_hand(daemon, provider):
    daemon.login()
    before = daemon.token().json()
    provider.callback_changes = {"code": None, "error": "access_denied"}
    daemon.login()
    assert daemon.token().json()["access_token"] == before["access_token"]


def test_new_login_replaces_the_account(daemon, provider):
    daemon.login()
    before = daemon.token().json()
    daemon.login()
    after = daemon.token().json()
    assert after["access_token"] != before["access_token"] and after["generation"] > before["generation"]


def test_names_are_escaped(launch, provider):
    daemon = launch(documents.code(provider, description=HTML, oauth2={"scope": ["<b>"]}))
    assert_is_safe_page(daemon.login(), 200)


@pytest.mark.parametrize("name", ["code", "state", "iss", "scope", "error", "error_description", "error_uri", "other"])
def test_html_in_a_parameter_is_nowhere_on_the_page(daemon, name):
    person, callback = daemon.callback_of()
    changes = {"code": None, "error": "server_error"} if name.startswith("error") else {}
    page = person.get(with_query(callback, **{**changes, name: HTML}))
    assert_is_safe_page(page)
    assert HTML not in page.text and "alert(1)</" not in page.text


def test_scripts_of_other_origins_are_let_in_nowhere(daemon):
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    person, callback = daemon.callback_of()
    for url in (daemon.base + "/", daemon.authorize(), callback):
        page = person.get(url, headers=headers)
        assert not [name for name in page.headers if name.startswith("Access-Control-")]
        assert page.header("Cross-Origin-Resource-Policy") == "same-origin"
    preflight = call("OPTIONS", callback, headers={**headers, "Access-Control-Request-Method": "GET"})
    assert preflight.status == 405 and not [name for name in preflight.headers if name.startswith("Access-Control-")]


def test_endpoint_serves_nothing_else(daemon):
    daemon.login()
    for path in ("/v1/token/crm", "/v1/connections", "/metrics", "/nothing", "/callback/../v1/token/crm"):
        page = get_page(daemon.base + path)
        assert page.status == 404, path
        assert_is_safe_page(page)
    for method in ("POST", "PUT", "DELETE"):
        assert call(method, daemon.redirect_uri, form={}).status in (404, 405)


def test_redirects_lead_to_the_authorization_uri_alone(daemon, provider):
    """No open redirector, whatever a parameter says."""
    elsewhere = "https://evil.example/"
    wishes = urlencode({name: elsewhere for name in ("redirect_uri", "url", "next", "return_to")})
    _, callback = daemon.callback_of()
    for address in (f"{daemon.base}/?{wishes}", f"{callback}&{wishes}", f"{daemon.base}//evil.example/", f"{daemon.base}/connect/?{wishes}"):
        assert get_page(address).header("Location") is None, address
    reply = CurlUser().get(f"{daemon.authorize()}?{wishes}")
    location = reply.header("Location")
    assert location is None or location.startswith(provider.authorize_uri + "?") and "evil.example" not in location
    location = CurlUser().get(daemon.authorize()).header("Location")
    assert location.startswith(provider.authorize_uri + "?")


def test_foreign_host_name_is_refused(daemon):
    """DNS rebinding: a page of another site must not reach the endpoint under its own name."""
    link = daemon.authorize()
    for address in (daemon.base + "/", link):
        assert get_page(address, headers={"Host": "evil.example"}).status == 421
    assert CurlUser().get(link).status == 302


def test_link_is_not_taken_up_by_another_page(daemon):
    link = daemon.authorize()
    page = get_page(link, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"})
    assert page.status in (400, 403)
    assert CurlUser().get(link).status in (302, 303)


def test_malformed_request_is_closed(daemon):
    host = urlsplit(daemon.base)
    with socket.create_connection((host.hostname, host.port), timeout=PATIENCE) as client:
        client.sendall(b"GET / HTTP/1.1\nHost: x\n\n")
        assert read_to_end(client).startswith(b"HTTP/1.1 400")


def test_person_that_goes_away_does_not_lose_the_login(daemon, provider):
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    person, callback = daemon.callback_of()
    leaving = person.open(callback)
    wait_until(lambda: provider.count() == 1, what="the exchange")
    leaving.close()
    gate.set()
    wait_until(lambda: daemon.state() == "ready", what="the login to end")


def test_login_of_an_unattended_grant_is_refused(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    reply = daemon.admin("POST", "/v1/connections/crm/authorize")
    assert reply.status in (400, 409) and error_of(reply)["code"] in ("unsupported", "invalid_request")


def test_login_without_a_grant_says_why_there_is_none(launch):
    daemon = launch({"name": "crm", "provider": "netsuite", "netsuite": {"consumerKey": "a key", "consumerSecret": "a secret"}},
                    config={"presetDir": str(ROOT / "conf" / "providers")})
    reply = daemon.admin("POST", "/v1/connections/crm/authorize")
    assert error_of(reply)["code"] == "unsupported" and "OAuth 1.0a" in error_of(reply)["message"], reply
    assert error_of(daemon.token())["message"] == error_of(reply)["message"]


def test_authorization_url_that_cannot_be_made_is_the_iclients_fault(launch, provider):
    daemon = launch(documents.code(provider, oauth2={"auth": {"uri": provider.authorize_uri + "?response_type=token"}}))
    reply = daemon.admin("POST", "/v1/connections/crm/authorize")
    assert reply.status == 422 and error_of(reply)["code"] == "invalid_iclient", reply
    assert "response_type" in error_of(reply)["message"] and "field" not in error_of(reply)


# Paste, for a browser on another machine

def complete(daemon, url, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/complete", {"redirect_url": url})


def test_login_is_completed_by_paste(daemon):
    _, callback = daemon.callback_of()
    reply = complete(daemon, callback)
    assert reply.status == 200, reply
    assert daemon.token().status == 200
    assert "access-" not in reply.text


def test_paste_works_without_the_link_having_been_opened(daemon):
    """Another machine cannot reach the link: it opens the provider's address."""
    begun = daemon.admin("POST", "/v1/connections/crm/authorize").json()
    callback = CurlUser().follow(begun["authorization_url"], until=daemon.base + "/callback")
    assert complete(daemon, callback).status == 200
    assert daemon.token().status == 200


def test_paste_of_nonsense_is_refused(daemon, provider):
    _, callback = daemon.callback_of()
    for url in ("", "nonsense", "http://127.0.0.1/", callback.split("?")[0], with_query(callback, state="D" * 43),
                with_query(callback, code=None)):
        reply = complete(daemon, url)
        assert 400 <= reply.status < 500, url
    assert daemon.admin("POST", "/v1/connections/crm/complete", {"redirekt_url": callback}).status == 400
    assert provider.count() == 0


def test_paste_counts_for_its_own_connection_only(launch, provider):
    daemon = launch(documents.code(provider), documents.code(provider, "other"))
    _, callback = daemon.callback_of()
    daemon.authorize("other")
    assert complete(daemon, callback, "other").status >= 400
    assert provider.count() == 0


def test_two_logins_at_once_do_not_mix(launch, provider):
    names = ["one", "two", "three"]
    daemon = launch(*(documents.code(provider, name) for name in names))
    started = {name: daemon.callback_of(name) for name in names}
    ended = {name: Background(person.get, callback) for name, (person, callback) in started.items()}
    for name, page in ended.items():
        assert page.result().status == 200 and name in page.result().text
    assert len({daemon.token(name).json()["access_token"] for name in names}) == 3
