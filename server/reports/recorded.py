"""Replays what was recorded (decision 0008) and says whether the rules, asked again, say what is stored.

The engine is asked as the server asked it: at the same moments, with the readings that each evaluation was the first
to see, under the plan version of that day, with the clicks. Gateway outages are taken as they were known at the
moment. What a row does not hold is not guessed: such a replay stops there and says so. Of a reading that was let wait
because it was sure to change nothing the engine is asked at its arrival as well: it must say nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, true

from alerts import engine
from alerts import memory as memories
from alerts.alert import Alert, to_mapping
from alerts.arrival import Arrival
from alerts.command import Action, Command, IllegalSignal, Mistake, Outcome
from alerts.fact import Fact
from alerts.memory import Memory
from alerts.plan import Period, Plan, from_mapping
from alerts.view import PatientView, Step
from server.access import Actor
from server.care import plans
from server.care.plans import Silences
from server.db import tables
from server.reports.inputs import check_known
from server.watch.patient import readings

_TOLD = 10  # differences told for one patient; where one thing is wrong, all after it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One patient: how much was replayed, what differs, what could not be replayed (both in words; empty: nothing)."""

    patient: str
    evaluations: int
    facts: int
    alerts: int
    differences: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all that is stored was replayed, and equals it."""
        return not self.differences and not self.not_covered


class NotRecordedError(Exception):
    """A row holds too little to be replayed; says what."""


def replayed(connection: Connection, actor: Actor, patient: str) -> Verdict:
    """Replay everything that is recorded of one patient. Raises `NotFoundError`."""
    check_known(connection, actor, patient)
    table = tables.evaluation
    asked = connection.execute(select(table).where(table.c.patient_id == patient).order_by(table.c.seq)).all()
    again = _Again(patient=patient, inputs=_inputs(connection, patient))
    done, not_covered = 0, list(again.inputs.not_covered)
    for row in asked:
        try:
            again.ask(row)
        except NotRecordedError as reason:
            not_covered.append(f"from {_clock(row.at)} on: {reason}")
            break
        except IllegalSignal as refusal:
            again.differences.append(f"{_clock(row.at)}  the click was done, and is refused now: {refusal}")
            break
        done += 1
    if done == len(asked):
        again.check_quiet(again.inputs.waiting)
    stored = _stored_facts(connection, patient)
    alerts = _stored_alerts(connection, patient)
    whole = done == len(asked)
    differences = [*again.differences, *_compare_facts(stored, again.facts, whole=whole)]
    differences += _compare_alerts(alerts, again.alerts) if whole else []
    more = [f"... and {len(differences) - _TOLD} more"] if len(differences) > _TOLD else []
    return Verdict(
        patient=patient,
        evaluations=done,
        facts=len(again.facts),
        alerts=len(again.alerts),
        differences=(*differences[:_TOLD], *more),
        not_covered=tuple(not_covered),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """The recorded inputs of one patient."""

    versions: Mapping[int, Plan]
    outages: Silences
    first_seen: Mapping[int, tuple[Arrival, ...]]  # evaluation -> readings, in the order of arrival; quiet ones judged
    waiting: tuple[Arrival, ...]  # quiet, and not seen yet
    not_covered: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Again:
    """The engine asked again, and what it has said so far."""

    patient: str
    inputs: _Inputs
    memory: Memory | None = None
    known: list[Arrival] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    plans: dict[tuple[int, tuple[Period, ...]], Plan] = field(default_factory=dict)
    asked: Row[Any] | None = None  # the evaluation before

    def ask(self, row: Row[Any]) -> None:
        """One evaluation; raises `NotRecordedError` and `IllegalSignal`."""
        plan = self._plan(row.plan_version, row.at)
        command = None if row.click is None else _command(row.click)
        seen = self.inputs.first_seen.get(row.seq, ())
        self.check_quiet([each for each in seen if each.judged])
        self.asked = row
        fresh = tuple(each for each in seen if each.taken_at >= plan.starts_at)
        complete = memories.needs_history(self.memory, fresh, plan=plan, command=command)
        view = PatientView(
            patient=self.patient,
            plan=plan,
            memory=self.memory,
            arrivals=(*(each for each in self.known if each.taken_at >= plan.starts_at), *fresh) if complete else fresh,
            complete=complete,
            alerts=tuple(each for each in self.alerts.values() if each.is_open),
        )
        self._keep(engine.step(view, row.at) if command is None else engine.act(view, command, row.at))
        self.known += (replace(each, judged=True) for each in seen)

    def check_quiet(self, arrivals: Sequence[Arrival]) -> None:
        """Ask at the arrival of each of these, which were let wait since the evaluation before: nothing may be said."""
        before, memory = self.asked, self.memory
        for each in arrivals:
            if before is None or memory is None:
                self.differences.append(f"{_clock(each.received_at)}  reading {each.reading_id} could not be quiet yet")
                return
            at = max(each.received_at, before.at)
            view = PatientView(
                patient=self.patient,
                plan=self._plan(before.plan_version, at),
                memory=memory,
                arrivals=(replace(each, judged=False),),
                alerts=tuple(each for each in self.alerts.values() if each.is_open),
            )
            step = engine.step(view, at)
            memory = step.memory  # of thousands that waited together each is then asked about once
            if step.facts or any(alert != self.alerts.get(alert.id) for alert in step.alerts):
                said = ", ".join(_fact_words(_row(fact)) for fact in step.facts) or "another alert"
                self.differences.append(f"{_clock(at)}  reading {each.reading_id} was let wait, replayed: {said}")

    def _keep(self, step: Step) -> None:
        self.memory = step.memory
        self.alerts |= {each.id: each for each in step.alerts}
        self.facts += step.facts

    def _plan(self, version: int, at: datetime) -> Plan:
        """The plan version as it was at that moment: outages noticed, and over only if they were over."""
        stored = self.inputs.versions.get(version)
        if stored is None:
            raise NotRecordedError(f"plan version {version} is not stored")
        offline = tuple(
            replace(each, end=each.end if each.end is not None and each.end <= at else None)
            for each in self.inputs.outages.known_at(at)
            if each.start <= at
        )
        offline = tuple(each for each in offline if each.end is None or each.end >= stored.starts_at)
        if (version, offline) not in self.plans:  # its rules are read once
            self.plans[version, offline] = replace(stored, offline=(*stored.offline, *offline))
        return self.plans[version, offline]


def _inputs(connection: Connection, patient: str) -> _Inputs:
    version, reading = tables.plan_version, tables.reading
    bodies = select(version.c.version, version.c.body).where(version.c.patient_id == patient)
    columns = (reading.c.seq, reading.c.evaluation_seq, reading.c.quiet)
    first = {row.seq: row for row in connection.execute(select(*columns).where(reading.c.patient_id == patient))}
    judged: dict[int | None, list[Arrival]] = {}
    for seq, arrival in readings(connection, patient, true()):
        judged.setdefault(first[seq].evaluation_seq, []).append(replace(arrival, judged=first[seq].quiet))
    unseen = judged.pop(None, [])
    waiting = sum(not each.judged for each in unseen)
    return _Inputs(
        versions={row.version: from_mapping(row.body) for row in connection.execute(bodies)},
        outages=plans.silences(connection, patient),
        first_seen={seq: tuple(arrivals) for seq, arrivals in judged.items() if seq is not None},
        waiting=tuple(each for each in unseen if each.judged),
        not_covered=(f"{waiting} readings that the rules have not seen yet",) if waiting else (),
    )


def _command(click: Mapping[str, Any]) -> Command:
    """The click as it is recorded in `evaluation.click`."""
    signal = Action(click["signal"])
    if signal is Action.SNOOZE and "until" not in click:
        raise NotRecordedError("until when it was snoozed is not recorded")
    if signal in (Action.INVALIDATE, Action.ACCEPT) and "reading" not in click:
        raise NotRecordedError(f"which reading {signal.value} meant is not recorded")
    known = {"signal", "rule", "by", "outcome", "until", "reading", "slot_fulfilled", "reason"}
    if unknown := sorted(set(click) - known):
        raise NotRecordedError(f"what {', '.join(unknown)} of the click means is not known here")
    return Command(
        signal=signal,
        by=click["by"],
        rule=click.get("rule", ""),
        reading=click.get("reading"),
        outcome=Outcome(click["outcome"]) if click.get("outcome") else None,
        until=datetime.fromisoformat(click["until"]) if click.get("until") else None,
        slot_fulfilled=bool(click.get("slot_fulfilled", False)),
        reason=Mistake(click["reason"]) if click.get("reason") else None,
    )


def _stored_facts(connection: Connection, patient: str) -> list[dict[str, Any]]:
    table = tables.fact
    rows = connection.execute(select(table).where(table.c.patient_id == patient).order_by(table.c.seq)).mappings()
    names = ("at", "kind", "rule", "alert_id", "priority", "by", "to", "why")
    return [{name: row[name] for name in names} for row in rows]


def _stored_alerts(connection: Connection, patient: str) -> dict[str, Any]:
    table = tables.alert
    rows = connection.execute(select(table.c.id, table.c.body).where(table.c.patient_id == patient))
    return {row.id: row.body for row in rows}


def _compare_facts(stored: Sequence[Mapping[str, Any]], again: Sequence[Fact], *, whole: bool) -> list[str]:
    """Where the lists part, told once: what follows a difference differs too."""
    said = [_row(each) for each in again]
    for number, (one, other) in enumerate(zip(stored, said, strict=False), 1):
        if one != other:
            wrong = [name for name in one if one[name] != other[name]]
            told = " and ".join(f"{name} {_short(one[name])}, replayed {_short(other[name])}" for name in wrong)
            return [f"{_clock(one['at'])}  fact {number} ({one['kind']} {one['rule'] or ''}): stored {told}"]
    if len(said) > len(stored):
        return [f"{_clock(said[len(stored)]['at'])}  {_fact_words(said[len(stored)])} was replayed and is not stored"]
    if whole and len(stored) > len(said):
        return [f"{_clock(stored[len(said)]['at'])}  {_fact_words(stored[len(said)])} is stored and was not replayed"]
    return []


def _compare_alerts(stored: Mapping[str, Any], again: Mapping[str, Alert]) -> list[str]:
    found = []
    for name in sorted({*stored, *again}):
        if name not in again:
            found.append(f"alert {name} ({stored[name].get('rule')}) is stored and was not replayed")
            continue
        said = _plain(to_mapping(again[name]))
        if name not in stored:
            found.append(f"alert {name} ({again[name].rule}) was replayed and is not stored")
        elif said != stored[name]:
            keys = [key for key in sorted({*said, *stored[name]}) if said.get(key) != stored[name].get(key)]
            told = " and ".join(
                f"{key} {_short(stored[name].get(key))}, replayed {_short(said.get(key))}" for key in keys
            )
            found.append(f"alert {name} ({again[name].rule}): stored {told}")
    return found


def _row(fact: Fact) -> dict[str, Any]:
    """The fact as its row would say it."""
    return {
        "at": fact.at,
        "kind": fact.kind.value,
        "rule": fact.rule or None,
        "alert_id": fact.alert_id,
        "priority": None if fact.priority is None else fact.priority.word,
        "by": fact.by,
        "to": None if fact.to is None else fact.to.value,
        "why": _plain(dict(fact.why)),
    }


def _plain(value: Any) -> Any:
    """The value as it comes back from a column of JSON."""
    return json.loads(json.dumps(value))


def _fact_words(row: Mapping[str, Any]) -> str:
    return " ".join(str(row[name]) for name in ("kind", "rule", "priority") if row[name])


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
