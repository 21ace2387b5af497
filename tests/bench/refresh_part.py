"""Very many tokens that are due at once, at a fast provider and a slow one, while services go on asking."""

import time

from servers import free_port

SLOW_CONNECTIONS = 500
SLOW_MS = 5000
LIFETIME = 60         # seconds: due 27 to 33 seconds after the store was filled
QUIET_SECONDS = 27
SERVED = 20000
PATIENCE = 600
GRANTED = 'iclientd_exchanges_total{class="granted"}'


def wait_for_exchanges(daemon, wanted):
    end = time.monotonic() + PATIENCE
    while (granted := daemon.metrics()[GRANTED]) < wanted:
        if time.monotonic() > end:
            raise SystemExit(f"only {granted:.0f} of {wanted} tokens were refreshed within {PATIENCE} s")
        time.sleep(0.05)


def latency(report):
    return {key: report[key] for key in ("p50_us", "p99_us", "p999_us")}


def latency_text(of):
    return f"p50 {of['p50_us']:.0f} µs, p99 {of['p99_us']:.0f} µs, p99.9 {of['p999_us']:.0f} µs"


def measure(bench, count):
    port = free_port(2)
    providers = [bench.provider(port, 24 * 3600, 0), bench.provider(port + 1, 24 * 3600, SLOW_MS)]
    daemon = None
    try:
        folder = bench.configure("refresh", count, 2, port, lambda number: int(number < SLOW_CONNECTIONS))
        bench.fill(folder, expires_in=LIFETIME)
        filled = time.monotonic()
        daemon = bench.daemon(folder.name)
        fast = count - SLOW_CONNECTIONS
        bench.load(daemon, "/v1/token/c%", names=count, clients=16, requests=4 * count)
        quiet = bench.load(daemon, "/v1/token/c%", names=count, clients=1, requests=SERVED)
        if time.monotonic() > filled + QUIET_SECONDS:
            raise SystemExit("this machine is too slow to ask for every token before the first is due")
        wait_for_exchanges(daemon, min(200, fast))
        begun, cpu, before = time.monotonic(), daemon.cpu_seconds(), daemon.metrics()
        first = before[GRANTED]
        served = bench.load(daemon, "/v1/token/c%", names=count, clients=1, requests=SERVED)
        served_granted = daemon.metrics()[GRANTED] - first
        wait_for_exchanges(daemon, fast)
        seconds, cpu, exchanges = time.monotonic() - begun, daemon.cpu_seconds() - cpu, daemon.metrics()[GRANTED] - first
        writes, commits = (daemon.metrics()[f"iclientd_store_{name}_total"] - before[f"iclientd_store_{name}_total"]
                           for name in ("writes", "commits"))
        return {"connections": count, "begun_after_seconds": begun - filled, "seconds": seconds, "exchanges": exchanges,
                "exchanges_per_second": exchanges / seconds, "exchanges_per_cpu_second": exchanges / cpu,
                "writes_per_commit": writes / commits, "exchanges_while_serving": served_granted, "quiet": latency(quiet), "served": latency(served),
                "failures": sum(value for name, value in daemon.metrics().items()
                                if name.startswith("iclientd_exchanges_total") and name != GRANTED)}
    finally:
        for process in providers:
            process.kill()
            process.wait()
        if daemon:
            daemon.process.kill()
            daemon.process.wait()


def print_table(row):
    print(f"{row['exchanges']:.0f} of {row['connections']} due tokens refreshed in {row['seconds']:.1f} s beside a provider that takes "
          f"{SLOW_MS} ms: {row['exchanges_per_second']:.0f} a second, {row['exchanges_per_cpu_second']:.0f} in a second of CPU; "
          f"{row['failures']:.0f} failed; {row['writes_per_commit']:.0f} store writes shared a commit. Tokens served meanwhile: {latency_text(row['served'])}; "
          f"before the first was due: {latency_text(row['quiet'])}.")
