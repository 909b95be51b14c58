"""What must be true once everything has come to rest: nothing lost, doubled, missed or made up."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from alerts import engine
from alerts import memory as memories
from alerts.priority import Priority
from alerts.view import PatientView
from server.access import system
from server.db import tables
from server.reports.recorded import replayed
from server.watch.patient import load, readings
from tests.simulation.home import OSLO, Home
from tests.simulation.ledger import Record

_SOON = timedelta(seconds=5)  # the doorbell may ring a little late
# From each state, what may be said of an alert, and the states it may then be in: written from docs/lifecycle.md.
_ANY = {"notice", "evidence", "incident", "priority", "snoozed"}
_MOVES: Mapping[str, Mapping[str, set[str]]] = {
    "": {"pending": {"pending"}, "raised": {"active", "cleared"}},
    "pending": {"raised": {"active"}, "withdrawn": {"withdrawn"}},
    "active": {
        "acknowledged": {"acknowledged"},
        "resolved": {"resolved"},
        "worsened": {"active"},
        "over": {"cleared", "active"},
        "returned": {"active"},
    },
    "acknowledged": {
        "worsened": {"active"},
        "returned": {"active"},
        "over": {"acknowledged"},
        "taken_over": {"acknowledged"},
        "released": {"active", "cleared"},
        "dispatched": {"acknowledged"},
        "dispatch_accepted": {"acknowledged"},
        "dispatch_refused": {"acknowledged"},
        "resolved": {"resolved"},
    },
    "cleared": {
        "returned": {"active"},
        "acknowledged": {"acknowledged", "resolved"},
        "resolved": {"resolved"},
        "over": {"cleared"},
    },
    "resolved": {},
    "withdrawn": {},
}


def judge(connection: Connection, homes: Sequence[Home], told: Sequence[int], now: datetime) -> Iterator[str]:
    """Everything that is wrong in the end, in words."""
    for home in homes:
        if home.process is None or home.process.spool.depth:
            yield f"{home.name}: the spool is not empty"
        for device in home.devices:
            if device.records:
                yield f"{device.address} still has {len(device.records)} records"
    yield from _stored_once(connection, [record for home in homes for record in home.ledger.kept])
    yield from nothing_waits(connection, now)
    yield from notices(connection, told)
    yield from lives(connection)
    for patient in connection.execute(select(tables.patient.c.id).order_by(tables.patient.c.id)).scalars():
        verdict = replayed(connection, system(), patient)
        yield from (f"{patient}: {each}" for each in (*verdict.differences, *verdict.not_covered))
        yield from memory_is_the_fold(connection, patient, now)


def _stored_once(connection: Connection, kept: Sequence[Record]) -> Iterator[str]:
    """Promise 1: lost 0, duplicate 0, and nothing that nobody measured; taken when it was true."""
    table, value = tables.reading, tables.measurement
    numbers: dict[int, dict[str, int]] = defaultdict(dict)
    for seq, metric, amount in connection.execute(select(value.c.reading_seq, value.c.metric, value.c.value)):
        numbers[seq][metric] = int(amount)
    stored: Counter[tuple[str, int, int]] = Counter()
    shown = defaultdict(set)
    for record in kept:
        if record.shown is not None:
            shown[record.values].add(record.shown.replace(tzinfo=OSLO).astimezone(UTC))
    for row in connection.execute(select(table)):
        values = (row.device, numbers[row.seq]["spo2"], numbers[row.seq]["pulse"])
        stored[values] += 1
        if row.unclaimed is not None:
            yield f"nobody has {values}: {row.unclaimed}"
        if row.clock == "device" and row.taken_at not in shown[values]:
            yield f"{values} was not taken at {row.taken_at}"
    expected = Counter(record.values for record in kept)
    yield from (f"lost: {number} x {values}" for values, number in sorted((expected - stored).items()))
    yield from (f"duplicate: {number} x {values}" for values, number in sorted((stored - expected).items()))


def nothing_waits(connection: Connection, now: datetime) -> Iterator[str]:
    reading, due, kept = tables.reading, tables.due, tables.quarantine
    unjudged = (reading.c.patient_id.is_not(None), reading.c.evaluation_seq.is_(None), reading.c.quiet.is_(False))
    unseen = select(func.count()).where(*unjudged)
    if waiting := connection.execute(unseen).scalar():
        yield f"{waiting} readings that nobody has judged"
    late = connection.execute(select(due.c.patient_id).where(due.c.evaluate_at < now - _SOON)).scalars()
    yield from (f"{patient} is due and nobody comes" for patient in late)
    for kind, reason in connection.execute(select(kept.c.kind, kept.c.reason)):
        if kind != "future_time":  # from a gateway whose clock is ahead; it came again
            yield f"quarantine: {kind}: {reason}"


def notices(connection: Connection, told: Sequence[int]) -> Iterator[str]:
    """Every notice went out, or was tried as often as promised; one that a channel took is never called failed."""
    table, reached = tables.outbox, set(told)
    facts = select(func.count()).where(tables.fact.c.kind == "notice")
    if connection.execute(facts).scalar() != connection.execute(select(func.count()).select_from(table)).scalar():
        yield "the outbox does not hold every notice once"
    for row in connection.execute(select(table.c.seq, table.c.state)):
        if row.state == "waiting":
            yield f"notice {row.seq} still waits"
        if row.state == "sent" and row.seq not in reached:
            yield f"notice {row.seq} is called sent, and nobody was told"


def lives(connection: Connection) -> Iterator[str]:
    """Every transition legal; nothing of medium or more resolved, and no high one gone, without a person."""
    fact, alert = tables.fact, tables.alert
    lives: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(select(fact).where(fact.c.alert_id.is_not(None)).order_by(fact.c.seq)):
        lives[row.alert_id].append(row)
    for row in connection.execute(select(alert.c.id, alert.c.state, alert.c.highest, alert.c.rule)):
        states = {""}
        for said in lives.pop(row.id, []):
            if said.kind in _ANY:
                continue
            after = set().union(*(_MOVES[state].get(said.kind, set()) for state in states))
            if said.kind == "resolved" and said.by is None:
                if Priority.of(row.highest) >= Priority.MEDIUM:
                    yield f"{row.rule} {row.id} was {row.highest} and resolved by nobody"
                after |= {"resolved"}
            if not after:
                yield f"{row.rule} {row.id}: {said.kind} while {' or '.join(sorted(states))}"
            states = after
        if row.state not in states:
            yield f"{row.rule} {row.id} is {row.state}; what was said of it leads to {sorted(states)}"
    yield from (f"facts about an alert that is not there: {name}" for name in lives)


def memory_is_the_fold(connection: Connection, patient: str, now: datetime) -> Iterator[str]:
    """Asked from memory the rules say what they say when asked about everything ever measured, in event order."""
    loaded = load(connection, patient)
    assert loaded is not None
    view = loaded.view
    rows = readings(connection, patient, tables.reading.c.taken_at >= view.plan.starts_at)
    whole: PatientView = replace(view, complete=True, arrivals=tuple(each for _, each in rows))
    remembered, folded = engine.step(view, now), engine.step(whole, now)
    if memories.dump(remembered.memory) != memories.dump(folded.memory):
        yield f"{patient}: the memory is not what the readings come to"
    if (remembered.alerts, remembered.facts) != (folded.alerts, folded.facts):
        yield f"{patient}: the rules say something else when they are asked about all readings"
