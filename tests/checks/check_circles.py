"""
No circle between the files of a layer: a file that uses another's functions or tables is never used by it in turn, also
not by way of third files. What the headers include is looked at in the same way.
"""

import re

from source_tree import files_below, main, without_comments

LAYERS = ["base", "model", "protocol", "io", "broker", "service", "iclientd", "iclientctl"]
# A definition that other files may use: a function with its body, or a table with its content, at the line's beginning.
FUNCTION = re.compile(r"^(?!static\b|typedef\b|enum \w+ \{)[a-z][\w \t*]*?\b([a-z]\w*)\([^;{}]*\)\s*\{", re.MULTILINE)
TABLE = re.compile(r"^(?!static\b|typedef\b|extern\b)[a-z][\w \t*]*?\b([a-z]\w*)(?:\[[^\]\n]*\])*\s*=", re.MULTILINE)
WORD = re.compile(r"\b[a-z]\w*\b")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def uses(source, layer):
    """{file: {other file of the layer: a name of it that the first uses}}"""
    texts = {str(path.relative_to(source)): without_comments(path.read_text(), keep_strings=False)
             for path in files_below(source, f"src/{layer}", suffixes=(".c",))}
    home = {}
    for file, text in texts.items():
        for name in [*FUNCTION.findall(text), *TABLE.findall(text)]:
            home[name] = file
    return {file: {home[name]: name for name in sorted(set(WORD.findall(text))) if home.get(name, file) != file}
            for file, text in texts.items()}


def includes(source, layer):
    """The same for headers."""
    names = {}
    for folder in ("include", "src"):
        for path in files_below(source, f"{folder}/{layer}", suffixes=(".h",)):
            names[str(path.relative_to(source / folder))] = path
    return {str(path.relative_to(source)): {str(names[target].relative_to(source)): target
                                            for target in INCLUDE.findall(without_comments(path.read_text()))
                                            if target in names}
            for path in names.values()}


def circles(graph):
    """The strongly connected parts of more than one file (Tarjan's algorithm, without recursion)."""
    number, low, stack, on_stack, found = {}, {}, [], set(), []
    for root in sorted(graph):
        work = [(root, iter(sorted(graph[root])))] if root not in number else []
        if work:
            number[root] = low[root] = len(number)
            stack.append(root)
            on_stack.add(root)
        while work:
            file, others = work[-1]
            for other in others:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on_stack:
                    low[file] = min(low[file], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[file])
                if low[file] == number[file]:
                    part = set()
                    while file not in part:
                        part.add(stack.pop())
                    on_stack -= part
                    if len(part) > 1:
                        found.append(part)
    return found


def check(source, build):
    del build
    faults = []
    for layer in LAYERS:
        for graph in (uses(source, layer), includes(source, layer)):
            for part in circles(graph):
                faults.append(f"{layer}: a circle of {len(part)} files: {', '.join(sorted(part))}")
                faults += [f"    {file} -> {other} ({name})" for file in sorted(part)
                           for other, name in sorted(graph[file].items()) if other in part]
    return faults


GOOD_TREE = {
    "include/base/low.h": '#ifndef A\n#include "base/lower.h"\n',
    "include/base/lower.h": '/* #include "base/low.h" */\n',
    "src/base/low.c": "int low_table[] = {1};\nstatic int helper(void)\n{\n    return 0;\n}\n\nint low_get(int x)\n{\n"
                      "    return helper() + x;\n}\n",
    "src/base/high.c": "static int helper(void)\n{\n    return low_table[0];\n}\n\nint high_get(\n    int x)\n{\n"
                       "    return low_get(x) + helper(); /* see low.c */\n}\n",
}
BROKEN = [
    ("two files that call each other",
     {"src/base/low.c": "int low_get(int x)\n{\n    return high_get(x);\n}\n"}, "a circle of 2 files: src/base/high.c, src"),
    ("a circle by a third file",
     {"src/base/low.c": "int low_get(int x)\n{\n    return third(x);\n}\n",
      "src/base/third.c": "void *third(int x)\n{\n    return &high_get;\n}\n"}, "a circle of 3 files"),
    ("a circle by a table",
     {"src/base/low.c": "const struct row low_table[COUNT] = {\n    {high_get},\n};\n"}, "a circle of 2 files"),
    ("a circle in a subfolder",
     {"src/base/room/a.c": "int a_get(void)\n{\n    return b_get();\n}\n",
      "src/base/b.c": "int b_get(void)\n{\n    return a_get();\n}\n"}, "src/base/b.c -> src/base/room/a.c (a_get)"),
    ("headers that include each other", {"include/base/lower.h": '#include "base/low.h"\n'}, "base/low.h"),
]

if __name__ == "__main__":
    main(check, GOOD_TREE, BROKEN)
