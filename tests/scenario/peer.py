"""Local processes that a test leads by the hand, and the cgroups of units to put them in."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from fakes.support import die_with_parent, wait_until

HIERARCHIES = Path("/sys/fs/cgroup")

# Reads a list per line: what to do. Says one line for each: what came of it, or a text why nothing did.
PROGRAM = """
import array, http.client, json, os, socket, sys
line = socket.socket(fileno=int(sys.argv[1]))
client = None
for request in sys.stdin:
    what, *details = json.loads(request)
    answer = 0
    try:
        if what == "connect":
            client = socket.socket(socket.AF_UNIX)
            client.connect(details[0])
        elif what == "ask":
            method, path, body = details
            client.sendall(f"{method} {path} HTTP/1.1\\r\\nHost: localhost\\r\\n"
                           f"Content-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
        elif what == "status":
            reply = http.client.HTTPResponse(client)
            reply.begin()
            answer = reply.status
            text = reply.read().decode()
        elif what == "text":
            answer = text
        elif what == "send":
            socket.send_fds(line, [b"."], [client.fileno()])
        elif what == "receive":
            client = socket.socket(fileno=socket.recv_fds(line, 1, 1)[1][0])
    except (OSError, http.client.HTTPException) as error:
        answer = repr(error)
    print(json.dumps(answer), flush=True)
"""


class Peer:
    """A process of a user: connect(), get() over that connection as often as wanted, end()."""

    def __init__(self, uid, line):
        self._process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(line.fileno())], text=True, user=uid,
                                         group=uid, extra_groups=[], cwd="/", pass_fds=[line.fileno()],
                                         preexec_fn=die_with_parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid

    def _do(self, *request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def connect(self, path):
        assert self._do("connect", str(path)) == 0
        return self

    def ask(self, path, method="GET", body=""):
        """A request, whose answer is not waited for."""
        assert self._do("ask", method, path, body) == 0

    def status(self):
        """The answer's; a text when there is none."""
        return self._do("status")

    def text(self):
        """The answer's, after status()."""
        return self._do("text")

    def get(self, path):
        self.ask(path)
        return self.status()

    def document(self):
        """The answer's JSON, after status()."""
        return json.loads(self.text())

    def hand_over_to(self, other):
        """The other process has the connection as well."""
        assert self._do("send") == 0 and other._do("receive") == 0

    def end(self):
        """And nothing is left of it: its number is free."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class Peers:
    """start(uid) makes peers that can hand over sockets in order of their start; ends them all."""

    def __init__(self):
        self._ends = contextlib.ExitStack()
        self._lines = socket.socketpair()
        self._count = 0
        for line in self._lines:
            self._ends.enter_context(line)

    def start(self, uid):
        peer = Peer(uid, self._lines[self._count % 2])
        self._count += 1
        self._ends.callback(lambda: peer._process.poll() is None and peer.end())
        return peer

    def close(self):
        self._ends.close()


def hierarchy():
    """Where systemd keeps its units: beside other hierarchies, or in the one for all."""
    is_beside = ":name=systemd:" in Path("/proc/self/cgroup").read_text(encoding="ascii")
    return HIERARCHIES / "systemd" if is_beside else HIERARCHIES


class Unit:
    """The cgroup of a unit, as systemd makes one."""

    def __init__(self, name):
        self.name = name
        self._folder = hierarchy() / name
        self._folder.mkdir()

    def take(self, pid):
        (self._folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def leave(self, pid):
        (hierarchy() / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def close(self):
        def is_removed():
            try:
                self._folder.rmdir()
            except OSError:  # its processes are not all gone
                return False
            return True
        wait_until(is_removed, what=f"the processes of {self.name} to end")


def start_with_pid(pid, attempts=200):
    """A child of this process with that number, which sleeps; None when others were always faster."""
    for _ in range(attempts):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1), encoding="ascii")
        child = os.fork()
        if child == 0:
            signal.pause()
        if child == pid:
            return child
        end_child(child)
    return None


def end_child(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
