"""Overload: new work is told to come again, tokens that are there are served, and no user takes what is another's."""

import contextlib
import ctypes
import errno
import http.client
import json
import os
import pwd
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import documents
import pytest
from daemon import Background, error_of, is_retryable
from fakes.support import PATIENCE, die_with_parent, wait_until

FLOOD, OTHER, THIRD, FOURTH = "nobody", "daemon", "games", "mail"
ANYBODY = {"allow": {"users": [FLOOD, OTHER, THIRD, FOURTH, "root"]}}
TURN = 512  # steps of a user at most: STEPS_ALONE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")


class Caller:
    """A connection of a user: ask() as often as wanted, then replies() in that order."""

    def __init__(self, path, user):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        os.seteuid(pwd.getpwnam(user).pw_uid)
        try:
            self.socket.connect(str(path))
        finally:
            os.seteuid(0)
        self._file = self.socket.makefile("rb")

    def ask(self, path, times=1):
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * times)
        return self

    def reply(self):
        """(status, headers, document) of the next answer."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return status, headers, json.loads(self._file.read(int(headers["Content-Length"])))

    def get(self, path):
        return self.ask(path).reply()

    def close(self):
        self._file.close()
        self.socket.close()


@pytest.fixture
def callers():
    """callers(path, user): a Caller that is closed at the end."""
    with contextlib.ExitStack() as ends:
        yield lambda path, user: ends.enter_context(contextlib.closing(Caller(path, user)))


@pytest.fixture
def gate():
    """Set at the end at the latest: nothing hangs on it."""
    event = threading.Event()
    yield event
    event.set()


def launch_names(launch, provider, names, **config):
    """A connection for each name, whose requests to the provider say it as their scope; all users may use them."""
    rows = [{"name": name, "iClient": "crm", "scope": [name], **ANYBODY} for name in names]
    return launch(documents.client_credentials(provider), connections=rows, config=config)


def hold(provider, gate):
    """The provider answers none of the next requests until the gate opens."""
    provider.next("/token", *[lambda _, regular: regular().but(gate=gate)] * 64)


def wait_for_waiters(daemon, count):
    wait_until(lambda: daemon.metrics()["iclientd_waiters"] == count, what=f"{count} waiters")


def is_busy(answer, status):
    code, headers, document = answer
    return (code == status and document["errors"][0]["code"] == "busy" and document["retryable"] is True
            and int(headers["Retry-After"]) >= 1)


# ---- those who wait, and what they set off ----

def test_waiters_of_one_user_leave_places_and_cached_tokens_are_served(launch, provider, callers, gate):
    daemon = launch_names(launch, provider, ["cached", "cold"], limits={"waiters": 8})
    assert daemon.token("cached").status == 200
    hold(provider, gate)
    flood = [callers(daemon.token_socket, FLOOD).ask("/v1/token/cold") for _ in range(4)]
    wait_for_waiters(daemon, 4)
    assert is_busy(callers(daemon.token_socket, FLOOD).get("/v1/token/cold"), 429)
    others = [callers(daemon.token_socket, OTHER).ask("/v1/token/cold") for _ in range(2)]
    others += [callers(daemon.token_socket, user).ask("/v1/token/cold") for user in (THIRD, FOURTH)]
    wait_for_waiters(daemon, 8)
    for user in (FLOOD, OTHER, "root"):
        assert is_busy(callers(daemon.token_socket, user).get("/v1/token/cold"), 503)
        assert callers(daemon.token_socket, user).get("/v1/token/cached")[0] == 200
    gate.set()
    assert {caller.reply()[0] for caller in flood + others} == {200}
    assert daemon.metrics()["iclientd_waiters"] == 0
    assert daemon.token("cold").status == 200


def test_exchanges_of_one_user_leave_places(launch, provider, callers, gate):
    names = [f"c{number}" for number in range(10)]
    daemon = launch_names(launch, provider, ["cached", *names], limits={"waiters": 8})
    assert daemon.token("cached").status == 200
    hold(provider, gate)
    flood = callers(daemon.token_socket, FLOOD)
    for name in names[:4]:
        assert flood.get(f"/v1/token/{name}?wait=0")[0] == 503
    assert is_busy(flood.get("/v1/token/c4?wait=0"), 429)
    for user, taken in ((OTHER, names[5:7]), (THIRD, names[7:8]), (FOURTH, names[8:9])):
        caller = callers(daemon.token_socket, user)
        for name in taken:
            status, _, document = caller.get(f"/v1/token/{name}?wait=0")
            assert (status, document["errors"][0]["code"]) == (503, "provider_unavailable")
    assert is_busy(callers(daemon.token_socket, "root").get("/v1/token/c9?wait=0"), 503)
    assert flood.get("/v1/token/cached")[0] == 200
    gate.set()
    for name in names:
        wait_until(lambda name=name: daemon.token(name).status == 200, what=f"the token of {name}")
    assert provider.count() == 1 + len(names)


def test_exchange_of_another_user_comes_after_one_of_the_flood(launch, provider, callers, gate):
    flooded = [f"c{number}" for number in range(12)]
    daemon = launch_names(launch, provider, [*flooded, "mine"], http={"maxConcurrent": 1})
    hold(provider, gate)
    flood = callers(daemon.token_socket, FLOOD)
    for name in flooded:
        assert flood.get(f"/v1/token/{name}?wait=0")[0] == 503
    other = callers(daemon.token_socket, OTHER).ask("/v1/token/mine")
    wait_for_waiters(daemon, 1)
    gate.set()
    assert other.reply()[0] == 200
    wait_until(lambda: provider.count() == len(flooded) + 1, what="all exchanges")
    scopes = [request.params["scope"] for request in provider.requests_to("/token")]
    assert scopes.index("mine") <= 2, scopes


# ---- the disk ----

def test_cached_tokens_are_served_while_the_disk_stands_still(launch, provider, callers):
    daemon = launch_names(launch, provider, ["cached"])
    assert daemon.token("cached").status == 200
    caller = callers(daemon.token_socket, OTHER)  # before there are threads: a process has one user at a time
    store = sqlite3.connect(daemon.state_dir / "store.sqlite3", isolation_level=None)
    with contextlib.closing(store):
        store.execute("BEGIN IMMEDIATE")
        writes = [Background(daemon.admin, "POST", "/v1/connections", {"name": f"new{number}", "iClient": "crm"})
                  for number in range(3)]
        for _ in range(300):
            assert caller.get("/v1/token/cached")[0] == 200
        store.execute("ROLLBACK")
    for write in writes:
        reply = write.result(PATIENCE)
        # The store gives up on a disk by itself, and on a slow machine before we let go of it.
        assert reply.status == 201 or (error_of(reply)["code"] == "store_unavailable" and is_retryable(reply)), reply
    assert daemon.admin("POST", "/v1/connections", {"name": "last", "iClient": "crm"}).status == 201


# ---- turns ----

@contextlib.contextmanager
def standing_still(daemon):
    """Nothing is read meanwhile: what is sent is all there when it goes on."""
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def test_pipelines_of_one_user_cost_another_a_few_turns(launch, provider, callers):
    connections, pipelined = 100, 150
    daemon = launch_names(launch, provider, ["cached"])
    assert daemon.token("cached").status == 200
    other, operator = callers(daemon.token_socket, OTHER), callers(daemon.admin_socket, "root")
    assert other.get("/v1/token/cached")[0] == 200
    flood = [callers(daemon.token_socket, FLOOD) for _ in range(connections)]
    for caller in flood:
        assert caller.get("/v1/token/cached")[0] == 200
    before = daemon.metrics()["iclientd_http_requests_total"]
    with standing_still(daemon):
        for caller in flood:
            caller.ask("/v1/token/cached?format=json", pipelined)
        other.ask("/v1/token/cached")
        operator.socket.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert other.reply()[0] == 200
    handled = handled_at(operator) - before
    assert handled <= 6 * TURN < connections * pipelined, handled
    for caller in flood:
        assert {caller.reply()[0] for _ in range(pipelined)} == {200}


def handled_at(operator):
    """iclientd_http_requests_total as the daemon answered."""
    text = b""
    while b"iclientd_http_requests_total " not in text.rpartition(b"\n")[0]:
        text += operator.socket.recv(65536)
    line = next(line for line in text.splitlines() if line.startswith(b"iclientd_http_requests_total "))
    return float(line.split()[1])


def test_connects_over_the_limit_do_not_keep_others_out(launch, provider, callers):
    daemon = launch_names(launch, provider, ["cached"], limits={"connectionsPerUid": 8})
    assert daemon.token("cached").status == 200
    with standing_still(daemon):
        flood = [callers(daemon.token_socket, FLOOD) for _ in range(200)]
        other = callers(daemon.token_socket, OTHER).ask("/v1/token/cached")
    assert other.reply()[0] == 200
    assert daemon.token("cached").status == 200
    for caller in flood[8:]:
        assert is_busy(caller.reply(), 429)
    assert {caller.get("/v1/token/cached")[0] for caller in flood[:8]} == {200}


@pytest.mark.parametrize("half", ["", "GET /v1/token/cached HTTP/1.1\r\n"], ids=["idle", "half a request"])
def test_users_who_take_all_connections_do_not_keep_others_out(launch, provider, callers, half):
    daemon = launch_names(launch, provider, ["cached"], limits={"connections": 12, "connectionsPerUid": 4})
    assert daemon.token("cached").status == 200
    crowd = [callers(daemon.token_socket, user) for user in (FLOOD, THIRD, FOURTH) for _ in range(4)]
    for caller in crowd:
        caller.socket.sendall(half.encode())
    assert callers(daemon.token_socket, OTHER).get("/v1/token/cached")[0] == 200
    assert 1 <= sum(is_closed(caller) for caller in crowd) <= 4


def is_closed(caller):
    caller.socket.setblocking(False)
    try:
        return caller.socket.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


# ---- the redirect port ----

# Holds so many connections, each of which sent so much; opens another for each one that is closed, where that is wanted.
CROWD_PROGRAM = """
import select, socket, sys
host, port, count, sent, again = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5] == "again"
held, poll = {}, select.epoll()
def hold():
    client = socket.create_connection((host, port))
    client.sendall(sent.encode())
    held[client.fileno()] = client
    poll.register(client, select.EPOLLRDHUP)
for _ in range(count):
    hold()
print("held", flush=True)
while True:
    for number, _ in poll.poll():
        poll.unregister(number)
        held.pop(number).close()
        if again:
            hold()
"""


@contextlib.contextmanager
def redirect_crowd(daemon, user, count, sent="", again=False):
    """A process of that user, from when it holds its connections on."""
    port = urlsplit(daemon.base).port
    command = [sys.executable, "-c", CROWD_PROGRAM, "127.0.0.1", str(port), str(count), sent, "again" if again else "once"]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    def prepare():
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, count + 100), files))

    with subprocess.Popen(command, user=user, group=pwd.getpwnam(user).pw_gid, extra_groups=[], cwd="/", text=True,
                          preexec_fn=prepare, stdout=subprocess.PIPE) as crowd:
        try:
            assert crowd.stdout.readline() == "held\n"
            yield crowd
        finally:
            crowd.kill()


def assert_crowd_has_one_users_share(daemon):
    """Nobody waits in the kernel's queue until others have rested for long enough: three quarters of the places are free."""
    share, beside = 128 // 4, 8
    assert daemon.metrics()["iclientd_http_connections"] <= share + beside


@pytest.mark.parametrize("sent, again", [("", False), ("GET / HTTP/1.1\r\n", False), ("", True)],
                         ids=["idle", "half a request", "opened again"])
def test_user_who_holds_the_redirect_port_does_not_keep_logins_out(launch, provider, sent, again):
    daemon = launch(documents.code(provider))
    with redirect_crowd(daemon, FLOOD, 1500, sent, again) as crowd:
        assert daemon.login().status == 200
        assert daemon.token().status == 200
        assert_crowd_has_one_users_share(daemon)
        assert crowd.poll() is None


class ComparedArgument(ctypes.Structure):
    """struct scmp_arg_cmp"""

    _fields_ = [("argument", ctypes.c_uint), ("comparison", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def refuse_netlink():
    """For this thread and the processes that it starts."""
    allow, refuse, equal = 0x7FFF0000, 0x00050000 | errno.EAFNOSUPPORT, 4
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(allow)))
    netlink = ComparedArgument(0, equal, socket.AF_NETLINK, 0)
    number = library.seccomp_syscall_resolve_name(b"socket")
    assert library.seccomp_rule_add_array(context, ctypes.c_uint32(refuse), number, 1, ctypes.byref(netlink)) == 0
    assert library.seccomp_load(context) == 0
    library.seccomp_release(context)


@contextlib.contextmanager
def started_without_netlink(daemon):
    """A process ends with the thread that started it (die_with_parent): this one waits for that."""
    started, done = threading.Event(), threading.Event()

    def run():
        refuse_netlink()
        daemon.start()
        started.set()
        done.wait()

    thread = Background(run)
    try:
        wait_until(lambda: started.is_set() or not thread.is_running(), what="the daemon's start")
        yield
        daemon.stop()
    finally:
        done.set()
        thread.result()


def test_redirect_port_is_shared_by_users_whom_nobody_knows(prepare, provider):
    """Without sock_diag: what rests longest gives way to newer connections, whoever has it."""
    daemon = prepare(documents.code(provider))
    with started_without_netlink(daemon):
        assert "the redirect endpoint cannot keep users apart: sock_diag: Address family not supported" in daemon.log()
        with redirect_crowd(daemon, FLOOD, 1500):
            assert daemon.login().status == 200
            assert daemon.token().status == 200
            assert_crowd_has_one_users_share(daemon)


# ---- descriptors ----

def test_scarce_descriptors_are_left_to_operators_and_providers(launch, provider, callers):
    daemon = launch_names(launch, provider, ["cached"])
    other = callers(daemon.token_socket, OTHER)
    assert other.get("/v1/token/cached")[0] == 200
    before = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (160, before[1]))
    flood = [callers(daemon.token_socket, FLOOD) for _ in range(200)]
    refused = [caller for caller in flood if is_refused(caller)]
    assert len(refused) > 32 and all(is_busy(caller.reply(), 503) for caller in refused)
    assert other.get("/v1/token/cached")[0] == 200
    assert daemon.admin("POST", "/v1/connections/cached/refresh").status == 200
    assert daemon.admin("GET", "/v1/connections").status == 200
    assert other.get("/v1/token/cached")[2]["generation"] == 2
    for caller in flood:
        caller.close()
    wait_until(lambda: daemon.metrics()["iclientd_http_connections"] <= 4, what="the flood's end")
    assert daemon.token("cached").status == 200
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, before)


def is_refused(caller):
    """Whether the daemon did not let it in. Those that it let in are served, so that nobody is between the two."""
    with contextlib.suppress(BrokenPipeError):
        caller.ask("/v1/token/cached")
    first = caller.socket.recv(12, socket.MSG_PEEK)
    return first.startswith(b"HTTP/1.1 503")


# ---- memory ----

def resident_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


@contextlib.contextmanager
def many_files(count):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < count:
        pytest.skip(f"needs {count} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], count), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_memory_of_watchers_is_given_back_when_they_have_gone(launch, provider, callers):
    watchers = 3000
    with many_files(watchers + 1000):
        daemon = launch_names(launch, provider, ["cached"],
                              limits={"connections": watchers + 100, "connectionsPerUid": watchers + 50})
        if daemon.is_sanitized:
            pytest.skip("AddressSanitizer keeps freed memory")
        assert daemon.token("cached").status == 200
        before = resident_kib(daemon)
        crowd = [callers(daemon.token_socket, FLOOD).ask("/v1/token/cached/watch") for _ in range(watchers)]
        for caller in crowd:
            assert caller.socket.recv(12) == b"HTTP/1.1 200"
        for _ in range(2):  # a line for each of them
            assert daemon.admin("POST", "/v1/connections/cached/refresh").status == 200
        taken = resident_kib(daemon) - before
        assert taken > 4 * watchers
        for caller in crowd:
            caller.close()
        wait_until(lambda: resident_kib(daemon) < before + taken / 5, what="the memory to be given back")
        assert daemon.token("cached").status == 200


BODY = b'{"generation":1,"status":401,"body":"' + b"x" * 200_000 + b'"}'
REPORT = b"POST /v1/token/mail/rejected HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


def address_space(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmSize:")) * 1024


def attempt(function, *arguments):
    """A status; None when the connection was closed instead."""
    try:
        return function(*arguments).status
    except (OSError, http.client.HTTPException):
        return None


def press(daemon, callers):
    """What needs memory, all at once: the statuses of what was answered, None for what was closed."""
    crowd = [callers(daemon.token_socket, FLOOD) for _ in range(100)]
    slow = [callers(daemon.token_socket, OTHER) for _ in range(200)]
    for caller in crowd:
        with contextlib.suppress(OSError):
            caller.socket.sendall(REPORT[:-1])  # held in memory until the last byte
    for caller in slow:
        with contextlib.suppress(OSError):
            caller.socket.sendall(b"GET /v1/token/mail HTTP/1.1\r\nX: " + b"x" * 7000)
    daemon.process.send_signal(signal.SIGHUP)
    seen = {attempt(daemon.admin, "POST", "/v1/connections/mail/refresh?wait=2"), attempt(daemon.admin, "GET", "/metrics"),
            attempt(daemon.admin, "POST", "/v1/connections", {"name": "new", "iClient": "mail"}),
            attempt(daemon.admin, "DELETE", "/v1/connections/new"), attempt(daemon.get, "/v1/connections"),
            *(attempt(daemon.get, "/v1/token/mail?wait=1") for _ in range(5))}
    for caller in crowd:
        with contextlib.suppress(OSError):
            caller.socket.sendall(REPORT[-1:])
            line = caller.socket.recv(12)
            seen.add(int(line.split()[1]) if line else None)
    for caller in crowd + slow:
        caller.close()
    return seen


@pytest.mark.parametrize("room", [0, 64, 512, 2048, 8192])
def test_want_of_memory_passes_and_costs_no_token(launch, provider, callers, room):
    daemon = launch(documents.code(provider, "mail"), connections=[{"name": "mail", "iClient": "mail", **ANYBODY}])
    if daemon.is_sanitized:
        pytest.skip("a sanitizer needs all the address space that there is")
    daemon.login("mail")
    assert daemon.token("mail").status == 200
    before = resource.prlimit(daemon.process.pid, resource.RLIMIT_AS)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (address_space(daemon) + room * 1024, before[1]))
    seen = set()
    for _ in range(3):
        seen |= press(daemon, callers)
    assert daemon.process.poll() is None
    resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, before)
    wait_until(lambda: attempt(daemon.token, "mail") == 200, what="the token")
    generation = daemon.token("mail").json()["generation"]
    wait_until(lambda: attempt(daemon.admin, "POST", "/v1/connections/mail/refresh") == 200, what="a refresh")
    assert daemon.token("mail").json()["generation"] > generation
    assert not provider.revoked and daemon.state("mail") == "ready"
    assert seen <= {None, 200, 201, 204, 404, 422, 429, 503}, seen
    daemon.restart()
    assert daemon.token("mail").json()["generation"] > generation
