"""Joins receive and record: takes in a batch of messages, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from server.ingest.ahead import look_ahead
from server.ingest.gateways import KeyRing
from server.ingest.receive import KnownGateway, receive
from server.ingest.record import Message, Recorded, record
from vitals.reading import GatewayId


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """A batch, true only once its transaction is committed, with the keys that its receipts are sealed with."""

    recorded: Recorded
    known: Mapping[GatewayId, KnownGateway]


def take_in(
    connection: Connection, keys: KeyRing, came: Sequence[tuple[str, bytes]], now: datetime, *, rows_max: int = 100_000
) -> TakenIn:
    """Receive messages (topic, payload) and record what they are; quarantine may grow to `rows_max`."""
    gateways, ahead = look_ahead(connection, came, now)
    known = keys.opened(gateways)
    messages = [Message(topic=where, payload=what, received=receive(where, what, known, now)) for where, what in came]
    return TakenIn(recorded=record(connection, messages, ahead, now, rows_max=rows_max), known=known)
