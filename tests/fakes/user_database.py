"""A user database as systemd-userdbd is one: Varlink on a socket, which libnss-systemd asks (systemd.io/USER_GROUP_API)."""

import json
import socket
import threading
from pathlib import Path

SERVICE = "io.example.Directory"
NOT_FOUND = "io.systemd.UserDatabase.NoRecordFound"


class UserDatabase:
    """Serves users and groups (name -> id) in folder, which has to be seen as /run/systemd/userdb."""

    def __init__(self, folder):
        self.path = Path(folder) / SERVICE
        self.users = {}
        self.groups = {}
        self.asked = []             # names, in the order in which they were asked for
        self.answers = threading.Event()
        self.answers.set()          # cleared: questions are read and left without an answer
        self._listener = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.answers.set()
        self.stop()

    def start(self):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self.path.chmod(0o666)
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        """As a service that ends: nobody listens, and the socket is gone."""
        if self._listener:
            self.path.unlink()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rwb") as stream:
            for message in iter(lambda: self._read(stream), None):
                self.answers.wait()
                try:
                    stream.write(json.dumps(self._answer(message)).encode() + b"\0")
                    stream.flush()
                except OSError:  # the client did not wait
                    return

    @staticmethod
    def _read(stream):
        text = bytearray()
        while (byte := stream.read(1)) not in (b"", b"\0"):
            text += byte
        return json.loads(text) if text else None

    def _answer(self, message):
        kind = message["method"].rpartition(".")[2]
        asked = message.get("parameters") or {}
        known, name_key, id_key = {"GetUserRecord": (self.users, "userName", "uid"),
                                   "GetGroupRecord": (self.groups, "groupName", "gid")}.get(kind, ({}, "", ""))
        if name_key in asked:
            self.asked.append(asked[name_key])
        for name, number in known.items():
            if asked.get(name_key) == name or asked.get(id_key) == number:
                record = {name_key: name, id_key: number, **({"gid": number} if id_key == "uid" else {}),
                          "service": SERVICE}
                return {"parameters": {"record": record, "incomplete": False}}
        return {"error": NOT_FOUND, "parameters": {}}
