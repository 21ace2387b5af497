"""An Authlib server: JWT bearer grant (RFC 7523), JWT client authentication, revocation (RFC 7009), introspection (RFC 7662).

It verifies what it gets: signature with the registered algorithm, audience, expiry, and that a jti is used once.

    with AuthlibServer() as server:
        client = server.add_client("RS256")       # client.id, client.private_key (PEM, or the HMAC secret)

Runnable as well: PYTHONPATH=tests python3 -m fakes.authlib_server
"""

import logging
import os
import secrets
import signal
import sys
import threading
import time

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP: loopback only

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.jose import jwt
from authlib.oauth2.rfc6749 import ClientCredentialsGrant as BaseClientCredentialsGrant
from authlib.oauth2.rfc6749 import ClientMixin, InvalidGrantError, TokenMixin, UnauthorizedClientError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, JWTBearerGrant
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler, make_server

from fakes.support import LOOPBACK

JWT_BEARER = JWTBearerGrant.GRANT_TYPE
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
ASSERTION_AUTH = "client_assertion_jwt"


def make_key(method):
    """A private key that fits a JWS method; None for the HMAC ones."""
    if method.startswith("HS"):
        return None
    if method in CURVES:
        return ec.generate_private_key(CURVES[method]())
    if method == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key, passphrase=None):
    """PKCS#8 PEM, encrypted when there is a passphrase."""
    encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class Client(ClientMixin):
    """A registered client with one key or secret and one algorithm."""

    def __init__(self, method, auth_methods, grants, passphrase):
        key = make_key(method)
        self.id = "client-" + secrets.token_hex(6)
        self.method = method
        self.secret = secrets.token_urlsafe(48)
        self.passphrase = passphrase
        self.private_key = private_pem(key, passphrase) if key else self.secret
        self.verification_key = public_pem(key) if key else self.secret
        self.auth_methods = auth_methods
        self.grants = grants

    def get_client_id(self):
        return self.id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method in self.auth_methods

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type in self.grants


class Token(TokenMixin):
    """An access token that was issued."""

    def __init__(self, document, client_id, subject):
        self.access_token = document["access_token"]
        self.scope = document.get("scope", "")
        self.client_id = client_id
        self.subject = subject
        self.expires_at = int(time.time()) + document["expires_in"]
        self.revoked = False

    def check_client(self, client):
        return self.client_id == client.id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_at - int(time.time())

    def is_expired(self):
        return self.expires_at <= time.time()

    def is_revoked(self):
        return self.revoked


class QuietHandler(WSGIRequestHandler):
    def log(self, *_):
        pass


class AuthlibServer:
    """Serves from a thread of this process between __enter__ and __exit__."""

    def __init__(self, lifetime=3600, port=0):
        self.lifetime = lifetime
        self.clients = {}
        self.tokens = {}
        self.assertions = []       # every assertion received, newest last
        self.requests = []         # (path, form) of every request
        self._used_jti = set()
        self._lock = threading.Lock()
        self._http = make_server(LOOPBACK, port, self._make_application(), threaded=True, request_handler=QuietHandler)
        self.base = f"http://{LOOPBACK}:{self._http.server_port}"
        self._register_endpoints()
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def token_uri(self):
        return self.base + "/token"

    @property
    def revoke_uri(self):
        return self.base + "/revoke"

    @property
    def introspect_uri(self):
        return self.base + "/introspect"

    def add_client(self, method="RS256", auth_methods=("client_secret_basic", ASSERTION_AUTH),
                   grants=(JWT_BEARER, "client_credentials"), passphrase=None):
        client = Client(method, auth_methods, grants, passphrase)
        self.clients[client.id] = client
        return client

    def secrets_issued(self):
        """All that must never be seen in a log."""
        found = set(self.tokens) | set(self.assertions)
        for client in self.clients.values():
            found.add(client.secret)
            found.update(line for line in client.private_key.splitlines() if not line.startswith("-----"))
        return found

    def is_active(self, access_token):
        token = self.tokens.get(access_token)
        return bool(token) and not token.is_expired() and not token.is_revoked()

    def claim_jti(self, subject, jti):
        """True the first time that a subject uses a jti."""
        with self._lock:
            fresh = bool(jti) and (subject, jti) not in self._used_jti
            self._used_jti.add((subject, jti))
            return fresh

    def _make_application(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._application = Flask("authlib_server")
        self._application.config["OAUTH2_TOKEN_EXPIRES_IN"] = {JWT_BEARER: self.lifetime, "client_credentials": self.lifetime}
        return self._application

    def _register_endpoints(self):
        authorization = AuthorizationServer(self._application, self.clients.get, self._save_token)
        authorization.register_client_auth_method(ASSERTION_AUTH, _client_assertion(self))
        authorization.register_grant(_jwt_bearer_grant(self))
        authorization.register_grant(_ClientCredentialsGrant)
        authorization.register_endpoint(_revocation(self))
        authorization.register_endpoint(_introspection(self))

        @self._application.before_request
        def record():
            self.requests.append((request.path, request.form.to_dict()))
            for field in ("assertion", "client_assertion"):
                if request.form.get(field):
                    self.assertions.append(request.form[field])

        self._application.post("/token")(lambda: authorization.create_token_response())
        self._application.post("/revoke", endpoint="revoke")(
            lambda: authorization.create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME))
        self._application.post("/introspect", endpoint="introspect")(
            lambda: authorization.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME))

    def _save_token(self, document, oauth_request):
        self.tokens[document["access_token"]] = Token(document, oauth_request.client.id, oauth_request.user)


class _ClientCredentialsGrant(BaseClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", ASSERTION_AUTH]


def _jwt_bearer_grant(server):
    class Grant(JWTBearerGrant):
        CLAIMS_OPTIONS = {"iss": {"essential": True}, "sub": {"essential": True}, "exp": {"essential": True},
                          "aud": {"essential": True, "value": server.token_uri}}

        def process_assertion_claims(self, assertion):
            try:
                claims = super().process_assertion_claims(assertion)
            except (KeyError, TypeError, ValueError):  # Authlib lets a malformed token through as one of these
                raise InvalidGrantError("Malformed assertion") from None
            if not server.claim_jti(claims["iss"], claims.get("jti")):
                raise InvalidGrantError("The jti is missing or was used before")
            return claims

        def resolve_issuer_client(self, issuer):
            client = server.clients.get(issuer)
            if not client:
                raise InvalidGrantError("Unknown issuer")
            return client

        def resolve_client_key(self, client, headers, payload):
            if headers.get("alg") != client.method:
                raise InvalidGrantError("Not the registered algorithm")
            return client.verification_key

        def authenticate_user(self, subject):
            return subject

        def has_granted_permission(self, client, user):
            return True

    return Grant


def _client_assertion(server):
    class Assertion(JWTBearerClientAssertion):
        def validate_jti(self, claims, jti):
            return server.claim_jti(claims["sub"], jti)

        def resolve_client_public_key(self, client, headers):
            if headers.get("alg") != client.method:
                raise UnauthorizedClientError()
            return client.verification_key

    return Assertion(server.token_uri)


def _revocation(server):
    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", ASSERTION_AUTH]

        def query_token(self, token_string, token_type_hint):
            return server.tokens.get(token_string)

        def revoke_token(self, token, _):
            token.revoked = True

    return Revocation


def _introspection(server):
    class Introspection(IntrospectionEndpoint):
        CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", ASSERTION_AUTH]

        def query_token(self, token_string, token_type_hint):
            return server.tokens.get(token_string)

        def check_permission(self, token, client, _):
            return token.client_id == client.id

        def introspect_token(self, token):
            return {"active": True, "client_id": token.client_id, "scope": token.scope, "sub": token.subject,
                    "exp": token.expires_at, "token_type": "Bearer"}

    return Introspection


def sign(client, server, **changes):
    """An assertion as a good client makes it; changes replace claims, None removes one. For tests of this server."""
    now = int(time.time())
    # Authlib signs nothing that looks like a credit card's number, as one in ten thousand such numbers does alone.
    claims = {"iss": client.id, "sub": client.id, "aud": server.token_uri, "iat": now, "exp": now + 300,
              "jti": "j" + secrets.token_hex(8)}
    method = changes.pop("method", client.method)
    claims.update(changes)
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": method, "typ": "JWT"}, claims, client.private_key).decode()


def main():
    with AuthlibServer() as server:
        print(server.base, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
