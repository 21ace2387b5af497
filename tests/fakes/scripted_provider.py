"""A provider that answers whatever a test tells it to, and remembers what it was asked.

    with ScriptedProvider() as provider:
        provider.on("/token", Answer(500), Answer(json={...}))     # in this order, the last one for ever
        provider.on("/token", lambda request: Answer(...))         # or decided by request
        provider.next("/token", Answer(hang=True))                 # once, ahead of what on() says
    provider.next("/token", Answer(stream=hostile_streams.endless_headers))
        provider.requests_to("/token")[0].form["grant_type"]

Every new provider already behaves: /authorize sends the browser straight back with a code, /token serves the four grants
and single-use refresh tokens (reuse revokes the whole family, RFC 9700 §4.14.2), /revoke is RFC 7009.
"""

import base64
import contextlib
import hashlib
import json
import secrets
import select
import socket
import ssl
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from fakes.hostile_streams import RESET
from fakes.support import LOOPBACK, PATIENCE, wait_until

DEAF_CALLERS = 8  # more than the shortest queue has room for


class Answer:
    """One reply. At most one of json, text, body."""

    def __init__(self, status=200, json=None, text=None, body=None, headers=None, content_type=None, delay=0, hang=False,
                 gate=None, drip=None, cut_at=None, endless=False, stream=None):
        self.status = status
        self.headers = dict(headers or {})
        self.delay = delay        # seconds before the first byte
        self.hang = hang          # never answer; the connection stays open
        self.gate = gate          # a threading.Event: answer when it is set
        self.drip = drip          # seconds between single bytes of the body
        self.cut_at = cut_at      # close after so many bytes of a body that was announced in full
        self.endless = endless    # body without an end
        self.stream = stream      # a function: its pieces (hostile_streams) take the place of the whole reply
        if json is not None:
            self.body, default_type = _json_bytes(json), "application/json"
        elif text is not None:
            self.body, default_type = text.encode(), "text/html; charset=utf-8"
        else:
            self.body, default_type = body or b"", None
        if content_type or default_type:
            self.headers.setdefault("Content-Type", content_type or default_type)

    def but(self, **changes):
        """This answer with other manners: answer.but(hang=True)."""
        for name, value in changes.items():
            setattr(self, name, value)
        return self


class Request:
    """One request as it came."""

    def __init__(self, method, target, headers, body, turn, in_flight):
        parts = urlsplit(target)
        self.method = method
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers
        self.body = body
        self.time = time.monotonic()
        self.turn = turn            # the how manieth on its connection
        self.in_flight = in_flight  # requests being answered at that moment, this one included
        self.form = {}
        self.json = None
        kind = headers.get("Content-Type", "")
        if "json" in kind:
            self.json = json.loads(body or b"null")
        elif body:
            self.form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def params(self):
        """The parameters wherever they were sent."""
        return {**self.query, **self.form, **(self.json if isinstance(self.json, dict) else {})}

    @property
    def basic(self):
        """(id, secret) of HTTP Basic authentication, form-decoded (RFC 6749 §2.3.1), else None."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        return unquote_plus(user), unquote_plus(password)


class ScriptedProvider:
    """Serves between __enter__ and __exit__; authority: a certificates.Certificate makes it HTTPS."""

    def __init__(self, authority=None, lifetime=3600, port=0, host=LOOPBACK):
        self.lifetime = lifetime             # of access tokens, seconds; None: the reply has no expires_in
        self.rotate = True                   # a new refresh token with each refresh
        self.client = ("client-" + secrets.token_hex(4), "secret-" + secrets.token_urlsafe(18))
        self.user = ("user-" + secrets.token_hex(4), "password-" + secrets.token_urlsafe(18))
        self.check_client = True
        self.token_extra = {}                # more members for each token reply
        self.callback_changes = {}           # parameters of the redirect back; None removes one
        self.requests = []
        self.max_in_flight = 0
        self.on_connect = None               # called with each new connection, before anything is read
        self.wire = None                     # a function: its pieces (hostile_streams) are all that new connections get
        self.connections = 0                 # that were accepted
        self.tls = server_tls(authority) if authority else None  # of new connections; None: plain HTTP
        self.access_tokens = {}              # token -> family
        self.refresh_tokens = {}             # token -> family, used ones too
        self.used_refresh_tokens = set()
        self.revoked = set()                 # tokens and families
        self._codes = {}
        self._seen_secrets = set()
        self._in_flight = 0
        self._open = 0                       # connections
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._queued = {}
        self._handlers = {"/authorize": self._authorize, "/token": self._token, "/revoke": self._revoke}
        self._http = _Server((host, port), _Handler)
        self._http.provider = self
        self.scheme = "https" if authority else "http"
        self.port = self._http.server_port
        self.base = f"{self.scheme}://{host}:{self.port}"
        self._thread = None
        self._callers = []

    def __enter__(self):
        self._accept()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        if self._thread:
            self._stop_accepting()
        self._http.server_close()

    def _accept(self):
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def _stop_accepting(self):
        self._http.shutdown()
        self._thread.join()
        self._thread = None

    def deafen(self):
        """From now on no connection comes about: the kernel's queue is full and nobody takes any out."""
        self._stop_accepting()
        self._http.socket.listen(0)
        for _ in range(DEAF_CALLERS):
            caller = socket.socket()
            caller.settimeout(0.3)
            self._callers.append(caller)
            try:
                caller.connect(self._http.server_address)
            except TimeoutError:
                return
        raise AssertionError("the kernel still takes connections")

    @property
    def is_deaf(self):
        return bool(self._callers)

    def hear(self):
        """The end of deafen()."""
        for caller in self._callers:
            caller.close()
        self._callers.clear()
        self._http.socket.listen(self._http.request_queue_size)
        self._accept()

    @property
    def token_uri(self):
        return self.base + "/token"

    @property
    def authorize_uri(self):
        return self.base + "/authorize"

    @property
    def revoke_uri(self):
        return self.base + "/revoke"

    # Script

    def on(self, path, *answers):
        """From now on path answers so: Answers in order, the last for ever, or one function of the request."""
        if len(answers) == 1 and callable(answers[0]):
            self._handlers[path] = answers[0]
            return
        row = list(answers)
        self._handlers[path] = lambda _: row.pop(0) if len(row) > 1 else row[0]

    def next(self, path, *answers):
        """Once each, ahead of on(). A function gets the request and a function that gives the regular answer."""
        with self._lock:
            self._queued.setdefault(path, []).extend(answers)

    def forget(self, path):
        """Drops what next() still has in store."""
        with self._lock:
            self._queued.pop(path, None)

    # What it saw

    def requests_to(self, path):
        with self._lock:
            return [request for request in self.requests if request.path == path]

    def count(self, path="/token", **params):
        """How many requests came to path with these parameters."""
        return sum(1 for request in self.requests_to(path)
                   if all(request.params.get(name) == value for name, value in params.items()))

    def secrets_issued(self):
        """All that must never be seen in a log: tokens, codes, verifiers, secrets, passwords."""
        with self._lock:
            return {self.client[1], self.user[1], *self.access_tokens, *self.refresh_tokens, *self._codes,
                    *self._seen_secrets}

    # Its own behaviour

    def issue(self, refresh=True, family=None, **changes):
        """The document of a good token reply with new tokens; changes replace members, None removes one."""
        family = family or secrets.token_hex(8)
        document = {"access_token": "access-" + secrets.token_urlsafe(24), "token_type": "Bearer"}
        if self.lifetime is not None:
            document["expires_in"] = self.lifetime
        with self._lock:
            self.access_tokens[document["access_token"]] = family
            if refresh:
                document["refresh_token"] = "refresh-" + secrets.token_urlsafe(24)
                self.refresh_tokens[document["refresh_token"]] = family
        document.update(self.token_extra)
        document.update(changes)
        return {name: value for name, value in document.items() if value is not None}

    def is_active(self, token):
        family = self.access_tokens.get(token) or self.refresh_tokens.get(token)
        return (bool(family) and token not in self.revoked and family not in self.revoked
                and token not in self.used_refresh_tokens)

    def _authorize(self, request):
        query = request.query
        code = "code-" + secrets.token_urlsafe(18)
        with self._lock:
            self._codes[code] = query
        params = {"code": code, "state": query.get("state"), "iss": self.base, **self.callback_changes}
        params = {name: value for name, value in params.items() if value is not None}
        separator = "&" if "?" in query.get("redirect_uri", "") else "?"
        return Answer(302, headers={"Location": query.get("redirect_uri", "") + separator + urlencode(params)})

    def _token(self, request):
        params = request.params
        if self.check_client and not self._is_client(request):
            return Answer(401, json={"error": "invalid_client"})
        grant = params.get("grant_type")
        if grant == "authorization_code":
            return self._exchange_code(params)
        if grant == "refresh_token":
            return self._refresh(params)
        if grant == "password":
            if (params.get("username"), params.get("password")) != self.user:
                return Answer(400, json={"error": "invalid_grant"})
            return Answer(json=self.issue())
        if grant == "client_credentials":
            return Answer(json=self.issue(refresh=False))
        return Answer(400, json={"error": "unsupported_grant_type"})

    def _is_client(self, request):
        if request.basic:
            # Never both (RFC 6749 §2.3).
            return request.basic == self.client and "client_secret" not in request.params
        return (request.params.get("client_id"), request.params.get("client_secret")) == self.client

    def _exchange_code(self, params):
        with self._lock:
            asked = self._codes.get(params.get("code"))
            if asked is not None:
                self._codes[params["code"]] = None  # single use; the key stays known as a secret
            if params.get("code_verifier"):
                self._seen_secrets.add(params["code_verifier"])
        if not asked or asked.get("redirect_uri") != params.get("redirect_uri") or not _pkce_fits(asked, params):
            return Answer(400, json={"error": "invalid_grant"})
        return Answer(json=self.issue(scope=asked.get("scope")))

    def _refresh(self, params):
        token = params.get("refresh_token")
        with self._lock:
            family = self.refresh_tokens.get(token)
            if token in self.used_refresh_tokens:
                self.revoked.add(family)
            good = family and family not in self.revoked and token not in self.revoked
            if good and self.rotate:
                self.used_refresh_tokens.add(token)
        if not good:
            return Answer(400, json={"error": "invalid_grant", "error_description": "unknown, used or revoked"})
        return Answer(json=self.issue(refresh=self.rotate, family=family))

    def _revoke(self, request):
        with self._lock:
            self.revoked.add(request.params.get("token"))
        return Answer(200)

    # Serving

    def answer(self, request):
        with self._lock:
            queue = self._queued.get(request.path)
            queued = queue.pop(0) if queue else None
        regular = self._handlers.get(request.path, lambda _: Answer(404, text="no such page"))
        if queued is None:
            return regular(request)
        return queued(request, lambda: regular(request)) if callable(queued) else queued

    def begin(self, request_parts):
        with self._lock:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            request = Request(*request_parts, self._in_flight)
            self.requests.append(request)
            return request

    def end(self):
        with self._lock:
            self._in_flight -= 1

    def count_connection(self):
        with self._lock:
            self.connections += 1

    def count_open(self, change):
        with self._lock:
            self._open += change

    def settle(self):
        """Waits until all is dealt with that clients have sent which are gone. Nobody else may be connected."""
        # Connections are accepted in their order: when the end of this one is seen, the others are open or over.
        with contextlib.suppress(ConnectionError), socket.create_connection(self._http.server_address, PATIENCE) as marker:
            marker.shutdown(socket.SHUT_WR)
            while marker.recv(4096):
                pass
        wait_until(lambda: self._open == 0, what="the provider to be done", interval=0.001)

    @property
    def in_flight(self):
        with self._lock:
            return self._in_flight

    def send(self, connection, pieces):
        """Sends the pieces of a stream until they end, the client goes away or the provider stops."""
        for piece in pieces:
            if self._stopping.is_set():
                return
            if piece is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                return
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif not self.pause(connection, None, piece):
                return

    def pause(self, connection, gate, seconds):
        """Waits for gate (None: never) or seconds. False when the client went away or the provider stops."""
        deadline = time.monotonic() + seconds if seconds is not None else None
        while not self._stopping.is_set():
            if gate and gate.wait(0.02):
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return True
            if _is_closed(connection, 0.02 if not gate else 0):
                return False
        return False


def server_tls(certificate):
    """A server's side with a certificates.Certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def process_request(self, request, client_address):
        self.provider.count_open(1)
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.provider.count_open(-1)

    def handle_error(self, request, client_address):
        pass  # a client that goes away, or refuses our certificate, is what many tests are about


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        provider = self.server.provider
        provider.count_connection()
        self.turn = 0
        if provider.on_connect:
            provider.on_connect()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if provider.wire:
            provider.send(self.request, provider.wire())
            raise ConnectionAbortedError
        if provider.tls:
            self.request = provider.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def log_message(self, *_):
        pass

    def _serve(self):
        provider = self.server.provider
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.turn += 1
        request = provider.begin((self.command, self.path, self.headers, body, self.turn))
        try:
            self._send(provider, provider.answer(request))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True
        finally:
            provider.end()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def _send(self, provider, answer):
        if answer.hang or answer.gate:
            if not provider.pause(self.connection, answer.gate, None):
                self.close_connection = True
                return
        if answer.delay and not provider.pause(self.connection, None, answer.delay):
            self.close_connection = True
            return
        if answer.stream:
            self.close_connection = True
            provider.send(self.connection, answer.stream())
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.endless:
            self.send_header("Connection", "close")
            self.end_headers()
            self._send_endless(answer)
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body if answer.cut_at is None else answer.body[:answer.cut_at]
        if answer.drip is None:
            self.wfile.write(body)
        elif not self._drip(provider, body, answer.drip):
            self.close_connection = True
        if answer.cut_at is not None:
            self.close_connection = True

    def _drip(self, provider, body, interval):
        for index in range(len(body)):
            self.wfile.write(body[index:index + 1])
            if not provider.pause(self.connection, None, interval):
                return False
        return True

    def _send_endless(self, answer):
        self.close_connection = True
        chunk = (answer.body or b" ") * 512
        while not self.server.provider._stopping.is_set():
            self.wfile.write(chunk)


def _json_bytes(value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def _pkce_fits(asked, params):
    challenge = asked.get("code_challenge")
    if not challenge:
        return "code_verifier" not in params
    verifier = params.get("code_verifier", "")
    if asked.get("code_challenge_method", "plain") == "S256":
        verifier = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return secrets.compare_digest(verifier, challenge)


def _is_closed(connection, timeout):
    """Whether the other side has closed; waits up to timeout seconds to see it."""
    watch = select.poll()  # select() ends at descriptor 1023
    watch.register(connection, select.POLLIN)
    if not watch.poll(timeout * 1000):
        return False
    try:
        if isinstance(connection, ssl.SSLSocket):
            return not connection.recv(1)
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
