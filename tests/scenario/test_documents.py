"""Configuration: every fault said at once, and a reload is all or nothing."""

import json
import os
import threading

import documents
import pytest
from daemon import ROOT, Background
from fakes.support import wait_until


def check(daemon):
    done = daemon.check()
    return done.returncode, done.stdout + done.stderr


def test_good_configuration_passes(prepare, provider):
    daemon = prepare(documents.client_credentials(provider), documents.code(provider, "mail"),
                     connections=[{"name": "anna", "iClient": "mail", "allow": {"users": [1001]}}])
    code, text = check(daemon)
    assert code == 0, text


def test_presets_of_the_project_load(prepare):
    daemon = prepare(config={"presetDir": str(ROOT / "conf" / "providers")})
    code, text = check(daemon)
    assert code == 0, text


def test_presets_of_the_project_are_found_by_a_daemon_that_is_not_installed(prepare):
    google = {"name": "gmail", "provider": "google", "oauth2": {"clientId": "id", "clientSecret": "s3cret-of-a-test"}}
    code, text = check(prepare(google, config={"presetDir": None}))
    assert code == 0, text


FAULTS = [
    ({"oauth2": {"cliendId": "x"}}, "/oauth2/cliendId", "clientId"),
    ({"oautth2": {}}, "/oautth2", "oauth2"),
    ({"oauth2": {"clientId": 5}}, "/oauth2/clientId", ""),
    ({"oauth2": {"clientId": None}}, "clientId", ""),
    ({"oauth2": {"grantType": "implicit"}}, "/oauth2/grantType", ""),
    ({"oauth2": {"grantType": None}}, "grantType", ""),
    ({"oauth2": {"token": {"uri": "not a uri"}}}, "/oauth2/token/uri", ""),
    ({"oauth2": {"token": {"uri": "http://example.com/token"}}}, "/oauth2/token/uri", "https"),
    ({"oauth2": {"token": {"uri": "https://user:pw@example.com/token"}}}, "/oauth2/token/uri", ""),
    ({"oauth2": {"token": {"method": "PUT"}}}, "/oauth2/token/method", ""),
    ({"oauth2": {"token": {"body": "a={{{no.such.thing}}}"}}}, "/oauth2/token/body", ""),
    ({"oauth2": {"token": {"headers": "no colon"}}}, "/oauth2/token/headers", ""),
    ({"oauth2": {"failValues": ["x"]}}, "/oauth2/failValues", "failPath"),
    ({"oauth2": {"validDomainNames": ["com"]}}, "/oauth2/validDomainNames", ""),
    ({"oauth2": {"tokenAuthMethod": "magic"}}, "/oauth2/tokenAuthMethod", ""),
    ({"oauth2": {"clientSecret": {"$file": "/no/such/file"}}}, "/oauth2/clientSecret", ""),
    ({"oauth2": {"clientSecret": {"$fil": "x"}}}, "/oauth2/clientSecret", ""),
    ({"oauth2": {"authParams": {"state": "x"}}}, "/oauth2/authParams", ""),
    ({"type": "public"}, "", "public"),
    ({"name": "no spaces please"}, "/name", ""),
    ({"provider": None}, "/provider", ""),
    ({"provider": "gooogle"}, "/provider", ""),
    ({"active": "yes"}, "/active", ""),
    ({"accessTokenLifetime": "for ever"}, "/accessTokenLifetime", ""),
    ({"refreshCount": -1}, "/refreshCount", ""),
    ({"enableJWT": True, "oauth2": {"grantType": "jwtbearer"}, "jwt": {"signatureMethod": "RS256"}}, "/jwt", ""),
    ({"enableJWT": True, "oauth2": {"grantType": "jwtbearer"}, "jwt": {"signatureMethod": "RS256", "privateKey": "not a PEM"}},
     "/jwt/privateKey", ""),
]


@pytest.mark.parametrize("change, pointer, hint", FAULTS, ids=[pointer + str(i) for i, (_, pointer, _) in enumerate(FAULTS)])
def test_fault_of_a_document_is_named_with_file_pointer_and_hint(prepare, provider, change, pointer, hint):
    daemon = prepare()
    file = daemon.write_iclient(documents.client_credentials(provider, **{"oauth2": {}, **change}), "crm")
    code, text = check(daemon)
    assert code == 1
    assert file.name in text and pointer in text and hint in text, text


def test_all_faults_of_all_files_are_said_at_once(prepare, provider):
    daemon = prepare(documents.client_credentials(provider, "one", oauth2={"cliendId": "x", "grantType": "implicit"}),
                     documents.client_credentials(provider, "two", activ=True),
                     connections=[{"name": "anna", "iClient": "thre"}, {"name": "bob"}])
    code, text = check(daemon)
    assert code == 1
    for expected in ("one.json", "/oauth2/cliendId", "/oauth2/grantType", "two.json", "/activ", "anna.json", "/iClient",
                     "bob.json"):
        assert expected in text, text


def test_json_that_does_not_parse_is_named_by_line_without_its_content(prepare):
    daemon = prepare()
    (daemon.folder / "iclients.d" / "crm.json").write_text('{\n "name": "crm",\n "clientSecret": "very secret" "oops"\n}')
    code, text = check(daemon)
    assert code == 1 and "crm.json" in text and "3" in text
    assert "very secret" not in text


def test_duplicate_member_is_refused(prepare, provider):
    daemon = prepare()
    text = json.dumps(documents.client_credentials(provider))
    (daemon.folder / "iclients.d" / "crm.json").write_text(text[:-1] + ', "name": "crm"}')
    assert check(daemon)[0] == 1


def test_two_iclients_of_one_name_and_version_are_refused(prepare, provider):
    daemon = prepare()
    daemon.write_iclient(documents.client_credentials(provider, "crm"), "a")
    daemon.write_iclient(documents.client_credentials(provider, "CRM"), "b")
    code, text = check(daemon)
    assert code == 1 and "b.json" in text


@pytest.mark.parametrize("change, word", [({"tokenSockett": {}}, "tokenSocket"), ({"limits": {"waiter": 1}}, "waiters"),
                                          ({"logLevel": "loud"}, "logLevel"), ({"redirect": {"listen": "nowhere"}}, "listen"),
                                          ({"limits": {"waiters": -1}}, "waiters"), ({"sandbox": "yes"}, "sandbox")])
def test_unknown_or_wrong_key_of_the_daemons_configuration_is_an_error(prepare, change, word):
    daemon = prepare(config=change)
    code, text = check(daemon)
    assert code == 1 and "iclientd.json" in text and word in text


def test_check_leaves_nothing_behind(prepare, provider):
    daemon = prepare(documents.client_credentials(provider))
    assert check(daemon)[0] == 0
    assert not daemon.state_dir.exists() and not daemon.token_socket.exists()


def test_daemon_does_not_start_on_bad_documents(prepare, provider):
    daemon = prepare(documents.client_credentials(provider, oauth2={"cliendId": "x"}))
    with pytest.raises(AssertionError, match="iclientd ended with 1"):
        daemon.start()
    assert "/oauth2/cliendId" in daemon.log()


def test_wrong_command_line_is_told(prepare):
    daemon = prepare()
    assert daemon._run([daemon.binary("iclientd"), "--nonsense"]).returncode != 0
    assert daemon._run([daemon.binary("iclientd"), "--config", "/no/such/file", "--check"]).returncode == 1
    version = daemon._run([daemon.binary("iclientd"), "--version"])
    assert version.returncode == 0 and "iclientd" in version.stdout


def test_secret_in_a_file_or_the_environment_is_read(prepare, provider, monkeypatch):
    monkeypatch.setenv("CRM_CLIENT_SECRET", provider.client[1])
    daemon = prepare(documents.client_credentials(provider, "env", oauth2={"clientSecret": {"$env": "CRM_CLIENT_SECRET"}}))
    secret = daemon.folder / "secret"
    secret.write_text(provider.client[1] + "\n")
    secret.chmod(0o600)
    daemon.write_iclient(documents.client_credentials(provider, "file", oauth2={"clientSecret": {"$file": str(secret)}}))
    daemon.start()
    assert daemon.token("file").status == daemon.token("env").status == 200


# Reload

def test_reload_adds_changes_and_removes(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.write_iclient(documents.client_credentials(provider, "erp"))
    assert daemon.reload() == "done"
    assert daemon.token("erp").status == 200 and daemon.token().status == 200
    (daemon.folder / "iclients.d" / "crm.json").unlink()
    assert daemon.reload() == "done"
    assert daemon.token().status == 404 and daemon.token("erp").status == 200


def test_reload_takes_all_or_nothing(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    token = daemon.token().json()
    daemon.write_iclient(documents.client_credentials(provider, "erp"))
    daemon.write_iclient(documents.client_credentials(provider, "bad", oauth2={"cliendId": "x"}))
    (daemon.folder / "iclients.d" / "crm.json").unlink()
    assert daemon.reload() == "refused"
    assert daemon.token().json()["access_token"] == token["access_token"]
    assert daemon.token("erp").status == 404
    assert "bad.json" in daemon.log() and "/oauth2/cliendId" in daemon.log()
    (daemon.folder / "iclients.d" / "bad.json").unlink()
    assert daemon.reload() == "done"
    assert daemon.token("erp").status == 200 and daemon.token().status == 404


def test_reload_is_refused_when_a_folder_is_gone(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.token().status == 200
    folder = daemon.folder / "iclients.d"
    folder.rename(daemon.folder / "elsewhere")
    assert daemon.reload() == "refused"
    assert daemon.token().status == 200
    assert "/iclientDir" in daemon.log() and "is gone" in daemon.log()
    (daemon.folder / "elsewhere").rename(folder)
    assert daemon.reload() == "done"


def test_reload_names_what_needs_a_restart_and_keeps_it_as_it_runs(launch, provider):
    daemon = launch(documents.code(provider))
    config = json.loads(daemon.config_file.read_text())
    config["redirect"]["baseUri"] = "http://127.0.0.1:1"
    config["http"]["allowPrivateAddresses"] = ["10.0.0.0/8"]
    daemon.config_file.write_text(json.dumps(config))
    assert daemon.reload() == "done"
    assert '"redirect" changed' in daemon.log() and '"http" changed' in daemon.log()
    assert daemon.login().status == 200


def test_check_says_that_the_key_of_a_store_is_missing(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.check().returncode == 0
    key = daemon.state_dir / "key"
    key.rename(daemon.state_dir / "key.away")
    done = daemon.check()
    assert done.returncode == 1 and "/keyFile" in done.stderr
    (daemon.state_dir / "key.away").rename(key)


def test_reload_keeps_tokens_unless_identity_changes(launch, provider):
    document = documents.client_credentials(provider)
    daemon = launch(document)
    first = daemon.token().json()
    daemon.write_iclient({**document, "description": "another text"})
    assert daemon.reload() == "done"
    assert daemon.token().json()["access_token"] == first["access_token"] and provider.count() == 1
    provider.check_client = False
    daemon.write_iclient(documents.client_credentials(provider, oauth2={"clientId": "another"}))
    assert daemon.reload() == "done"
    second = daemon.token().json()
    assert second["access_token"] != first["access_token"] and second["generation"] > first["generation"]
    assert provider.count() == 2


def test_edit_and_undo_loses_no_refresh_token(launch, provider):
    document = documents.code(provider)
    daemon = launch(document)
    daemon.login()
    first = daemon.token().json()
    daemon.write_iclient(documents.code(provider, oauth2={"clientSecret": "mistyped on a friday"}))
    assert daemon.reload() == "done"
    daemon.token(wait=0)
    daemon.write_iclient(document)
    assert daemon.reload() == "done"
    assert daemon.token().json()["access_token"] == first["access_token"]
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200


def test_reload_under_load_drops_no_caller(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    before = os.stat(daemon.token_socket).st_ino
    for _ in range(5):
        assert daemon.reload() == "done"
        assert daemon.token().status == 200
    assert os.stat(daemon.token_socket).st_ino == before


def test_exchange_under_way_survives_a_reload(launch, provider):
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    daemon = launch(documents.client_credentials(provider))
    waiting = Background(daemon.token)
    wait_until(lambda: provider.in_flight == 1, what="the exchange")
    assert daemon.reload() == "done"
    gate.set()
    assert waiting.result().status == 200
    assert provider.count() == 1
