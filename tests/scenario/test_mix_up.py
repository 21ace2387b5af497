"""Mix-up (RFC 9700 §4.4.1), played whole: one daemon, an honest authorization server and a hostile one."""

from urllib.parse import urlencode

import documents
import pytest
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import CurlUser, query_of


@pytest.fixture
def hostile():
    with ScriptedProvider() as server:
        yield server


def with_query(url, **changes):
    query = {**query_of(url), **changes}
    return url.split("?")[0] + "?" + urlencode({name: value for name, value in query.items() if value is not None})


def lead_on(hostile, honest_uri, client_id, redirect_uri):
    """Its authorization endpoint sends the browser to the honest server, as the honest server's client, with the state and
    the challenge of the login that began at itself."""
    def answer(request):
        query = {**request.query, "client_id": client_id, "redirect_uri": redirect_uri}
        return Answer(302, headers={"Location": honest_uri + "?" + urlencode(query)})
    hostile.on("/authorize", answer)


def attack(daemon, hostile, glewlwyd, client, changes):
    """The page that the person sees. changes: of the honest server's answer, on its way through the browser."""
    redirect_uri = daemon.redirect_uri_of("honest") if changes.pop("own_paths", False) else daemon.base + "/shared"
    lead_on(hostile, glewlwyd.authorize_uri, client.id, redirect_uri)
    person = CurlUser()
    glewlwyd.log_in(person, client.id, "mail files")
    at_honest = person.follow(daemon.authorize("hostile"), until=glewlwyd.base)
    callback = glewlwyd.authorize(person, at_honest, redirect_uri)
    assert "code" in query_of(callback), callback
    return person.get(with_query(callback, **changes))


SHARED, OWN = "/shared", None
# Where answers arrive, the issuers of honest and hostile iClient (True: the right one), and whether the honest one sends iss.
MIX_UPS = [(OWN, None, None, False), (OWN, None, None, True), (OWN, True, None, False),
           (SHARED, True, True, True), (SHARED, True, True, False), (SHARED, True, None, True),
           (SHARED, True, None, False), (SHARED, None, None, False)]


@pytest.mark.parametrize("path,honest_issuer,hostile_issuer,sends_iss", MIX_UPS)
def test_hostile_server_does_not_get_the_honest_ones_code(prepare, glewlwyd, hostile, path, honest_issuer, hostile_issuer, sends_iss):
    daemon = prepare()
    uri = daemon.base + path if path else None
    client = glewlwyd.add_client([daemon.base + "/shared", daemon.redirect_uri_of("honest")])
    issuer = glewlwyd.plugin_uri("").rstrip("/")
    honest = {"redirectUri": uri, "issuer": issuer if honest_issuer else None}
    other = {"redirectUri": uri, "issuer": hostile.base if hostile_issuer else None}
    daemon.write_iclient(documents.iclient(glewlwyd, (client.id, client.secret), "authorizecode", "honest", honest))
    daemon.write_iclient(documents.code(hostile, "hostile", other))
    daemon.start()
    page = attack(daemon, hostile, glewlwyd, client, {"own_paths": not path, **({} if sends_iss else {"iss": None})})
    assert hostile.count("/token") == 0, "the honest server's code went to the hostile one"
    assert page.status >= 400, page
    assert daemon.state("hostile") == "authorization_required"
    assert daemon.login_at_glewlwyd(glewlwyd, client, "honest").status == 200, "the honest one is not held up"


def test_missing_iss_is_taken_where_no_other_server_answers(launch, provider, hostile):
    """A provider without RFC 9207 stays usable, with its issuer as without."""
    provider.callback_changes = {"iss": None}
    daemon = launch(documents.code(provider, oauth2={"issuer": provider.base}), documents.code(hostile, "other"))
    assert daemon.login().status == 200


def test_redirect_uri_may_be_the_same_for_one_server(launch, provider):
    provider.callback_changes = {"iss": None}
    daemon = launch()
    uri = {"redirectUri": daemon.base + "/callback"}
    for name in ("crm", "second"):
        reply = daemon.admin("POST", "/v1/iClients", documents.code(provider, name, uri))
        assert reply.status == 201, reply
        assert daemon.login(name).status == 200


TENANT_A, TENANT_B = "/tenant-a", "/tenant-b"


@pytest.mark.parametrize("iss,status", [(TENANT_A, 200), (TENANT_B, 403), (TENANT_A + "/", 403), ("", 403)])
def test_another_tenants_issuer_on_the_same_host_is_refused(launch, provider, iss, status):
    provider.callback_changes = {"iss": provider.base + iss}
    daemon = launch(documents.code(provider, oauth2={"issuer": provider.base + TENANT_A}))
    assert daemon.login().status == status
    assert provider.count("/token") == (status == 200)


def test_issuer_on_another_host_than_the_authorization_uri(launch, provider):
    provider.callback_changes = {"iss": "https://login.example.com"}
    daemon = launch(documents.code(provider), documents.code(provider, "named", {"issuer": "https://login.example.com"}))
    page = daemon.login()
    assert page.status == 403 and "oauth2.issuer" in page.text and provider.count("/token") == 0
    assert daemon.login("named").status == 200


def test_default_redirect_uri_is_one_for_each_iclient_and_tenant(launch, provider):
    daemon = launch(documents.code(provider), documents.code(provider, "second"), documents.code(provider, name="books", tenant="acme"))
    for name, tenant, expected in (("crm", None, daemon.redirect_uri_of("crm")), ("second", None, daemon.redirect_uri_of("second")),
                                   ("books", "acme", daemon.redirect_uri_of("books", "acme"))):
        path = f"/v1/connections/{name}/authorize" + (f"?tenant={tenant}" if tenant else "")
        assert daemon.admin("POST", path).json()["redirect_uri"] == expected


def test_answer_is_taken_at_its_own_redirect_uri_alone(launch, provider):
    daemon = launch(documents.code(provider), documents.code(provider, "second"))
    person, callback = daemon.callback_of()
    for path in ("/callback", "/callback/second", "/callback/crm/", "/callback/CRM"):
        assert person.get(daemon.base + path + "?" + callback.split("?")[1]).status == 410, path
    assert person.get(callback).status == 200


@pytest.mark.parametrize("issuer,warns", [(None, True), ("https://honest.example", False)])
def test_check_warns_of_a_shared_redirect_uri(prepare, provider, hostile, issuer, warns):
    shared = {"redirectUri": "http://127.0.0.1:8085/callback"}
    daemon = prepare(documents.code(provider, oauth2={**shared, "issuer": issuer}), documents.code(hostile, "other", shared),
                     documents.code(provider, "third", {"redirectUri": "http://127.0.0.1:8085/elsewhere"}))
    done = daemon.check()
    assert done.returncode == 0
    assert ("/oauth2/redirectUri: /callback is shared with iClient" in done.stdout + done.stderr) == warns, done
