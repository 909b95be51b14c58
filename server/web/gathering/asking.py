"""What several pages read from the database. Each query is narrowed by `scope`; plain rows go out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, and_, func, or_, select

from alerts import engine
from alerts.history import Quarantined
from server.access import Action as May
from server.access import Actor, allowed, scope
from server.care.enrolment import Contact, contacts_of_all
from server.care.people import names_of_patients, names_of_staff
from server.db import tables
from server.db.tables.judging import SHOWN_STATES
from server.vault import Vault
from server.watch.beat import all_of
from server.watch.patient import look_up, view
from server.web.gathering import questions, standing
from server.web.views.board import Board, Standing, board
from server.web.views.chosen import Chosen

OVERDUE = timedelta(
    minutes=10
)  # of the installation's clock; the watch asks every second, on a fast clock every minute
_CLICKED = (
    *("acknowledged", "taken_over", "released", "resolved", "snoozed"),
    *("dispatched", "dispatch_accepted", "dispatch_refused"),
)
_KEPT_MAX = 200  # on one page; the count beside it is the whole
_FACTS_MAX = 60
_Found = TypeVar("_Found")


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
        if only is not None:
            return self.patients_of([only])
        return questions.all_followed(self.connection, self.actor)

    def patients_of(self, only: Collection[str]) -> list[Row[Any]]:
        """The same of these alone."""
        return questions.followed(self.connection, self.actor, only)

    def zones(self, now: datetime) -> list[Row[Any]]:
        """How many (`patients`) have the same zone (None: never judged), `is_unjudged` and `condition`.

        `is_unjudged`: the rules could not be asked; `condition`: an alert of a green patient says that it is not over.
        """
        return questions.census(self.connection, self.actor, overdue=now - OVERDUE)

    def zones_of_patients(self, now: datetime) -> list[Row[Any]]:
        """Each patient with the zone (None: never judged) and `is_unjudged`."""
        return questions.zones(self.connection, self.actor, overdue=now - OVERDUE)

    def board(self, now: datetime, chosen: Chosen | None = None) -> Board:
        """Every patient with an open alert in the order of the worklist; asked for once in a page.

        Whoever asks first may say what was `chosen`: whom it means is told, and nobody is left out.
        """
        return self._once("board", lambda: board(self.standing(now, chosen or Chosen())))

    def standing(self, now: datetime, chosen: Chosen) -> list[Standing]:
        """The open alerts of each patient as one row, in no order; `is_meant`: one of them is as chosen."""
        if not chosen.is_of_alerts:
            return standing.everybody(self.connection, self.actor, now=now)
        owner = self.actor.id if chosen.whose else ""
        asked = {"priority": chosen.priority, "kind": chosen.kind, "owner": owner}
        return standing.sifted(self.connection, self.actor, now=now, **asked)

    def open_alerts(self, patients: Collection[str]) -> list[Row[Any]]:
        """The alerts of these patients that a person should see, with their whole body."""
        return questions.open_alerts(self.connection, self.actor, patients)

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
        """Of each patient and metric the newest measurements since then, at most so many, oldest first.

        What a person took out is left out.
        """
        metrics = ",".join(sorted({metric for _, metric in wanted}))
        asked = {"metrics": f",{metrics},", "since": since, "most": each}
        return questions.newest_values(self.connection, self.actor, {patient for patient, _ in wanted}, **asked)

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
        return {str(row.why["reading_id"]) for row in questions.taken_out(self.connection, self.actor, patients)}

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
            .where(questions.IS_NOBODYS)
            .order_by(reading.c.seq.desc(), value.c.metric)
            .limit(_KEPT_MAX)
        )
        return self._all(statement, reading)

    def frame(self) -> Any:
        """What the frame of a page says, as `questions.frame` has it; asked for once in a page."""
        return self._once("frame", lambda: questions.frame(self.connection, self.actor)[0])

    def count_kept(self) -> int | None:
        """How many messages and readings wait for somebody; None when the reader may not see them."""
        found = self.frame()
        return None if found.kept is None else found.kept + (found.unclaimed or 0)

    def count_waiting(self, now: datetime) -> int | None:
        """How much waits, counting as one what was met together; None when the reader has no worklist."""
        if not allowed(self.actor, May.SEE_WORKLIST):
            return None
        return self.board(now).waiting

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
