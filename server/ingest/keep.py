"""Writes readings down whose owner is known: their rows, and who is to be asked about at once. In the caller's
transaction, from a gateway's message and from a person's hand alike.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerts.intake import LATE_AFTER
from server.db import tables
from server.db.bulk import FEW, add, together
from server.db.dialect import due_at_latest, numbered
from server.ingest.claim import Unclaimed
from server.ingest.quiet import quiet
from vitals import failpoint
from vitals.frozen import quick
from vitals.reading import GatewayId, Reading

_SAID = "person"  # where `taken_at` comes from when no gateway heard the reading


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A reading that nobody has stored yet, and whose it is. `gateway` None: a person entered it by hand."""

    reading: Reading
    municipality: str
    gateway: GatewayId | None
    whose: str | Unclaimed  # the patient's id, or why it is nobody's


def keep(
    connection: Connection, fresh: Sequence[Claimed], now: datetime, *, free: Iterable[Any], allowed: Iterable[Any]
) -> int:
    """Store each of them and put the patients concerned on the slate; how many those are.

    `free` and `allowed` are the answers to `next_numbers`, for at least as many readings, and to either question of
    `quiet` about at least their patients, asked in this transaction.
    """
    arrived: dict[str, list[Claimed]] = {}
    for each in fresh:
        if not isinstance(each.whose, Unclaimed):
            arrived.setdefault(each.whose, []).append(each)
    may_wait = quiet(
        allowed, {patient: [each.reading for each in claimed] for patient, claimed in arrived.items()}, now
    )
    numbers = numbered(free)[tables.reading][: len(fresh)]
    rows = [_reading_row(number, each, now, may_wait) for number, each in zip(numbers, fresh, strict=True)]
    # By id and not by arrival: two processes with the same readings then wait for each other and form no knot.
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    values = [
        row for each, reading in zip(fresh, rows, strict=True) for row in _measurement_rows(each.reading, reading)
    ]
    due = {patient: came for patient, came in arrived.items() if patient not in may_wait}
    with together(connection) if len(values) <= FEW else nullcontext():
        # Before anything is stored: who waits here for somebody's turn must hold nothing that they wait for.
        _put_on_slate(connection, due, now)
        add(connection, tables.reading, ordered)
        failpoint.reach("ingest.recording")
        add(connection, tables.measurement, values)
    return len(due)


def _put_on_slate(connection: Connection, due: Mapping[str, Sequence[Claimed]], now: datetime) -> None:
    """Have the rules asked at once about these patients, of whom these readings came."""
    late = {patient for patient, came in due.items() if all(now - each.reading.taken_at > LATE_AFTER for each in came)}
    due_at_latest(connection, [(patient, came[0].municipality) for patient, came in due.items()], now, late)


def _reading_row(seq: int, claimed: Claimed, now: datetime, may_wait: Container[str]) -> dict[str, Any]:
    reading, whose = claimed.reading, claimed.whose
    nobody = isinstance(whose, Unclaimed)
    return {
        "seq": seq,
        "id": reading.id,
        "municipality_id": claimed.municipality,
        "gateway_id": claimed.gateway,
        "patient_id": None if nobody else whose,
        "unclaimed": str(whose) if nobody else None,
        "device": reading.device,
        "model": reading.model,
        "taken_at": reading.taken_at,
        "received_at": now,
        "clock": reading.clock.value if claimed.gateway is not None else _SAID,
        "offset_s": reading.offset_s,
        "quality": reading.quality.value,
        "flags": list(reading.flags),
        "battery": reading.battery,
        "quiet": whose in may_wait,
    }


def _measurement_rows(reading: Reading, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "reading_seq": row["seq"],
            "metric": each.metric,
            "municipality_id": row["municipality_id"],
            "patient_id": row["patient_id"],
            "taken_at": row["taken_at"],
            "value": each.value,
        }
        for each in reading.measurements
    ]
