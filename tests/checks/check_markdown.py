"""
Wraps the documents at 120 columns: paragraphs and list items are filled, everything else stays as it is.
  check_markdown.py SOURCE_DIR [BUILD_DIR]   fails on a document that wrapping would change
  check_markdown.py --wrap SOURCE_DIR        wraps them
A table, a code block, a heading or a link that has no place to break may be longer.
"""

import re
import sys
from pathlib import Path

from source_tree import main

WIDTH = 120
FENCE = re.compile(r"^\s*(```|~~~)")
ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])\s+")
VERBATIM = re.compile(r"^(\s*\||#|>|<!--|\s*$)")
# A code span or a link stays on one line.
WORDS = re.compile(r"(?:`[^`\n]+`|\[[^\]\n]*\]\([^)\n]*\)|[^\s`\[]|[`\[](?=\s|$)|[`\[])+")
LONGEST_SPAN = 60
# At the beginning of a line these would be read as something else.
LINE_START = re.compile(r"^([-*+]$|\d+[.)]$|#|>|\|)")


def split_words(text):
    words = []
    for word in WORDS.findall(text):
        words += [word] if len(word) <= LONGEST_SPAN else word.split()
    return words


def fill(text, first, rest):
    """The words of text in lines of at most WIDTH; first and rest: what the first and the other lines begin with."""
    lines, line = [], first
    for word in split_words(text):
        empty = line in (first, rest) and line.strip() == (first.strip() if line is first else "")
        if not empty and len(line) + 1 + len(word) > WIDTH and not LINE_START.match(word):
            lines.append(line)
            line = rest + word
        else:
            line += word if empty else " " + word
    return [*lines, line]


def wrap(text):
    lines, block, out = text.split("\n"), [], []
    first = rest = ""
    fence = None

    def flush():
        nonlocal block
        if block:
            out.extend(fill(" ".join(block), first, rest))
        block = []

    for line in lines:
        match = FENCE.match(line)
        if fence or match:
            flush()
            out.append(line)
            fence = None if fence and match and match.group(1) == fence else fence or match.group(1)
            continue
        item = ITEM.match(line)
        if VERBATIM.match(line) or (not block and line.startswith("    ") and not item):
            flush()
            out.append(line)
        elif item:
            flush()
            first, rest = item.group(0), " " * len(item.group(0))
            block = [line[item.end():].strip()]
        elif block:
            block.append(line.strip())
        else:
            first = rest = line[: len(line) - len(line.lstrip())]
            block = [line.strip()]
    flush()
    return "\n".join(out)


def documents(source):
    return sorted(path for path in [*source.glob("*.md"), *source.glob("docs/**/*.md")])


def check(source, build):
    del build
    return [f"{path.relative_to(source)}: is not wrapped at {WIDTH}; run tests/checks/check_markdown.py --wrap ."
            for path in documents(source) if wrap(path.read_text()) != path.read_text()]


LONG = "word " * 30
GOOD_TREE = {
    "README.md": "# A heading that is longer than the limit " + LONG + "\n\nA paragraph.\n\n- an item\n  of two lines".replace(
        "\n  of two lines", " of one line") + "\n\n| a | table " + LONG + "|\n\n```\ncode " + LONG + "\n```\n",
    "docs/A.md": "1. First `a code span`\n2. second\n",
}
BROKEN = [
    ("a long paragraph", {"README.md": LONG + "\n"}, "README.md"),
    ("a long item", {"docs/A.md": "- " + LONG + "\n"}, "docs/A.md"),
    ("a paragraph that is wrapped too early", {"docs/A.md": "one\ntwo\n"}, "docs/A.md"),
]

if __name__ == "__main__":
    if sys.argv[1:2] == ["--wrap"]:
        for document in documents(Path(sys.argv[2])):
            document.write_text(wrap(document.read_text()))
    else:
        main(check, GOOD_TREE, BROKEN)
