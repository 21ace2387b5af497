"""Reloads that are asked for faster than they can be done."""

import contextlib
import signal
import socket
import threading
import time

import documents
from fakes.support import PATIENCE, wait_until

SIGNALS = 3000
PAUSE = 0.2  # the least time between two reloads, in seconds


def storm(daemon, count=SIGNALS):
    """SIGHUPs; requests are answered in between."""
    for number in range(count):
        daemon.process.send_signal(signal.SIGHUP)
        if number % 100 == 0:
            assert daemon.token().status == 200


def reloads_done(daemon):
    return daemon.metrics()['iclientd_reloads_total{result="done"}']


def test_a_storm_of_reloads_is_few_reloads_and_the_last_change_is_in_force(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    began = time.monotonic()
    storm(daemon)
    daemon.write_connection({"name": "last", "iClient": "crm"})
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "last" in daemon.connections(), what="the last change")
    done = reloads_done(daemon)
    took = time.monotonic() - began
    assert 2 <= done <= 2 + took / PAUSE, f"{done} reloads in {took} s"
    assert daemon.log().count("reloaded: ") == done
    assert daemon.token("last").status == 200


def test_every_change_is_in_force_after_its_signal(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    for number in range(5):
        daemon.write_connection({"name": f"c{number}", "iClient": "crm"})
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.01 * number)  # anywhere in a pause or a reload: each has to do
        wait_until(lambda name=f"c{number}": name in daemon.connections(), what="the change")


def test_sigterm_is_not_lost_behind_reloads(launch, provider):
    """Reading many files takes long enough for hundreds of signals to come meanwhile."""
    connections = [{"name": f"c{number}", "iClient": "crm"} for number in range(3000)]
    daemon = launch(documents.client_credentials(provider), connections=connections)
    for _ in range(SIGNALS):
        daemon.process.send_signal(signal.SIGHUP)
    daemon.stop()


class Manager:
    """Reads what systemd is told: the first word of each message."""

    def __init__(self, path):
        self.words = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        while message := self._socket.recv(4096):
            self.words.append(message.decode().split("\n")[0])

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self._socket.getsockname())
        self._thread.join(PATIENCE)
        self._socket.close()


def test_the_service_manager_is_told_in_pairs(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.stop()
    path = daemon.folder / "notify.sock"
    with contextlib.closing(Manager(path)) as manager:
        daemon.environment["NOTIFY_SOCKET"] = str(path)
        daemon.start()
        storm(daemon)
        for _ in range(10):
            daemon.process.send_signal(signal.SIGHUP)
        daemon.stop()
    words = manager.words
    assert words[0] == "READY=1" and words[-1] == "STOPPING=1" and words.count("STOPPING=1") == 1
    middle = words[1:-1]
    assert middle == ["RELOADING=1", "READY=1"] * (len(middle) // 2) and middle
