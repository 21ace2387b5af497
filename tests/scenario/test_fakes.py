"""The authorization servers themselves, asked directly: a scenario is worth no more than its provider."""

import base64
import hashlib
import http.client
import secrets
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path
from urllib.parse import urlencode

import pytest

from fakes import hostile_streams
from fakes.authlib_server import JWT_BEARER, sign
from fakes.certificates import Authority
from fakes.glewlwyd import Glewlwyd, GlewlwydError
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import FREE_PORTS, CurlUser, call, free_port, hold_port, query_of, wait_until

REDIRECT = "http://127.0.0.1:9/callback"


def challenge_of(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


# glewlwyd

def glewlwyd_login(server, client, plugin, verifier, challenge, method):
    person = CurlUser()
    server.log_in(person, client.id)
    query = {"response_type": "code", "client_id": client.id, "redirect_uri": REDIRECT, "state": "some state",
             "scope": "mail files", "code_challenge": challenge, "code_challenge_method": method}
    callback = query_of(server.authorize(person, server.plugin_uri("auth", plugin) + "?" + urlencode(query), REDIRECT))
    assert callback["state"] == "some state"
    assert callback["iss"] == server.plugin_uri("", plugin).rstrip("/")
    form = {"grant_type": "authorization_code", "code": callback["code"], "redirect_uri": REDIRECT,
            "code_verifier": verifier}
    basic = (client.id, client.secret) if client.secret else None
    if not basic:
        form["client_id"] = client.id
    return call("POST", server.plugin_uri("token", plugin), form=form, basic=basic)


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_glewlwyd_exchanges_a_code_with_pkce(glewlwyd, method):
    client = glewlwyd.add_client([REDIRECT])
    verifier = secrets.token_urlsafe(48)
    challenge = challenge_of(verifier) if method == "S256" else verifier
    reply = glewlwyd_login(glewlwyd, client, "oidc", verifier, challenge, method)
    assert reply.status == 200 and reply.json()["expires_in"] == 3600 and reply.json()["refresh_token"]


def test_glewlwyd_refuses_a_wrong_verifier(glewlwyd):
    client = glewlwyd.add_client([REDIRECT])
    reply = glewlwyd_login(glewlwyd, client, "oidc", secrets.token_urlsafe(48), challenge_of("other" * 10), "S256")
    assert reply.status in (400, 403)


def test_glewlwyd_serves_a_public_client(glewlwyd):
    client = glewlwyd.add_client([REDIRECT], public=True)
    verifier = secrets.token_urlsafe(48)
    reply = glewlwyd_login(glewlwyd, client, "short", verifier, challenge_of(verifier), "S256")
    assert reply.status == 200 and reply.json()["expires_in"] == glewlwyd.lifetimes["short"]


def test_glewlwyd_rotates_refresh_tokens_and_refuses_an_old_one(glewlwyd):
    client = glewlwyd.add_client([REDIRECT])
    verifier = secrets.token_urlsafe(48)
    first = glewlwyd_login(glewlwyd, client, "oidc", verifier, challenge_of(verifier), "S256").json()

    def refresh(token):
        return call("POST", glewlwyd.token_uri, form={"grant_type": "refresh_token", "refresh_token": token},
                    basic=(client.id, client.secret))
    second = refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(first["refresh_token"]).status == 400


@pytest.mark.parametrize("location", ["basic", "body"])
def test_glewlwyd_serves_client_credentials(glewlwyd, location):
    client = glewlwyd.add_client(location=location)
    form = {"grant_type": "client_credentials", "scope": "mail"}
    other = {**form, "client_id": client.id, "client_secret": client.secret}
    basic = (client.id, client.secret)
    good = call("POST", glewlwyd.token_uri, **({"form": form, "basic": basic} if location == "basic" else {"form": other}))
    wrong = call("POST", glewlwyd.token_uri, **({"form": other} if location == "basic" else {"form": form, "basic": basic}))
    assert good.status == 200 and good.json()["access_token"]
    assert wrong.status == 403


def test_glewlwyd_serves_the_password_grant_and_revokes(glewlwyd):
    client = glewlwyd.add_client()
    basic = (client.id, client.secret)
    form = {"grant_type": "password", "username": glewlwyd.user[0], "password": glewlwyd.user[1], "scope": "mail"}
    token = call("POST", glewlwyd.token_uri, form=form, basic=basic).json()["access_token"]
    assert glewlwyd.introspect(token, client)["active"] is True
    assert call("POST", glewlwyd.revoke_uri, form={"token": token}, basic=basic).status == 200
    assert glewlwyd.introspect(token, client)["active"] is False
    assert call("POST", glewlwyd.token_uri, form={**form, "password": "wrong"}, basic=basic).status == 403


def test_glewlwyd_says_why_it_did_not_start():
    server = Glewlwyd()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        with pytest.raises(GlewlwydError) as failure:
            server.start()
    assert "glewlwyd ended" in str(failure.value)
    assert server.folder is None


def test_glewlwyd_ends_with_its_parent():
    program = ("import os, sys\nfrom fakes.glewlwyd import Glewlwyd\nserver = Glewlwyd({'oidc': 60})\nserver.start()\n"
               "print(server.process.pid, server.folder, flush=True)\nos.kill(os.getpid(), 9)\n")
    tests = str(Path(__file__).resolve().parents[1])
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tests).stdout.split()
    wait_until(lambda: not _runs(int(output[0])), what="glewlwyd to end")
    subprocess.run(["rm", "-r", output[1]], check=True)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


# Authlib

def bearer(server, assertion):
    return call("POST", server.token_uri, form={"grant_type": JWT_BEARER, "assertion": assertion, "scope": "a"})


@pytest.mark.parametrize("method", ["RS256", "RS512", "ES256", "ES384", "PS256", "EdDSA", "HS256"])
def test_authlib_grants_a_token_for_a_good_assertion(authlib, method):
    client = authlib.add_client(method)
    reply = bearer(authlib, sign(client, authlib))
    assert reply.status == 200 and reply.json()["expires_in"] == authlib.lifetime
    assert authlib.is_active(reply.json()["access_token"])


@pytest.mark.parametrize("change", [{"aud": "http://elsewhere/token"}, {"exp": int(time.time()) - 10}, {"exp": None},
                                    {"jti": None}, {"iss": "nobody"}, {"sub": None}])
def test_authlib_refuses_an_assertion_with_wrong_claims(authlib, change):
    reply = bearer(authlib, sign(authlib.add_client("ES256"), authlib, **change))
    assert reply.status == 400 and reply.json()["error"] == "invalid_grant"


def test_authlib_refuses_a_foreign_signature(authlib):
    good, other = authlib.add_client("ES256"), authlib.add_client("ES256")
    reply = bearer(authlib, sign(other, authlib, iss=good.id, sub=good.id))
    assert reply.status == 400


def test_authlib_refuses_another_algorithm_than_the_registered_one(authlib):
    client = authlib.add_client("PS256")
    assert bearer(authlib, sign(client, authlib, method="RS256")).status == 400


def test_authlib_refuses_a_used_jti(authlib):
    assertion = sign(authlib.add_client("HS256"), authlib)
    assert bearer(authlib, assertion).status == 200
    assert bearer(authlib, assertion).status == 400


@pytest.mark.parametrize("method", ["RS256", "HS256"])
def test_authlib_takes_a_jwt_as_client_authentication(authlib, method):
    client = authlib.add_client(method)
    form = {"grant_type": "client_credentials", "client_assertion": sign(client, authlib),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    assert call("POST", authlib.token_uri, form=form).status == 200
    replay = call("POST", authlib.token_uri, form=form)
    assert replay.status in (400, 401) and replay.json()["error"] == "invalid_client"


def test_authlib_revokes_and_introspects(authlib):
    client = authlib.add_client("RS256")
    basic = (client.id, client.secret)
    token = bearer(authlib, sign(client, authlib)).json()["access_token"]

    def is_active():
        return call("POST", authlib.introspect_uri, form={"token": token}, basic=basic).json()["active"]
    assert is_active()
    assert call("POST", authlib.revoke_uri, form={"token": token}, basic=(client.id, "wrong")).status == 401
    assert call("POST", authlib.revoke_uri, form={"token": token, "token_type_hint": "access_token"}, basic=basic).status == 200
    assert not is_active()


# The scripted provider

def refresh_at(provider, token):
    return call("POST", provider.base + "/token", form={"grant_type": "refresh_token", "refresh_token": token},
                basic=provider.client)


def code_at(provider, verifier="v" * 43):
    query = {"redirect_uri": REDIRECT, "state": "s", "code_challenge": challenge_of(verifier),
             "code_challenge_method": "S256"}
    reply = call("GET", provider.base + "/authorize?" + urlencode(query))
    assert reply.status == 302
    return query_of(reply.header("Location"))


def exchange_at(provider, code, verifier="v" * 43):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": verifier}
    return call("POST", provider.base + "/token", form=form, basic=provider.client)


def test_scripted_answers_come_in_order_and_the_last_stays(provider):
    provider.on("/x", Answer(500), Answer(200, text="one"), Answer(204))
    assert [call("GET", provider.base + "/x").status for _ in range(4)] == [500, 200, 204, 204]


def test_scripted_next_comes_before_the_regular_answer(provider):
    provider.next("/token", Answer(503, headers={"Retry-After": "7"}), lambda request, regular: regular().but(status=201))
    form = {"grant_type": "client_credentials"}
    replies = [call("POST", provider.base + "/token", form=form, basic=provider.client) for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 201, 200]
    assert replies[0].header("Retry-After") == "7"


def test_scripted_code_is_bound_to_verifier_and_single_use(provider):
    callback = code_at(provider)
    assert callback["state"] == "s" and callback["iss"] == provider.base
    assert exchange_at(provider, callback["code"], "w" * 43).status == 400
    code = code_at(provider)["code"]
    assert exchange_at(provider, code).status == 200
    assert exchange_at(provider, code).status == 400


def test_scripted_refresh_token_reuse_revokes_the_family(provider):
    first = exchange_at(provider, code_at(provider)["code"]).json()
    second = refresh_at(provider, first["refresh_token"]).json()
    assert provider.is_active(second["refresh_token"])
    assert refresh_at(provider, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert not provider.is_active(second["refresh_token"])
    assert refresh_at(provider, second["refresh_token"]).status == 400


def test_scripted_refuses_a_wrong_or_doubled_client(provider):
    form = {"grant_type": "client_credentials"}
    assert call("POST", provider.base + "/token", form=form, basic=("x", "y")).status == 401
    both = {**form, "client_id": provider.client[0], "client_secret": provider.client[1]}
    assert call("POST", provider.base + "/token", form=both).status == 200
    assert call("POST", provider.base + "/token", form=both, basic=provider.client).status == 401


def test_scripted_callback_can_be_bent(provider):
    provider.callback_changes = {"code": None, "error": "access_denied", "iss": "http://evil.example"}
    assert code_at(provider) == {"state": "s", "error": "access_denied", "iss": "http://evil.example"}


def test_scripted_records_requests(provider):
    call("POST", provider.base + "/token?a=1", json_body={"grant_type": "client_credentials"}, basic=provider.client)
    request = provider.requests_to("/token")[0]
    assert (request.method, request.query, request.json, request.basic) == (
        "POST", {"a": "1"}, {"grant_type": "client_credentials"}, provider.client)


def test_scripted_hangs_until_the_client_gives_up(provider):
    provider.on("/x", Answer(hang=True))
    with pytest.raises(TimeoutError):
        call("GET", provider.base + "/x", timeout=0.2)
    wait_until(lambda: provider.in_flight == 0, what="the request to end")


def test_scripted_gate_opens_for_all(provider):
    gate = threading.Event()
    provider.on("/x", lambda _: Answer(gate=gate, text="open"))
    replies = []
    callers = [threading.Thread(target=lambda: replies.append(call("GET", provider.base + "/x"))) for _ in range(5)]
    for caller in callers:
        caller.start()
    wait_until(lambda: provider.in_flight == 5, what="five requests")
    assert replies == []
    gate.set()
    for caller in callers:
        caller.join()
    assert [reply.text for reply in replies] == ["open"] * 5
    assert provider.max_in_flight == 5


def test_scripted_drips_and_cuts(provider):
    provider.on("/drip", Answer(text="abcde", drip=0.01))
    assert call("GET", provider.base + "/drip").text == "abcde"
    provider.on("/cut", Answer(json={"access_token": "x"}, cut_at=5))
    with pytest.raises(Exception) as failure:
        call("GET", provider.base + "/cut")
    assert "IncompleteRead" in repr(failure.value)


def test_scripted_endless_body_goes_on(provider):
    provider.on("/x", Answer(endless=True, body=b"abc"))
    with socket.create_connection(("127.0.0.1", provider.port)) as client:
        client.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        seen = 0
        while seen < 3_000_000:
            seen += len(client.recv(65536))
    wait_until(lambda: provider.in_flight == 0, what="the request to end")


def test_scripted_stream_takes_the_place_of_the_reply(provider):
    provider.next("/x", Answer(stream=lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 0.01, b"hi"]))
    provider.next("/x", Answer(stream=hostile_streams.close_at_once), Answer(stream=hostile_streams.reset_at_once))
    assert call("GET", provider.base + "/x").text == "hi"
    with pytest.raises(http.client.RemoteDisconnected):
        call("GET", provider.base + "/x")
    with pytest.raises(ConnectionResetError, match="reset by peer"):
        call("GET", provider.base + "/x")


def test_scripted_wire_takes_the_place_of_everything(provider):
    provider.wire = lambda: [b"SSH-2.0-x\r\n"]
    with socket.create_connection(("127.0.0.1", provider.port)) as client:
        assert client.recv(100) == b"SSH-2.0-x\r\n" and client.recv(100) == b""
    assert provider.connections == 1 and provider.requests == []


def test_scripted_counts_the_requests_of_a_connection(provider):
    connection = http.client.HTTPConnection("127.0.0.1", provider.port)
    for _ in range(2):
        connection.request("GET", "/x")
        connection.getresponse().read()
    connection.close()
    call("GET", provider.base + "/x")
    assert [request.turn for request in provider.requests] == [1, 2, 1] and provider.connections == 2


def test_scripted_deaf_provider_takes_no_connection(provider):
    provider.deafen()
    with pytest.raises(TimeoutError):
        call("GET", provider.base + "/x", timeout=0.3)
    provider.hear()
    assert call("GET", provider.base + "/x").status == 404


def test_bomb_holds_a_token_and_a_gibibyte():
    bomb = b"".join(hostile_streams.gzip_bomb()).partition(b"\r\n\r\n")[2]
    assert len(bomb) < hostile_streams.MIB
    unpacked = zlib.decompressobj(wbits=31)
    assert unpacked.decompress(bomb) == hostile_streams.TOKEN
    assert len(zlib.decompressobj(wbits=31).decompress(unpacked.unused_data)) == 16 * hostile_streams.MIB


def test_scripted_https_with_its_own_authority(tmp_path):
    authority = Authority(str(tmp_path))
    with ScriptedProvider(authority) as provider:
        form = {"grant_type": "client_credentials"}
        reply = call("POST", provider.base + "/token", form=form, basic=provider.client, ca_file=authority.ca_file)
        assert reply.status == 200
        with pytest.raises(OSError):
            call("POST", provider.base + "/token", form=form, basic=provider.client)


def test_port_that_is_held_is_told_to_nobody_as_free():
    with hold_port() as holder, socket.socket() as late:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        late.bind(holder.getsockname())  # the kernel would let him
        assert holder.getsockname()[1] not in FREE_PORTS
    assert free_port() in FREE_PORTS


def test_free_port_is_refused_when_nobody_listens():
    with pytest.raises(ConnectionRefusedError):
        call("GET", f"http://127.0.0.1:{free_port()}/")
