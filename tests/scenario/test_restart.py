"""Nothing that a provider gave us is lost by a restart, a crash, or a kill -9."""

import http.client
import time

import documents
from daemon import Background, error_of
from fakes.scripted_provider import Answer
from fakes.support import wait_until


def test_restart_serves_the_stored_token_without_asking_the_provider(launch, provider):
    daemon = launch(documents.client_credentials(provider), documents.code(provider, "mail"))
    daemon.login("mail")
    before = {name: daemon.token(name).json() for name in ("crm", "mail")}
    asked = len(provider.requests)
    daemon.restart()
    for name, token in before.items():
        after = daemon.token(name).json()
        for member in ("access_token", "generation", "expires_at", "scope"):
            assert after[member] == token[member]
    assert len(provider.requests) == asked


def test_kill_after_an_answer_loses_nothing(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    for generation in (2, 3):
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
        token = daemon.token().json()
        assert token["generation"] == generation
        daemon.kill()
        daemon.start()
        assert daemon.token().json()["access_token"] == token["access_token"]
    # The rotated refresh token is the one that is used, or the family would be revoked.
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert not provider.revoked


def kill_during_refresh(daemon, provider):
    """A refresh that the provider has received; then kill -9."""
    refreshing = Background(daemon.admin, "POST", "/v1/connections/crm/refresh")
    wait_until(lambda: provider.count(grant_type="refresh_token") == 1, what="the refresh")
    daemon.kill()
    try:
        refreshing.result()
    except (OSError, http.client.HTTPException):
        pass


def test_kill_during_a_refresh_that_was_not_processed_costs_nothing(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    provider.next("/token", Answer(hang=True))
    kill_during_refresh(daemon, provider)
    daemon.start()
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert daemon.state() == "ready" and daemon.token().status == 200
    assert not provider.revoked


def test_kill_during_a_refresh_that_was_processed_is_tried_once_and_named(launch, provider):
    provider.lifetime = 2
    daemon = launch(documents.code(provider))
    provider.next("/token", lambda _, regular: regular(),            # the code
                  lambda _, regular: regular().but(hang=True))       # the refresh: rotated, but never answered
    daemon.login()
    expires_at = daemon.connections()["crm"]["expires_at"]
    kill_during_refresh(daemon, provider)
    wait_until(lambda: time.time() > expires_at + 0.1, what="the token to expire")
    daemon.start()
    reply = wait_until(lambda: (lambda reply: reply if reply.status == 409 else None)(daemon.token(wait=1)),
                       what="the refusal")
    assert error_of(reply)["code"] == "authorization_required"
    assert "rotation_ambiguous" in reply.text + daemon.admin("GET", "/v1/connections/crm").text + daemon.log()
    assert daemon.metrics()["iclientd_rotations_ambiguous_total"] == 1
    for _ in range(5):
        daemon.token(wait=0)
    assert provider.count(grant_type="refresh_token") == 2
    assert daemon.state() == "authorization_required"
    # A new login mends it.
    provider.lifetime = 3600
    daemon.login()
    assert daemon.token().status == 200 and daemon.state() == "ready"


def test_login_under_way_does_not_survive_a_restart_and_says_so(launch, provider):
    daemon = launch(documents.code(provider))
    person, callback = daemon.callback_of()
    daemon.restart()
    page = person.get(callback)
    assert page.status >= 400 and "text/html" in page.header("Content-Type")
    assert provider.count() == 0


def test_back_off_survives_a_restart(launch, provider):
    provider.on("/token", Answer(429, headers={"Retry-After": "60"}))
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token(wait=1).status == 503
    daemon.restart()
    reply = daemon.token(wait=0)
    assert reply.status == 503 and 1 <= int(reply.header("Retry-After")) <= 61
    assert provider.count() == 1


def test_database_file_is_private(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    files = [path for path in daemon.state_dir.rglob("*") if path.is_file()]
    assert files and all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_garbage_database_is_an_error_not_a_fresh_start(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    daemon.stop()
    databases = [path for path in daemon.state_dir.rglob("*") if path.is_file() and path.read_bytes()[:6] == b"SQLite"]
    assert len(databases) == 1
    content = bytearray(databases[0].read_bytes())
    content[:100] = b"\xff" * 100
    databases[0].write_bytes(content)
    try:
        daemon.start()
        raise AssertionError("it started on a broken database")
    except AssertionError as failure:
        assert "iclientd ended with 1" in str(failure)
    assert databases[0].name in daemon.log() or "state" in daemon.log()
    assert databases[0].read_bytes() == content
