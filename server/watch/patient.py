"""One patient between the tables and the rules: loads what the engine may know, saves what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from alerts import memory as memories
from alerts.alert import OPEN, Alert, from_mapping, to_mapping
from alerts.command import Command
from alerts.fact import Fact, FactKind
from alerts.view import Arrival, PatientView, Step
from server.care import plans
from server.db import tables
from server.db.dialect import numbers, put
from vitals import failpoint
from vitals.reading import Quality

_READINGS_AT_ONCE = 10_000  # ids in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A patient as the engine sees him, and what is needed to save its answer."""

    view: PatientView
    municipality: str
    unjudged: tuple[int, ...]  # numbers of the readings that this evaluation is the first to see
    stored: Mapping[str, tuple[Mapping[str, Any], int]]  # alert id -> body and version


def load(connection: Connection, patient: str, command: Command | None = None) -> Loaded | None:
    """The patient's view, complete when the engine wants it so; None when no plan judges him."""
    plan = plans.active(connection, patient)
    if plan is None:
        return None
    municipality = connection.execute(
        select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    ).scalar_one()
    memory = _memory(connection, patient)
    reading = tables.reading
    fresh = readings(connection, patient, reading.c.evaluation_seq.is_(None))
    arrivals = tuple(each for _, each in fresh if each.taken_at >= plan.starts_at)
    complete = memories.needs_history(memory, arrivals, plan=plan, command=command)
    if complete:
        arrivals = tuple(each for _, each in readings(connection, patient, reading.c.taken_at >= plan.starts_at))
    stored = _open_alerts(connection, patient)
    return Loaded(
        view=PatientView(
            patient=patient,
            plan=plan,
            memory=memory,
            arrivals=arrivals,
            complete=complete,
            alerts=tuple(from_mapping(row.body) for row in stored),
        ),
        municipality=municipality,
        unjudged=tuple(seq for seq, _ in fresh),
        stored={row.id: (row.body, row.version) for row in stored},
    )


def save(connection: Connection, loaded: Loaded, step: Step, now: datetime, click: Mapping[str, Any] | None) -> None:
    """Everything that a step said, and that it was asked."""
    patient, municipality = loaded.view.patient, loaded.municipality
    (evaluation,) = numbers(connection, tables.evaluation, 1)
    asked = {
        "seq": evaluation,
        "municipality_id": municipality,
        "patient_id": patient,
        "at": now,
        "plan_version": loaded.view.plan.version,
        "click": click,
    }
    connection.execute(insert(tables.evaluation).values(asked))
    reading = tables.reading
    for start in range(0, len(loaded.unjudged), _READINGS_AT_ONCE):
        part = loaded.unjudged[start : start + _READINGS_AT_ONCE]
        connection.execute(update(reading).where(reading.c.seq.in_(part)).values(evaluation_seq=evaluation))
    for alert in step.alerts:
        _save_alert(connection, loaded, alert, now)
    _save_facts(connection, loaded, step.facts, now)
    failpoint.reach("watch.saving")
    remembered = {
        "patient_id": patient,
        "municipality_id": municipality,
        "body": memories.dump(step.memory),
        "zone": str(step.zone),
        "updated_at": now,
    }
    put(connection, tables.memory, remembered)
    put_on_slate(connection, patient, municipality, step.wake_at)


def put_on_slate(connection: Connection, patient: str, municipality: str, wake_at: datetime | None) -> None:
    """Be asked again at `wake_at`, or only when something comes."""
    if wake_at is None:
        connection.execute(delete(tables.due).where(tables.due.c.patient_id == patient))
        return
    row = {"patient_id": patient, "municipality_id": municipality, "evaluate_at": wake_at}
    put(connection, tables.due, row | {"failures": 0, "trouble": None})


def _memory(connection: Connection, patient: str) -> memories.Memory | None:
    table = tables.memory
    body = connection.execute(select(table.c.body).where(table.c.patient_id == patient)).scalar()
    return None if body is None else memories.load(body)


def _open_alerts(connection: Connection, patient: str) -> Sequence[Any]:
    table = tables.alert
    statement = select(table.c.id, table.c.body, table.c.version).where(
        table.c.patient_id == patient, table.c.state.in_(sorted(OPEN))
    )
    return connection.execute(statement.order_by(table.c.id)).all()


def readings(connection: Connection, patient: str, which: Any) -> list[tuple[int, Arrival]]:
    """Number and reading of each row of `reading` that `which` chooses: as they were judged, then as they came."""
    reading, value = tables.reading, tables.measurement
    chosen = (reading.c.patient_id == patient, which)
    # Those that were judged, as they were judged; then the others. By number alone one that another process committed
    # late would stand before what was judged without it, and a replay would not.
    order = (reading.c.evaluation_seq.asc().nulls_last(), reading.c.seq)
    values: dict[int, dict[str, Any]] = {}
    found = select(value.c.reading_seq, value.c.metric, value.c.value).join(
        reading, reading.c.seq == value.c.reading_seq
    )
    for seq, metric, amount in connection.execute(found.where(*chosen)):
        values.setdefault(seq, {})[metric] = amount
    return [
        (row.seq, _arrival(row, values.get(row.seq, {})))
        for row in connection.execute(select(reading).where(*chosen).order_by(*order))
    ]


def _arrival(row: Row[Any], values: Mapping[str, Any]) -> Arrival:
    return Arrival(
        reading_id=row.id,
        taken_at=row.taken_at,
        received_at=row.received_at,
        values=values,
        quality=Quality(row.quality),
        device=row.device,
        judged=row.evaluation_seq is not None,
    )


def _save_alert(connection: Connection, loaded: Loaded, alert: Alert, now: datetime) -> None:
    body = to_mapping(alert)
    old, version = loaded.stored.get(alert.id, (None, 0))
    if body == old:
        return
    row = {
        "id": alert.id,
        "municipality_id": loaded.municipality,
        "patient_id": alert.patient,
        "rule": alert.rule,
        "state": alert.state.value,
        "priority": alert.priority.word,
        "highest": alert.highest.word,
        "condition": alert.condition,
        "late": alert.late,
        "waiting": alert.waiting,
        "opened_at": alert.opened_at,
        "raised_at": alert.raised_at,
        "owner": alert.owner,
        "level": alert.level,
        "snoozed_until": alert.snoozed_until,
        "why": body.get("why", {}),
        "body": body,
        "version": version + 1,
        "updated_at": now,
    }
    put(connection, tables.alert, row)


def _save_facts(connection: Connection, loaded: Loaded, facts: Sequence[Fact], now: datetime) -> None:
    if not facts:
        return
    free = numbers(connection, tables.fact, len(facts))
    rows = [_fact_row(seq, loaded, fact) for seq, fact in zip(free, facts, strict=True)]
    connection.execute(insert(tables.fact), rows)
    notices = [_notice_row(row, now) for row in rows if row["kind"] == FactKind.NOTICE.value]
    if notices:
        connection.execute(insert(tables.outbox), notices)


def _fact_row(seq: int, loaded: Loaded, fact: Fact) -> dict[str, Any]:
    return {
        "seq": seq,
        "municipality_id": loaded.municipality,
        "patient_id": loaded.view.patient,
        "alert_id": fact.alert_id,
        "at": fact.at,
        "kind": fact.kind.value,
        "rule": fact.rule or None,
        "priority": None if fact.priority is None else fact.priority.word,
        "by": fact.by,
        "to": None if fact.to is None else fact.to.value,
        "why": dict(fact.why),
    }


def _notice_row(fact: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "municipality_id": fact["municipality_id"],
        "patient_id": fact["patient_id"],
        "fact_seq": fact["seq"],
        "alert_id": fact["alert_id"],
        "to": fact["to"],
        "state": "waiting",
        "created_at": now,
    }
