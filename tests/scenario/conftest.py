import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from daemon import Daemon
from fakes.authlib_server import AuthlibServer
from fakes.glewlwyd import Glewlwyd
from fakes.scripted_provider import ScriptedProvider
from small_disk import SmallDisk


@pytest.fixture(scope="session")
def glewlwyd():
    with Glewlwyd() as server:
        yield server


@pytest.fixture(scope="session")
def authlib():
    with AuthlibServer() as server:
        yield server


@pytest.fixture
def provider():
    with ScriptedProvider() as server:
        yield server


@pytest.fixture
def prepare(request):
    """prepare(*iclients, connections=[…], config={…}, kind=…): a daemon that is configured but not started."""
    ends = contextlib.ExitStack()
    servers = [request.getfixturevalue(name) for name in ("provider", "authlib") if name in request.fixturenames]

    def make(*iclients, connections=(), config=None, kind=Daemon):
        daemon = kind(config)
        ends.callback(daemon.finish)
        daemon.secret_sources += [server.secrets_issued for server in servers]
        for document in iclients:
            daemon.write_iclient(document)
        for document in connections:
            daemon.write_connection(document)
        return daemon

    with ends:
        yield make


@pytest.fixture
def launch(prepare):
    """The same, started."""
    return lambda *iclients, **options: prepare(*iclients, **options).start()


@pytest.fixture
def small_disk():
    """small_disk(daemon): its state folder becomes a file system of 512 KiB, or of as many as size says."""
    with contextlib.ExitStack() as ends:
        def mount(daemon, size=512):
            disk = SmallDisk(daemon.state_dir, size)
            ends.callback(disk.unmount)
            return disk

        yield mount
