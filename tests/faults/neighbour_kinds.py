"""What a hostile neighbour sends, one function each: hostile(neighbour) makes one attempt and raises Deviation when the
answer is not what it has to be. Answers are never taken on trust: each is parsed, and none may carry a token.
"""

import random
import re
import socket
import string

GOOD_HOST = b"Host: localhost\r\n"
TIMEOUT = 30  # s; for an answer that has to come
REPLY = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n(.*?)\r\n\r\n", re.DOTALL)
LENGTH = re.compile(rb"(?mi)^content-length: (\d+)")
SECRET = re.compile(rb"access_token|access-|refresh-|Bearer")
HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


class Deviation(Exception):
    """What came, in the place of what had to come."""


class Neighbour:
    """A process of some user, and where it finds the daemon."""

    def __init__(self, stage, seed):
        self.token_socket = str(stage.token_socket)
        self.admin_socket = str(stage.admin_socket)
        self.redirect = stage.redirect  # (host, port)
        self.name = stage.name          # of a connection that it may not use
        self.random = random.Random(seed)

    def open(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(TIMEOUT)
        client.connect(self.token_socket)
        return client

    def open_redirect(self):
        return socket.create_connection(self.redirect, timeout=TIMEOUT)

    def text(self, length):
        return "".join(self.random.choices(string.ascii_letters + string.digits, k=length))


def send(client, content):
    """As much as the daemon takes: it may refuse before the end."""
    try:
        client.sendall(content)
    except (BrokenPipeError, ConnectionResetError):
        pass


def read_all(client, limit=1 << 20):
    parts = []
    try:
        while (part := client.recv(65536)) and sum(map(len, parts)) < limit:
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def read_one(client):
    """One reply: its status and all of its bytes."""
    content = b""
    while True:
        head = REPLY.match(content)
        length = head and LENGTH.search(head.group(2))
        if head and len(content) >= head.end() + int(length.group(1) if length else 0):
            return int(head.group(1)), content
        part = client.recv(65536)
        if not part:
            raise Deviation(f"closed within a reply: {content[:80]!r}")
        content += part


def statuses_of(content):
    """Of replies one after another; anything between them is a deviation."""
    found = []
    while content:
        head = REPLY.match(content)
        if not head:
            raise Deviation(f"no HTTP: {content[:80]!r}")
        length = LENGTH.search(head.group(2))
        found.append(int(head.group(1)))
        content = content[head.end() + int(length.group(1) if length else 0):]
    return found


def expect(status, expected, content=b""):
    if status not in expected:
        raise Deviation(f"{status} in the place of {' or '.join(map(str, expected))}")
    if SECRET.search(content):
        raise Deviation(f"{status} with something like a token")


def expect_only_refusals(content):
    for status in statuses_of(content):
        expect(status, range(400, 600))
    if SECRET.search(content):
        raise Deviation("a refusal with something like a token")


def request(method, target, headers=b"", body=b""):
    length = b"Content-Length: %d\r\n" % len(body) if body or method == "POST" else b""
    return f"{method} {target} HTTP/1.1\r\n".encode() + GOOD_HOST + headers + length + b"\r\n" + body


def wanted(neighbour):
    """Something that is worth having, and not for everybody."""
    target = neighbour.random.choice(("", "?format=raw", "?format=header", "?min_ttl=9&wait=0", "/watch", "/rejected"))
    if target == "/rejected":
        return request("POST", f"/v1/token/{neighbour.name}/rejected", body=b'{"generation":1,"status":401,"body":""}')
    return request("GET", f"/v1/token/{neighbour.name}{target}")


# On the token socket

def denied(neighbour):
    with neighbour.open() as client:
        for _ in range(8):
            send(client, wanted(neighbour))
            status, content = read_one(client)
            expect(status, (403,), content)


def disguised(neighbour):
    """Names, paths and headers that could be taken for another's."""
    name = neighbour.name
    targets = (f"/v1/token/{name.upper()}", f"/v1/token/%2e%2e%2f{name}", f"/v1/token//{name}", f"/v1/token/{name}/",
               f"/v1/token/{name}%00", f"/v1/../v1/token/{name}", f"/v1/token/{name};x", f"http://localhost/v1/token/{name}",
               f"/v1/token/{name}?tenant=other", f"/v1/token/{name}?tenant=", "/metrics", "/v1/iClients", "/v1/connections/" + name)
    headers = (b"", b"X-Forwarded-For: 127.0.0.1\r\n", b"X-Remote-User: root\r\n", b"Authorization: Basic cm9vdDo=\r\n",
               b"X-HTTP-Method-Override: DELETE\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n")
    with neighbour.open() as client:
        send(client, request("GET", neighbour.random.choice(targets), neighbour.random.choice(headers)))
        status, content = read_one(client)
        expect(status, range(400, 500), content)


def mutated(content, dice):
    """With some bytes changed, taken out, put in or doubled."""
    result = bytearray(content)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(result))
        change = dice.randrange(4)
        if change == 0:
            result[at] = dice.randrange(256)
        elif change == 1:
            del result[at]
        elif change == 2:
            result[at:at] = dice.choice((b"\0", b"\r", b"\n", b"\r\n\r\n", b" ", b":", b"\xff", b"%", b"\t"))
        else:
            result[at:at] = result[at:at + dice.randrange(64)]
    return bytes(result)


def malformed(neighbour):
    """May be answered or not, and with what it likes: but never with what is not for him."""
    with neighbour.open() as client:
        send(client, mutated(wanted(neighbour) * neighbour.random.randrange(1, 4), neighbour.random))
        client.shutdown(socket.SHUT_WR)
        expect_only_refusals(read_all(client))


def noise(neighbour):
    with neighbour.open() as client:
        send(client, neighbour.random.randbytes(neighbour.random.randrange(1, 5000)))
        client.shutdown(socket.SHUT_WR)
        expect_only_refusals(read_all(client))


def truncated(neighbour):
    content = wanted(neighbour)
    with neighbour.open() as client:
        send(client, content[:neighbour.random.randrange(1, len(content))])
        if neighbour.random.randrange(2):
            client.shutdown(socket.SHUT_WR)
            expect_only_refusals(read_all(client))


def split(neighbour):
    content = request("GET", "/healthz", b"X-A: " + neighbour.text(100).encode() + b"\r\n")
    with neighbour.open() as client:
        while content:
            size = neighbour.random.randrange(1, 40)
            send(client, content[:size])
            content = content[size:]
        status, _ = read_one(client)
        expect(status, (200,))


def pipelined(neighbour):
    kinds = ((request("GET", "/healthz"), 200), (wanted(neighbour), 403), (request("GET", "/v1/nothing"), 404),
             (request("DELETE", "/healthz"), 405))
    sent = [neighbour.random.choice(kinds) for _ in range(neighbour.random.randrange(2, 200))]
    with neighbour.open() as client:
        send(client, b"".join(content for content, _ in sent))
        client.shutdown(socket.SHUT_WR)
        if statuses_of(read_all(client)) != [status for _, status in sent]:
            raise Deviation("other answers than to one request after another")


def huge(neighbour):
    content, status = neighbour.random.choice((
        (request("GET", "/" + "a" * 20000), 414),
        (request("GET", "/healthz", b"X-A: " + b"a" * 100000 + b"\r\n"), 431),
        (request("GET", "/healthz", b"X-A: a\r\n" * 500), 431),
        (request("POST", f"/v1/token/{neighbour.name}/rejected", body=b"{" * 1000000), 413),
        (b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    ))
    with neighbour.open() as client:
        send(client, content)
        found, _ = read_one(client)
        expect(found, (status,))


def web_page(neighbour):
    """Through a port that somebody led to the socket."""
    header = neighbour.random.choice((b"Origin: http://evil.example\r\n", b"Origin: null\r\n", b"Sec-Fetch-Site: same-origin\r\n"))
    with neighbour.open() as client:
        for content in (request("OPTIONS", f"/v1/token/{neighbour.name}", header), request("GET", "/v1/connections", header)):
            send(client, content)
            status, reply = read_one(client)
            expect(status, (403,), reply)
            if b"Access-Control" in reply:
                raise Deviation("other origins are let in")


# On the others

def admin(neighbour):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(neighbour.admin_socket)
        except PermissionError:
            return
        raise Deviation("the admin socket was opened")


def redirect(neighbour):
    """Guessed tickets and states, no cookie or a guessed one, HTML wherever there is room for it."""
    guess = neighbour.text(43)
    cookie = f"Cookie: iclientd-{neighbour.text(8)}={neighbour.text(43)}\r\n".encode()
    html = "".join(f"%{ord(c):02X}" for c in HTML)
    content, expected = neighbour.random.choice((
        (request("GET", f"/connect/{guess}"), (410,)),
        (request("GET", f"/connect/{html}"), (404, 410)),
        (request("GET", f"/callback?code={guess}&state={guess}", cookie), (410,)),
        (request("GET", f"/callback?code={html}&state={html}&iss={html}&scope={html}", cookie), (400, 410)),
        (request("GET", f"/callback?error={html}&error_description={html}&error_uri={html}&state={guess}"), (400, 410)),
        (request("GET", f"/{html}?{html}={html}"), (400, 404, 410)),
        (request("POST", "/callback", body=f"code={guess}&state={guess}".encode()), (404, 405)),
        (request("GET", f"/v1/token/{neighbour.name}"), (404,)),
    ))
    own_host = b"Host: %s:%d\r\n" % (neighbour.redirect[0].encode(), neighbour.redirect[1])
    is_foreign = neighbour.random.randrange(4) == 0
    host = neighbour.random.choice((b"Host: evil.example\r\n", b"Host: 127.0.0.1\r\n", b"Host: localhost\r\n")) if is_foreign else own_host
    with neighbour.open_redirect() as client:
        send(client, content.replace(GOOD_HOST, host, 1))
        status, reply = read_one(client)
        expect(status, (421,) if is_foreign else expected, reply)
        if b"<script" in reply or b"onerror=" in reply.replace(b"&quot;", b"").replace(b"x onerror=alert(2)&gt;", b""):
            raise Deviation("HTML of another in the page")
        if b"Access-Control" in reply or b"default-src 'none'" not in reply:
            raise Deviation("a page without its headers")


def redirect_noise(neighbour):
    content = request("GET", f"/callback?code={neighbour.text(20)}&state={neighbour.text(43)}")
    with neighbour.open_redirect() as client:
        send(client, mutated(content, neighbour.random))
        client.shutdown(socket.SHUT_WR)
        expect_only_refusals(read_all(client))


# name, what it sends
KINDS = (
    ("denied", denied), ("disguised", disguised), ("malformed", malformed), ("noise", noise), ("truncated", truncated),
    ("split", split), ("pipelined", pipelined), ("huge", huge), ("web page", web_page), ("admin socket", admin),
    ("redirect endpoint", redirect), ("redirect endpoint, malformed", redirect_noise),
)
