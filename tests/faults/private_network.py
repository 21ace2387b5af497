"""A network and a resolver of one's own, for what a thread does: unshare(2) puts it, and all that it starts, apart."""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8914, 0x8916, 1
NAME_SERVER = "127.0.0.53"


class NotPermitted(Exception):
    """The right to have namespaces is missing."""


def run_apart(folder, addresses, function):
    """function() in a thread with its own loopback, which has these addresses too, and names from NAME_SERVER alone.

    What it gives or raises; NotPermitted where the kernel refuses. Files for the resolver are put into folder.
    """
    outcome = {}

    def run():
        try:
            _separate(folder, addresses)
            outcome["value"] = function()
        except BaseException as error:  # raised again for the caller
            outcome["error"] = error
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _separate(folder, addresses):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise NotPermitted(f"no namespaces of one's own: {os.strerror(ctypes.get_errno())}")
    _command("mount", "--make-rprivate", "/")
    _replace(folder, "/etc/resolv.conf", f"nameserver {NAME_SERVER}\noptions timeout:30 attempts:1\n")
    _replace(folder, "/etc/nsswitch.conf", "hosts: files dns\n")
    _set_up_loopback(addresses)


def _set_up_loopback(addresses):
    """As ip(8) would, which is not on every machine: netdevice(7)."""
    with socket.socket() as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        for index, address in enumerate(addresses):
            interface = f"lo:{index}".encode()
            fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16sHH4s8x", interface, socket.AF_INET, 0, socket.inet_aton(address)))


def _replace(folder, path, text):
    own = os.path.join(folder, os.path.basename(path))
    with open(own, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(own, 0o644)
    _command("mount", "--bind", own, os.path.realpath(path))


def _command(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPermitted(f"{' '.join(words)}: {done.stderr.strip()}")
