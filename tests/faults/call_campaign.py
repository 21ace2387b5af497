"""Makes the system calls and the allocations of the real daemon and of its libraries fail in turn (call_shim.c), while it
works, and accounts for what became of it: it goes on serving, keeps no descriptor, leaves nobody without an answer, and
loses no refresh token but one that was on its way back, which it has to report as rotation_ambiguous.
"""

import contextlib
import errno
import http.client
import mmap
import os
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import documents
from daemon import Daemon, UnixConnection
from fakes.certificates import Authority
from fakes.scripted_provider import ScriptedProvider
from fakes.support import CurlUser, wait_until

SHIM = Path(__file__).with_name("call_shim.c")
SHORT = -1
ANSWER_TIMEOUT = 20     # s; no fault may leave a caller waiting longer
RECOVERY_TIMEOUT = 45   # s; after that it serves as if nothing had been
NEVER = 2 ** 32 - 1
SANITIZED = b"__asan_init" in Daemon.binary("iclientd").read_bytes()

# What they may answer at any time (their manual pages). Not in it, because an edge-triggered reader may rely on it
# (epoll(7)): EAGAIN of recv() while something is there, and fewer bytes from it than are there.
SOCKET_CALLS = {
    "socket": "EMFILE ENFILE ENOBUFS ENOMEM", "connect": "ECONNREFUSED ETIMEDOUT ENETUNREACH EADDRNOTAVAIL EINTR",
    "accept4": "EMFILE ENFILE ENOMEM ENOBUFS ECONNABORTED EINTR EAGAIN", "recv": "ECONNRESET ETIMEDOUT EINTR ENOMEM",
    "send": "EPIPE ECONNRESET EAGAIN EINTR ENOBUFS ENOMEM SHORT", "read": "EIO EINTR EAGAIN ECONNRESET SHORT",
    "write": "EIO EINTR EAGAIN ENOSPC EPIPE SHORT", "writev": "EPIPE EINTR", "shutdown": "ENOTCONN", "close": "EINTR EIO",
    "epoll_ctl": "ENOMEM ENOSPC", "epoll_wait": "EINTR", "poll": "EINTR ENOMEM", "getsockopt": "ENOBUFS ENOMEM",
    "setsockopt": "ENOBUFS ENOMEM", "getsockname": "ENOBUFS", "getpeername": "ENOBUFS ENOTCONN", "fcntl": "EINTR ENOLCK",
    "socketpair": "EMFILE ENFILE",
}
START_CALLS = {
    "bind": "EADDRINUSE EACCES ENOMEM", "listen": "EADDRINUSE", "epoll_create1": "EMFILE ENFILE ENOMEM",
    "eventfd": "EMFILE ENFILE ENOMEM", "timerfd_create": "EMFILE ENFILE ENOMEM", "pipe2": "EMFILE ENFILE",
}
FILE_CALLS = {
    "open": "EMFILE ENFILE EACCES EIO ENOMEM EINTR", "pread": "EIO SHORT", "pwrite": "ENOSPC EIO SHORT", "fsync": "EIO",
    "fdatasync": "EIO ENOSPC", "ftruncate": "EIO ENOSPC", "fstat": "EIO ENOMEM", "stat": "EIO", "lstat": "EIO", "fstatat": "EIO",
    "renameat2": "EIO ENOSPC", "unlink": "EIO", "mkdir": "ENOSPC", "mmap": "ENOMEM", "flock": "EINTR ENOLCK",
}
MEMORY_CALLS = {"malloc": "ENOMEM"}


class Shim:
    """What the daemon's calls are told."""

    LAYOUT = struct.Struct("=24siIIII")

    def __init__(self, folder):
        self.library = folder / "call_shim.so"
        options = ["-DWITHOUT_MEMORY"] if SANITIZED else []
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *options,
                        "-o", self.library, SHIM], check=True)
        self.file = folder / "call_shim"
        self.file.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.file, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.environment = {"LD_PRELOAD": str(self.library), "CALL_SHIM_FILE": str(self.file),
                            "ASAN_OPTIONS": "detect_leaks=1:verify_asan_link_order=0"}

    def arm(self, call, error, first, length=1):
        self.disarm()
        code = SHORT if error == "SHORT" else getattr(errno, error)
        self.LAYOUT.pack_into(self._memory, 0, call.encode(), code, first, 0, 0, 0)
        struct.pack_into("=I", self._memory, 32, length)

    def disarm(self):
        """How many calls were made, and how many of them failed."""
        struct.pack_into("=I", self._memory, 32, 0)
        return struct.unpack_from("=II", self._memory, 36)


class Result:
    """What became of the faults of one call."""

    def __init__(self):
        self.made = 0       # the most calls of one piece of work
        self.faults = 0
        self.ends = 0       # of a start that was refused
        self.unanswered = 0
        self.lost = 0       # refresh tokens that were on their way back
        self.violations = 0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Campaign:
    """run(), then table() and violations. step: every step-th call of its kind."""

    def __init__(self, calls, step=1, with_tls=False, only=None, with_starts=True):
        self.calls = {call: errors.split() for call, errors in calls.items()}
        self.step = step
        self.with_tls = with_tls
        self.only = only
        self.with_starts = with_starts
        self.violations = []
        self.rows = {}      # (work, call, error) -> Result
        self._counts = {}
        self._turn = 0
        self._at = None
        self.descriptors = None

    def run(self):
        with contextlib.ExitStack() as ends:
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="icd-shim-", dir="/tmp")))
            self.shim = Shim(folder)
            authority = Authority(folder) if self.with_tls else None
            self.provider = ends.enter_context(ScriptedProvider(authority))
            self.ca_file = authority and authority.ca_file
            # A call that is refused for good ends with its own deadline.
            options = {"timeout": 4, "connectTimeout": 3, **({"caFile": self.ca_file} if authority else {})}
            self.daemon = Daemon({"logLevel": "info", "http": options})
            self.daemon.environment = self.shim.environment
            self.daemon.secret_sources.append(self.provider.secrets_issued)
            ends.callback(self.daemon.finish)
            self.iclient_file = self.daemon.write_iclient(documents.code(self.provider))
            self.daemon.write_iclient(documents.client_credentials(self.provider, "erp"))
            self._run_works()
        return self

    WORKS = {
        "serve a token": "_serve", "watch stream": "_watch", "admin requests": "_ask_admin", "exchange": "_exchange",
        "login": "_log_in", "pages": "_pages", "documents": "_documents", "reload": "_reload",
    }

    def _run_works(self):
        self.daemon.start()
        self._sign_in()
        for _ in range(2):  # what libraries open and keep is open before anything is counted
            for method in self.WORKS.values():
                getattr(self, method)()
        self._audit()
        for name, method in self.WORKS.items():
            if self.only in (None, name):
                self._run_work(name, getattr(self, method))
        if self.only in (None, "start") and self.with_starts:
            self._run_starts()

    # One piece of work

    def _run_work(self, name, work):
        for call, errors in self.calls.items():
            for error in errors:
                result = self.rows[name, call, error] = Result()
                result.made = self._count(name, call, error, work)
                for number in self._numbers(result.made):
                    self._run_one((name, call, error, number), work, result)

    def _numbers(self, made):
        """Those whose turn it is; a longer step begins elsewhere each time."""
        for number in range(1, made + 1):
            self._turn += 1
            if self._turn % self.step == 0:
                yield number

    def _count(self, name, call, error, work):
        """How many there are; what reads or writes tells a fault by its descriptor, too."""
        key = (name, call, error if call in ("read", "write") else None)
        if key not in self._counts:
            self.shim.arm(call, error, NEVER)
            work()
            self._counts[key] = self.shim.disarm()[0]
        return self._counts[key]

    def _run_one(self, at, work, result):
        self._at, self._result = at, result
        name, call, error, number = at
        self._issued = len(self.provider.refresh_tokens)
        self.shim.arm(call, error, number)
        self._attempt(work)
        result.faults += self.shim.disarm()[1]
        self._audit()

    def _attempt(self, work):
        """A refusal is a good answer; none at all is not."""
        begun = time.monotonic()
        try:
            work()
        except (OSError, http.client.HTTPException, AssertionError, ValueError):  # of a document that was cut off
            self._result.unanswered += 1
        if time.monotonic() - begun >= ANSWER_TIMEOUT:
            self._violated("a caller was left without an answer")

    def _violated(self, what):
        if not self._at:
            raise AssertionError(what)
        name, call, error, number = self._at
        self._result.violations += 1
        self.violations.append(f"{name}: {call} {number} {error}: {what}")
        print("violation:", self.violations[-1], flush=True)

    # What it does

    def _serve(self):
        connection = UnixConnection(self.daemon.token_socket, ANSWER_TIMEOUT)
        with contextlib.closing(connection):
            for path in ("/v1/token/crm", "/v1/token/crm?format=header", "/v1/connections", "/v1/token/nobody"):
                connection.request("GET", path)
                connection.getresponse().read()

    def _watch(self):
        stream = self.daemon.watch(timeout=ANSWER_TIMEOUT)
        try:
            stream.next()
            self._exchange()
            stream.next()
        finally:
            stream.close()

    def _ask_admin(self):
        for path in ("/v1/connections/crm", "/v1/iClients", "/metrics"):
            self.daemon.admin("GET", path, timeout=ANSWER_TIMEOUT)

    def _exchange(self):
        reply = self.daemon.admin("POST", "/v1/connections/crm/refresh", timeout=ANSWER_TIMEOUT)
        assert reply.status == 200, reply
        self._issued = len(self.provider.refresh_tokens)  # and the caller knows it

    def _log_in(self):
        person = CurlUser()
        begun = self.daemon.admin("POST", "/v1/connections/crm/authorize", timeout=ANSWER_TIMEOUT)
        assert begun.status in (200, 201), begun
        sent = person.get(begun.json()["connect_url"], timeout=ANSWER_TIMEOUT).header("Location")
        assert sent, "not sent to the provider"
        back = person.get(sent, ca_file=self.ca_file).header("Location")
        assert person.get(back, timeout=ANSWER_TIMEOUT).status == 200
        self._issued = len(self.provider.refresh_tokens)

    def _sign_in(self):
        wait_until(self._has_signed_in, RECOVERY_TIMEOUT, "a login")

    def _has_signed_in(self):
        try:
            self._log_in()
        except (OSError, http.client.HTTPException, AssertionError):
            return False
        return True

    def _pages(self):
        person = CurlUser()
        for path in ("/connect/nothing", "/callback?state=none&code=none", "/callback", "/elsewhere"):
            assert person.get(self.daemon.base + path, timeout=ANSWER_TIMEOUT).status >= 400

    def _documents(self):
        document = documents.client_credentials(self.provider, "made")
        made = self.daemon.admin("POST", "/v1/iClients", document, timeout=ANSWER_TIMEOUT)
        assert made.status == 201, made
        path = "/v1/iClients/" + made.json()["_id"]
        document["oauth2"]["scope"] = ["mail"]
        assert self.daemon.admin("PUT", path, document, timeout=ANSWER_TIMEOUT).status == 200
        assert self.daemon.get("/v1/token/made", timeout=ANSWER_TIMEOUT).status == 200
        assert self.daemon.admin("DELETE", path, timeout=ANSWER_TIMEOUT).status in (200, 204)

    def _reload(self):
        self.daemon.reload()

    # A start

    def _run_starts(self):
        for call, errors in {**self.calls, **{call: errors.split() for call, errors in START_CALLS.items()
                                              if "socket" in self.calls}}.items():
            for error in errors:
                result = self.rows["start", call, error] = Result()
                result.made = self._count("start", call, error, self.daemon.restart)
                for number in self._numbers(result.made):
                    self._run_start(("start", call, error, number), result)

    def _run_start(self, at, result):
        self._at, self._result = at, result
        self._issued = len(self.provider.refresh_tokens)
        name, call, error, number = at
        self.daemon.stop()
        self.shim.arm(call, error, number)
        try:
            self.daemon.start()
        except AssertionError as refusal:
            result.ends += 1
            if "ended with 1\n" not in str(refusal):
                self._violated(str(refusal)[:300])
            if "error: " not in str(refusal):
                self._violated("it ended without a word")
        result.faults += self.shim.disarm()[1]
        if not self.daemon.process:
            self.daemon.start()
        self.descriptors = None
        self._audit()

    # What must hold

    def _audit(self):
        before = len(self.violations)
        if self.daemon.process.poll() is not None:
            self._violated(f"it ended with {self.daemon.process.returncode}: {self.daemon.log()[-2000:]}")
            self.daemon.process = None
            self.daemon.start()
        self._expect_service()
        if len(self.violations) > before:
            self._begin_anew()

    def _begin_anew(self):
        """One violation shall not bring others."""
        self.daemon.kill()
        self.daemon.start()
        self._sign_in()
        self.descriptors = None

    def _expect_service(self):
        self._expect_health()
        self._expect_authorization()
        self._remove_documents()
        for name in ("crm", "erp"):
            self._soon(lambda: self.daemon.token(name).status == 200, f"a token of {name}")
        self._soon(lambda: self.daemon.metrics()["iclientd_store_unsaved_connections"] == 0, "the tokens to be saved")
        self._expect_descriptors()

    def _soon(self, condition, what):
        def holds():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return condition()
            return False
        try:
            return wait_until(holds, RECOVERY_TIMEOUT, what)
        except AssertionError as late:
            self._violated(str(late))
            return None

    def _expect_health(self):
        self._soon(lambda: self.daemon.get("/healthz").status == 200, "/healthz")
        self._soon(lambda: self.daemon.get("/readyz").status == 200, "/readyz")

    def _expect_authorization(self):
        """The refresh token is there, or it was on its way back and that is what is said."""
        final = []

        def has_answer():
            reply = self.daemon.admin("POST", "/v1/connections/crm/refresh")
            final[:] = [reply]
            return reply.status in (200, 409)
        self._soon(has_answer, "a refresh")
        if final and final[0].status == 409:
            self._result.lost += 1
            state = self.daemon.admin("GET", "/v1/connections/crm").text
            if len(self.provider.refresh_tokens) == self._issued:
                self._violated("a refresh token is lost, though the provider had replaced none")
            if "rotation_ambiguous" not in state:
                self._violated(f"a refresh token is lost and nobody says so: {state}")
            self._sign_in()

    def _remove_documents(self):
        rows = self._soon(lambda: self.daemon.admin("GET", "/v1/iClients"), "the iClients")
        for row in rows.json() if rows else ():
            if row["name"] == "made":
                reply = self.daemon.admin("DELETE", "/v1/iClients/" + row["_id"])
                if reply.status not in (200, 204):
                    self._violated(f"an iClient cannot be deleted: {reply}")

    def _expect_descriptors(self):
        folder = f"/proc/{self.daemon.process.pid}/fd"
        if self.descriptors is None:
            self.descriptors = len(os.listdir(folder))
        self._soon(lambda: len(os.listdir(folder)) <= self.descriptors, "the descriptors to be closed")

    # What came of it

    def table(self):
        head = f"{'call':16}{'errors':44}{'faults':>8}{'refused starts':>16}{'cut off':>9}{'lost, reported':>16}{'violations':>12}"
        lines = [head, "-" * len(head)]
        total = Result()
        for call in dict.fromkeys(call for _, call, _ in self.rows):
            result = Result()
            errors = dict.fromkeys(error for _, name, error in self.rows if name == call)
            for (_, name, _), row in self.rows.items():
                if name == call:
                    result.add(row)
            lines.append(self._line(call, " ".join(errors), result))
            total.add(result)
        lines += ["-" * len(head), self._line("all", f"in {len({work for work, *_ in self.rows})} pieces of work", total)]
        return "\n".join(lines)

    @staticmethod
    def _line(call, errors, row):
        return f"{call:16}{errors:44.43}{row.faults:8}{row.ends:16}{row.unanswered:9}{row.lost:16}{row.violations:12}"
