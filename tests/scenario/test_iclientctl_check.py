"""`iclientctl check`: what it takes for which kind of document, and how it says what is wrong. No daemon runs."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("ICLIENTD_BUILD_DIR", ROOT / "build")) / "iclientctl"
SANITIZER_REPORT = re.compile(r"ERROR: (Leak|Address)Sanitizer|runtime error:")

ICLIENT = {"name": "sales", "provider": "custom_oauth2", "oauth2": {
    "clientId": "id", "clientSecret": "the-secret-of-a-test", "grantType": "clientcredentials",
    "token": {"uri": "https://as.example.com/token"}, "validDomainNames": ["example.com"]}}
CONNECTION = {"name": "crm", "iClient": "sales"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "presets").mkdir()
    return tmp_path


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def check(folder, *arguments):
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    done = subprocess.run([PROGRAM, "check", "--preset-dir", folder / "presets", *arguments], env=environment, text=True,
                          capture_output=True, timeout=60, check=False)
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode, done.stdout, done.stderr


def test_presets_are_found_without_an_installation(folder):
    """From the build directory, and under another prefix than the one that was configured."""
    document = {**ICLIENT, "provider": "google", "oauth2": {"clientId": "id", "clientSecret": "the-secret-of-a-test"}}
    file = write(folder / "gmail.json", document)
    (folder / "bin").mkdir()
    (folder / "share" / "iclientd").mkdir(parents=True)
    shutil.copytree(ROOT / "conf" / "providers", folder / "share" / "iclientd" / "providers")
    for program in (PROGRAM, shutil.copy(PROGRAM, folder / "bin")):
        done = subprocess.run([program, "check", file], env={**os.environ, "HOME": str(folder)}, text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stdout


def test_good_documents_are_counted_and_exit_0(folder):
    files = write(folder / "sales.json", ICLIENT), write(folder / "crm.json", CONNECTION)
    code, out, err = check(folder, *files)
    assert (code, out) == (0, "") and "good iClients: 1, good connections: 1, errors: 0" in err


def test_connection_that_misspells_its_iclient_is_told_so(folder):
    _, out, _ = check(folder, write(folder / "sales.json", ICLIENT), write(folder / "crm.json", {"name": "crm", "iclient": "sales"}))
    assert "crm.json: /iclient: is no field of a connection (did you mean \"iClient\"?)" in out
    assert "crm.json: /iClient: is required" in out and "provider" not in out


def test_folder_may_hold_both_kinds_beside_the_daemons_own_files(folder):
    write(folder / "etc" / "iclients.d" / "sales.json", ICLIENT)
    write(folder / "etc" / "connections.d" / "crm.json", CONNECTION)
    write(folder / "etc" / "iclientd.json", {"iclientDir": "iclients.d"})
    write(folder / "etc" / "providers" / "preset.json", {"oauth2": {}})
    (folder / "etc" / "iclients.d" / "back").symlink_to(folder / "etc")
    code, out, err = check(folder, folder / "etc")
    assert (code, out) == (0, "") and "good iClients: 1, good connections: 1" in err


def test_configuration_names_the_folders_when_no_file_is_given(folder):
    write(folder / "etc" / "apps" / "sales.json", ICLIENT)
    write(folder / "etc" / "links" / "crm.json", {**CONNECTION, "iClient": "slaes"})
    config = write(folder / "etc" / "iclientd.json", {"iclientDir": "apps", "connectionDir": "links"})
    code, out, _ = check(folder, "--config", config)
    assert code == 1 and "crm.json: /iClient: " in out and "sales" in out


def test_every_fault_has_its_file_pointer_and_hint(folder):
    wrong = {**ICLIENT, "oauth2": {**ICLIENT["oauth2"], "clientSecert": "x", "grantType": "magic"}}
    code, out, err = check(folder, write(folder / "wrong.json", wrong), write(folder / "torn.json", '{"name":'))
    assert code == 1 and "the-secret-of-a-test" not in out + err
    assert "torn.json: line 1" in out and "wrong.json: /oauth2/grantType: " in out
    assert re.search(r"wrong\.json: /oauth2/clientSecert: .*\(.*clientSecret", out)


def test_json_has_one_row_for_each_fault(folder):
    code, out, _ = check(folder, write(folder / "wrong.json", {**ICLIENT, "nmae": "x"}), "--json")
    row, = [row for row in json.loads(out) if row["pointer"] == "/nmae"]
    assert code == 1 and row["severity"] == "error" and row["file"].endswith("wrong.json") and "name" in row["hint"]


def test_file_names_and_members_cannot_repaint_the_screen(folder):
    code, out, err = check(folder, write(folder / "a\x1b[2Jb.json", {**ICLIENT, "x\x1b]0;y\x07": 1}))
    assert code == 1 and "\x1b" not in out + err and r"a\x1b[2Jb.json" in out


@pytest.mark.parametrize("name", ["missing.json", "missing/"])
def test_what_does_not_exist_is_exit_1(folder, name):
    code, out, _ = check(folder, folder / name)
    assert code == 1 and "No such file" in out


def test_missing_configuration_that_was_named_is_exit_1(folder):
    code, out, err = check(folder, "--config", folder / "none.json")
    assert (code, out) == (1, "") and "none.json" in err


def jwt_iclient(**jwt):
    oauth2 = {**ICLIENT["oauth2"], "grantType": "jwtbearer"}
    return {**ICLIENT, "oauth2": oauth2, "enableJWT": True, "jwt": {"signatureMethod": "RS256", **jwt}}


ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"


@pytest.mark.parametrize("jwt, code", [
    ({"privateKey": {"$credential": "key"}}, 0),
    ({"privateKey": ENCRYPTED, "passphrase": {"$file": "/nowhere"}}, 0),
    ({"privateKey": "no key at all"}, 1),
    ({}, 1),
])
def test_keys_are_checked_as_far_as_they_stand_in_the_document(folder, jwt, code):
    got, out, _ = check(folder, write(folder / "jwt.json", jwt_iclient(**jwt)))
    assert got == code and ("jwt.json: /jwt" in out) == (code == 1)
