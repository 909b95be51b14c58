"""A server of both kinds for the asking, and ends of lines that lose their patience sooner than in life."""

import pytest

from gateway import uplink
from server.ingest import mqtt, worker
from tests.server.conftest import address, database, migrated, world

__all__ = ["address", "database", "impatient", "migrated", "world"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead peer is noticed after some two seconds instead of 45, and dialled again after one."""
    monkeypatch.setattr(uplink, "_KEEPALIVE_S", 1)
    monkeypatch.setattr(uplink, "_DIAL_S", 5.0)
    monkeypatch.setattr(mqtt, "_KEEP_ALIVE_SECONDS", 1)
    monkeypatch.setattr(mqtt, "_RECONNECT_SECONDS", (1, 1))
    monkeypatch.setattr(worker, "_RETRY_SECONDS", 0.1)
