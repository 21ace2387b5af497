"""However many callers, one exchange."""

import socket
import threading
import time

import documents
from daemon import Background, error_of
from fakes.scripted_provider import Answer
from fakes.support import PATIENCE, wait_until

CALLERS = 1000
LIMITS = {"limits": {"connections": 2048, "connectionsPerUid": 2048, "waiters": 10000}, "http": {"timeout": 300}}


def open_callers(daemon, count, target="/v1/token/crm?wait=300"):
    callers = []
    for _ in range(count):
        caller = socket.socket(socket.AF_UNIX)
        caller.settimeout(PATIENCE)
        caller.connect(str(daemon.token_socket))
        caller.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        callers.append(caller)
    return callers


def wait_for_waiters(daemon, count):
    try:
        wait_until(lambda: daemon.metrics()["iclientd_waiters"] == count, what=f"{count} waiters")
    except AssertionError as late:
        raise AssertionError(f"{late}: {daemon.metrics()}\n{daemon.log()[-2000:]}") from None


def answers_of(callers):
    answers = []
    for caller in callers:
        with caller:
            parts = []
            while part := caller.recv(65536):
                parts.append(part)
        answers.append(b"".join(parts))
    return answers


def test_thousand_callers_on_one_expired_token_make_one_request(launch, provider):
    provider.lifetime = 1
    daemon = launch(documents.client_credentials(provider), config=LIMITS,
                    connections=[{"name": "shared", "iClient": "crm", "refresh": "onDemand"}])
    first = daemon.token("shared").json()
    wait_until(lambda: time.time() > first["expires_at"] + 0.1, what="the token to expire")
    provider.lifetime = 3600
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    callers = open_callers(daemon, CALLERS, "/v1/token/shared?wait=300")
    wait_for_waiters(daemon, CALLERS)
    gate.set()
    answers = answers_of(callers)
    token = daemon.token("shared").json()["access_token"].encode()
    assert token != first["access_token"].encode()
    assert sum(1 for answer in answers if answer.startswith(b"HTTP/1.1 200") and token in answer) == CALLERS
    assert provider.count() == 2 and provider.max_in_flight == 1
    assert daemon.metrics()["iclientd_waiters"] == 0


def test_failure_is_shared_by_all_who_wait(launch, provider):
    gate = threading.Event()
    provider.next("/token", Answer(500, gate=gate))
    daemon = launch(documents.client_credentials(provider), config=LIMITS)
    callers = open_callers(daemon, 100)
    wait_for_waiters(daemon, 100)
    gate.set()
    answers = answers_of(callers)
    assert sum(1 for answer in answers if answer.startswith(b"HTTP/1.1 503") and b"provider_unavailable" in answer) == 100
    assert provider.count() == 1


def test_two_connections_do_not_share_a_flight(launch, provider):
    daemon = launch(documents.client_credentials(provider),
                    connections=[{"name": name, "iClient": "crm"} for name in ("one", "two")])
    assert daemon.token("one").json()["access_token"] != daemon.token("two").json()["access_token"]
    assert provider.count() == 2


def test_waiters_that_leave_do_not_end_the_exchange(launch, provider):
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    daemon = launch(documents.client_credentials(provider))
    callers = open_callers(daemon, 10)
    wait_for_waiters(daemon, 10)
    for caller in callers:
        caller.close()
    wait_for_waiters(daemon, 0)
    gate.set()
    assert daemon.token().status == 200
    assert provider.count() == 1


def test_too_many_waiters_are_told_to_come_back(launch, provider):
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    daemon = launch(documents.client_credentials(provider), config={"limits": {"waiters": 6}})
    waiting = [Background(daemon.token) for _ in range(3)]
    wait_for_waiters(daemon, 3)
    reply = daemon.token()
    assert reply.status == 429 and error_of(reply)["code"] == "busy"
    gate.set()
    assert {caller.result().status for caller in waiting} == {200}
