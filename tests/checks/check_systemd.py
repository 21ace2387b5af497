"""The units are good and confined, the files fit together, and an installation puts them where systemd looks."""

import configparser
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from source_tree import main

EXPOSURE_MAX = 1.2
SOCKETS = {"token": "tokenSocket", "admin": "adminSocket", "redirect": "redirect"}
# Below the prefix.
INSTALLED = [
    "lib/systemd/system/iclientd.service", "lib/systemd/system/iclientd-token.socket",
    "lib/systemd/system/iclientd-admin.socket", "lib/systemd/system/iclientd-redirect.socket",
    "lib/sysusers.d/iclientd.conf", "lib/tmpfiles.d/iclientd.conf", "share/iclientd/iclientd.json",
    "share/iclientd/providers/google.json", "sbin/iclientd", "bin/iclientctl",
]
# What tmpfiles.d makes of an installation.
MADE = {"run/iclientd": 0o755, "run/iclientd/admin": 0o750, "run/iclientd-root": 0o755, "etc/iclientd": 0o750,
        "etc/iclientd/iclients.d": 0o750, "etc/iclientd/connections.d": 0o750, "etc/iclientd/iclientd.json": 0o640}
LINKS = {"run/iclientd-root/var/run": "../run"}


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout + done.stderr


def write_units(source, folder):
    """The units as they are installed, with a program that is there."""
    program = folder / "sbin" / "iclientd"
    program.parent.mkdir()
    program.symlink_to("/bin/true")
    for path in (source / "systemd").glob("iclientd*"):
        if path.name.endswith((".socket", ".service.in")):
            text = path.read_text().replace("@CMAKE_INSTALL_FULL_SBINDIR@", str(program.parent))
            (folder / path.name.removesuffix(".in")).write_text(text)
    return sorted(folder.glob("iclientd*"))


def check_families(source):
    """What the daemon opens: the sockets, providers, and netlink for the users of the redirect endpoint."""
    service = (source / "systemd" / "iclientd.service.in").read_text()
    allowed = re.search(r"^RestrictAddressFamilies=(.*)$", service, re.MULTILINE)
    missing = {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"} - set(allowed.group(1).split() if allowed else ())
    return [f"iclientd.service: RestrictAddressFamilies= lacks {family}" for family in sorted(missing)]


def check_verify(units):
    code, output = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units)
    faults = [f"systemd-analyze verify: {line}" for line in output.splitlines() if "iclientd" in line]
    if code != 0 and not faults:
        faults.append(f"systemd-analyze verify ends with {code}: {output}")
    return faults


def check_exposure(service):
    _, output = run("systemd-analyze", "security", "--offline=true", "--no-pager", service)
    found = re.search(r"Overall exposure level for iclientd\.service: ([0-9.]+)", output)
    if not found:
        return [f"systemd-analyze security says no exposure: {output}"]
    if float(found.group(1)) > EXPOSURE_MAX:
        return [f"systemd-analyze security: exposure {found.group(1)} is more than {EXPOSURE_MAX}"]
    return []


def check_units(source):
    with tempfile.TemporaryDirectory() as name:
        units = write_units(source, Path(name))
        return check_verify(units) + check_exposure(Path(name, "iclientd.service"))


def unit_section(path, section):
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read(path)
    return parser[section]


def check_sockets(source):
    """Each socket has the name that the daemon asks for, and the place that the installed configuration says."""
    faults = []
    config = json.loads((source / "systemd" / "iclientd.json").read_text())
    service = (source / "systemd" / "iclientd.service.in").read_text()
    for name, key in SOCKETS.items():
        unit = f"iclientd-{name}.socket"
        socket = unit_section(source / "systemd" / unit, "Socket")
        place = config[key].get("path", config[key].get("listen"))
        if socket.get("FileDescriptorName") != name:
            faults.append(f"{unit}: FileDescriptorName= is not {name}")
        if socket.get("ListenStream") != place:
            faults.append(f"{unit}: ListenStream= is not {place}, as iclientd.json says")
        if len(re.findall(rf"^(?:Requires|After|Sockets|Also)=.*\b{unit}", service, re.MULTILINE)) != 4:
            faults.append(f"iclientd.service does not name {unit} in Requires=, After=, Sockets= and Also=")
    return faults


def cached(build, name):
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found.group(1)


def check_made(root, installed):
    """Users and directories, made within root as at boot."""
    faults = []
    (root / "etc").mkdir(exist_ok=True)
    for tool, folder in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        options = ["--create"] if tool == "systemd-tmpfiles" else []
        code, output = run(tool, f"--root={root}", *options, installed / "lib" / folder / "iclientd.conf")
        if code != 0:
            faults.append(f"{tool}: {code}: {output}")
    for path, mode in MADE.items():
        found = root / path
        if not found.exists() or found.stat().st_mode & 0o7777 != mode:
            faults.append(f"tmpfiles.d does not make /{path} with mode {mode:04o}")
    for path, target in LINKS.items():
        if not (root / path).is_symlink() or os.readlink(root / path) != target:
            faults.append(f"tmpfiles.d does not make /{path} a link to {target}")
    return faults


def check_installation(build):
    with tempfile.TemporaryDirectory() as name:
        code, output = run(cached(build, "CMAKE_COMMAND"), "--install", build, env={**os.environ, "DESTDIR": name})
        if code != 0:
            return [f"cmake --install: {output}"]
        root = Path(name)
        installed = root / cached(build, "CMAKE_INSTALL_PREFIX").lstrip("/")
        faults = [f"not installed: {path}" for path in INSTALLED if not (installed / path).is_file()]
        if faults:
            return faults
        for path in INSTALLED:
            content = (installed / path).read_bytes()
            if b"\0" not in content and re.search(rb"@[A-Z_]+@", content):
                faults.append(f"{path}: a @variable@ was left")
        program = f"ExecStart=/{(installed / 'sbin/iclientd').relative_to(root)} "
        if program not in (installed / "lib/systemd/system/iclientd.service").read_text():
            faults.append(f"iclientd.service does not say {program}")
        if os.geteuid() == 0:  # files are given to their owners
            faults += check_made(root, installed)
        return faults


def check(source, build):
    faults = check_sockets(source) + check_families(source) + check_units(source)
    if build:
        faults += check_installation(build)
    return faults


SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
GOOD_TREE = {f"systemd/{path.name}": path.read_text() for path in SYSTEMD.iterdir() if path.is_file()}


def changed(name, old, new):
    text = GOOD_TREE[f"systemd/{name}"]
    assert old in text, f"{old} is not in {name}"
    return {f"systemd/{name}": text.replace(old, new)}


BROKEN = [
    ("a misspelt setting", changed("iclientd.service.in", "ProtectClock=", "ProtectClocks="), "ProtectClocks"),
    ("a value that systemd does not know", changed("iclientd.service.in", "Type=notify\n", "Type=notifies\n"), "notifies"),
    ("a program that is not there", changed("iclientd.service.in", "@/iclientd --config", "@/iclientd2 --config"), "iclientd2"),
    ("less confinement", changed("iclientd.service.in", "ProtectProc=invisible\n", ""), "exposure"),
    ("no netlink", changed("iclientd.service.in", " AF_NETLINK\n", "\n"), "lacks AF_NETLINK"),
    ("a socket without its name", changed("iclientd-token.socket", "FileDescriptorName=token\n", ""), "FileDescriptorName"),
    ("a socket somewhere else", changed("iclientd-admin.socket", "/run/iclientd/admin", "/run/iclientd"), "ListenStream"),
    ("a socket that is not started", changed("iclientd.service.in", "Also=iclientd-token.socket ", "Also="), "does not name"),
]

if __name__ == "__main__":
    main(check, GOOD_TREE, BROKEN)
