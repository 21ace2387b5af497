"""Asks for one connection's cached token over and over, from a process of its own, and notes the longest time it took.

As a program: latency_probe.py SOCKET PATH. Each line on stdin is answered by one of JSON: the count of requests since the
line before it, the seconds of the slowest, and the statuses other than 200.
"""

import http.client
import json
import select
import socket
import subprocess
import sys
import time

PAUSE = 0.002


class LatencyProbe:
    """begin(), let things happen, end()."""

    def __init__(self, socket_path, path):
        self._process = subprocess.Popen([sys.executable, __file__, str(socket_path), path], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.end()
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def begin(self):
        self.end()

    def end(self):
        """{"count", "worst", "refused"} since begin()."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def main(socket_path, path):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(socket_path)
    seen = {"count": 0, "worst": 0.0, "refused": []}
    while True:
        if select.select([sys.stdin], [], [], PAUSE)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps(seen), flush=True)
            seen = {"count": 0, "worst": 0.0, "refused": []}
        begun = time.monotonic()
        connection.request("GET", path)
        reply = connection.getresponse()
        reply.read()
        seen["worst"] = max(seen["worst"], time.monotonic() - begun)
        seen["count"] += 1
        if reply.status != 200:
            seen["refused"].append(reply.status)


if __name__ == "__main__":
    main(*sys.argv[1:])
