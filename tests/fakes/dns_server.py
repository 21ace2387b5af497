"""A name server that changes its mind: each name has a row of answers, one for each question, the last one for ever."""

import ipaddress
import socket
import struct
import threading

A, AAAA = 1, 28
NO_SUCH_NAME = 3


class DnsServer:
    """Serves between __enter__ and __exit__ on UDP port 53 of an address (root, or a network of one's own)."""

    def __init__(self, address):
        self.questions = []     # (name, type) as they came
        self._answers = {}      # (name, type) -> rows of addresses; None: never answered
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._socket.settimeout(0.05)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def say(self, name, *rows):
        """From now on: the addresses of each row to one question for each type; None instead of a row: silence."""
        with self._lock:
            for kind, version in ((A, 4), (AAAA, 6)):
                self._answers[name, kind] = [row and [address for address in row
                                                      if ipaddress.ip_address(address).version == version] for row in rows]

    def count(self, name):
        """The most questions of one type for name."""
        with self._lock:
            return max(self.questions.count((name, kind)) for kind in (A, AAAA))

    def _serve(self):
        while not self._stopping.is_set():
            try:
                question, client = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self._answer(question)
            if answer:
                self._socket.sendto(answer, client)

    def _answer(self, question):
        """RFC 1035 §4.1: header, question, answers that point at the question's name."""
        name, end = _read_name(question, 12)
        kind = struct.unpack_from("!H", question, end)[0]
        with self._lock:
            self.questions.append((name, kind))
            rows = self._answers.get((name, kind), [])
            row = rows.pop(0) if len(rows) > 1 else rows[0] if rows else []
            is_known = (name, kind) in self._answers
        if row is None:
            return None
        records = b"".join(_record(kind, address) for address in row)
        flags = 0x8580 | (0 if is_known else NO_SUCH_NAME)
        return question[:2] + struct.pack("!HHHHH", flags, 1, len(row), 0, 0) + question[12:end + 4] + records


def _record(kind, address):
    data = ipaddress.ip_address(address).packed
    return struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data  # to be kept for 0 s


def _read_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1
