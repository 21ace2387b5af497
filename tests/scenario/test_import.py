"""`iclientctl import`: iClients from the definitions of integration components. No daemon runs."""

import json
import os
import subprocess

import pytest

from test_iclientctl_check import PROGRAM, SANITIZER_REPORT, check, write

# As the documentation of tenants' OAuth clients has them.
SALESFORCE = {
    "title": "Salesforce", "envVars": {
        "OAUTH_CLIENT_ID": {"required": True, "description": "Your Salesforce OAuth client key"},
        "OAUTH_CLIENT_SECRET": {"required": True, "description": "Your Salesforce OAuth client secret"}},
    "oauth2": {"client_id": "", "client_secret": "", "auth_uri": "https://auth.example.com/a", "token_uri": "https://token.example.com/t"},
    "useOAuthClient": True}
PIZZAVAN = {
    "title": "Pizza Van", "description": "Orders", "envVars": {"PIZZAVAN_KEY": {"required": True}, "PIZZAVAN_SECRET": {"required": True}},
    "credentials": {"oauth2": {
        "client_id": "{{PIZZAVAN_KEY}}", "client_secret": "{{PIZZAVAN_SECRET}}", "scopes": ["orders"],
        "auth_uri": "https://{{subdomain}}.pizza.example.com/auth", "token_uri": "https://{{subdomain}}.pizza.example.com/token"}}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "presets").mkdir()
    return tmp_path


def run(folder, *arguments, **variables):
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "HOME": str(folder), **variables}
    done = subprocess.run([PROGRAM, "import", *arguments], env=environment, text=True, capture_output=True, timeout=60, check=False)
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("component, secret", [(SALESFORCE, "OAUTH_CLIENT_SECRET"), (PIZZAVAN, "PIZZAVAN_SECRET")])
def test_what_is_printed_passes_check(folder, component, secret):
    code, out, err = run(folder, write(folder / "component.json", component))
    assert code == 0, err
    iclient = json.loads(out)
    assert iclient["oauth2"]["clientSecret"] == {"$env": secret}
    code, _, err = check(folder, write(folder / "iclient.json", iclient))
    assert code == 0 and "good iClients: 1" in err, err


def test_notes_say_what_is_left_to_do(folder):
    code, out, err = run(folder, write(folder / "component.json", PIZZAVAN))
    assert code == 0 and json.loads(out)["name"] == "pizza-van"
    assert "put PIZZAVAN_KEY into oauth2.clientId" in err and "each connection must have settings.subdomain" in err


def test_variables_that_are_set_give_the_client_id_and_never_the_secret(folder):
    path = write(folder / "component.json", SALESFORCE)
    _, out, err = run(folder, path, OAUTH_CLIENT_ID="the-id", OAUTH_CLIENT_SECRET="the-secret-value")
    assert json.loads(out)["oauth2"]["clientId"] == "the-id" and "the-secret-value" not in out + err


def test_tenant_and_name_are_taken_from_the_options(folder):
    _, out, _ = run(folder, write(folder / "component.json", SALESFORCE), "--tenant", "acme", "--name", "sf")
    assert [json.loads(out)[name] for name in ("tenant", "name", "component")] == ["acme", "sf", "sf"]


def test_output_is_not_replaced_without_force(folder):
    path, target = write(folder / "component.json", SALESFORCE), folder / "iclient.json"
    assert run(folder, path, "--output", target)[:2] == (0, "")
    assert target.stat().st_mode & 0o777 == 0o600
    target.write_text("mine")
    code, out, err = run(folder, path, "--output", target)
    assert (code, out) == (1, "") and "--force" in err and target.read_text() == "mine"
    assert run(folder, path, "--output", target, "--force")[0] == 0
    assert json.loads(target.read_text())["name"] == "salesforce"
    assert sorted(file.name for file in folder.iterdir()) == ["component.json", "iclient.json", "presets"]


@pytest.mark.parametrize("component, words", [
    ({}, "no \"oauth2\" block"), ([], "no \"oauth2\" block"), ({"oauth2": {}}, "no token_uri"), ("{", "line 1"),
    ({**SALESFORCE, "oauth2": {"client_id": "x", "client_secret": "{{S}}", "token_uri": "http://plain.example.com/"}}, "/oauth2/token/uri"),
])
def test_what_makes_no_good_iclient_prints_none(folder, component, words):
    code, out, err = run(folder, write(folder / "component.json", component))
    assert (code, out) == (1, "") and words in err


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("a", "--force")])
def test_usage(folder, arguments):
    assert run(folder, *arguments)[:2] == (2, "")
