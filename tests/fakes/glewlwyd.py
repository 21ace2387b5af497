"""A real OAuth 2.0 and OpenID Connect server: Debian's glewlwyd 2.7 in a folder of its own, set up by its HTTP API.

    with Glewlwyd() as server:
        client = server.add_client(redirect_uris=["http://127.0.0.1:8085/callback"])
        server.token_uri, server.authorize_uri, server.revoke_uri

Plain HTTP on loopback. Runnable as well: PYTHONPATH=tests python3 -m fakes.glewlwyd
"""

import gzip
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from urllib.parse import quote

from fakes.support import LOOPBACK, CurlUser, call, die_with_parent, free_port, wait_until

BINARY = "/usr/bin/glewlwyd"
SCHEMA = "/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"
WEBAPP = "/usr/share/glewlwyd/webapp"
WEBAPP_CONFIGURATION = "/usr/share/glewlwyd/templates/config.json"
ADMIN = ("admin", "password")
SCOPES = ("openid", "mail", "files")
START_TIMEOUT = 20

MIME_TYPES = {".html": "text/html", ".css": "text/css", ".js": "application/javascript", ".json": "application/json",
              ".png": "image/png", ".ico": "image/x-icon", ".ttf": "font/ttf", ".woff": "font/woff", ".woff2": "font/woff2"}

CONFIGURATION = """
port={port}
bind_address="127.0.0.1"
external_url="{base}"
login_url="login.html"
api_prefix="api"
static_files_path="{webapp}"
log_mode="file"
log_level="WARNING"
log_file="{log}"
cookie_domain=""
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
user_middleware_module_path="/usr/lib/glewlwyd/user_middleware"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm="SHA512"
database = {{ type = "sqlite3" path = "{database}" }};
static_files_mime_types = ( {mime_types} )
"""


class GlewlwydError(RuntimeError):
    """It did not start, or refused what it was told; the message carries the end of its log."""


class Client:
    """A registered client; secret None: a public one."""

    def __init__(self, client_id, secret, location):
        self.id = client_id
        self.secret = secret
        self.location = location  # of the secret: "basic" or "body"

    def authenticate(self, form):
        """Arguments of call() for a request with form in this client's name."""
        if self.location == "basic" and self.secret:
            return {"form": form, "basic": (self.id, self.secret)}
        return {"form": {**form, "client_id": self.id, **({"client_secret": self.secret} if self.secret else {})}}


class Glewlwyd:
    """Starts in __enter__, stops in __exit__; ends with the process that started it in any case."""

    def __init__(self, lifetimes=None):
        # Plugin instance name -> access token lifetime in seconds. The first is the default one.
        self.lifetimes = lifetimes or {"oidc": 3600, "short": 4}
        self.default_plugin = next(iter(self.lifetimes))
        self.user = ("anna", secrets.token_urlsafe(18))
        self.port = free_port()
        self.base = f"http://{LOOPBACK}:{self.port}"
        self.folder = None
        self.process = None
        self._admin = CurlUser()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        for needed in (BINARY, SCHEMA, WEBAPP, WEBAPP_CONFIGURATION):
            if not os.path.exists(needed):
                raise GlewlwydError(f"{needed} is missing. On Debian: apt-get install glewlwyd")
        self.folder = tempfile.mkdtemp(prefix="glewlwyd-")
        try:
            self._prepare_folder()
            self._launch()
            self._set_up()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    # Addresses

    def plugin_uri(self, endpoint, plugin=None):
        return f"{self.base}/api/{plugin or self.default_plugin}/{endpoint}"

    @property
    def token_uri(self):
        return self.plugin_uri("token")

    @property
    def authorize_uri(self):
        return self.plugin_uri("auth")

    @property
    def revoke_uri(self):
        return self.plugin_uri("revoke")

    # Registration

    def add_client(self, redirect_uris=("http://127.0.0.1/callback",), public=False, location="basic", name=None):
        """A new client; location: how it authenticates, "basic" or "body"."""
        client = Client(name or "client-" + secrets.token_hex(6), None if public else secrets.token_urlsafe(24),
                        location)
        methods = ["none"] if public else ["client_secret_basic" if location == "basic" else "client_secret_post"]
        document = {
            "client_id": client.id, "name": client.id, "enabled": True, "confidential": not public,
            "scope": [scope for scope in SCOPES if scope != "openid"],
            "redirect_uri": list(redirect_uris), "token_endpoint_auth_method": methods,
            "authorization_type": ["code", "token", "password", "refresh_token"]
                                  + ([] if public else ["client_credentials"]),
        }
        if client.secret:
            document["client_secret"] = client.secret
        self._administer("POST", "client/", document)
        return client

    def log_tail(self, lines=20):
        try:
            with open(os.path.join(self.folder, "glewlwyd.log"), encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return "(no log)"

    # What a person does, without a browser

    def log_in(self, person, client_id, scope="mail files"):
        """Gives person (a CurlUser) a session in which the scopes are granted to the client."""
        reply = person.request("POST", f"{self.base}/api/auth/",
                               json_body={"username": self.user[0], "password": self.user[1]})
        if reply.status != 200:
            raise GlewlwydError(f"login refused: {reply}")
        reply = person.request("PUT", f"{self.base}/api/auth/grant/{quote(client_id)}/", json_body={"scope": scope})
        if reply.status != 200:
            raise GlewlwydError(f"consent refused: {reply}")

    def authorize(self, person, authorization_url, redirect_uri):
        """Logged in person opens the authorization URL: the callback URL with code and state, not yet opened."""
        return person.follow(authorization_url + "&g_continue", until=redirect_uri)

    def introspect(self, token, client, plugin=None):
        """RFC 7662, asked by the client the token was made for."""
        return call("POST", self.plugin_uri("introspect", plugin), **client.authenticate({"token": token})).json()

    # Start-up

    def _prepare_folder(self):
        with gzip.open(SCHEMA, "rt") as schema:
            database = sqlite3.connect(self._path("glewlwyd.db"))
            database.executescript(schema.read())
            database.close()
        # Debian's folder is made of links to other folders, which glewlwyd refuses to follow.
        shutil.copytree(WEBAPP, self._path("webapp"), ignore=shutil.ignore_patterns("config.json", "*.map", "admin.js"))
        shutil.copy(WEBAPP_CONFIGURATION, self._path("webapp/config.json"))
        mime_types = ", ".join(f'{{ extension = "{extension}" mime_type = "{kind}" compress = 0 }}'
                               for extension, kind in MIME_TYPES.items())
        with open(self._path("glewlwyd.conf"), "w", encoding="utf-8") as configuration:
            configuration.write(CONFIGURATION.format(
                port=self.port, base=self.base, webapp=self._path("webapp"), mime_types=mime_types,
                log=self._path("glewlwyd.log"), database=self._path("glewlwyd.db")))

    def _launch(self):
        with open(self._path("output"), "wb") as output:
            self.process = subprocess.Popen([BINARY, "-c", self._path("glewlwyd.conf")], stdout=output, stderr=output,
                                            stdin=subprocess.DEVNULL, cwd=self.folder, preexec_fn=die_with_parent)
        try:
            wait_until(self._answers, START_TIMEOUT, "glewlwyd to answer")
        except AssertionError as late:
            raise GlewlwydError(f"{late}\n{self.log_tail()}") from None

    def _answers(self):
        if self.process.poll() is not None:
            with open(self._path("output"), encoding="utf-8", errors="replace") as output:
                said = output.read()[-2000:] + self.log_tail()
            raise GlewlwydError(f"glewlwyd ended with {self.process.returncode}\n{said}")
        try:
            return call("GET", self.base + "/config", timeout=2).status == 200
        except OSError:
            return False

    def _set_up(self):
        self._administer("POST", "auth/", {"username": ADMIN[0], "password": ADMIN[1]})
        for scope in SCOPES:
            if scope != "openid":
                self._administer("POST", "scope/", {"name": scope, "display_name": scope, "description": f"Your {scope}",
                                                    "password_required": True, "password_max_age": 0, "scheme": {}})
        self._administer("POST", "user/", {
            "username": self.user[0], "password": self.user[1], "name": "Anna Example", "email": "anna@example.com",
            "enabled": True, "scope": ["g_profile", *SCOPES]})
        for name, lifetime in self.lifetimes.items():
            self._administer("POST", "mod/plugin/", {
                "module": "oidc", "name": name, "display_name": name, "order_rank": 0, "readonly": False,
                "parameters": self._plugin_parameters(name, lifetime)})

    def _plugin_parameters(self, name, lifetime):
        return {
            "iss": f"{self.base}/api/{name}", "jwt-type": "sha", "jwt-key-size": "256", "key": secrets.token_hex(32),
            "access-token-duration": lifetime, "refresh-token-duration": 1209600, "code-duration": 600,
            "refresh-token-rolling": True, "refresh-token-one-use": "always", "allow-non-oidc": True,
            "oauth-as-iss-id": True,
            "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True, "auth-type-token-enabled": True,
            "auth-type-id-token-enabled": True, "auth-type-password-enabled": True, "auth-type-client-enabled": True,
            "auth-type-refresh-enabled": True,
            "pkce-allowed": True, "pkce-method-plain-allowed": True,
            "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
            "allowed-scope": ["openid"], "subject-type": "public",
        }

    def _administer(self, method, path, document):
        reply = self._admin.request(method, f"{self.base}/api/{path}", json_body=document)
        if reply.status != 200:
            raise GlewlwydError(f"{method} {path}: {reply}\n{self.log_tail()}")
        return reply

    def _path(self, name):
        return os.path.join(self.folder, name)


def main():
    with Glewlwyd() as server:
        client = server.add_client()
        print(f"{server.base} user {server.user[0]} password {server.user[1]} client {client.id} secret {client.secret}",
              flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
