"""Judges one patient: load, step, save, all in the caller's one transaction.

Theory of operation. The table `due` is all the memory that time needs. Whoever records a reading puts the patient on
the slate for now, unless he is due earlier; whoever judges him puts down when to ask again. Both happen in
transactions that take turns (`dialect.take_turn`), so either the judge saw the reading or the recorder's "now" survives
the judge's later wake-up. A crash anywhere leaves the patient due. The rules decide nothing here and nothing is decided
here: this file only carries values between tables and `alerts.engine`.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from alerts import engine
from alerts.view import Step
from server.db import tables
from server.db.dialect import take_turn
from server.watch.patient import load, put_on_slate, save
from vitals import failpoint


def evaluate(connection: Connection, patient: str, now: datetime) -> Step | None:
    """Ask the rules about this patient and save what they say; None when no plan judges him."""
    municipality = connection.execute(
        select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    ).scalar_one()
    take_turn(connection, patient, municipality, now)
    loaded = load(connection, patient)
    if loaded is None:
        put_on_slate(connection, patient, municipality, None)  # a new plan puts him on it again
        return None
    step = engine.step(loaded.view, now)
    failpoint.reach("watch.judged")
    save(connection, loaded, step, now, None)
    return step
