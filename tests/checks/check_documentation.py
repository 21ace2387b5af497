"""What docs/ says is what the source says: fields, settings, metrics, states, codes, routes, pages, tests; its examples are good."""

import difflib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from source_tree import files_below, line_of, main, without_comments

API, CONFIGURATION, OPERATIONS, SECURITY = "docs/API.md", "docs/CONFIGURATION.md", "docs/OPERATIONS.md", "docs/SECURITY.md"
STRING = r'"(?:\\.|[^"\\\n])*"'
CODE = re.compile(r"`([^`]+)`")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# `test_file.py`, `test_file.py::test_name`, `::test_name` of the file named before, `unit_layer_file`, `tests/program words`.
TEST = re.compile(r"`(test_\w+\.py)?(?:::(test_\w+))?`|`unit_([a-z]+)_(\w+)`|`(tests/[\w/.]+)[^`]*`")
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
# What a comment may point at: "docs/API.md", "docs/API.md, Errors)" for a heading; and what was written before there were docs.
REFERENCE = re.compile(r"([\w/.-]*[A-Z]{3,}\.md)(?:,\s(?:\s*\*\s)?([^)\n]+)\))?|\b(DESIGN|CONVENTIONS|TRAPS|BINDING)\b")


# ---- the source ----

def read_code(source, path):
    return without_comments((source / path).read_text())


def text_of(argument):
    """The text of adjacent C strings."""
    return "".join(json.loads(string) for string in re.findall(STRING, argument))


def macro_rows(source, path, name):
    """The rows of a table `#define NAME(X) X(…) X(…)`, each a list of arguments as they are written."""
    body = re.search(rf"#define {name}\(X\)((?:[^\n]*\\\n)*[^\n]*)", read_code(source, path))
    rows = re.findall(rf"\bX\(((?:{STRING}|[^()\"])*)\)", body.group(1).replace("\\\n", " ")) if body else []
    return [[part.strip() for part in re.findall(rf"(?:{STRING}|[^,\"])+", row)] for row in rows]


def iclient_fields(source):
    return [(text_of(pointer), kind.lower().replace("_", " "), text_of(fallback))
            for _, pointer, kind, fallback in macro_rows(source, "include/model/iclient/iclient_field.h", "ICLIENT_FIELD_TABLE")]


def field_choices(source):
    """Pointer -> the words that the field takes."""
    pointers = {row[0]: text_of(row[1])
                for row in macro_rows(source, "include/model/iclient/iclient_field.h", "ICLIENT_FIELD_TABLE")}
    code = read_code(source, "src/model/iclient/iclient_field.c")
    named = {name: re.findall(STRING, words) for name, words in re.findall(r"#define (\w+) CHOICES\(([^)]*)\)", code)}
    found = re.findall(r"\[ICLIENT_(\w+)\]\.choices =\s*(?:CHOICES\(([^)]*)\)|(\w+))", code)
    return {pointers[symbol]: [json.loads(word) for word in (re.findall(STRING, words) or named[name])]
            for symbol, words, name in found}


def default_of(value, read):
    if read == "read_mode":
        return f'"{value}"'
    if read == "read_level":
        return f'"{value.removeprefix("LOG_LEVEL_").lower()}"'
    factors = [int(factor) for factor in re.findall(r"\d+", value)]
    return value if not factors else str(factors[0])


def settings(source):
    """(pointer, default where the source has it as a number, bounds of numbers)."""
    code = read_code(source, "src/iclientd/config/config_keys.c")
    body = re.search(r"config_set_default_numbers\(.*?\n\}", read_code(source, "src/iclientd/config/config_defaults.c"), re.DOTALL)
    values = dict(re.findall(r"config->([\w.]+) = ([^;]+);", body.group()))
    rows = []
    for pointer, read, at, least, most in re.findall(r'\{"(/[\w/]+)", (\w+), AT\(([\w.]+)\), (\d+), (\d+)\}', code):
        bounds = f"{least} to {most}" if read in ("read_seconds", "read_count") else None
        rows.append((pointer, default_of(values[at], read) if at in values else None, bounds))
    return rows


def connection_fields(source):
    code = read_code(source, "src/model/connection/connection_json.c")
    return [(name,) for name in re.findall(r'\{"/(\w+)", read_\w+(?:, \w+)*\}', code)]


def metrics(source):
    rows = macro_rows(source, "include/base/metrics.h", "METRIC_TABLE")
    return [(text_of(name) + (f"{{{text_of(labels)}}}" if text_of(labels) else ""), text_of(kind))
            for _, kind, name, labels, _ in rows]


def error_codes(source):
    return [(text_of(code), status, "yes" if retryable == "true" else "no")
            for _, code, status, retryable in macro_rows(source, "src/service/api/api_error.h", "API_ERROR_TABLE")]


def states(source):
    return [(text_of(word),) for _, word in macro_rows(source, "include/broker/entry/token_entry.h", "ENTRY_STATE_TABLE")]


def pages(source):
    return [(text_of(title), status)
            for _, status, title, *_ in macro_rows(source, "src/service/redirect/pages.h", "PAGE_TABLE") if title != '"iclientd"']


def exit_codes(source):
    return [(number,) for number in re.findall(r"EXIT_\w+ = (\d+)", read_code(source, "src/iclientctl/exit_code.h"))]


def routes(source, face):
    found = re.findall(r'\{HTTP_VERB_(\w+), "([^"]+)", NEED_', read_code(source, next((source / "src/service").rglob(f"{face}.c"))))
    return {f"{verb} {pattern.replace('*', 'NAME')}" for verb, pattern in found}


# ---- the documents ----

def section(text, heading):
    """From the heading to the next one of its level or above; None when there is none."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if not found:
        return None
    end = re.compile(rf"^#{{1,{len(found.group(1))}}} ", re.MULTILINE).search(text, found.end())
    return text[found.end():end.start() if end else len(text)]


def plain(cell):
    code = CODE.search(cell)
    return code.group(1) if code else cell.strip()


def table_rows(text, number):
    """The rows of a text's table, heads left out, as cells."""
    tables = re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE)
    rows = tables[number].splitlines()[2:] if number < len(tables) else []
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def fits(expected, cells):
    return len(cells) >= len(expected) and all(
        wanted is None or plain(cell).lower() == wanted.lower() for wanted, cell in zip(expected, cells))


# Document, heading, which of its tables, what the source has, whether the order counts.
TABLES = [
    (CONFIGURATION, "iClient fields", 0, iclient_fields, True),
    (CONFIGURATION, "The daemon's settings", 0, settings, True),
    (CONFIGURATION, "Connections", 0, connection_fields, False),
    (OPERATIONS, "Metrics", 0, metrics, True),
    (OPERATIONS, "States", 0, states, True),
    (OPERATIONS, "Exit codes of iclientctl", 0, exit_codes, True),
    (API, "Errors", 0, error_codes, True),
    (API, "Redirect endpoint", 1, pages, False),
]


def check_table(source, document, heading, number, expected_of, is_ordered):
    text = section((source / document).read_text(), heading)
    if text is None:
        return [f"{document}: there is no heading \"{heading}\""]
    expected = expected_of(source)
    rows = table_rows(text, number)
    if not is_ordered:
        # One row may tell of several.
        rows = [[name, *row[1:]] for row in rows for name in (CODE.findall(row[0]) or [row[0]])]
    faults = [] if expected else [f"{document}: {heading}: the source's table cannot be read"]
    for row in expected:
        if not any(fits(row, cells) for cells in rows):
            faults.append(f"{document}: {heading}: no row for {' | '.join(part or '…' for part in row)}")
    names = [plain(cells[0]) for cells in rows]
    wanted = [row[0] for row in expected]
    faults += [f"{document}: {heading}: {name} is not in the source" for name in names if name not in wanted]
    if is_ordered and not faults and names != wanted:
        place = next(iter(difflib.unified_diff(wanted, names, lineterm="", n=0)), "")
        faults.append(f"{document}: {heading}: the order is not the source's {place}")
    return faults


def check_choices(source):
    rows = table_rows(section((source / CONFIGURATION).read_text(), "iClient fields") or "", 0)
    meanings = {plain(cells[0]): CODE.findall(cells[-1]) for cells in rows}
    return [f"{CONFIGURATION}: {pointer}: the choice {word} is missing"
            for pointer, words in field_choices(source).items() for word in words if word not in meanings.get(pointer, [])]


def check_routes(source):
    text = (source / API).read_text()
    faults = []
    shared = {"GET /healthz", "GET /readyz"}
    for face, heading in (("api_token", "Token socket"), ("api_admin", "Admin socket")):
        there = routes(source, face)
        told = {title for _, title in HEADING.findall(section(text, heading) or "") if "/" in title}
        wanted = there if face == "api_token" else there - shared
        faults += [f"{API}: {heading}: {route} is not told" for route in sorted(wanted - told)]
        faults += [f"{API}: {heading}: {route} does not exist" for route in sorted(told - there)]
    return faults


def slug(heading):
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def check_links(source):
    faults = []
    documents = [source / "README.md", *sorted((source / "docs").glob("*.md"))]
    for document in (path for path in documents if path.exists()):
        for target in LINK.findall(FENCE.sub("", document.read_text())):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            file = (document.parent / path) if path else document
            if not file.exists():
                faults.append(f"{document.relative_to(source)}: {target} leads to no file")
            elif anchor and anchor not in {slug(title) for _, title in HEADING.findall(FENCE.sub("", file.read_text()))}:
                faults.append(f"{document.relative_to(source)}: {target} leads to no heading")
    return faults


def check_tests(source):
    """Each test that SECURITY.md names is there. What it shows has to be read."""
    faults, file = [], ""
    for name, test, layer, unit, program in TEST.findall((source / SECURITY).read_text()):
        file = name or file
        path = source / (program or f"tests/scenario/{file}")
        if layer:
            path = next((source / "tests/unit" / layer).rglob(f"test_{unit}.c"), source / f"tests/unit/{layer}/test_{unit}.c")
        if not path.exists():
            faults.append(f"{SECURITY}: there is no {path.relative_to(source)}")
        elif test and f"def {test}(" not in path.read_text():
            faults.append(f"{SECURITY}: {file} has no {test}")
    return faults


def check_references(source):
    """What comments of the code point at exists."""
    faults = []
    for path in files_below(source, "src", "include", "tests/unit"):
        text = path.read_text()
        for match in REFERENCE.finditer(text):
            name, heading, former = match.groups()
            file = source / (name or former).lstrip("/")
            titles = {title for _, title in HEADING.findall(FENCE.sub("", file.read_text()))} if file.is_file() else set()
            if not file.is_file() or (heading and heading not in titles):
                faults.append(f"{path.relative_to(source)}:{line_of(text, match.start())}: there is no {match.group()}")
    return faults


# ---- examples: ```json iclient, connection, preset, iclientd ----

def write_examples(folder, document):
    """Each into the folder of its kind; the faults of those that are no JSON."""
    faults = []
    for number, (info, text) in enumerate(FENCE.findall(document.read_text())):
        language, _, kind = info.partition(" ")
        if language != "json" or not kind:
            continue
        try:
            parsed = json.loads(text)
        except ValueError as error:
            faults.append(f"{document.name}: example {number}: {error}")
            continue
        name = parsed["provider"] if kind == "preset" else f"{number:03}-{parsed.get('name', kind)}"
        place = folder / {"preset": "providers"}.get(kind, kind) / f"{name}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    return faults


def run_checker(folder, *command):
    # A user's daemon has its sockets and its state below these.
    environment = {**os.environ, **{name: str(folder) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")}}
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=folder, env=environment,
                          timeout=60, check=False)


def check_example_documents(folder, build, name):
    (folder / "empty.json").write_text("{}")
    places = [folder / kind for kind in ("iclient", "connection") if (folder / kind).is_dir()]
    if not places:
        return []
    done = run_checker(folder, build / "iclientctl", "check", "--json", "--config", folder / "empty.json", "--preset-dir",
                       folder / "providers", *places)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return [f"{name}: iclientctl check gave no JSON: {done.stderr}"]
    # The presets themselves are another test's; those that examples need are missed where they have faults.
    return [f"{name}: {Path(fault['file']).stem}: {fault['pointer']}: {fault['message']}" for fault in found
            if Path(fault["file"]).parent in places or not (folder / "installed" / Path(fault["file"]).name).exists()]


def check_example_settings(folder, build, name):
    faults = []
    for file in sorted((folder / "iclientd").glob("*.json")):
        done = run_checker(folder, build / "iclientd", "--check", "--config", file)
        if done.returncode:
            faults.append(f"{name}: {file.stem}: {done.stderr.strip()}")
    return faults


def check_examples(source, build):
    faults = []
    for document in sorted((source / "docs").glob("*.md")):
        with tempfile.TemporaryDirectory() as created:
            folder = Path(created).resolve()
            shutil.copytree(source / "conf/providers", folder / "providers")
            shutil.copytree(source / "conf/providers", folder / "installed")
            faults += write_examples(folder, document)
            faults += check_example_documents(folder, build, document.name)
            faults += check_example_settings(folder, build, document.name)
    return faults


def check(source, build):
    faults = [fault for table in TABLES for fault in check_table(source, *table)]
    faults += check_choices(source) + check_routes(source) + check_links(source) + check_tests(source)
    faults += check_references(source)
    return faults + (check_examples(source, build) if build else [])


# ---- the self-test ----

def table(heading, *rows):
    return "\n".join([f"## {heading}", "", "| a | b |", "|---|---|", *(f"| {row} |" for row in rows), "", ""])


FIELD_ROWS = ["`/name` | text | | the name", "`/oauth2/type` | choice | `\"a\"` | `a`, `b`"]
SETTING_ROWS = ["`/wait` | `30` | 1 to 600 | seconds", "`/path` | somewhere | | a path"]
METRIC_ROWS = ['`m_total{x="1"}` | counter | some', "`n` | gauge | others"]
ERROR_ROWS = ["`busy` | 429 | yes | much"]


def configuration(fields=FIELD_ROWS, setting_rows=SETTING_ROWS, connections=("`name`, `scope` | x",)):
    return table("The daemon's settings", *setting_rows) + table("iClient fields", *fields) + table("Connections", *connections)


def operations(metric_rows=METRIC_ROWS, state_rows=("`ready` | x",), exits=("0 | done",)):
    return table("States", *state_rows) + table("Metrics", *metric_rows) + table("Exit codes of iclientctl", *exits)


def api(errors=ERROR_ROWS, headings=("GET /v1/x/NAME",), page="Good | 200"):
    titles = "".join(f"### {title}\n\n" for title in headings)
    return (f"## Token socket\n\n{titles}## Admin socket\n\n### POST /v1/y\n\n" + table("Errors", *errors)
            + table("Redirect endpoint", "x | y") + f"| a | b |\n|---|---|\n| {page} |\n\n[up](../README.md#a-b)\n")


def macro(name, *rows):
    return f"#define {name}(X) \\\n" + " \\\n".join(f"    X({row}) /* x (y) */" for row in rows) + "\n"


GOOD_TREE = {
    "README.md": "# A, b\n[API](docs/API.md#get-v1xname), [out](https://example.com/#x)\n",
    "include/model/iclient/iclient_field.h": macro("ICLIENT_FIELD_TABLE", 'NAME, "/name", TEXT, NULL',
                                           r'TYPE, "/oauth2/type", CHOICE, "\"a\""'),
    "src/model/iclient/iclient_field.c": '#define WORDS CHOICES("a", "b")\n[ICLIENT_TYPE].choices = WORDS,\n',
    "src/iclientd/config/config_keys.c": 'x[] = {{"/wait", read_seconds, AT(wait_ms), 1, 600},\n{"/path", read_path, AT(path), 0, 0}};',
    "src/iclientd/config/config_defaults.c": "void config_set_default_numbers(c)\n{\n    config->wait_ms = 30 * 1000;\n}\n",
    "src/model/connection/connection_json.c": '{"/name", read_name, false}, {"/scope", read_scope}',
    "include/base/metrics.h": macro("METRIC_TABLE", r'A, "counter", "m_total", "x=\"1\"", "H."', 'B, "gauge", "n", "", ""'),
    "include/broker/entry/token_entry.h": macro("ENTRY_STATE_TABLE", 'READY, "ready"'),
    "src/service/api/api_error.h": macro("API_ERROR_TABLE", 'BUSY, "busy", 429, true'),
    "src/service/redirect/pages.h": macro("PAGE_TABLE", 'FRONT, 200, "iclientd", "x", "y", NULL', 'GOOD, 200, "Go" "od", "x, (y)", "z", NULL'),
    "src/service/token/api_token.c": '{HTTP_VERB_GET, "/v1/x/*", NEED_ACCESS, 0, f},',
    "src/service/admin/api_admin.c": '{HTTP_VERB_POST, "/v1/y", NEED_OPERATOR, 0, f},',
    "src/iclientctl/exit_code.h": "enum { EXIT_DONE = 0 };",
    "include/io/x.h": "/* See README.md and docs/API.md (docs/API.md,\n * Token socket). */\n",
    CONFIGURATION: configuration(), OPERATIONS: operations(), API: api(),
    SECURITY: "`test_a.py::test_b`, `::test_c`, `unit_io_d`, `tests/e/f --runs 1`\n", "tests/scenario/test_a.py": "def test_b(x):\ndef test_c():\n",
    "tests/unit/io/test_d.c": "", "tests/e/f": "",
}
BROKEN = [
    ("a field is not told", {CONFIGURATION: configuration(FIELD_ROWS[:1])}, "no row for /oauth2/type"),
    ("a field that is none", {CONFIGURATION: configuration([*FIELD_ROWS, "`/x` | text | | x"])}, "/x is not in the source"),
    ("another kind", {CONFIGURATION: configuration(["`/name` | flag | | x", FIELD_ROWS[1]])}, "no row for /name"),
    ("another default", {CONFIGURATION: configuration([FIELD_ROWS[0], FIELD_ROWS[1].replace('"a"', '"b"')])}, "no row for /oauth2"),
    ("another order", {CONFIGURATION: configuration(FIELD_ROWS[::-1])}, "the order"),
    ("a choice is not told", {CONFIGURATION: configuration([FIELD_ROWS[0], FIELD_ROWS[1].replace("`b`", "")])}, "the choice b"),
    ("another default of a setting", {CONFIGURATION: configuration(setting_rows=[SETTING_ROWS[0].replace("30", "20"),
                                                                                 SETTING_ROWS[1]])}, "no row for /wait"),
    ("other bounds", {CONFIGURATION: configuration(setting_rows=[SETTING_ROWS[0].replace("600", "60"), SETTING_ROWS[1]])},
     "1 to 600"),
    ("a connection's field is not told", {CONFIGURATION: configuration(connections=["`name` | x"])}, "no row for scope"),
    ("a metric is not told", {OPERATIONS: operations(METRIC_ROWS[1:])}, "no row for m_total"),
    ("another state", {OPERATIONS: operations(state_rows=["`redy` | x"])}, "redy is not in the source"),
    ("an exit code is not told", {OPERATIONS: operations(exits=["1 | x"])}, "no row for 0"),
    ("another status of an error", {API: api(["`busy` | 503 | yes | x"])}, "no row for busy"),
    ("an error that is none", {API: api([*ERROR_ROWS, "`lazy` | 400 | no | x"])}, "lazy is not in the source"),
    ("a route is not told", {API: api(headings=["GET /v1/z"])}, "GET /v1/x/NAME is not told"),
    ("a route that is none", {API: api(headings=["GET /v1/x/NAME", "GET /v2"])}, "GET /v2 does not exist"),
    ("another page", {API: api(page="Bad | 200")}, "no row for Good"),
    ("a heading is missing", {OPERATIONS: operations().replace("## Metrics", "## Numbers")}, 'no heading "Metrics"'),
    ("a scenario that is none", {SECURITY: "`test_g.py`\n"}, "no tests/scenario/test_g.py"),
    ("a test that is none", {SECURITY: "`test_a.py`, `::test_h`\n"}, "test_a.py has no test_h"),
    ("a unit test that is none", {SECURITY: "`unit_io_i`\n"}, "no tests/unit/io/test_i.c"),
    ("a program that is none", {SECURITY: "`tests/e/j 7`\n"}, "no tests/e/j"),
    ("a link to no file", {"README.md": "[x](docs/GONE.md)\n# A, b\n"}, "docs/GONE.md leads to no file"),
    ("a comment that points at no file", {"src/io/x.c": "/* (GONE.md, Errors) */\n"}, "src/io/x.c:1: there is no GONE.md"),
    ("a comment that points at no heading", {"src/io/x.c": "\n/* (docs/API.md, Gone) */\n"}, "src/io/x.c:2: there is no docs/API.md"),
    ("a comment that points at what is elsewhere", {"include/io/y.h": "/* DESIGN, Limits */\n"}, "there is no DESIGN"),
    ("a link to no heading", {"README.md": "[x](docs/API.md#gone)\n# A, b\n"}, "leads to no heading"),
]

if __name__ == "__main__":
    main(check, GOOD_TREE, BROKEN)
