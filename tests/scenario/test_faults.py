"""What the machine may do to the daemon: full and read-only disks, damaged files, a wrong key, no descriptors left,
a provider that hangs while it has to stop."""

import contextlib
import os
import random
import resource
import shutil
import socket

import documents
import pytest
from daemon import Background
from fakes.scripted_provider import Answer
from fakes.support import wait_until

STORE = "store.sqlite3"


def refresh(daemon, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/refresh")


def refused_start(daemon):
    """What the daemon says when it does not start."""
    before = len(daemon.log())
    with pytest.raises(AssertionError, match="iclientd ended with 1"):
        daemon.start()
    return daemon.log()[before:]


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.name.endswith(".lock")}


# Disks

def test_start_on_a_full_disk_says_so_and_harms_nothing(prepare, provider, small_disk):
    daemon = prepare(documents.code(provider))
    disk = small_disk(daemon)
    disk.fill()
    assert "No space left" in refused_start(daemon) or "full" in daemon.log()
    disk.make_room()
    daemon.start()
    daemon.login()
    assert daemon.token().status == 200
    daemon.stop()


def test_read_only_disk_serves_what_is_in_memory(prepare, provider, small_disk):
    daemon = prepare(documents.code(provider))
    disk = small_disk(daemon)
    daemon.start()
    daemon.login()
    token = daemon.token().json()
    daemon.kill()
    before = content_of(disk.folder)
    disk.remount("ro")
    said = refused_start(daemon)
    assert "ead-only" in said or "readonly" in said, said
    assert content_of(disk.folder) == before
    disk.remount("rw")
    daemon.start()
    assert daemon.token().json()["access_token"] == token["access_token"]
    daemon.stop()


# Damage

@pytest.fixture
def stopped(launch, provider):
    """A daemon with a login, stopped; its store is whole."""
    daemon = launch(documents.code(provider))
    daemon.login()
    daemon.login_token = daemon.token().json()["access_token"]
    daemon.stop()
    return daemon


def check_refusal(daemon, damaged):
    """It does not start, names the file, says what to do, and leaves everything as it was."""
    said = refused_start(daemon)
    assert STORE in said, said
    assert "restore it from a backup" in said, said
    assert "move it away" in said, said
    assert (daemon.state_dir / STORE).read_bytes() == damaged


@pytest.mark.parametrize("size", [0, 1, 99, 100, 4095, 4096, 0.25, 0.5, -4096, -1])
def test_truncated_store_is_refused_and_kept(stopped, size):
    path = stopped.state_dir / STORE
    whole = path.read_bytes()
    length = int(len(whole) * size) if isinstance(size, float) else size if size >= 0 else len(whole) + size
    path.write_bytes(whole[:length])
    check_refusal(stopped, whole[:length])
    path.write_bytes(whole)
    stopped.start()
    assert stopped.token().json()["access_token"] == stopped.login_token


def test_store_with_any_page_overwritten_is_refused_or_whole(stopped, provider):
    path = stopped.state_dir / STORE
    whole = path.read_bytes()
    fate = {"refused": 0, "whole": 0}
    for start in range(0, len(whole), 4096):
        damaged = bytearray(whole)
        damaged[start:start + 4096] = random.Random(start).randbytes(min(4096, len(whole) - start))
        path.write_bytes(damaged)
        try:
            stopped.start()
        except AssertionError:
            said = stopped.log()[-2000:]
            assert STORE in said or "store table" in said, said
            assert path.read_bytes() == damaged
            fate["refused"] += 1
            continue
        assert stopped.token().json()["access_token"] == stopped.login_token
        stopped.stop()
        fate["whole"] += 1
    assert fate["refused"] >= 1
    path.write_bytes(whole)
    for side in ("-wal", "-shm"):
        (stopped.state_dir / (STORE + side)).unlink(missing_ok=True)
    stopped.start()
    assert stopped.token().json()["access_token"] == stopped.login_token


def test_flipped_bits_never_give_another_token(stopped):
    path = stopped.state_dir / STORE
    whole = path.read_bytes()
    chance = random.Random(7)
    for _ in range(25):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            stopped.start()
        except AssertionError:
            assert path.read_bytes() == damaged
            continue
        reply = stopped.token(wait=0)
        assert reply.status != 200 or reply.json()["access_token"] == stopped.login_token, reply
        stopped.stop()
        path.write_bytes(whole)


def key_file(daemon):
    return next(path for path in daemon.state_dir.rglob("*") if path.is_file() and path.stat().st_size == 32)


def test_wrong_key_is_named_and_the_right_one_opens_again(stopped):
    key, path = key_file(stopped), stopped.state_dir / STORE
    right, before = key.read_bytes(), path.read_bytes()
    key.write_bytes(os.urandom(32))
    said = refused_start(stopped)
    assert STORE in said and "give the key file that it was written with" in said, said
    assert right.hex() not in said and path.read_bytes() == before
    key.write_bytes(right)
    stopped.start()
    assert stopped.token().json()["access_token"] == stopped.login_token


def test_missing_key_beside_a_store_is_not_made_anew(stopped):
    key = key_file(stopped)
    right = key.read_bytes()
    key.unlink()
    said = refused_start(stopped)
    assert key.name in said and not key.exists(), said
    key.write_bytes(right)
    key.chmod(0o600)
    stopped.start()
    assert stopped.token().json()["access_token"] == stopped.login_token


def test_state_folder_that_anybody_may_write_into_is_refused(stopped):
    stopped.state_dir.chmod(0o1777)
    said = refused_start(stopped)
    assert "anybody may write there; chmod 0700" in said, said
    stopped.state_dir.chmod(0o770)
    stopped.start()
    assert "its group may write there" in stopped.log()
    assert stopped.token().json()["access_token"] == stopped.login_token


def test_backup_of_the_folder_opens_elsewhere(stopped, prepare, provider):
    copy = stopped.folder / "copy"
    shutil.copytree(stopped.state_dir, copy)
    stopped.write_config({"stateDir": "copy"})
    stopped.start()
    assert stopped.token().json()["access_token"] == stopped.login_token


# Descriptors

def test_no_descriptors_left_is_survived(launch, provider):
    daemon = launch(documents.client_credentials(provider), documents.client_credentials(provider, "erp"))
    token = daemon.token().json()["access_token"]
    soft, hard = leave_descriptors(daemon, 4)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(60)]
    for client in clients:
        client.connect(str(daemon.token_socket))
    busy = Background(daemon.token, "erp", wait=1)     # accepted when one of the others leaves
    daemon.wait_for_rest()
    for client in clients:
        client.close()
    assert busy.result().status in (200, 503)
    assert daemon.token().json()["access_token"] == token
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: daemon.token("erp").status == 200, what="the other token")


def test_no_descriptor_for_the_provider_is_a_passing_trouble(launch, provider):
    daemon = launch(documents.code(provider))
    before = sockets_of(daemon)
    daemon.login()
    wait_until(lambda: sockets_of(daemon) <= before, what="the end of the login's connections")
    soft, hard = leave_descriptors(daemon, 1)  # for the caller
    assert refresh(daemon).status != 200
    assert daemon.token().json()["generation"] == 1
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert refresh(daemon).status == 200
    assert daemon.token().json()["generation"] == 2 and not provider.revoked


def sockets_of(daemon):
    folder = f"/proc/{daemon.process.pid}/fd"
    links = set()
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.add(os.readlink(f"{folder}/{name}"))
    return {link for link in links if link.startswith("socket:")}


def leave_descriptors(daemon, count):
    """Only so many can be opened from now on: the limits before."""
    used = {int(name) for name in os.listdir(f"/proc/{daemon.process.pid}/fd")}
    limit = next(limit for limit in range(3, 10000) if limit - sum(number < limit for number in used) == count)
    before = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    return before


# Stopping

def hanging_refresh(daemon, provider):
    provider.next("/token", Answer(hang=True))
    refreshing = Background(refresh, daemon)
    wait_until(lambda: provider.count(grant_type="refresh_token") == 1, what="the refresh")
    return refreshing


def test_stop_waits_for_a_provider_no_longer_than_for_any_answer(launch, provider):
    daemon = launch(documents.code(provider), config={"http": {"timeout": 2, "connectTimeout": 1}})
    daemon.login()
    refreshing = hanging_refresh(daemon, provider)
    daemon.stop()
    assert "stopping without its answer" not in daemon.log()
    with pytest.raises(Exception):
        assert refreshing.result().status == 200
    daemon.start()
    assert refresh(daemon).status == 200 and not provider.revoked


def test_stop_takes_the_answer_that_comes_in_time(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    provider.next("/token", lambda _, regular: regular().but(delay=1))
    refreshing = Background(refresh, daemon)
    wait_until(lambda: provider.count(grant_type="refresh_token") == 1, what="the refresh")
    daemon.stop()
    assert refreshing.result().status == 200
    daemon.start()
    assert daemon.token().json()["generation"] == 2
    assert refresh(daemon).status == 200 and not provider.revoked


def test_second_signal_ends_it_at_once(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    hanging_refresh(daemon, provider)
    daemon.process.terminate()
    wait_until(lambda: "stopping; exchanges in flight" in daemon.log(), what="the first signal to be taken")
    daemon.stop()
    assert "stopping without its answer" not in daemon.log()
    daemon.start()
    assert refresh(daemon).status == 200 and not provider.revoked


def test_trouble_of_a_refused_start_is_one_line_and_no_secret(stopped, provider):
    (stopped.state_dir / STORE).write_bytes(b"not a database at all" * 1000)
    said = refused_start(stopped)
    assert sum("error" in line for line in said.splitlines()) == 1, said
