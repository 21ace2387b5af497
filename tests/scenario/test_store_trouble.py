"""A store that cannot be written while the daemon runs: no refresh token is spent without a note of it, a token that is
valid is served, and nobody is told that something is saved which is not."""

import contextlib
import os
import sqlite3

import documents
import pytest
from daemon import error_of, is_retryable
from fakes.scripted_provider import Answer
from fakes.support import CurlUser, wait_until
from faults.call_campaign import Shim

STORE = "store.sqlite3"
BALLAST = 1024 * 1024
NO_BALLAST = {"ballastSize": 0}


def refresh(daemon, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/refresh")


def status_of(daemon, name="crm"):
    return daemon.admin("GET", f"/v1/connections/{name}").json()


def refreshes(provider):
    return provider.count(grant_type="refresh_token")


# What a store may meet. Each is entered while the daemon runs, and left.

@contextlib.contextmanager
def full(_, disk):
    disk.fill()
    yield
    disk.make_room()


@contextlib.contextmanager
def read_only(daemon, _):
    """As a disk that the kernel took writing from after an error: files that are open cannot be remounted by a test."""
    daemon.shim.arm("pwrite", "EROFS", 1, 1000000)
    yield
    daemon.shim.disarm()


@contextlib.contextmanager
def busy(daemon, _):
    with contextlib.closing(sqlite3.connect(daemon.state_dir / STORE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def directory_moved(daemon, _):
    elsewhere = daemon.folder / "elsewhere"
    daemon.state_dir.rename(elsewhere)
    daemon.state_dir.mkdir(mode=0o700)
    yield
    daemon.state_dir.rmdir()
    elsewhere.rename(daemon.state_dir)


@contextlib.contextmanager
def database_deleted(daemon, _):
    path = daemon.state_dir / STORE
    kept = daemon.folder / "kept"
    os.link(path, kept)
    path.unlink()
    yield
    kept.rename(path)


@contextlib.contextmanager
def database_replaced(daemon, _):
    """The directory is another one with the same database in it: links keep SQLite itself content."""
    elsewhere = daemon.folder / "elsewhere"
    daemon.state_dir.rename(elsewhere)
    daemon.state_dir.mkdir(mode=0o700)
    for path in elsewhere.iterdir():
        os.link(path, daemon.state_dir / path.name)
    yield
    for path in daemon.state_dir.iterdir():
        path.unlink()
    daemon.state_dir.rmdir()
    elsewhere.rename(daemon.state_dir)


TROUBLES = [full, read_only, busy, directory_moved, database_deleted, database_replaced]


@pytest.fixture
def ready(prepare, small_disk, tmp_path):
    """ready(*iclients, trouble=…): a daemon that runs on what the trouble needs, without a ballast; and its disk."""
    def make(*iclients, trouble=full, config=None):
        daemon = prepare(*iclients, config=NO_BALLAST if config is None else config)
        disk = small_disk(daemon, 4096) if trouble is full else None
        if trouble is read_only:
            daemon.shim = Shim(tmp_path)
            daemon.environment |= daemon.shim.environment
        daemon.start()
        return daemon, disk

    return make


# A valid token

def check_kept_back(reply):
    assert reply.status == 503 and error_of(reply)["code"] == "store_unavailable", reply
    assert is_retryable(reply) is True and int(reply.header("Retry-After")) >= 1


def check_served(daemon):
    reply = daemon.token()
    assert reply.status == 200, reply
    assert reply.json()["generation"] == 1 and reply.json()["stale_reason"] == "store_unavailable"


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_no_refresh_token_is_spent_while_the_store_cannot_note_it(ready, provider, trouble):
    daemon, disk = ready(documents.code(provider), trouble=trouble)
    daemon.login()
    with trouble(daemon, disk):
        check_kept_back(refresh(daemon))
        check_served(daemon)
        assert status_of(daemon)["state"] == "store_unavailable" and status_of(daemon)["unsaved"] is False
        reply = daemon.rejected(generation=1, status=401)
        check_kept_back(reply)
        assert reply.json()["auth_failure"] is True
        assert refreshes(provider) == 0 and daemon.get("/readyz").status == 503
    wait_until(lambda: daemon.token().json().get("generation") == 2, what="the refresh that was kept back")
    assert refreshes(provider) == 1 and daemon.token().json()["stale_reason"] is None
    daemon.kill()
    daemon.start()
    assert refresh(daemon).status == 200 and not provider.revoked


def test_min_ttl_is_refused_and_a_token_of_any_age_is_served(ready, provider):
    provider.lifetime = 60
    daemon, disk = ready(documents.code(provider))
    daemon.login()
    wait_until(lambda: daemon.token().json()["expires_in"] < 53, what="a token that is no longer young")
    disk.fill()
    for _ in range(3):
        check_kept_back(daemon.token(min_ttl=55))
        check_served(daemon)
    assert refreshes(provider) == 0
    disk.make_room()
    wait_until(lambda: daemon.token(min_ttl=55).status == 200, what="a token that lives so long")
    assert refreshes(provider) == 1


def test_other_users_keep_the_token_that_one_reported(ready, provider):
    daemon, disk = ready(documents.code(provider))
    daemon.write_connection({"name": "crm", "iClient": "crm", "allow": {"users": ["nobody", "daemon"]}})
    assert daemon.reload() == "done"
    daemon.login()
    disk.fill()
    assert daemon.rejected(generation=1, status=401).status == 503
    status, text = daemon.get_as("/v1/token/crm", 65534)
    assert status == 200 and '"stale_reason":"' in text, text
    assert refreshes(provider) == 0
    disk.make_room()


def replace_log(path):
    path.unlink()
    path.write_bytes(b"another file")


@pytest.mark.parametrize("lose", [lambda path: path.unlink(), replace_log], ids=["deleted", "replaced"])
def test_lost_log_costs_no_token(launch, provider, lose):
    """Until the store is closed what was committed may stand in its write-ahead log alone."""
    daemon = launch(documents.code(provider))
    daemon.login()
    lose(daemon.state_dir / (STORE + "-wal"))
    assert refresh(daemon).status == 200
    token = daemon.token().json()["access_token"]
    assert "a new one is begun" in daemon.log()
    daemon.kill()
    daemon.start()
    assert daemon.token().json()["access_token"] == token
    assert refresh(daemon).status == 200 and not provider.revoked
    daemon.known_secrets.add(daemon.token().json()["access_token"])


def test_lost_log_that_a_reader_holds_is_waited_for(launch, provider):
    daemon = launch(documents.code(provider))
    daemon.login()
    with contextlib.closing(sqlite3.connect(daemon.state_dir / STORE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tokens").fetchall()
        (daemon.state_dir / (STORE + "-wal")).unlink()
        check_kept_back(refresh(daemon))
        check_served(daemon)
        assert refreshes(provider) == 0
    wait_until(lambda: daemon.token().json().get("generation") == 2, what="the refresh that was kept back")
    daemon.kill()
    daemon.start()
    assert daemon.token().json()["generation"] == 2 and not provider.revoked


# No valid token

def test_who_has_no_token_gets_a_refresh_and_everybody_is_told(ready, provider):
    provider.lifetime = 1
    daemon, disk = ready(documents.code(provider))
    daemon.login()
    provider.lifetime = 3600
    disk.fill()
    wait_until(lambda: daemon.token().json().get("generation", 1) > 1, what="a refresh")
    assert status_of(daemon)["unsaved"] is True
    assert daemon.metrics()["iclientd_store_unsaved_connections"] == 1
    assert "it is refreshed although the store cannot note that" in daemon.log()
    assert "do not stop the daemon before they are" in daemon.log()
    disk.make_room()
    wait_until(lambda: not status_of(daemon)["unsaved"], what="the tokens to be saved")
    daemon.kill()
    daemon.start()
    assert refresh(daemon).status == 200 and not provider.revoked


def test_a_loss_that_the_store_could_not_note_at_first_is_rotation_ambiguous(ready, provider):
    provider.lifetime = 1
    daemon, disk = ready(documents.code(provider))
    daemon.login()
    disk.fill()

    def lose(_, regular):
        return regular().but(cut_at=1)

    wait_until(lambda: status_of(daemon)["expires_at"] and status_of(daemon)["state"] != "ready", what="the pause")
    provider.next("/token", lose, *[Answer(503)] * 100)
    daemon.token()
    assert status_of(daemon)["unsaved"] is True
    disk.make_room()
    wait_until(lambda: not status_of(daemon)["unsaved"], what="the note")
    daemon.kill()
    provider.forget("/token")
    daemon.start()
    # The daemon may have tried by itself before the operator does.
    assert error_of(refresh(daemon))["code"] == "authorization_required"
    assert daemon.metrics()["iclientd_rotations_ambiguous_total"] == 1 and "rotation_ambiguous: " in daemon.log()


# Logins

def test_a_login_that_is_not_saved_says_so_everywhere(ready, provider):
    daemon, disk = ready(documents.code(provider))
    disk.fill()
    page = daemon.login()
    assert page.status == 200 and "not saved yet" in page.text and "iclientctl status" in page.text, page.text
    assert daemon.token().status == 200

    person, callback = daemon.callback_of()
    reply = daemon.admin("POST", "/v1/connections/crm/complete", {"redirect_url": callback})
    assert reply.status == 200 and reply.json()["unsaved"] is True and reply.json()["login"]["state"] == "completed"

    login = daemon.ctl_background("login", "crm", "--no-browser")
    person = CurlUser()
    person.get(person.follow(login.stdout.readline().strip(), until=daemon.redirect_uri))
    _, words = login.communicate()
    assert login.returncode == 0 and "authorized, but not saved yet" in words, words

    disk.make_room()
    wait_until(lambda: not status_of(daemon)["unsaved"], what="the tokens to be saved")
    page = daemon.login()
    assert "not saved yet" not in page.text
    daemon.kill()
    daemon.start()
    assert daemon.token().status == 200


# The ballast

def ballast_of(daemon):
    path = daemon.state_dir / (STORE + ".ballast")
    return path.stat() if path.exists() else None


def has_ballast(daemon):
    return ballast_of(daemon) is not None and ballast_of(daemon).st_size == BALLAST


def test_the_ballast_is_given_up_for_a_refresh_and_made_again(ready, provider):
    daemon, disk = ready(documents.code(provider), config={})
    wait_until(lambda: has_ballast(daemon), what="the ballast")
    assert ballast_of(daemon).st_blocks * 512 >= BALLAST and ballast_of(daemon).st_mode & 0o777 == 0o600
    daemon.login()
    disk.fill()
    assert refresh(daemon).status == 200 and daemon.token().json()["generation"] == 2
    assert not has_ballast(daemon) and status_of(daemon)["unsaved"] is False
    wait_until(lambda: "there is no ballast of 1048576 bytes: given up, because the disk is full" in daemon.log(),
               what="the log to say so")
    for _ in range(5):
        assert refresh(daemon).status == 200
    daemon.kill()
    daemon.start()
    assert daemon.token().json()["generation"] == 7 and not has_ballast(daemon)
    disk.make_room()
    wait_until(lambda: has_ballast(daemon), what="the ballast")
    wait_until(lambda: "the ballast of 1048576 bytes is there" in daemon.log(), what="the log to say so")
    assert refresh(daemon).status == 200 and not provider.revoked


def test_a_start_on_a_full_disk_gives_up_the_ballast(ready, provider):
    daemon, disk = ready(documents.code(provider), config={})
    wait_until(lambda: has_ballast(daemon), what="the ballast")
    daemon.login()
    daemon.stop()
    disk.fill()
    daemon.start()
    assert refresh(daemon).status == 200 and status_of(daemon)["unsaved"] is False
    disk.make_room()


def test_a_ballast_of_no_bytes_is_none(ready, provider):
    daemon, _ = ready(documents.code(provider), config={})
    wait_until(lambda: has_ballast(daemon), what="the ballast")
    daemon.write_config(NO_BALLAST)
    daemon.restart()
    wait_until(lambda: ballast_of(daemon) is None, what="the ballast to go")
