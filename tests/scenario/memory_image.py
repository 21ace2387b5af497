"""What lies in a process's memory: for secrets that must not be there any more."""

import base64
from urllib.parse import quote

FRAGMENT = 16   # libc writes into the first bytes of a freed block; what follows them would still be a secret
CHUNK = 16 << 20


def _base64_forms(secret):
    """The bytes within anybody's base64 of a longer text that contains secret: it may begin at any of three places."""
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + secret)
        whole = text[(0, 2, 3)[lead]:len(secret + bytes(lead)) * 4 // 3]
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")


def _forms(secret):
    """bytes -> name: a secret as the wire has it, and its ends."""
    raw = secret.encode()
    encoded = quote(secret, safe="").encode()
    forms = {"plain": raw, "URL-encoded": encoded, "URL-encoded in lower case": encoded.replace(b"%2F", b"%2f")}
    for number, form in enumerate(_base64_forms(raw)):
        forms[f"base64 {number}"] = form
    for name, form in list(forms.items()):
        if len(form) >= 2 * FRAGMENT:
            forms[name + ", its begin"] = form[:FRAGMENT]
            forms[name + ", its end"] = form[-FRAGMENT:]
    return {form: name for name, form in reversed(forms.items())}  # each once, by its first name


def mappings(pid):
    """(start, end, name) of what can be read."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as file:
        for line in file:
            fields = line.split(maxsplit=5)
            start, end = (int(number, 16) for number in fields[0].split("-"))
            name = fields[5].strip() if len(fields) > 5 else "anonymous"
            if "r" in fields[1] and name not in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                yield start, end, name


def contents(pid):
    """(start, name, bytes) of each mapping, in pieces that overlap."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for start, end, name in mappings(pid):
            for begin in range(start, end, CHUNK):
                file.seek(begin)
                try:
                    yield begin, name, file.read(min(end - begin, CHUNK + 4096))
                except OSError:  # unmapped meanwhile, or a device's
                    continue


def find(pid, secrets, context=0):
    """Where secrets {what: text} lie: a list of "what (form) at address in mapping"."""
    wanted = [(what, form, pattern) for what, text in secrets.items() for pattern, form in _forms(text).items()]
    found = []
    for start, name, content in contents(pid):
        for what, form, pattern in wanted:
            at = content.find(pattern)
            while at >= 0:
                around = f" {content[max(0, at - context):at + len(pattern) + context]!r}" if context else ""
                found.append(f"{what} ({form}) at {start + at:#x} in {name}{around}")
                at = content.find(pattern, at + 1)
    return found
