"""Kills the daemon at every step of a refresh, starts it again on the same state, and accounts for every refresh token.

A refresh token of the scripted provider is good once; whoever presents a used one loses the whole family. So the daemon
shows after each kill which token it holds. What may be lost is the token in a reply that the kill swallowed; each such
loss has to be reported as rotation_ambiguous, after one attempt.
"""

import contextlib
import fcntl
import http.client
import os
import random
import subprocess
import time

import documents
from daemon import Background, Daemon, UnixConnection
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import die_with_parent, wait_until

KEPT, LOST, EITHER = "kept", "lost", "either"
CONNECTIONS = 4
# SQLite's lock for writing to the log: a byte of the -shm file (walformat.html, 2.3.1).
WAL_WRITE_LOCK = 120
DAEMON_TURN = 0.01  # s; ample for what the daemon does without waiting for anybody


class Refresh:
    """POST …/refresh, sent; whether it was answered shows after the kill."""

    def __init__(self, daemon, name):
        self._connection = UnixConnection(daemon.admin_socket)
        self._connection.request("POST", f"/v1/connections/{name}/refresh")

    def is_answered(self):
        try:
            return self._connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            self._connection.close()


class Row:
    """What became of the kills at one moment."""

    def __init__(self, moment, expected):
        self.moment = moment
        self.expected = expected
        self.kills = 0
        self.refreshes = 0
        self.rotated = 0    # the provider had replaced the token
        self.answered = 0   # the caller had its answer
        self.kept = 0       # the next refresh went through
        self.lost = 0
        self.ambiguous = 0  # losses reported as rotation_ambiguous


class Campaign:
    """run(kills), then table() and violations."""

    def __init__(self, seed=None):
        self.random = random.Random(seed)
        self.violations = []
        self.rows = [Row(*moment) for moment in (
            ("before the journal", KEPT), ("writing the journal", EITHER), ("connected, not sent", KEPT),
            ("request read", KEPT), ("replaced, reply half sent", LOST), ("reply sent, before commit", LOST),
            ("commit under way", EITHER), ("answered", KEPT), ("refusal not yet stored", LOST),
            ("while starting again", KEPT), ("login's reply half sent", KEPT), ("random", EITHER))]
        self._strikes = (
            self._before_journal, self._writing_journal, self._connected, self._request_read, self._reply_half_sent,
            self._before_commit, self._commit_under_way, self._answered, self._refusal_not_stored, self._while_starting,
            self._login_half_sent, self._random_moment)
        self.cut_logins = 0
        self.served = 0
        self._refresh_time = 0.02

    # The whole

    def run(self, kills):
        with contextlib.ExitStack() as ends:
            self.provider = ends.enter_context(ScriptedProvider())
            self.daemon = Daemon({"logLevel": "info"})
            ends.callback(self._finish_daemon)
            self.daemon.secret_sources.append(self.provider.secrets_issued)
            self.names = [f"c{index}" for index in range(CONNECTIONS)]
            for name in self.names:
                self.daemon.write_iclient(documents.code(self.provider, name))
            self.daemon.start()
            self.families = {}
            for name in self.names:
                self._login(name)
            self._refresh_time = self._measure()
            # Every second kill is a random one: there are more moments than anybody can name.
            for index in range(kills):
                fixed = len(self._strikes) - 1
                self._run_one(fixed if index % 2 else index // 2 % fixed)
            self._balance()
        return self

    def _finish_daemon(self):
        self.daemon.finish()

    def _measure(self):
        begun = time.monotonic()
        for name in self.names:
            assert self._refresh_now(name).status == 200
        return (time.monotonic() - begun) / len(self.names)

    def _run_one(self, index):
        row, strike = self.rows[index], self._strikes[index]
        is_random = strike == self._random_moment
        names = self.names if is_random else [self.random.choice(self.names)]
        before = {name: self._tokens_of(name) for name in names}
        answered = strike(names)
        row.kills += 1
        self.daemon.start()
        for name in names:
            row.refreshes += 1
            rotated = len(self._tokens_of(name)) > len(before[name])
            row.rotated += rotated
            row.answered += name in answered
            self._judge(row, name, rotated, name in answered)
        for name in self.names:
            reply = self.daemon.token(name)
            self.served += reply.status == 200
            self._demand(reply.status == 200, row, name, f"no token is served: {reply}")

    def _judge(self, row, name, rotated, answered):
        asked = len(self.provider.requests)
        reported = self.daemon.metrics()["iclientd_rotations_ambiguous_total"]
        newest = self._tokens_of(name)[-1]
        reply = self._refresh_now(name)
        presented = [request.params["refresh_token"] for request in self.provider.requests[asked:]
                     if self.provider.refresh_tokens.get(request.params.get("refresh_token")) == self.families[name]]
        self._demand(len(presented) == 1, row, name, f"{len(presented)} exchanges instead of one")
        if reply.status == 200:
            row.kept += 1
            self._demand(presented == [newest], row, name, "an older refresh token went through")
            self._demand(row.expected != LOST, row, name, "the moment was missed: nothing was lost")
            return
        row.lost += 1
        is_reported = (self.daemon.metrics()["iclientd_rotations_ambiguous_total"] == reported + 1 and
                       "rotation_ambiguous" in self.daemon.admin("GET", f"/v1/connections/{name}").text)
        row.ambiguous += is_reported
        self._demand(rotated, row, name, f"lost, though the provider had replaced nothing: {reply}")
        self._demand(not answered, row, name, "lost, though the caller had its answer")
        self._demand(is_reported, row, name, f"lost, but not reported as rotation_ambiguous: {reply}")
        self._demand(row.expected != KEPT, row, name, "lost at a moment when nothing may be")
        self._login(name)

    def _demand(self, holds, row, name, what):
        if not holds:
            self.violations.append(f"{row.moment}: {name}: {what}")

    def _balance(self):
        """Every refresh token that was ever issued is spent, held, or one of the losses."""
        issued, spent = len(self.provider.refresh_tokens), len(self.provider.used_refresh_tokens)
        lost = sum(row.lost for row in self.rows)
        self.balance = {"issued": issued, "spent": spent, "held": len(self.names), "lost": lost,
                        "of logins that were cut off": self.cut_logins}
        if issued != spent + len(self.names) + lost + self.cut_logins:
            self.violations.append(f"the tokens do not add up: {self.balance}")

    def table(self):
        head = f"{'killed':28}{'kills':>7}{'refreshes':>11}{'replaced':>10}{'answered':>10}{'served':>8}{'lost':>6}{'ambiguous':>11}"
        lines = [head, "-" * len(head)]
        total = Row("all", EITHER)
        for row in [*self.rows, total]:
            if row is total:
                lines.append("-" * len(head))
            lines.append(f"{row.moment:28}{row.kills:7}{row.refreshes:11}{row.rotated:10}{row.answered:10}{row.kept:8}"
                         f"{row.lost:6}{row.ambiguous:11}")
            for member in ("kills", "refreshes", "rotated", "answered", "kept", "lost", "ambiguous"):
                setattr(total, member, getattr(total, member) + getattr(row, member))
        lines.append("refresh tokens: " + ", ".join(f"{count} {word}" for word, count in self.balance.items()))
        lines.append(f"lost without a trace: {total.lost - total.ambiguous}; violations: {len(self.violations)}")
        return "\n".join(lines)

    # Tokens

    def _login(self, name):
        known = len(self.provider.refresh_tokens)
        page = self.daemon.login(name)
        assert page.status == 200, page
        token = list(self.provider.refresh_tokens)[known]
        self.families[name] = self.provider.refresh_tokens[token]

    def _tokens_of(self, name):
        """In the order of their issue."""
        return [token for token, family in list(self.provider.refresh_tokens.items()) if family == self.families[name]]

    def _refresh_now(self, name):
        # A connection to the provider that ends with the exchange lets the next one begin with a connect.
        self.provider.next("/token", lambda _, regular: regular().but(headers={"Connection": "close"}))
        return self.daemon.admin("POST", f"/v1/connections/{name}/refresh")

    # Moments: each sends the refreshes, kills, and gives back the names of the answered ones.

    def _kill(self, *refreshes):
        self.daemon.kill()
        # What the provider still does with a request that had reached it belongs to this kill.
        self.provider.settle()
        self.provider.forget("/token")
        return [refresh.is_answered() for refresh in refreshes]

    def _strike(self, name, wait, **manners):
        """One refresh; the provider answers with these manners; kills after wait()."""
        if manners:
            self.provider.next("/token", lambda _, regular: regular().but(**manners))
        refresh = Refresh(self.daemon, name)
        wait()
        return [name] if self._kill(refresh)[0] else []

    def _asked(self):
        """A function that waits until the provider has been asked once more."""
        before = len(self.provider.requests)
        return lambda: self._soon(lambda: len(self.provider.requests) > before, "the request")

    def _replied(self):
        asked = self._asked()

        def wait():
            asked()
            self._soon(lambda: self.provider.in_flight == 0, "the reply")
        return wait

    @staticmethod
    def _soon(condition, what):
        wait_until(condition, what=what, interval=0.0002)

    @contextlib.contextmanager
    def _store_locked(self):
        """Nothing can be written: as if another program were writing."""
        shared = os.open(self.daemon.state_dir / "store.sqlite3-shm", os.O_RDWR)
        try:
            fcntl.lockf(shared, fcntl.LOCK_EX, 1, WAL_WRITE_LOCK)
            yield
        finally:
            os.close(shared)

    def _log_written(self):
        """A function that waits until the store's log is written to."""
        path = self.daemon.state_dir / "store.sqlite3-wal"
        state = (lambda: (lambda stat: (stat.st_size, stat.st_mtime_ns))(os.stat(path)))
        before = state()
        return lambda: self._soon(lambda: state() != before, "the store's log")

    def _before_journal(self, names):
        with self._store_locked():
            asked = len(self.provider.requests)
            answered = self._strike(names[0], lambda: time.sleep(DAEMON_TURN))
        assert len(self.provider.requests) == asked, "a refresh went out without its journal"
        return answered

    def _writing_journal(self, names):
        return self._strike(names[0], self._log_written())

    def _connected(self, names):
        connected = []

        def refuse():
            self.provider.on_connect = None
            self.daemon.process.kill()
            connected.append(True)
            raise ConnectionAbortedError
        self.provider.on_connect = refuse
        return self._strike(names[0], lambda: self._soon(lambda: connected, "the connection"))

    def _request_read(self, names):
        asked = self._asked()
        self.provider.next("/token", Answer(hang=True))
        return self._strike(names[0], asked)

    def _reply_half_sent(self, names):
        asked = self._asked()
        return self._strike(names[0], lambda: (asked(), time.sleep(self.random.uniform(0, DAEMON_TURN))), drip=3600)

    def _before_commit(self, names):
        with contextlib.ExitStack() as locked:
            # Once the request is there the journal is durable; from then on nothing is.
            def answer(_, regular):
                locked.enter_context(self._store_locked())
                return regular()
            replied = self._replied()
            self.provider.next("/token", answer)
            return self._strike(names[0], lambda: (replied(), time.sleep(DAEMON_TURN)))

    def _commit_under_way(self, names):
        asked, written = self._asked(), []

        def answer(_, regular):
            written.append(self._log_written())
            return regular()
        self.provider.next("/token", answer)
        return self._strike(names[0], lambda: (asked(), self._soon(lambda: written, "the reply"), written[0]()))

    def _answered(self, names):
        refresh = Refresh(self.daemon, names[0])
        answered = refresh.is_answered()
        self._kill()
        assert answered
        return names

    def _refusal_not_stored(self, names):
        """Killed with the reply half sent, and again when the provider has refused the token that is used up."""
        self._reply_half_sent(names)
        self.daemon.start()
        return self._before_commit(names)

    def _while_starting(self, names):
        """Killed with an exchange open, and again somewhere on the way up."""
        self._request_read(names)
        with open(self.daemon.folder / "log", "ab") as log:
            process = subprocess.Popen([self.daemon.binary("iclientd"), "--config", self.daemon.config_file], stdout=log,
                                       stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        time.sleep(self.random.uniform(0, 0.06))
        process.kill()
        process.wait()
        return []

    def _login_half_sent(self, names):
        """A second login, cut off: the first one's tokens stay."""
        person, callback = self.daemon.callback_of(names[0])
        asked = self._asked()
        self.provider.next("/token", lambda _, regular: regular().but(drip=3600))
        page = Background(person.get, callback)
        asked()
        time.sleep(self.random.uniform(0, DAEMON_TURN))
        self._kill()
        self.cut_logins += 1
        with contextlib.suppress(OSError, http.client.HTTPException):
            page.result()
        return []

    def _random_moment(self, names):
        refreshes = [Refresh(self.daemon, name) for name in names]
        time.sleep(self.random.uniform(0, 2.5 * self._refresh_time))
        answered = self._kill(*refreshes)
        return [name for name, is_answered in zip(names, answered) if is_answered]
