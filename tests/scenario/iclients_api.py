"""The iClient API as its own OpenAPI document has it: every reply is held against that document's schemas."""

import json
from pathlib import Path

import jsonschema
from documents import secrets_in

OPENAPI = json.loads((Path(__file__).parent / "data" / "iclients-openapi.json").read_text())
# Ours beside the document: what a Unix socket knows instead of a bearer token, and what a local store can refuse.
OURS = {400, 403, 404, 405, 409, 413, 429, 503}
_RESOLVER = jsonschema.RefResolver("", OPENAPI)


def _operation(method, path):
    steps = path.split("?")[0].strip("/").split("/")
    template = "/".join(["", "v1", "iClients", *(["{_id}"] if len(steps) > 2 else []), *steps[3:]])
    return OPENAPI["paths"][template][method.lower()]


def check(method, path, reply):
    """Fails unless the document knows this reply of this operation."""
    responses = _operation(method, path)["responses"]
    known = responses.get(str(reply.status))
    if known is None:
        assert reply.status in OURS, f"{method} {path} answers {reply.status}"
        schema = {"$ref": "#/components/schemas/Error"}
    else:
        if "$ref" in known:
            known = OPENAPI["components"]["responses"][known["$ref"].rsplit("/", 1)[1]]
        if "content" not in known:
            assert reply.body == b""
            return
        schema = known["content"]["application/json"]["schema"]
    assert reply.header("Content-Type") == "application/json"
    jsonschema.Draft202012Validator(schema, resolver=_RESOLVER).validate(reply.json())


class IClients:
    """The API of one daemon."""

    def __init__(self, daemon):
        self.daemon = daemon

    def call(self, method, path="", document=None):
        if isinstance(document, dict):
            self.daemon.known_secrets |= secrets_in(document)
        target = "/v1/iClients" + path
        reply = self.daemon.admin(method, target, document)
        check(method, target, reply)
        return reply

    def create(self, document):
        reply = self.call("POST", "", document)
        assert reply.status == 201, reply
        return reply.json()

    def list(self, tenant=None):
        reply = self.call("GET", "?tenant=" + tenant if tenant else "")
        assert reply.status == 200, reply
        return reply.json()

    def get(self, identity):
        return self.call("GET", "/" + identity)

    def put(self, identity, document):
        return self.call("PUT", "/" + identity, document)

    def patch(self, identity, operations):
        return self.call("PATCH", "/" + identity, operations)

    def delete(self, identity):
        return self.call("DELETE", "/" + identity)

    def dependencies(self, identity):
        return self.call("GET", f"/{identity}/dependencies")


def fields(reply):
    """The pointers that an error reply complains about."""
    return {error.get("field") for error in reply.json()["errors"]}
