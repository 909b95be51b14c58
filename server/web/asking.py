"""Everything the pages read from the database. Each query is narrowed by `scope`; plain rows go out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, and_, func, or_, select

from alerts import engine
from alerts.history import Quarantined
from server.access import Action as May
from server.access import Actor, allowed, scope
from server.care.people import names_of_patients, names_of_staff
from server.db import tables
from server.vault import Vault
from server.watch.patient import load
from server.web.views.groups import grouped, waits

_OPEN = ("active", "acknowledged", "cleared")  # a pending alert is not shown as an alert, only as an unknown zone
OVERDUE = timedelta(
    minutes=10
)  # of the installation's clock; the watch asks every second, on a fast clock every minute
_CLICKED = (
    *("acknowledged", "taken_over", "released", "resolved", "snoozed"),
    *("dispatched", "dispatch_accepted", "dispatch_refused"),
)
_KEPT_MAX = 200  # on one page; the count beside it is the whole
_FACTS_MAX = 60
# What two gateways heard is the patient's already and waits for nobody.
_IS_NOBODYS = and_(tables.reading.c.unclaimed.is_not(None), tables.reading.c.unclaimed != "heard_twice")


@dataclass(frozen=True, slots=True)
class Asking:
    """One reader's questions in one transaction."""

    connection: Connection
    vault: Vault
    actor: Actor

    def patients(self, only: str | None = None) -> list[Row[Any]]:
        """Patients whose enrolment is not over, with their zone (None: never judged) and active plan body.

        `failures`: how often in a row the rules could not be asked; `evaluate_at`: when to ask them (None: no need).
        """
        due = tables.due
        patient, memory, plan, enrolment = tables.patient, tables.memory, tables.plan_version, tables.enrolment
        followed = select(enrolment.c.patient_id).where(enrolment.c.state != "ended")
        statement = (
            select(
                patient.c.id, patient.c.timezone, patient.c.matters, memory.c.zone, plan.c.body.label("plan"),
                due.c.failures, due.c.evaluate_at,
            )
            .outerjoin(memory, memory.c.patient_id == patient.c.id)
            .outerjoin(due, due.c.patient_id == patient.c.id)
            .outerjoin(plan, and_(plan.c.patient_id == patient.c.id, plan.c.state == "active"))
            .where(patient.c.id.in_(followed))
            .order_by(patient.c.id)
        )  # fmt: skip
        return self._all(statement if only is None else statement.where(patient.c.id == only), patient)

    def open_alerts(self, patient: str | None = None) -> list[Row[Any]]:
        """The alerts that a person should see, with their whole body."""
        table = tables.alert
        statement = select(table).where(table.c.state.in_(_OPEN)).order_by(table.c.id)
        return self._all(statement if patient is None else statement.where(table.c.patient_id == patient), table)

    def alerts_since(self, patient: str, since: datetime) -> list[Row[Any]]:
        """Every alert that was ever shown, open or closed, raised since then."""
        table = tables.alert
        shown = (*_OPEN, "resolved")
        statement = select(table).where(table.c.patient_id == patient, table.c.state.in_(shown))
        return self._all(statement.where(table.c.raised_at >= since).order_by(table.c.raised_at), table)

    def alert(self, identity: str) -> Row[Any] | None:
        """One alert, open or not; None also when the reader may not know of it."""
        rows = self._all(select(tables.alert).where(tables.alert.c.id == identity), tables.alert)
        return rows[0] if rows else None

    def values(self, patients: Sequence[str], since: datetime) -> list[Row[Any]]:
        """Measurements taken since then, oldest first, with the quality of their reading."""
        value, reading = tables.measurement, tables.reading
        statement = (
            select(
                value.c.patient_id, value.c.metric, value.c.taken_at, value.c.value, reading.c.quality,
                reading.c.id.label("reading_id"),
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

    def held_back(self, patient: str) -> Sequence[Quarantined]:
        """The values of a patient that nobody believes and nobody has judged yet; whose he is was asked before."""
        loaded = load(self.connection, patient)
        return () if loaded is None else engine.held_back(loaded.view)

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
        table = tables.alert
        statement = select(
            *(table.c.id, table.c.patient_id, table.c.rule, table.c.state),
            *(table.c.priority, table.c.raised_at, table.c.snoozed_until),
        ).where(table.c.state.in_(_OPEN))
        found: Iterable[Any] = self._all(statement, table)
        return sum(any(waits(each, now) for each in group) for group in grouped(found))

    def names_of_patients(self, patients: Sequence[str]) -> dict[str, str]:
        """Patient id -> name."""
        return names_of_patients(self.connection, self.vault, self.actor, list(patients))

    def names_of_staff(self) -> dict[str, str]:
        """Staff id -> name."""
        return names_of_staff(self.connection, self.vault, self.actor)

    def beat_of_watch(self) -> datetime | None:
        """When the loop that runs the rules was last alive; nobody's data, so nothing to narrow."""
        found: datetime | None = self.connection.execute(
            select(tables.role_beat.c.at).where(tables.role_beat.c.role == "watch")
        ).scalar()
        return found

    def _all(self, statement: Select[Any], table: Table) -> list[Row[Any]]:
        return list(self.connection.execute(scope(statement, table, self.actor)))

    def _count(self, statement: Select[Any], table: Table) -> int:
        return int(self.connection.execute(scope(statement, table, self.actor)).scalar() or 0)
