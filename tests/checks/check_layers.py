"""The layers of docs/ARCHITECTURE.md hold: includes, links, private headers, and what stands in one place only."""

import re
import subprocess

from source_tree import files_below, line_of, main, without_comments

USES = {
    "base": set(),
    "model": {"base"},
    "protocol": {"model", "base"},
    "io": {"model", "base"},
    "broker": {"protocol", "io", "model", "base"},
    "service": {"broker", "io", "model", "base"},
    "iclientd": {"service", "broker", "io", "protocol", "model", "base"},
    "iclientctl": {"io", "protocol", "model", "base"},
}
# Libraries that are kept behind few files: the header's beginning, the files' beginnings.
KEPT_BEHIND = {
    "sqlite3.h": ["src/io/store/store_", "src/io/store/sqlite_error"],
    "curl/": ["src/base/text/url.c", "src/io/client/http_client", "src/io/client/http_transfer", "src/iclientctl/daemon/api_client"],
    "libxml/": ["src/base/xml/xml_document.c"],
}
INCLUDED_ONCE = ["http_parser.h", "llhttp.h", "uthash.h", "utlist.h"]
LINES_MAX = 600
FILES_MAX = 26  # of one folder

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# A function's declaration: at the line's beginning, and no macro, typedef or inline body.
DECLARATION = re.compile(r"^(?!typedef|static|extern|return|enum \w+ \{)[a-z][\w \t*]*?\b([a-z]\w*)\([^;{}]*\)[^;{}]*;",
                         re.MULTILINE)
LINK_COMMAND = re.compile(r"\b(add_layer|add_program|target_link_libraries)\s*\(([^)]*)\)")


def layer_of(source, path):
    """The layer that a file's code belongs to; None for what is in no layer, as the tests' own helpers."""
    parts = path.relative_to(source).parts
    folder = parts[2] if parts[:2] == ("tests", "unit") and len(parts) > 3 else parts[1] if len(parts) > 2 else None
    return folder if folder in USES else None


def check_include(source, path, target):
    layer = layer_of(source, path)
    folder, _, rest = target.partition("/")
    if not layer or (folder not in USES and path.is_relative_to(source / "tests")):
        return None
    if not rest and (path.parent / target).is_file() and not path.is_relative_to(source / "include"):
        return None
    if folder not in USES or not rest:
        return f"\"{target}\" does not name its layer's folder"
    if folder != layer and folder not in USES[layer]:
        return f"{layer} includes \"{target}\": {layer} may use {', '.join(sorted(USES[layer])) or 'nothing'}"
    if (source / "include" / target).is_file():
        return None
    if path.is_relative_to(source / "tests") and (source / "tests/unit" / target).is_file():
        return None
    if not (source / "src" / target).is_file():
        return f"\"{target}\" does not exist"
    if folder != layer:
        return f"{layer} includes \"{target}\", a private header of {folder}"
    if path.is_relative_to(source / "include"):
        return f"a public header includes the private \"{target}\""
    return None


def check_includes(source):
    faults, seen = [], {name: [] for name in INCLUDED_ONCE}
    for path in files_below(source, "include", "src", "tests/unit"):
        name = str(path.relative_to(source))
        text = without_comments(path.read_text())
        for match in INCLUDE.finditer(text):
            kind, target = match.groups()
            fault = check_include(source, path, target) if kind == '"' else None
            if fault:
                faults.append(f"{name}:{line_of(text, match.start())}: {fault}")
            if name.startswith("tests/"):
                continue
            for header, places in KEPT_BEHIND.items():
                if target.startswith(header) and not name.startswith(tuple(places)):
                    faults.append(f"{name}: <{target}> stands outside {', '.join(places)}")
            if target in seen:
                seen[target].append(name)
    faults += [f"{header} is included by {', '.join(names)}: one file only" for header, names in seen.items()
               if len(names) > 1]
    return faults


def check_guard(source, path):
    name = path.relative_to(source / "include")
    guard = "_".join(name.with_suffix("").parts).upper() + "_H"
    text = without_comments(path.read_text()).strip()
    if text.startswith(f"#ifndef {guard}\n#define {guard}\n") and text.endswith("#endif"):
        return []
    return [f"include/{name}: no include guard {guard} around the whole file"]


def check_public_headers(source):
    """Every function that a public header declares is defined in the layer's own folder."""
    faults = []
    for path in files_below(source, "include", suffixes=(".h",)):
        faults += check_guard(source, path)
        name, layer = path.relative_to(source), layer_of(source, path)
        if not layer:
            faults.append(f"{name}: in no layer's folder")
            continue
        code = "\n".join(without_comments(each.read_text(), keep_strings=False)
                         for each in files_below(source, f"src/{layer}", suffixes=(".c",)))
        for function in DECLARATION.findall(without_comments(path.read_text(), keep_strings=False)):
            defined = rf"^[a-z][\w \t*]*\b{function}\([^;{{}}]*\)\s*\{{"
            if not re.search(defined, code, re.MULTILINE):
                faults.append(f"{name}: {function}() has no source in src/{layer}")
    return faults


def check_links(source):
    """The words of each link command that are layers."""
    faults = []
    for path in [source / "CMakeLists.txt", *files_below(source, "src", suffixes=(".txt",))]:
        text = re.sub(r"#[^\n]*", "", path.read_text()) if path.is_file() else ""
        for command, words in LINK_COMMAND.findall(text):
            name, *rest = words.split() or [""]
            if name in USES:
                faults += [f"{path.relative_to(source)}: {command}({name}) links {layer}"
                           for layer in rest if layer in USES and layer not in USES[name]]
    return faults


def symbols(library, *options):
    output = subprocess.run(["nm", "--extern-only", "--format=just-symbols", *options, library], text=True,
                            capture_output=True, check=False).stdout
    return {line for line in output.splitlines() if line and not line.endswith(":")}


def check_symbols(build):
    """What a built layer asks for must not be defined above it, whatever header said so."""
    libraries = {layer: build / f"lib{layer}.a" for layer in USES if (build / f"lib{layer}.a").is_file()}
    defined = {layer: symbols(library, "--defined-only") for layer, library in libraries.items()}
    faults = []
    for layer, library in libraries.items():
        wanted = symbols(library, "--undefined-only") - defined[layer]
        for other in libraries.keys() - USES[layer] - {layer}:
            faults += [f"lib{layer}.a needs {name}() of {other}" for name in sorted(wanted & defined[other])]
    return faults


def check_lengths(source):
    faults = []
    for path in files_below(source, "include", "src", suffixes=(".c", ".h")):
        lines = path.read_text().count("\n")
        if lines > LINES_MAX:
            faults.append(f"{path.relative_to(source)}: {lines} lines; split it by reason ({LINES_MAX} at most)")
    return faults


def check_folders(source):
    """A folder that holds more than one sentence names needs rooms."""
    counts = {}
    for path in files_below(source, "include", "src", suffixes=(".c", ".h")):
        counts[path.parent] = counts.get(path.parent, 0) + 1
    return [f"{folder.relative_to(source)}: {count} files; give it rooms ({FILES_MAX} at most)"
            for folder, count in sorted(counts.items()) if count > FILES_MAX]


def check(source, build):
    faults = check_folders(source) + check_includes(source) + check_public_headers(source) + check_links(source) + check_lengths(source)
    return faults + (check_symbols(build) if build else [])


def header(guard, *lines):
    return "\n".join([f"#ifndef {guard}", f"#define {guard}", *lines, "#endif", ""])


GOOD_TREE = {
    "CMakeLists.txt": "add_layer(base LIBRARIES X)\nadd_layer(model USES base) # not io\nadd_layer(io USES model base)\n"
                      "add_program(iclientctl USES io protocol model base)\n",
    "include/base/word.h": header("BASE_WORD_H", "/* Mentions nothing(); */", "const char *word_read(const char *text,",
                                  "    int count) __attribute__((pure));", "static inline int word_one(void)",
                                  "{", "    return 1;", "}"),
    "include/base/hash_table.h": header("BASE_HASH_TABLE_H", "#include <uthash.h>"),
    "src/base/word.c": '#include "base/word.h"\n\nconst char *word_read(const char *text,\n    int count)\n{\n'
                       "    return text + count;\n}\n",
    "include/model/shape.h": header("MODEL_SHAPE_H", '#include "base/word.h"', "struct shape;"),
    "src/model/shape.c": '#include "model/shape.h"\n#include "shape_part.h"\n',
    "src/model/shape_part.h": header("MODEL_SHAPE_PART_H"),
    "src/io/store/store_sqlite.c": "#include <sqlite3.h>\n",
    "src/io/http/http_server.c": "#include <http_parser.h>\n#include <llhttp.h>\n",
    "src/io/client/http_client_send.c": "#include <curl/curl.h>\n",
    "tests/unit/model/test_shape.c": '#include <curl/curl.h>\n#include "model/shape_part.h"\n#include "helper.h"\n'
                                    '#include "model/shapes_made.h"\n',
    "tests/unit/model/shapes_made.h": "",
}
BROKEN = [
    ("upward include", {"src/base/word.c": '#include "model/shape.h"\n'}, 'base includes "model/shape.h"'),
    ("upward include of a header", {"include/base/word.h": header("BASE_WORD_H", '#include "model/shape.h"')},
     "include/base/word.h:3: base includes"),
    ("sideways include", {"src/io/x.c": '  #  include "protocol/p.h"\n', "include/protocol/p.h": header("PROTOCOL_P_H")},
     'io includes "protocol/p.h"'),
    ("upward include by a test", {"tests/unit/base/test_x.c": '#include "model/shape.h"\n'}, "base includes"),
    ("another folder's private header", {"src/io/x.c": '#include "model/shape_part.h"\n'}, "a private header of model"),
    ("private header in a public one", {"include/model/shape.h": header("MODEL_SHAPE_H", '#include "model/shape_part.h"')},
     "a public header includes the private"),
    ("include without a folder", {"src/model/shape.c": '#include "word.h"\n'}, "does not name its layer"),
    ("public header without a folder", {"include/model/shape.h": header("MODEL_SHAPE_H", '#include "base.h"')},
     "does not name its layer"),
    ("include of nothing", {"src/model/shape.c": '#include "model/gone.h"\n'}, "does not exist"),
    ("upward link", {"CMakeLists.txt": "add_layer(model USES base\n  io)\n"}, "add_layer(model) links io"),
    ("upward link of a program", {"CMakeLists.txt": "add_program(iclientctl USES broker)"}, "links broker"),
    ("upward link afterwards", {"CMakeLists.txt": "target_link_libraries(io PUBLIC broker)"}, "(io) links broker"),
    ("missing source", {"src/base/word.c": None}, "word_read() has no source"),
    ("call in the place of a source", {"src/base/word.c": "int x(void)\n{\n    word_read(0, 0);\n}\n"}, "word_read() has"),
    ("wrong guard", {"include/base/word.h": header("WORD_H")}, "no include guard BASE_WORD_H"),
    ("text after the guard", {"include/model/shape.h": header("MODEL_SHAPE_H") + "int x;\n"}, "no include guard"),
    ("header in no layer", {"include/other/x.h": header("OTHER_X_H")}, "in no layer's folder"),
    ("second user of uthash", {"src/io/client/http_queue.c": "#include <uthash.h>\n"}, "one file only"),
    ("second user of llhttp", {"src/io/http_more.c": "#include <llhttp.h>\n"}, "one file only"),
    ("second user of http_parser", {"src/io/http_more.c": "#include <http_parser.h>\n"}, "one file only"),
    ("SQLite elsewhere", {"src/io/store/store.c": "#include <sqlite3.h>\n"}, "<sqlite3.h> stands outside"),
    ("curl elsewhere", {"src/model/shape.c": "#include <curl/urlapi.h>\n"}, "<curl/urlapi.h> stands outside"),
    ("libxml2 elsewhere", {"src/model/shape.c": "#include <libxml/tree.h>\n"}, "<libxml/tree.h> stands outside"),
    ("a crowded folder", {f"src/io/file_{i}.c": "" for i in range(FILES_MAX + 1)}, "give it rooms"),
    ("a long file", {"src/io/long.c": "\n" * (LINES_MAX + 1)}, "601 lines"),
]

if __name__ == "__main__":
    main(check, GOOD_TREE, BROKEN)
