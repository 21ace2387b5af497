"""Very many watch streams on one connection: how long until all of them have a new token."""

import resource
import selectors
import socket
import time

from servers import free_port

STREAMS = 10000
PATIENCE = 60
REQUEST = b"GET /v1/token/c000000/watch HTTP/1.1\r\nHost: localhost\r\n\r\n"


def allow_descriptors():
    """For this process and the daemon that it starts. False: the system's limit is too low."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard > STREAMS + 200


def open_streams(path):
    streams = []
    for _ in range(STREAMS):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(path))
        stream.sendall(REQUEST)
        streams.append(stream)
    return streams


def wait_for_generation(streams, generation):
    """Until each stream has had the token of it."""
    end = time.monotonic() + PATIENCE
    received = dict.fromkeys(streams, b"")
    wanted = f'"generation":{generation},'.encode()
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(1):
                received[key.fileobj] += key.fileobj.recv(65536)
                if wanted in received[key.fileobj]:
                    selector.unregister(key.fileobj)
            if time.monotonic() > end:
                raise SystemExit(f"{len(selector.get_map())} of {STREAMS} streams got nothing within {PATIENCE} s")


def measure(bench):
    if not allow_descriptors():
        return {"streams": 0}
    port = free_port()
    provider = bench.provider(port, 3600, 0)
    daemon = None
    try:
        folder = bench.configure("watch", 1, port=port)
        bench.fill(folder)
        daemon = bench.daemon(folder.name)
        streams = open_streams(daemon.socket_path)
        wait_for_generation(streams, 1)
        cpu, begun = daemon.cpu_seconds(), time.monotonic()
        daemon.admin("POST", "/v1/connections/c000000/refresh")
        wait_for_generation(streams, 2)
        row = {"streams": STREAMS, "seconds": time.monotonic() - begun, "cpu_seconds": daemon.cpu_seconds() - cpu,
               "memory_kib": daemon.memory_kib()}
        for stream in streams:
            stream.close()
        return row
    finally:
        provider.kill()
        provider.wait()
        if daemon:
            daemon.process.kill()
            daemon.process.wait()


def print_table(row):
    if row["streams"]:
        print(f"{row['streams']} watch streams had a new token after {row['seconds']:.2f} s; "
              f"that took {row['cpu_seconds']:.2f} s of CPU and {row['memory_kib'] / 1024:.1f} MiB in all.")
    else:
        print(f"Not measured: {STREAMS} streams need more descriptors (ulimit -n).")
