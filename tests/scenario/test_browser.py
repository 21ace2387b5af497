"""A person with a real browser."""

import os
import subprocess
from urllib.parse import urlencode

import documents
import pytest
from browser import Browser
from fakes.scripted_provider import Answer, ScriptedProvider
from fakes.support import PATIENCE, wait_until


@pytest.fixture(scope="module")
def browser():
    with Browser() as window:
        yield window


@pytest.fixture(autouse=True)
def forget_sessions(browser):
    browser.driver.delete_all_cookies()
    browser.driver.get_log("browser")


def test_glewlwyd_own_pages_lead_back_to_the_client(glewlwyd, browser):
    with ScriptedProvider() as application:
        application.on("/callback", Answer(text="<h1>back</h1>"))
        redirect_uri = application.base + "/callback"
        client = glewlwyd.add_client([redirect_uri])
        browser.open(glewlwyd.authorize_uri + "?" + urlencode({
            "response_type": "code", "client_id": client.id, "redirect_uri": redirect_uri, "state": "some state",
            "scope": "mail files", "code_challenge": "c" * 43, "code_challenge_method": "plain"}))
        browser.log_in_at_glewlwyd(glewlwyd.user)
        browser.until_address(redirect_uri)
        query = application.requests_to("/callback")[0].query
    assert query["state"] == "some state" and query["code"]


def test_login_at_glewlwyd_shows_success_and_serves_a_token(prepare, glewlwyd, browser, tmp_path):
    daemon = prepare()
    client = glewlwyd.add_client([daemon.redirect_uri])
    daemon.write_iclient(documents.iclient(glewlwyd, (client.id, client.secret), "authorizecode"))
    daemon.start()
    browser.open(daemon.authorize())
    browser.log_in_at_glewlwyd(glewlwyd.user)
    browser.until_address(daemon.redirect_uri)
    browser.screenshot(tmp_path / "success.png")
    assert "crm" in browser.text
    token = daemon.token().json()["access_token"]
    assert glewlwyd.introspect(token, client)["active"] is True
    assert token not in browser.driver.page_source


def test_page_of_iclientctl_leads_to_the_login(launch, provider, browser, tmp_path):
    """The whole way: what xdg-open is given, opened as a file."""
    daemon = launch(documents.code(provider))
    opener, note = tmp_path / "xdg-open", tmp_path / "note"
    opener.write_text(f"#!/bin/sh\nprintf %s \"$1\" >{note}.new; mv {note}.new {note}\n")
    opener.chmod(0o755)
    variables = {"DISPLAY": ":9", "PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen([daemon.binary("iclientctl"), "login", "crm"], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**daemon._environment(), **variables}) as login:
        wait_until(note.exists, what="the browser")
        address = note.read_text()
        assert address.startswith("file://")
        browser.open(address)
        browser.until_address(daemon.redirect_uri)
        assert login.wait(PATIENCE) == 0
    assert "crm" in browser.text and daemon.token().status == 200


def test_denied_consent_shows_what_to_do(launch, provider, browser, tmp_path):
    daemon = launch(documents.code(provider))
    provider.callback_changes = {"code": None, "error": "access_denied", "error_description": "<b id=bold>No</b>, she said"}
    browser.open(daemon.authorize())
    browser.until_address(daemon.redirect_uri)
    browser.screenshot(tmp_path / "denied.png")
    assert "access_denied" in browser.text or "denied" in browser.text.lower()
    assert not browser.driver.find_elements("id", "bold")
    assert daemon.state() == "authorization_required"


def test_used_ticket_shows_that_it_is_used(launch, provider, browser, tmp_path):
    daemon = launch(documents.code(provider))
    connect_url = daemon.authorize()
    browser.open(connect_url)
    browser.until_address(daemon.redirect_uri)
    exchanges = provider.count()
    browser.open(connect_url)
    browser.screenshot(tmp_path / "replayed.png")
    assert "iclientctl login" in browser.text or "again" in browser.text.lower()
    assert provider.count() == exchanges == 1


def test_page_carries_no_script_and_loads_nothing(launch, provider, browser):
    daemon = launch(documents.code(provider))
    browser.open(daemon.authorize())
    browser.until_address(daemon.redirect_uri)
    assert not browser.driver.find_elements("tag name", "script")
    # What the page's own policy blocked would stand in the console.
    assert [entry for entry in browser.driver.get_log("browser") if "favicon" not in entry["message"]] == []
