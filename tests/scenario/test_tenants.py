"""/v2/tenants/TENANT/oauth-clients: iClients as JSON:API, by tenant and component, for operators and whom "tenants" names."""

import json
import os
import subprocess
import sys

import pytest

import documents
from daemon import error_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")

JSON_API = "application/vnd.api+json"
SECRET = "a-tenants-client-secret"
READER, EDITOR, STRANGER, MEMBER, STAFF = 4801, 4802, 4803, 4804, 4900
ALLOWED = {"acme": {"oauth_clients": {"get": {"users": [READER, EDITOR], "groups": [STAFF]}, "create": {"users": [EDITOR]},
                                      "edit": {"users": [EDITOR]}, "delete": {"users": [EDITOR]}}},
           "globex": {"oauth_clients": {"get": {"users": [STRANGER]}}}}
OPEN = {"adminSocket": {"mode": None}, "tenants": ALLOWED}
PEER = """
import http.client, json, socket, sys
path, method, target, body = sys.argv[1:]
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(path)
connection.request(method, target, body=body or None, headers={"Content-Type": "application/vnd.api+json"})
reply = connection.getresponse()
print(json.dumps([reply.status, reply.read().decode()]))
"""


def definition(provider, component="pizzavan", **changes):
    return documents.code(provider, name=component, component=component, **changes)


def resource(component="pizzavan", kind="oauth-client", **attributes):
    attributes = {"client_id": "tenants-client", "client_secret": SECRET, **attributes}
    return {"data": {"type": kind, "attributes": {name: value for name, value in attributes.items() if value is not None},
                     "relationships": {"component": {"data": {"id": component, "type": "component"}}}}}


def own_provider(provider):
    return {"oauth2": {"auth": {"uri": provider.authorize_uri}, "token": {"uri": provider.token_uri}}}


def clients(tenant="acme", rest=""):
    return f"/v2/tenants/{tenant}/oauth-clients{rest}"


def create(daemon, tenant="acme", document=None, **options):
    daemon.known_secrets.add(SECRET)
    reply = daemon.admin("POST", clients(tenant), document or resource(), **options)
    assert reply.status == 201, reply.text
    return reply.json()["data"]


def as_user(daemon, uid, method, path, document=None, groups=()):
    done = subprocess.run([sys.executable, "-c", PEER, str(daemon.admin_socket), method, path, json.dumps(document) if document else ""],
                          capture_output=True, text=True, user=uid, group=uid, extra_groups=list(groups), cwd="/", check=True, timeout=60)
    status, text = json.loads(done.stdout)
    return status, json.loads(text) if text else None


def test_client_of_a_known_component_is_made_listed_and_given_back_masked(launch, provider):
    daemon = launch(definition(provider))
    reply = daemon.admin("POST", clients(), resource(), headers={"Content-Type": JSON_API})
    daemon.known_secrets.add(SECRET)
    made = reply.json()["data"]
    assert (reply.status, reply.headers["Content-Type"]) == (201, JSON_API)
    assert reply.headers["Location"] == made["links"]["self"] == clients(rest="/" + made["id"])
    assert made["type"] == "oauth-client" and len(made["id"]) == 24
    assert made["attributes"] == {"client_id": "tenants-client", "client_secret": "******", "name": "pizzavan", "provider": "custom_oauth2",
                                  "description": None}
    assert made["relationships"]["component"]["data"] == {"type": "component", "id": "pizzavan"}
    for path in (clients(), clients(rest="/"), clients(rest="?filter[component]=pizzavan"), clients(rest="/?filter%5Bcomponent%5D=")):
        reply = daemon.admin("GET", path)
        assert (reply.status, reply.headers["Content-Type"], reply.json()["data"]) == (200, JSON_API, [made]), path
    assert daemon.admin("GET", clients(rest="?filter[component]=other")).json()["data"] == []
    assert daemon.admin("GET", made["links"]["self"]).json()["data"] == made
    iclient = daemon.admin("GET", f"/v1/iClients/{made['id']}?tenant=acme").json()
    assert iclient["oauth2"]["token"]["uri"] == provider.token_uri and iclient["oauth2"]["clientId"] == "tenants-client"
    assert SECRET not in reply.text and provider.client[1] not in json.dumps(iclient)


def test_endpoints_may_come_with_the_request(launch, provider):
    daemon = launch()
    reply = daemon.admin("POST", clients(), resource())
    assert reply.status == 422 and error_of(reply)["source"] == {"pointer": "/data/relationships/component/data/id"}
    made = create(daemon, document=resource(kind="flow", name="vans", **own_provider(provider)))
    assert made["attributes"]["name"] == "vans"
    assert daemon.admin("GET", "/v1/connections/vans?tenant=acme").json()["state"] == "authorization_required"


def test_tokens_are_fetched_with_the_tenants_own_client(launch, provider):
    provider.client = ("tenants-client", SECRET)
    daemon = launch(documents.client_credentials(provider, name="shop", component="shop", oauth2={"clientId": "other", "clientSecret": "other-secret"}))
    create(daemon, document=resource("shop"))
    reply = daemon.get("/v1/token/shop?tenant=acme")
    assert reply.status == 200, reply.text
    daemon.known_secrets.add(reply.json()["access_token"])
    assert provider.requests[-1].basic == ("tenants-client", SECRET)


def test_a_component_has_one_client_in_a_tenant_and_others_their_own(launch, provider):
    daemon = launch(definition(provider))
    create(daemon)
    second = daemon.admin("POST", clients(), resource(name="second"))
    assert second.status == 422 and error_of(second)["source"]["pointer"] == "/data/relationships/component/data/id"
    create(daemon, tenant="globex")
    assert len(daemon.admin("GET", clients("globex")).json()["data"]) == 1


def test_patch_changes_what_it_says_and_keeps_the_secret(launch, provider):
    provider.client = ("changed", SECRET)
    daemon = launch(documents.client_credentials(provider, name="shop", component="shop", oauth2={"clientSecret": "other-secret"}))
    made = create(daemon, document=resource("shop"))
    for secret in (None, "******"):
        reply = daemon.admin("PATCH", made["links"]["self"], resource("shop", client_id="changed", client_secret=secret))
        assert reply.status == 200 and reply.json()["data"]["attributes"]["client_id"] == "changed", reply.text
    reply = daemon.get("/v1/token/shop?tenant=acme")
    assert reply.status == 200, reply.text
    daemon.known_secrets.add(reply.json()["access_token"])
    partly = {"data": {"type": "oauth-client", "id": made["id"], "attributes": {"description": "new"}}}
    assert daemon.admin("PATCH", made["links"]["self"], partly).json()["data"]["attributes"]["description"] == "new"


def test_patch_to_a_component_that_does_not_exist_is_refused(launch, provider):
    daemon = launch(definition(provider), definition(provider, "bakery"))
    made = create(daemon)
    moved = {"data": {**resource("nowhere")["data"], "attributes": {}}}
    reply = daemon.admin("PATCH", made["links"]["self"], moved)
    assert reply.status == 422 and error_of(reply)["source"]["pointer"] == "/data/relationships/component/data/id", reply
    assert daemon.admin("GET", made["links"]["self"]).json()["data"] == made
    for component in ("bakery", "pizzavan"):
        moved["data"]["relationships"] = resource(component)["data"]["relationships"]
        reply = daemon.admin("PATCH", made["links"]["self"], moved)
        assert reply.status == 200 and reply.json()["data"]["relationships"] == moved["data"]["relationships"], reply


def test_patch_of_a_client_that_defines_its_own_component(launch, provider):
    daemon = launch()
    made = create(daemon, document=resource(**own_provider(provider)))
    assert daemon.admin("PATCH", made["links"]["self"], {"data": made}).status == 200


def test_client_without_a_component_may_be_sent_back_as_it_is_shown(launch, provider):
    daemon = launch(definition(provider))
    document = documents.client_credentials(provider, name="plain", tenant="acme")
    daemon.known_secrets |= documents.secrets_in(document)
    assert daemon.admin("POST", "/v1/iClients", document).status == 201
    shown, = daemon.admin("GET", clients()).json()["data"]
    assert shown["relationships"]["component"]["data"] is None
    reply = daemon.admin("PATCH", shown["links"]["self"], {"data": shown})
    assert reply.status == 200 and reply.json()["data"] == shown, reply.text
    # Null takes no component away from a client that has one.
    made = create(daemon)
    reply = daemon.admin("PATCH", made["links"]["self"], {"data": {**made, "relationships": shown["relationships"]}})
    assert reply.status == 422 and error_of(reply)["source"]["pointer"].startswith("/data/relationships/component/data"), reply.text


def test_patch_cannot_send_the_secret_elsewhere(launch, provider):
    daemon = launch(definition(provider))
    made = create(daemon)
    for changes in ({"oauth2": {"token": {"uri": "https://evil.example.net/"}}}, {"provider": "google"}):
        reply = daemon.admin("PATCH", made["links"]["self"], {"data": {"type": "oauth-client", "attributes": changes}})
        assert reply.status == 422 and error_of(reply)["source"]["pointer"] == f"/data/attributes/{next(iter(changes))}"
    reply = daemon.admin("PATCH", made["links"]["self"], {"data": made})
    assert reply.status == 200 and reply.json()["data"] == made, reply.text


def test_delete_is_refused_while_a_connection_uses_it(launch, provider):
    daemon = launch(definition(provider))
    made = create(daemon)
    user = {"name": "orders", "iClient": made["id"], "tenant": "acme"}
    assert daemon.admin("POST", "/v1/connections", user).status == 201
    reply = daemon.admin("DELETE", made["links"]["self"])
    assert (reply.status, error_of(reply)["code"], error_of(reply)["status"]) == (422, "delete_not_allowed", "422")
    assert "orders" in error_of(reply)["detail"]
    assert daemon.admin("DELETE", "/v1/connections/orders?tenant=acme").status in (200, 204)
    assert daemon.admin("DELETE", made["links"]["self"]).status == 204
    assert daemon.admin("GET", made["links"]["self"]).status == 404


def test_clients_survive_a_restart(launch, provider):
    daemon = launch(definition(provider))
    made = create(daemon)
    daemon.restart()
    assert daemon.admin("GET", clients()).json()["data"] == [made]


def test_iclients_of_files_are_seen_but_not_changed(launch, provider):
    daemon = launch(definition(provider, tenant="acme"))
    made, = daemon.admin("GET", clients()).json()["data"]
    for method, document in (("PATCH", resource()), ("DELETE", None)):
        reply = daemon.admin(method, made["links"]["self"], document)
        assert (reply.status, error_of(reply)["code"]) == (422, "read_only")


def test_another_tenants_documents_are_invisible(launch, provider):
    daemon = launch(definition(provider))
    made = create(daemon)
    for method, document in (("GET", None), ("PATCH", resource()), ("DELETE", None)):
        reply = daemon.admin(method, clients("globex", "/" + made["id"]), document)
        assert (reply.status, error_of(reply)["code"]) == (404, "not_found")
    assert daemon.admin("GET", clients("globex")).json()["data"] == []
    assert daemon.admin("GET", clients("globex", f"/{made['id']}?tenant=acme")).status == 404


@pytest.mark.parametrize("document, pointer", [
    ({}, "/data"), ({"data": []}, "/data"), (resource(kind="iclient"), "/data/type"),
    ({"data": {**resource()["data"], "id": "x"}}, "/data/id"),
    ({"data": {**resource()["data"], "attributes": 1}}, "/data/attributes"),
    (resource(client_idd="x"), "/data/attributes/client_idd"),
    (resource(oauth2="x"), "/data/attributes/oauth2"),
    (resource(client_id=7), "/data/attributes/client_id"),
    (resource(client_id=None), "/data/attributes/client_id"),
    (resource(client_secret=None), "/data/attributes/client_secret"),
    (resource(client_secret={"$file": "/etc/shadow"}), "/data/attributes/client_secret"),
    (resource(name="not a name"), "/data/attributes/name"),
    (resource(oauth2={"token": {"uri": "ftp://x"}}), "/data/attributes/oauth2/token/uri"),
    (resource(oauth2={"scpoe": "x"}), "/data/attributes/oauth2/scpoe"),
    (resource(component="a b", provider="custom_oauth2"), "/data/relationships/component/data/id"),
    ({"data": {**resource()["data"], "relationships": {}}}, "/data/relationships/component/data/id"),
    ({"data": {**resource()["data"], "relationships": {"component": {"data": {"type": "flow", "id": "pizzavan"}}}}},
     "/data/relationships/component/data/type"),
])
def test_what_is_wrong_is_told_by_its_place(launch, provider, document, pointer):
    daemon = launch(definition(provider))
    reply = daemon.admin("POST", clients(), document)
    assert reply.status == 422 and reply.headers["Content-Type"] == JSON_API, reply.text
    errors = reply.json()["errors"]
    assert pointer in [error["source"]["pointer"] for error in errors], errors
    assert all(error["status"] == "422" and error["code"] and error["detail"] for error in errors)


def test_all_errors_below_v2_are_json_api(launch):
    daemon = launch()
    for method, path, status in (("GET", "/v2/tenants/acme/nothing", 404), ("PUT", clients(), 405), ("GET", clients("a%2fb"), 400),
                                 ("GET", clients(rest="?filter[component]=a&filter[component]=b"), 400)):
        reply = daemon.admin(method, path)
        error = error_of(reply)
        assert (reply.status, reply.headers["Content-Type"], error["status"]) == (status, JSON_API, str(status)), path
        assert error["detail"] and "message" not in error
    reply = daemon.request(daemon.admin_socket, "POST", clients(), headers={"Content-Type": JSON_API})
    assert (reply.status, error_of(reply)["status"]) == (400, "400")


# ---- who may ----

def test_each_permission_is_asked_for_by_itself(launch, provider):
    daemon = launch(definition(provider), config=OPEN)
    made = create(daemon)
    one = made["links"]["self"]
    assert as_user(daemon, READER, "GET", clients())[0] == 200
    assert as_user(daemon, READER, "GET", one)[1]["data"] == made
    assert as_user(daemon, MEMBER, "GET", one, groups=[STAFF])[0] == 200
    for method, path, document in (("POST", clients(), resource()), ("PATCH", one, resource()), ("DELETE", one, None)):
        status, reply = as_user(daemon, READER, method, path, document)
        assert (status, reply["errors"][0]["code"], reply["errors"][0]["status"]) == (403, "not_allowed", "403")
    assert as_user(daemon, EDITOR, "PATCH", one, resource(client_id="edited"))[0] == 200
    assert as_user(daemon, EDITOR, "DELETE", one)[0] == 204
    assert as_user(daemon, EDITOR, "POST", clients(), resource())[0] == 201


def test_who_may_use_one_tenant_learns_nothing_of_another(launch, provider):
    daemon = launch(definition(provider), config=OPEN)
    made = create(daemon)
    for tenant in ("acme", "default", "no-such-tenant"):
        assert as_user(daemon, STRANGER, "GET", clients(tenant))[0] == 403, tenant
        assert as_user(daemon, STRANGER, "GET", clients(tenant, "/" + made["id"]))[0] == 403, tenant
    assert as_user(daemon, STRANGER, "GET", clients("globex", "/" + made["id"]))[0] == 404
    assert as_user(daemon, MEMBER, "GET", clients())[0] == 403


def test_the_rest_of_the_admin_socket_stays_closed_to_them(launch, provider):
    daemon = launch(definition(provider), config=OPEN)
    made = create(daemon)
    for method, path in (("GET", "/v1/iClients"), ("GET", f"/v1/iClients/{made['id']}?tenant=acme"), ("GET", "/v1/connections"), ("GET", "/metrics"),
                         ("POST", "/v1/connections/pizzavan/authorize?tenant=acme"), ("DELETE", f"/v1/iClients/{made['id']}?tenant=acme"),
                         ("GET", "/healthz")):
        assert as_user(daemon, EDITOR, method, path)[0] == 403, path


def test_without_tenants_the_socket_lets_nobody_else_in(launch, provider):
    daemon = launch(definition(provider), config={"adminSocket": {"mode": None}})
    assert daemon.admin_socket.stat().st_mode & 0o777 == 0o660
    with pytest.raises(subprocess.CalledProcessError):
        as_user(daemon, READER, "GET", clients())


def test_reload_takes_permissions_back(launch, provider):
    daemon = launch(definition(provider), config=OPEN)
    assert as_user(daemon, READER, "GET", clients())[0] == 200
    daemon.write_config({**OPEN, "tenants": {"acme": {}}})
    assert daemon.reload() == "done"
    assert as_user(daemon, READER, "GET", clients())[0] == 403
    assert daemon.admin("GET", clients()).status == 200


@pytest.mark.parametrize("tenants, words", [
    ({"acme": {"oauth_client": {}}}, ["/tenants/acme/oauth_client", "oauth_clients"]),
    ({"acme": {"oauth_clients": {"gte": {}}}}, ["/tenants/acme/oauth_clients/gte", "get"]),
    ({"acme": {"oauth_clients": {"get": {"users": ["no-such-user-here"]}}}}, ["/tenants/acme/oauth_clients/get", "no-such-user-here"]),
    ([], ["/tenants", "object"]),
])
def test_wrong_settings_are_refused_with_a_hint(prepare, tenants, words):
    daemon = prepare(config={"tenants": tenants})
    done = daemon.check()
    assert done.returncode and all(word in done.stderr for word in words), done.stderr
