"""A server, a session and a key for the tests of the API engine."""

import pytest

from inference.api_session import ApiSession
from tests.inference.api_world import KEY
from tests.inference.fault_proxy import Provider


@pytest.fixture
def key(monkeypatch):
    """What engines of `tests.inference.api_world` find in their environment."""
    monkeypatch.setenv("TEST_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def session(tmp_path):
    with ApiSession(tmp_path / "cache") as session:
        yield session


@pytest.fixture
def provider():
    with Provider() as provider:
        yield provider
