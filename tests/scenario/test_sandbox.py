"""The daemon in its sandbox: it is in there, and what it does in its life goes on."""

import documents
import pytest

# The harness turns it off for builds with sanitizers, which can limit files alone.
ON = {"sandbox": True}


def status_of(process):
    """Each thread's fields of /proc/PID/task/TID/status."""
    from pathlib import Path
    threads = []
    for path in Path(f"/proc/{process.pid}/task").glob("*/status"):
        threads.append(dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line))
    return threads
