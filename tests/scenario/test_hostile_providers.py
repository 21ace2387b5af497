"""Every kind of hostile provider: one class, bounded in time and memory, nothing lost, nobody else affected."""

import pytest
from daemon import Daemon
from faults.hostile_campaign import Campaign, Limits
from faults.hostile_kinds import NAMED, ORDINARY
from faults.private_network import NotPermitted


@pytest.fixture
def campaign():
    """Its limits hold on a slow machine, too: tests/faults/hostile_providers measures."""
    is_sanitized = b"__asan_init" in Daemon.binary("iclientd").read_bytes()
    limits = Limits(timeout=6, connect_timeout=4, margin=20, latency=6)
    if is_sanitized:
        limits.growth = None  # what was freed is kept aside
    return Campaign(limits, at_once=8)


def check(campaign, kinds):
    print(campaign.table())
    assert campaign.violations == []
    assert sorted(row["kind"] for row in campaign.rows) == sorted(kind.name for kind in kinds)


def test_hostile_provider_harms_nobody(campaign):
    check(campaign.run_ordinary(), ORDINARY)


def test_names_that_change_their_address_lead_nowhere(campaign):
    try:
        campaign.run_named()
    except NotPermitted as reason:
        pytest.skip(f"needs a network of its own: {reason}")
    check(campaign, NAMED)
