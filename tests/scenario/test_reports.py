"""Reports that an API refused a token: what they cost the user who makes them, and what other users notice."""

import contextlib
import json
import os
import threading

import documents
import pytest
from fakes.scripted_provider import Answer
from fakes.support import wait_until
from peer import Peers

NOISY, HONEST, ANOTHER = 4242, 4243, 4244
TOKEN = "/v1/token/api"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to ask as other users")


@pytest.fixture(name="peers")
def make_peers():
    with contextlib.closing(Peers()) as peers:
        yield peers


def launch_shared(launch, iclient):
    """A connection that three users may use."""
    allow = {"users": [NOISY, HONEST, ANOTHER]}
    return launch(iclient, connections=[{"name": "api", "iClient": "crm", "allow": allow}])


def get(daemon, peer, **query):
    status = peer.get(TOKEN + "".join(f"?{name}={value}" for name, value in query.items()))
    document = peer.document()
    daemon.known_secrets.add(document.get("access_token"))
    return status, document


def ask_report(peer, generation, wait=30):
    peer.ask(f"{TOKEN}/rejected?wait={wait}", "POST", json.dumps({"generation": generation, "status": 401}))


def report(daemon, peer, generation):
    ask_report(peer, generation)
    status = peer.status()
    document = peer.document()
    daemon.known_secrets.add(document.get("access_token"))
    return status, document


def refuse_until_paused(daemon, *peers):
    """Reports each new token, by each of the peers in turn, until one is told to pause: that answer."""
    generation = 1
    for turn in range(50):
        status, document = report(daemon, peers[turn % len(peers)], generation)
        if status != 200:
            return status, document
        generation = document["generation"]
    raise AssertionError("50 tokens in a row were refused and replaced")


def test_a_user_who_reports_every_token_takes_it_from_nobody_else(launch, provider, peers):
    daemon = launch_shared(launch, documents.client_credentials(provider))
    noisy, honest = (peers.start(uid).connect(daemon.token_socket) for uid in (NOISY, HONEST))
    assert get(daemon, noisy)[0] == 200
    status, document = refuse_until_paused(daemon, noisy)
    assert status == 429 and document["errors"][0]["code"] == "token_rejected" and document["auth_failure"] is True
    assert document["retryable"] is True and "scope" in document["errors"][0]["message"]
    assert provider.count() == 5, "the first token and four refreshes"
    assert noisy.get(TOKEN) == 429
    status, document = get(daemon, honest)
    assert status == 200 and document["generation"] == 5 and document["stale_reason"] is None
    assert provider.is_active(document["access_token"])
    assert daemon.state("api") == "ready"
    # A report of another user counts, and its token is served to the paused user as well.
    status, document = report(daemon, honest, 5)
    assert status == 200 and document["generation"] == 6
    assert get(daemon, noisy)[1]["generation"] == 6
    assert provider.count() == 6
    metrics = daemon.metrics()
    assert metrics["iclientd_reports_paused_total"] == 1 and metrics["iclientd_rejections_reported_total"] == 6
    assert f"uid {NOISY} reports every new token as refused" in daemon.log()


def test_more_processes_and_sockets_of_a_user_have_one_budget(launch, provider, peers):
    daemon = launch_shared(launch, documents.client_credentials(provider))
    many = [peers.start(NOISY).connect(daemon.token_socket) for _ in range(4)]
    honest = peers.start(HONEST).connect(daemon.token_socket)
    assert get(daemon, honest)[0] == 200
    assert refuse_until_paused(daemon, *many)[0] == 429
    generation = get(daemon, honest)[1]["generation"]
    for peer in many:
        assert report(daemon, peer, generation)[0] == 429
        assert [peer.get(TOKEN + query) for query in ("", "?wait=0", "?min_ttl=60", "?format=raw")] == [429] * 4
    assert provider.count() == 5
    assert get(daemon, honest)[0] == 200


def test_others_keep_the_token_while_a_report_is_looked_into(launch, provider, peers):
    daemon = launch_shared(launch, documents.client_credentials(provider))
    noisy, honest = (peers.start(uid).connect(daemon.token_socket) for uid in (NOISY, HONEST))
    first = get(daemon, noisy)[1]
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    ask_report(noisy, 1)
    wait_until(lambda: provider.count() == 2, what="the refresh")
    status, document = get(daemon, honest)
    assert status == 200 and document["access_token"] == first["access_token"]
    assert document["stale_reason"] == "token_reported"
    gate.set()
    assert noisy.status() == 200
    daemon.known_secrets.add(noisy.document()["access_token"])
    status, document = get(daemon, honest)
    assert status == 200 and document["generation"] == 2 and document["stale_reason"] is None


def test_many_users_who_report_one_token_share_one_refresh(launch, provider, peers):
    daemon = launch_shared(launch, documents.client_credentials(provider))
    users = [peers.start(uid).connect(daemon.token_socket) for uid in (NOISY, HONEST, ANOTHER) for _ in range(3)]
    assert get(daemon, users[0])[0] == 200
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    for user in users:
        ask_report(user, 1)
    wait_until(lambda: daemon.metrics()["iclientd_waiters"] == len(users), what="all reports")
    gate.set()
    for user in users:
        assert user.status() == 200
        document = user.document()
        daemon.known_secrets.add(document["access_token"])
        assert document["generation"] == 2 and document["auth_failure"] is True
    assert provider.count() == 2


@pytest.mark.parametrize("answer, code, status", [
    (Answer(503, text="down"), "provider_unavailable", 503),
    (Answer(400, json={"error": "invalid_grant"}), "authorization_required", 409)])
def test_a_refresh_that_fails_after_a_report_costs_others_nothing(launch, provider, peers, answer, code, status):
    daemon = launch_shared(launch, documents.code(provider))
    daemon.login("api")
    noisy, honest = (peers.start(uid).connect(daemon.token_socket) for uid in (NOISY, HONEST))
    first = get(daemon, honest)[1]
    provider.on("/token", answer)
    refused, document = report(daemon, noisy, 1)
    assert refused == status and document["errors"][0]["code"] == code
    assert daemon.state("api") == code
    served, document = get(daemon, honest)
    assert served == 200 and document["access_token"] == first["access_token"]
    assert document["stale_reason"] == "token_reported"


def test_an_operator_refreshes_whatever_was_reported(launch, provider, peers):
    daemon = launch_shared(launch, documents.client_credentials(provider))
    noisy = peers.start(NOISY).connect(daemon.token_socket)
    assert get(daemon, noisy)[0] == 200
    assert refuse_until_paused(daemon, noisy)[0] == 429
    assert daemon.admin("POST", "/v1/connections/api/refresh").status == 200
    assert get(daemon, noisy)[1]["generation"] == 6


def test_a_min_ttl_of_nearly_the_whole_lifetime_costs_no_refresh_a_second(launch, provider, peers):
    daemon = launch_shared(launch, documents.client_credentials(provider))
    peer = peers.start(NOISY).connect(daemon.token_socket)
    lifetime = get(daemon, peer)[1]["expires_in"]
    wait_until(lambda: get(daemon, peer)[1]["expires_in"] < lifetime, what="a second of the lifetime to pass")
    status, document = get(daemon, peer, min_ttl=lifetime)
    assert status == 200 and document["stale_reason"] == "min_ttl_unmet" and document["generation"] == 1
    assert provider.count() == 1
