"""Bytes on the sockets: what is not HTTP ends the connection, never the daemon."""

import contextlib
import http.client
import json
import re
import resource
import socket
from urllib.parse import urlsplit

import documents
import pytest
from daemon import error_of, read_to_end
from fakes.support import PATIENCE, wait_until

GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

MALFORMED = {
    "no_http": b"hello there\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "bare_lf": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "obs_fold": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
    "no_host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "space_before_colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "control_in_target": b"GET /heal\x01thz HTTP/1.1\r\nHost: x\r\n\r\n",
    "two_lengths": b"POST /v1/token/crm/rejected HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "bad_length": b"POST /v1/token/crm/rejected HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length_overflow": b"POST /v1/token/crm/rejected HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "chunked": b"POST /v1/token/crm/rejected HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "length_and_chunked": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "http_2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http_9": b"GET /healthz HTTP/9.1\r\nHost: x\r\n\r\n",
    "nul": b"GET /healthz\0 HTTP/1.1\r\nHost: x\r\n\r\n",
}
# Answered, whatever the answer, and closed.
TOO_LARGE = {
    "long_target": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    "large_header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 100000 + b"\r\n\r\n", b"431"),
    "many_headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 500 + b"\r\n", b"431"),
    "large_body": (b"POST /v1/token/crm/rejected HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n", b"413"),
}


@pytest.fixture
def daemon(launch, provider):
    return launch(documents.client_credentials(provider))


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_request_is_answered_400_and_closed(daemon, kind):
    answer = daemon.raw(MALFORMED[kind] + GOOD)
    assert answer.split(b" ")[1] == (b"505" if kind == "http_9" else b"400"), answer[:200]
    assert len(re.findall(rb"(?m)^HTTP/1.1 ", answer)) == 1, "what follows a malformed request must not be read"
    assert daemon.get("/healthz").status == 200


def test_all_malformed_requests_in_one_daemon_are_counted(daemon):
    before = daemon.metrics()["iclientd_http_refused_total"]
    for content in MALFORMED.values():
        daemon.raw(content)
    assert daemon.metrics()["iclientd_http_refused_total"] - before == len(MALFORMED)


# One row for each status that comes before a path is known to be right (docs/API.md, Errors).
REFUSED = {
    400: b"GET %s HTTP/1.1\r\n\r\n",
    408: b"GET %s HTTP/1.1\r\nHost: x\r\n",
    413: b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n",
    414: b"GET %s?" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    431: b"GET %s HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 500 + b"\r\n",
    505: b"GET %s HTTP/9.1\r\nHost: x\r\n\r\n",
}


def refusal_of(daemon, listener, content):
    """(status, headers, text) of the answer after which the connection is closed."""
    tcp = urlsplit(daemon.base)
    client = (socket.create_connection((tcp.hostname, tcp.port)) if listener == "redirect" else socket.socket(socket.AF_UNIX))
    with client:
        client.settimeout(PATIENCE)
        if listener != "redirect":
            client.connect(str(daemon.token_socket if listener == "token" else daemon.admin_socket))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(content)
        reply = http.client.HTTPResponse(client)
        reply.begin()
        text = reply.read().decode()
        assert client.recv(1) == b"" and reply.getheader("Connection") == "close"
        return reply.status, reply, text


@pytest.mark.parametrize("listener, path, content_type", [
    ("token", "/v1/token/crm", "application/json"), ("admin", "/v1/connections", "application/json"),
    ("admin", "/v2/tenants/acme/oauth-clients", "application/vnd.api+json"),
    ("redirect", "/callback", "text/html; charset=utf-8")], ids=["token", "admin", "json-api", "redirect"])
def test_refusal_speaks_the_listeners_language(daemon, listener, path, content_type):
    for expected, content in REFUSED.items():
        status, reply, text = refusal_of(daemon, listener, content.replace(b"%s", path.encode()))
        assert (status, reply.getheader("Content-Type")) == (expected, content_type), text
        assert reply.getheader("Cache-Control") == "no-store"
        if listener == "redirect":
            assert_is_safe_page(reply, text)
            continue
        document = json.loads(text)
        error, = document["errors"]
        assert error["code"] == "invalid_request" and "retryable" not in document
        assert set(error) == ({"status", "code", "detail"} if "/v2/" in path else {"code", "message"})
        assert error.get("status", str(status)) == str(status)


def assert_is_safe_page(reply, text):
    assert "<script" not in text and "iclientctl login NAME" in text
    assert "default-src 'none'" in reply.getheader("Content-Security-Policy")
    assert (reply.getheader("X-Frame-Options"), reply.getheader("X-Content-Type-Options")) == ("DENY", "nosniff")
    assert reply.getheader("Referrer-Policy") == "no-referrer"


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_too_large_request_is_refused(daemon, kind):
    content, status = TOO_LARGE[kind]
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(daemon.token_socket))
        try:
            client.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:100]
    assert daemon.get("/healthz").status == 200


def test_pipelined_requests_are_answered_in_order(daemon):
    daemon.token()
    target = b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n"
    content = (target % (b"/healthz", b"") + target % (b"/v1/token/crm?format=raw", b"") + target % (b"/v1/nothing", b"")
               + target % (b"/v1/token/crm?format=header", b"Connection: close\r\n"))
    answer = daemon.raw(content)
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"404", b"200"]
    assert answer.index(b"404") < answer.index(b"Authorization: Bearer")


def test_pipelined_requests_behind_a_waiting_one_keep_their_order(daemon, provider):
    """The second answer is ready long before the first."""
    content = (b"GET /v1/token/crm?format=raw HTTP/1.1\r\nHost: x\r\n\r\n"
               b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    provider.next("/token", lambda _, regular: regular().but(delay=0.3))
    statuses = [part[:3] for part in daemon.raw(content).split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404"]


def test_request_byte_by_byte_is_answered(daemon):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(daemon.token_socket))
        for byte in b"GET /healthz HTTP/1.0\r\n\r\n":
            client.sendall(bytes([byte]))
        assert read_to_end(client).split(b" ")[1] == b"200"


def test_slow_clients_meet_a_deadline_and_hinder_nobody(daemon):
    """An absolute deadline: a byte now and then does not prolong it."""
    beginnings = [b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ",
                  b"POST /v1/token/crm/rejected HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"]
    clients = []
    for beginning in beginnings:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(daemon.token_socket))
        client.sendall(beginning)
        client.setblocking(False)
        clients.append(client)
    answers = {}

    def are_cut_off():
        assert daemon.get("/healthz").status == 200
        for client in set(clients) - set(answers):
            try:
                client.send(b"a")
                answers[client] = client.recv(65536)
            except BlockingIOError:
                pass
            except OSError:
                answers[client] = b""
        return len(answers) == len(clients)

    wait_until(are_cut_off, what="the slow clients to be cut off", interval=0.2)
    assert all(answer == b"" or answer.startswith(b"HTTP/1.1 408") for answer in answers.values())
    for client in clients:
        client.close()


@pytest.mark.parametrize("header", [{"Origin": "http://localhost:8080"}, {"Origin": "null"}, {"Sec-Fetch-Site": "none"}])
def test_web_page_gets_nothing_through_a_port_that_somebody_led_here(daemon, header):
    daemon.token()
    sockets = (daemon.token_socket, "/v1/token/crm", "/v1/connections", "/healthz"), (daemon.admin_socket, "/v1/connections", "/metrics")
    for socket_path, *paths in sockets:
        for path in paths:
            reply = daemon.request(socket_path, "GET", path, headers=header)
            assert reply.status == 403 and error_of(reply)["code"] == "not_allowed", path
            assert "Access-Control-Allow-Origin" not in reply.headers
    for path in ("/v1/connections/crm/refresh", "/v1/connections/crm/revoke", "/v1/connections/crm/authorize"):
        assert daemon.request(daemon.admin_socket, "POST", path, headers=header).status == 403
    preflight = {**header, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-a"}
    reply = daemon.request(daemon.token_socket, "OPTIONS", "/v1/token/crm", headers=preflight)
    assert reply.status == 403 and "Access-Control-Allow-Origin" not in reply.headers
    assert daemon.token().json()["generation"] == 1


@pytest.mark.parametrize("host", ["x", "", "evil.example:8080", "%2Frun%2Ficlientd%2Ftoken.sock"])
def test_host_may_be_what_a_program_likes(daemon, host):
    """A socket has no name; which programs' libraries put into it."""
    assert daemon.get("/v1/token/crm?format=raw", headers={"Host": host, "Sec-Fetch-Mode": "cors"}).status == 200


def test_connections_of_one_user_are_limited(launch, provider):
    daemon = launch(documents.client_credentials(provider), config={"limits": {"connectionsPerUid": 8}})
    clients = []
    for _ in range(8):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(daemon.token_socket))
        client.sendall(GOOD)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        clients.append(client)
    assert daemon.raw(GOOD).startswith(b"HTTP/1.1 429")
    for client in clients:
        client.close()
    wait_until(lambda: daemon.get("/healthz").status == 200, what="the limit to lift")


def test_running_out_of_descriptors_passes(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (40, hard))
    clients = []
    for _ in range(100):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(daemon.token_socket))
        clients.append(client)
    daemon.wait_for_rest()
    for client in clients:
        client.close()
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
    wait_until(lambda: daemon.token().status == 200, what="the recovery")


def test_keep_alive_serves_many_requests(daemon):
    daemon.token()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(daemon.token_socket))
        for _ in range(200):
            client.sendall(b"GET /v1/token/crm?format=raw HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
    assert daemon.metrics()["iclientd_tokens_served_total{source=\"cache\"}"] >= 200


def test_watcher_that_does_not_read_is_dropped(daemon, provider):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.token_socket))
        client.sendall(b"GET /v1/token/crm/watch HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: daemon.metrics()["iclientd_watchers"] == 1, what="the watcher")
        provider.token_extra = {"access_token": "long-" * 6000}
        for _ in range(20):
            assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
        wait_until(lambda: daemon.metrics()["iclientd_watchers"] == 0, what="the idle reader to be dropped")
    assert daemon.token().status == 200
