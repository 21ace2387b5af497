"""iclientctl against a daemon that says what a test wants, wrong turns included: what is printed where, and the exit code."""

import json
import os
import pty
import re
import signal
import socket
import socketserver
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fakes.support import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("ICLIENTD_BUILD_DIR", ROOT / "build")) / "iclientctl"
SANITIZER_REPORT = re.compile(r"ERROR: (Leak|Address)Sanitizer|runtime error:")
TOKEN = "ya29.secret-token-of-a-test"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = False

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.server.requests.append((self.command, self.path, body.decode()))
        replies = self.server.replies.get((self.command, self.path.split("?")[0]), [(404, error("not_found", "gone"))])
        status, text = replies.pop(0) if len(replies) > 1 else replies[0]
        text = text if isinstance(text, (str, bytes)) else json.dumps(text)
        content = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) + self.server.missing_bytes))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.server.missing_bytes > 0

    do_GET = do_POST = answer

    def address_string(self):
        return "socket"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("", 0)


class FakeDaemon:
    """Two sockets that answer from one table; the last reply of each row is repeated."""

    def __init__(self, folder):
        self.paths = {"token": folder / "token.sock", "admin": folder / "admin.sock"}
        self.servers = {}
        for name, path in self.paths.items():
            server = Server(str(path), Handler)
            server.replies, server.requests, server.missing_bytes = {}, [], 0
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self.servers[name] = server
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")},
            "ICLIENTD_TOKEN_SOCKET": str(self.paths["token"]),
            "ICLIENTD_ADMIN_SOCKET": str(self.paths["admin"]),
        }

    def on(self, face, method, path, *replies):
        self.servers[face].replies[(method, path)] = [reply if isinstance(reply, tuple) else (200, reply)
                                                      for reply in replies]

    def requests(self, face):
        return self.servers[face].requests

    def close(self, face):
        server = self.servers.pop(face)
        server.shutdown()
        server.server_close()
        self.paths[face].unlink(missing_ok=True)

    def finish(self):
        for face in list(self.servers):
            self.close(face)

    def start(self, *arguments, **options):
        return subprocess.Popen([PROGRAM, *arguments], env={**self.environment, **options.pop("env", {})}, text=True,
                                stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, **options)

    def run(self, *arguments, stdin="", **options):
        process = self.start(*arguments, stdin=subprocess.PIPE, **options)
        out, err = process.communicate(stdin, timeout=PATIENCE)
        assert not SANITIZER_REPORT.search(err), err
        return process.returncode, out, err


def error(code, message="the reason", **more):
    return {"errors": [{"code": code, "message": message, **more}], "retryable": False}


def token_reply(**changes):
    return {
        "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3541, "expires_at": 4102444800, "scope": "a b",
        "refresh_after": 4102444000, "generation": 7, "stale_reason": None, "connection": "crm", "iclient": "sales",
        "request": {"location": "header", "name": "Authorization", "value": f"Bearer {TOKEN}"}, **changes}


def connection(**changes):
    return {"name": "crm", "iclient": "sales", "tenant": "default", "state": "ready", "grant": "authorizecode",
            "expires_at": 4102444800, "refresh_after": None, "generation": 7, "scope": "a b", "last_error": None,
            **changes}


@pytest.fixture
def daemon(tmp_path):
    fake = FakeDaemon(tmp_path)
    yield fake
    fake.finish()


def test_token_prints_the_bare_token_and_a_newline(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    assert daemon.run("token", "crm") == (0, f"{TOKEN}\n", "")


def test_token_asks_with_options_tenant_and_encoded_name(daemon):
    daemon.run("--tenant=a&b", "token", "--min-ttl", "60", "../x y", "--wait=5")
    assert daemon.requests("token") == [("GET", "/v1/token/..%2Fx%20y?min_ttl=60&wait=5&tenant=a%26b", "")]


def test_token_header_is_a_ready_header(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    assert daemon.run("token", "crm", "--header")[:2] == (0, f"Authorization: Bearer {TOKEN}\n")


def test_token_header_says_when_the_api_wants_no_header(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply(request={"location": "url", "name": "t", "value": TOKEN}))
    code, out, err = daemon.run("token", "crm", "--header")
    assert (code, out) == (1, "") and "in the url" in err and TOKEN not in err


def test_token_json_is_the_whole_reply(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    code, out, _ = daemon.run("token", "crm", "--json")
    assert code == 0 and json.loads(out) == token_reply()


def test_stale_token_is_served_and_the_reason_said(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply(stale_reason="provider down\x1b[2J"))
    code, out, err = daemon.run("token", "crm")
    assert (code, out) == (0, f"{TOKEN}\n") and r"provider down\x1b[2J" in err


@pytest.mark.parametrize("reply", [
    token_reply(access_token="a\x1bb"), token_reply(access_token="a\nb"), token_reply(access_token=""),
    token_reply(access_token=5), [], "", "{", "\x00", b"\xff\xfe"])
def test_unusable_reply_is_no_token(daemon, reply):
    daemon.on("token", "GET", "/v1/token/crm", reply)
    code, out, err = daemon.run("token", "crm")
    assert (code, out) == (1, "") and err.startswith("iclientctl: crm: ")


@pytest.mark.parametrize("status, reply, code, advice", [
    (409, error("authorization_required"), 3, "run: iclientctl login crm"),
    (409, error("authorization_required", "nobody did; run: iclientctl login crm"), 3, "nobody did; run: iclientctl login crm\n"),
    (403, error("not_allowed"), 4, "allow"),
    (503, error("provider_unavailable"), 5, "iclientctl status crm"),
    (429, error("busy"), 5, "try again"),
    (503, error("busy"), 5, "try again"),
    (404, error("not_found"), 1, "iclientctl list"),
    (502, error("client_rejected"), 1, "client id"),
    (502, error("provider_error"), 1, "the reason"),
    (500, "<html>", 1, "status 500"),
    (400, {"errors": []}, 1, "status 400"),
    (400, error("invalid_request", field="min_ttl"), 1, "min_ttl: the reason"),
])
@pytest.mark.parametrize("command", [["token", "crm"], ["run", "crm", "--", "true"], ["watch", "crm"]])
def test_error_replies_have_their_exit_code_and_advice(daemon, command, status, reply, code, advice):
    for path in ("/v1/token/crm", "/v1/token/crm/watch"):
        daemon.on("token", "GET", path, (status, reply))
    got, out, err = daemon.run(*command)
    assert (got, out) == (code, "") and advice in err and err.count("iclientctl login") <= 1


def test_escapes_in_an_error_message_stay_visible(daemon):
    daemon.on("token", "GET", "/v1/token/crm", (502, error("provider_error", "\x1b]0;x\x07 \u009b \u202e\nroot#\u200b")))
    _, _, err = daemon.run("token", "crm")
    assert r"\x1b]0;x\x07 \xc2\x9b \xe2\x80\xae\x0aroot#\xe2\x80\x8b" in err


@pytest.mark.parametrize("command", [["token", "crm"], ["list"], ["status", "crm"], ["login", "crm"], ["watch", "crm"]])
def test_no_daemon_is_exit_6_and_says_where_it_looked(daemon, command):
    daemon.finish()
    code, out, err = daemon.run(*command)
    assert (code, out) == (6, "") and ".sock: " in err and "is iclientd running?" in err


def test_socket_path_too_long_is_exit_6(daemon):
    assert daemon.run("token", "crm", "--token-socket", "/tmp/" + "x" * 200)[0] == 6


def test_daemon_that_hangs_up_is_exit_6(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    daemon.servers["token"].missing_bytes = 10
    code, out, err = daemon.run("token", "crm")
    assert (code, out) == (6, "") and TOKEN not in err


def test_daemon_that_does_not_answer_is_exit_6_in_time(daemon, tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "silent.sock"))
    listener.listen()
    process = daemon.start("token", "crm", "--wait", "0", "--token-socket", str(tmp_path / "silent.sock"))
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 6 and "no answer" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
def test_closed_socket_is_exit_4(daemon):
    daemon.paths["admin"].chmod(0)
    code, _, err = daemon.run("refresh", "crm")
    assert code == 4 and "group iclientd" in err


def test_advice_names_the_tenant_that_was_asked_for(daemon):
    daemon.on("admin", "GET", "/v1/connections/crm", connection(state="authorization_required", tenant="acme"))
    daemon.on("token", "GET", "/v1/token/crm", (503, error("provider_unavailable")))
    for words, advice in ((("status", "crm"), "login crm"), (("token", "crm"), "status crm"), (("token", "gone"), "list")):
        assert f"iclientctl {advice} --tenant acme\n" in daemon.run("--tenant", "acme", *words)[2], words


@pytest.mark.parametrize("command", ["token", "watch"])
def test_closed_output_is_a_failure(daemon, command):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    daemon.on("token", "GET", "/v1/token/crm/watch", json.dumps(token_reply()) + "\n")
    process = daemon.start(command, "crm", "--json", stdout=None, preexec_fn=lambda: os.close(1))
    assert process.wait(timeout=PATIENCE) == 1 and "standard output" in process.stderr.read()


def test_full_disk_is_a_failure(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    with open("/dev/full", "w") as full:
        process = daemon.start("token", "crm", stdout=full)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "No space left" in err


def test_run_gives_the_token_by_environment_alone(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    script = "echo $ACCESS_TOKEN; tr '\\0' ' ' </proc/$$/cmdline; echo; exit 7"
    code, out, err = daemon.run("run", "crm", "--", "sh", "-c", script, "--json", env={"ACCESS_TOKEN": "former"})
    token, command_line = out.splitlines()
    assert (code, token, err) == (7, TOKEN, "") and TOKEN not in command_line and "--json" in command_line


def test_run_says_when_there_is_no_such_command(daemon):
    daemon.on("token", "GET", "/v1/token/crm", token_reply())
    code, out, err = daemon.run("run", "crm", "--", "no-such-command-here")
    assert (code, out) == (1, "") and "no-such-command-here" in err and TOKEN not in err


def test_list_is_a_table_without_colours_in_a_pipe(daemon):
    trouble = {"code": "x", "message": "it is\x1b[31m down", "at": 1}
    daemon.on("admin", "GET", "/v1/connections",
              [connection(), connection(name="a-much-longer-name", state="provider_unavailable", last_error=trouble)])
    code, out, err = daemon.run("list")
    rows = out.splitlines()
    assert (code, err, len(rows)) == (0, "", 3) and "\x1b" not in out and r"it is\x1b[31m down" in rows[2]
    assert rows[0].index("STATE") == rows[1].index("ready") == rows[2].index("provider_unavailable")


def test_list_is_coloured_on_a_terminal(daemon):
    daemon.on("admin", "GET", "/v1/connections", [connection()])
    for variables, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                                ({"TERM": "dumb"}, False)):
        ours, theirs = pty.openpty()
        process = daemon.start("list", stdout=theirs, env=variables)
        process.communicate(timeout=PATIENCE)
        os.close(theirs)
        assert (b"\x1b[32mready\x1b[0m" in os.read(ours, 4096)) == coloured
        os.close(ours)


@pytest.mark.parametrize("close", [True, False])
def test_list_and_status_fall_back_to_the_token_socket(daemon, close):
    daemon.on("token", "GET", "/v1/connections", [{"name": "crm", "state": "ready", "expires_at": None}])
    if close:
        daemon.close("admin")
    for path in ("/v1/connections", "/v1/connections/crm", "/v1/connections/other"):
        close or daemon.on("admin", "GET", path, (403, error("not_allowed")))
    code, out, _ = daemon.run("list")
    assert code == 0 and "never" in out
    code, out, _ = daemon.run("status", "crm", "--json")
    assert code == 0 and json.loads(out)["name"] == "crm"
    code, out, err = daemon.run("status", "other")
    assert (code, out) == (1, "") and "no such connection" in err


def test_named_admin_socket_has_no_fallback(daemon, tmp_path):
    daemon.on("token", "GET", "/v1/connections", [])
    assert daemon.run("list", "--admin-socket", str(tmp_path / "none.sock"))[0] == 6


def test_status_shows_what_is_known_and_what_to_do(daemon):
    daemon.on("admin", "GET", "/v1/connections/crm", connection(
        state="authorization_required", last_error={"code": "invalid_grant", "message": "revoked", "at": 1}))
    code, out, err = daemon.run("status", "crm")
    assert code == 0 and "invalid_grant" in out and "2100-01-01T00:00:00Z" in out
    assert "run: iclientctl login crm" in err


def test_refresh_answers_like_status(daemon):
    daemon.on("admin", "POST", "/v1/connections/crm/refresh", connection(generation=8))
    code, out, _ = daemon.run("refresh", "crm", "--json")
    assert code == 0 and json.loads(out)["generation"] == 8


@pytest.mark.parametrize("reply, code, words", [
    ({"revoked": True, "provider": "confirmed", "message": ""}, 0, "revoked at the provider"),
    ({"revoked": True, "provider": "unsupported", "message": None}, 0, "has no revocation"),
    ({"revoked": False, "provider": None, "message": "there were no tokens"}, 0, "there were no tokens"),
    ({"revoked": True, "provider": "failed", "message": "status 500"}, 1, "did not confirm"),
    ({"revoked": False, "provider": "confirmed"}, 1, "not revoked"),
    ({}, 1, "not revoked"),
])
def test_revoke_says_what_became_of_the_tokens(daemon, reply, code, words):
    daemon.on("admin", "POST", "/v1/connections/crm/revoke", reply)
    got, out, err = daemon.run("revoke", "crm")
    assert (got, out) == (code, "") and words in err


def test_revocation_that_reached_nobody_is_to_be_repeated(daemon):
    daemon.on("admin", "POST", "/v1/connections/crm/revoke", (503, {**error("provider_unavailable"), "revoked": False}))
    code, out, err = daemon.run("revoke", "crm", "--tenant", "acme")
    assert (code, out) == (5, "") and "run: iclientctl revoke crm --tenant acme" in err and "goes on trying" not in err


def test_watch_prints_each_event_without_the_token(daemon):
    change = {"connection": "crm", "state": "authorization_required", "error": {"code": "x", "message": "log in"}}
    lines = [json.dumps(token_reply()), "", json.dumps(change)]
    daemon.on("token", "GET", "/v1/token/crm/watch", "\n".join(lines) + "\n")
    code, out, err = daemon.run("watch", "crm")
    assert code == 6 and "ended the stream" in err and TOKEN not in out
    assert "generation 7" in out.splitlines()[0] and "authorization_required  log in" in out.splitlines()[1]
    _, out, _ = daemon.run("watch", "crm", "--json")
    assert json.loads(out.splitlines()[0])["access_token"] == TOKEN


def test_watch_stops_at_a_line_that_is_no_json(daemon):
    daemon.on("token", "GET", "/v1/token/crm/watch", "{\n" + json.dumps(token_reply()) + "\n")
    code, out, err = daemon.run("watch", "crm")
    assert (code, out) == (1, "") and "no JSON" in err


CONNECT = {"connect_url": "http://127.0.0.1:8085/connect/ticket", "expires_in": 600}


def begin_login(daemon, *states):
    daemon.on("admin", "POST", "/v1/connections/crm/authorize", CONNECT)
    daemon.on("admin", "GET", "/v1/connections/crm", connection(login=None), *states)


def login_state(state, message="", **changes):
    return connection(login={"state": state, "message": message}, **changes)


def test_login_prints_the_address_and_waits_until_it_is_completed(daemon):
    begin_login(daemon, login_state("pending"), login_state("exchanging"), login_state("completed", generation=8))
    code, out, err = daemon.run("login", "crm", "--no-browser")
    assert code == 0 and out.splitlines()[0] == CONNECT["connect_url"] and "authorized" in err


def test_login_is_not_taken_for_done_by_a_refresh_beside_it(daemon):
    begin_login(daemon, login_state("pending", generation=8), login_state("failed", "access_denied", generation=8))
    code, _, err = daemon.run("login", "crm")
    assert code == 1 and "failed: access_denied" in err


def test_login_expires(daemon):
    begin_login(daemon, login_state("expired"))
    assert daemon.run("login", "crm")[0] == 1


def test_login_takes_a_pasted_address_and_another_after_a_wrong_one(daemon):
    begin_login(daemon, *[login_state("pending")] * 3, login_state("completed"))
    daemon.on("admin", "POST", "/v1/connections/crm/complete", (400, error("invalid_request", "no code")), {})
    code, _, err = daemon.run("login", "crm", "--no-browser", stdin="\nwrong\n  http://127.0.0.1/callback?code=c&state=s")
    sent = [json.loads(body)["redirect_url"] for method, path, body in daemon.requests("admin") if "complete" in path]
    assert code == 0 and sent == ["wrong", "http://127.0.0.1/callback?code=c&state=s"] and "no code" in err


def test_login_drops_a_line_that_is_too_long(daemon):
    begin_login(daemon, *[login_state("pending")] * 6, login_state("completed"))
    daemon.on("admin", "POST", "/v1/connections/crm/complete", {})
    code, _, err = daemon.run("login", "crm", "--no-browser", stdin="x" * 40000 + "\ngood\n")
    sent = [json.loads(body)["redirect_url"] for method, path, body in daemon.requests("admin") if "complete" in path]
    assert code == 0 and sent == ["good"] and "too long" in err


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_login_leaves_cleanly_when_interrupted(daemon, screen, number):
    begin_login(daemon, login_state("pending"))
    process = daemon.start("login", "crm", stdin=subprocess.PIPE, env=screen.variables)
    assert process.stdout.readline().strip() == CONNECT["connect_url"]
    wait_until(screen.opened.exists, what="the browser")
    assert len(list(screen.runtime.iterdir())) == 1
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "gave up waiting" in err and not SANITIZER_REPORT.search(err)
    assert list(screen.runtime.iterdir()) == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "--help", "http://a b", "http://a\x1b[2J", None, 5])
def test_login_opens_nothing_but_web_addresses(daemon, address, tmp_path):
    daemon.on("admin", "GET", "/v1/connections/crm", connection())
    daemon.on("admin", "POST", "/v1/connections/crm/authorize", {"connect_url": address, "expires_in": 600})
    code, out, err = daemon.run("login", "crm")
    assert (code, out) == (1, "") and "no usable address" in err


class Screen:
    """A display, and in the place of the browser a program that notes what it is to open."""

    def __init__(self, folder):
        self.opened, self.runtime, self.home = folder / "opened", folder / "run", folder / "home"
        self.snaps = folder / "snap" / "bin"
        self.temporary = folder / "tmp"
        for directory in (self.runtime, self.home, self.temporary, self.snaps):
            directory.mkdir(mode=0o700, parents=True)
        opener = folder / "xdg-open"
        note = f"{self.opened}.new"
        opener.write_text(f"""#!/bin/sh
file="${{1#file://}}"
echo noise
{{ echo "$#"; echo "$1"; stat -c %a "$file" "${{file%/*}}"; cat "$file"; }} >{note} && mv {note} {self.opened}
""")
        opener.chmod(0o755)
        self.variables = {"DISPLAY": ":9", "PATH": f"{folder}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(self.runtime),
                          "HOME": str(self.home), "TMPDIR": str(self.temporary)}

    def note(self):
        """(address, modes of file and directory, page)"""
        count, address, mode, directory_mode, page = self.opened.read_text().split("\n", 4)
        assert count == "1"
        return address, (mode, directory_mode), page

    def left_behind(self):
        return [path for place in (self.runtime, self.home, self.temporary) for path in place.iterdir()]


@pytest.fixture
def screen(tmp_path):
    return Screen(tmp_path)


# Where it is, by what the environment says. A snap can read neither hidden files nor the other two places.
@pytest.mark.parametrize("changes, place", [
    ({}, "runtime"), ({"XDG_RUNTIME_DIR": ""}, "temporary"), ({"XDG_RUNTIME_DIR": "run"}, "temporary"),
    ({"XDG_RUNTIME_DIR": "/no/such"}, "temporary"), ({"PATH": "{snaps}:{path}"}, "home"),
    ({"PATH": "{snaps}:{path}", "HOME": "/no/such"}, "runtime")],
    ids=["runtime", "no runtime", "relative", "missing", "snaps", "snaps without a home"])
def test_login_opens_a_page_that_only_the_user_can_read(daemon, screen, changes, place):
    begin_login(daemon, login_state("pending"), login_state("completed"))
    filled = {name: value.format(snaps=screen.snaps, path=screen.variables["PATH"]) for name, value in changes.items()}
    code, out, err = daemon.run("login", "crm", env={**screen.variables, **filled})
    address, modes, page = screen.note()
    assert code == 0 and out.startswith(CONNECT["connect_url"] + "\n") and "noise" not in out + err
    assert address.startswith(f"file://{getattr(screen, place)}/iclientctl-login-") and modes == ("600", "700")
    assert f'content="0; url={CONNECT["connect_url"]}"' in page and '<meta name="referrer" content="no-referrer">' in page
    assert screen.left_behind() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")
@pytest.mark.parametrize("mode, owner", [(0o777, 0), (0o700, 4242)], ids=["open to others", "another user's"])
def test_login_puts_its_page_where_nobody_can_exchange_it(daemon, screen, mode, owner):
    screen.runtime.chmod(mode)
    os.chown(screen.runtime, owner, owner)
    begin_login(daemon, login_state("pending"), login_state("completed"))
    assert daemon.run("login", "crm", env=screen.variables)[0] == 0
    assert screen.note()[0].startswith(f"file://{screen.temporary}/")


def test_login_removes_its_page_once_the_browser_has_opened_the_address(daemon, screen):
    """Long before the login ends."""
    begin_login(daemon, *[login_state("pending")] * 2, login_state("started"))
    process = daemon.start("login", "crm", stdin=subprocess.PIPE, env=screen.variables)
    wait_until(screen.opened.exists, what="the browser")
    wait_until(lambda: screen.left_behind() == [], what="the page to be removed")
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)


def test_login_leaves_no_page_when_its_reader_goes_away(daemon, screen):
    """As in `iclientctl login crm | head -n 0`."""
    begin_login(daemon, login_state("pending"))
    reader, writer = os.pipe()
    os.close(reader)
    process = daemon.start("login", "crm", stdin=subprocess.DEVNULL, stdout=writer, env=screen.variables)
    os.close(writer)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGPIPE and screen.left_behind() == []


@pytest.mark.parametrize("arguments, hint", [
    (["tokne", "crm"], "did you mean token?"), (["token", "crm", "--min-tll", "5"], "did you mean --min-ttl?"),
    (["token"], "usage"), (["token", "a", "b"], "usage"), ([], "--help"), (["token", "crm", "--min-ttl", "x"], "seconds"),
    (["run", "crm", "true"], "usage"), (["list", "--wait", "3"], "no --wait"), (["token", "crm", "--wait"], "value")])
def test_usage_faults_are_exit_2_with_a_hint(daemon, arguments, hint):
    code, out, err = daemon.run(*arguments)
    assert (code, out) == (2, "") and hint in err and daemon.requests("token") == []


# rekey

def key_state(**changes):
    return {"state": "settled", "key_id": "00112233aabbccdd", "old_key_ids": [], "values_left": 0,
            "key_file": "/var/lib/iclientd/key", "credential": False, "last_error": None, **changes}


def test_rekey_waits_and_tells_how_many_values_are_left(daemon):
    going_on = {"state": "resealing", "old_key_ids": ["ffeeddccbbaa9988"]}
    daemon.on("admin", "POST", "/v1/rekey", (202, key_state(**going_on, values_left=None)))
    daemon.on("admin", "GET", "/v1/rekey", *[key_state(**going_on, values_left=700)] * 4, key_state())
    code, out, err = daemon.run("rekey")
    assert (code, out) == (0, "")
    assert err.splitlines() == ["iclientctl: 700 values left",
                                "iclientctl: every value is sealed with the key 00112233aabbccdd, and the old key is gone"]
    assert [method for method, _, _ in daemon.requests("admin")] == ["POST"] + ["GET"] * 5


def test_rekey_json_is_the_daemons_last_document(daemon):
    daemon.on("admin", "POST", "/v1/rekey", (202, key_state(state="resealing")))
    daemon.on("admin", "GET", "/v1/rekey", key_state())
    code, out, _ = daemon.run("rekey", "--json")
    assert code == 0 and json.loads(out) == key_state() and out.count("\n") == 1


def test_rekey_no_wait_asks_once(daemon):
    daemon.on("admin", "POST", "/v1/rekey", (202, key_state(state="resealing")))
    code, out, err = daemon.run("rekey", "--no-wait")
    assert (code, out) == (0, "") and "rekey --status" in err
    assert len(daemon.requests("admin")) == 1


def test_rekey_status_shows_each_key_and_the_trouble(daemon):
    daemon.on("admin", "GET", "/v1/rekey", key_state(state="resealing", old_key_ids=["ffeeddccbbaa9988", "0123456789abcdef"],
                                                     values_left=12, last_error={"message": "disk \x1b[2Jfull"}))
    code, out, err = daemon.run("rekey", "--status")
    assert code == 0 and err == ""
    for part in ("00112233aabbccdd", "ffeeddccbbaa9988", "0123456789abcdef", "12", "disk \\x1b[2Jfull"):
        assert part in out, out
    assert "\x1b" not in out


@pytest.mark.parametrize(("is_credential", "expected", "other"), [
    (True, "systemd-creds encrypt --name=iclientd.key", "a directory of its own"),
    (False, "a directory of its own", "systemd-creds")])
def test_rekey_of_a_key_that_the_daemon_cannot_write_says_what_to_do(daemon, is_credential, expected, other):
    daemon.on("admin", "POST", "/v1/rekey", (422, error("read_only")))
    daemon.on("admin", "GET", "/v1/rekey", key_state(credential=is_credential))
    code, out, err = daemon.run("rekey")
    assert (code, out) == (1, "") and "the reason" in err and expected in err and other not in err


def test_rekey_that_leaves_the_old_key_to_the_operator_says_how_to_take_it_out(daemon):
    daemon.on("admin", "POST", "/v1/rekey", (202, key_state(state="old_key_unused", credential=True)))
    code, out, err = daemon.run("rekey")
    assert (code, out) == (0, "") and "head -n 1" in err and "00112233aabbccdd" in err


@pytest.mark.parametrize("reply", [{}, [], {"state": 5}, "5"])
def test_rekey_takes_no_other_document_for_a_state(daemon, reply):
    daemon.on("admin", "POST", "/v1/rekey", (202, reply))
    code, out, err = daemon.run("rekey")
    assert (code, out) == (1, "") and "no state of a key" in err


def test_rekey_not_allowed(daemon):
    daemon.on("admin", "POST", "/v1/rekey", (403, error("not_allowed")))
    assert daemon.run("rekey")[0] == 4
