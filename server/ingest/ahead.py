"""All that storing a batch needs to know, asked in one journey and before a seal was looked at.

Whose key proves a message is in the database, and so is whose device it speaks of. To ask for the one and then for the
other is two journeys for a batch of a few readings, which wait for both. So it is asked about what the messages claim
to be. Nothing is believed for it: an answer about what no seal proves is left lying, and when a reading turns out to be
another than its message seemed to hold, it is asked about the readings themselves (`found`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from server.db import tables
from server.db.asking import Question, Within, ask, asked_about
from server.db.dialect import devices_stay, next_numbers
from server.ingest.claim import assignments
from server.ingest.gateways import enrolled, named_in
from server.ingest.quiet import envelopes_by_device
from server.ingest.receive import Arrived
from vitals.reading import DeviceId, ReadingId
from vitals.topics import Lane
from vitals.wire_plain import glimpse

_READINGS = f"/{Lane.READINGS}"
_About = tuple[ReadingId, DeviceId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the tables hold of the readings in a batch, unread. `about`: which were asked about."""

    about: frozenset[_About] = frozenset()
    stored: Sequence[Any] = ()
    assigned: Sequence[Any] = ()
    free: Sequence[Any] = ()
    allowed: Sequence[Any] = ()


def look_ahead(
    connection: Connection, batch: Sequence[tuple[str, bytes]], now: datetime
) -> tuple[Sequence[Any], Found]:
    """The gateways that a batch (topic, payload) names, and what is found of the readings that it seems to hold."""
    gateways = enrolled.about(named_in(topic for topic, _ in batch))
    claims = [glimpse(payload) for topic, payload in batch if topic.endswith(_READINGS)]
    about = frozenset(each for each in claims if each is not None)
    if not about:
        return ask(connection, gateways)[0], Found()
    rows, *answers = ask(connection, gateways, *_questions(about, len(claims), now))
    return rows, _found(about, answers)


def found(connection: Connection, ahead: Found, arrived: Iterable[Arrived], now: datetime) -> Found:
    """What the tables hold of these readings: what was asked ahead, when it was asked about each of them."""
    readings = [(each.reading.id, each.reading.device) for each in arrived]
    about = frozenset(readings)
    if about <= ahead.about:
        return ahead
    return _found(about, ask(connection, *_questions(about, len(readings), now)))


def _questions(about: frozenset[_About], count: int, now: datetime) -> Iterable[Question]:
    devices = {device for _, device in about}
    yield devices_stay()
    yield _stored.about({reading for reading, _ in about})
    yield assignments.about(devices)
    yield next_numbers({tables.reading: count})
    yield envelopes_by_device.about(devices, now=now)


def _found(about: frozenset[_About], answers: Sequence[Sequence[Any]]) -> Found:
    _, stored, assigned, free, allowed = answers
    return Found(about=about, stored=stored, assigned=assigned, free=free, allowed=allowed)


@asked_about
def _stored(within: Within) -> Select[Any]:
    reading = tables.reading.c
    return select(reading.gateway_id, reading.id, reading.patient_id).where(within(reading.id))
