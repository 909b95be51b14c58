"""Judges everybody who is due, one transaction each, so that one patient's trouble is nobody else's."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import OperationalError

from alerts.fact import FactKind
from alerts.view import Step
from server.db import tables
from server.parts import Parts
from server.watch.evaluate import evaluate
from vitals import failpoint

_AT_ONCE = 500  # patients between two looks at the slate
_DELAY_FIRST = timedelta(seconds=10)
_DELAY_MAX = timedelta(minutes=10)  # a patient who cannot be judged is tried this often for ever

_log = structlog.get_logger("varde.watch")


def drain(parts: Parts, alive: Callable[[], None] = lambda: None) -> int:
    """Judge up to a few hundred patients who are due; returns how many this process took in hand.

    `alive` is called after each of them, outside every transaction.
    """
    with parts.database.read() as connection:
        now, table = parts.clock.now(), tables.due
        ready = table.c.evaluate_at <= now
        patients = connection.execute(
            select(table.c.patient_id).where(ready).order_by(table.c.evaluate_at).limit(_AT_ONCE)
        ).scalars()
        due = sorted(patients)
        count, oldest = connection.execute(select(func.count(), func.min(table.c.evaluate_at)).where(ready)).one()
    parts.metrics.due.set(count)
    parts.metrics.late.set(0 if oldest is None else (now - oldest).total_seconds())
    if due:
        failpoint.reach("watch.looked")
    done = _judge_all(parts, due, alive)
    if done[_Done.JUDGED]:
        parts.changed.ring()
        parts.wake_notify.ring()
    return len(due) - done[_Done.LEFT]


class _Done(Enum):
    """What became of one patient on the slate."""

    JUDGED = auto()
    PUT_OFF = auto()  # could not be judged, and stays due a little later
    LEFT = auto()  # somebody else has this patient in hand, or has judged already


def _judge_all(parts: Parts, patients: Sequence[str], alive: Callable[[], None]) -> Counter[_Done]:
    """How many came to what. Raises `OperationalError` when the database fails for two in a row, or for any write."""
    done: Counter[_Done] = Counter()
    failed = False
    for patient in patients:
        try:
            done[_judge(parts, patient)] += 1
            failed = False
        except OperationalError as error:
            if failed:
                raise  # the database's trouble, not a patient's
            failed = True
            _put_off(parts, patient, error)
            done[_Done.PUT_OFF] += 1
        alive()
    return done


def _judge(parts: Parts, patient: str) -> _Done:
    began = time.monotonic()
    try:
        with parts.database.write() as connection:
            if not _take(connection, patient, parts.clock.now()):
                return _Done.LEFT
            failpoint.reach("watch.taken")
            step = evaluate(connection, patient, parts.clock.now())  # not before the turn was ours: it never goes back
            failpoint.reach("watch.saved")
        failpoint.reach("watch.committed")
    except OperationalError:
        raise  # whose trouble it is, the next patient shows
    except Exception as error:  # noqa: BLE001 - one patient must never blind the watch over the others
        _put_off(parts, patient, error)
        return _Done.PUT_OFF
    parts.metrics.evaluation.observe(time.monotonic() - began)
    _count_alerts(parts, step)
    return _Done.JUDGED


def _take(connection: Connection, patient: str, now: datetime) -> bool:
    """Whether the patient is still due and nobody else's; then nobody's but ours until the transaction ends."""
    due = tables.due.c
    row = select(due.patient_id).where(due.patient_id == patient, due.evaluate_at <= now)
    return connection.execute(row.with_for_update(skip_locked=True)).first() is not None


def _put_off(parts: Parts, patient: str, error: Exception) -> None:
    parts.metrics.evaluation_failures.inc()
    _log.error("patient not judged", patient=patient, exc_info=error)
    _postpone(parts, patient, type(error).__name__)


def _postpone(parts: Parts, patient: str, trouble: str) -> None:
    table = tables.due
    row = table.c.patient_id == patient
    with parts.database.write() as connection:
        failures = (connection.execute(select(table.c.failures).where(row)).scalar() or 0) + 1
        again = parts.clock.now() + _delay(failures)
        connection.execute(update(table).where(row).values(evaluate_at=again, failures=failures, trouble=trouble))


def _delay(failures: int) -> timedelta:
    return min(_DELAY_MAX, _DELAY_FIRST * (1 << min(failures - 1, 10)))


def _count_alerts(parts: Parts, step: Step | None) -> None:
    raised: Counter[str] = Counter(
        fact.priority.word
        for fact in (step.facts if step else ())
        if fact.kind is FactKind.RAISED and fact.priority is not None
    )
    for priority, times in raised.items():
        parts.metrics.alerts.labels(priority).inc(times)


def next_due(parts: Parts) -> datetime | None:
    """When the next patient is due; None when the slate is empty."""
    with parts.database.read() as connection:
        return connection.execute(select(func.min(tables.due.c.evaluate_at))).scalar()
