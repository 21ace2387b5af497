"""The command line: data on stdout, words on stderr, exit codes that scripts may rely on."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import documents
import pytest
from fakes.scripted_provider import Answer
from fakes.support import PATIENCE, CurlUser, wait_until

DONE, FAILED, USAGE, AUTHORIZATION_REQUIRED, NOT_ALLOWED, PROVIDER_UNAVAILABLE, NOT_REACHABLE = range(7)


@pytest.fixture
def daemon(launch, provider):
    return launch(documents.client_credentials(provider), documents.code(provider, "mail"))


def test_token_prints_the_token_alone(daemon):
    done = daemon.ctl("token", "crm")
    assert done.returncode == DONE and done.stderr == ""
    assert done.stdout == daemon.token().json()["access_token"] + "\n"


def test_token_header_and_json(daemon):
    token = daemon.token().json()
    assert daemon.ctl("token", "crm", "--header").stdout == f"Authorization: Bearer {token['access_token']}\n"
    document = json.loads(daemon.ctl("token", "crm", "--json").stdout)
    assert document["access_token"] == token["access_token"] and document["generation"] == 1


def test_token_min_ttl_is_passed_on(daemon):
    assert daemon.ctl("token", "crm", "--min-ttl", "60").returncode == DONE
    assert daemon.ctl("token", "crm", "--min-ttl", "soon").returncode == USAGE


def test_run_gives_the_token_to_the_command_and_its_exit_code_back(daemon):
    done = daemon.ctl("run", "crm", "--", "sh", "-c", 'printf %s "$ACCESS_TOKEN"; exit 42')
    assert done.returncode == 42 and done.stdout == daemon.token().json()["access_token"]


def test_run_without_a_token_runs_nothing(daemon):
    done = daemon.ctl("run", "mail", "--", "echo", "ran")
    assert done.returncode == AUTHORIZATION_REQUIRED and done.stdout == ""


def test_list_and_status_show_the_state(daemon):
    daemon.token()
    listing = daemon.ctl("list")
    assert listing.returncode == DONE
    assert re.search(r"crm.*ready", listing.stdout) and re.search(r"mail.*authorization_required", listing.stdout)
    rows = {row["name"]: row for row in json.loads(daemon.ctl("list", "--json").stdout)}
    assert rows["crm"]["state"] == "ready" and rows["mail"]["state"] == "authorization_required"
    status = daemon.ctl("status", "mail")
    assert status.returncode == DONE and "authorization_required" in status.stdout
    assert json.loads(daemon.ctl("status", "crm", "--json").stdout)["state"] == "ready"
    assert "\x1b" not in listing.stdout + status.stdout


def test_login_no_browser_prints_the_link_and_waits_for_the_end(daemon, provider):
    login = daemon.ctl_background("login", "mail", "--no-browser")
    link = login.stdout.readline().strip()
    assert link.startswith(daemon.base + "/connect/")
    assert login.poll() is None
    person = CurlUser()
    assert person.get(person.follow(link, until=daemon.base + "/callback")).status == 200
    _, words = login.communicate(timeout=PATIENCE)
    assert login.returncode == DONE, words
    assert f"register this one there: {daemon.redirect_uri_of('mail')}\n" in words
    assert daemon.token("mail").status == 200


def test_login_is_told_when_it_fails(daemon, provider):
    provider.callback_changes = {"code": None, "error": "access_denied"}
    login = daemon.ctl_background("login", "mail", "--no-browser")
    link = login.stdout.readline().strip()
    person = CurlUser()
    person.get(person.follow(link, until=daemon.base + "/callback"))
    login.communicate(timeout=PATIENCE)
    assert login.returncode == FAILED


# A display without a browser leads to the same.
@pytest.mark.parametrize("options, variables", [(["--no-browser"], {}), ([], {"DISPLAY": ":0", "PATH": "/no/such"})],
                         ids=["asked", "no browser found"])
def test_login_by_paste(daemon, options, variables):
    command = [daemon.binary("iclientctl"), "login", "mail", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**daemon._environment(), **variables}) as login:
        link = login.stdout.readline().strip()
        callback = CurlUser().follow(link, until=daemon.base + "/callback")
        login.stdin.write(callback + "\n")
        login.stdin.flush()
        assert login.wait(PATIENCE) == DONE
    assert daemon.token("mail").status == 200


class ProcessTable:
    """What a user who looks into /proc all the time sees of every process: arguments and environment."""

    def __init__(self):
        self.seen = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _look(self):
        while not self._done.is_set():
            for path in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
                with contextlib.suppress(OSError):
                    self.seen.add(path.read_bytes())

    def shows(self, text):
        return any(text.encode() in content for content in set(self.seen))


def browser_stand_in(folder):
    """(variables, note): in the place of xdg-open a program that notes its argument, until somebody has seen it."""
    opener, note, seen = folder / "xdg-open", folder / "note", folder / "seen"
    opener.write_text(f"""#!/bin/sh
file="${{1#file://}}"
{{ echo "$1"; cat "$file"; }} >{note}.new; mv {note}.new {note}
while [ ! -e {seen} ]; do sleep 0.01; done
""")
    opener.chmod(0o755)
    return {"DISPLAY": ":9", "PATH": f"{folder}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(folder)}, note, seen


def test_login_shows_its_ticket_to_no_other_user(daemon, tmp_path):
    """Else whoever reads the process table takes up the link first, and logs in with an account of his own."""
    variables, note, seen = browser_stand_in(tmp_path)
    command = [daemon.binary("iclientctl"), "login", "mail"]
    with ProcessTable() as table, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                                   stderr=subprocess.PIPE, env={**daemon._environment(), **variables}) as login:
        link = login.stdout.readline().strip()
        wait_until(note.exists, what="the browser")
        address, page = note.read_text().split("\n", 1)
        wait_until(lambda: table.shows(address), what="the opener to be seen")
        seen.touch()
        person = CurlUser()
        callback = person.follow(link, until=daemon.redirect_uri_of("mail"))
        wait_until(lambda: not list(tmp_path.glob("iclientctl-login-*")), what="the page to be removed")
        assert login.poll() is None
        assert person.get(callback).status == 200
        assert login.wait(PATIENCE) == DONE
    ticket = link.rsplit("/", 1)[1]
    assert len(ticket) >= 22 and not table.shows(ticket) and ticket not in daemon.log()
    assert address.startswith(f"file://{tmp_path}/iclientctl-login-") and f'url={link}"' in page
    assert daemon.token("mail").status == 200


def test_refresh_and_revoke(daemon, provider):
    first = daemon.token().json()["access_token"]
    assert daemon.ctl("refresh", "crm").returncode == DONE
    second = daemon.token().json()["access_token"]
    assert second != first
    assert daemon.ctl("revoke", "crm").returncode == DONE
    assert second in provider.revoked


def test_watch_prints_each_token_without_showing_it(daemon):
    token = daemon.token().json()["access_token"]
    watch = daemon.ctl_background("watch", "crm")
    line = watch.stdout.readline()
    assert "generation 1" in line and token not in line
    daemon.ctl("refresh", "crm")
    assert "generation 2" in watch.stdout.readline()
    watch.kill()
    watch.communicate()


def test_watch_ends_with_its_reader(daemon):
    """As in `iclientctl watch crm | head -n 1`."""
    watch = daemon.ctl_background("watch", "crm")
    assert watch.stdout.readline()
    watch.stdout.close()
    assert watch.wait(PATIENCE) == -signal.SIGPIPE


def test_watch_ends_with_the_daemon(daemon):
    watch = daemon.ctl_background("watch", "crm", "--json")
    assert json.loads(watch.stdout.readline())["connection"] == "crm"
    daemon.stop()
    watch.communicate(timeout=PATIENCE)
    assert watch.returncode == NOT_REACHABLE
    daemon.start()


# Exit codes

def test_unknown_connection_fails(daemon):
    for command in ("token", "status", "refresh", "revoke", "watch"):
        done = daemon.ctl(command, "nobody")
        assert done.returncode == FAILED and done.stdout == "" and "nobody" in done.stderr, command


@pytest.mark.parametrize("arguments", [(), ("token",), ("tokn", "crm"), ("token", "crm", "--nonsense"), ("run", "crm"),
                                       ("token", "a", "b"), ("list", "x"), ("token", "crm", "--min-ttl")])
def test_wrong_usage_is_2(daemon, arguments):
    done = daemon.ctl(*arguments)
    assert done.returncode == USAGE and done.stdout == "" and done.stderr


def test_help_and_version_are_data(daemon):
    assert daemon.ctl("--help").returncode == daemon.ctl("--version").returncode == DONE
    assert "token" in daemon.ctl("--help").stdout
    assert daemon.ctl("token", "--help").returncode == DONE


def test_missing_login_is_3(daemon):
    done = daemon.ctl("token", "mail")
    assert done.returncode == AUTHORIZATION_REQUIRED and done.stdout == ""
    assert "iclientctl login mail" in done.stderr


def test_stranger_is_4(daemon):
    binary = daemon.folder / "iclientctl"
    shutil.copy(daemon.binary("iclientctl"), binary)
    binary.chmod(0o755)
    done = subprocess.run([binary, "--token-socket", daemon.token_socket, "token", "crm"], user=4242, group=4242,
                          extra_groups=[], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == NOT_ALLOWED and done.stdout == ""


def test_provider_down_is_5(launch, provider):
    provider.on("/token", Answer(503))
    daemon = launch(documents.client_credentials(provider))
    done = daemon.ctl("token", "crm", "--wait", "1")
    assert done.returncode == PROVIDER_UNAVAILABLE and done.stdout == ""


def test_refused_client_is_1(launch, provider):
    daemon = launch(documents.client_credentials(provider, oauth2={"clientSecret": "a wrong secret"}))
    assert daemon.ctl("token", "crm").returncode == FAILED


def test_absent_daemon_is_6(daemon):
    for command in (["token", "crm"], ["list"], ["login", "mail", "--no-browser"]):
        done = daemon.ctl("--token-socket", "/no/such", "--admin-socket", "/no/such", *command)
        assert done.returncode == NOT_REACHABLE and done.stdout == "" and done.stderr, command


# Check, without a daemon

def test_check_passes_good_files_and_names_faults(prepare, provider):
    daemon = prepare()
    document = documents.client_credentials(provider)
    document["oauth2"]["token"]["uri"] = "https://auth.example.com/token"
    document["oauth2"]["revoke"]["uri"] = "https://auth.example.com/revoke"
    good = daemon.write_iclient(document, "good")
    assert daemon.ctl("check", str(good)).returncode == DONE
    document["oauth2"]["cliendId"] = "x"
    bad = daemon.write_iclient(document, "bad")
    done = daemon.ctl("check", str(bad))
    assert done.returncode == FAILED
    assert "bad.json" in done.stdout and "/oauth2/cliendId" in done.stdout and "clientId" in done.stdout
    faults = json.loads(daemon.ctl("check", "--json", str(bad)).stdout)
    assert faults[0]["pointer"] == "/oauth2/cliendId"
    assert daemon.ctl("check", "/no/such/file").returncode == FAILED


def test_check_reads_the_daemons_configuration(prepare, provider):
    daemon = prepare(documents.client_credentials(provider), connections=[{"name": "anna", "iClient": "crm"}])
    assert daemon.ctl("check", "--config", str(daemon.config_file)).returncode == DONE
    daemon.write_connection({"name": "bob", "iClient": "crmm"})
    done = daemon.ctl("check", "--config", str(daemon.config_file))
    assert done.returncode == FAILED and "bob.json" in done.stdout
