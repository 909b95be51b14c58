"""The keys of the gateways that a batch of messages speaks of."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, select

from server.db import tables
from server.db.asking import Within, asked_about
from server.ingest.receive import KnownGateway
from server.vault import Vault
from vitals.reading import GatewayId
from vitals.topics import TopicError, parse_topic


class KeyRing:
    """Looks gateways up for each batch, so that a revoked one is refused at once; opens each key only once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[bytes, bytes] = {}

    def known(self, connection: Connection, topics: Iterable[str]) -> dict[GatewayId, KnownGateway]:
        """Those of the gateways named in `topics` that are enrolled and not revoked."""
        ids = {gateway for topic in set(topics) if (gateway := _gateway_of(topic)) is not None}
        return {
            GatewayId(row.id): KnownGateway(municipality=row.municipality_id, key=self._open(row.key))
            for row in _enrolled(connection, ids)
        }

    def _open(self, closed: bytes) -> bytes:
        if closed not in self._opened:
            self._opened[closed] = bytes.fromhex(self._vault.open(closed))
        return self._opened[closed]


@asked_about
def _enrolled(within: Within) -> Select[Any]:
    gateway = tables.gateway.c
    return select(gateway.id, gateway.municipality_id, gateway.key).where(within(gateway.id), gateway.active)


def _gateway_of(topic: str) -> GatewayId | None:
    try:
        return parse_topic(topic).gateway
    except TopicError:
        return None
