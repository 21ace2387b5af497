"""One store, one daemon: two would both spend its refresh tokens, and the provider ends the grant of whoever does."""

import contextlib
import fcntl
import os
import subprocess

import documents
import pytest
from fakes.support import wait_until

STORE = "store.sqlite3"
WORDS = "another iclientd uses it"


def refresh(daemon, name="crm"):
    return daemon.admin("POST", f"/v1/connections/{name}/refresh")


# Other ways to the same store: (daemon's folder, state folder) -> another path of it

def same_path(_, state):
    return state


def symbolic_link(folder, state):
    path = folder / "link"
    path.symlink_to(state)
    return path


def bind_mount(folder, state):
    path = folder / "bound"
    path.mkdir(mode=0o700)
    if subprocess.run(["mount", "--bind", state, path], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount")
    return path


def hard_link(folder, state):
    path = folder / "linked"
    path.mkdir(mode=0o700)
    for name in (STORE, "key"):
        os.link(state / name, path / name)
    return path


@pytest.mark.parametrize("way", [same_path, symbolic_link, bind_mount, hard_link], ids=lambda way: way.__name__)
def test_second_daemon_is_refused_whatever_was_deleted(launch, prepare, provider, way):
    first = launch(documents.code(provider))
    first.login()
    second = prepare(documents.code(provider))
    path = way(first.folder, first.state_dir)
    try:
        for file in first.state_dir.iterdir():
            if file.suffix == ".lock":
                file.unlink()
        second.write_config({"stateDir": str(path)})
        with pytest.raises(AssertionError, match="iclientd ended with 1"):
            second.start()
        assert WORDS in second.log() and str(path) in second.log(), second.log()
        assert refresh(first).status == 200 and refresh(first).status == 200 and not provider.revoked
        first.stop()
        if way is not hard_link:  # a copy of one file of the store is no place to go on from
            second.start()
            assert second.token().json()["generation"] == 3
            second.stop()
    finally:
        with contextlib.suppress(OSError):
            subprocess.run(["umount", "--lazy", path], capture_output=True, check=False)


def test_a_daemon_of_an_earlier_version_is_kept_out_and_keeps_out(prepare, provider):
    """Those lock a file alone."""
    daemon = prepare(documents.code(provider))
    daemon.state_dir.mkdir(mode=0o700)
    path = daemon.state_dir / (STORE + ".lock")
    with open(path, "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(AssertionError, match="iclientd ended with 1"):
            daemon.start()
        assert WORDS in daemon.log()
    daemon.start()
    with open(path, "w", encoding="ascii") as wanted, pytest.raises(BlockingIOError):
        fcntl.flock(wanted, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_directory_that_was_replaced_is_noticed_by_the_first_daemon(launch, prepare, provider):
    """The second one has a right to the new directory; what the first one does there is no use to anybody."""
    first = launch(documents.code(provider))
    first.login()
    elsewhere = first.folder / "elsewhere"
    first.state_dir.rename(elsewhere)
    second = prepare(documents.code(provider))
    second.write_config({"stateDir": str(first.state_dir)})
    second.start()
    assert second.token().status == 409
    wait_until(lambda: first.get("/readyz").status == 503, what="the first daemon to notice")
    assert refresh(first).status == 503 and provider.count(grant_type="refresh_token") == 0
    assert first.token().status == 200
    assert "was deleted, moved or replaced: put it back" in first.log()
    second.stop()
    first.state_dir.rename(first.folder / "second")
    elsewhere.rename(first.state_dir)
    assert first.get("/readyz").status == 200 and refresh(first).status == 200
