"""The demo's authorization servers, and its person: started by conf/demo/run, told what to do line by line on stdin.

    servers.py FOLDER   starts both servers, fills the templates into FOLDER, prints "ready"
    login URL           a person opens the link, logs in, consents; answers with the page's title
    active NAME TOKEN   asks the server that issued TOKEN; answers "true" or "false"
"""

import html
import re
import signal
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parent
ROOT = DEMO.parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fakes.authlib_server import AuthlibServer
from fakes.glewlwyd import Glewlwyd
from fakes.support import LOOPBACK, CurlUser, free_port


class Demo:
    """Both servers and one registered client for each iClient."""

    def __init__(self, glewlwyd, authlib):
        self.glewlwyd = glewlwyd
        self.authlib = authlib
        self.redirect = f"{LOOPBACK}:{free_port()}"
        self.callback = f"http://{self.redirect}/callback/mail"
        self.clients = {
            "mail": glewlwyd.add_client([self.callback], name="demo-mail"),
            "reports": glewlwyd.add_client(name="demo-reports"),
            "legacy": glewlwyd.add_client(location="body", name="demo-legacy"),
            "warehouse": authlib.add_client("ES256"),
        }

    def fill(self, folder):
        values = {"GLEWLWYD": self.glewlwyd.plugin_uri("").rstrip("/"), "AUTHLIB": self.authlib.base,
                  "USER": self.glewlwyd.user[0], "REDIRECT": self.redirect, "PRESETS": str(ROOT / "conf" / "providers")}
        values.update({f"{name.upper()}_ID": client.id for name, client in self.clients.items()})
        for template in [DEMO / "iclientd.json", *(DEMO / "iclients.d").glob("*.json")]:
            text = re.sub("@([A-Z_]+)@", lambda match: values[match[1]], template.read_text())
            target = folder / template.relative_to(DEMO)
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
        for name in ("connections.d", "admin", "secrets"):
            (folder / name).mkdir()
        for name, client in self.clients.items():
            write_secret(folder / "secrets" / name, client.secret)
        write_secret(folder / "secrets" / "password", self.glewlwyd.user[1])
        write_secret(folder / "secrets" / "warehouse.pem", self.clients["warehouse"].private_key)

    def login(self, link):
        person = CurlUser()
        client = self.clients["mail"]
        self.glewlwyd.log_in(person, client.id)
        authorization_url = person.get(link).header("Location")
        page = person.get(self.glewlwyd.authorize(person, authorization_url, self.callback))
        title = re.search("<title>(.*?)</title>", page.text)
        return f"{page.status} {html.unescape(title[1]) if title else 'a page without a title'}"

    def active(self, name, token):
        if name == "warehouse":
            return str(self.authlib.is_active(token)).lower()
        facts = self.glewlwyd.introspect(token, self.clients[name])
        return str(facts["active"]).lower()


def write_secret(path, text):
    path.touch(0o600)
    path.write_text(text)


def main():
    folder = Path(sys.argv[1])
    with Glewlwyd({"api": 3600}) as glewlwyd, AuthlibServer() as authlib:
        demo = Demo(glewlwyd, authlib)
        demo.fill(folder)
        print("ready", glewlwyd.base, authlib.base, flush=True)
        for line in sys.stdin:
            command, *arguments = line.split()
            print({"login": demo.login, "active": demo.active}[command](*arguments), flush=True)
    return 0


if __name__ == "__main__":
    # Ctrl-C goes to the whole terminal: the script decides when the servers end, by closing stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(main())
