"""Everything the pages read from the database. Each query is narrowed by `scope`; plain rows go out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    text,
)

from alerts import engine
from alerts.history import Quarantined
from server.access import Action as May
from server.access import Actor, allowed, scope
from server.care.enrolment import Contact, contacts_of_all
from server.care.people import names_of_patients, names_of_staff
from server.db import tables
from server.db.tables.judging import SHOWN, SHOWN_STATES
from server.vault import Vault
from server.watch.beat import all_of
from server.watch.patient import look_up, view
from server.web.views.board import Board, Standing, board

OVERDUE = timedelta(
    minutes=10
)  # of the installation's clock; the watch asks every second, on a fast clock every minute
_CLICKED = (
    *("acknowledged", "taken_over", "released", "resolved", "snoozed"),
    *("dispatched", "dispatch_accepted", "dispatch_refused"),
)
_KEPT_MAX = 200  # on one page; the count beside it is the whole
_FACTS_MAX = 60
# What two gateways heard is the patient's already and waits for nobody. None of them has a patient: said here too,
# because the few are then found by their index on every page.
_IS_NOBODYS = and_(
    tables.reading.c.patient_id.is_(None),
    tables.reading.c.unclaimed.is_not(None),
    tables.reading.c.unclaimed != "heard_twice",
)
_IS_SHOWN = text(f"alert.{SHOWN}")  # word for word as the index has it, or it would not be used
_ENROLLED = select(tables.enrolment.c.patient_id).where(tables.enrolment.c.state != "ended")
# Only a green zone is doubted, and an alert of one patient is found by the index.
_DOUBTED = case(
    (
        tables.memory.c.zone == "green",
        exists().where(tables.alert.c.patient_id == tables.patient.c.id, _IS_SHOWN, tables.alert.c.condition),
    ),
    else_=false(),
)
_Found = TypeVar("_Found")


def _followed() -> Select[Any]:
    patient, memory, plan, due = tables.patient, tables.memory, tables.plan_version, tables.due
    return (
        select(
            patient.c.id, patient.c.timezone, patient.c.matters, memory.c.zone, plan.c.body.label("plan"),
            due.c.failures, due.c.evaluate_at,
        )
        .outerjoin(memory, memory.c.patient_id == patient.c.id)
        .outerjoin(due, due.c.patient_id == patient.c.id)
        .outerjoin(plan, and_(plan.c.patient_id == patient.c.id, plan.c.state == "active"))
        .where(patient.c.id.in_(_ENROLLED))
        .order_by(patient.c.id)
    )  # fmt: skip


_FOLLOWED = _followed()


@dataclass(frozen=True, slots=True)
class Asking:
    """One reader's questions in one transaction."""

    connection: Connection
    vault: Vault
    actor: Actor
    _asked: dict[str, Any] = field(default_factory=dict, compare=False)  # what one page asks for more than once

    def patients(self, only: str | None = None) -> list[Row[Any]]:
        """Patients whose enrolment is not over, with their zone (None: never judged) and active plan body.

        `failures`: how often in a row the rules could not be asked; `evaluate_at`: when to ask them (None: no need).
        """
        patient = tables.patient
        return self._all(_FOLLOWED if only is None else _FOLLOWED.where(patient.c.id == only), patient)

    def patients_of(self, only: Collection[str]) -> list[Row[Any]]:
        """The same of these alone."""
        return self._all(_FOLLOWED.where(tables.patient.c.id.in_(only)), tables.patient) if only else []

    def zones(self, now: datetime) -> list[Row[Any]]:
        """How many (`patients`) have the same zone (None: never judged), `is_unjudged` and `condition`.

        `is_unjudged`: the rules could not be asked; `condition`: an alert of a green patient says that it is not over.
        """
        each = self._zoned(now, _DOUBTED.label("condition")).subquery()
        return list(self.connection.execute(select(*each.c, func.count().label("patients")).group_by(*each.c)))

    def zones_of_patients(self, now: datetime) -> list[Row[Any]]:
        """Each patient with the zone (None: never judged) and `is_unjudged`."""
        return list(self.connection.execute(self._zoned(now, tables.patient.c.id.label("patient_id"))))

    def _zoned(self, now: datetime, more: ColumnElement[Any]) -> Select[Any]:
        patient, memory, due = tables.patient, tables.memory, tables.due
        unjudged = func.coalesce(or_(due.c.failures > 0, due.c.evaluate_at < now - OVERDUE), false())
        statement = (
            select(memory.c.zone, unjudged.label("is_unjudged"), more)
            .select_from(patient)
            .outerjoin(memory, memory.c.patient_id == patient.c.id)
            .outerjoin(due, due.c.patient_id == patient.c.id)
            .where(patient.c.id.in_(_ENROLLED))
        )
        return scope(statement, patient, self.actor)

    def board(self, now: datetime) -> Board:
        """Every patient with an open alert in the order of the worklist; asked for once in a page."""
        return self._once("board", lambda: board(self.standing(), now))

    def standing(self) -> list[Standing]:
        """What sorts of every alert that a person should see, by patient and then by when it was raised."""
        table = tables.alert
        columns = [table.c[name] for name in Standing._fields]
        statement = select(*columns).where(_IS_SHOWN, table.c.patient_id.in_(_ENROLLED))
        rows: Any = self._once("standing", lambda: self._all(statement.order_by(*columns[:3]), table))
        found: list[Standing] = rows  # rows of exactly its fields
        return found

    def open_alerts(self, patients: Collection[str]) -> list[Row[Any]]:
        """The alerts of these patients that a person should see, with their whole body."""
        table = tables.alert
        statement = select(table).where(_IS_SHOWN, table.c.patient_id.in_(patients)).order_by(table.c.id)
        return self._all(statement, table)

    def alerts_since(self, patient: str, since: datetime) -> list[Row[Any]]:
        """Every alert that was ever shown, open or closed, raised since then."""
        table = tables.alert
        shown = (*SHOWN_STATES, "resolved")
        statement = select(table).where(table.c.patient_id == patient, table.c.state.in_(shown))
        return self._all(statement.where(table.c.raised_at >= since).order_by(table.c.raised_at), table)

    def alert(self, identity: str) -> Row[Any] | None:
        """One alert, open or not; None also when the reader may not know of it."""
        rows = self._all(select(tables.alert).where(tables.alert.c.id == identity), tables.alert)
        return rows[0] if rows else None

    def newest_values(self, wanted: Collection[tuple[str, str]], since: datetime, each: int) -> list[Row[Any]]:
        """Of each patient and metric the newest measurements since then, at most so many, oldest first."""
        value, reading = tables.measurement, tables.reading
        place = func.row_number().over(
            partition_by=(value.c.patient_id, value.c.metric), order_by=value.c.taken_at.desc()
        )
        patients, metrics = {patient for patient, _ in wanted}, {metric for _, metric in wanted}
        newest = scope(
            select(value, place.label("place")).where(
                value.c.patient_id.in_(patients), value.c.metric.in_(metrics), value.c.taken_at >= since
            ),
            value,
            self.actor,
        ).subquery()
        statement = (
            select(newest, reading.c.id.label("reading_id"))
            .join(reading, reading.c.seq == newest.c.reading_seq)
            .where(newest.c.place <= each)
            .order_by(newest.c.taken_at)
        )
        return list(self.connection.execute(statement))

    def values(self, patients: Sequence[str], since: datetime) -> list[Row[Any]]:
        """Measurements taken since then, oldest first, with the quality of their reading."""
        value, reading = tables.measurement, tables.reading
        statement = (
            select(
                value.c.patient_id, value.c.metric, value.c.taken_at, value.c.value, reading.c.quality,
                reading.c.device, reading.c.id.label("reading_id"),
            )
            .join(reading, reading.c.seq == value.c.reading_seq)
            .where(value.c.patient_id.in_(patients), value.c.taken_at >= since)
            .order_by(value.c.taken_at)
        )  # fmt: skip
        return self._all(statement, value)

    def facts(self, patient: str) -> list[Row[Any]]:
        """What happened to the patient's alerts, newest first."""
        table = tables.fact
        statement = select(table).where(table.c.patient_id == patient).order_by(table.c.at.desc(), table.c.seq.desc())
        return self._all(statement.limit(_FACTS_MAX), table)

    def taken_out(self, patients: Sequence[str]) -> set[str]:
        """Ids of the readings that a person took out."""
        return self._once(f"taken out of {sorted(patients)}", lambda: self._taken_out(patients))

    def _taken_out(self, patients: Sequence[str]) -> set[str]:
        table = tables.fact
        statement = select(table.c.why).where(table.c.patient_id.in_(patients), table.c.kind == "invalidated")
        return {str(row.why["reading_id"]) for row in self._all(statement, table)}

    def reading(self, patient: str, identity: str) -> list[Row[Any]]:
        """One reading of a patient, a row for each measurement; empty when the reader may not know of it."""
        value, reading = tables.measurement, tables.reading
        statement = (
            select(reading.c.taken_at, reading.c.device, reading.c.model, value.c.metric, value.c.value)
            .join(value, value.c.reading_seq == reading.c.seq)
            .where(reading.c.patient_id == patient, reading.c.id == identity)
            .order_by(value.c.metric)
        )
        return self._all(statement, reading)

    def held_back(self, patients: Sequence[str]) -> dict[str, Sequence[Quarantined]]:
        """Patient -> the values that nobody believes and nobody has judged yet; whose they are was asked before."""
        if not patients:
            return {}
        stored = look_up(self.connection, patients)
        views = {patient: view(self.connection, stored, patient) for patient in patients}
        return {patient: engine.held_back(found.view) for patient, found in views.items() if found is not None}

    def last_click(self, alert: str) -> Row[Any] | None:
        """The newest fact of an alert that a person made."""
        table = tables.fact
        clicks = table.c.kind.in_(_CLICKED)
        statement = select(table).where(table.c.alert_id == alert, clicks, table.c.by.is_not(None))
        rows = self._all(statement.order_by(table.c.seq.desc()).limit(1), table)
        return rows[0] if rows else None

    def kit(self, patient: str, now: datetime) -> list[Row[Any]]:
        """Devices that the patient has now, with their gateway's last word."""
        held, device, status = tables.assignment, tables.device, tables.gateway_status
        silence = tables.device_silence
        is_silent = and_(
            silence.c.device_id == device.c.id, silence.c.patient_id == held.c.patient_id, silence.c.ends_at.is_(None)
        )
        statement = (
            select(
                device.c.address, device.c.kind, device.c.model, held.c.gateway_id, status.c.online, status.c.heard,
                status.c.battery.label("gateway_battery"), status.c.received_at.label("gateway_at"),
                silence.c.heard_at.label("silent_since"),
            )
            .join(device, device.c.id == held.c.device_id)
            .outerjoin(status, status.c.gateway_id == held.c.gateway_id)
            .outerjoin(silence, is_silent)
            .where(held.c.patient_id == patient, held.c.starts_at <= now)
            .where(or_(held.c.ends_at.is_(None), held.c.ends_at > now))
            .order_by(device.c.kind, device.c.address)
        )  # fmt: skip
        return self._all(statement, held)

    def commands(self, since: datetime) -> list[Row[Any]]:
        """What was asked of gateways since then, newest first."""
        table = tables.gateway_command
        statement = select(table).where(table.c.asked_at >= since).order_by(table.c.asked_at.desc(), table.c.id)
        return self._all(statement, table)

    def newest_of_devices(self, patient: str) -> dict[str, Row[Any]]:
        """Device address -> its newest reading of this patient (taken_at, received_at, battery)."""
        table = tables.reading
        newest = select(func.max(table.c.seq)).where(table.c.patient_id == patient).group_by(table.c.device)
        rows = self._all(select(table).where(table.c.seq.in_(newest)), table)
        return {row.device: row for row in rows}

    def kept(self) -> list[Row[Any]]:
        """Messages in quarantine that nobody has settled, newest first."""
        table = tables.quarantine
        statement = select(table).where(table.c.state == "open").order_by(table.c.last_at.desc(), table.c.seq.desc())
        return self._all(statement.limit(_KEPT_MAX), table)

    def unclaimed(self) -> list[Row[Any]]:
        """Readings that belong to nobody, newest first, one row a measurement."""
        reading, value = tables.reading, tables.measurement
        statement = (
            select(reading, value.c.metric, value.c.value)
            .outerjoin(value, value.c.reading_seq == reading.c.seq)
            .where(_IS_NOBODYS)
            .order_by(reading.c.seq.desc(), value.c.metric)
            .limit(_KEPT_MAX)
        )
        return self._all(statement, reading)

    def count_kept(self) -> int | None:
        """How many messages and readings wait for somebody; None when the reader may not see them."""
        return self._once("kept", self._count_kept)

    def _count_kept(self) -> int | None:
        if not allowed(self.actor, May.SEE_QUARANTINE):
            return None
        table, reading = tables.quarantine, tables.reading
        total = self._count(select(func.count()).select_from(table).where(table.c.state == "open"), table)
        if allowed(self.actor, May.SEE_UNCLAIMED):
            nobody = select(func.count()).select_from(reading).where(_IS_NOBODYS)
            total += self._count(nobody, reading)
        return total

    def count_waiting(self, now: datetime) -> int | None:
        """How much waits, counting as one what was met together; None when the reader has no worklist."""
        if not allowed(self.actor, May.SEE_WORKLIST):
            return None
        return self.board(now).waiting

    def count_proposals(self) -> int | None:
        """How many plans wait for a second person; None when the reader may approve none."""
        if not allowed(self.actor, May.APPROVE_PLAN):
            return None
        table = tables.plan_proposal
        return self._count(select(func.count()).select_from(table).where(table.c.state == "tested"), table)

    def names_of_patients(self, patients: Sequence[str]) -> dict[str, str]:
        """Patient id -> name."""
        return names_of_patients(self.connection, self.vault, self.actor, list(patients))

    def contacts_of(self, patients: Collection[str]) -> dict[str, list[Contact]]:
        """Patient -> whom to call about them."""
        return contacts_of_all(self.connection, self.vault, self.actor, patients)

    def names_of_staff(self) -> dict[str, str]:
        """Staff id -> name."""
        return self._once("staff", lambda: names_of_staff(self.connection, self.vault, self.actor))

    def beat_of_watch(self) -> datetime | None:
        """When the loop that runs the rules was last alive."""
        return self.beats().get("watch")

    def beats(self) -> dict[str, datetime]:
        """When each part of the server was last alive; nobody's data, so nothing to narrow."""
        return self._once("beats", lambda: all_of(self.connection))

    def _once(self, what: str, ask: Callable[[], _Found]) -> _Found:
        if what not in self._asked:
            self._asked[what] = ask()
        found: _Found = self._asked[what]
        return found

    def all(self, statement: Select[Any], table: Table) -> list[Row[Any]]:
        """Every row of the statement that the reader may know of, by whose `table` they are."""
        return self._all(statement, table)

    def _all(self, statement: Select[Any], table: Table) -> list[Row[Any]]:
        return list(self.connection.execute(scope(statement, table, self.actor)).all())

    def _count(self, statement: Select[Any], table: Table) -> int:
        return int(self.connection.execute(scope(statement, table, self.actor)).scalar() or 0)
