"""Who may ask is decided by the kernel's word about the peer. The tests run as root."""

import grp
import contextlib
import json
import os
import pwd
import threading

import documents
import pytest
from fakes.support import wait_until
from peer import Peers, Unit, end_child, start_with_pid

STRANGER = 4242  # a user id that nobody has
AUDIT_LINES = 1000  # of a user within a minute
CRM = "/v1/token/crm"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to ask as another user")


def ask(daemon, uid=STRANGER, name="crm", **options):
    status, text = daemon.get_as(f"/v1/token/{name}", uid, **options)
    return status, json.loads(text) if text.startswith("{") else text


def launch_allowing(launch, provider, allow):
    daemon = launch(documents.client_credentials(provider), connections=[{"name": "api", "iClient": "crm", "allow": allow}])
    return daemon


def test_stranger_is_denied_and_logged(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    status, document = ask(daemon)
    assert status == 403 and document["errors"][0]["code"] == "not_allowed"
    assert provider.count() == 0
    assert daemon.metrics()["iclientd_requests_denied_total"] == 1
    assert str(STRANGER) in daemon.log() and "crm" in daemon.log()


def test_each_process_that_gets_a_token_is_on_record_once_per_generation(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    for _ in range(3):
        daemon.token()
    lines = [line for line in daemon.log().splitlines() if "audit:" in line]
    assert len(lines) == 1
    assert f"token of crm, generation 1, to uid 0, pid {os.getpid()}," in lines[0]
    daemon.admin("POST", "/v1/connections/crm/refresh")
    daemon.token()
    assert "token of crm, generation 2," in daemon.log()
    ask(daemon)
    assert f"to uid {STRANGER}" not in daemon.log(), "who is denied gets no token"


def test_denied_requests_do_not_fill_the_log(launch, provider):
    """Ten lines a minute for each user, then how many more there were."""
    daemon = launch(documents.client_credentials(provider))
    with contextlib.closing(Peers()) as peers:
        noisy, other = (peers.start(uid).connect(daemon.token_socket) for uid in (STRANGER, STRANGER + 1))
        assert [noisy.get(CRM) for _ in range(50)] == [403] * 50
        assert other.get(CRM) == 403
    assert daemon.metrics()["iclientd_requests_denied_total"] == 51
    daemon.stop()
    lines = [line.split(" denied: ")[1] for line in daemon.log().splitlines() if " denied: " in line]
    assert [line.split(",")[0] for line in lines] == [f"uid {STRANGER}"] * 10 + [f"uid {STRANGER + 1}", f"uid {STRANGER}"]
    assert lines[-1] == f"uid {STRANGER}, 40 more within a minute"


def test_who_is_handed_very_many_tokens_does_not_push_another_off_the_record(launch, provider):
    """Each connection is another line; one process is enough for that."""
    daemon = launch(documents.client_credentials(provider), connections=[
        {"name": f"c{i}", "iClient": "crm", "allow": {"users": [STRANGER, STRANGER + 1]}} for i in range(AUDIT_LINES + 20)])
    with contextlib.closing(Peers()) as peers:
        noisy, other = (peers.start(uid).connect(daemon.token_socket) for uid in (STRANGER, STRANGER + 1))
        assert {noisy.get(f"/v1/token/c{i}") for i in range(AUDIT_LINES + 20)} == {200}
        assert other.get("/v1/token/c0") == 200
    daemon.stop()
    lines = [line.split(" audit: ")[1] for line in daemon.log().splitlines() if " audit: " in line]
    assert sum(f"to uid {STRANGER}," in line for line in lines) == AUDIT_LINES
    assert sum(f"to uid {STRANGER + 1}," in line for line in lines) == 1
    assert lines[-1] == f"uid {STRANGER}, 20 more tokens within a minute"


def test_connection_of_a_tenant_is_on_record_by_its_full_name(launch, provider):
    daemon = launch(documents.client_credentials(provider, tenant="acme"))
    daemon.known_secrets.add(daemon.get("/v1/token/crm?tenant=acme").json()["access_token"])
    assert daemon.get_as("/v1/token/crm?tenant=acme", STRANGER)[0] == 403
    assert "audit: token of acme/crm, generation 1, to uid 0," in daemon.log()
    assert "may not use connection acme/crm" in daemon.log()


def test_stranger_may_not_report_or_watch_either(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    daemon.token()
    assert daemon.get_as("/v1/token/crm/watch", STRANGER)[0] == 403
    assert daemon.get_as("/v1/token/crm/rejected", STRANGER, method="POST")[0] in (400, 403)
    assert provider.count() == 1


def test_stranger_sees_no_connection_in_the_list(launch, provider):
    daemon = launch_allowing(launch, provider, {"users": [STRANGER + 1]})
    assert "api" not in daemon.get_as("/v1/connections", STRANGER)[1]
    assert "api" in daemon.get_as("/v1/connections", STRANGER + 1)[1]


def test_user_is_allowed_by_number(launch, provider):
    daemon = launch_allowing(launch, provider, {"users": [STRANGER]})
    assert ask(daemon, name="api")[0] == 200
    assert ask(daemon, uid=STRANGER + 1, name="api")[0] == 403


def test_user_is_allowed_by_name(launch, provider):
    daemon = launch_allowing(launch, provider, {"users": ["daemon"]})
    assert ask(daemon, uid=pwd.getpwnam("daemon").pw_uid, name="api")[0] == 200
    assert ask(daemon, name="api")[0] == 403


def test_primary_and_supplementary_group_are_allowed(launch, provider):
    daemon = launch_allowing(launch, provider, {"groups": ["games"]})
    games = grp.getgrnam("games").gr_gid
    assert ask(daemon, name="api", gid=games)[0] == 200
    assert ask(daemon, name="api", groups=[1234, games])[0] == 200
    assert ask(daemon, name="api", groups=[1234])[0] == 403


def test_empty_allow_leaves_root_alone(launch, provider):
    daemon = launch_allowing(launch, provider, {})
    assert ask(daemon, name="api")[0] == 403
    assert daemon.token("api").status == 200


def test_health_is_for_everybody(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.get_as("/healthz", STRANGER)[0] == daemon.get_as("/readyz", STRANGER)[0] == 200


def test_admin_socket_cannot_be_opened_by_a_stranger(launch, provider):
    daemon = launch(documents.client_credentials(provider))
    assert daemon.get_as("/metrics", STRANGER, admin=True)[0] == 0


# Units: by the process that connected, at the moment of each request.

@pytest.fixture
def unit():
    try:
        made = Unit(f"icd-test-{os.getpid()}.service")
    except OSError as refusal:
        pytest.skip(f"no cgroup can be made here: {refusal}")
    with contextlib.closing(made):
        yield made


@pytest.fixture
def peers(unit):  # which can be removed only when they have ended
    with contextlib.closing(Peers()) as made:
        yield made


@pytest.fixture
def daemon(launch, provider, unit):
    """Connections "api", for the unit, and "mine", for the user."""
    return launch(documents.client_credentials(provider),
                  connections=[{"name": "api", "iClient": "crm", "allow": {"units": [unit.name]}},
                               {"name": "mine", "iClient": "crm", "allow": {"users": [STRANGER]}}])


API, MINE = "/v1/token/api", "/v1/token/mine"


def test_unit_is_allowed(daemon, unit, peers):
    inside, outside = peers.start(STRANGER), peers.start(STRANGER)
    unit.take(inside.pid)
    assert inside.connect(daemon.token_socket).get(API) == 200
    assert outside.connect(daemon.token_socket).get(API) == 403
    assert f"token of api, generation 1, to uid {STRANGER}, pid {inside.pid}, unit {unit.name}" in daemon.log()


def test_list_shows_what_the_unit_is_allowed_at_that_moment(daemon, unit, peers):
    peer = peers.start(STRANGER + 1).connect(daemon.token_socket)
    for change, is_allowed in ((lambda pid: None, False), (unit.take, True), (unit.leave, False)):
        change(peer.pid)
        assert peer.get("/v1/connections") == 200
        assert [row["name"] for row in json.loads(peer.text())] == (["api"] if is_allowed else [])


def test_process_that_leaves_its_unit_loses_the_right_within_its_connection(daemon, unit, peers):
    peer = peers.start(STRANGER)
    unit.take(peer.pid)
    assert peer.connect(daemon.token_socket).get(API) == 200
    unit.leave(peer.pid)
    assert peer.get(API) == 403
    unit.take(peer.pid)
    assert peer.get(API) == 200


def test_socket_of_a_process_that_ended_has_its_units_rights_no_more(daemon, unit, peers):
    """SO_PEERCRED still names the one that connected; a rule by user goes by that."""
    connector, heir = peers.start(STRANGER), peers.start(STRANGER + 1)
    unit.take(connector.pid)
    connector.connect(daemon.token_socket).hand_over_to(heir)
    assert heir.get(API) == heir.get(MINE) == 200, "while the connector lives it answers for its socket"
    connector.end()
    assert heir.get(API) == 403
    assert heir.get(MINE) == 200
    unit.take(heir.pid)
    assert heir.get(API) == 403, "the unit is the connector's, not that of who holds the socket"


def test_watcher_whose_connector_ended_is_told_nothing_more(daemon, unit, peers):
    connector, heir = peers.start(STRANGER), peers.start(STRANGER + 1)
    unit.take(connector.pid)
    connector.connect(daemon.token_socket).get("/healthz")
    connector.hand_over_to(heir)
    heir.ask("/v1/token/api/watch")
    wait_until(lambda: daemon.metrics()["iclientd_watchers"] == 1, what="the watcher")
    connector.end()
    assert daemon.admin("POST", "/v1/connections/api/refresh").status == 200
    wait_until(lambda: daemon.metrics()["iclientd_watchers"] == 0, what="the stream to end")


def test_waiter_whose_connector_ended_gets_no_token(daemon, provider, unit, peers):
    """The rule is asked again when the token is there."""
    gate = threading.Event()
    provider.next("/token", lambda _, regular: regular().but(gate=gate))
    connector, heir = peers.start(STRANGER), peers.start(STRANGER + 1)
    unit.take(connector.pid)
    connector.connect(daemon.token_socket).get("/healthz")
    connector.hand_over_to(heir)
    heir.ask(API)
    wait_until(lambda: daemon.metrics()["iclientd_waiters"] == 1, what="the waiter")
    connector.end()
    gate.set()
    assert heir.status() == 403


@pytest.mark.skipif(not os.path.exists("/proc/sys/kernel/ns_last_pid"), reason="no process number can be chosen")
@pytest.mark.parametrize("is_accepted", [True, False])
def test_reused_process_number_brings_no_unit(daemon, unit, peers, is_accepted):
    """The number of the connector now is a process of the allowed unit."""
    connector, heir = peers.start(STRANGER), peers.start(STRANGER)
    connector.connect(daemon.token_socket)
    if is_accepted:
        assert connector.get(API) == 403
    connector.hand_over_to(heir)
    connector.end()
    other = start_with_pid(connector.pid)
    if not other:
        pytest.skip("other processes took the number each time")
    try:
        unit.take(other)
        assert heir.get(API) == 403
    finally:
        end_child(other)
