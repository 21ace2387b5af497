"""The servers that the benchmark compares, each on the same core, and what the operating system says they used."""

import http.client
import json
import os
import pwd
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The server has one core, the load the other.
SERVER_CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]
START_SECONDS = 120
# A user who may use the connections because their rule says so, and for no other reason.
PEER = "nobody"
ACCESS_BYTES = 170    # gives a reply body of 600 bytes
REFRESH_BYTES = 430   # and a token pair of 600


def pinned(core):
    """For preexec_fn: on one core, and gone when the benchmark is gone."""
    def prepare():
        os.sched_setaffinity(0, {core})
        os.setpgrp()
    return prepare


class Server:
    """A process that listens on a Unix socket."""

    def __init__(self, name, command, socket_path, log):
        self.name = name
        self.socket_path = Path(socket_path)
        self.log = log
        self.begun = time.monotonic()
        self.process = subprocess.Popen([str(part) for part in command], preexec_fn=pinned(SERVER_CORE), stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)
        self.wait_until_open()
        self.start_seconds = time.monotonic() - self.begun

    def wait_until_open(self):
        while time.monotonic() < self.begun + START_SECONDS:
            if self.process.poll() is not None:
                break
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(self.socket_path))
                except OSError:
                    time.sleep(0.001)
                    continue
                os.chmod(self.socket_path, 0o666)
                return
        raise SystemExit(f"{self.name} did not start; see {self.log.name}")

    def cpu_seconds(self):
        """User and system time of all its threads: /proc/PID/stat's two numbers, in nanoseconds (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def admin(self, method, path):
        """iclientd's answer, as text."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.socket_path.parent / "admin" / "admin.sock"))
        connection.request(method, path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def metrics(self):
        """iclientd's, by name."""
        lines = self.admin("GET", "/metrics").splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def memory_kib(self):
        """VmRSS."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bench:
    """A folder for the whole run, the programs, and the servers in it."""

    def __init__(self, folder, build):
        self.folder = Path(folder)
        self.build = Path(build)
        self.folder.chmod(0o755)
        self.is_root = os.geteuid() == 0

    def program(self, name):
        return self.build / "tests" / "bench" / f"bench_{name}"

    def log(self, name):
        return open(self.folder / f"{name}.log", "ab")

    def bare_epoll(self, body_bytes):
        path = self.folder / "bare.sock"
        return Server("bare epoll", [self.program("bare_epoll"), path, body_bytes], path, self.log("bare"))

    def nginx(self, body_bytes):
        path = self.folder / "nginx.sock"
        path.unlink(missing_ok=True)
        config = self.folder / "nginx.conf"
        config.write_text(f"""
daemon off; master_process off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log;
events {{ worker_connections 2048; }}
http {{
    access_log off; keepalive_requests 1000000000; default_type application/json;
    client_body_temp_path {self.folder}/nginx-temp; proxy_temp_path {self.folder}/nginx-temp;
    fastcgi_temp_path {self.folder}/nginx-temp; uwsgi_temp_path {self.folder}/nginx-temp; scgi_temp_path {self.folder}/nginx-temp;
    server {{
        listen unix:{path};
        location / {{ add_header Cache-Control no-store; return 200 "{'x' * body_bytes}"; }}
    }}
}}
""")
        return Server("nginx", ["nginx", "-e", self.folder / "nginx.log", "-c", config], path, self.log("nginx"))

    def redis(self, body_bytes):
        path = self.folder / "redis.sock"
        server = Server("Redis", ["redis-server", "--port", 0, "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir",
                                  self.folder], path, self.log("redis"))
        subprocess.run(["redis-cli", "-s", path, "-x", "set", "token"], input=b"x" * body_bytes, check=True, capture_output=True)
        return server

    def daemon(self, name):
        """The daemon over a configuration that configure() wrote."""
        folder = self.folder / name
        return Server("iclientd", [self.build / "iclientd", "--config", folder / "iclientd.json"], folder / "token.sock", self.log(name))

    def provider(self, port, expires_in, delay_ms):
        """A token endpoint, which shares the load's core. The caller ends it."""
        command = [self.program("provider"), port, ACCESS_BYTES, REFRESH_BYTES, expires_in, delay_ms]
        return subprocess.Popen([str(part) for part in command], preexec_fn=pinned(LOAD_CORE))

    def configure(self, name, connections, hosts=1, port=9, host_of=lambda number: 0, settings=None):
        """
        A configuration with so many connections, all of which the peer may use, of providers at port and the ports behind it.
        Returns its folder.
        """
        folder = self.folder / name
        for part in ("iclients.d", "connections.d", "admin"):
            (folder / part).mkdir(parents=True)
        config = {
            "tokenSocket": {"path": "token.sock", "mode": "0666"},
            "adminSocket": {"path": "admin/admin.sock", "mode": "0600", "group": "root"},
            "iclientDir": "iclients.d", "connectionDir": "connections.d", "stateDir": "state",
            "presetDir": str(ROOT / "conf" / "providers"),
            "redirect": {"listen": f"127.0.0.1:{free_port()}", "baseUri": "http://127.0.0.1:8085"},
            "http": {"allowLoopbackHttp": True}, "limits": {"connections": 20000, "connectionsPerUid": 20000},
            "logLevel": "warning",
        }
        config.update(settings or {})
        (folder / "iclientd.json").write_text(json.dumps(config))
        for host in range(hosts):
            (folder / "iclients.d" / f"p{host}.json").write_text(json.dumps(self._iclient(host, port + host)))
        for number in range(connections):
            document = {"name": f"c{number:06d}", "iClient": f"p{host_of(number)}", "allow": {"users": [PEER]}}
            (folder / "connections.d" / f"c{number:06d}.json").write_text(json.dumps(document))
        return folder

    @staticmethod
    def _iclient(host, port):
        return {"name": f"p{host}", "provider": "custom_oauth2",
                "oauth2": {"grantType": "clientcredentials", "clientId": "bench", "clientSecret": "benchmark-secret",
                           "token": {"uri": f"http://127.0.0.1:{port}/token"}}}

    def fill(self, folder, expires_in=30 * 24 * 3600, stored=0):
        """A token pair for each connection, and so many connections more that the store has too."""
        subprocess.run([self.program("fill_store"), folder, ROOT / "conf" / "providers", str(ACCESS_BYTES), str(REFRESH_BYTES), str(expires_in),
                        str(stored)], check=True)

    def load(self, server, target, names=1, clients=1, requests=1000, closes=False, is_redis=False):
        """The load generator's report, as the peer."""
        command = [self.program("load"), "--socket", server.socket_path, "--target", target, "--names", names, "--clients", clients,
                   "--requests", requests, *(["--close"] if closes else []), *(["--redis"] if is_redis else [])]
        user = {"user": pwd.getpwnam(PEER).pw_uid} if self.is_root else {}
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False,
                              preexec_fn=pinned(LOAD_CORE), **user)
        if done.returncode:
            raise SystemExit(f"{server.name}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout)


def free_port(count=1):
    """The first of so many free ports in a row."""
    firsts = range(10000, 32000, 97)  # below those that the kernel gives to outgoing connections
    for first in random.sample(firsts, len(firsts)):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise SystemExit("no free ports on 127.0.0.1")
