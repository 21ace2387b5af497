"""Which edits cost a login, and that no edit sends a token to another server than its own."""

import documents
import pytest
from daemon import error_of
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import wait_until
from iclients_api import IClients

NEW_SECRET = "secret-that-was-rotated-to"


# A rotated secret

def rotate_in_file(daemon, document, made):
    daemon.write_iclient(documents.merged(document, {"oauth2": {"clientSecret": NEW_SECRET}}))
    assert daemon.reload() == "done"


def rotate_behind_reference(daemon, document, made):
    (daemon.folder / "secret").write_text(NEW_SECRET)
    assert daemon.reload() == "done"


def rotate_by_put(daemon, document, made):
    reply = IClients(daemon).put(made["_id"], documents.merged(document, {"oauth2": {"clientSecret": NEW_SECRET}}))
    assert reply.status == 200, reply


def rotate_by_json_api(daemon, document, made):
    patch = {"data": {"type": "oauth-client", "attributes": {"client_secret": NEW_SECRET}}}
    reply = daemon.admin("PATCH", f"/v2/tenants/default/oauth-clients/{made['_id']}", patch)
    assert reply.status == 200, reply.text


ROTATIONS = [
    ("file", rotate_in_file), ("file", rotate_behind_reference), ("api", rotate_by_put), ("api", rotate_by_json_api),
]


@pytest.mark.parametrize("place, rotate", ROTATIONS, ids=[rotate.__name__ for _, rotate in ROTATIONS])
def test_rotated_secret_costs_no_login(prepare, provider, place, rotate):
    daemon = prepare()
    daemon.known_secrets.add(NEW_SECRET)
    document = documents.code(provider)
    made = None
    if rotate is rotate_behind_reference:
        (daemon.folder / "secret").write_text(provider.client[1])
        document["oauth2"]["clientSecret"] = {"$file": str(daemon.folder / "secret")}
    if place == "file":
        daemon.write_iclient(document)
    daemon.start()
    if place == "api":
        made = IClients(daemon).create(document)
    daemon.login()
    before = daemon.token().json()["access_token"]
    provider.client = (provider.client[0], NEW_SECRET)
    rotate(daemon, document, made)
    assert daemon.token().json()["access_token"] == before
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    after = daemon.token().json()
    daemon.known_secrets.add(after["access_token"])
    assert after["access_token"] != before and after["stale_reason"] is None
    assert provider.count("/token", grant_type="authorization_code") == 1


def test_forty_connections_go_on_after_a_rotation_that_the_server_made_first(launch, provider):
    """The server refuses the old secret before the daemon has the new one: all are refused, and none needs a login."""
    names = [f"c{number}" for number in range(40)]
    document = documents.code(provider)
    daemon = launch(document, connections=[{"name": name, "iClient": "crm", "refresh": "onDemand"} for name in names])
    daemon.known_secrets.add(NEW_SECRET)
    provider.lifetime = 1
    for name in names:
        daemon.login(name)
    provider.client = (provider.client[0], NEW_SECRET)
    wait_until(lambda: daemon.token(names[0]).status == 502, what="the old secret to be refused")
    assert error_of(daemon.token(names[1]))["code"] == "client_rejected"
    provider.lifetime = 3600
    rotate_in_file(daemon, document, None)
    replies = {name: daemon.token(name, wait=20) for name in names}
    assert {reply.status for reply in replies.values()} == {200}
    assert provider.count("/token", grant_type="authorization_code") == len(names)
    assert {row["state"] for name, row in daemon.connections().items() if name in names} == {"ready"}


def test_query_of_the_token_uri_costs_no_login(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    before = daemon.token().json()["access_token"]
    daemon.write_iclient(documents.code(provider, oauth2={"token": {"uri": provider.token_uri + "?version=2"}}))
    assert daemon.reload() == "done"
    assert daemon.token().json()["access_token"] == before
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    daemon.known_secrets.add(daemon.token().json()["access_token"])
    assert provider.requests_to("/token")[-1].query == {"version": "2"}


# Another server

@pytest.fixture
def towns(provider):
    """Two servers on one port of two addresses, as two shops of one provider."""
    with ScriptedProvider(host="127.0.0.2", port=provider.port) as other:
        yield {"127.0.0.1": provider, "127.0.0.2": other}


def shop_iclient(provider):
    base = "http://{{{connection.settings.host}}}:" + str(provider.port)
    return documents.code(provider, "shop", oauth2={
        "validDomainNames": ["127.0.0.1", "127.0.0.2"], "token": {"uri": base + "/token"}, "revoke": {"uri": base + "/revoke"}})


def of_host(host):
    return {"name": "mine", "iClient": "shop", "settings": {"host": host}}


def move_in_file(daemon, host):
    daemon.write_connection(of_host(host))
    assert daemon.reload() == "done"


def move_by_api(daemon, host):
    reply = daemon.admin("PUT", "/v1/connections/mine", of_host(host))
    assert reply.status == 200, reply


@pytest.mark.parametrize("move", [move_in_file, move_by_api])
def test_tokens_of_one_shop_are_not_for_another(prepare, provider, towns, move):
    daemon = prepare(shop_iclient(provider))
    if move is move_in_file:
        daemon.write_connection(of_host("127.0.0.1"))
    daemon.start()
    if move is move_by_api:
        assert daemon.admin("POST", "/v1/connections", of_host("127.0.0.1")).status == 201
    daemon.login("mine")
    before = daemon.token("mine").json()["access_token"]
    move(daemon, "127.0.0.2")
    reply = daemon.token("mine")
    assert reply.status == 409 and error_of(reply)["code"] == "authorization_required"
    row = daemon.admin("GET", "/v1/connections/mine").json()
    assert row["last_error"]["code"] == "configuration_changed"
    assert f"was http://127.0.0.1:{provider.port} and is now http://127.0.0.2:{provider.port}" in row["last_error"]["message"]
    assert daemon.admin("POST", "/v1/connections/mine/refresh").status == 409
    daemon.restart()
    assert daemon.token("mine").status == 409
    assert towns["127.0.0.2"].requests == []
    move(daemon, "127.0.0.1")
    assert daemon.token("mine").json()["access_token"] == before
    assert provider.count("/token", grant_type="authorization_code") == 1


def test_revocation_does_not_go_to_another_shop(launch, provider, towns):
    daemon = launch(shop_iclient(provider), connections=[of_host("127.0.0.1")])
    daemon.login("mine")
    daemon.token("mine")
    move_in_file(daemon, "127.0.0.2")
    reply = daemon.admin("POST", "/v1/connections/mine/revoke")
    assert "127.0.0.2" in reply.text, reply.text
    assert towns["127.0.0.2"].requests == [] and provider.count("/revoke") == 0


# Another account or client, named by a token body of the iClient's own

KEY = "key-of-the-jwt-0123456789abcdef0123456789"
WHO = "{{{connection.settings.who}}}"


def body_with_client(provider):
    return documents.client_credentials(provider, oauth2={"clientSecret": None, "token": {
        "body": {"grant_type": "client_credentials", "client_id": WHO}}})


def body_with_username(provider):
    return documents.password(provider, oauth2={"token": {
        "body": {"grant_type": "password", "username": WHO, "password": "{{{connection.password}}}"}}})


def body_with_jwt(provider):
    return documents.client_credentials(
        provider, enableJWT=True, jwt={"signatureMethod": "HS256", "secret": KEY, "payload": {"sub": WHO}},
        oauth2={"token": {"body": {"grant_type": "client_credentials", "assertion": "{{{iClient.jwt.token}}}"}}})


def of_account(who):
    return {"name": "mine", "iClient": "crm", "settings": {"who": who}}


@pytest.mark.parametrize("make", [body_with_client, body_with_username, body_with_jwt])
def test_token_of_an_account_that_the_body_names_is_not_for_another(launch, provider, make):
    provider.on("/token", lambda request: Answer(json=provider.issue(refresh=False)))
    daemon = launch(make(provider), connections=[of_account("ann")])
    of_ann = daemon.token("mine").json()["access_token"]
    daemon.write_connection(of_account("bob"))
    assert daemon.reload() == "done"
    reply = daemon.token("mine", wait=20)
    assert reply.status == 200 and reply.json()["access_token"] != of_ann
    assert len(provider.requests_to("/token")) == 2


# Scope

def test_narrower_scope_is_refreshed_to_at_once(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    before = daemon.token().json()
    daemon.write_iclient(documents.code(provider, oauth2={"scope": ["mail"]}))
    assert daemon.reload() == "done"
    wait_until(lambda: daemon.token().json()["generation"] > before["generation"], what="the refresh")
    assert provider.requests_to("/token")[-1].params["scope"] == "mail"
    after = daemon.token().json()
    assert after["scope"] == "mail" and after["stale_reason"] is None
    assert provider.count("/token", grant_type="authorization_code") == 1


def test_other_scope_of_a_login_is_told_and_the_token_served(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    before = daemon.token().json()
    daemon.write_iclient(documents.code(provider, oauth2={"scope": ["mail", "calendar"]}))
    assert daemon.reload() == "done"
    after = daemon.token().json()
    assert after["access_token"] == before["access_token"] and after["stale_reason"] == "scope_changed"
    row = daemon.admin("GET", "/v1/connections/crm").json()
    assert row["state"] == "ready" and row["last_error"]["code"] == "scope_changed"
    assert "a login would bring" in row["last_error"]["message"]
    daemon.login()
    assert daemon.token().json()["stale_reason"] is None


def test_other_scope_without_a_login_is_fetched_at_once(launch, provider):
    daemon = launch(documents.client_credentials(provider, oauth2={"scope": ["a"]}))
    before = daemon.token().json()
    daemon.write_iclient(documents.client_credentials(provider, oauth2={"scope": ["a", "b"]}))
    assert daemon.reload() == "done"
    wait_until(lambda: daemon.token().json()["generation"] > before["generation"], what="the exchange")
    assert provider.requests_to("/token")[-1].params["scope"] == "a b"
