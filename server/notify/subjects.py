"""What a notice of the outbox is about: a step of an alert's ladder, or messages that nobody has read."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from alerts.fact import Role
from alerts.priority import Priority
from server.care.messages import unread_of
from server.db import tables
from server.notify.recipients import Recipient, Step
from server.notify.texts import Subject

MESSAGES = "messages"
_TOLD_MAX = 50  # earlier notices of an alert that are looked at
_TOLD_SINCE = timedelta(days=1)
# An alert that waits for nobody any more: what failed is not tried again.
_ANSWERED = frozenset({"acknowledged", "resolved", "withdrawn"})
_NOT_TO_A_ROLE = frozenset({Role.OWNER.value, Role.PATIENT.value})


def step_of(connection: Connection, row: Row[Any], now: datetime) -> Step:
    """Whom it is for. Messages are for whoever is on duty, and can wait until the service opens."""
    if row.unread_of is not None:
        return Step(patient=row.patient_id, to=Role(row.to), priority=Priority.LOW.word, owner=None, now=now)
    fact = tables.fact.c
    said = connection.execute(select(fact.priority, fact.by).where(fact.seq == row.fact_seq)).one()
    return Step(patient=row.patient_id, to=Role(row.to), priority=said.priority, owner=said.by, now=now)


def is_over(connection: Connection, row: Row[Any]) -> bool:
    """Whether somebody has taken the alert, or read the messages, meanwhile. Who owns an alert is reminded all the
    same."""
    if row.unread_of is not None:
        return not unread_of(connection, row.unread_of)
    if row.alert_id is None or row.to in _NOT_TO_A_ROLE:
        return False
    table = tables.alert
    state = connection.execute(select(table.c.state).where(table.c.id == row.alert_id)).scalar()
    return state in _ANSWERED


def subject_of(connection: Connection, row: Row[Any], step: Step, to: Recipient) -> Subject:
    """What there is to say of it to this recipient."""
    if row.unread_of is not None:
        return Subject(to=MESSAGES, priority=step.priority, case=row.seq)
    case, again = _case(connection, row, step)
    waiting = max(1, _waiting(connection, step, to))
    return Subject(to=to.role.value, priority=step.priority, case=case, again=again, waiting=waiting)


def topic_of(subject: Subject) -> str:
    """What replaces what where only the newest is shown: notices of one kind and urgency."""
    return subject.to if subject.to in (MESSAGES, *_NOT_TO_A_ROLE) else subject.priority or "low"


def _case(connection: Connection, row: Row[Any], step: Step) -> tuple[int, bool]:
    """The number under which people speak of the alert: that of its first notice; and whether somebody was told of it
    before, as urgently, and did not answer."""
    if row.alert_id is None:
        return row.seq, False
    outbox, fact = tables.outbox.c, tables.fact.c
    earlier = (
        select(outbox.seq, fact.priority)
        .join(tables.fact, fact.seq == outbox.fact_seq)
        .where(outbox.alert_id == row.alert_id, outbox.to != Role.PATIENT.value, outbox.seq <= row.seq)
        .order_by(outbox.seq)
        .limit(_TOLD_MAX)
    )
    told = connection.execute(earlier).all()
    again = any(each.seq < row.seq and each.priority == step.priority for each in told)
    return (told[0].seq if told else row.seq), again


def _waiting(connection: Connection, step: Step, to: Recipient) -> int:
    """Of how many alerts, as urgent as this one, this recipient was told that nobody has answered."""
    if to.team is None:
        return 0
    told, outbox, alert = tables.delivery, tables.outbox, tables.alert
    whose = told.c.staff_id.is_(None) if to.staff is None else told.c.staff_id == to.staff
    statement = (
        select(func.count(outbox.c.alert_id.distinct()))
        .select_from(told)
        .join(outbox, outbox.c.seq == told.c.outbox_seq)
        .join(alert, alert.c.id == outbox.c.alert_id)
        .where(told.c.team_id == to.team, whose, told.c.created_at > step.now - _TOLD_SINCE)
        .where(outbox.c.to.not_in(_NOT_TO_A_ROLE), alert.c.state.not_in(_ANSWERED), alert.c.priority == step.priority)
    )
    return int(connection.execute(statement).scalar_one())
