"""Lets local processes of several users be hostile to the daemon, one kind after the other, while a well-behaved one asks
for its token: over a connection that it keeps, and over a new one each time.

Meanwhile slow connections send a byte now and then, and at the end thousands are opened and left idle.
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import select
import socket
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import documents
from daemon import Daemon, UnixConnection
from fakes.scripted_provider import ScriptedProvider
from fakes.support import die_with_parent
from faults.neighbour_kinds import KINDS, Deviation, Neighbour, read_all, send

HOSTILE_UIDS = (4242, 4243, 4244)
SLOW_UID = 4245
GOOD_UID = 4300
NAME = "api"  # for GOOD_UID alone, unless a test wants a daemon that is wrong
KIB = 1024
SLOW_CONNECTIONS = 30
PAUSE = 0.002  # s, of the well-behaved client
REQUEST_DEADLINE = 10  # s, the daemon's
DEVIATIONS_SHOWN = 3
fork = multiprocessing.get_context("fork")


class Limits:
    """What the neighbours may cost."""

    def __init__(self, latency=1.0, growth=16 * KIB * KIB, idle=3000, slow_margin=5.0):
        self.latency = latency          # s, of the well-behaved client
        self.growth = growth            # bytes of resident memory, from the first kind to the end; None: not judged
        self.idle = idle                # connections
        self.slow_margin = slow_margin  # s beyond the daemon's deadline


def become(uid):
    die_with_parent()
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def start(uid, work, *arguments):
    """work(line, …) in a process of that user; the line leads to it."""
    here, there = fork.Pipe()

    def run():
        become(uid)
        here.close()
        work(there, *arguments)
    process = fork.Process(target=run, daemon=True)
    process.start()
    there.close()
    return SimpleNamespace(process=process, line=here)


def attack(line, hostile, neighbour, seconds):
    """One attempt after another: (tried, what deviated)."""
    tried, deviations = 0, []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tried += 1
        try:
            hostile(neighbour)
        except (Deviation, OSError) as deviation:
            deviations.append(f"{type(deviation).__name__}: {deviation}")
    line.send((tried, deviations))


def behave(line, socket_path):
    """Asks by turns on the connection that it keeps and on a new one. Each message on the line is answered by what was."""
    kept = UnixConnection(socket_path)
    seen = {"count": 0, "worst": 0.0, "refused": []}
    while True:
        connection = kept if seen["count"] % 2 else UnixConnection(socket_path)
        begun = time.monotonic()
        try:
            connection.request("GET", f"/v1/token/{NAME}")
            reply = connection.getresponse()
            reply.read()
            if reply.status != 200:
                seen["refused"].append(reply.status)
        except (OSError, http.client.HTTPException) as error:
            seen["refused"].append(repr(error))
        seen["worst"] = max(seen["worst"], time.monotonic() - begun)
        seen["count"] += 1
        if connection is not kept:
            connection.close()
        if line.poll(PAUSE):
            if line.recv() == "end":
                return
            line.send(seen)
            seen = {"count": 0, "worst": 0.0, "refused": []}


def be_slow(line, socket_path, margin):
    """Connections that send a byte now and then: each has to be cut off in time, with 408 or without a word."""
    beginnings = (b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ",
                  b"POST /v1/token/api/rejected HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    clients = {}
    for i in range(SLOW_CONNECTIONS):
        client = socket.socket(socket.AF_UNIX)
        client.connect(socket_path)
        client.sendall(beginnings[i % len(beginnings)])
        clients[client] = time.monotonic() + REQUEST_DEADLINE + margin
    deviations = []
    while clients:
        for client in select.select(list(clients), [], [], 0.2)[0]:
            client.setblocking(True)
            reply = read_all(client)
            if reply and not reply.startswith(b"HTTP/1.1 408 "):
                deviations.append(f"{reply[:40]!r} in the place of 408")
            del clients[client]
        for client in list(clients):
            send(client, b"a")
            if time.monotonic() > clients[client]:
                deviations.append("a slow connection is not cut off")
                del clients[client]
    line.send((SLOW_CONNECTIONS, deviations))


def be_idle(line, socket_path, count):
    """Opens that many and leaves them until it is told to end; then looks what came on each: what deviated."""
    clients = []
    for _ in range(count):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(0.5)  # a full backlog is no refusal, but no connection either
        try:
            client.connect(socket_path)
        except (BlockingIOError, TimeoutError):
            client.close()
            continue
        clients.append(client)
    line.send(len(clients))
    line.recv()
    deviations = []
    for client in clients:
        client.settimeout(0)
        try:
            reply = client.recv(4096)
        except BlockingIOError:
            continue  # idle, as it should be
        except ConnectionResetError:
            continue
        if reply and reply.split(b" ")[1] not in (b"429", b"503"):
            deviations.append(f"{reply[:40]!r} to a connection that asked nothing")
    line.send(deviations)


class Campaign:
    """run(seconds), then table(), rows and violations."""

    def __init__(self, limits=None, seed=None, allowed=(GOOD_UID,)):
        self.limits = limits or Limits()
        self.seed = time.time_ns() if seed is None else seed
        self._allowed = list(allowed)
        self.rows = []
        self.violations = []

    def run(self, seconds, kinds=KINDS):
        """For all of these kinds together; KINDS: and then slow and idle connections."""
        with contextlib.ExitStack() as ends:
            self._prepare(ends)
            slow = start(SLOW_UID, be_slow, str(self._daemon.token_socket), self.limits.slow_margin)
            first = self._memory()
            for i, (name, hostile) in enumerate(kinds):
                self._measure(name, lambda i=i, hostile=hostile: self._attack(i, hostile, seconds / len(kinds)))
            if kinds is KINDS:
                self._measure("slow", lambda: self._collect([slow]))
                self._measure("idle", self._idle)
            growth = self._memory() - first
            if self.limits.growth is not None and growth > self.limits.growth:
                self.violations.append(f"memory grew by {growth // KIB} KiB")
            slow.process.kill()
            self._probe.line.send("end")
            self._probe.process.join()
            self._daemon.finish()  # a clean end, a clean log
        return self

    def _prepare(self, ends):
        provider = ends.enter_context(ScriptedProvider())
        self._daemon = Daemon({"logLevel": "info"})
        self._daemon.secret_sources.append(provider.secrets_issued)
        self._daemon.write_iclient(documents.client_credentials(provider))
        self._daemon.write_connection({"name": NAME, "iClient": "crm", "allow": {"users": self._allowed}})
        ends.callback(lambda: self._daemon.process and self._daemon.kill())
        self._daemon.start()
        assert self._daemon.token(NAME).status == 200
        redirect = urlsplit(self._daemon.base)
        self._stage = SimpleNamespace(token_socket=self._daemon.token_socket, admin_socket=self._daemon.admin_socket,
                                      redirect=(redirect.hostname, redirect.port), name=NAME)
        self._probe = start(GOOD_UID, behave, str(self._daemon.token_socket))

    def _attack(self, kind, hostile, seconds):
        return self._collect([start(uid, attack, hostile, Neighbour(self._stage, f"{self.seed} {kind} {uid}"), seconds)
                              for uid in HOSTILE_UIDS])

    def _collect(self, workers):
        tried, deviations = 0, []
        for worker in workers:
            count, found = worker.line.recv()
            worker.process.join()
            tried += count
            deviations += found
        return tried, deviations

    def _idle(self):
        workers = [start(uid, be_idle, str(self._daemon.token_socket), self.limits.idle // len(HOSTILE_UIDS))
                   for uid in HOSTILE_UIDS]
        tried = sum(worker.line.recv() for worker in workers)
        time.sleep(1)  # for the well-behaved client, beside all of them
        deviations = []
        for worker in workers:
            worker.line.send("end")
            deviations += worker.line.recv()
            worker.process.join()
        return tried, deviations

    def _measure(self, name, work):
        self._seen()
        before = self._memory()
        tried, deviations = work()
        seen = self._seen()
        row = {"kind": name, "tried": tried, "as_expected": tried - len(deviations), "alive": self._is_alive(),
               "worst_latency": seen["worst"], "asked_meanwhile": seen["count"], "memory_before": before,
               "memory_after": self._memory()}
        self.rows.append(row)
        self.violations += [f"{name}: {deviation}" for deviation in deviations[:DEVIATIONS_SHOWN]]
        if tried == 0:
            self.violations.append(f"{name}: nothing was tried")
        if not row["alive"]:
            self.violations.append(f"{name}: the daemon does not answer")
        if seen["refused"]:
            self.violations.append(f"{name}: the well-behaved client was refused: {seen['refused'][:DEVIATIONS_SHOWN]}")
        if self.limits.latency is not None and seen["worst"] > self.limits.latency:
            self.violations.append(f"{name}: the well-behaved client waited {seen['worst']:.2f} s")

    def _seen(self):
        self._probe.line.send("so far")
        return self._probe.line.recv()

    def _is_alive(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._daemon.process.poll() is None and self._daemon.get("/healthz").status == 200
        return False

    def _memory(self):
        with open(f"/proc/{self._daemon.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * KIB for line in file if line.startswith("VmRSS:"))

    def table(self):
        lines = ["kind                         |  tried | as expected | alive | worst latency | KiB before | after"]
        for row in self.rows:
            lines.append(f"{row['kind']:28} | {row['tried']:6} | {row['as_expected']:11} | {'yes' if row['alive'] else 'NO':5} | "
                         f"{row['worst_latency'] * 1000:10.1f} ms | {row['memory_before'] // KIB:10} | {row['memory_after'] // KIB:5}")
        return "\n".join(lines)

    def as_json(self):
        return json.dumps({"seed": self.seed, "rows": self.rows, "violations": self.violations}, indent=1)
