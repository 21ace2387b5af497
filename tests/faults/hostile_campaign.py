"""Lets a provider be hostile in every way we know, while another connection of the same daemon is asked for and refreshed.

Each hostile exchange is a refresh of a connection that has tokens. Measured are the class that the daemon gives it, when the
caller has an answer, what it costs in memory, and what the well-behaved connection notices of it.
"""

import contextlib
import shutil
import tempfile
import time

import documents
from daemon import Background, Daemon, error_of
from fakes.certificates import Authority
from fakes.dns_server import DnsServer
from fakes.hostile_streams import BAIT
from fakes.scripted_provider import ScriptedProvider, server_tls
from fakes.support import CurlUser
from faults.hostile_kinds import LOOPBACK, METADATA, NAMED, ORDINARY, PUBLIC
from faults.latency_probe import LatencyProbe
from faults.private_network import NAME_SERVER, run_apart

GOOD = "good"
CLASS_OF = {"provider_unavailable": "transient", "provider_error": "broken", "client_rejected": "client_refused",
            "authorization_required": "token_refused"}
KIB = 1024
SAMPLE_PAUSE = 0.02   # s
REFRESH_PAUSE = 0.25  # s between refreshes of the well-behaved connection while a hostile exchange lasts
CALM = 2              # s, measured before anything hostile happens


class Limits:
    """What a hostile exchange may cost."""

    def __init__(self, timeout=4, connect_timeout=2, margin=1.0, growth=8 * KIB * KIB, latency=0.25):
        self.timeout = timeout          # s, the daemon's own
        self.connect_timeout = connect_timeout
        self.margin = margin            # s beyond the timeout
        self.growth = growth            # bytes of resident memory; None: not judged
        self.latency = latency          # s, of the well-behaved connection's cached token


class Memory:
    """The most that a process had resident since begin(), in bytes."""

    def __init__(self, process):
        self._folder = f"/proc/{process.pid}"

    def begin(self):
        with contextlib.suppress(OSError):  # then what sample() sees has to do
            with open(self._folder + "/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
        self._begun = self._highest = self._read("VmRSS")
        self._peak = self._read("VmHWM")

    def sample(self):
        self._highest = max(self._highest, self._read("VmRSS"))

    def growth(self):
        self.sample()
        peak = self._read("VmHWM")
        return max(self._highest, peak if peak > self._peak else 0) - self._begun

    def _read(self, name):
        with open(self._folder + "/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * KIB for line in file if line.startswith(name + ":"))


class Stage:
    """A connection, and the provider that becomes hostile to it."""

    def __init__(self, campaign, kind, provider, host=None, traps=()):
        self.kind = kind
        self.name = kind.slug
        self.provider = provider
        self.host = host      # the name that it refreshes at
        self.traps = traps    # servers that nobody may connect to
        self.folder = campaign.folder
        self.authority = campaign.authority
        self.dns = campaign.dns
        self._daemon = campaign.daemon

    def document(self):
        refresh = {"refresh": {"uri": f"https://{self.host}:{self.provider.port}/token"}} if self.host else {}
        return documents.code(self.provider, self.name, oauth2=refresh)

    def refresh(self):
        return self._daemon.admin("POST", f"/v1/connections/{self.name}/refresh")

    def token(self):
        reply = self._daemon.token(self.name)
        return (reply.json()["access_token"], reply.json()["generation"]) if reply.status == 200 else None

    def open(self):
        self.kind.arrange(self)
        self._token = self.token()
        self._asked = self.provider.count(grant_type="refresh_token"), self.provider.connections
        self._questions = self.dns.count(self.host) if self.host else 0

    def timed_refresh(self):
        begun = time.monotonic()
        reply = self.refresh()
        return reply, time.monotonic() - begun

    def close(self, reply):
        """What came of it; the provider is as it was."""
        outcome = {
            "requests": self.provider.count(grant_type="refresh_token") - self._asked[0],
            "connections": self.provider.connections - self._asked[1],
            "trapped": sum(trap.connections for trap in self.traps),
            "questions": self.dns.count(self.host) - self._questions if self.host else 0,
            "served": reply.status == 200 or self.token() == self._token,
        }
        self._restore()
        return outcome

    def _restore(self):
        provider = self.provider
        if provider.is_deaf:
            provider.hear()
        provider.forget("/token")
        provider.wire = None
        provider.tls = server_tls(self.authority) if provider.scheme == "https" else None
        if self.host:
            self.dns.say(self.host, [PUBLIC])


class Campaign:
    """run_ordinary() and run_named(), then rows, violations and table()."""

    def __init__(self, limits=None, at_once=1):
        self.limits = limits or Limits()
        self.at_once = at_once  # of the exchanges that last until their time is over
        self.rows = []
        self.violations = []
        self.calm = 0  # s, the longest that a cached token took without anything hostile
        self.folder = self.authority = self.dns = self.daemon = None

    # Where it takes place

    def run_ordinary(self, kinds=ORDINARY):
        """On this machine's loopback."""
        with self._folder(addresses=[LOOPBACK]), contextlib.ExitStack() as ends:
            http = {"allowLoopbackHttp": True}
            good = ends.enter_context(ScriptedProvider(self.authority))
            with self._daemon(http, good):
                self._run([Stage(self, kind, ends.enter_context(ScriptedProvider(self.authority if kind.secure else None)))
                           for kind in kinds])
        return self

    def run_named(self, kinds=NAMED):
        """Behind names, in a network of its own. NotPermitted where there can be none."""
        with self._folder(names=["*.example.com"], addresses=[PUBLIC, METADATA, LOOPBACK]):
            run_apart(self.folder, [PUBLIC, METADATA], lambda: self._run_apart(kinds))
        return self

    def _run_apart(self, kinds):
        with contextlib.ExitStack() as ends:
            self.dns = ends.enter_context(DnsServer(NAME_SERVER))
            good = ends.enter_context(ScriptedProvider(self.authority, host=PUBLIC))
            with self._daemon({"allowLoopbackHttp": False}, good):
                self._run([self._named_stage(ends, kind) for kind in kinds])

    def _named_stage(self, ends, kind):
        provider = ends.enter_context(ScriptedProvider(self.authority, host=PUBLIC))
        # They have the name's certificate: nothing but the address speaks against them.
        traps = [ends.enter_context(ScriptedProvider(self.authority, host=host, port=provider.port))
                 for host in (LOOPBACK, METADATA)]
        stage = Stage(self, kind, provider, kind.slug.lower() + ".example.com", traps)
        self.dns.say(stage.host, [PUBLIC])
        return stage

    @contextlib.contextmanager
    def _folder(self, names=("localhost",), addresses=()):
        self.folder = tempfile.mkdtemp(prefix="icd-hostile-")
        try:
            self.authority = Authority(self.folder, names, addresses)
            yield
        finally:
            shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def _daemon(self, http, good):
        http = {"timeout": self.limits.timeout, "connectTimeout": self.limits.connect_timeout,
                "caFile": self.authority.ca_file, **http}
        self.daemon = Daemon({"http": http, "logLevel": "info"})
        self.daemon.known_secrets.add(BAIT.decode())
        self.daemon.secret_sources.append(good.secrets_issued)
        self.daemon.write_iclient(documents.code(good, GOOD))
        try:
            yield
            self.daemon.finish()
        finally:
            if self.daemon.process:
                self.daemon.kill()

    # The run

    def _run(self, stages):
        for stage in stages:
            self.daemon.write_iclient(stage.document())
            self.daemon.secret_sources.append(stage.provider.secrets_issued)
        self.daemon.start()
        for name in [GOOD, *(stage.name for stage in stages)]:
            person, callback = self.daemon.callback_of(name, CurlUser(self.authority.ca_file))
            assert person.get(callback).status == 200
            assert self._refresh(name).status == 200
        # A new process: what it knows of names is forgotten, what it reached for once is not yet in its memory.
        self.daemon.restart()
        for _ in range(20):
            assert self._refresh(GOOD).status == 200
        self.memory = Memory(self.daemon.process)
        with LatencyProbe(self.daemon.token_socket, f"/v1/token/{GOOD}") as self.probe:
            self._measure_calm()
            for batch in self._batches(stages):
                self._measure(batch)
        self._find_stored(stages)

    def _batches(self, stages):
        waiting = [stage for stage in stages if stage.kind.waits]
        for begin in range(0, len(waiting), self.at_once):
            yield waiting[begin:begin + self.at_once]
        yield from ([stage] for stage in stages if not stage.kind.waits)

    def _refresh(self, name):
        return self.daemon.admin("POST", f"/v1/connections/{name}/refresh")

    def _measure_calm(self):
        self.memory.begin()
        self.probe.begin()
        over = time.monotonic() + CALM
        self._refresh_good_until(lambda: time.monotonic() > over)
        self.calm = max(self.calm, self.probe.end()["worst"])

    def _measure(self, stages):
        for stage in stages:
            stage.open()
        before = self.daemon.metrics()
        self.memory.begin()
        self.probe.begin()
        calls = [Background(stage.timed_refresh) for stage in stages]
        good = self._refresh_good_until(lambda: not any(call.is_running() for call in calls))
        shared = {"growth": self.memory.growth(), "good": good, "probe": self.probe.end()}
        ends = [call.result(self.limits.timeout + self.limits.margin + 30) for call in calls]
        after = self.daemon.metrics()
        for stage, (reply, seconds) in zip(stages, ends):
            self._judge(self._row(stage, reply, seconds, shared))
        self._judge_metrics(stages, before, after)

    def _find_stored(self, stages):
        """The refresh tokens that are stored have to be good: one that was used before, or is not there, is refused."""
        self.daemon.restart()
        for row in self.rows[-len(stages):]:
            row["own_stored"] = self._refresh(row["connection"]).status == 200
            self._demand(row["own_stored"], row, "the stored refresh token is lost")

    def _refresh_good_until(self, is_over):
        """The statuses of the well-behaved connection's refreshes meanwhile: one at least."""
        statuses = []
        due = 0
        while not statuses or not is_over():
            if time.monotonic() >= due:
                statuses.append(self._refresh(GOOD).status)
                due = time.monotonic() + REFRESH_PAUSE
            self.memory.sample()
            time.sleep(SAMPLE_PAUSE)
        return statuses

    def _row(self, stage, reply, seconds, shared):
        error = {} if reply.status == 200 else error_of(reply)
        row = {
            "kind": stage.kind.name, "connection": stage.name, "expected": stage.kind.expected,
            "class": "granted" if reply.status == 200 else CLASS_OF.get(error["code"], error["code"]),
            "status": reply.status, "code": error.get("code", ""), "message": error.get("message", ""),
            "seconds": round(seconds, 3), "growth": shared["growth"], "served": shared["probe"]["count"],
            "worst_latency": round(shared["probe"]["worst"], 5), "refused": shared["probe"]["refused"],
            "good_refreshes": len(shared["good"]), "good_refused": [status for status in shared["good"] if status != 200],
        }
        row.update({"own_" + name: value for name, value in stage.close(reply).items()})
        self.rows.append(row)
        return row

    def _judge(self, row):
        limits = self.limits
        deadline = limits.timeout + limits.margin
        self._demand(row["class"] == row["expected"], row, f"is called {row['class']} and not {row['expected']}")
        self._demand(row["seconds"] <= deadline, row, f"the caller waited {row['seconds']} s")
        self._demand(limits.growth is None or row["growth"] <= limits.growth, row, f"took {row['growth']} bytes of memory")
        self._demand(row["worst_latency"] <= limits.latency, row, f"a cached token took {row['worst_latency']} s")
        self._demand(row["served"] > 0 and not row["refused"], row, f"a cached token was refused: {row['refused']}")
        self._demand(not row["good_refused"], row, f"the well-behaved connection was not refreshed: {row['good_refused']}")
        self._demand(row["own_served"], row, "its own token is no longer served")
        self._demand(row["own_requests"] <= 1, row, f"the request was sent {row['own_requests']} times")
        self._demand(row["own_connections"] <= 1, row, f"{row['own_connections']} connections were made")
        self._demand(row["own_questions"] <= 1, row, f"the name was looked up {row['own_questions']} times")
        self._demand(row["own_trapped"] == 0, row, "an address that is not allowed was connected to")

    def _judge_metrics(self, stages, before, after):
        for name in ("transient", "broken", "client_refused", "token_refused"):
            key = f'iclientd_exchanges_total{{class="{name}"}}'
            counted = after[key] - before[key]
            expected = sum(stage.kind.expected == name for stage in stages)
            if counted != expected:
                kinds = ", ".join(stage.kind.name for stage in stages)
                self.violations.append(f"{kinds}: {counted:.0f} exchanges are counted as {name}, not {expected}")

    def _demand(self, holds, row, what):
        if not holds:
            self.violations.append(f"{row['kind']}: {what}")

    # What came of it

    def table(self):
        head = (f"{'kind':42}{'class':15}{'answer':>7}{'seconds':>9}{'memory':>9}{'latency':>9}{'served':>8}{'refreshed':>11}"
                f"{'kept':>6}  message")
        lines = [head, "-" * len(head)]
        for row in self.rows:
            good = row["good_refreshes"] - len(row["good_refused"])
            kept = "yes" if row["own_served"] and row["own_stored"] else "NO"
            lines.append(f"{row['kind']:42}{row['class']:15}{row['status']:7}{row['seconds']:9.2f}"
                         f"{row['growth'] // KIB:6} KiB{row['worst_latency'] * 1000:6.1f} ms{row['served']:8}"
                         f"{good:5} of {row['good_refreshes']:2}{kept:>6}  {row['message'][:100]}")
        lines.append("-" * len(head))
        lines.append(self.summary())
        return "\n".join(lines)

    def summary(self):
        rows = self.rows
        return (f"{len(rows)} kinds; at most {max(row['seconds'] for row in rows):.2f} s with a timeout of {self.limits.timeout} s, "
                f"{max(row['growth'] for row in rows) / KIB / KIB:.1f} MiB more resident memory, "
                f"{max(row['worst_latency'] for row in rows) * 1000:.1f} ms for a cached token of another connection "
                f"({self.calm * 1000:.1f} ms before); "
                f"violations: {len(self.violations)}")
