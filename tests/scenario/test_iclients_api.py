"""iClients and connections made through the admin API: integrator.io's contract, kept encrypted, at work at once."""

import json
import re
import resource
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import documents
import pytest
from daemon import ROOT, UnixConnection, error_of
from documents import merged
from fakes.scripted_provider import Answer
from fakes.support import wait_until
from iclients_api import IClients, fields

MASK = "******"
UNKNOWN = "5d0123456789abcdef012345"


@pytest.fixture
def daemon(launch, provider):
    return launch()


@pytest.fixture
def iclients(daemon):
    return IClients(daemon)


def make_connection(daemon, document, status=201):
    daemon.known_secrets |= documents.secrets_in(document)
    reply = daemon.admin("POST", "/v1/connections", document)
    assert reply.status == status, reply
    return reply.json()


# iClients: create, read, list

def test_created_iclient_serves_tokens_at_once(daemon, iclients, provider):
    sent = documents.client_credentials(provider)
    made = iclients.create(sent)
    assert re.fullmatch("[0-9a-f]{24}", made["_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["lastModified"])
    assert made["name"] == "crm" and made["oauth2"]["clientId"] == sent["oauth2"]["clientId"]
    assert made["published"] is False and made["formType"] == "http"
    assert daemon.token().status == 200
    assert iclients.get(made["_id"]).json() == made
    assert iclients.get(made["_id"].upper()).json() == made
    assert iclients.list() == [made]


def test_created_reply_says_where_it_is(daemon, provider):
    reply = daemon.admin("POST", "/v1/iClients", documents.client_credentials(provider))
    assert reply.status == 201 and reply.header("Location") == "/v1/iClients/" + reply.json()["_id"]


def test_list_is_an_empty_array_without_iclients(iclients):
    assert iclients.list() == []


def test_paths_ignore_case(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    for path in ("/v1/iclients", "/v1/ICLIENTS", "/V1/iClients"):
        for slash in ("", "/"):
            assert daemon.admin("GET", path + slash).json() == [made]
            assert daemon.admin("GET", f"{path}/{made['_id']}{slash}").json() == made
            assert daemon.admin("GET", f"{path}/{made['_id']}/dependencies{slash}").json() == {}
    made = daemon.admin("POST", "/v1/iclients/", documents.client_credentials(provider, "second")).json()
    assert iclients.get(made["_id"]).status == 200


def test_scope_text_comes_back_as_an_array(iclients, provider):
    made = iclients.create(documents.client_credentials(provider, oauth2={"scope": "openid profile"}))
    assert made["oauth2"]["scope"] == ["openid profile"]


def test_long_list_is_sent_whole_to_a_slow_reader(daemon, iclients, provider):
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda i: iclients.create(documents.client_credentials(provider, f"n{i}", description="d" * 4000))["_id"],
                            range(200)))
    connection = UnixConnection(daemon.admin_socket)
    connection.request("GET", "/v1/iClients")
    answer = connection.getresponse()
    head = answer.read(10)
    assert daemon.token("n0").status == 200, "others are served meanwhile"
    assert iclients.delete(ids[0]).status == 204
    rows = json.loads(head + answer.read())
    assert {row["_id"] for row in rows} == set(ids), "the list is of the moment when it was asked for"
    connection.close()
    assert len(iclients.list()) == 199


def test_what_came_from_elsewhere_is_made_anew(iclients, provider):
    first = iclients.create(documents.client_credentials(provider))
    copy = iclients.create({**first, "name": "copy", "oauth2": {**first["oauth2"], "clientSecret": "another"}})
    assert copy["_id"] != first["_id"]


def test_file_iclients_are_listed_with_their_files_time(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    iclients = IClients(daemon)
    row, = iclients.list()
    assert row["lastModified"].startswith("20")
    assert iclients.get(row["_id"]).json() == row


# Faults

def test_all_faults_come_at_once_with_their_pointers(iclients, provider):
    reply = iclients.call("POST", "", documents.client_credentials(
        provider, oauth2={"cliendId": "x", "grantType": "implicit", "token": {"uri": "http://example.com/"}}, activ=True))
    assert reply.status == 422
    assert {"/oauth2/cliendId", "/oauth2/grantType", "/activ"} <= fields(reply)
    assert {error["code"] for error in reply.json()["errors"]} == {"invalid_iclient"}
    assert "clientId" in reply.text and reply.json()["retryable"] is False
    assert iclients.list() == []


@pytest.mark.parametrize("change, field", [
    ({"provider": "gooogle"}, "/provider"), ({"name": "a b"}, "/name"), ({"name": "../etc"}, "/name"), ({"name": None}, "/name"),
    ({"oauth2": {"clientSecret": MASK}}, "/oauth2/clientSecret"), ({"type": "public"}, None),
    ({"oauth2": {"clientSecret": {"$file": "/etc/shadow"}}}, "/oauth2/clientSecret"),
    ({"oauth2": {"clientSecret": {"$env": "HOME"}}}, "/oauth2/clientSecret"), ({"allowedGrants": ["password"]}, None),
    ({"refreshCount": -1}, "/refreshCount"), ({"accessTokenLifetime": "soon"}, "/accessTokenLifetime"),
    ({"enableJWT": True, "jwt": {"signatureMethod": "RS256", "privateKey": "not a PEM"}}, "/jwt/privateKey"),
], ids=str)
def test_bad_document_is_refused_with_its_field(iclients, provider, change, field):
    reply = iclients.call("POST", "", documents.client_credentials(provider, **change))
    assert reply.status == 422, reply
    assert field is None or field in fields(reply), reply


def test_provider_is_required_although_a_preset_says_it_too(launch, provider):
    iclients = IClients(launch(config={"presetDir": str(ROOT / "conf" / "providers")}))
    made = iclients.create(documents.client_credentials(provider))
    for method, path in (("POST", ""), ("PUT", "/" + made["_id"])):
        reply = iclients.call(method, path, documents.client_credentials(provider, provider=None))
        assert reply.status == 422 and fields(reply) == {"/provider"}, reply


@pytest.mark.parametrize("body", ["", "{", "[]", "5", '{"name": "a", "name": "b"}'])
def test_what_is_no_json_object_is_a_bad_request(daemon, body):
    head = f"POST /v1/iClients HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    assert daemon.raw((head + body).encode(), daemon.admin_socket).startswith(b"HTTP/1.1 400 ")


def test_large_body_is_refused(daemon, provider):
    document = documents.client_credentials(provider, description="d" * 260 * 1024)
    reply = daemon.admin("POST", "/v1/iClients", document)
    assert reply.status == 413


@pytest.mark.parametrize("identity", ["x", "5d0123456789abcdef01234", "5d0123456789abcdef0123456", "zd0123456789abcdef012345"])
def test_what_is_no_id_is_a_bad_request(iclients, identity):
    for reply in (iclients.get(identity), iclients.put(identity, {}), iclients.patch(identity, []), iclients.delete(identity),
                  iclients.dependencies(identity)):
        assert reply.status == 400 and fields(reply) == {"_id"}


def test_unknown_id_is_not_found_but_nothing_depends_on_it(iclients, provider):
    for reply in (iclients.get(UNKNOWN), iclients.put(UNKNOWN, documents.client_credentials(provider)), iclients.patch(UNKNOWN, []),
                  iclients.delete(UNKNOWN)):
        assert reply.status == 404 and error_of(reply)["code"] == "not_found"
    assert iclients.dependencies(UNKNOWN).json() == {}


def test_name_and_version_are_unique_whatever_their_case(iclients, provider):
    iclients.create(documents.client_credentials(provider, version="v1"))
    reply = iclients.call("POST", "", documents.client_credentials(provider, "CRM", version="V1"))
    assert reply.status == 422 and fields(reply) == {"/name"}
    iclients.create(documents.client_credentials(provider, "CRM", version="v2"))


def test_only_operators_may_use_it(daemon, iclients):
    daemon.admin_socket.chmod(0o666)
    daemon.admin_socket.parent.chmod(0o755)
    status, text = daemon.get_as("/v1/iClients", 65534, admin=True)
    assert status == 403 and json.loads(text)["errors"][0]["code"] == "not_allowed"
    assert daemon.get("/v1/iClients").status == 404, "the token socket knows nothing of it"


# Secrets

def test_secrets_are_masked_in_every_reply(iclients, provider):
    document = documents.password(provider, oauth2={"encrypted": {"key": "hidden-one", "deep": {"er": "hidden-two"}}})
    made = iclients.create(document)
    assert made["oauth2"]["clientSecret"] == made["oauth2"]["password"] == MASK
    assert made["oauth2"]["encrypted"] == {"key": MASK, "deep": {"er": MASK}}
    replies = [iclients.get(made["_id"]).text, json.dumps(iclients.list()), iclients.put(made["_id"], made).text]
    for text in replies:
        assert "hidden" not in text and document["oauth2"]["clientSecret"] not in text and document["oauth2"]["password"] not in text


SPOILED = {
    "in a list": lambda value: [value], "in an object": lambda value: {"x": value}, "too long": lambda value: f"{value}" * 400,
    "with a control character": lambda value: f"{value}\n\x01", "with a broken template": lambda value: f"{value}{{{{#if x}}}} {{{{{{y",
    "as a reference": lambda value: {"$file": value}, "as an unknown reference": lambda value: {"$vault": value},
}


def members_of(document, place=()):
    for name, value in document.items() if isinstance(document, dict) else enumerate(document):
        yield (*place, name)
        if isinstance(value, (dict, list)):
            yield from members_of(value, (*place, name))


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_no_error_reply_repeats_a_secret(daemon, iclients, provider, spoil):
    """Each member in turn is what it must not be."""
    good = documents.password(provider, name="spoiled", enableJWT=True,
                              jwt={"signatureMethod": "HS256", "secret": "hidden-" + "j" * 40},
                              oauth2={"clientSecret": "hidden-client", "username": "somebody", "password": "hidden-password",
                                      "encrypted": {"key": "hidden-key"},
                                      "token": {"uri": provider.token_uri, "headers": [{"name": "X-Api-Key", "value": "hidden-header"}],
                                                "body": {"api_key": "hidden-body"}}})
    refused = set()
    for place in members_of(good):
        document = json.loads(json.dumps(good))
        level = document
        for name in place[:-1]:
            level = level[name]
        level[place[-1]] = spoil(level[place[-1]])
        reply = daemon.admin("POST", "/v1/iClients", document)
        daemon.known_secrets |= {"hidden-client", "hidden-password", "hidden-key", "hidden-header", "hidden-body"}
        if reply.status == 201:
            iclients.delete(reply.json()["_id"])
        else:
            assert reply.status == 422, (place, reply)
            refused.add(place)
        assert "hidden-" not in reply.text, place
    assert len(refused) >= 5


WRITTEN = [
    ("account=7&api_token=hidden-two", "X-Api-Key: hidden-one\nAccept: application/json"),
    ('{"account":"7","api_token":"hidden-two"}', json.dumps({"X-Api-Key": "hidden-one", "Accept": "application/json"})),
]


@pytest.mark.parametrize("body, headers", WRITTEN, ids=["form", "JSON"])
def test_literal_secrets_of_headers_and_bodies_are_masked_and_stay(daemon, iclients, provider, body, headers):
    made = iclients.create(documents.client_credentials(provider, oauth2={"token": {"headers": headers, "body": body}}))
    assert json.loads(made["oauth2"]["token"]["headers"]) == [{"name": "X-Api-Key", "value": MASK}, {"name": "Accept", "value": "application/json"}]
    assert json.loads(made["oauth2"]["token"]["body"]) == {"account": "7", "api_token": MASK}
    listed = json.dumps([iclients.get(made["_id"]).json(), iclients.list()])
    put = iclients.put(made["_id"], merged(made, {"oauth2": {"token": {"body": f"account=8&api_token={MASK}"}}}))
    assert put.status == 200 and "hidden" not in listed + put.text
    daemon.token()
    sent = provider.requests_to("/token")[-1]
    assert sent.headers["X-Api-Key"] == "hidden-one" and sent.params["api_token"] == "hidden-two" and sent.params["account"] == "8"


def test_mask_that_stands_for_no_literal_is_refused(iclients, provider):
    reply = iclients.call("POST", "", documents.client_credentials(provider, oauth2={"token": {"headers": f"X-Api-Key: {MASK}"}}))
    assert reply.status == 422 and fields(reply) == {"/oauth2/token/headers"}


def test_masked_or_omitted_secret_stays_and_a_new_one_replaces_it(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    first = daemon.token().json()
    without = merged(made, {"oauth2": {"clientSecret": None}})
    for document in (made, without):
        assert iclients.put(made["_id"], document).status == 200
        assert daemon.token().json()["access_token"] == first["access_token"], "the same identity keeps its tokens"
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert provider.requests_to("/token")[-1].basic == provider.client
    provider.client = (provider.client[0], "the-new-secret")
    iclients.put(made["_id"], merged(made, {"oauth2": {"clientSecret": "the-new-secret"}}))
    assert daemon.token().json()["generation"] == 2, "a new secret keeps the tokens"
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    assert provider.requests_to("/token")[-1].basic == provider.client


def test_null_takes_a_secret_away(iclients, provider):
    made = iclients.create(documents.code(provider))
    document = merged(made, {"type": "public"})
    assert iclients.put(made["_id"], document).status == 422
    document["oauth2"]["clientSecret"] = None
    changed = iclients.put(made["_id"], document)
    assert changed.status == 200 and "clientSecret" not in changed.json()["oauth2"]


# Replace

def test_replace_resets_what_is_left_out(iclients, provider):
    made = iclients.create(documents.client_credentials(provider, description="old", refreshCount=3))
    reply = iclients.put(made["_id"], documents.client_credentials(provider))
    assert reply.status == 200
    changed = reply.json()
    assert "description" not in changed and "refreshCount" not in changed and changed["_id"] == made["_id"]


def test_name_stays_and_need_not_be_said(iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    reply = iclients.put(made["_id"], documents.client_credentials(provider, "other"))
    assert reply.status == 422 and fields(reply) == {"/name"}
    assert iclients.put(made["_id"], merged(documents.client_credentials(provider), {"name": None})).json()["name"] == "crm"


def test_connector_stays_and_need_not_be_said(iclients, provider):
    first, second = "5d0123456789abcdef012345", "5d0123456789abcdef012346"
    made = iclients.create(documents.client_credentials(provider))
    assert iclients.put(made["_id"], documents.client_credentials(provider, _httpConnectorId=first)).status == 200
    for other in (second, None):
        changed = {**documents.client_credentials(provider), "_httpConnectorId": other}
        reply = iclients.put(made["_id"], changed)
        assert reply.status == 422 and fields(reply) == {"/_httpConnectorId"}, reply
    assert iclients.put(made["_id"], documents.client_credentials(provider)).json()["_httpConnectorId"] == first


def test_broken_replacement_changes_nothing(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    assert iclients.put(made["_id"], {"provider": "custom_oauth2", "oauth2": {"grantType": "implicit"}}).status == 422
    assert iclients.get(made["_id"]).json() == made
    assert daemon.token().status == 200


def test_edit_that_would_break_a_connection_names_it(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    reply = iclients.put(made["_id"], documents.iclient(provider, provider.client, "password"))
    assert reply.status == 422 and "sales" in reply.text and "username" in reply.text
    assert daemon.token("sales").status == 200


def test_edit_reaches_every_connection_of_the_iclient(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    for name, reference in (("one", "crm"), ("two", made["_id"])):
        make_connection(daemon, {"name": name, "iClient": reference})
    iclients.put(made["_id"], merged(made, {"oauth2": {"scheme": "Token"}}))
    for name in ("one", "two"):
        assert daemon.token(name).json()["request"]["value"].startswith("Token ")


# Patch

def test_patch_changes_the_fail_path(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    writes = daemon.metrics()["iclientd_store_writes_total"]
    assert iclients.patch(made["_id"], []).status == 204
    assert iclients.get(made["_id"]).json() == made, "nothing changed"
    assert daemon.metrics()["iclientd_store_writes_total"] == writes, "lastModified neither"
    for operation in ("replace", "add"):
        reply = iclients.patch(made["_id"], [{"op": operation, "path": "/oauth2/failPath", "value": operation}])
        assert reply.status == 204 and reply.body == b""
        assert iclients.get(made["_id"]).json()["oauth2"]["failPath"] == operation
    assert iclients.patch(made["_id"], [{"op": "remove", "path": "/oauth2/failPath"}]).status == 204
    assert "failPath" not in iclients.get(made["_id"]).json()["oauth2"]
    assert daemon.token().status == 200


def test_patch_that_removes_the_fail_path_removes_its_values(iclients, provider):
    made = iclients.create(documents.client_credentials(provider, oauth2={"failPath": "error", "failValues": ["gone"]}))
    assert iclients.patch(made["_id"], [{"op": "remove", "path": "/oauth2/failPath"}]).status == 204
    assert not {"failPath", "failValues"} & set(iclients.get(made["_id"]).json()["oauth2"])


@pytest.mark.parametrize("patch, message", [
    ({"op": "replace"}, "invalid patch data"), ("text", "invalid patch data"), ([5], "invalid patch data"),
    ([{"op": "replace", "path": "/oauth2/failPath"}], "invalid patch data"),
    ([{"op": "replace", "path": "/name", "value": "x"}], "/name is not a whitelisted property"),
    ([{"op": "add", "path": "/oauth2/failValues", "value": "x"}], "/oauth2/failValues is not a whitelisted property"),
    ([{"op": "remove", "path": "/oauth2/clientId"}], "/oauth2/clientId is not a whitelisted property"),
], ids=str)
def test_any_other_patch_is_refused(iclients, provider, patch, message):
    made = iclients.create(documents.client_credentials(provider))
    reply = iclients.patch(made["_id"], patch)
    assert reply.status == 422 and error_of(reply)["message"] == message
    assert iclients.get(made["_id"]).json() == made


# Delete, dependencies

def test_iclient_in_use_is_not_deleted_and_its_users_are_listed(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    assert iclients.dependencies(made["_id"]).json() == {}
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    reply = iclients.delete(made["_id"])
    assert reply.status == 422 and error_of(reply)["code"] == "delete_not_allowed" and "sales" in error_of(reply)["message"]
    row, = iclients.dependencies(made["_id"]).json()["connections"]
    assert row["id"] == row["name"] == "sales" and row["dependencyIds"] == {"iClients": [made["_id"]]}
    assert daemon.admin("DELETE", "/v1/connections/sales").status == 204
    assert iclients.dependencies(made["_id"]).json() == {}
    assert iclients.delete(made["_id"]).status == 204
    assert iclients.get(made["_id"]).status == 404 and iclients.list() == []


def test_deleted_iclient_takes_its_own_connection_along(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    token = daemon.token().json()["access_token"]
    assert iclients.delete(made["_id"]).status == 204
    assert daemon.token().status == 404
    wait_until(lambda: token in provider.revoked, what="the revocation")
    iclients.create(documents.client_credentials(provider))
    assert daemon.token().json()["access_token"] != token


def test_connection_in_a_file_keeps_an_iclient_too(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    daemon.write_connection({"name": "sales", "iClient": "crm"})
    assert daemon.reload() == "done"
    assert daemon.token("sales").status == 200
    reply = iclients.delete(made["_id"])
    assert reply.status == 422 and "sales.json" in error_of(reply)["message"]


# Files

def test_documents_of_files_are_read_only_and_say_which_file(launch, provider):
    daemon = launch(documents.client_credentials(provider), documents.client_credentials(provider, "idle"),
                    connections=[{"name": "sales", "iClient": "crm"}])
    iclients = IClients(daemon)
    identity, idle = (row["_id"] for row in iclients.list())
    patch = [{"op": "replace", "path": "/oauth2/failPath", "value": "error"}]
    for reply in (iclients.put(identity, documents.client_credentials(provider)), iclients.patch(identity, patch)):
        assert reply.status == 422 and error_of(reply)["code"] == "read_only" and "crm.json" in error_of(reply)["message"]
    reply = iclients.delete(idle)
    assert reply.status == 422 and error_of(reply)["code"] == "read_only" and "idle.json" in error_of(reply)["message"]
    for method, document in (("PUT", {"iClient": "crm"}), ("DELETE", None)):
        reply = daemon.admin(method, "/v1/connections/sales", document)
        assert reply.status == 422 and error_of(reply)["code"] == "read_only" and "sales.json" in error_of(reply)["message"]
    make_connection(daemon, {"name": "more", "iClient": "crm"})
    assert daemon.token("more").status == 200


def test_iclient_of_a_file_answers_what_is_wrong_with_the_request_itself(launch, provider):
    daemon = launch(documents.client_credentials(provider), connections=[{"name": "sales", "iClient": "crm"}])
    iclients = IClients(daemon)
    made, = iclients.list()
    reply = iclients.patch(made["_id"], [{"op": "replace", "path": "/name", "value": "x"}])
    assert reply.status == 422 and error_of(reply)["message"] == "/name is not a whitelisted property"
    assert error_of(iclients.patch(made["_id"], {}))["message"] == "invalid patch data"
    assert iclients.patch(made["_id"], []).status == 204
    reply = iclients.delete(made["_id"])
    assert reply.status == 422 and error_of(reply)["code"] == "delete_not_allowed" and "sales" in error_of(reply)["message"]


def test_file_that_takes_a_name_is_refused_with_both(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    daemon.write_iclient(documents.client_credentials(provider, "CRM"), "thief")
    assert daemon.reload() == "refused"
    assert made["_id"] in daemon.log() and "thief.json" in daemon.log()
    assert daemon.token().status == 200
    (daemon.folder / "iclients.d" / "thief.json").unlink()
    assert daemon.reload() == "done"


def test_reload_keeps_what_was_made_through_the_api(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    token = daemon.token("sales").json()["access_token"]
    daemon.write_iclient(documents.client_credentials(provider, "erp"))
    assert daemon.reload() == "done"
    assert daemon.token("sales").json()["access_token"] == token
    assert {row["name"] for row in iclients.list()} == {"crm", "erp"}
    assert iclients.get(made["_id"]).json() == made


# Persistence

def test_restart_brings_everything_back(daemon, iclients, provider):
    made = iclients.create(documents.code(provider))
    make_connection(daemon, {"name": "anna", "iClient": "crm", "settings": {"a": 1}})
    gone = iclients.create(documents.client_credentials(provider, "gone"))
    iclients.delete(gone["_id"])
    iclients.patch(made["_id"], [{"op": "replace", "path": "/oauth2/failPath", "value": "error"}])
    daemon.login("anna")
    token = daemon.token("anna").json()["access_token"]
    shown = iclients.list(), daemon.admin("GET", "/v1/connections/anna").json()["document"]
    daemon.kill()
    daemon.start()
    assert (iclients.list(), daemon.admin("GET", "/v1/connections/anna").json()["document"]) == shown
    assert daemon.token("anna").json()["access_token"] == token
    assert daemon.admin("POST", "/v1/connections/anna/refresh").status == 200, "the client secret is back as well"


def test_store_that_refuses_changes_nothing(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    soft, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        for reply in (iclients.call("POST", "", documents.client_credentials(provider, "other")),
                      iclients.put(made["_id"], merged(made, {"description": "new"})), iclients.delete(made["_id"])):
            assert reply.status == 503 and error_of(reply)["code"] == "store_unavailable" and reply.json()["retryable"] is True
        assert iclients.list() == [made]
    finally:
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
    assert iclients.put(made["_id"], merged(made, {"description": "new"})).status == 200
    iclients.create(documents.client_credentials(provider, "other"))


def test_writers_of_one_document_never_mix(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    statuses = []

    def write(number):
        for turn in range(20):
            statuses.append(iclients.put(made["_id"], merged(made, {"description": f"{number}-{turn}"})))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in statuses} <= {200, 409} and len(statuses) == 80
    for reply in statuses:
        if reply.status == 409:
            assert error_of(reply)["code"] == "conflict" and reply.json()["retryable"] is True
    last = iclients.get(made["_id"]).json()
    daemon.restart()
    assert iclients.get(made["_id"]).json() == last


def test_reloads_amid_writes_lose_nothing(daemon, iclients, provider):
    done = threading.Event()
    made = []

    def write():
        while not done.is_set():
            made.append(iclients.create(documents.client_credentials(provider, f"n{len(made)}"))["_id"])

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(5):
        assert daemon.reload() == "done"
    done.set()
    writer.join()
    assert {row["_id"] for row in iclients.list()} == set(made)
    daemon.restart()
    assert {row["_id"] for row in iclients.list()} == set(made)


# Tenants

def test_tenants_do_not_see_one_another(daemon, iclients, provider):
    own = iclients.create(documents.client_credentials(provider, tenant="acme", component="mail"))
    assert own["tenant"] == "acme" and iclients.list() == [] and iclients.list("acme") == [own]
    assert iclients.get(own["_id"]).status == 404 and iclients.get(own["_id"] + "?tenant=acme").status == 200
    assert iclients.delete(own["_id"]).status == 404
    reply = iclients.call("POST", "?tenant=acme", documents.client_credentials(provider, "other", component="mail"))
    assert reply.status == 422 and fields(reply) == {"/component"}
    reply = iclients.call("POST", "?tenant=acme", documents.client_credentials(provider, "other", tenant="else"))
    assert reply.status == 422 and "/tenant" in fields(reply)
    other = iclients.call("POST", "?tenant=else", documents.client_credentials(provider, component="mail"))
    assert other.status == 201 and other.json()["tenant"] == "else"
    assert daemon.admin("POST", "/v1/connections?tenant=acme", {"name": "sales", "iClient": "crm"}).status == 201
    assert daemon.token("sales").status == 404 and daemon.token("sales", tenant="acme").status == 200
    assert iclients.put(own["_id"] + "?tenant=acme", own).status == 200


# Connections

def test_connection_is_made_changed_and_deleted(daemon, iclients, provider):
    iclients.create(documents.client_credentials(provider))
    made = make_connection(daemon, {"name": "sales", "iClient": "crm", "scope": "a b", "encrypted": {"k": "hidden-one"}})
    assert made["name"] == "sales" and made["state"] == "empty"
    assert made["document"] == {"name": "sales", "iClient": "crm", "scope": ["a b"], "encrypted": {"k": MASK}}
    assert daemon.token("sales").status == 200 and provider.requests_to("/token")[-1].params["scope"] == "a b"
    assert daemon.token("crm").status == 404, "the iClient is named by a connection now"
    reply = daemon.admin("PUT", "/v1/connections/sales", {**made["document"], "scope": ["c"]})
    assert reply.status == 200 and reply.json()["document"]["scope"] == ["c"]
    assert daemon.token("sales").status == 200
    wait_until(lambda: daemon.token("sales").json()["generation"] == 2, what="a token of the new scope")
    assert provider.requests_to("/token")[-1].params["scope"] == "c"
    token = daemon.token("sales").json()["access_token"]
    reply = daemon.admin("DELETE", "/v1/connections/sales")
    assert (reply.status, reply.body) == (204, b"")
    assert token in provider.revoked
    assert daemon.token("sales").status == 404 and daemon.token("crm").status == 200
    daemon.restart()
    assert daemon.token("sales").status == 404 and daemon.token("crm").status == 200


@pytest.mark.parametrize("document, field", [
    ({"name": "a b"}, "/name"), ({"name": "a/b"}, "/name"), ({"name": "sales\n"}, "/name"), ({"name": ""}, "/name"), ({}, "/name"),
    ({"name": "crm2", "iClient": "crn"}, "/iClient"), ({"name": "x", "scop": "a"}, "/scop"), ({"name": "x", "tenant": 5}, "/tenant"),
    ({"name": "x", "password": MASK}, "/password"), ({"name": "x", "allow": {"users": ["no-such-user"]}}, "/allow"),
], ids=str)
def test_bad_connection_is_refused_with_its_field(daemon, iclients, provider, document, field):
    iclients.create(documents.client_credentials(provider))
    reply = daemon.admin("POST", "/v1/connections", {"iClient": "crm", **document})
    assert reply.status == 422 and error_of(reply)["code"] == "invalid_connection" and field in fields(reply), reply


def test_connection_names_are_unique_and_stay(daemon, iclients, provider):
    iclients.create(documents.client_credentials(provider))
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    reply = daemon.admin("POST", "/v1/connections", {"name": "sales", "iClient": "crm"})
    assert reply.status == 422 and fields(reply) == {"/name"}
    reply = daemon.admin("PUT", "/v1/connections/sales", {"name": "other", "iClient": "crm"})
    assert reply.status == 422 and fields(reply) == {"/name"}
    for method, document in (("PUT", {"iClient": "crm"}), ("DELETE", None)):
        assert daemon.admin(method, "/v1/connections/nobody", document).status == 404


def test_implicit_connection_can_be_made_a_real_one_but_not_deleted(daemon, iclients, provider):
    iclients.create(documents.client_credentials(provider))
    token = daemon.token().json()["access_token"]
    reply = daemon.admin("DELETE", "/v1/connections/crm")
    assert reply.status == 422 and error_of(reply)["code"] == "delete_not_allowed"
    reply = daemon.admin("PUT", "/v1/connections/crm", {"iClient": "crm", "description": "mine"})
    assert reply.status == 200 and reply.json()["document"]["description"] == "mine"
    assert daemon.token().json()["access_token"] == token, "it is the same authorization"


def test_masked_or_omitted_password_of_a_connection_stays(daemon, iclients, provider):
    iclients.create(documents.iclient(provider, provider.client, "password"))
    made = make_connection(daemon, {"name": "sales", "iClient": "crm", "username": provider.user[0], "password": provider.user[1]})
    assert made["document"]["password"] == MASK
    for document in (made["document"], merged(made["document"], {"password": None})):
        assert daemon.admin("PUT", "/v1/connections/sales", document).status == 200
        assert daemon.admin("POST", "/v1/connections/sales/refresh").status == 200


def test_deletion_with_an_unreachable_provider_says_so_and_forgets(daemon, iclients, provider):
    iclients.create(documents.client_credentials(provider))
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    token = daemon.token("sales").json()["access_token"]
    provider.on("/revoke", Answer(status=503))
    reply = daemon.admin("DELETE", "/v1/connections/sales")
    assert reply.status == 200 and reply.json()["deleted"] is True and reply.json()["provider"] == "unreached"
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    assert daemon.token("sales").json()["access_token"] != token


def test_deletion_waits_for_an_exchange_and_revokes_what_it_brings(daemon, iclients, provider):
    iclients.create(documents.client_credentials(provider))
    make_connection(daemon, {"name": "sales", "iClient": "crm"})
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    waiting = ThreadPoolExecutor(2)
    asked = waiting.submit(daemon.token, "sales")
    wait_until(lambda: provider.in_flight == 1, what="the exchange")
    deleted = waiting.submit(daemon.admin, "DELETE", "/v1/connections/sales")
    wait_until(lambda: daemon.token("sales", wait=0).status == 404, what="the deletion")
    gate.set()
    assert deleted.result().status == 204
    assert asked.result().status in (404, 409)
    assert len(provider.revoked) == 1


# Integration Cloud's terms

def both_ways(launch, provider, document):
    """The same iClient from a file and through the API: (daemon, change(document))."""
    file_daemon = launch(document)

    def change_file(changed):
        file_daemon.write_iclient(changed)
        assert file_daemon.reload() == "done"

    api_daemon = launch()
    iclients = IClients(api_daemon)
    made = iclients.create(document)
    return (file_daemon, change_file), (api_daemon, lambda changed: iclients.put(made["_id"], changed))


def test_switched_off_iclient_loses_every_token_at_once(launch, provider):
    document = documents.client_credentials(provider)
    for daemon, change in both_ways(launch, provider, document):
        token = daemon.token().json()["access_token"]
        change({**document, "active": False})
        assert daemon.token().status == 409 and error_of(daemon.token())["code"] == "inactive"
        wait_until(lambda: token in provider.revoked, what="the revocation")
        change({**document, "active": True})
        assert daemon.token().json()["access_token"] != token


def test_switched_off_iclient_takes_all_its_connections_along(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    tokens = set()
    for name in ("one", "two"):
        make_connection(daemon, {"name": name, "iClient": "crm"})
        tokens.add(daemon.token(name).json()["access_token"])
    iclients.put(made["_id"], {**made, "active": False})
    assert daemon.token("one").status == daemon.token("two").status == 409
    wait_until(lambda: tokens <= set(provider.revoked), what="both revocations")


def test_lifetime_is_used_where_the_provider_says_none(launch, provider):
    provider.lifetime = None
    document = documents.client_credentials(provider)
    for daemon, change in both_ways(launch, provider, {**document, "accessTokenLifetime": 120}):
        assert 110 <= daemon.token().json()["expires_in"] <= 120
        change({**document, "accessTokenLifetime": "never"})
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
        assert daemon.token().json()["expires_in"] is None


def test_refresh_count_limits_refreshes(launch, provider):
    document = documents.code(provider, refreshCount=1)
    for daemon, _ in both_ways(launch, provider, document):
        daemon.login()
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
        assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 409


def test_refresh_count_of_zero_keeps_no_refresh_token(launch, provider):
    for daemon, _ in both_ways(launch, provider, documents.code(provider, refreshCount=0)):
        daemon.login()
        assert daemon.admin("GET", "/v1/connections/crm").json()["has_refresh_token"] is False


def test_grant_outside_the_allowed_ones_is_refused_before_anything_is_sent(iclients, provider):
    reply = iclients.call("POST", "", documents.client_credentials(provider, allowedGrants=["authorizecode"]))
    assert reply.status == 422 and provider.requests == []
    iclients.create(documents.client_credentials(provider, allowedGrants=["clientcredentials", "password"]))


def test_public_client_has_no_secret_and_sends_its_id_in_the_body(daemon, iclients, provider):
    reply = iclients.call("POST", "", documents.code(provider, type="public"))
    assert reply.status == 422
    provider.check_client = False
    iclients.create(documents.code(provider, type="public", oauth2={"clientSecret": None}))
    daemon.login()
    request = provider.requests_to("/token")[-1]
    assert request.params["client_id"] == provider.client[0] and "client_secret" not in request.params
    assert "Authorization" not in request.headers


def test_redirect_uris_are_a_choice_at_login(daemon, iclients, provider):
    uris = [daemon.base + "/callback", daemon.base + "/other"]
    iclients.create(documents.code(provider, redirectUris=uris))
    for asked, expected in ((None, uris[0]), (uris[1], uris[1])):
        reply = daemon.admin("POST", "/v1/connections/crm/authorize", {"redirect_uri": asked} if asked else {})
        assert reply.json()["redirect_uri"] == expected
    assert daemon.admin("POST", "/v1/connections/crm/authorize", {"redirect_uri": daemon.base + "/else"}).status == 400


# iclientctl

DONE, FAILED, USAGE = range(3)


def written(daemon, name, document):
    daemon.known_secrets |= documents.secrets_in(document)
    path = daemon.folder / name
    path.write_text(json.dumps(document))
    return str(path)


def test_iclientctl_makes_shows_changes_and_deletes_an_iclient(daemon, provider):
    document = documents.client_credentials(provider)
    made = daemon.ctl("iclient", "create", written(daemon, "crm.json", document))
    assert made.returncode == DONE and re.fullmatch("[0-9a-f]{24}\n", made.stdout) and "created" in made.stderr
    identity = made.stdout.strip()
    assert daemon.token().status == 200
    listing = daemon.ctl("iclient", "list")
    assert listing.returncode == DONE and re.search(rf"crm +1 +custom_oauth2 +{identity}", listing.stdout)
    assert [row["_id"] for row in json.loads(daemon.ctl("iclient", "list", "--json").stdout)] == [identity]
    for word in ("crm", "CRM", identity):
        shown = daemon.ctl("iclient", "show", word)
        assert shown.returncode == DONE and document["oauth2"]["clientSecret"] not in shown.stdout
    changed = {**json.loads(shown.stdout), "description": "changed"}
    done = daemon.ctl("iclient", "update", "crm", written(daemon, "changed.json", changed), "--json")
    assert done.returncode == DONE and json.loads(done.stdout)["description"] == "changed"
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200, "the masked secret stayed"
    done = daemon.ctl("iclient", "delete", "crm")
    assert done.returncode == DONE and done.stdout == "" and "deleted" in done.stderr
    assert daemon.ctl("iclient", "list").stdout == ""


def test_iclientctl_reads_the_standard_input(daemon, provider):
    document = documents.client_credentials(provider)
    daemon.known_secrets |= documents.secrets_in(document)
    done = subprocess.run([daemon.binary("iclientctl"), "iclient", "create", "-"], input=json.dumps(document), capture_output=True,
                          text=True, timeout=60, env=daemon._environment(), check=False)
    assert done.returncode == DONE and daemon.token().status == 200


def test_iclientctl_says_every_fault(daemon, provider):
    document = documents.client_credentials(provider, oauth2={"cliendId": "x", "grantType": "implicit"})
    done = daemon.ctl("iclient", "create", written(daemon, "crm.json", document))
    assert done.returncode == FAILED and done.stdout == ""
    assert "/oauth2/cliendId" in done.stderr and "/oauth2/grantType" in done.stderr


def test_iclientctl_asks_which_version_is_meant(daemon, iclients, provider):
    ids = [iclients.create(documents.client_credentials(provider, version=version))["_id"] for version in ("1", "2")]
    done = daemon.ctl("iclient", "show", "crm")
    assert done.returncode == FAILED and all(identity in done.stderr for identity in ids)
    assert daemon.ctl("iclient", "delete", ids[0]).returncode == DONE
    assert daemon.ctl("iclient", "show", "crm").returncode == DONE


def test_iclientctl_makes_shows_changes_and_deletes_a_connection(daemon, iclients, provider):
    made = iclients.create(documents.client_credentials(provider))
    done = daemon.ctl("connection", "create", written(daemon, "sales.json", {"name": "sales", "iClient": "crm"}))
    assert done.returncode == DONE and done.stdout == "sales\n"
    assert daemon.token("sales").status == 200
    assert "sales" in daemon.ctl("connection", "list").stdout
    shown = json.loads(daemon.ctl("connection", "show", "sales").stdout)
    assert shown == {"name": "sales", "iClient": "crm"}
    done = daemon.ctl("connection", "update", "sales", written(daemon, "sales.json", {**shown, "scope": ["x"]}))
    assert done.returncode == DONE
    assert json.loads(daemon.ctl("connection", "show", "sales", "--json").stdout)["scope"] == ["x"]
    refused = daemon.ctl("iclient", "delete", made["_id"])
    assert refused.returncode == FAILED and "sales" in refused.stderr
    done = daemon.ctl("connection", "delete", "sales")
    assert done.returncode == DONE and "deleted" in done.stderr
    assert daemon.ctl("connection", "show", "sales").returncode == FAILED


@pytest.mark.parametrize("words", [["iclient"], ["iclient", "shw", "x"], ["iclient", "show"], ["iclient", "list", "x"], ["connection"],
                                   ["connection", "update", "x"]], ids=" ".join)
def test_iclientctl_tells_how_it_is_used(daemon, words):
    done = daemon.ctl(*words)
    assert done.returncode == USAGE and done.stdout == "" and "usage: iclientctl " + words[0] in done.stderr


def test_iclientctl_names_what_does_not_exist(daemon):
    for words in (["iclient", "show", "nobody"], ["iclient", "delete", UNKNOWN], ["connection", "delete", "nobody"],
                  ["iclient", "create", "/no/such/file"]):
        done = daemon.ctl(*words)
        assert done.returncode == FAILED and words[-1] in done.stderr, done
