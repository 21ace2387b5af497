"""The real iclientd in a folder of its own, and the ways to talk to it."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from documents import merged, secrets_in
from fakes.support import LOOPBACK, PATIENCE, CurlUser, Reply, call, die_with_parent, hold_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ICLIENTD_BUILD_DIR", ROOT / "build"))
SANITIZER_REPORT = re.compile(r"ERROR: (Leak|Address)Sanitizer|runtime error:|LeakSanitizer has encountered")
# What real servers issue: JWTs, and glewlwyd's refresh tokens and codes of random letters.
TOKEN_SHAPE = re.compile(rb"eyJ[A-Za-z0-9_-]{16,}|[A-Za-z0-9]{100,}")

PEER_PROGRAM = """
import http.client, json, socket, sys
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
try:
    connection.sock.connect(sys.argv[1])
except OSError as refusal:
    print(json.dumps([0, str(refusal)]))
    sys.exit()
connection.request(sys.argv[2], sys.argv[3])
reply = connection.getresponse()
print(json.dumps([reply.status, reply.read().decode()]))
"""


class UnixConnection(http.client.HTTPConnection):
    """http.client over a Unix socket."""

    def __init__(self, path, timeout=PATIENCE):
        super().__init__("localhost", timeout=timeout)
        self.socket_path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.socket_path)


class Line:
    """One document of a watch stream."""

    def __init__(self, connection, reply):
        self._connection = connection
        self.reply = reply

    def next(self):
        line = self.reply.readline()
        return json.loads(line) if line else None

    def close(self):
        self._connection.close()


def error_of(reply):
    """The first error of a reply: {"code", "message", …}."""
    return reply.json()["errors"][0]


def is_retryable(reply):
    return error_of(reply).get("retryable", reply.json().get("retryable"))


class Daemon:
    """Configure, start(), talk, finish()."""

    def __init__(self, config=None):
        self.is_sanitized = b"__asan_init" in self.binary("iclientd").read_bytes()
        # Short, because a socket's path has 108 bytes; open to all, because other users are peers too.
        self.folder = Path(tempfile.mkdtemp(prefix="icd-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.token_socket = self.folder / "token.sock"
        self.admin_socket = self.folder / "admin" / "admin.sock"
        self.config_file = self.folder / "iclientd.json"
        self.state_dir = self.folder / "state"
        self._port = hold_port()
        self.base = f"http://{LOOPBACK}:{self._port.getsockname()[1]}"
        self.redirect_uri = self.redirect_uri_of("crm")
        self.process = None
        self.environment = {}          # more variables for the daemon
        self.stderr = None             # the descriptor it logs to; None: the file that log() reads
        self.secret_sources = []       # functions that give a set of texts
        self.known_secrets = set()
        self._log_path = self.folder / "log"
        for name in ("iclients.d", "connections.d", "presets", "admin"):
            (self.folder / name).mkdir()
        self.write_config(config or {})

    @staticmethod
    def binary(name):
        path = BUILD / name
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: build it first, or set ICLIENTD_BUILD_DIR")
        return path

    # Configuration

    def write_config(self, changes):
        config = {
            "tokenSocket": {"path": str(self.token_socket), "mode": "0666"},
            "adminSocket": {"path": str(self.admin_socket), "mode": "0600", "group": "root"},
            "iclientDir": "iclients.d", "connectionDir": "connections.d", "stateDir": "state",
            "presetDir": "presets",
            "redirect": {"listen": self.base.removeprefix("http://"), "baseUri": self.base},
            "http": {"allowLoopbackHttp": True, "timeout": 30, "connectTimeout": 10},
            "logLevel": "debug",
        }
        # LeakSanitizer's own thread would be refused, and so would the counts of a coverage build (tests/coverage).
        if self.is_sanitized or os.environ.get("ICLIENTD_TEST_SANDBOX") == "off":
            config["sandbox"] = False
        self.config_file.write_text(json.dumps(merged(config, changes), indent=1))

    def write_iclient(self, document, file=None):
        self.known_secrets |= secrets_in(document)
        path = self.folder / "iclients.d" / f"{file or document['name']}.json"
        path.write_text(json.dumps(document, indent=1))
        return path

    def write_connection(self, document, file=None):
        self.known_secrets |= secrets_in(document)
        path = self.folder / "connections.d" / f"{file or document['name']}.json"
        path.write_text(json.dumps(document, indent=1))
        return path

    def check(self):
        """iclientd --check on this configuration."""
        return self._run([self.binary("iclientd"), "--check", "--config", self.config_file])

    # Life

    def command(self):
        return [self.binary("iclientd"), "--config", self.config_file]

    def start(self):
        with open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log,
                                            stderr=log if self.stderr is None else self.stderr,
                                            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                                            env={**self._environment(), **self.environment})
        try:
            wait_until(self._is_ready, what="iclientd to be ready")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.log()[-4000:]}") from None
        return self

    def _is_ready(self):
        code = self.process.poll()
        if code is not None:
            self.process = None
            raise AssertionError(f"iclientd ended with {code}\n{self.log()[-4000:]}")
        try:
            return self.get("/readyz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """SIGTERM; it must end by itself with 0."""
        if self.process.poll() is not None:
            raise AssertionError(f"iclientd had ended with {self.process.returncode}\n{self.log()[-4000:]}")
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("iclientd did not end on SIGTERM\n" + self.log()[-4000:]) from None
        self.process = None
        assert code == 0, f"iclientd ended with {code}\n{self.log()[-4000:]}"

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        """SIGHUP, then waits for its end: "done" or "refused"."""
        before = self._reloads()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self._reloads() != before, what="the reload")
        return next(result for result, count in self._reloads().items() if count != before[result])

    def _reloads(self):
        metrics = self.metrics()
        return {result: metrics[f'iclientd_reloads_total{{result="{result}"}}'] for result in ("done", "refused")}

    def finish(self):
        """The end of each test: a clean stop, a clean log, no secret anywhere."""
        try:
            if self.process:
                self.stop()
            self.check_log()
        finally:
            if self.process:
                self.kill()
            self._port.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def check_log(self):
        log = self._log_path.read_bytes() if self._log_path.exists() else b""
        report = SANITIZER_REPORT.search(log.decode("utf-8", "replace"))
        assert not report, log.decode("utf-8", "replace")[-8000:]
        places = {"log": log}
        for path in self.state_dir.rglob("*") if self.state_dir.exists() else ():
            if path.is_file():
                places[path.name] = path.read_bytes()
        secrets = set(self.known_secrets).union(*(source() for source in self.secret_sources))
        for place, content in places.items():
            for secret in secrets:
                # The message must not repeat what it complains about.
                assert not secret or secret.encode() not in content, f"{secret[:10]}… ({len(secret)} bytes) stands in {place}"
            assert not TOKEN_SHAPE.search(content), f"something like a token stands in {place}"

    def wait_for_rest(self):
        """Until its loop sleeps. One that spins is running or waits for a processor, however long one looks."""
        wait_until(self._is_at_rest, what="iclientd to sleep")

    def _is_at_rest(self):
        first = self._loop_state()
        time.sleep(0.03)
        return first["State"].startswith("S") and first == self._loop_state()

    def _loop_state(self):
        """Whether the loop's thread runs, and how often it has woken up."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        return {name: status[name] for name in ("State", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")}

    # HTTP

    def request(self, socket_path, method, path, document=None, headers=None, timeout=PATIENCE):
        connection = UnixConnection(socket_path, timeout)
        try:
            body = None if document is None else json.dumps(document)
            sent = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, body=body, headers={**sent, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read(), path)
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request(self.token_socket, "GET", path, **options)

    def post(self, path, document=None, **options):
        return self.request(self.token_socket, "POST", path, {} if document is None else document, **options)

    def admin(self, method, path, document=None, **options):
        return self.request(self.admin_socket, method, path, document, **options)

    def token(self, name="crm", **query):
        """GET /v1/token/NAME?query."""
        reply = self.get(f"/v1/token/{quote(name)}" + ("?" + urlencode(query) if query else ""))
        if reply.status == 200 and not query.get("format"):
            self.known_secrets.add(reply.json()["access_token"])
        return reply

    def rejected(self, name="crm", **report):
        return self.post(f"/v1/token/{quote(name)}/rejected", report)

    def watch(self, name="crm", timeout=PATIENCE):
        connection = UnixConnection(self.token_socket, timeout)
        connection.request("GET", f"/v1/token/{quote(name)}/watch")
        return Line(connection, connection.getresponse())

    def get_as(self, path, uid, gid=None, groups=(), method="GET", admin=False):
        """The same request from a process of another user: (status, text); status 0 when the socket refused it."""
        socket_path = self.admin_socket if admin else self.token_socket
        done = subprocess.run([sys.executable, "-c", PEER_PROGRAM, str(socket_path), method, path], capture_output=True,
                              text=True, user=uid, group=uid if gid is None else gid, extra_groups=list(groups), cwd="/",
                              check=True, timeout=PATIENCE)
        return tuple(json.loads(done.stdout))

    def raw(self, content, socket_path=None, timeout=PATIENCE):
        """Sends bytes, reads until the daemon closes: what came."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(str(socket_path or self.token_socket))
            client.sendall(content)
            return read_to_end(client)

    def connections(self):
        """name -> its row of GET /v1/connections."""
        reply = self.get("/v1/connections")
        assert reply.status == 200, reply
        document = reply.json()
        rows = document if isinstance(document, list) else document["connections"]
        return {row["name"]: row for row in rows}

    def state(self, name="crm"):
        return self.connections()[name]["state"]

    def metrics(self):
        reply = self.admin("GET", "/metrics")
        assert reply.status == 200, reply
        lines = [line for line in reply.text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def log(self):
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    # Logins

    def redirect_uri_of(self, iclient, tenant=None):
        """The default one."""
        return "/".join([self.base, "callback", *([tenant] if tenant else []), iclient])

    def authorize(self, name="crm"):
        """Begins a login: the connect URL."""
        reply = self.admin("POST", f"/v1/connections/{quote(name)}/authorize")
        assert reply.status in (200, 201), reply
        return reply.json()["connect_url"]

    def callback_of(self, name="crm", person=None):
        """A login up to the redirect back, which is not opened: (person, callback URL)."""
        person = person or CurlUser()
        return person, person.follow(self.authorize(name), until=self.base + "/callback")

    def login(self, name="crm"):
        """A whole login at a provider that sends the browser straight back: the page that the person sees."""
        person, callback = self.callback_of(name)
        return person.get(callback)

    def login_at_glewlwyd(self, server, client, name="crm", scope="mail files"):
        """A whole login at glewlwyd by a person without a browser."""
        person = CurlUser()
        server.log_in(person, client.id, scope)
        started = person.get(self.authorize(name))
        assert started.status in (302, 303), started
        return person.get(server.authorize(person, started.header("Location"), self.base))

    # iclientctl

    def ctl(self, *arguments, **options):
        return self._run([self.binary("iclientctl"), *arguments], **options)

    def ctl_background(self, *arguments):
        return subprocess.Popen([self.binary("iclientctl"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=self._environment(), preexec_fn=die_with_parent)

    def _run(self, command, **options):
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              env=self._environment(), check=False, **options)

    def _environment(self):
        return {**os.environ, "ICLIENTD_TOKEN_SOCKET": str(self.token_socket), "ICLIENTD_ADMIN_SOCKET": str(self.admin_socket),
                "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def read_to_end(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


class Background:
    """A call in a thread; result() waits for it."""

    def __init__(self, function, *arguments, **options):
        self._value = None
        self._error = None
        self._thread = threading.Thread(target=self._call, args=(function, arguments, options), daemon=True)
        self._thread.start()

    def _call(self, function, arguments, options):
        try:
            self._value = function(*arguments, **options)
        except BaseException as error:  # given to whoever asks for the result
            self._error = error

    def result(self, timeout=PATIENCE):
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the background call did not end"
        if self._error:
            raise self._error
        return self._value

    def is_running(self):
        return self._thread.is_alive()


def get_page(url, **options):
    """One request to the redirect endpoint."""
    return call("GET", url, **options)
