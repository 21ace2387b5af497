"""What an operator does on the admin socket: refresh, revoke, look at the numbers."""

import re
import resource

import documents
import pytest
from daemon import error_of
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import wait_until


def refresh(daemon, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/refresh")


def revoke(daemon, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/revoke")


def test_refresh_gets_a_new_token_now(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    first = daemon.token().json()
    assert refresh(daemon).status == 200
    second = daemon.token().json()
    assert second["generation"] == 2 and second["access_token"] != first["access_token"]


def test_refresh_without_a_login_says_what_is_missing(launch, provider):
    daemon = launch(documents.code(provider))
    assert error_of(refresh(daemon))["code"] == "authorization_required"


def test_refresh_overrules_the_back_off(launch, provider):
    provider.next("/token", Answer(429, headers={"Retry-After": "100"}))
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token().status == 503
    assert refresh(daemon).status == 200
    assert daemon.token().status == 200


def test_revoke_revokes_both_tokens_and_forgets_them(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    reply = revoke(daemon)
    assert reply.status == 200, reply
    asked = provider.requests_to("/revoke")
    assert {request.params["token_type_hint"] for request in asked} == {"refresh_token", "access_token"}
    assert all(request.basic == provider.client for request in asked)
    assert all(request.params["token"] in provider.revoked for request in asked)
    assert daemon.token().status == 409 and daemon.state() == "authorization_required"
    assert daemon.metrics()["iclientd_revocations_total"] >= 1
    daemon.restart()
    assert daemon.token().status == 409


def test_revoked_client_credentials_get_a_new_token_when_asked(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    first = daemon.token().json()
    assert revoke(daemon).status == 200
    assert first["access_token"] in provider.revoked
    second = daemon.token().json()
    assert second["access_token"] != first["access_token"] and second["generation"] > first["generation"]


def test_revoke_that_does_not_reach_the_provider_forgets_nothing(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    before = daemon.token().json()
    provider.on("/revoke", Answer(503))
    revoke(daemon)
    assert daemon.token().json()["access_token"] == before["access_token"]


def test_revoke_without_a_revoke_uri_forgets_here(launch, provider):
    daemon = launch(documents.code(provider, oauth2={"revoke": None}))
    daemon.login()
    assert revoke(daemon).status == 200
    assert daemon.token().status == 409
    assert provider.count("/revoke") == 0


def test_revoke_of_nothing_is_no_fault(launch, provider):
    daemon = launch(documents.code(provider))
    assert revoke(daemon).status in (200, 204, 409)


@pytest.mark.parametrize("action", ["refresh", "revoke", "authorize"])
def test_unknown_connection_is_404(launch, provider, action):
    daemon = launch(documents.client_credentials(provider))
    reply = daemon.admin("POST", f"/v1/connections/nobody/{action}")
    assert reply.status == 404 and error_of(reply)["code"] == "not_found"


def test_status_of_a_connection_holds_no_secret(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    text = daemon.admin("GET", "/v1/connections/crm").text
    assert '"state":"ready"' in text.replace(" ", "")
    for secret in provider.secrets_issued():
        assert secret not in text


def test_inactive_by_an_edit_is_revoked_and_forgotten(launch, provider):
    document = documents.code(provider)
    daemon = launch(document)
    daemon.login()
    token = daemon.token().json()["access_token"]
    daemon.write_iclient({**document, "active": False})
    assert daemon.reload() == "done"
    assert error_of(daemon.token())["code"] == "inactive"
    wait_until(lambda: token in provider.revoked, what="the revocation")


def test_tokens_of_another_provider_are_shown_to_nobody_else(launch, provider):
    """An iClient that changed over to another provider while its old tokens are kept."""
    with ScriptedProvider() as other:
        daemon = launch(documents.code(provider))
        daemon.login()
        daemon.write_iclient(documents.code(other))
        assert daemon.reload() == "done"
        daemon.restart()
        document = revoke(daemon).json()
        assert (document["revoked"], document["provider"]) == (True, "failed")
        assert not other.requests and not provider.revoked
        assert revoke(daemon).json()["provider"] is None


def test_tokens_of_a_changed_secret_are_revoked(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    provider.client = (provider.client[0], "another-" + provider.client[1])
    daemon.write_iclient(documents.code(provider))
    assert daemon.reload() == "done"
    assert revoke(daemon).json()["provider"] == "confirmed"
    assert all(request.basic == provider.client for request in provider.requests_to("/revoke"))


def test_metrics_are_prometheus_text(launch, provider):
    daemon = launch(documents.client_credentials(provider), documents.client_credentials(provider, "erp"))
    daemon.token()
    daemon.token()
    reply = daemon.admin("GET", "/metrics")
    assert reply.header("Content-Type").startswith("text/plain")
    sample = re.compile(r'^[a-z_]+(\{[a-z]+="[a-z_]+"(,[a-z]+="[a-z_]+")*\})? -?[0-9.]+$')
    helped, typed = set(), set()
    for line in reply.text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            typed.add(line.split()[2])
        else:
            assert sample.match(line), line
            assert line.split("{")[0].split(" ")[0] in helped & typed
    metrics = daemon.metrics()
    assert metrics["iclientd_exchanges_started_total"] == 1
    assert metrics['iclientd_exchanges_total{class="granted"}'] == 1
    assert metrics['iclientd_tokens_served_total{source="cache"}'] == 1
    assert metrics['iclientd_tokens_served_total{source="exchange"}'] == 1
    assert metrics["iclientd_iclients"] == metrics["iclientd_connections"] == 2
    assert metrics["iclientd_store_failures_total"] == metrics["iclientd_store_unsaved_connections"] == 0
    assert metrics["iclientd_http_connections"] >= 1


def test_full_disk_keeps_the_new_pair_in_memory_and_saves_it_later(launch, provider):
    """The store refuses; the token is served all the same, an alarm shows, and a retry saves it."""
    daemon = launch(documents.code(provider))
    daemon.login()
    soft, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, hard))
    refresh(daemon)
    metrics = daemon.metrics()
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
    assert metrics["iclientd_store_failures_total"] >= 1
    wait_until(lambda: daemon.metrics()["iclientd_store_unsaved_connections"] == 0, what="the store to be saved")
    token = daemon.token().json()
    daemon.kill()
    daemon.start()
    assert daemon.token().json()["access_token"] == token["access_token"]
    assert refresh(daemon).status == 200 and not provider.revoked
