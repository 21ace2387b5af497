"""The daemon in its sandbox, which it enters by itself: it is in there, and its life goes on."""

import os
import subprocess
from pathlib import Path

import documents
import pytest
from fakes.certificates import Authority
from fakes.scripted_provider import ScriptedProvider
from fakes.support import PATIENCE, wait_until

# The harness turns it off for builds with sanitizers, in which the daemon limits files alone.
ON = {"sandbox": True}


def thread_status(pid):
    """The fields of each thread's /proc/PID/task/TID/status."""
    return [dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)
            for path in Path(f"/proc/{pid}/task").glob("*/status")]


def assert_confined(daemon):
    threads = thread_status(daemon.process.pid)
    assert threads and all(thread["NoNewPrivs"] == "1" for thread in threads)
    if daemon.is_sanitized:
        assert "sandbox: system calls are not limited in a build with sanitizers" in daemon.log()
    else:
        assert {thread["Seccomp"] for thread in threads} == {"2"}, threads


def test_every_thread_is_confined(launch, provider):
    daemon = launch(documents.client_credentials(provider), config=ON)
    assert len(thread_status(daemon.process.pid)) >= 2
    assert_confined(daemon)


def test_it_is_on_by_default_and_can_be_turned_off(prepare, provider):
    daemon = prepare(documents.client_credentials(provider), config={"sandbox": None})
    daemon.start()
    assert_confined(daemon)
    daemon.stop()
    daemon.write_config({"sandbox": False})
    daemon.start()
    outside = thread_status(os.getpid())[0]["Seccomp"]
    assert {thread["Seccomp"] for thread in thread_status(daemon.process.pid)} == {outside}
    assert 'the sandbox is off: "sandbox" is false' in daemon.log()


def test_tokens_are_fetched_refreshed_and_kept(launch, provider):
    daemon = launch(documents.code(provider), config=ON)
    assert daemon.login().status == 200
    assert daemon.admin("POST", "/v1/connections/crm/refresh").status == 200
    token = daemon.token().json()
    assert token["generation"] == 2
    daemon.restart()
    assert_confined(daemon)
    assert daemon.token().json()["access_token"] == token["access_token"]


def test_no_library_records_session_keys(prepare, tmp_path):
    """libcurl appends the keys of each TLS connection to the file that SSLKEYLOGFILE names, and the state directory is
    one that the sandbox lets it write in."""
    authority = Authority(tmp_path)
    with ScriptedProvider(authority) as provider:
        daemon = prepare(documents.client_credentials(provider), config={**ON, "http": {"caFile": authority.ca_file}})
        daemon.state_dir.mkdir(mode=0o700)
        keys = daemon.state_dir / "keys"
        daemon.environment = {"SSLKEYLOGFILE": str(keys), "QLOGDIR": str(daemon.state_dir)}
        daemon.start()
        assert daemon.token().status == 200
        assert not keys.exists()
        assert subprocess.run([daemon.binary("iclientctl"), "list"], env={**daemon._environment(), **daemon.environment},
                              capture_output=True, check=False, timeout=PATIENCE).returncode == 0
        assert not keys.exists()


def test_names_are_resolved(launch, provider):
    """getaddrinfo() in a thread of its own, with what NSS loads and opens."""
    by_name = provider.token_uri.replace("127.0.0.1", "localhost")
    assert by_name != provider.token_uri
    daemon = launch(documents.client_credentials(provider, oauth2={"token": {"uri": by_name}, "revoke": None}), config=ON)
    reply = daemon.token()
    assert reply.status == 200, reply
    assert_confined(daemon)


def test_reload_reads_what_was_not_there_before(launch, provider, tmp_path):
    """A changed document whose secret is in a new file of a directory that nothing named before."""
    daemon = launch(documents.client_credentials(provider), config=ON)
    assert daemon.token().status == 200
    secret = tmp_path / "later" / "secret"
    secret.parent.mkdir()
    secret.write_text(provider.client[1])
    secret.chmod(0o600)
    document = documents.client_credentials(provider, oauth2={"clientSecret": {"$file": str(secret)}})
    daemon.write_iclient(document)
    daemon.write_iclient(documents.client_credentials(provider, "second", oauth2={"clientSecret": {"$file": str(secret)}}))
    assert daemon.reload() == "done"
    assert daemon.token("second").status == 200
    assert_confined(daemon)


def test_sockets_are_removed_at_the_end(launch, provider):
    daemon = launch(documents.client_credentials(provider), config=ON)
    assert daemon.token_socket.exists() and daemon.admin_socket.exists()
    daemon.stop()
    assert not daemon.token_socket.exists() and not daemon.admin_socket.exists()


def test_first_start_makes_the_key_where_the_configuration_wants_it(prepare, provider):
    """Outside of the state directory, which alone is written to later."""
    daemon = prepare(documents.client_credentials(provider), config={**ON, "keyFile": "the.key"})
    daemon.start()
    assert (daemon.folder / "the.key").stat().st_size == 32
    assert daemon.token().status == 200


def test_peers_are_told_by_group_and_unit(launch, provider):
    """Rules look names up when they are loaded, and /proc when a peer asks."""
    daemon = launch(documents.client_credentials(provider), config=ON,
                    connections=[{"name": "by-unit", "iClient": "crm", "allow": {"units": ["nothing.service"]}},
                                 {"name": "by-group", "iClient": "crm", "allow": {"groups": ["nogroup"]}}])
    assert daemon.get_as("/v1/token/by-unit", 65534, 65534)[0] == 403
    assert daemon.get_as("/v1/token/by-group", 65534, 65534)[0] == 200
    assert_confined(daemon)


@pytest.mark.parametrize("path", ["conf.d", "missing/further"])
def test_state_directory_is_wherever_the_configuration_says(prepare, provider, path):
    daemon = prepare(documents.client_credentials(provider), config={**ON, "stateDir": path})
    daemon.start()
    assert daemon.token().status == 200
    wait_until(lambda: (daemon.folder / path / "store.sqlite3").exists(), what="the store")
