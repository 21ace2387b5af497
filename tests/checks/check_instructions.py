"""A cached token costs no more instructions than it did: counted by callgrind, so the same on a busy machine.

usage: check_instructions.py SOURCE BUILD [--write]

Two runs of the daemon differ in the number of requests alone; what they differ in by instructions is the requests' cost. The figure
to hold stands in tests/bench/instructions.json, one for each build type and compiler; other builds are not judged. --write sets it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

GROWTH_MAX = 1.10
CONNECTIONS = 10
REQUESTS = 3000
START_SECONDS = 60


def build_kind(build):
    """"RelWithDebInfo GNU"; None when valgrind cannot run what was built."""
    cache = (build / "CMakeCache.txt").read_text()
    if re.search(r"^SANITIZE:BOOL=(ON|1|TRUE)$", cache, re.MULTILINE):
        return None
    build_type = re.search(r"^CMAKE_BUILD_TYPE:\w+=(\w+)$", cache, re.MULTILINE)
    compiler = next(build.glob("CMakeFiles/*/CMakeCCompiler.cmake")).read_text()
    name = re.search(r'^set\(CMAKE_C_COMPILER_ID "(\w+)"\)', compiler, re.MULTILINE)
    return f"{build_type.group(1) if build_type else 'RelWithDebInfo'} {name.group(1)}"


def wait_for_socket(process, path, log):
    end = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"iclientd did not start under valgrind:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.05)


def instructions(bench, folder, requests):
    """Of a whole run of the daemon that answers so many requests."""
    counts = folder / f"callgrind.{requests}"
    log = folder / "valgrind.log"
    socket_path = folder / "token.sock"
    with open(log, "ab") as output:
        process = subprocess.Popen(["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", str(bench.build / "iclientd"),
                                    "--config", str(folder / "iclientd.json")], stdout=output, stderr=output)
    try:
        wait_for_socket(process, socket_path, log)
        socket_path.chmod(0o666)
        bench.load(SimpleNamespace(name="iclientd", socket_path=socket_path), "/v1/token/c000000", requests=requests)
        process.terminate()
        process.wait(START_SECONDS)
    finally:
        process.kill()
    return int(re.search(r"^(?:summary|totals): (\d+)", counts.read_text(), re.MULTILINE).group(1))


def measure(source, build):
    sys.path.insert(0, str(source / "tests" / "bench"))
    from servers import Bench  # where the benchmark stands is known only now
    with tempfile.TemporaryDirectory(prefix="icd-count-", dir="/tmp") as folder:
        bench = Bench(folder, build.resolve())
        own = bench.configure("daemon", CONNECTIONS, settings={"sandbox": False})
        bench.fill(own)
        return (instructions(bench, own, 2 * REQUESTS) - instructions(bench, own, REQUESTS)) / REQUESTS


def main():
    source, build = Path(sys.argv[1]), Path(sys.argv[2])
    figures_file = source / "tests" / "bench" / "instructions.json"
    figures = json.loads(figures_file.read_text())
    kind = build_kind(build)
    is_writing = "--write" in sys.argv[3:]
    if not kind or (kind not in figures and not is_writing):
        print(f"not judged: {kind or 'a sanitized build'}")
        return 0
    if not shutil.which("valgrind"):
        print("valgrind is missing: apt-get install valgrind")
        return 1
    counted = round(measure(source, build))
    if is_writing:
        figures[kind] = counted
        figures_file.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"{counted} instructions for each cached token; {figures[kind]} is the figure to hold")
    return 0 if counted <= GROWTH_MAX * figures[kind] else 1


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
