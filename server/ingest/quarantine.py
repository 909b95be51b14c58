"""What was refused, kept with its bytes and a reason in words until a person has looked at it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, func, select, update

from server.access import Actor, scope
from server.db import tables
from server.db.dialect import count_again
from server.ingest.receive import Kind

_PAYLOAD_BYTES_MAX = 32_768  # twice what the wire allows: enough to see what it was
_TOPIC_MAX = 200
_REMOVED = "removed"
# What anybody on the broker can send in any number, and what its gateway keeps and sends again: neither may push out
# the only copy of what our own gateways reported.
_STRANGERS = (Kind.UNSEALED, Kind.FOREIGN_GATEWAY, Kind.UNKNOWN_GATEWAY, Kind.WRONG_TOPIC, Kind.SERVER_FAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One refused message on its way into quarantine."""

    kind: Kind
    reason: str
    topic: str
    payload: bytes
    municipality: str | None = None
    gateway: str | None = None
    device: str | None = None
    message_id: str | None = None


def keep(connection: Connection, kept: Sequence[Kept], now: datetime) -> None:
    """Store refused messages; the same content again only counts."""
    if not kept:
        return
    host = connection.execute(
        select(tables.municipality.c.municipality_id).where(tables.municipality.c.hosts)
    ).scalar_one_or_none()
    count_again(connection, [_row(each, each.municipality or host, now) for each in kept])


def trim(connection: Connection, rows_max: int, now: datetime) -> int:
    """Make room when there are more than `rows_max`: resolved first, then strangers', then the oldest.

    Returns how many went; a row of kind "removed" says so to whoever looks.
    """
    table = tables.quarantine
    excess = (connection.execute(select(func.count()).select_from(table)).scalar() or 0) - rows_max
    if excess <= 0:
        return 0
    order = case((table.c.state == "resolved", 0), (table.c.kind.in_(_STRANGERS), 1), else_=2)
    victims = select(table.c.seq).where(table.c.kind != _REMOVED).order_by(order, table.c.seq).limit(excess)
    gone = connection.execute(delete(table).where(table.c.seq.in_(victims))).rowcount
    reason = f"Older entries were removed because there were more than {rows_max}; the count says how many."
    host = connection.execute(select(tables.municipality.c.municipality_id).where(tables.municipality.c.hosts)).scalar()
    row = _row(Kept(kind=Kind.WRONG_TOPIC, reason=reason, topic="", payload=b""), host, now)
    count_again(connection, [row | {"kind": _REMOVED, "times": gone, "digest": _REMOVED}])
    return gone


def resolve(connection: Connection, actor: Actor, seq: int, now: datetime) -> bool:
    """Say that a person has dealt with it; False when there is no such open row for this actor."""
    table = tables.quarantine
    statement = update(table).where(table.c.seq == seq, table.c.state == "open")
    done = statement.values(state="resolved", resolved_by=actor.id, resolved_at=now)
    return connection.execute(scope(done, table, actor)).rowcount == 1


def _row(kept: Kept, municipality: str | None, now: datetime) -> dict[str, object]:
    return {
        "municipality_id": municipality,
        "gateway": kept.gateway,
        "kind": str(kept.kind),
        "reason": kept.reason,
        "device": kept.device,
        "message_id": kept.message_id,
        "topic": kept.topic[:_TOPIC_MAX],
        "payload": kept.payload[:_PAYLOAD_BYTES_MAX],
        "payload_bytes": len(kept.payload),
        "digest": hashlib.sha256(kept.topic.encode() + b"\n" + kept.payload).hexdigest(),
        "times": 1,
        "first_at": now,
        "last_at": now,
        "state": "open",
    }
