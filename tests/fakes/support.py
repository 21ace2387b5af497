"""What every fake needs: free ports, waiting with a deadline, child processes that die with their parent, plain HTTP calls."""

import base64
import ctypes
import http.client
import http.cookies
import json
import random
import signal
import socket
import ssl
import time
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

LOOPBACK = "127.0.0.1"
PATIENCE = 60  # s; for what is certain to come, however slow and busy the machine is
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


# Below those that the kernel gives to outgoing connections. Who has been told of a free port takes it some time later, and
# would get one that is held as well, because nobody listens there yet: so these are others.
HELD_PORTS, FREE_PORTS = range(10000, 26000), range(26000, 32000)


def hold_port(ports=HELD_PORTS):
    """A socket on a TCP port that nobody else gets who looks for one, until it is closed. It does not listen: who sets
    SO_REUSEADDR can, as often as it likes."""
    while True:
        holder = socket.socket()
        try:
            # Alone on it, before it lets others in.
            holder.bind((LOOPBACK, random.choice(ports)))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return holder
        except OSError:
            holder.close()


def free_port():
    """A TCP port that was free a moment ago."""
    with hold_port(FREE_PORTS) as holder:
        return holder.getsockname()[1]


def die_with_parent():
    """For preexec_fn: the kernel ends the child when the thread that started it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def wait_until(condition, timeout=PATIENCE, what="the condition", interval=0.02):
    """The first true value that condition() gives; AssertionError after the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        is_late = time.monotonic() > deadline  # before the last look, which a busy machine may hold up
        value = condition()
        if value:
            return value
        if is_late:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(interval)


class Reply:
    """An HTTP answer, read to its end."""

    def __init__(self, status, headers, body, url=""):
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def header(self, name, default=None):
        return self.headers.get(name, default)

    def __repr__(self):
        return f"<{self.status} {self.url} {self.text[:300]!r}>"


def basic_header(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def call(method, url, form=None, json_body=None, headers=None, basic=None, timeout=PATIENCE, ca_file=None):
    """One request, redirects not followed."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    body = None
    if form is not None:
        body = urlencode(form).encode()
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    if json_body is not None:
        body = json.dumps(json_body).encode()
        sent.setdefault("Content-Type", "application/json")
    if basic:
        sent["Authorization"] = basic_header(*basic)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = parts.path or "/"
        if parts.query:
            target += "?" + parts.query
        connection.request(method, target, body=body, headers=sent)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read(), url)
    finally:
        connection.close()


class CurlUser:
    """A person with curl: keeps cookies per host and port, follows redirects when told to."""

    def __init__(self, ca_file=None):
        self.cookies = {}
        self.ca_file = ca_file

    def request(self, method, url, **options):
        jar = self.cookies.setdefault(urlsplit(url).netloc, {})
        headers = {**(options.pop("headers", None) or {}), **self._headers(url)}
        reply = call(method, url, headers=headers, **{"ca_file": self.ca_file, **options})
        for line in reply.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.value
        return reply

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def open(self, url):
        """A connection on which a GET has been sent; the answer is not read."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        connection.request("GET", f"{parts.path}?{parts.query}", headers=self._headers(url))
        return connection

    def _headers(self, url):
        jar = self.cookies.get(urlsplit(url).netloc)
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}

    def follow(self, url, until=None, hops=10):
        """Follows redirects; stops before the first address that begins with until and gives it back as a text."""
        for _ in range(hops):
            if until and url.startswith(until):
                return url
            reply = self.get(url)
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            url = urljoin(url, reply.header("Location"))
        raise AssertionError(f"more than {hops} redirects, last to {url.split('?')[0]}")


def query_of(url):
    """The query of an address as a dict of texts."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
