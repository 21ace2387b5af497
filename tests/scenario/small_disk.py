"""A full disk that is one: a small tmpfs in the place of a daemon's state folder."""

import contextlib
import subprocess

import pytest

FILLER = "filler"


class SmallDisk:
    """The file system; its size in KiB."""

    def __init__(self, folder, size):
        self.folder = folder
        folder.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k,mode=0700", "tmpfs", folder],
                              capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("needs the right to mount")

    def fill(self):
        """To the last byte."""
        with open(self.folder / FILLER, "ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def make_room(self):
        (self.folder / FILLER).unlink()

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.folder], check=True)

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.folder], check=False)
