"""Starts with very many connections: until the first answer, and the memory above the idle daemon."""


def prepare(bench, count, in_store):
    folder = bench.configure(f"start-{count}-{'store' if in_store else 'files'}", 0 if in_store else count)
    bench.fill(folder, stored=count if in_store else 0)
    return folder


def resting_kib(bench, daemon):
    """What it needs once the start's own memory is given back, which is before it answers."""
    bench.load(daemon, "/healthz", requests=10)
    return daemon.memory_kib()


def measure_one(bench, count, in_store, idle_kib):
    folder = prepare(bench, count, in_store)
    bench.daemon(folder.name).stop()  # so that all of them read from a warm cache
    daemon = bench.daemon(folder.name)
    row = {"connections": count, "documents": "store" if in_store else "files", "start_seconds": daemon.start_seconds,
           "start_cpu_seconds": daemon.cpu_seconds(), "memory_kib": resting_kib(bench, daemon)}
    row["bytes_each"] = (row["memory_kib"] - idle_kib) * 1024 / count
    bench.load(daemon, "/v1/token/c%", names=count, clients=16, requests=4 * count)
    row["served_bytes_each"] = (daemon.memory_kib() - idle_kib) * 1024 / count
    daemon.stop()
    return row


def measure(bench, counts):
    daemon = bench.daemon(bench.configure("start-idle", 0).name)
    rows = [{"connections": 0, "documents": "", "start_seconds": daemon.start_seconds, "start_cpu_seconds": daemon.cpu_seconds(),
             "memory_kib": resting_kib(bench, daemon), "bytes_each": 0, "served_bytes_each": 0}]
    daemon.stop()
    for count in counts:
        rows += [measure_one(bench, count, in_store, rows[0]["memory_kib"]) for in_store in (False, True)]
    return rows


def print_table(rows):
    print(f"{'connections':>11}  {'in':<7}{'start s':>8}{'CPU s':>8}{'VmRSS MiB':>11}{'bytes each':>12}{'once all were asked for':>25}")
    for row in rows:
        print(f"{row['connections']:>11}  {row['documents']:<7}{row['start_seconds']:>8.2f}{row['start_cpu_seconds']:>8.2f}"
              f"{row['memory_kib'] / 1024:>11.1f}{row['bytes_each']:>12.0f}{row['served_bytes_each']:>25.0f}")
