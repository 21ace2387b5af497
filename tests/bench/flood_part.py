"""What one user's requests cost while another user floods the token socket."""

import json
import os
import pwd
import selectors
import signal
import socket
import subprocess
import sys
import time
from statistics import median

from servers import LOAD_CORE, PEER, pinned

FLOOD_USER = "daemon"
CONNECTIONS = 256
REQUESTS = 5000
TARGET = "/v1/token/c000000"
REQUEST = f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
PIPELINE = REQUEST * 200
WARM_UP_SECONDS = 0.5


# ---- the flood: a process of its own ----

def pipeline(path):
    """Each connection sends as fast as it is read, and reads whatever comes."""
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            client = socket.socket(socket.AF_UNIX)
            client.connect(path)
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE, [0])
        while True:
            for key, events in selector.select():
                if events & selectors.EVENT_READ:
                    key.fileobj.recv(1 << 20)
                if events & selectors.EVENT_WRITE:
                    begin = key.data[0]
                    key.data[0] = (begin + key.fileobj.send(PIPELINE[begin:])) % len(PIPELINE)


def connect(path):
    """A connection for each request, whose answer is not waited for."""
    while True:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.send(REQUEST)


FLOODS = {"pipeline": pipeline, "connect": connect}
FIGURES = ("p50_us", "p99_us", "p999_us", "others_per_second")
TITLES = {None: "quiet", "pipeline": f"{CONNECTIONS} connections, pipelining", "connect": "connecting and closing"}


class Flood:
    """As a user of its own, and behind the measured load, whose core it shares."""

    def __init__(self, kind, path):
        self._process = subprocess.Popen([sys.executable, "-B", __file__, kind, str(path)], user=pwd.getpwnam(FLOOD_USER).pw_uid,
                                         preexec_fn=pinned(LOAD_CORE), stderr=subprocess.DEVNULL)
        time.sleep(WARM_UP_SECONDS)
        if self._process.poll() is not None:
            raise SystemExit(f"the flood \"{kind}\" ended by itself")

    def end(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


# ---- the measurement ----

def let_both_in(folder):
    document = folder / "connections.d" / "c000000.json"
    content = json.loads(document.read_text())
    content["allow"] = {"users": [PEER, FLOOD_USER]}
    document.write_text(json.dumps(content))


def wait_for_quiet(daemon):
    """What the flood had sent is still answered, and what it had connected still accepted."""
    handled = 0
    while (seen := daemon.metrics()["iclientd_http_requests_total"]) > handled + 1:
        handled = seen
        time.sleep(0.1)


def measure_once(bench, daemon, kind, requests):
    flood = Flood(kind, daemon.socket_path) if kind else None
    try:
        before = daemon.metrics()["iclientd_http_requests_total"]
        report = bench.load(daemon, TARGET, requests=requests)
        handled = daemon.metrics()["iclientd_http_requests_total"] - before - 1
    finally:
        if flood:
            flood.end()
            wait_for_quiet(daemon)
    report["others_per_second"] = (handled - requests) / report["seconds"]
    return report


def measure(bench, rounds, share):
    if not bench.is_root:
        return []
    folder = bench.configure("flood", 1, settings={"limits": {"connections": 1024, "connectionsPerUid": CONNECTIONS}})
    let_both_in(folder)
    bench.fill(folder)
    daemon = bench.daemon(folder.name)
    requests = max(100, int(REQUESTS * share))
    try:
        bench.load(daemon, TARGET, requests=requests)
        reports = {kind: [] for kind in TITLES}
        for _ in range(rounds):
            for kind, of_one in reports.items():
                of_one.append(measure_once(bench, daemon, kind, requests))
        return [{"flood": TITLES[kind],
                 **{key: median(report[key] for report in of_one) for key in FIGURES}}
                for kind, of_one in reports.items()]
    finally:
        daemon.stop()


def print_table(rows):
    if not rows:
        print("Not measured: a flood needs two users, so run it as root.")
        return
    print(f"{'another user':<30}{'its requests/s':>15}{'p50 µs':>9}{'p99 µs':>9}{'p99.9 µs':>10}{'p50 ÷ quiet':>13}")
    for row in rows:
        print(f"{row['flood']:<30}{row['others_per_second']:>15.0f}{row['p50_us']:>9.1f}{row['p99_us']:>9.1f}{row['p999_us']:>10.1f}"
              f"{row['p50_us'] / rows[0]['p50_us']:>13.1f}")


if __name__ == "__main__":
    os.nice(19)
    FLOODS[sys.argv[1]](sys.argv[2])
