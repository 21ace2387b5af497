"""What a hostile provider puts on the wire, as pieces: bytes to send, a number of seconds to wait, or RESET.

    provider.next("/token", Answer(stream=hostile_streams.endless_headers))     # after the request was read
    provider.wire = hostile_streams.drip_handshake                              # instead of anything else

The connection is closed after the last piece.
"""

import gzip

RESET = object()  # ends the connection with a TCP reset

MIB = 1024 * 1024
GIB = 1024 * MIB
BAIT = b"bait-of-a-hostile-provider"  # must be served to nobody
TOKEN = b'{"access_token":"' + BAIT + b'","token_type":"Bearer","expires_in":3600}'
JSON = b"Content-Type: application/json\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + JSON
BLOCK = b" " * (64 * 1024)


def _good_reply():
    return OK + b"Content-Length: %d\r\n\r\n" % len(TOKEN) + TOKEN


# Slow

def nothing():
    yield 3600


def drip_head():
    for byte in _good_reply():
        yield bytes([byte])
        yield 1


def drip_body():
    yield OK + b"Content-Length: %d\r\n\r\n" % len(TOKEN)
    for byte in TOKEN:
        yield bytes([byte])
        yield 1


def drip_handshake():
    """A TLS record of a server hello that takes its time."""
    yield b"\x16\x03\x03\x10\x00\x02\x00\x0f\xfc\x03\x03"
    while True:
        yield b"\x00"
        yield 1


# Endless

def endless_headers():
    yield OK
    while True:
        yield b"X-Filler: 0123456789012345678901234567890123456789\r\n" * 100


def endless_header_line():
    yield OK + b"X-Filler: "
    while True:
        yield b"x" * 65536


def endless_status_line():
    yield b"HTTP/1.1 200 "
    while True:
        yield b"O" * 65536


def endless_interim():
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 100


def endless_trailers():
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(TOKEN) + TOKEN + b"\r\n0\r\n"
    while True:
        yield b"X-Filler: 0123456789012345678901234567890123456789\r\n" * 100


def endless_chunk_extension():
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n5;"
    while True:
        yield b"x" * 65536


def empty_reply_with_endless_body():
    yield b"HTTP/1.1 204 No Content\r\n\r\n"
    while True:
        yield BLOCK


def switched_protocols():
    yield b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    while True:
        yield BLOCK


# Huge

def gibibyte_announced():
    yield OK + b"Content-Length: %d\r\n\r\n" % GIB
    for _ in range(GIB // len(BLOCK)):
        yield BLOCK


def gibibyte_chunked():
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for _ in range(GIB // len(BLOCK)):
        yield b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n"
    yield b"0\r\n\r\n"


def gibibyte_until_close():
    yield OK + b"\r\n"
    for _ in range(GIB // len(BLOCK)):
        yield BLOCK


def _gzip_bomb():
    """1 GiB of blanks around a token, in 1 MiB: a gzip file may have many members."""
    member = gzip.compress(b" " * (16 * MIB), 9)
    return gzip.compress(TOKEN) + member * (GIB // (16 * MIB))


def gzip_bomb():
    bomb = _gzip_bomb()
    yield OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb


def gzip_bomb_in_transfer():
    bomb = _gzip_bomb()
    yield OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(bomb) + bomb + b"\r\n0\r\n\r\n"


# Cut off

def close_at_once():
    return []


def reset_at_once():
    yield RESET


def close_in_header():
    yield OK + b"Content-Len"


def close_after_header_line():
    yield OK


def close_in_body():
    yield OK + b"Content-Length: %d\r\n\r\n" % len(TOKEN) + TOKEN[:-4]


def close_in_chunk():
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (len(TOKEN) + 10) + TOKEN


def reset_in_body():
    yield OK + b"Content-Length: %d\r\n\r\n" % len(TOKEN) + TOKEN[:-4]
    yield 0.1
    yield RESET


# Not HTTP

def other_protocol():
    yield b"SSH-2.0-OpenSSH_9.2\r\n"


def old_http():
    """HTTP/0.9: a body and nothing else."""
    yield TOKEN


def negative_length():
    yield OK + b"Content-Length: -5\r\n\r\n" + TOKEN
