"""A wall clock that jumps, and a machine that sleeps: noticed at once, and nothing is believed that the jump made untrue."""

import json
import os
import signal
import struct
import subprocess
from pathlib import Path

import documents
import pytest
from daemon import UnixConnection
from fakes.scripted_provider import Answer
from fakes.support import wait_until

DAY = 86400
SHIM = Path(__file__).resolve().parents[1] / "faults" / "clock_shim.c"


class Clock:
    """The wall clock of one daemon."""

    def __init__(self, daemon, library):
        self._offset = daemon.folder / "offset"
        self._fifo = daemon.folder / "clock"
        self._offset.write_bytes(struct.pack("q", 0))
        os.mkfifo(self._fifo)
        daemon.environment = {"LD_PRELOAD": str(library), "CLOCK_SHIM_FILE": str(self._offset),
                              "CLOCK_SHIM_FIFO": str(self._fifo), "ASAN_OPTIONS": "detect_leaks=1:verify_asan_link_order=0"}

    def set(self, seconds, is_told=True):
        """The clock is so many seconds off from now on; the kernel tells the daemon."""
        with open(self._offset, "r+b") as file:
            file.write(struct.pack("q", seconds))
        if is_told:
            fifo = os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.write(fifo, bytes(8))
            os.close(fifo)


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "clock_shim.so"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SHIM], check=True)
    return library


@pytest.fixture
def launch_with_clock(prepare, shim):
    def launch(*iclients, config=None):
        daemon = prepare(*iclients, config={"sandbox": False, **(config or {})})
        clock = Clock(daemon, shim)
        return daemon.start(), clock
    return launch


def refreshes(provider):
    return provider.count(grant_type="refresh_token")


def test_day_ahead_is_refreshed_before_anybody_asks(launch_with_clock, provider):
    daemon, clock = launch_with_clock(documents.code(provider))
    daemon.login()
    clock.set(DAY)
    wait_until(lambda: refreshes(provider) == 1, what="the refresh")
    token = wait_until(lambda: (lambda token: token if token["generation"] == 2 else None)(daemon.token().json()),
                       what="the new token")
    assert 3500 <= token["expires_in"] <= 3600


def test_day_ahead_that_nobody_told_of_is_seen_by_the_next_caller(launch_with_clock, provider):
    daemon, clock = launch_with_clock(documents.code(provider))
    daemon.login()
    clock.set(DAY, is_told=False)
    token = daemon.token().json()
    assert token["generation"] == 2 and 3500 <= token["expires_in"] <= 3600


def test_day_back_does_not_lengthen_a_token(launch_with_clock, provider):
    daemon, clock = launch_with_clock(documents.code(provider))
    daemon.login()
    clock.set(-DAY)
    token = wait_until(lambda: (lambda token: token if token["generation"] == 2 else None)(daemon.token().json()),
                       what="the new token")
    assert 3500 <= token["expires_in"] <= 3600
    assert refreshes(provider) == 1


@pytest.mark.parametrize("is_told", [True, False])
def test_day_back_does_not_lengthen_a_back_off(launch_with_clock, provider, is_told):
    provider.next("/token", Answer(429, headers={"Retry-After": "30"}))
    daemon, clock = launch_with_clock(documents.client_credentials(provider))
    assert daemon.token(wait=1).status == 503
    clock.set(-DAY, is_told)
    reply = daemon.token(wait=2)
    assert reply.status == 200 or int(reply.header("Retry-After")) <= 31, reply


def test_day_there_and_back_costs_no_login(launch_with_clock, provider):
    daemon, clock = launch_with_clock(documents.code(provider))
    daemon.login()
    for offset in (DAY, 0, -DAY, 0):
        clock.set(offset)
        wait_until(lambda: 0 < daemon.token().json()["expires_in"] <= 3600, what="a token of its true lifetime")
    assert daemon.state() == "ready" and not provider.revoked
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200


def test_sleeping_machine_wakes_up_with_a_fresh_token(launch_with_clock, provider):
    daemon, clock = launch_with_clock(documents.code(provider))
    daemon.login()
    daemon.process.send_signal(signal.SIGSTOP)
    caller = UnixConnection(daemon.token_socket)
    caller.request("GET", "/v1/token/crm")
    clock.set(2 * 3600)
    daemon.process.send_signal(signal.SIGCONT)
    token = json.loads(caller.getresponse().read())
    caller.close()
    assert token["generation"] == 2 and 3500 <= token["expires_in"] <= 3600
    assert refreshes(provider) == 1
