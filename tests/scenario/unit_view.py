"""The file system that iclientd.service gives the daemon, made from the unit file itself, without systemd.

As a program it is the last step before the daemon, in a mount namespace of its own (unshare): it puts the view together,
enters it with the sockets, the user and the variables that systemd would give, and becomes the daemon.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from daemon import BUILD, ROOT, Daemon
from fakes.support import PATIENCE, die_with_parent

# Read before directories of the host disappear, in which the sources may be.
UNIT = (ROOT / "systemd" / "iclientd.service.in").read_text()
TMPFILES = (ROOT / "systemd" / "iclientd.tmpfiles.in").read_text()
USER = 64990  # nobody's; has no rights
FIRST_PASSED_FD = 3
# Directories of the host that belong to the test: where they are kept below its folder.
HOST_DIRECTORIES = {"/etc/iclientd": ".", "/run/iclientd": "run", "/run/systemd/userdb": "userdb"}
# Those that nothing of the real host shows through.
HOST_EMPTY = ("/run", "/var/lib")
DEVICES = ("null", "zero", "random", "urandom")


def unit_values(name):
    """The words of a setting of [Service], all its lines together."""
    lines = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return [word for line in lines for word in shlex.split(line)]


def cached(name):
    return re.search(rf"^{name}:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE).group(1)


def installed_program():
    """Where ExecStart= has the daemon."""
    folder = Path(cached("CMAKE_INSTALL_SBINDIR"))
    return Path(cached("CMAKE_INSTALL_PREFIX")) / folder / "iclientd"


class UnitDaemon(Daemon):
    """The daemon under the unit's view. The folder's "userdb" is the host's /run/systemd/userdb."""

    def __init__(self, config=None):
        super().__init__(config)
        self.host_directories = {}  # more of HOST_DIRECTORIES
        (self.folder / "run" / "admin").mkdir(parents=True)
        (self.folder / "userdb").mkdir()
        self.token_socket = self.folder / "run" / "token.sock"
        self.admin_socket = self.folder / "run" / "admin" / "admin.sock"
        self.state_dir.mkdir(mode=0o700)
        os.chown(self.state_dir, USER, USER)

    def write_config(self, changes):
        super().write_config({"tokenSocket": {"path": "/run/iclientd/token.sock"},
                              "adminSocket": {"path": "/run/iclientd/admin/admin.sock"},
                              "stateDir": "/var/lib/iclientd", "sandbox": None if not self.is_sanitized else False, **changes})

    def command(self, *instead):
        """instead: another program of the host, as the same user in the same view."""
        sockets = {"token": str(self.token_socket), "admin": str(self.admin_socket),
                   "redirect": self.base.removeprefix("http://")}
        if not instead:
            for name in ("token", "admin"):
                Path(sockets[name]).unlink(missing_ok=True)
        return ["unshare", "--mount", "--propagation", "private", sys.executable, __file__,
                json.dumps({"folder": str(self.folder), "program": str(self.binary("iclientd")), "sockets": {} if instead else sockets,
                            "directories": {**HOST_DIRECTORIES, **self.host_directories}, "instead": instead})]

    def run_in_view(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=PATIENCE, check=False,
                              stdin=subprocess.DEVNULL)


# The program

def command(*words, text=""):
    subprocess.run([str(word) for word in words], check=True, input=text, encoding="utf-8")


def bind(source, target, read_only=False):
    """As BindPaths=: with what is mounted below source."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    command("mount", "--rbind", source, target)
    if read_only:
        command("mount", "-o", "remount,bind,ro", target)


def make_host(folder, program, directories):
    """What the unit's paths mean: the real host's, but for its state and where the daemon is installed."""
    place = installed_program()
    command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place.parent)
    shutil.copy(program, place)
    etc = folder / "etc"
    if not etc.exists():
        shutil.copytree("/etc", etc, symlinks=True)
        (etc / "nsswitch.conf").write_text("passwd: files systemd\ngroup: files systemd\nhosts: files dns\n")
    command("mount", "--bind", etc, "/etc")
    for path in HOST_EMPTY:
        command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)
    for path, own in directories.items():
        bind(folder / own, Path(path))
    return place


def make_view(folder):
    root = Path(unit_values("RootDirectory")[0])
    command("systemd-tmpfiles", "--create", f"--prefix={root}", "-", text=TMPFILES)
    for word in unit_values("BindReadOnlyPaths"):
        source, _, target = word.removeprefix("-").partition(":")
        if not word.startswith("-") or Path(source).exists():
            bind(Path(source), root / (target or source).lstrip("/"), read_only=True)
    bind(folder / "state", root / "var" / "lib" / unit_values("StateDirectory")[0])
    bind(Path("/proc"), root / "proc")
    for name in DEVICES:
        bind(Path("/dev") / name, root / "dev" / name)
    return root


def pass_sockets(sockets):
    """As systemd does: from the third descriptor on, with their names in the environment."""
    for index, place in enumerate(sockets.values()):
        host, _, port = place.rpartition(":")
        listener = socket.socket(socket.AF_INET if host else socket.AF_UNIX)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)) if host else place)
        listener.listen(128)
        if not host:
            os.chmod(place, 0o666)
        descriptor = listener.detach()
        if descriptor != FIRST_PASSED_FD + index:
            os.dup2(descriptor, FIRST_PASSED_FD + index)
        os.set_inheritable(FIRST_PASSED_FD + index, True)
    os.environ.update({"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(sockets), "LISTEN_PID": str(os.getpid())})


def main(folder, program, sockets, directories, instead):
    place = make_host(Path(folder), program, directories)
    root = make_view(Path(folder))
    os.environ.update(word.split("=", 1) for word in unit_values("Environment"))
    pass_sockets(sockets)
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    die_with_parent()  # the kernel forgets it when the user changes
    os.execv(instead[0] if instead else place, instead or [str(place), *unit_values("ExecStart")[1:]])


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
