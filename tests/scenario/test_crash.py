"""kill -9 at every step of a refresh: what the kill swallowed is lost and says so, and nothing else is."""

from daemon import Daemon
from faults.crash_campaign import Campaign

# More of them: tests/faults/crash --runs N.
KILLS, KILLS_SANITIZED = 200, 48


def test_kills_lose_no_refresh_token_but_the_swallowed_ones_and_name_those():
    is_sanitized = b"__asan_init" in Daemon.binary("iclientd").read_bytes()
    campaign = Campaign(seed=1).run(KILLS_SANITIZED if is_sanitized else KILLS)
    print(campaign.table())
    assert campaign.violations == []
    for row in campaign.rows:
        assert row.kills > 0, f"no kill {row.moment}"
