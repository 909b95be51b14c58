"""Records a batch of received messages in the caller's transaction and says what may be receipted after its COMMIT."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from server.db import tables
from server.db.dialect import put
from server.ingest import commands, quarantine
from server.ingest.ahead import Found, found
from server.ingest.claim import Register, Unclaimed, owner, register
from server.ingest.keep import Claimed, keep
from server.ingest.quarantine import Kept
from server.ingest.receive import Arrived, Kind, Received, Refusal, Reported, Unreadable
from vitals.frozen import quick
from vitals.reading import GatewayId, ReadingId
from vitals.wire import Receipt, Rejection


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it came, and what it is."""

    topic: str
    payload: bytes
    received: Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a batch came to; true only once its transaction is committed."""

    receipts: Mapping[GatewayId, Receipt]
    readings: Counter[str]  # new | duplicate | unclaimed
    quarantined: Counter[str]  # by kind; readings of unknown devices are counted here too
    due: int  # patients put on the slate for now
    removed: int  # rows that quarantine had no room for


_RESULTS = {None: "new", Unclaimed.HEARD_TWICE: "duplicate"}


@dataclass(slots=True)
class _Batch:
    """The sums of one batch while it is being recorded."""

    accepted: dict[GatewayId, list[ReadingId]] = field(default_factory=dict)
    rejected: dict[GatewayId, list[Rejection]] = field(default_factory=dict)
    readings: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)

    def receipts(self) -> dict[GatewayId, Receipt]:
        gateways = [*self.accepted, *(each for each in self.rejected if each not in self.accepted)]
        return {
            each: Receipt(accepted=tuple(self.accepted.get(each, ())), rejected=tuple(self.rejected.get(each, ())))
            for each in gateways
        }


def record(
    connection: Connection, messages: Sequence[Message], ahead: Found, now: datetime, *, rows_max: int
) -> Recorded:
    """Store every message once: readings, quarantine, states of gateways; put the patients concerned on the slate.

    `ahead`: what was found of the readings before it was known what the messages are.
    """
    batch = _Batch()
    arrived = [each.received for each in messages if isinstance(each.received, Arrived)]
    due = _record_readings(connection, arrived, ahead, now, batch) if arrived else 0
    kept = [each for message in messages if (each := _to_keep(message, batch)) is not None]
    quarantine.keep(connection, kept, now)
    removed = quarantine.trim(connection, rows_max, now) if kept else 0
    reported = [each.received for each in messages if isinstance(each.received, Reported)]
    for status in sorted(reported, key=lambda one: one.gateway):  # its own messages stay in their order
        _record_status(connection, status, now)
    return Recorded(
        receipts=batch.receipts(),
        readings=batch.readings,
        quarantined=batch.quarantined,
        due=due,
        removed=removed,
    )


def _record_readings(
    connection: Connection, arrived: Sequence[Arrived], ahead: Found, now: datetime, batch: _Batch
) -> int:
    for each in arrived:
        batch.accepted.setdefault(each.gateway, []).append(each.reading.id)
    tables_hold = found(connection, ahead, arrived, now)
    fresh, heard = _unseen(arrived, tables_hold.stored)
    batch.readings["duplicate"] += len(arrived) - len(fresh)
    if not fresh:
        return 0
    known = register(tables_hold.assigned)
    claimed = [
        Claimed(
            reading=each.reading,
            municipality=each.municipality,
            gateway=each.gateway,
            whose=_whose(each, known, heard),
        )
        for each in fresh
    ]
    due = keep(connection, claimed, now, free=tables_hold.free, allowed=tables_hold.allowed)
    for one in claimed:
        nobodys = one.whose if isinstance(one.whose, Unclaimed) else None
        batch.readings[_RESULTS.get(nobodys, "unclaimed")] += 1
        if nobodys is Unclaimed.UNKNOWN_DEVICE:
            batch.quarantined[nobodys] += 1
    return due


def _unseen(arrived: Sequence[Arrived], stored: Sequence[Any]) -> tuple[list[Arrived], set[tuple[str, str]]]:
    """Those not stored yet, each once, in the order of arrival; and whose of their ids are stored (patient, id)."""
    first: dict[tuple[GatewayId, ReadingId], Arrived] = {}
    for each in arrived:
        first.setdefault((each.gateway, each.reading.id), each)
    heard = set()
    for row in stored:
        first.pop((row.gateway_id, row.id), None)
        if row.patient_id is not None:
            heard.add((row.patient_id, row.id))
    return list(first.values()), heard


def _whose(arrived: Arrived, known: Register, heard: set[tuple[str, str]]) -> str | Unclaimed:
    """The patient's id, or why it is nobody's; one that two of his gateways heard is his once."""
    whose = owner(known, arrived)
    if isinstance(whose, Unclaimed):
        return whose
    if (whose, arrived.reading.id) in heard:
        return Unclaimed.HEARD_TWICE
    heard.add((whose, arrived.reading.id))
    return whose


def _to_keep(message: Message, batch: _Batch) -> Kept | None:
    """What of this message belongs in quarantine; notes what its receipt will say."""
    received = message.received
    if isinstance(received, Unreadable):
        frame = received.frame
        batch.accepted.setdefault(received.gateway, []).append(frame.id)
        batch.quarantined[Kind.UNDECODABLE_FRAME] += 1
        return Kept(
            kind=Kind.UNDECODABLE_FRAME,
            reason=f"Characteristic {frame.characteristic}: {frame.reason}",
            topic=message.topic,
            payload=message.payload,
            municipality=received.municipality,
            gateway=received.gateway,
            device=frame.device,
            message_id=frame.id,
        )
    if isinstance(received, Refusal):
        if received.is_final and received.gateway and received.message_id:
            rejection = Rejection(id=received.message_id, reason=received.reason)
            batch.rejected.setdefault(received.gateway, []).append(rejection)
        batch.quarantined[received.kind] += 1
        return Kept(
            kind=received.kind,
            reason=received.reason,
            topic=message.topic,
            payload=message.payload,
            municipality=received.municipality,
            gateway=received.gateway,
            message_id=received.message_id,
        )
    return None


def _record_status(connection: Connection, reported: Reported, now: datetime) -> None:
    status, table = reported.status, tables.gateway_status
    # Every process hears every status: two that write down the same silence take turns, so that it is one.
    gateway = select(tables.gateway.c.id).where(tables.gateway.c.id == reported.gateway)
    connection.execute(gateway.with_for_update(key_share=True))
    own = table.c.gateway_id == reported.gateway
    if not status.online and connection.execute(select(table.c.gateway_id).where(own)).first():
        # A last will knows nothing more, so what the gateway said before stays.
        connection.execute(update(table).where(own).values(online=False, received_at=now))
    else:
        row = {
            "gateway_id": reported.gateway,
            "municipality_id": reported.municipality,
            "online": status.online,
            "at": status.at,
            "battery": status.battery,
            "spool": status.spool,
            "refused": status.refused,
            "heard": dict(status.heard),
            "versions": dict(status.versions),
            "more": dict(status.more),
            "received_at": now,
        }
        put(connection, table, row)
        commands.note(connection, reported.gateway, status.commands, now)
    _record_outage(connection, reported, now)


def _record_outage(connection: Connection, reported: Reported, now: datetime) -> None:
    table = tables.gateway_outage
    running = (table.c.gateway_id == reported.gateway) & table.c.ends_at.is_(None)
    if reported.status.online:
        connection.execute(update(table).where(running).values(ends_at=now))
    elif connection.execute(select(table.c.seq).where(running)).first() is None:
        row = {"municipality_id": reported.municipality, "gateway_id": reported.gateway, "starts_at": now}
        connection.execute(insert(table).values(row))
