"""The ways in which a provider is hostile: what it does, and what the daemon has to call it."""

import os
import re
import ssl
import warnings
from datetime import timedelta

from fakes import hostile_streams as streams
from fakes.certificates import Authority
from fakes.scripted_provider import Answer, server_tls

GRANTED, TRANSIENT, BROKEN = "granted", "transient", "broken"
PUBLIC, METADATA, LOOPBACK = "93.184.216.34", "169.254.169.254", "127.0.0.1"


class Kind:
    """arrange(stage) makes stage.provider hostile to the refresh that comes next."""

    def __init__(self, name, expected, arrange, secure=False, waits=False):
        self.name = name
        self.slug = re.sub(r"\W+", "-", name)
        self.expected = expected  # the class of the outcome
        self.arrange = arrange
        self.secure = secure      # its endpoints are https
        self.waits = waits        # nothing but the time limit ends it


def _answers(stream):
    return lambda stage: stage.provider.next("/token", Answer(stream=stream))


def _says(status, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda stage: stage.provider.next("/token", Answer(status, headers=headers))


def _sends(stream):
    def arrange(stage):
        stage.provider.wire = stream
    return arrange


def _shows(**manners):
    def arrange(stage):
        stage.provider.tls = server_tls(stage.authority.issue(stage.name, **manners))
    return arrange


def _foreign_authority(stage):
    folder = os.path.join(stage.folder, stage.name)
    os.mkdir(folder)
    stage.provider.tls = server_tls(Authority(folder, title="Foreign authority"))


def _old_tls(stage):
    context = server_tls(stage.authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that these are old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    stage.provider.tls = context


def _no_tls(stage):
    stage.provider.tls = None


def _unwanted_tls(stage):
    stage.provider.tls = server_tls(stage.authority)


def _redirect_to_itself(stage):
    _says(307, Location=stage.provider.base + "/elsewhere")(stage)


def _dies_when_reused(stage):
    """Answers, keeps the connection, and closes it without a byte when a second request comes on it."""
    assert stage.refresh().status == 200
    stage.provider.next("/token", lambda request, regular: (
        Answer(stream=streams.close_at_once) if request.turn > 1 else regular()))


ORDINARY = (
    # Slow
    Kind("no connection comes about", TRANSIENT, lambda stage: stage.provider.deafen(), waits=True),
    Kind("never answers", TRANSIENT, _answers(streams.nothing), waits=True),
    Kind("one byte a second, headers", TRANSIENT, _answers(streams.drip_head), waits=True),
    Kind("one byte a second, body", TRANSIENT, _answers(streams.drip_body), waits=True),
    Kind("never shakes hands", TRANSIENT, _sends(streams.nothing), secure=True, waits=True),
    Kind("one byte a second, TLS handshake", TRANSIENT, _sends(streams.drip_handshake), secure=True, waits=True),
    # Endless
    Kind("endless headers", BROKEN, _answers(streams.endless_headers)),
    Kind("one endless header", TRANSIENT, _answers(streams.endless_header_line)),
    Kind("endless status line", TRANSIENT, _answers(streams.endless_status_line)),
    Kind("100 Continue for ever", TRANSIENT, _answers(streams.endless_interim)),
    Kind("endless trailers", BROKEN, _answers(streams.endless_trailers)),
    Kind("endless chunk extension", BROKEN, _answers(streams.endless_chunk_extension)),
    Kind("204 with an endless body", BROKEN, _answers(streams.empty_reply_with_endless_body)),
    Kind("101 and an endless other protocol", TRANSIENT, _answers(streams.switched_protocols)),
    # Huge
    Kind("1 GiB, announced", BROKEN, _answers(streams.gibibyte_announced)),
    Kind("1 GiB, chunked", BROKEN, _answers(streams.gibibyte_chunked)),
    Kind("1 GiB, until the close", BROKEN, _answers(streams.gibibyte_until_close)),
    Kind("1 GiB, chunked, over TLS", BROKEN, _answers(streams.gibibyte_chunked), secure=True),
    Kind("1 GiB as 1 MiB of gzip", BROKEN, _answers(streams.gzip_bomb)),
    Kind("1 GiB as gzip of the transfer", BROKEN, _answers(streams.gzip_bomb_in_transfer)),
    # Cut off
    Kind("closes without a byte", TRANSIENT, _answers(streams.close_at_once)),
    Kind("closes before the request", TRANSIENT, _sends(streams.close_at_once)),
    Kind("resets without a byte", TRANSIENT, _answers(streams.reset_at_once)),
    Kind("closes within a header", TRANSIENT, _answers(streams.close_in_header)),
    Kind("closes after a header", TRANSIENT, _answers(streams.close_after_header_line)),
    Kind("closes within the body", TRANSIENT, _answers(streams.close_in_body)),
    Kind("closes within a chunk", TRANSIENT, _answers(streams.close_in_chunk)),
    Kind("closes within the body, TLS", TRANSIENT, _answers(streams.close_in_body), secure=True),
    Kind("resets within the body", TRANSIENT, _answers(streams.reset_in_body)),
    Kind("closes a kept connection on reuse", GRANTED, _dies_when_reused),
    Kind("closes a kept connection, TLS", GRANTED, _dies_when_reused, secure=True),
    # Elsewhere
    Kind("redirects to file", BROKEN, _says(302, Location="file:///etc/passwd")),
    Kind("redirects to the metadata address", BROKEN, _says(307, Location=f"http://{METADATA}/latest/meta-data/")),
    Kind("redirects to loopback", BROKEN, _redirect_to_itself),
    Kind("417 to have it sent again", BROKEN, _says(417)),
    Kind("401 that asks for another scheme", "token_refused", _says(401, WWW_Authenticate="Negotiate")),
    # No HTTP, no TLS, wrong TLS
    Kind("another protocol", TRANSIENT, _answers(streams.other_protocol)),
    Kind("HTTP/0.9", TRANSIENT, _answers(streams.old_http)),
    Kind("a negative length", TRANSIENT, _answers(streams.negative_length)),
    Kind("plain HTTP at an https URL", TRANSIENT, _no_tls, secure=True),
    Kind("TLS at an http URL", TRANSIENT, _unwanted_tls),
    Kind("certificate of another name", TRANSIENT, _shows(names=["other.example.com"], addresses=["127.0.0.2"]), secure=True),
    Kind("certificate expired", TRANSIENT, _shows(begins=timedelta(days=-3), ends=timedelta(days=-1)), secure=True),
    Kind("certificate of tomorrow", TRANSIENT, _shows(begins=timedelta(days=1)), secure=True),
    Kind("certificate signed by itself", TRANSIENT, _shows(self_signed=True), secure=True),
    Kind("certificate of a foreign authority", TRANSIENT, _foreign_authority, secure=True),
    Kind("certificate of 256 KiB", TRANSIENT, _shows(padding=256 * 1024), secure=True),
    Kind("TLS 1.1 and older", TRANSIENT, _old_tls, secure=True),
)


def _names(*rows):
    return lambda stage: stage.dns.say(stage.host, *rows)


def _redirect_to_trap(stage):
    _says(307, Location=f"https://{METADATA}:{stage.provider.port}/token")(stage)


# At a name, in a network of its own; before each the name had the public address, and a refresh there went through.
NAMED = (
    Kind("DNS changes to 127.0.0.1", BROKEN, _names([LOOPBACK])),
    Kind("DNS changes to 169.254.169.254", BROKEN, _names([METADATA])),
    Kind("DNS changes to ::ffff:127.0.0.1", BROKEN, _names(["::ffff:127.0.0.1"])),
    Kind("DNS changes after the first answer", GRANTED, _names([PUBLIC], [LOOPBACK])),
    Kind("DNS gives an inner address first", GRANTED, _names([METADATA, LOOPBACK, PUBLIC])),
    Kind("DNS never answers", TRANSIENT, _names(None), waits=True),
    Kind("DNS knows no address", TRANSIENT, _names([])),
    Kind("redirects to a server at 169.254.169.254", BROKEN, _redirect_to_trap),
)
