"""Plan versions: what is judged, by which numbers. A version is never changed; a new one replaces it."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, Text, cast, delete, func, insert, select, update

from alerts.plan import Period, Plan, from_mapping, to_mapping
from server.db import tables
from server.db.asking import Question, Within, ask, asked_about
from server.db.dialect import due_at_latest


def activate(connection: Connection, patient: str, plan: Plan, approved_by: str, now: datetime) -> int:
    """Make `plan` the patient's active version from now on, replacing the one before. Returns its number.

    Whether it may judge anybody is not asked here: `approval.approve` does, and is the product's only way in.
    The number is given here; `plan.version` as it comes is not used.
    """
    table = tables.plan_version
    of_patient = table.c.patient_id == patient
    municipality = connection.execute(
        select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    ).scalar_one()
    newest = connection.execute(select(func.max(table.c.version)).where(of_patient)).scalar() or 0
    plan = replace(plan, version=newest + 1)
    connection.execute(update(table).where(of_patient, table.c.state == "active").values(state="replaced"))
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "patient_id": patient,
        "version": plan.version,
        "state": "active",
        "rulebook": plan.rulebook,
        "rulebook_version": plan.rulebook_version,
        "body": to_mapping(plan),
        "active_from": now,
        "approved_by": approved_by,
    }
    connection.execute(insert(table).values(row))
    _carry_texts_over(connection, patient, newest, plan.version)
    due_at_latest(connection, [(patient, municipality)], now)
    return plan.version


def stored(connection: Connection, patient: str) -> Plan | None:
    """The active plan as it was written, without what is known of gateways; None: nothing is judged."""
    table = tables.plan_version
    written = select(table.c.body).where(table.c.patient_id == patient, table.c.state == "active")
    body = connection.execute(written).scalar()
    return None if body is None else from_mapping(body)


ZONES_WITH_TEXT = ("green", "yellow", "red")


def texts(connection: Connection, patient: str) -> Mapping[str, str]:
    """What the active plan says to the patient in each zone; empty where nobody has written it."""
    text, version = tables.plan_text, tables.plan_version
    is_active = (
        (version.c.patient_id == patient) & (version.c.version == text.c.version) & (version.c.state == "active")
    )
    row = connection.execute(select(text).join(version, is_active).where(text.c.patient_id == patient)).first()
    return {} if row is None else {zone: getattr(row, zone) for zone in ZONES_WITH_TEXT}


def write_texts(connection: Connection, patient: str, version: int, said: Mapping[str, str]) -> None:
    """What this version says to the patient in each zone, in place of what it said."""
    table = tables.plan_text
    home = select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    connection.execute(delete(table).where(table.c.patient_id == patient, table.c.version == version))
    row = {"patient_id": patient, "version": version, "municipality_id": connection.execute(home).scalar_one()}
    connection.execute(insert(table).values(**row, **{zone: said.get(zone, "") for zone in ZONES_WITH_TEXT}))


def _carry_texts_over(connection: Connection, patient: str, before: int, version: int) -> None:
    table = tables.plan_text
    old = select(table).where(table.c.patient_id == patient, table.c.version == before)
    if (row := connection.execute(old).mappings().first()) is not None:
        connection.execute(insert(table).values({**row, "version": version}))


_AT_HAND = 20_000  # parsed plans, of some five kilobytes with their text: rules that are alike are kept once


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is stored of a patient's active plan: its text (None: nothing judges him), and when nobody spoke for him."""

    municipality: str
    text: str | None
    silent: tuple[Period, ...] = ()

    def read(self) -> Plan | None:
        """The plan; the same object for the same words. Raises `PlanError` and ValueError."""
        return None if self.text is None else _read(self.text, self.silent)


@lru_cache(maxsize=_AT_HAND)
def _read(text: str, silent: tuple[Period, ...]) -> Plan:
    plan = from_mapping(json.loads(text))
    offline = tuple(each for each in silent if each.end is None or each.end >= plan.starts_at)
    return replace(plan, offline=(*plan.offline, *offline)) if offline else plan


def active(connection: Connection, patient: str) -> Plan | None:
    """The plan that judges this patient, with the times in which the gateway was silent; None: nothing is judged."""
    found = written(connection, [patient]).get(patient)
    return None if found is None else found.read()


def written(connection: Connection, patients: Sequence[str]) -> dict[str, Written]:
    """The active plans of these patients, unread: one that cannot be read is nobody else's trouble."""
    return written_in(ask(connection, *asking_for(patients)))


def asking_for(patients: Sequence[str]) -> tuple[Question, ...]:
    """What is to be asked to know the active plans of these patients; `written_in` reads the answers."""
    return _active_texts.about(patients), *_asking_for_silences(patients)


def written_in(answers: Sequence[Sequence[Any]]) -> dict[str, Written]:
    """The active plans that these answers tell of, unread."""
    rows, *silent_rows = answers
    silent = _silences_in(silent_rows)
    return {
        row.id: Written(
            municipality=row.municipality_id,
            text=row.text,
            silent=silent[row.id].now if row.text is not None and row.id in silent else (),
        )
        for row in rows
    }


@asked_about
def _active_texts(within: Within) -> Select[Any]:
    table, whose = tables.plan_version, tables.patient
    is_his = (table.c.patient_id == whose.c.id) & (table.c.state == "active")
    columns = (whose.c.id, whose.c.municipality_id, cast(table.c.body, Text).label("text"))
    return select(*columns).outerjoin(table, is_his).where(within(whose.c.id))


def silence(connection: Connection, patient: str) -> tuple[Period, ...]:
    """When nobody spoke for this patient though somebody should have, oldest first, none touching the next.

    At such a time he had devices, and every gateway that was theirs just then was offline: one that hears is enough,
    and what a gateway does before it was his or afterwards is not his silence.
    """
    return silences(connection, patient).now


@dataclass(frozen=True, kw_only=True)
class Silences:
    """What a patient's silence is made of: whose his devices were, and when those gateways were offline."""

    assigned: Sequence[Any]
    offline: Sequence[Any]  # by when each was noticed

    @cached_property
    def now(self) -> tuple[Period, ...]:
        """As `silence` says it, with all that is known today."""
        return _merged(self.assigned, self.offline)

    def known_at(self, moment: datetime) -> tuple[Period, ...]:
        """The same with the outages that were noticed by then, some of which end later."""
        noticed = bisect_right(self._noticed, moment)
        if noticed == len(self.offline):
            return self.now
        if noticed not in self._then:
            self._then[noticed] = _merged(self.assigned, self.offline[:noticed])
        return self._then[noticed]

    @cached_property
    def _noticed(self) -> list[datetime]:
        return [row.known_at or row.starts_at for row in self.offline]

    @cached_property
    def _then(self) -> dict[int, tuple[Period, ...]]:
        return {}


def silences(connection: Connection, patient: str) -> Silences:
    """All that is stored of it."""
    found = _silences_in(ask(connection, *_asking_for_silences([patient])))
    return found.get(patient) or Silences(assigned=(), offline=())


def _asking_for_silences(patients: Sequence[str]) -> tuple[Question, Question]:
    return _outages.about(patients), _assigned.about(patients)


def _silences_in(answers: Sequence[Sequence[Any]]) -> dict[str, Silences]:
    """All that is stored of those of the patients asked about who ever had a gateway that was offline."""
    outages, spans = answers
    offline: dict[str, list[Any]] = {}
    for row in outages:
        offline.setdefault(row.gateway_id, []).append(row)
    if not offline:
        return {}
    assigned: dict[str, list[Any]] = {}
    for row in spans:
        assigned.setdefault(row.patient_id, []).append(row)
    return {patient: _of(held, offline) for patient, held in assigned.items()}


@asked_about
def _outages(within: Within) -> Select[Any]:
    """Of all gateways that these patients ever had, by when each was noticed."""
    outage, assignment = tables.gateway_outage, tables.assignment
    held = select(assignment.c.gateway_id).where(within(assignment.c.patient_id))
    noticed = func.coalesce(outage.c.known_at, outage.c.starts_at)
    return select(outage).where(outage.c.gateway_id.in_(held)).order_by(noticed)


@asked_about
def _assigned(within: Within) -> Select[Any]:
    assignment = tables.assignment.c
    columns = (assignment.patient_id, assignment.gateway_id, assignment.starts_at, assignment.ends_at)
    return select(*columns).where(within(assignment.patient_id))


def _of(assigned: Sequence[Any], offline: Mapping[str, Sequence[Any]]) -> Silences:
    rows = [row for gateway in {each.gateway_id for each in assigned} for row in offline.get(gateway, ())]
    rows.sort(key=lambda row: (row.known_at or row.starts_at, row.seq))
    return Silences(assigned=assigned, offline=rows)


def _merged(assigned: Iterable[Any], offline: Iterable[Any]) -> tuple[Period, ...]:
    his, silent = Counter[str](), Counter[str]()  # gateway -> how many spans of it hold at the moment
    changes = [*_changes(assigned, his), *_changes(offline, silent)]
    changes.sort(key=lambda change: change[0])
    periods: list[Period] = []
    since: datetime | None = None
    for moment, together in groupby(changes, key=lambda change: change[0]):
        for _, spans, gateway, step in together:
            spans[gateway] += step
        current = [gateway for gateway, count in his.items() if count > 0]
        is_silent = bool(current) and all(silent[gateway] > 0 for gateway in current)
        if is_silent and since is None:
            since = moment
        elif not is_silent and since is not None:
            periods.append(Period(start=since, end=moment))
            since = None
    return (*periods, Period(start=since)) if since is not None else tuple(periods)


def _changes(rows: Iterable[Any], spans: Counter[str]) -> Iterator[tuple[datetime, Counter[str], str, int]]:
    """Where each row's span begins and ends: when, in which counter, whose gateway, one up or down."""
    for row in rows:
        yield row.starts_at, spans, row.gateway_id, 1
        if row.ends_at is not None:
            yield row.ends_at, spans, row.gateway_id, -1
