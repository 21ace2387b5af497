"""Who may ask is decided by the kernel's word about the peer. The tests run as root."""

import grp
import json
import os
import pwd

import documents
import pytest

STRANGER = 4242  # a user id that nobody has

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


