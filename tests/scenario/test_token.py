"""What a service sees on the token socket."""

import json
import threading
import time

import documents
import pytest
from daemon import Background, error_of, is_retryable
from fakes.scripted_provider import Answer
from fakes.support import wait_until

MEMBERS = {"access_token", "token_type", "expires_in", "expires_at", "scope", "refresh_after", "generation", "stale_reason",
           "connection", "iclient", "request"}


def test_token_has_all_members_and_true_times(launch, provider):
    daemon = launch(documents.client_credentials(provider, oauth2={"scope": ["a", "b"]}))
    before = time.time()
    reply = daemon.token()
    after = time.time()
    token = reply.json()
    assert reply.status == 200 and reply.header("Content-Type").startswith("application/json")
    assert set(token) == MEMBERS
    assert provider.is_active(token["access_token"])
    assert token["token_type"] == "Bearer" and token["scope"] == "a b" and token["generation"] == 1
    assert token["connection"] == token["iclient"] == "crm" and token["stale_reason"] is None
    assert token["request"] == {"location": "header", "name": "Authorization", "value": "Bearer " + token["access_token"]}
    assert before - 1 <= token["expires_at"] - 3600 <= after
    assert before - 1 <= token["expires_at"] - token["expires_in"] <= after
    # 20 % of the lifetime ahead of the end, with ±10 % jitter.
    assert 720 * 0.89 <= token["expires_at"] - token["refresh_after"] <= 720 * 1.11


def test_token_is_not_cacheable(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert "no-store" in daemon.token().header("Cache-Control", "")


def test_second_caller_gets_the_same_token_without_an_exchange(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token().json()["access_token"] == daemon.token().json()["access_token"]
    assert provider.count() == 1


@pytest.mark.parametrize("changes, header", [
    ({}, "Authorization: Bearer {}"),
    ({"scheme": "Token"}, "Authorization: Token {}"),
    ({"scheme": ""}, "Authorization: {}"),
    ({"accessTokenHeaderName": "X-Api-Key", "scheme": ""}, "X-Api-Key: {}"),
])
def test_format_header_is_the_ready_header(launch, provider, changes, header):
    daemon = launch(documents.client_credentials(provider, oauth2=changes))
    token = daemon.token().json()["access_token"]
    reply = daemon.token(format="header")
    assert reply.header("Content-Type").startswith("text/plain")
    assert reply.text.rstrip("\n") == header.format(token)


def test_format_raw_is_the_bare_token(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token(format="raw").text.rstrip("\n") == daemon.token().json()["access_token"]


def test_format_header_is_refused_where_the_api_wants_a_parameter(launch, provider):
    daemon = launch(documents.client_credentials(provider, oauth2={"accessTokenLocation": "url", "accessTokenParamName": "key"}))
    token = daemon.token().json()
    assert token["request"] == {"location": "url", "name": "key", "value": token["access_token"]}
    assert daemon.token(format="header").status >= 400


@pytest.mark.parametrize("query", ["min_ttl=x", "min_ttl=-1", "wait=x", "wait=-1", "format=xml", "min_ttl=99999999999999999999"])
def test_nonsense_parameter_is_400(launch, provider, query):
    daemon = launch(documents.client_credentials(provider))
    reply = daemon.get("/v1/token/crm?" + query)
    assert reply.status == 400 and error_of(reply)["code"] == "invalid_request"
    assert provider.count() == 0


def test_unknown_connection_is_404(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    for path in ("/v1/token/nobody", "/v1/token/nobody/watch", "/v1/nothing", "/v1/token/crm?tenant=other"):
        reply = daemon.get(path)
        assert reply.status == 404 and error_of(reply)["code"] == "not_found", path


def test_token_socket_has_no_admin_routes(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.get("/metrics").status == 404
    assert daemon.post("/v1/connections/crm/refresh").status in (404, 405)
    assert daemon.get("/v1/iClients").status == 404


def test_wrong_method_is_refused(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.post("/v1/token/crm").status in (404, 405)
    assert daemon.get("/v1/token/crm/rejected").status in (404, 405)
    assert provider.count() == 0


def test_tenants_do_not_see_each_other(launch, provider):
    daemon = launch(documents.client_credentials(provider), documents.client_credentials(provider, tenant="acme", name="erp"))
    assert daemon.get("/v1/token/erp?tenant=acme").status == 200
    assert daemon.get("/v1/token/erp").status == 404
    assert daemon.get("/v1/token/crm?tenant=acme").status == 404


def test_inactive_iclient_serves_nothing(launch, provider):
    daemon = launch(documents.client_credentials(provider, active=False))
    reply = daemon.token()
    assert reply.status == 409 and error_of(reply)["code"] == "inactive"
    assert daemon.state() == "inactive" and provider.count() == 0


def test_login_that_never_was_is_authorization_required(launch, provider):
    daemon = launch(documents.code(provider))
    reply = daemon.token()
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"
    assert not is_retryable(reply)
    assert daemon.state() == "authorization_required" and provider.requests == []


# Times

def test_token_that_never_expires_has_no_expires_in(launch, provider):
    provider.lifetime = None
    daemon = launch(documents.client_credentials(provider, accessTokenLifetime="never"))
    assert daemon.token().json()["expires_in"] is None
    assert daemon.token(min_ttl=100000).status == 200
    assert provider.count() == 1


def test_lifetime_comes_from_the_iclient_where_the_provider_is_silent(launch, provider):
    provider.lifetime = None
    daemon = launch(documents.client_credentials(provider, accessTokenLifetime=500))
    assert 400 <= daemon.token().json()["expires_in"] <= 500


def on_demand(provider, **oauth2):
    """An iClient and its connection that is refreshed only when somebody asks."""
    return documents.client_credentials(provider, oauth2=oauth2), {"name": "slow", "iClient": "crm", "refresh": "onDemand"}


def test_min_ttl_brings_a_new_token_when_the_old_one_is_too_short(launch, provider):
    provider.lifetime = 60
    iclient, connection = on_demand(provider)
    daemon = launch(iclient, connections=[connection])
    first = daemon.token("slow").json()
    wait_until(lambda: daemon.token("slow").json()["expires_in"] <= 58, what="the token to age")
    assert provider.count() == 1
    provider.lifetime = 3600
    second = daemon.token("slow", min_ttl=59).json()
    assert second["generation"] == 2 and second["access_token"] != first["access_token"] and second["expires_in"] >= 59
    assert provider.count() == 2


def test_min_ttl_beyond_the_lifetime_is_not_one_exchange_per_call(launch, provider):
    provider.lifetime = 60
    daemon = launch(documents.client_credentials(provider))
    replies = [daemon.token(min_ttl=600) for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 6
    assert replies[-1].json()["stale_reason"]
    assert provider.count() <= 2


def test_expired_token_is_never_served(launch, provider):
    provider.lifetime = 1
    iclient, connection = on_demand(provider)
    daemon = launch(iclient, connections=[connection])
    first = daemon.token("slow").json()
    wait_until(lambda: time.time() > first["expires_at"] + 0.1, what="the token to expire")
    assert daemon.token("slow").json()["access_token"] != first["access_token"]


def test_refresh_comes_ahead_of_expiry_without_a_caller(launch, provider):
    provider.lifetime = 3
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    wait_until(lambda: daemon.admin("GET", "/v1/connections/crm").json()["generation"] >= 2, what="the refresh ahead")
    assert provider.count() >= 2
    assert daemon.metrics()["iclientd_refreshes_ahead_total"] >= 1


def test_wait_is_the_longest_a_caller_waits_and_others_do_not(launch, provider):
    gate = threading.Event()
    provider.on("/slow", lambda _: Answer(json=provider.issue(), gate=gate))
    daemon = launch(documents.client_credentials(provider),
                    documents.client_credentials(provider, "slow", oauth2={"token": {"uri": provider.base + "/slow"}}),
                    config={"http": {"timeout": 300}})
    patient = Background(daemon.token, "slow", wait=300)
    wait_until(lambda: provider.in_flight == 1, what="the slow exchange")
    assert daemon.token().status == 200
    assert daemon.get("/healthz").status == daemon.get("/readyz").status == 200
    started = time.monotonic()
    reply = daemon.token("slow", wait=1)
    assert time.monotonic() - started >= 0.9
    assert reply.status == 503 and error_of(reply)["code"] == "provider_unavailable" and is_retryable(reply)
    assert patient.is_running()
    gate.set()
    assert patient.result().status == 200 and provider.count("/slow") == 1


def test_wait_zero_answers_at_once(launch, provider):
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    daemon = launch(documents.client_credentials(provider), config={"http": {"timeout": 300}})
    waiting = Background(daemon.token, wait=20)  # less than a caller waits who does not say
    wait_until(lambda: daemon.metrics()["iclientd_waiters"] == 1, what="the waiter")
    assert daemon.token(wait=0).status == 503
    assert waiting.is_running()
    gate.set()
    assert waiting.result().status == 200


def test_caller_that_waits_gets_the_token_when_it_comes(launch, provider):
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    daemon = launch(documents.client_credentials(provider))
    waiting = Background(daemon.token)
    wait_until(lambda: daemon.metrics()["iclientd_waiters"] == 1, what="the waiter")
    gate.set()
    assert waiting.result().status == 200


# Rejected

def test_rejected_token_is_refreshed_once_however_many_report_it(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    first = daemon.token().json()
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    reports = [Background(daemon.rejected, generation=1, status=401, body="") for _ in range(20)]
    wait_until(lambda: daemon.metrics()["iclientd_waiters"] == 20, what="all reports")
    gate.set()
    replies = [report.result() for report in reports]
    assert {reply.status for reply in replies} == {200}
    assert all(reply.json()["auth_failure"] is True and reply.json()["generation"] == 2 for reply in replies)
    assert len({reply.json()["access_token"] for reply in replies}) == 1
    assert replies[0].json()["access_token"] != first["access_token"]
    assert set(replies[0].json()) == MEMBERS | {"auth_failure"}
    assert provider.count() == 2
    assert daemon.metrics()["iclientd_rejections_reported_total"] == 20


def test_stale_rejection_is_a_no_op(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    assert daemon.rejected(generation=1, status=401).json()["generation"] == 2
    reply = daemon.rejected(generation=1, status=401)
    assert reply.status == 200 and reply.json()["generation"] == 2
    assert provider.count() == 2


@pytest.mark.parametrize("status, body", [(500, ""), (404, ""), (403, '{"error":"quota"}'), (200, "")])
def test_other_failure_is_no_auth_failure(launch, provider, status, body):
    daemon = launch(documents.client_credentials(provider))
    first = daemon.token().json()
    reply = daemon.rejected(generation=1, status=status, body=body)
    assert reply.status == 200 and reply.json()["auth_failure"] is False
    assert reply.json()["access_token"] == first["access_token"]
    assert provider.count() == 1


def test_failure_rules_judge_a_report(launch, provider):
    rules = {"failPath": "errors.0.code", "failValues": ["190", "TOKEN"], "failStatusCode": 400}
    daemon = launch(documents.client_credentials(provider, oauth2=rules))
    daemon.token()

    def is_auth_failure(status, body):
        token = daemon.token().json()
        return daemon.rejected(generation=token["generation"], status=status, body=json.dumps(body)).json()["auth_failure"]
    assert is_auth_failure(400, {"errors": [{"code": 190}]}) is True
    assert is_auth_failure(400, {"errors": [{"code": "TOKEN"}]}) is True
    assert is_auth_failure(400, {"errors": [{"code": 191}]}) is False
    assert is_auth_failure(500, {"errors": [{"code": 190}]}) is False
    assert is_auth_failure(401, {}) is False  # failStatusCode takes 401's place


@pytest.mark.parametrize("document", [{}, {"generation": "1", "status": 401}, {"generation": 1}, [1], {"status": 401},
                                      {"generation": -1, "status": 401}])
def test_nonsense_report_is_400(launch, provider, document):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    reply = daemon.post("/v1/token/crm/rejected", document)
    assert reply.status == 400 and error_of(reply)["code"] == "invalid_request"
    assert provider.count() == 1


# Watch

def test_watch_gives_a_line_now_and_one_per_new_token(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    first = daemon.token().json()
    watch = daemon.watch()
    assert watch.reply.status == 200
    assert watch.next()["access_token"] == first["access_token"]
    for generation in (2, 3):
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
        line = watch.next()
        daemon.known_secrets.add(line["access_token"])
        assert line["generation"] == generation and provider.is_active(line["access_token"])
    assert daemon.metrics()["iclientd_watchers"] == 1
    watch.close()
    wait_until(lambda: daemon.metrics()["iclientd_watchers"] == 0, what="the watcher to go")


def test_watch_tells_of_a_refused_token_by_its_successor_alone(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token().status == 200
    watch = daemon.watch()
    assert watch.next()["generation"] == 1
    assert daemon.rejected(generation=1, status=401).json()["generation"] == 2
    assert watch.next()["generation"] == 2
    watch.close()


def test_watch_tells_a_change_of_state(launch, provider):
    daemon = launch(documents.code(provider))
    watch = daemon.watch()
    line = watch.next()
    assert line["connection"] == "crm" and line["state"] == "authorization_required" and "access_token" not in line
    daemon.login()
    line = watch.next()
    while "access_token" not in line:
        line = watch.next()
    assert line["generation"] == 1 and provider.is_active(line["access_token"])
    watch.close()


def test_watch_without_a_token_does_not_wait_for_one(launch, provider):
    provider.on("/token", Answer(500))
    daemon = launch(documents.client_credentials(provider))
    watch = daemon.watch()
    assert watch.next()["state"] in ("empty", "provider_unavailable")
    watch.close()


# The rest

def test_connections_lists_name_state_and_expiry(launch, provider):
    daemon = launch(documents.client_credentials(provider), documents.code(provider, "mail"))
    assert daemon.state() == "empty"
    token = daemon.token().json()
    rows = daemon.connections()
    assert set(rows) == {"crm", "mail"}
    assert rows["crm"]["state"] == "ready" and rows["crm"]["expires_at"] == token["expires_at"]
    assert rows["mail"]["state"] == "authorization_required"
    assert "access-" not in json.dumps(rows)


def test_health_does_not_depend_on_providers(launch, provider):
    provider.on("/token", Answer(500))
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token(wait=1).status == 503
    assert daemon.get("/healthz").status == daemon.get("/readyz").status == 200
    assert daemon.admin("GET", "/healthz").status == daemon.admin("GET", "/readyz").status == 200


def test_head_gives_no_body(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    reply = daemon.request(daemon.token_socket, "HEAD", "/healthz")
    assert reply.status in (200, 405) and reply.body == b""
