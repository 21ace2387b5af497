"""Requests for cached tokens, beside nginx, Redis and the least that a server can do."""

from statistics import median

# clients, requests in a round, one connection for each
SHAPES = [(1, 30000, False), (16, 100000, False), (256, 100000, False), (16, 30000, True)]
WARM_UP = 2000


class Subject:
    """One line of the table: a server and what it is asked for."""

    def __init__(self, name, server, target, names=1, is_redis=False):
        self.name, self.server, self.target, self.names, self.is_redis = name, server, target, names, is_redis

    def measure(self, bench, clients, requests, closes):
        before = self.server.cpu_seconds()
        report = bench.load(self.server, self.target, self.names, clients, requests, closes, self.is_redis)
        report["cpu_us"] = (self.server.cpu_seconds() - before) / requests * 1e6
        return report


def shape_name(clients, closes):
    return "one connection per request" if closes else f"{clients} client{'s' if clients > 1 else ''}"


def summary(reports):
    return {key: median(report[key] for report in reports) for key in ("cpu_us", "p50_us", "p99_us", "p999_us")}


def measure(bench, connections, rounds, share):
    """Alternating rounds, so that whatever else the machine does falls on all alike; medians."""
    folder = bench.configure(f"requests-{connections}", connections)
    bench.fill(folder)
    free_folder = bench.configure(f"requests-{connections}-unconfined", connections, settings={"sandbox": False})
    bench.fill(free_folder)
    servers = [bench.daemon(folder.name), bench.daemon(free_folder.name)]
    daemon, unconfined = servers
    try:
        body = bench.load(daemon, "/v1/token/c000000", requests=WARM_UP)["body_bytes"]
        bench.load(daemon, "/v1/token/c%", names=connections, clients=16, requests=max(WARM_UP, 2 * connections))
        servers += [bench.bare_epoll(body), bench.nginx(body), bench.redis(body)]
        subjects = [
            Subject("bare epoll", servers[2], "/v1/token/c000000"),
            Subject("nginx", servers[3], "/v1/token/c000000"),
            Subject("Redis", servers[4], "token", is_redis=True),
            Subject("iclientd, no sandbox", unconfined, "/v1/token/c000000"),
            Subject("iclientd, one name", daemon, "/v1/token/c000000"),
            Subject("iclientd, any name", daemon, "/v1/token/c%", connections),
        ]
        for subject in subjects:
            subject.measure(bench, 16, WARM_UP, False)
        rows = []
        for clients, requests, closes in SHAPES:
            reports = {subject.name: [] for subject in subjects}
            for _ in range(rounds):
                for subject in subjects:
                    reports[subject.name].append(subject.measure(bench, clients, max(clients, int(requests * share)), closes))
            rows += [{"connections": connections, "shape": shape_name(clients, closes), "server": name, "body_bytes": body,
                      **summary(of_one)} for name, of_one in reports.items()]
        return rows
    finally:
        for server in servers:
            server.stop()


def print_table(rows):
    print(f"{'connections':>11}  {'shape':<27}{'server':<21}{'CPU µs':>8}{'÷ bare':>8}{'÷ nginx':>9}{'p50 µs':>9}{'p99 µs':>9}{'p99.9 µs':>10}")
    for row in rows:
        alike = {other["server"]: other["cpu_us"] for other in rows
                 if (other["connections"], other["shape"]) == (row["connections"], row["shape"])}
        print(f"{row['connections']:>11}  {row['shape']:<27}{row['server']:<21}{row['cpu_us']:>8.2f}"
              f"{row['cpu_us'] / alike['bare epoll']:>8.2f}{row['cpu_us'] / alike['nginx']:>9.2f}"
              f"{row['p50_us']:>9.1f}{row['p99_us']:>9.1f}{row['p999_us']:>10.1f}")
