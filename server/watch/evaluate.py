"""Judges patients: load, step, save, all in the caller's one transaction.

Theory of operation. The table `due` is all the memory that time needs. Whoever records a reading puts the patient on
the slate for now, unless he is due earlier; whoever judges him puts down when to ask again. Both happen in
transactions that take turns (`dialect.take_turn`), so either the judge saw the reading or the recorder's "now" survives
the judge's later wake-up. A crash anywhere leaves the patient due. The rules decide nothing here and nothing is decided
here: this file only carries values between tables and `alerts.engine`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from alerts import engine
from alerts.view import Step
from server.db import tables
from server.db.dialect import take_turn
from server.watch.patient import Judged, leave_slate, load, look_up, save, save_all, view
from vitals import failpoint

# Counted and not timed, so that the same inputs make the same transactions; some quarter of a second.
READINGS_TOGETHER = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of patients who were asked about together. Those in neither were not reached."""

    steps: Mapping[str, Step | None]  # None: no plan judges him
    troubles: Mapping[str, Exception]  # nothing was done to these


def evaluate(connection: Connection, patient: str, now: datetime) -> Step | None:
    """Ask the rules about this patient and save what they say; None when no plan judges him."""
    municipality = connection.execute(
        select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    ).scalar_one()
    take_turn(connection, patient, municipality, now)
    loaded = load(connection, patient)
    if loaded is None:
        leave_slate(connection, [patient])  # a new plan puts him on it again
        return None
    step = engine.step(loaded.view, now)
    failpoint.reach("watch.judged")
    save(connection, loaded, step, now, None)
    return step


def evaluate_all(connection: Connection, patients: Sequence[str], now: datetime) -> Outcome:
    """Ask the rules about these patients, whose turn is the caller's already, until so many readings were gone through.

    Whatever fails on one of them is told, and is nobody else's trouble; only the database's own errors are raised.
    """
    stored = look_up(connection, patients, to_judge_at=now)
    failpoint.reach("watch.taken")
    judged: list[Judged] = []
    unwatched: list[str] = []
    troubles: dict[str, Exception] = {}
    for patient in patients:
        if judged and sum(len(each.loaded.view.arrivals) for each in judged) >= READINGS_TOGETHER:
            break
        try:
            loaded = view(connection, stored, patient)
            if loaded is None:
                unwatched.append(patient)
            else:
                judged.append(Judged(loaded=loaded, step=engine.step(loaded.view, now)))
        except SQLAlchemyError:
            raise  # after it nothing more can be done in this transaction
        except Exception as error:  # noqa: BLE001 - one patient must never blind the watch over the others
            troubles[patient] = error
    failpoint.reach("watch.judged")
    save_all(connection, judged, now, None, stored.ahead)
    leave_slate(connection, unwatched)  # a new plan puts them on it again
    steps: dict[str, Step | None] = dict.fromkeys(unwatched)
    return Outcome(steps=steps | {each.loaded.view.patient: each.step for each in judged}, troubles=troubles)
