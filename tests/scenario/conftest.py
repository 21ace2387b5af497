import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.glewlwyd import Glewlwyd
from fakes.scripted_provider import ScriptedProvider


@pytest.fixture(scope="session")
def glewlwyd():
    with Glewlwyd() as server:
        yield server


@pytest.fixture
def provider():
    with ScriptedProvider() as server:
        yield server
