"""The keys of the gateways that a batch of messages speaks of."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from server.db import tables
from server.db.asking import Within, asked_about
from server.ingest.receive import KnownGateway
from server.vault import Vault
from vitals.reading import GatewayId
from vitals.topics import TopicError, parse_topic


class KeyRing:
    """Opens the gateways' keys, each only once. Gateways are looked up for each batch: a revoked one is refused."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[bytes, bytes] = {}

    def opened(self, gateways: Iterable[Any]) -> dict[GatewayId, KnownGateway]:
        """The gateways whose rows the question `enrolled` gave."""
        return {
            GatewayId(row.id): KnownGateway(municipality=row.municipality_id, key=self._open(row.key))
            for row in gateways
        }

    def _open(self, closed: bytes) -> bytes:
        if closed not in self._opened:
            self._opened[closed] = bytes.fromhex(self._vault.open(closed))
        return self._opened[closed]


@asked_about
def enrolled(within: Within) -> Select[Any]:
    """Those of these gateways that are enrolled and not revoked, and their closed keys."""
    gateway = tables.gateway.c
    return select(gateway.id, gateway.municipality_id, gateway.key).where(within(gateway.id), gateway.active)


def named_in(topics: Iterable[str]) -> set[GatewayId]:
    """The gateways that these topics name."""
    return {gateway for topic in set(topics) if (gateway := _gateway_of(topic)) is not None}


def _gateway_of(topic: str) -> GatewayId | None:
    try:
        return parse_topic(topic).gateway
    except TopicError:
        return None
