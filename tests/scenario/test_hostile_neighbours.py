"""Local users who are hostile in every way we know: nobody gets what is not his, and a well-behaved client its token."""

import os

import pytest
from daemon import Daemon
from faults.neighbour_campaign import GOOD_UID, HOSTILE_UIDS, Campaign, Limits
from faults.neighbour_kinds import KINDS

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to ask as other users")


def limits():
    """These hold on a slow machine, too: tests/faults/hostile_neighbours measures."""
    is_sanitized = b"__asan_init" in Daemon.binary("iclientd").read_bytes()
    return Limits(latency=20, growth=None if is_sanitized else 16 * 1024 * 1024, slow_margin=40)


def test_hostile_neighbours_get_nothing_and_hinder_nobody():
    campaign = Campaign(limits()).run(4)
    print(campaign.table(), campaign.seed)
    assert campaign.violations == []
    assert [row["kind"] for row in campaign.rows] == [name for name, _ in KINDS] + ["slow", "idle"]


def test_campaign_notices_who_gets_what_is_not_his():
    """The daemon is told that one of the hostile may: he has to stand out."""
    campaign = Campaign(limits(), allowed=(GOOD_UID, HOSTILE_UIDS[1])).run(1, KINDS[:2])
    assert "denied: Deviation: 200 in the place of 403" in campaign.violations
    assert campaign.rows[0]["as_expected"] < campaign.rows[0]["tried"]
