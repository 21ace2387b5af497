"""The log of a daemon whose stderr nobody reads."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import threading

import documents
import pytest
from fakes.support import PATIENCE, wait_until

DROPPED = re.compile(r"(\d+) log lines were dropped")
REQUESTS_THAT_LOG = 4000  # about 400 KB of lines, of which the ring takes 256 KiB


class Reader:
    """The other end of a daemon's stderr. It reads nothing until read_on() is called."""

    def __init__(self, kind):
        self._kind = kind
        self._text = []
        self._thread = None
        if kind == "pipe":
            self._end, self.stderr = os.pipe()
            fcntl.fcntl(self.stderr, fcntl.F_SETPIPE_SZ, 4096)
        else:
            end, stderr = socket.socketpair()
            self._end, self.stderr = end.detach(), stderr.detach()

    def read_on(self):
        def read():
            while block := os.read(self._end, 65536):
                self._text.append(block.decode())
        self._thread = threading.Thread(target=read)
        self._thread.start()

    def text(self):
        return "".join(self._text)

    def close(self):
        if self._thread:
            self._thread.join(PATIENCE)
        os.close(self._end)


@pytest.fixture(name="reader", params=["pipe", "socket"])
def make_reader(request):
    with contextlib.closing(Reader(request.param)) as reader:
        yield reader


@pytest.fixture(name="unread")
def start_unread(launch, provider, reader):
    """A daemon that logs to the reader."""
    daemon = launch(documents.client_credentials(provider))
    daemon.stop()
    daemon.stderr = reader.stderr
    daemon.start()
    os.close(reader.stderr)  # the daemon's is the only one, so that the reader sees its end
    return daemon


def make_it_log(daemon):
    """An operator's requests are on record, each of them."""
    for _ in range(REQUESTS_THAT_LOG):
        if daemon.admin("POST", "/v1/connections/crm/refresh?wait=0").status not in (200, 503):
            raise AssertionError("a refresh is refused")
        if daemon.metrics().get("iclientd_log_lines_dropped_total", 0) > 0:
            return
    raise AssertionError("no line is dropped")


def test_a_log_that_nobody_reads_stops_nothing(unread, reader):
    make_it_log(unread)
    assert unread.token().status == 200
    assert unread.reload() == "done"
    reader.read_on()
    dropped = unread.metrics()["iclientd_log_lines_dropped_total"]
    wait_until(lambda: sum(map(int, DROPPED.findall(reader.text()))) == dropped, what="the report of the dropped lines")
    unread.stop()
    wait_until(lambda: "stopping" in reader.text(), what="the last lines")
    lines = reader.text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \w+: ", line) for line in lines), "no line is torn"


def test_sigterm_ends_a_daemon_whose_log_nobody_reads(unread):
    make_it_log(unread)
    unread.stop()


def test_the_last_lines_reach_a_reader_that_was_late(unread, reader):
    make_it_log(unread)
    unread.process.send_signal(signal.SIGSTOP)
    unread.process.send_signal(signal.SIGTERM)
    reader.read_on()
    unread.process.send_signal(signal.SIGCONT)
    assert unread.process.wait(PATIENCE) == 0
    unread.process = None
    wait_until(lambda: "stopping" in reader.text(), what="the last lines")
    assert DROPPED.search(reader.text())


def test_the_shell_that_shares_stderr_keeps_its_flags(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.stop()
    end, shared = os.pipe()
    daemon.stderr = shared
    daemon.start()
    assert fcntl.fcntl(shared, fcntl.F_GETFL) & os.O_NONBLOCK == 0
    daemon.stop()
    os.close(shared)
    assert b"ready:" in os.read(end, 65536)
    os.close(end)


def test_a_start_that_fails_says_why_before_it_ends(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.stop()
    daemon.write_config({"logLevel": "loud"})
    done = subprocess.run([daemon.binary("iclientd"), "--config", daemon.config_file], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 1 and "logLevel" in done.stderr
    assert "nothing was started" in done.stderr.splitlines()[-1]
