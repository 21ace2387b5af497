"""Users of the host that a service knows, under the file system of iclientd.service. Needs root, as systemd has it."""

import re
import socket
import subprocess
from pathlib import Path

import documents
import pytest
from fakes.support import die_with_parent, wait_until
from fakes.user_database import UserDatabase
from unit_view import USER, UnitDaemon

CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
# Where the service listens, and the name by which its clients (libnss_sss, libnss_winbind, …) look for it.
SERVICES = {
    "systemd-userdbd": ("/run/systemd/userdb/io.systemd.Multiplexer",) * 2,
    "sssd": ("/var/lib/sss/pipes/nss",) * 2,
    "winbind": ("/run/samba/winbindd/pipe",) * 2,
    "nslcd": ("/run/nslcd/socket", "/var/run/nslcd/socket"),
    "nscd": ("/run/nscd/socket", "/var/run/nscd/socket"),
}
ALICE, BOB, STAFF, STRANGER = 71001, 71002, 71003, 71004


def connection(name, **allow):
    return {"name": name, "iClient": "crm", "allow": allow}


@pytest.fixture
def under_the_unit(prepare, provider):
    """under_the_unit(*connections): (daemon, user database), neither of them started."""
    databases = []

    def make(*connections):
        daemon = prepare(documents.client_credentials(provider), connections=connections, kind=UnitDaemon)
        databases.append(UserDatabase(daemon.folder / "userdb"))
        databases[-1].users = {"alice": ALICE, "bob": BOB}
        databases[-1].groups = {"staff-of-directory": STAFF}
        return daemon, databases[-1]
    yield make
    for database in databases:
        database.__exit__()


def status_for(daemon, name, uid, gid=STRANGER):
    return daemon.get_as(f"/v1/token/{name}", uid, gid)[0]


def test_users_and_groups_of_a_service_are_known(under_the_unit):
    daemon, database = under_the_unit(connection("by-user", users=["alice"]),
                                      connection("by-group", groups=["staff-of-directory"]))
    with database:
        daemon.start()
        assert status_for(daemon, "by-user", ALICE) == 200
        assert status_for(daemon, "by-user", BOB) == 403
        assert status_for(daemon, "by-group", BOB, STAFF) == 200
        assert status_for(daemon, "by-group", BOB) == 403


def test_they_are_known_to_a_reload_in_the_sandbox(under_the_unit):
    daemon, database = under_the_unit(connection("by-user", users=["alice"]))
    with database:
        daemon.start()
        daemon.write_connection(connection("later", users=["bob"], groups=["staff-of-directory"]))
        assert daemon.reload() == "done"
        assert status_for(daemon, "later", BOB) == 200
        assert status_for(daemon, "later", ALICE, STAFF) == 200
        assert status_for(daemon, "later", ALICE) == 403


def test_service_that_starts_later_makes_its_users_known(under_the_unit):
    daemon, database = under_the_unit(connection("by-user", users=["alice"]), connection("by-number", users=[BOB]),
                                      connection("by-group", groups=["staff-of-directory"], users=["nobody-at-all"]))
    daemon.start()
    assert 'user "alice" in an access rule is not known to this host' in daemon.log()
    assert status_for(daemon, "by-number", BOB) == 200
    assert status_for(daemon, "by-user", ALICE) == 403
    with database:
        wait_until(lambda: status_for(daemon, "by-user", ALICE) == 200, what="alice to be known")
        assert status_for(daemon, "by-group", BOB, STAFF) == 200
        assert status_for(daemon, "by-user", BOB) == 403
        assert f'user "alice" is known now: id {ALICE}' in daemon.log()


def test_name_that_nobody_knows_is_refused_by_a_reload_and_by_the_api(under_the_unit):
    daemon, database = under_the_unit(connection("by-user", users=["alice"]))
    with database:
        daemon.start()
        reply = daemon.admin("POST", "/v1/connections", connection("made", users=["nobody-at-all"]))
        assert reply.status in (400, 422) and "does not exist" in reply.text, reply
        daemon.write_connection(connection("later", users=["nobody-at-all"]))
        assert daemon.reload() == "refused"
        assert 'allow.users[0]: "nobody-at-all" does not exist' in daemon.log()
        assert status_for(daemon, "by-user", ALICE) == 200


def test_service_that_does_not_answer_holds_up_neither_start_nor_tokens_for_long(under_the_unit):
    names = {f"user-{index}": 72000 + index for index in range(50)}
    daemon, database = under_the_unit(connection("by-number", users=[BOB]), *(connection(name, users=[name]) for name in names))
    database.users = names
    database.answers.clear()
    with database:
        daemon.start()
        assert database.asked.count("user-7") <= 1  # not once for each rule
        assert status_for(daemon, "by-number", BOB) == 200
        daemon.write_connection(connection("later", users=["alice"]))
        assert daemon.reload() == "refused"
        assert "the host's user database does not answer" in daemon.log()
        database.answers.set()
        wait_until(lambda: status_for(daemon, "user-49", names["user-49"]) == 200, what="users to be known")


def test_another_process_of_its_user_cannot_read_its_memory(prepare, provider):
    """Not dumpable, and no core: /proc/PID/environ is closed as /proc/PID/mem is."""
    daemon = prepare(documents.client_credentials(provider), kind=UnitDaemon)
    daemon.start()
    read = ["/usr/bin/head", "-c", "1"]
    peer = {"user": USER, "group": USER, "extra_groups": [], "cwd": "/", "check": False, "capture_output": True}
    with subprocess.Popen(["/usr/bin/sleep", "60"], user=USER, group=USER, extra_groups=[], cwd="/", preexec_fn=die_with_parent) as other:
        assert subprocess.run([*read, f"/proc/{other.pid}/environ"], **peer).returncode == 0, "it may read those of others"
        other.kill()
    assert subprocess.run([*read, f"/proc/{daemon.process.pid}/environ"], **peer).returncode == 1
    limits = Path(f"/proc/{daemon.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


@pytest.mark.parametrize("listens, is_asked", SERVICES.values(), ids=SERVICES)
def test_service_is_reached_under_the_name_that_its_clients_use(prepare, listens, is_asked):
    daemon = prepare(kind=UnitDaemon)
    (daemon.folder / "service").mkdir()
    directory, _, name = listens.rpartition("/")
    daemon.host_directories[directory] = "service"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon.folder / "service" / name))
        (daemon.folder / "service" / name).chmod(0o666)
        listener.listen()
        done = daemon.run_in_view("/usr/bin/python3", "-c", CONNECT, is_asked)
        assert done.returncode == 0, done.stderr
