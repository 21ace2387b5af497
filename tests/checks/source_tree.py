"""What the checks share: reading the C sources, and proving on a broken copy that a check can fail."""

import re
import sys
import tempfile
from pathlib import Path

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files_below(root, *folders, suffixes=(".c", ".h")):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and "__pycache__" not in path.parts:
                yield path


def without_comments(text, keep_strings=True):
    """The code alone, with every line where it was; strings come out empty unless they are kept."""
    def blank(match):
        found = match.group()
        if found[0] != "/":
            return found if keep_strings else found[0] * 2
        return " " + "\n" * found.count("\n")
    return COMMENT_OR_TEXT.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def self_test(check, good_tree, broken):
    """
    good_tree: {path: text}. broken: rows of (what is changed, {path: text or None}, words that a fault must have).
    The check must find nothing in the one and the fault in each of the others.
    """
    complaints = []
    for name, changes, words in [("good tree", {}, None), *broken]:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**good_tree, **changes}.items():
                if text is not None:
                    file = Path(folder, path)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text)
            faults = check(Path(folder), None)
        if words is None and faults:
            complaints.append(f"self-test: {name}: found what is not there: {faults}")
        if words is not None and not any(words in fault for fault in faults):
            complaints.append(f"self-test: {name}: not found; only {faults}")
    return complaints


def main(check, good_tree, broken):
    """SOURCE_DIR [BUILD_DIR], or --self-test alone. A check that cannot fail proves nothing, so the self-test always runs."""
    faults = self_test(check, good_tree, broken)
    if sys.argv[1:] != ["--self-test"]:
        source = Path(sys.argv[1]).resolve()
        build = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
        faults += check(source, build)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    sys.exit(1 if faults else 0)
