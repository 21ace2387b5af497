"""Every file of src is compiled with the hardening that this compiler has, and the programs show it.

Which options the compiler has is asked anew here: what CMakeLists.txt did not find, or forgot, is a fault.
"""

import json
import platform
import re
import shlex
import subprocess
from pathlib import Path

from source_tree import main

EMPTY = "int main(void) { return 0; }\n"
FORTIFY_3 = "#include <string.h>\n#if __USE_FORTIFY_LEVEL < 3\n#error 2 is the highest\n#endif\n" + EMPTY
OLD_CLANG = "-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang"
# (words that the command has, what the compiler has to accept for it, not with -O0 nor with sanitizers)
OPTIONS = [
    (["-fstack-protector-strong"], EMPTY, False),
    (["-fcf-protection=full"], EMPTY, False),
    (["-fstack-clash-protection"], EMPTY, False),
    (["-ftrivial-auto-var-init=zero"], EMPTY, True),
    (["-ftrivial-auto-var-init=zero", OLD_CLANG], EMPTY, True),
    (["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"], FORTIFY_3, True),
]
PROGRAMS = ("iclientd", "iclientctl")
# (command, what its output has, what is missing when it has not, not with -O0 nor with sanitizers)
MARKS = [
    (["readelf", "--file-header"], r"Type:\s+DYN", "is not position independent", False),
    (["readelf", "--program-headers", "--wide"], r"GNU_RELRO", "has a table of addresses that can be written to (relro)", False),
    (["readelf", "--program-headers", "--wide"], r"GNU_STACK.* RW ", "has a stack that can be executed", False),
    (["readelf", "--dynamic"], r"BIND_NOW|Flags:.*\bNOW\b", "is linked lazily", False),
    (["nm", "--dynamic", "--undefined-only"], r"__stack_chk_fail", "has no stack protector", False),
    (["nm", "--dynamic", "--undefined-only"], r"__(?!stack_)\w+_chk\b", "has no checked library functions (FORTIFY)", True),
]


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def accepts(compiler, words, program):
    done = subprocess.run([compiler, "-Werror", *words, "-x", "c", "-c", "-o", "/dev/null", "-"], input=program, text=True,
                          capture_output=True, check=False)
    return done.returncode == 0


def cached(build, name):
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found.group(1) if found else ""


def is_optimised(build):
    is_sanitized = cached(build, "SANITIZE").upper() in ("ON", "1", "TRUE")
    return not is_sanitized and cached(build, "CMAKE_BUILD_TYPE") != "Debug"


def check_commands(build):
    wanted = {}
    compiler = cached(build, "CMAKE_C_COMPILER")
    for words, program, only_optimised in OPTIONS:
        if (is_optimised(build) or not only_optimised) and accepts(compiler, words, program):
            wanted.setdefault(words[0] if words[0] != "-O2" else words[-1], words[-1])
    faults = []
    commands = [row for row in json.loads((build / "compile_commands.json").read_text()) if "/src/" in row["file"]]
    for row in commands:
        given = shlex.split(row["command"])
        faults += [f"{row['file']}: compiled without {option}" for option in wanted if option not in given]
    return faults if commands else ["compile_commands.json has no file of src"]


def check_programs(build):
    faults = []
    for program in PROGRAMS:
        for command, pattern, fault, only_optimised in MARKS:
            if (is_optimised(build) or not only_optimised) and not re.search(pattern, output_of(*command, build / program)):
                faults.append(f"{program} {fault}")
    return faults


def check_branches(build):
    """Linking drops the mark, as the C library's own start-up code lacks it on Debian 12; so each object is looked at."""
    is_possible = platform.machine() == "x86_64" and accepts(cached(build, "CMAKE_C_COMPILER"), ["-fcf-protection=full"], EMPTY)
    if not is_possible or cached(build, "CMAKE_BUILD_TYPE") == "Release":  # what is compiled when it is linked
        return []
    faults = []
    for library in sorted(build.glob("lib*.a")):
        parts = output_of("readelf", "--notes", "--wide", library).split("\nFile: ")
        faults += [f"{part.splitlines()[0]}: not marked for IBT and SHSTK" for part in parts
                   if ".c.o)" in part and not re.search(r"x86 feature:.*IBT.*SHSTK", part)]
    return faults


def check(source, build):
    build = build or source
    faults = check_commands(build)
    if (build / PROGRAMS[0]).exists():
        faults += check_programs(build) + check_branches(build)
    return faults


def tree(command, build_type="RelWithDebInfo", sanitize="OFF", file="/a/src/base/error.c"):
    return {"compile_commands.json": json.dumps([{"file": file, "command": command}]),
            "CMakeCache.txt": f"CMAKE_C_COMPILER:FILEPATH=cc\nCMAKE_BUILD_TYPE:STRING={build_type}\nSANITIZE:BOOL={sanitize}\n"}


GOOD = ("cc -fstack-protector-strong -fcf-protection=full -fstack-clash-protection -ftrivial-auto-var-init=zero "
        "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -c error.c")
GOOD_TREE = tree(GOOD)
# Only what every compiler that the project is built with has.
BROKEN = [
    ("no stack protector", tree(GOOD.replace("-fstack-protector-strong ", "")), "-fstack-protector-strong"),
    ("no stack clash protection", tree(GOOD.replace("-fstack-clash-protection ", "")), "-fstack-clash-protection"),
    ("variables are not set", tree(GOOD.replace("-ftrivial-auto-var-init=zero ", "")), "-ftrivial-auto-var-init=zero"),
    ("FORTIFY 2", tree(GOOD.replace("SOURCE=3", "SOURCE=2")), "-D_FORTIFY_SOURCE=3"),
    ("an option that a debugging build has, too", tree(GOOD.replace("-fstack-clash-protection ", ""), "Debug"),
     "-fstack-clash-protection"),
    ("an option that a sanitized build has, too", tree(GOOD.replace("-fstack-protector-strong ", ""), sanitize="ON"),
     "-fstack-protector-strong"),
    ("nothing of src", tree(GOOD, file="/a/tests/test.c"), "no file of src"),
]

if __name__ == "__main__":
    main(check, GOOD_TREE, BROKEN)
