"""What was revoked, rotated, used up or deleted is not in the process's memory any more."""

import secrets
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import documents
import memory_image
import pytest
from daemon import Daemon
from fakes.certificates import Authority
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import CurlUser, basic_header, query_of, wait_until

SHIM = Path(__file__).resolve().parents[1] / "faults" / "freed_secrets_shim.c"
SANITIZED = b"__asan_init" in Daemon.binary("iclientd").read_bytes()
pytestmark = pytest.mark.skipif(SANITIZED, reason="AddressSanitizer keeps freed blocks for a while, and its own allocator")


@pytest.fixture(params=["plain", "tls"])
def provider(request, tmp_path):
    authority = Authority(tmp_path) if request.param == "tls" else None
    with ScriptedProvider(authority) as server:
        server.authority = authority
        yield server


def http_options(provider):
    return {"caFile": provider.authority.ca_file} if provider.authority else {}


@pytest.fixture
def launch(prepare, provider):
    def start(*iclients, config=None):
        daemon = prepare(*iclients, config={"http": http_options(provider), **(config or {})}).start()
        try:
            memory_image.find(daemon.process.pid, {})
        except PermissionError:
            pytest.skip("needs the right to read another process's memory (CAP_SYS_PTRACE)")
        return daemon
    return start


def log_in(daemon, provider, by_paste=False):
    """A login; every secret of it by its name."""
    link = daemon.authorize()
    person = CurlUser()
    started = person.get(link)
    location = started.header("Location")
    sent_back = person.get(location, ca_file=provider.authority and provider.authority.ca_file).header("Location")
    seen = {"ticket": link.rsplit("/", 1)[1], "state": query_of(location)["state"], "code": query_of(sent_back)["code"],
            "cookie": started.header("Set-Cookie").split(";")[0].split("=", 1)[1]}
    if by_paste:
        assert daemon.admin("POST", "/v1/connections/crm/complete", {"redirect_url": sent_back}).status == 200
    else:
        assert person.get(sent_back).status == 200
    return {**seen, "code_verifier": provider.requests_to("/token")[-1].params["code_verifier"]}


def refresh(daemon, name="crm"):
    assert daemon.admin("POST", f"/v1/connections/{name}/refresh").status == 200


def serve_in_every_way(daemon, name="crm"):
    for query in ({}, {"format": "header"}, {"format": "raw"}, {"min_ttl": 10}):
        assert daemon.token(name, **query).status == 200
    assert daemon.admin("GET", f"/v1/connections/{name}").status == 200


def authorization_headers(provider):
    """What provider was sent of this kind: Basic headers as they went over the wire."""
    return {request.headers["Authorization"] for request in provider.requests if "Authorization" in request.headers}


def expect_none(daemon, secrets):
    """At once but for what still runs: a closing connection, a watcher that hears of it."""
    found = []

    def is_clean():
        found[:] = memory_image.find(daemon.process.pid, secrets)
        return not found

    try:
        wait_until(is_clean, timeout=5, interval=0.2)
    except AssertionError:
        pytest.fail("still in memory:\n" + "\n".join(found))


def expect_each(daemon, secrets):
    """So that the search is known to find what is there."""
    found = memory_image.find(daemon.process.pid, secrets)
    for what in secrets:
        assert any(line.startswith(what) for line in found), f"{what} is not where it must be"


def tokens_of(provider):
    return ({f"access token {number}": token for number, token in enumerate(provider.access_tokens, 1)},
            {f"refresh token {number}": token for number, token in enumerate(provider.refresh_tokens, 1)})


def test_revoked_tokens_leave_memory(launch, provider):
    id_token = secrets.token_urlsafe(3000)
    provider.token_extra = {"id_token": id_token}
    daemon = launch(documents.code(provider))
    login = log_in(daemon, provider)
    watcher = daemon.watch()
    watcher.next()
    for _ in range(4):
        serve_in_every_way(daemon)
        refresh(daemon)
        watcher.next()
    serve_in_every_way(daemon)
    access, refresh_tokens = tokens_of(provider)
    assert len(access) == len(refresh_tokens) == 5
    newest = {"access token 5": access.pop("access token 5"), "refresh token 5": refresh_tokens.pop("refresh token 5")}
    expect_each(daemon, newest)
    expect_none(daemon, {**login, **access, **refresh_tokens})
    assert daemon.admin("POST", "/v1/connections/crm/revoke").status == 200
    expect_none(daemon, {**login, **access, **refresh_tokens, **newest, "id token": id_token})
    watcher.close()


def test_login_by_paste_leaves_nothing_of_itself(launch, provider):
    daemon = launch(documents.code(provider))
    expect_none(daemon, log_in(daemon, provider, by_paste=True))


def test_login_that_fails_leaves_nothing_of_itself(launch, provider):
    provider.next("/token", Answer(400, json={"error": "invalid_grant"}))
    daemon = launch(documents.code(provider))
    link = daemon.authorize()
    person = CurlUser()
    location = person.get(link).header("Location")
    sent_back = person.get(location, ca_file=provider.authority and provider.authority.ca_file).header("Location")
    assert person.get(sent_back).status != 200
    expect_none(daemon, {"ticket": link.rsplit("/", 1)[1], "state": query_of(location)["state"],
                         "code": query_of(sent_back)["code"]})


def test_client_secret_leaves_memory_with_its_iclient(launch, provider):
    daemon = launch()
    made = documents.client_credentials(provider)
    daemon.known_secrets |= documents.secrets_in(made)
    row = daemon.admin("POST", "/v1/iClients", made).json()
    serve_in_every_way(daemon)
    headers = {f"header {number}": header for number, header in enumerate(authorization_headers(provider))}
    assert headers == {"header 0": basic_header(*provider.client)}
    secret = {"client secret": provider.client[1]}
    expect_each(daemon, secret)
    expect_none(daemon, headers)
    assert daemon.admin("DELETE", f"/v1/iClients/{row['_id']}").status in (200, 204)
    expect_none(daemon, {**secret, **headers, **tokens_of(provider)[0]})


def test_client_secret_leaves_memory_with_its_file(launch, provider):
    daemon = launch(documents.code(provider))
    log_in(daemon, provider)
    refresh(daemon)
    secret = {"client secret": provider.client[1]}
    expect_each(daemon, secret)
    (daemon.folder / "iclients.d" / "crm.json").unlink()
    assert daemon.reload() == "done"
    expect_none(daemon, secret)


def test_assertion_leaves_memory_once_it_was_used(launch, provider):
    provider.check_client = False
    provider.client = (provider.client[0], 2 * provider.client[1])  # HS256 wants 32 bytes
    daemon = launch(documents.code(provider, oauth2={"tokenAuthMethod": "client_secret_jwt"}))
    log_in(daemon, provider)
    refresh(daemon)
    signatures = {request.params["client_assertion"].rsplit(".", 1)[1] for request in provider.requests_to("/token")}
    assert len(signatures) == 2
    expect_none(daemon, {f"signature {number}": signature for number, signature in enumerate(signatures)})


# The same, seen where it is mended: whoever frees a block with a secret in it is named.

@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "freed_secrets_shim.so"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SHIM], check=True)
    return library


def test_no_block_is_freed_with_a_secret_in_it(prepare, provider, shim):
    daemon = prepare(documents.code(provider), documents.password(provider, "erp"),
                     config={"http": http_options(provider), "sandbox": False})
    seen = daemon.folder / "freed"
    daemon.environment = {"LD_PRELOAD": str(shim), "FREED_SECRETS_FILE": str(seen),
                          "FREED_SECRETS_MARKS": "access-,refresh-,code-,secret-,password-"}
    daemon.start()
    log_in(daemon, provider)
    log_in(daemon, provider, by_paste=True)
    watcher = daemon.watch()
    for name in ("crm", "erp"):
        serve_in_every_way(daemon, name)
        refresh(daemon, name)
    daemon.rejected(generation=1, status=401, body="access-of-somebody-else")
    provider.next("/token", Answer(400, json={"error": "invalid_request", "error_description": "refresh-of-somebody-else"}),
                  Answer(200, text="refresh-of-somebody-else"))
    for _ in range(2):
        daemon.admin("POST", "/v1/connections/erp/refresh")
    row = daemon.admin("POST", "/v1/iClients", documents.client_credentials(provider, "made")).json()
    daemon.admin("PUT", f"/v1/iClients/{row['_id']}", documents.client_credentials(provider, "made", {"scope": ["mail"]}))
    serve_in_every_way(daemon, "made")
    assert daemon.admin("DELETE", f"/v1/iClients/{row['_id']}").status in (200, 204)
    daemon.get("/connect/" + "code-of-nobody" * 4)
    daemon.get("/v1/token/crm?" + urlencode({"format": "secret-of-nobody"}))
    assert daemon.reload() == "done"
    assert daemon.admin("POST", "/v1/connections/crm/revoke").status == 200
    watcher.close()
    daemon.stop()
    assert seen.read_text() == ""
