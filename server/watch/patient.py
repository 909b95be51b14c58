"""Patients between the tables and the rules: loads what the engine may know, saves what it says.

What many of them need is looked up together, and what was said of them is saved together: a statement costs more than
its rows. In between each patient stands alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Row, Select, delete, select

from alerts import envelope as envelopes
from alerts import memory as memories
from alerts.alert import OPEN, Alert, from_mapping, to_mapping
from alerts.command import Command
from alerts.fact import Fact, FactKind
from alerts.view import Arrival, PatientView, Step
from server.care import plans, routing
from server.care.plans import Written
from server.db import bulk, tables
from server.db.asking import Within, ask, asked_about, tell
from server.watch import ahead
from server.watch.ahead import Ahead
from server.watch.pace import STEADY, course
from vitals import failpoint
from vitals.reading import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A patient as the engine sees him, and what is needed to save its answer."""

    view: PatientView
    municipality: str
    unjudged: tuple[int, ...]  # numbers of the readings that this evaluation is the first to see
    stored: Mapping[str, tuple[Mapping[str, Any], int, int]]  # alert id -> body, version and pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the tables hold of some patients, unread: what cannot be read is trouble of its own patient alone."""

    plans: Mapping[str, Written]
    memories: Mapping[str, str]
    fresh: Mapping[str, Sequence[tuple[int, Arrival]]]  # readings that nobody has judged
    alerts: Mapping[str, Sequence[Any]]  # the open ones
    ahead: Ahead = ahead.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A patient, and what the rules said."""

    loaded: Loaded
    step: Step


def load(connection: Connection, patient: str, command: Command | None = None) -> Loaded | None:
    """The patient's view, complete when the engine wants it so; None when no plan judges him."""
    return view(connection, look_up(connection, [patient]), patient, command)


def look_up(connection: Connection, patients: Sequence[str], *, to_judge_at: datetime | None = None) -> Stored:
    """What is stored of these patients, in one go however many they are.

    `to_judge_at`: they are to be judged, and what that will need is asked ahead.
    """
    plan, own = plans.asking_for(patients), [each.about(patients) for each in (_memories, _not_judged, _open_alerts)]
    more = [] if to_judge_at is None else ahead.asking(patients, to_judge_at)
    answers = ask(connection, *plan, *own, *more)
    memory, fresh, alerts, *others = answers[len(plan) :]
    return Stored(
        plans=plans.written_in(answers[: len(plan)]),
        memories={row.patient_id: row.body for row in memory},
        fresh=_fresh(fresh),
        alerts=_by_patient(alerts),
        ahead=ahead.answered(others) if more else ahead.NOTHING,
    )


def view(connection: Connection, stored: Stored, patient: str, command: Command | None = None) -> Loaded | None:
    """One of these patients as the engine sees him; None when no plan judges him."""
    written = stored.plans[patient]
    plan = written.read()
    if plan is None:
        return None
    body = stored.memories.get(patient)
    memory = None if body is None else memories.load(body)
    fresh, alerts = stored.fresh.get(patient, ()), stored.alerts.get(patient, ())
    arrivals = tuple(each for _, each in fresh if each.taken_at >= plan.starts_at)
    complete = memories.needs_history(memory, arrivals, plan=plan, command=command)
    if complete:
        since = tables.reading.c.taken_at >= plan.starts_at
        arrivals = tuple(each for _, each in readings(connection, patient, since))
    return Loaded(
        view=PatientView(
            patient=patient,
            plan=plan,
            memory=memory,
            arrivals=arrivals,
            complete=complete,
            alerts=tuple(from_mapping(row.body) for row in alerts),
        ),
        municipality=written.municipality,
        unjudged=tuple(seq for seq, _ in fresh),
        stored={row.id: (row.body, row.version, row.pace) for row in alerts},
    )


def save(connection: Connection, loaded: Loaded, step: Step, now: datetime, click: Mapping[str, Any] | None) -> None:
    """Everything that a step said, and that it was asked."""
    save_all(connection, [Judged(loaded=loaded, step=step)], now, click)


def save_all(
    connection: Connection,
    judged: Sequence[Judged],
    now: datetime,
    click: Mapping[str, Any] | None = None,
    asked: Ahead = ahead.NOTHING,
) -> None:
    """Everything that was said of these patients, who were all asked at `now`; `asked` is what was asked ahead."""
    if not judged:
        return
    said = [(each.loaded, fact) for each in judged for fact in each.step.facts]
    # Only readings change how fast something gets worse.
    of = course(alert for each in judged if each.loaded.unjudged for alert in each.step.alerts)
    counts = {tables.evaluation: len(judged), tables.fact: len(said)}
    free, paces = ahead.needed(connection, asked, counts, of, now)
    under = list(zip(free[tables.evaluation], judged, strict=True))
    evaluations = [_asked_row(seq, each.loaded, now, click) for seq, each in under]
    seen = [{"seq": seq, "evaluation_seq": number} for number, each in under for seq in each.loaded.unjudged]
    facts = [_fact_row(seq, loaded, fact) for seq, (loaded, fact) in zip(free[tables.fact], said, strict=True)]
    notices = [row for row in facts if row["kind"] == FactKind.NOTICE.value]
    with bulk.together(connection):
        bulk.add(connection, tables.evaluation, evaluations)
        bulk.change(connection, tables.reading, seen)
        bulk.put(connection, tables.alert, _alert_rows(judged, paces, now))
        bulk.add(connection, tables.fact, facts)
        bulk.add(connection, tables.outbox, [_notice_row(row, now) for row in notices])
        failpoint.reach("watch.saving")
        bulk.put(connection, tables.memory, [_memory_row(each, now) for each in judged])
        bulk.put(connection, tables.due, [_slate_row(each, now) for each in judged if each.step.wake_at is not None])
        leave_slate(connection, [each.loaded.view.patient for each in judged if each.step.wake_at is None])
    routing.route_escalated(connection, notices, now)


def leave_slate(connection: Connection, patients: Sequence[str]) -> None:
    """Ask about them only when something comes."""
    if patients:
        tell(connection, _leaving.about(patients))


@asked_about
def _leaving(within: Within) -> Delete:
    return delete(tables.due).where(within(tables.due.c.patient_id))


@asked_about
def _memories(within: Within) -> Select[Any]:
    memory = tables.memory.c
    return select(memory.patient_id, memory.body).where(within(memory.patient_id))


@asked_about
def _open_alerts(within: Within) -> Select[Any]:
    alert = tables.alert.c
    columns = (alert.patient_id, alert.id, alert.body, alert.version, alert.pace)
    return select(*columns).where(within(alert.patient_id), alert.state.in_(sorted(OPEN))).order_by(alert.id)


def _by_patient(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.patient_id, []).append(row)
    return found


def _fresh(rows: Iterable[Any]) -> dict[str, list[tuple[int, Arrival]]]:
    """The readings that nobody has judged, in the order of their numbers."""
    found: dict[str, list[tuple[int, Arrival]]] = {}
    for patient, seq, arrival in _arrivals(rows):
        found.setdefault(patient, []).append((seq, arrival))
    return found


def readings(connection: Connection, patient: str, which: ColumnElement[bool]) -> list[tuple[int, Arrival]]:
    """Number and reading of each row of `reading` that `which` chooses: as they were judged, then as they came."""
    reading = tables.reading.c
    # Those that were judged, as they were judged; then the others. By number alone one that another process committed
    # late would stand before what was judged without it, and a replay would not.
    order = (reading.evaluation_seq.asc().nulls_last(), reading.seq)
    found = _arrivals(connection.execute(_with_values(reading.patient_id == patient, which).order_by(*order)))
    return [(seq, arrival) for _, seq, arrival in found]


@asked_about
def _not_judged(within: Within) -> Select[Any]:
    reading = tables.reading.c
    return _with_values(within(reading.patient_id), reading.evaluation_seq.is_(None)).order_by(reading.seq)


def _with_values(*which: ColumnElement[bool]) -> Select[Any]:
    """The chosen readings, each beside each of its values."""
    reading, value = tables.reading, tables.measurement
    columns = (*_OF_READING, value.c.metric, value.c.value)
    return select(*columns).outerjoin(value, value.c.reading_seq == reading.c.seq).where(*which)


def _arrivals(found: Iterable[Row[Any]]) -> list[tuple[str, int, Arrival]]:
    """Patient, number and reading of each, in their order."""
    rows: dict[int, Any] = {}
    values: dict[int, dict[str, Any]] = {}
    for row in found:
        if row.seq not in rows:
            rows[row.seq], values[row.seq] = row, {}
        if row.metric is not None:
            values[row.seq][row.metric] = row.value
    return [(row.patient_id, seq, _arrival(row, values[seq])) for seq, row in rows.items()]


_OF_READING = tuple(
    tables.reading.c[name]
    for name in ("seq", "id", "patient_id", "taken_at", "received_at", "quality", "device", "evaluation_seq", "quiet")
)


def _arrival(row: Row[Any], values: Mapping[str, Any]) -> Arrival:
    return Arrival(
        reading_id=row.id,
        taken_at=row.taken_at,
        received_at=row.received_at,
        values=values,
        quality=Quality(row.quality),
        device=row.device,
        judged=row.evaluation_seq is not None or row.quiet,
    )


def _asked_row(seq: int, loaded: Loaded, now: datetime, click: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "seq": seq,
        "municipality_id": loaded.municipality,
        "patient_id": loaded.view.patient,
        "at": now,
        "plan_version": loaded.view.plan.version,
        "click": click,
    }


def _memory_row(judged: Judged, now: datetime) -> dict[str, Any]:
    return {
        "patient_id": judged.loaded.view.patient,
        "municipality_id": judged.loaded.municipality,
        "body": memories.dump(judged.step.memory),
        "zone": str(judged.step.zone),
        "updated_at": now,
    }


def _slate_row(judged: Judged, now: datetime) -> dict[str, Any]:
    return {
        "patient_id": judged.loaded.view.patient,
        "municipality_id": judged.loaded.municipality,
        "evaluate_at": judged.step.wake_at,
        "late": False,
        "failures": 0,
        "trouble": None,
        "envelope": envelopes.dump(envelopes.envelope(judged.loaded.view.plan, judged.step, now)),
    }


def _alert_rows(judged: Sequence[Judged], paces: Mapping[str, int], now: datetime) -> list[dict[str, Any]]:
    """The alerts that are not stored as they now are."""
    rows = (_alert_row(each.loaded, alert, paces, now) for each in judged for alert in each.step.alerts)
    return [row for row in rows if row is not None]


def _alert_row(loaded: Loaded, alert: Alert, known: Mapping[str, int], now: datetime) -> dict[str, Any] | None:
    """The alert as it is to be stored; None: it is stored so already. A changed pace alone makes no new version."""
    body = to_mapping(alert)
    old, version, before = loaded.stored.get(alert.id, (None, 0, STEADY))
    pace = known.get(alert.id, before)
    if body == old and pace == before:
        return None
    return {
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
        "pace": pace,
        "snoozed_until": alert.snoozed_until,
        "why": body.get("why", {}),
        "body": body,
        "version": version + (body != old),
        "updated_at": now,
    }


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
