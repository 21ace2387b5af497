"""iClient and connection documents for tests."""

import copy


def merged(document, changes):
    """document with changes laid over it, member by member; None removes one."""
    result = copy.deepcopy(document)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def iclient(server, client, grant, name="crm", oauth2=None, **changes):
    """An iClient of a server (anything with token_uri, authorize_uri, revoke_uri) for client, an (id, secret) pair."""
    document = {
        "name": name, "provider": "custom_oauth2",
        "oauth2": {
            "grantType": grant, "clientId": client[0], "clientSecret": client[1],
            "token": {"uri": server.token_uri}, "revoke": {"uri": server.revoke_uri},
        },
    }
    if grant == "authorizecode":
        document["oauth2"]["auth"] = {"uri": server.authorize_uri}
        document["oauth2"]["scope"] = ["mail", "files"]
    return merged(document, {"oauth2": oauth2 or {}, **changes})


def client_credentials(server, name="crm", oauth2=None, **changes):
    return iclient(server, server.client, "clientcredentials", name, oauth2, **changes)


def password(server, name="crm", oauth2=None, **changes):
    own = {"username": server.user[0], "password": server.user[1], **(oauth2 or {})}
    return iclient(server, server.client, "password", name, own, **changes)


def code(server, name="crm", oauth2=None, **changes):
    return iclient(server, server.client, "authorizecode", name, oauth2, **changes)


def jwt_bearer(server, client, name="crm", **changes):
    """For an Authlib client: its key, its method."""
    document = iclient(server, (client.id, client.secret), "jwtbearer", name)
    key = {"secret": client.private_key} if client.method.startswith("HS") else {"privateKey": client.private_key}
    document.update({"enableJWT": True, "jwt": {"signatureMethod": client.method, **key}})
    if client.passphrase:
        document["jwt"]["passphrase"] = client.passphrase
    return merged(document, changes)


SECRET_MEMBERS = {"clientSecret", "password", "privateKey", "secret", "passphrase", "apiToken"}


def secrets_in(document):
    """Every text in a document that must not be seen in a log; a key counts line by line."""
    found = set()
    for name, value in document.items():
        if isinstance(value, dict):
            found |= secrets_in(value)
        elif name in SECRET_MEMBERS and isinstance(value, str):
            found |= {line for line in value.splitlines() if not line.startswith("-----")}
    return found
