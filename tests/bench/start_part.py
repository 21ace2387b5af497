"""Starts with very many connections in the store: until the first answer, and the memory above the idle daemon."""


def measure(bench, counts):
    idle = bench.configure("start-idle", 0)
    daemon = bench.daemon(idle.name)
    idle_kib = daemon.memory_kib()
    rows = [{"connections": 0, "start_seconds": daemon.start_seconds, "memory_kib": idle_kib, "bytes_each": 0}]
    daemon.stop()
    for count in counts:
        folder = bench.configure(f"start-{count}", count)
        bench.fill(folder)
        bench.daemon(folder.name).stop()  # so that all of them read from a warm cache
        daemon = bench.daemon(folder.name)
        bench.load(daemon, "/v1/token/c000000")
        row = {"connections": count, "start_seconds": daemon.start_seconds, "memory_kib": daemon.memory_kib(),
               "bytes_each": (daemon.memory_kib() - idle_kib) * 1024 / count}
        bench.load(daemon, "/v1/token/c%", names=count, clients=16, requests=4 * count)
        row["served_bytes_each"] = (daemon.memory_kib() - idle_kib) * 1024 / count
        rows.append(row)
        daemon.stop()
    return rows


def print_table(rows):
    print(f"{'connections':>11}{'start s':>10}{'VmRSS MiB':>11}{'bytes each':>12}{'… once all were asked for':>28}")
    for row in rows:
        print(f"{row['connections']:>11}{row['start_seconds']:>10.2f}{row['memory_kib'] / 1024:>11.1f}{row['bytes_each']:>12.0f}"
              f"{row.get('served_bytes_each', 0):>28.0f}")
