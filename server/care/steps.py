"""What was done about a patient's plan, by whom and when: rows that only grow."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from server.access import Actor, scope
from server.db import tables


class Step(StrEnum):
    """One station in the life of a plan."""

    PROPOSED = "proposed"
    BACK_TESTED = "back_tested"
    RETURNED = "returned"  # given back to whoever proposed it; it will judge nobody
    APPROVED = "approved"
    ACTIVATED = "activated"
    MEASURED = "measured"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step as it is noted: `version` is the plan's that it led to or is about, `said` a person's own words."""

    step: Step
    patient: str
    by: str
    proposal: str | None = None
    version: int | None = None
    said: str | None = None


def note(connection: Connection, done: Done, now: datetime) -> None:
    """Write it down for good, in the transaction of what was done."""
    home = select(tables.patient.c.municipality_id).where(tables.patient.c.id == done.patient)
    row = {
        "municipality_id": connection.execute(home).scalar_one(),
        "patient_id": done.patient,
        "plan_proposal_id": done.proposal,
        "version": done.version,
        "step": done.step.value,
        "by": done.by,
        "at": now,
        "said": done.said,
    }
    connection.execute(insert(tables.plan_step).values(row))


def steps(connection: Connection, actor: Actor, patient: str) -> list[Row[Any]]:
    """Everything that was done about the patient's plan, newest first."""
    table = tables.plan_step
    statement = select(table).where(table.c.patient_id == patient).order_by(table.c.seq.desc())
    return list(connection.execute(scope(statement, table, actor)))
