"""
The diagram of what follows from what in docs/ARCHITECTURE.md is that of the tables in src/broker/coordinator.h.
  check_coordinator.py SOURCE_DIR [BUILD_DIR]   fails on a difference
  check_coordinator.py --write SOURCE_DIR       writes the diagram
"""

import re
import sys
from pathlib import Path

from source_tree import main

HEADER, DOCUMENT = "src/broker/coordinator.h", "docs/ARCHITECTURE.md"
BEGIN, END = "<!-- from src/broker/coordinator.h -->\n", "<!-- end -->"
STATES = {"NOTHING": "nothing runs", "EXCHANGE": "an exchange runs", "REVOCATION": "a revocation runs"}
ENDS = {"EXCHANGE_ENDED": "EXCHANGE", "EXCHANGE_OUTDATED": "EXCHANGE", "REVOCATION_ENDED": "REVOCATION"}


def rows(text, macro):
    """Each X(a, b, …) of a table macro, its strings without quotes."""
    body = re.search(rf"#define {macro}\(X\)(.*?[^\\])\n(?!\s*X\()", text, re.DOTALL)
    found = re.findall(r"\bX\(((?:[^()\"]|\"[^\"]*\")*)\)", body.group(1).replace("\\\n", " ")) if body else []
    return [[word.strip().strip('"') for word in re.findall(r'"[^"]*"|[^,\s][^,"]*', row)] for row in found]


def words(symbol):
    return symbol.lower().replace("_", " ")


def diagram(text):
    actions, events = rows(text, "COORDINATOR_ACTION_TABLE"), rows(text, "COORDINATOR_TABLE")
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {state}: {label}" for state, label in STATES.items()]
    lines += ["    [*] --> NOTHING"]
    for state in STATES:
        if begins := ", ".join(words(symbol) for symbol, begun, _ in actions if begun == state != "NOTHING"):
            lines.append(f"    NOTHING --> {state}: {begins}")
    lines += [f"    {ENDS[symbol]} --> NOTHING: {what}" for symbol, what, *_ in events if symbol in ENDS]
    lines += ["```", "", "| when | follows, in this order |", "|---|---|"]
    lines += [f"| {what} | {', '.join(words(action) for action in follows)} |" for _, what, *follows in events]
    lines += ["", "| action | what it does |", "|---|---|"]
    lines += [f"| {words(symbol)} | {what} |" for symbol, _, what in actions]
    return "\n".join(lines) + "\n"


def parts(document):
    before, begin, rest = document.partition(BEGIN)
    inside, end, after = rest.partition(END)
    return (before + begin, inside, end + after) if begin and end else None


def check(source, build):
    del build
    found = parts((source / DOCUMENT).read_text())
    if not found:
        return [f"{DOCUMENT}: has no place for the diagram of {HEADER}"]
    if found[1] != diagram((source / HEADER).read_text()):
        return [f"{DOCUMENT}: the diagram is not that of {HEADER}; run tests/checks/check_coordinator.py --write ."]
    return []


SMALL = '#define COORDINATOR_ACTION_TABLE(X) \\\n    X(GO, EXCHANGE, "it, (well) goes") \\\n    X(REST, NOTHING, "rests")\n\n' \
        '#define COORDINATOR_TABLE(X) \\\n    X(EXCHANGE_ENDED, "it ended", \\\n      GO, REST)\n\nint x;\n'
GOOD_TREE = {HEADER: SMALL, DOCUMENT: f"# A\n\n{BEGIN}{diagram(SMALL)}{END}\n"}
BROKEN = [
    ("another action", {HEADER: SMALL.replace("GO, REST)", "REST)")}, "the diagram is not"),
    ("another event", {HEADER: SMALL.replace("it ended", "it was over")}, "the diagram is not"),
    ("no place", {DOCUMENT: "# A\n"}, "has no place"),
]

if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        root = Path(sys.argv[2])
        head, _, tail = parts((root / DOCUMENT).read_text())
        (root / DOCUMENT).write_text(head + diagram((root / HEADER).read_text()) + tail)
    else:
        main(check, GOOD_TREE, BROKEN)
