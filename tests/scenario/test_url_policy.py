"""Credentials go to the listed hosts and nowhere else."""

import documents
import pytest
from daemon import error_of
from fakes.certificates import Authority
from fakes.scripted_provider import Answer, ScriptedProvider


@pytest.mark.parametrize("domains", [["example.com"], ["0.0.1"], ["127.0.0.2"], ["localhost"]])
def test_uri_outside_the_list_is_refused_at_load(prepare, provider, domains):
    daemon = prepare(documents.client_credentials(provider, oauth2={"validDomainNames": domains}))
    done = daemon.check()
    assert done.returncode == 1
    assert "/oauth2/token/uri" in done.stdout + done.stderr


def test_uri_inside_the_list_is_used(launch, provider):
    daemon = launch(documents.client_credentials(provider, oauth2={"validDomainNames": ["127.0.0.1"]}))
    assert daemon.token().status == 200


def refresh_to_metadata_host(provider):
    """The refresh URI's host comes out of the token reply: nobody can know it at load."""
    uri = f"http://{{{{{{metadata.instance}}}}}}:{provider.port}/refresh"
    return documents.code(provider, oauth2={"refresh": {"uri": uri}, "responseMetadata": ["instance"],
                                            "validDomainNames": ["127.0.0.1"]})


def test_rendered_uri_is_checked_again_when_sent(launch, provider):
    provider.token_extra = {"instance": "localhost"}
    provider.on("/refresh", lambda _: Answer(json=provider.issue()))
    daemon = launch(refresh_to_metadata_host(provider))
    daemon.login()
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status >= 400
    assert provider.count("/refresh") == 0
    assert daemon.token().status == 200


def test_rendered_uri_inside_the_list_is_used(launch, provider):
    provider.token_extra = {"instance": "127.0.0.1"}
    provider.on("/refresh", lambda _: Answer(json=provider.issue()))
    daemon = launch(refresh_to_metadata_host(provider))
    daemon.login()
    reply = daemon.admin("POST", "/v1/connections/crm/refresh")
    assert reply.status == 200, reply
    assert provider.count("/refresh") == 1
    assert daemon.token().json()["metadata"] == {"instance": "127.0.0.1"}


@pytest.mark.parametrize("value", ["127.0.0.1@evil.example", "evil.example/", "evil.example#", "evil.example?", "evil.example:1"])
def test_value_cannot_leave_the_host_part(launch, provider, value):
    provider.token_extra = {"instance": value}
    daemon = launch(refresh_to_metadata_host(provider))
    daemon.login()
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status >= 400
    assert provider.count("/refresh") == 0


# What a value may not do to a path, and the template that it comes through.
CLIMBING = [("{{{VALUE}}}", "../../y"), ("{{VALUE}}", ".."), ("{{VALUE}}", "."), ("{{{VALUE}}}", "%2e%2E"),
            ("{{{VALUE}}}", ".%252e"), ("{{{VALUE}}}", "..;x"), (".{{VALUE}}", "."), ("{{VALUE}}{{VALUE}}", "."),
            ("{{{VALUE}}}", "y\\..")]


@pytest.mark.parametrize("template,value", CLIMBING)
@pytest.mark.parametrize("member", ["auth", "token", "refresh", "revoke"])
def test_value_that_climbs_out_of_its_path_is_refused_at_load(prepare, provider, member, template, value):
    uri = f"{provider.base}/a/b/{template.replace('VALUE', 'connection.settings.place')}/{member}"
    document = documents.code(provider, oauth2={member: {"uri": uri}}, settings={"place": "fine"})
    daemon = prepare(document, connections=[{"name": "mail", "iClient": "crm", "settings": {"place": value}}])
    done = daemon.check()
    assert done.returncode == 1
    assert "/settings/place" in done.stdout + done.stderr and "path segment" in done.stdout + done.stderr


@pytest.mark.parametrize("template,value", CLIMBING)
@pytest.mark.parametrize("action,member", [("refresh", "refresh"), ("revoke", "revoke")])
def test_value_that_climbs_out_of_its_path_is_not_sent(launch, provider, action, member, template, value):
    """It comes out of the token reply: nobody can know it at load."""
    provider.token_extra = {"place": value}
    uri = f"{provider.base}/a/b/{template.replace('VALUE', 'metadata.place')}/{member}"
    daemon = launch(documents.code(provider, oauth2={member: {"uri": uri}, "responseMetadata": ["place"]}))
    daemon.login()
    sent = len(provider.requests)
    reply = daemon.admin("POST", f"/v1/connections/crm/{action}")
    assert len(provider.requests) == sent, provider.requests[sent:]
    assert "path segment" in reply.text, reply


def test_plain_http_is_refused_unless_allowed(prepare, provider):
    daemon = prepare(documents.client_credentials(provider), config={"http": {"allowLoopbackHttp": False}})
    done = daemon.check()
    assert done.returncode == 1 and "allowLoopbackHttp" in done.stdout + done.stderr


def test_redirect_of_a_token_endpoint_is_not_followed(launch, provider):
    provider.on("/token", Answer(307, headers={"Location": provider.base + "/elsewhere"}))
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token().status == 502
    assert provider.count("/elsewhere") == 0


@pytest.fixture
def https_provider(tmp_path):
    authority = Authority(str(tmp_path))
    with ScriptedProvider(authority) as provider:
        provider.authority = authority
        yield provider


def https_config(provider, **changes):
    return {"http": {"allowLoopbackHttp": False, "caFile": provider.authority.ca_file,
                     "allowPrivateAddresses": ["127.0.0.0/8"], **changes}}


def test_https_with_the_configured_authority(launch, https_provider):
    daemon = launch(documents.client_credentials(https_provider), config=https_config(https_provider))
    assert daemon.token().status == 200


def test_https_with_a_foreign_authority_is_refused(launch, https_provider):
    daemon = launch(documents.client_credentials(https_provider), config=https_config(https_provider, caFile=None))
    reply = daemon.token()
    assert reply.status == 503 and error_of(reply)["code"] == "provider_unavailable"
    assert https_provider.requests == []


def test_private_address_is_refused_at_connect_time(launch, https_provider):
    daemon = launch(documents.client_credentials(https_provider), config=https_config(https_provider, allowPrivateAddresses=None))
    reply = daemon.token()
    assert reply.status >= 500
    assert https_provider.requests == []


def test_name_that_resolves_to_loopback_is_refused_too(launch, https_provider):
    """The rule looks at the address, not at the name: rebinding does not help."""
    uri = f"https://localhost:{https_provider.port}/token"
    document = documents.client_credentials(https_provider, oauth2={"token": {"uri": uri}, "revoke": None})
    daemon = launch(document, config=https_config(https_provider, allowPrivateAddresses=["10.0.0.0/8"]))
    assert daemon.token().status >= 500
    assert https_provider.requests == []
