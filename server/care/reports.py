"""What a patient, or somebody on the patient's behalf, measured or answered: recorded as any other reading is.

It is marked as entered by hand, is judged by the same rules, and is stored once however often its form is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from sqlalchemy import Connection, insert, select

from server import audit
from server.access import Action, Actor, require, scope
from server.care.people import NotFoundError
from server.db import tables
from server.db.asking import ask
from server.db.dialect import next_numbers, take_turn
from server.ingest.keep import Claimed, keep
from server.ingest.quiet import envelopes
from vitals.reading import ClockSource, DeviceId, Extreme, Measurement, Reading, ReadingId

BY_HAND = DeviceId("BY HAND")
ENTERED = "entered_by_hand"  # the flag of such a reading
_SHOWN = 10  # questionnaires on a page
_FORMS = UUID("b2a1d1d6-53f5-5bb4-9a5e-0d3f3c6f1f9a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Values of one moment in the metrics' own units; `answers` where they come from a questionnaire.

    `token` is the form's: the same one for the same patient is the same report.
    """

    patient: str
    token: str
    taken_at: datetime
    values: Mapping[str, Decimal | Extreme]
    answers: Mapping[str, bool] | None = None


def form_id(patient: str, token: str) -> str:
    """The id of what this form came to, made from it, so that sending it again is the same."""
    return str(uuid5(_FORMS, f"{patient}\n{token}"))


def report(connection: Connection, actor: Actor, new: Report, now: datetime) -> bool:
    """Record it, in the caller's transaction; False when it is recorded already. The rules are due to be asked.

    Raises `RefusedError`, and `NotFoundError` for a patient that the actor may not know of.
    """
    require(actor, Action.REPORT_OWN)
    whose = tables.patient.c
    statement = select(whose.municipality_id).where(whose.id == new.patient)
    municipality = connection.execute(scope(statement, tables.patient, actor)).scalar()
    if municipality is None:
        raise NotFoundError("no such patient")
    table, identity = tables.self_report, form_id(new.patient, new.token)
    take_turn(connection, new.patient, municipality, now)
    if connection.execute(select(table.c.id).where(table.c.id == identity)).first():
        return False
    reading = Reading(
        id=ReadingId(identity),
        device=BY_HAND,
        taken_at=new.taken_at,
        clock=ClockSource.GATEWAY,
        measurements=tuple(Measurement(metric=name, value=value) for name, value in new.values.items()),
        flags=(ENTERED,),
    )
    entered = Claimed(reading=reading, municipality=municipality, gateway=None, whose=new.patient)
    free, allowed = ask(connection, next_numbers({tables.reading: 1}), envelopes.about([new.patient], now=now))
    keep(connection, [entered], now, free=free, allowed=allowed)
    row = {
        "id": identity,
        "municipality_id": municipality,
        "patient_id": new.patient,
        "by": actor.id,
        "role": actor.role.value,
        "at": now,
        "answers": None if new.answers is None else dict(new.answers),
    }
    connection.execute(insert(table).values(row))
    entry = audit.Entry(action=Action.REPORT_OWN, patient=new.patient, subject=identity)
    audit.write(connection, actor, entry, now)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A questionnaire that was filled in: by whom (an id), as what, when, and which questions were answered by yes."""

    by: str
    role: str
    at: datetime
    yes: tuple[str, ...]


def newest_answers(connection: Connection, actor: Actor, patient: str) -> list[Answered]:
    """The newest questionnaires of a patient, newest first."""
    table = tables.self_report
    statement = select(table).where(table.c.patient_id == patient, table.c.answers.is_not(None))
    rows = connection.execute(scope(statement.order_by(table.c.at.desc(), table.c.id).limit(_SHOWN), table, actor))
    return [
        Answered(by=row.by, role=row.role, at=row.at, yes=tuple(key for key, yes in row.answers.items() if yes))
        for row in rows
    ]
