"""iclientctl rekey: another key for the store beside everything else, through kills, full disks and keys that the daemon
cannot write."""

import contextlib
import fcntl
import json
import os
import random
import resource
import subprocess
import threading

import documents
import pytest
from daemon import UnixConnection, error_of
from fakes.support import wait_until

DONE, FAILED, USAGE, NOT_ALLOWED, NOT_REACHABLE = 0, 1, 2, 4, 6
STORE = "store.sqlite3"
WAL_WRITE_LOCK = 120  # SQLite's lock for writing to the log: a byte of the -shm file (walformat.html, 2.3.1)
MANY = 120            # connections; some pieces of each table


def refresh(daemon, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/refresh")


def key_path(daemon):
    return daemon.state_dir / "key"


def keys_in(path):
    """The keys of a key file, as hex."""
    content = path.read_bytes()
    return [content.hex()] if len(content) == 32 else content.decode().split()


def key_state(daemon):
    reply = daemon.admin("GET", "/v1/rekey")
    assert reply.status == 200, reply
    return reply.json()


def wait_for_state(daemon, state="settled"):
    return wait_until(lambda: (lambda now: now if now["state"] == state else None)(key_state(daemon)), what=state)


def begin(daemon):
    reply = daemon.admin("POST", "/v1/rekey")
    assert reply.status == 202, reply
    return reply.json()


def files_have_values_of(daemon, key_id):
    return any(bytes.fromhex(key_id) in path.read_bytes() for path in daemon.state_dir.glob(STORE + "*"))


def assert_no_key_in_log(daemon, *keys):
    log = daemon.log()
    assert keys and not any(key in log or key.upper() in log for key in keys)


def refused_start(daemon):
    before = len(daemon.log())
    with pytest.raises(AssertionError, match="iclientd ended with 1"):
        daemon.start()
    return daemon.log()[before:]


@contextlib.contextmanager
def store_locked(daemon):
    """Nothing is committed meanwhile."""
    shared = os.open(daemon.state_dir / (STORE + "-shm"), os.O_RDWR)
    try:
        fcntl.lockf(shared, fcntl.LOCK_EX, 1, WAL_WRITE_LOCK)
        yield
    finally:
        os.close(shared)


@contextlib.contextmanager
def files_no_larger_than(daemon, size):
    soft, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    pid = daemon.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def one(launch, provider):
    """A daemon with a login."""
    daemon = launch(documents.code(provider))
    daemon.login()
    return daemon


@pytest.fixture
def many(prepare, provider):
    """A daemon with many tokens: name -> token."""
    daemon = prepare(*(documents.client_credentials(provider, f"c{number:03}") for number in range(MANY)))
    daemon.start()
    daemon.tokens = {name: daemon.token(name).json()["access_token"] for name in daemon.connections()}
    assert len(daemon.tokens) == MANY
    # A log that is empty, so that what is written from now on makes it grow.
    daemon.restart()
    return daemon


def assert_nothing_lost(daemon):
    """Without asking the provider."""
    for name, token in daemon.tokens.items():
        assert daemon.token(name).json()["access_token"] == token, name


# The whole

def test_rekey_changes_the_key_and_every_value(one):
    before = key_state(one)
    old = keys_in(key_path(one))
    token = one.token().json()
    done = one.ctl("rekey")
    assert done.returncode == DONE and done.stdout == "", done
    after = key_state(one)
    assert after["state"] == "settled" and after["old_key_ids"] == [] and after["values_left"] == 0
    assert after["key_id"] != before["key_id"] and after["key_id"] in done.stderr
    new = keys_in(key_path(one))
    assert len(new) == 1 and new != old
    assert key_path(one).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in one.state_dir.iterdir() if path.name.startswith("key")) == ["key"]
    assert not files_have_values_of(one, before["key_id"])
    assert_no_key_in_log(one, *old, *new)
    assert "store key: change asked for by uid 0" in one.log()
    one.restart()
    assert one.token().json()["access_token"] == token["access_token"]
    assert refresh(one).status == 200


def test_second_rekey_makes_another_key(one):
    ids = [key_state(one)["key_id"]]
    for _ in range(2):
        assert one.ctl("rekey").returncode == DONE
        ids.append(key_state(one)["key_id"])
        assert len(keys_in(key_path(one))) == 1
    assert len(set(ids)) == 3
    one.kill()
    one.start()
    assert one.token().status == 200 and key_state(one)["key_id"] == ids[-1]


def test_old_key_opens_the_store_no_more_and_the_refusal_names_both(one):
    old = key_path(one).read_bytes()
    old_id = key_state(one)["key_id"]
    assert one.ctl("rekey").returncode == DONE
    new_id = key_state(one)["key_id"]
    new = key_path(one).read_bytes()
    one.stop()
    key_path(one).write_bytes(old)
    said = refused_start(one)
    assert f"sealed with the key {new_id}, but the key here is {old_id}" in said, said
    assert str(key_path(one)) in said and STORE in said
    key_path(one).write_bytes(new)
    one.start()
    assert one.token().status == 200


def test_backup_of_before_opens_with_its_key_as_one_more_line(one):
    token = one.token().json()["access_token"]
    one.stop()
    backup = (one.state_dir / STORE).read_bytes()
    old = keys_in(key_path(one))
    one.start()
    old_id = key_state(one)["key_id"]
    assert one.ctl("rekey").returncode == DONE
    one.stop()
    (one.state_dir / STORE).write_bytes(backup)
    assert f"sealed with the key {old_id}" in refused_start(one)
    with open(key_path(one), "a", encoding="ascii") as file:
        file.write(old[0] + "\n")
    one.start()
    assert one.token().json()["access_token"] == token
    wait_for_state(one)
    assert keys_in(key_path(one)) != old and len(keys_in(key_path(one))) == 1


def test_tokens_are_served_and_refreshed_meanwhile(many, provider):
    ended = threading.Event()
    failures, served, generations = [], [0], {}

    def work(names):
        while not ended.is_set():
            for name in names:
                for reply in (many.token(name), refresh(many, name)):
                    served[0] += 1
                    if reply.status != 200:
                        failures.append(reply)
                generations[name] = many.token(name).json()["generation"]

    names = sorted(many.tokens)
    workers = [threading.Thread(target=work, args=(names[start:start + 20],)) for start in (0, 100)]
    for worker in workers:
        worker.start()
    for _ in range(3):
        done = many.ctl("rekey")
        assert done.returncode == DONE, done
    wait_until(lambda: len(generations) >= 20, what="work to be done")
    ended.set()
    for worker in workers:
        worker.join()
    assert not failures and served[0] > 0
    many.tokens |= {name: many.token(name).json()["access_token"] for name in generations}
    many.kill()
    many.start()
    assert_nothing_lost(many)
    for name, generation in generations.items():
        assert many.token(name).json()["generation"] >= generation
    assert not provider.revoked and len(keys_in(key_path(many))) == 1


# Kills

def test_kill_before_any_value_is_sealed_anew(many):
    with store_locked(many):
        state = begin(many)
        assert state["state"] == "resealing" and len(keys_in(key_path(many))) == 2
        many.kill()
    many.start()
    assert_nothing_lost(many)
    assert wait_for_state(many)["key_id"] == state["key_id"]
    assert_nothing_lost(many)
    assert len(keys_in(key_path(many))) == 1


def test_kill_in_the_middle_goes_on_by_itself_with_the_same_key(many):
    old_id = key_state(many)["key_id"]
    begun_with = os.stat(many.state_dir / (STORE + "-wal")).st_size
    with files_no_larger_than(many, begun_with + 60 * 1024):  # one piece, and not all
        new_id = begin(many)["key_id"]
        stuck = wait_until(lambda: (lambda now: now if now["last_error"] else None)(key_state(many)), what="a full disk")
        assert stuck["state"] == "resealing" and stuck["old_key_ids"] == [old_id]
        assert 0 < stuck["values_left"] < 2 * MANY, "not in the middle"
        many.kill()
    assert len(keys_in(key_path(many))) == 2
    many.start()
    assert wait_for_state(many)["key_id"] == new_id
    assert_nothing_lost(many)
    assert not files_have_values_of(many, old_id)
    many.restart()
    assert_nothing_lost(many)


def test_kill_before_the_old_key_is_taken_out(one):
    token = one.token().json()["access_token"]
    obstacle = one.state_dir / "key.new"
    with store_locked(one):
        new_id = begin(one)["key_id"]
        obstacle.mkdir()
    wait_until(lambda: key_state(one)["last_error"], what="the key file that cannot be written")
    state = key_state(one)
    assert state["state"] == "resealing" and len(keys_in(key_path(one))) == 2
    one.kill()
    obstacle.rmdir()
    one.start()
    assert one.token().json()["access_token"] == token
    assert wait_for_state(one)["key_id"] == new_id
    assert len(keys_in(key_path(one))) == 1


def test_kills_at_any_moment_lose_nothing(many):
    chance = random.Random(1)
    for _ in range(6 if many.is_sanitized else 12):
        begin(many)
        threading.Event().wait(chance.random() * 0.05)  # where it comes down is left to chance
        many.kill()
        assert 1 <= len(keys_in(key_path(many))) <= 2
        many.start()
        assert_nothing_lost(many)
    wait_for_state(many)
    assert len(keys_in(key_path(many))) == 1
    many.restart()
    assert_nothing_lost(many)


def test_rekey_called_again_joins_and_makes_no_third_key(one):
    with store_locked(one):
        first = begin(one)
        second = one.ctl("rekey", "--no-wait", "--json")
        assert second.returncode == DONE and json.loads(second.stdout)["key_id"] == first["key_id"]
        assert len(keys_in(key_path(one))) == 2
        one.kill()
    one.start()
    done = one.ctl("rekey", "--json")
    assert done.returncode == DONE
    state = json.loads(done.stdout)
    assert state["state"] == "settled" and len(keys_in(key_path(one))) == 1
    # Over before it was called: then that was a change of its own, which the log may tell a moment later.
    if state["key_id"] != first["key_id"]:
        wait_until(lambda: one.log().count("and the old key is gone") == 2, what="the second change in the log")


def test_callers_that_leave_and_a_stop_while_others_wait_harm_nothing(one):
    token = one.token().json()["access_token"]
    with store_locked(one):
        new_id = begin(one)["key_id"]
        waiting = [UnixConnection(one.admin_socket) for _ in range(4)]
        for connection in waiting:
            connection.request("POST", "/v1/rekey")
        waiting[0].close()
        waiting[1].close()
        assert key_state(one)["key_id"] == new_id
        one.stop()
    for connection in waiting:
        connection.close()
    one.start()
    assert wait_for_state(one)["key_id"] == new_id
    assert one.token().json()["access_token"] == token


# iclientctl

def line_with(process, text):
    """The next line on stderr that has it: a busy machine may make the daemon say more before."""
    while text not in (line := process.stderr.readline()):
        assert line, f"it ended without a word of {text}"
    return line


def test_status_tells_the_key_and_begins_nothing(one):
    before = key_state(one)
    done = one.ctl("rekey", "--status")
    assert done.returncode == DONE and done.stderr == ""
    assert before["key_id"] in done.stdout and str(key_path(one)) in done.stdout
    assert json.loads(one.ctl("rekey", "--status", "--json").stdout) == before
    with store_locked(one):
        new_id = begin(one)["key_id"]
        shown = one.ctl("rekey", "--status").stdout
        assert new_id in shown and before["key_id"] in shown and "old key" in shown
    wait_for_state(one)


def test_waiting_tells_progress_and_trouble_in_words(one):
    obstacle = one.state_dir / "key.new"
    with store_locked(one):
        begin(one)
        obstacle.mkdir()
        waiting = one.ctl_background("rekey")
        line_with(waiting, "values left")
    assert "is tried again" in line_with(waiting, str(key_path(one))) and waiting.poll() is None
    obstacle.rmdir()
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == DONE and out == "" and "the old key is gone" in err


def test_waiting_ends_with_the_daemon_and_says_that_it_goes_on(one):
    with store_locked(one):
        begin(one)
        waiting = one.ctl_background("rekey")
        line_with(waiting, "values left")
        one.kill()
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == NOT_REACHABLE and out == "" and "goes on by itself" in err
    one.start()
    wait_for_state(one)


def test_wrong_usage(one):
    assert one.ctl("rekey", "crm").returncode == USAGE
    assert one.ctl("rekey", "--min-ttl", "5").returncode == USAGE


# Who may

@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_no_operator_is_refused(prepare, provider, method):
    # With "tenants" all may connect to the admin socket.
    daemon = prepare(documents.client_credentials(provider), config={
        "adminSocket": {"mode": None}, "tenants": {"acme": {"oauth_clients": {"get": {"users": ["nobody"]}}}}})
    daemon.start()
    before = key_path(daemon).read_bytes()
    status, text = daemon.get_as("/v1/rekey", 65534, 65534, method=method, admin=True)
    assert status == 403 and "not_allowed" in text
    assert "denied: uid 65534" in daemon.log()
    assert key_path(daemon).read_bytes() == before and key_state(daemon)["state"] == "settled"
    assert daemon.get("/v1/rekey").status == 404, "it is not on the token socket"


# Disks

def test_full_disk_at_the_key_write_changes_nothing(one):
    before, key = key_state(one), key_path(one).read_bytes()
    with files_no_larger_than(one, 1):
        reply = one.admin("POST", "/v1/rekey")
        assert reply.status == 503 and error_of(reply)["code"] == "store_unavailable", reply
        assert str(key_path(one)) in error_of(reply)["message"] and "nothing has changed" in error_of(reply)["message"]
        done = one.ctl("rekey")
        assert done.returncode == NOT_REACHABLE and str(key_path(one)) in done.stderr and done.stdout == ""
    assert key_path(one).read_bytes() == key and key_state(one) == before
    assert not (one.state_dir / "key.new").exists()
    assert one.ctl("rekey").returncode == DONE
    assert refresh(one).status == 200


def test_full_file_system_at_the_key_write_changes_nothing(prepare, provider):
    daemon = prepare(documents.code(provider))
    daemon.state_dir.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", daemon.state_dir],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        daemon.start()
        daemon.login()
        key = key_path(daemon).read_bytes()
        with open(daemon.state_dir / "ballast", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))
        reply = daemon.admin("POST", "/v1/rekey")
        assert reply.status == 503 and "No space left" in error_of(reply)["message"], reply
        assert key_path(daemon).read_bytes() == key
        (daemon.state_dir / "ballast").unlink()
        assert daemon.ctl("rekey").returncode == DONE
        daemon.stop()
    finally:
        subprocess.run(["umount", "--lazy", daemon.state_dir], check=False)


# Where the key is

def with_credential(daemon, content):
    folder = daemon.folder / "credentials"
    folder.mkdir(exist_ok=True)
    (folder / "iclientd.key").write_bytes(content)
    (folder / "iclientd.key").chmod(0o600)
    daemon.environment["CREDENTIALS_DIRECTORY"] = str(folder)
    return folder / "iclientd.key"


def test_key_of_a_credential_is_changed_by_the_operator(prepare, provider):
    daemon = prepare(documents.code(provider))
    old, new = os.urandom(32), os.urandom(32)
    with_credential(daemon, old)
    daemon.start()
    daemon.login()
    token = daemon.token().json()["access_token"]
    refused = daemon.ctl("rekey")
    assert refused.returncode == FAILED and refused.stdout == ""
    for part in ("credential", "systemd-creds", "systemctl restart iclientd", "nothing has changed"):
        assert part in refused.stderr, refused.stderr
    reply = daemon.admin("POST", "/v1/rekey")
    assert reply.status == 422 and error_of(reply)["code"] == "read_only"
    assert not key_path(daemon).exists() and key_state(daemon)["credential"] is True

    # As the advice makes it: a line before what was there.
    daemon.stop()
    credential = with_credential(daemon, new.hex().encode() + b"\n" + old)
    content = credential.read_bytes()
    daemon.start()
    state = wait_for_state(daemon, "old_key_unused")
    done = daemon.ctl("rekey")
    assert done.returncode == DONE and "head -n 1" in done.stderr, done
    assert daemon.token().json()["access_token"] == token and not files_have_values_of(daemon, state["old_key_ids"][0])
    assert credential.read_bytes() == content and key_state(daemon)["key_id"] == state["key_id"]
    assert "take the old key out of the credential" in daemon.log()

    daemon.stop()
    with_credential(daemon, new.hex().encode() + b"\n")
    daemon.start()
    assert key_state(daemon)["state"] == "settled" and daemon.token().json()["access_token"] == token
    assert_no_key_in_log(daemon, old.hex(), new.hex())


def test_credential_cut_off_in_the_middle_goes_on_at_the_next_start(prepare, provider):
    daemon = prepare(documents.code(provider))
    old, new = os.urandom(32), os.urandom(32)
    with_credential(daemon, old)
    daemon.start()
    daemon.login()
    token = daemon.token().json()["access_token"]
    daemon.stop()
    with_credential(daemon, (new.hex() + "\n" + old.hex() + "\n").encode())
    for _ in range(3):
        daemon.start()
        daemon.kill()
    daemon.start()
    wait_for_state(daemon, "old_key_unused")
    assert daemon.token().json()["access_token"] == token


@pytest.mark.parametrize("place", ["keys/the.key", "state/deeper/key"])
def test_sandbox_lets_a_key_be_changed_in_a_directory_of_its_own(prepare, provider, place):
    daemon = prepare(documents.code(provider), config={"sandbox": True, "keyFile": place})
    path = daemon.folder / place
    path.parent.mkdir(mode=0o700, parents=True)
    daemon.start()
    daemon.login()
    before = keys_in(path)
    done = daemon.ctl("rekey")
    assert done.returncode == DONE, done
    assert keys_in(path) != before and [file.name for file in path.parent.iterdir()] == [path.name]
    daemon.restart()
    assert daemon.token().status == 200


def test_sandbox_keeps_a_directory_with_other_files_shut_and_says_what_to_do(prepare, provider):
    """The configuration's, here: who took the daemon over could change that as well."""
    daemon = prepare(documents.code(provider), config={"sandbox": True, "keyFile": "the.key"})
    daemon.start()
    if "going on without Landlock" in daemon.log():
        pytest.skip("this kernel has no Landlock")
    daemon.login()
    path = daemon.folder / "the.key"
    old, before = path.read_bytes(), key_state(daemon)
    refused = daemon.ctl("rekey")
    assert refused.returncode == FAILED and str(path) in refused.stderr
    assert "a directory of its own" in refused.stderr and "head -c 32" in refused.stderr
    assert path.read_bytes() == old and key_state(daemon) == before

    # By hand, as the advice says.
    token = daemon.token().json()["access_token"]
    daemon.stop()
    path.write_bytes(os.urandom(32).hex().encode() + b"\n" + old)
    daemon.start()
    state = wait_for_state(daemon, "old_key_unused")
    assert "Permission denied" in state["last_error"]["message"]
    assert "FILE.both" in daemon.ctl("rekey").stderr
    daemon.stop()
    path.write_bytes(path.read_bytes()[:65])
    daemon.start()
    assert key_state(daemon)["state"] == "settled" and daemon.token().json()["access_token"] == token
