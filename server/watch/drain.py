"""Judges everybody who is due, some of them in one transaction; one patient's trouble is still nobody else's."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from sqlalchemy import Boolean, Connection, Integer, and_, bindparam, func, select, update
from sqlalchemy.exc import OperationalError

from alerts.fact import FactKind
from alerts.view import Step
from server.db import tables
from server.db.asking import Asked, ask
from server.db.types import UTCDateTime
from server.parts import Parts
from server.watch.evaluate import evaluate, evaluate_all
from vitals import failpoint

AT_ONCE = 500  # patients, and then the loop may have other things to do
# Whether they are due only for readings of long ago, and how many of them in one transaction: more gains nothing that
# could be measured, and each of the late ones may bring days of readings.
_LANES = ((False, 100), (True, 10))
_DELAY_FIRST = timedelta(seconds=10)
_DELAY_MAX = timedelta(minutes=10)  # a patient who cannot be judged is tried this often for ever

_DUE = tables.due.c
_IS_DUE = _DUE.evaluate_at <= bindparam("now", type_=UTCDateTime())
_HOW_MANY = select(func.count(), func.min(_DUE.evaluate_at)).where(_IS_DUE)
_READY = Asked(
    lambda _dialect: (
        select(_DUE.patient_id)
        .where(_IS_DUE, _DUE.late == bindparam("late", type_=Boolean()))
        .order_by(_DUE.evaluate_at, _DUE.patient_id)
        .limit(bindparam("most", type_=Integer()))
        .with_for_update(skip_locked=True)
    )
)

_log = structlog.get_logger("varde.watch")


def drain(parts: Parts, alive: Callable[[], None] = lambda: None) -> int:
    """Judge up to a few hundred patients who are due; returns how many this process took in hand.

    `alive` is called now and then, outside every transaction. Fewer than `AT_ONCE`: nobody else was due just then.
    """
    done: Counter[_Done] = Counter()
    while done.total() < AT_ONCE:
        some = _judge_some(parts, alive)
        alive()
        if some.done[_Done.JUDGED]:
            parts.changed.ring()
        if some.is_told:
            parts.wake_notify.ring()
        done += some.done
        if not some.more:
            break
    return done.total()


class _Done(Enum):
    """What became of one patient on the slate."""

    JUDGED = auto()
    PUT_OFF = auto()  # could not be judged, and stays due a little later
    LEFT = auto()  # somebody else has this patient in hand, or has judged already


@dataclass(frozen=True, slots=True, kw_only=True)
class _Some:
    """What became of some patients; whether somebody is to be told of them, and whether others may be due."""

    done: Counter[_Done]
    is_told: bool = False
    more: bool = False


def look(parts: Parts) -> None:
    """Say how many are due, and for how long, to whoever measures."""
    with parts.database.glance() as connection:
        now = parts.clock.now()
        count, oldest = connection.execute(_HOW_MANY, {"now": now}).one()
    parts.metrics.due.set(count)
    parts.metrics.late.set(0 if oldest is None else (now - oldest).total_seconds())


def _judge_some(parts: Parts, alive: Callable[[], None]) -> _Some:
    """Judge some of those who are due in one transaction; if that fails, the same ones each in their own."""
    began = time.monotonic()
    taken: list[str] = []
    more = False
    try:
        with parts.database.write() as connection:
            taken, more = _take_some(connection, parts.clock.now())
            if not taken:
                return _Some(done=Counter())
            failpoint.reach("watch.looked")
            now = parts.clock.now()  # not before the turns were ours: it never goes back
            outcome = evaluate_all(connection, taken, now)
            failpoint.reach("watch.saved")
        failpoint.reach("watch.committed")
    except Exception as error:
        if not taken:
            raise
        outcome = None
        if len(taken) > 1:
            _log.warning("not judged together", patients=len(taken), error=type(error).__name__)
    if outcome is None:  # out here, so that what is told of each is not told of all of them again
        return _Some(done=_judge_each(parts, sorted(taken), alive), is_told=True, more=more)
    for patient, trouble in outcome.troubles.items():
        _put_off(parts, patient, trouble)
    each = (time.monotonic() - began) / len(taken)
    for step in outcome.steps.values():
        parts.metrics.evaluation.observe(each)
        _count_alerts(parts, step)
    done = Counter({_Done.JUDGED: len(outcome.steps), _Done.PUT_OFF: len(outcome.troubles)})
    return _Some(done=done, is_told=any(map(_is_told, outcome.steps.values())), more=more or done.total() < len(taken))


def _is_told(step: Step | None) -> bool:
    """Whether there is something for the notifier."""
    return step is not None and any(fact.kind is FactKind.NOTICE for fact in step.facts)


def _judge_each(parts: Parts, patients: Sequence[str], alive: Callable[[], None]) -> Counter[_Done]:
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
            step = evaluate(connection, patient, parts.clock.now())
    except OperationalError:
        raise  # whose trouble it is, the next patient shows
    except Exception as error:  # noqa: BLE001 - one patient must never blind the watch over the others
        _put_off(parts, patient, error)
        return _Done.PUT_OFF
    parts.metrics.evaluation.observe(time.monotonic() - began)
    _count_alerts(parts, step)
    return _Done.JUDGED


def _take_some(connection: Connection, now: datetime) -> tuple[list[str], bool]:
    """Some who are due, the longest first, and nobody else's; then nobody's but ours until the transaction ends.

    A few of them are due for readings of long ago; they come last, and move on under any load. And whether there may be
    more of either kind.

    It never waits for a turn, so that however many are taken at once no knot is formed.
    """
    found = ask(connection, *(_READY.about(now=now, late=late, most=most) for late, most in _LANES))
    is_full = any(len(rows) == most for rows, (_, most) in zip(found, _LANES, strict=True))
    return [row.patient_id for rows in found for row in rows], is_full


def _take(connection: Connection, patient: str, now: datetime) -> bool:
    """The same for this one: whether the patient is still due and nobody else's."""
    due = tables.due.c
    row = select(due.patient_id).where(due.patient_id == patient, due.evaluate_at <= now)
    return connection.execute(row.with_for_update(skip_locked=True)).first() is not None


def _put_off(parts: Parts, patient: str, error: Exception) -> None:
    parts.metrics.evaluation_failures.inc()
    _log.error("patient not judged", patient=patient, exc_info=error)
    _postpone(parts, patient, type(error).__name__)


def _postpone(parts: Parts, patient: str, trouble: str) -> None:
    """Have the patient wait a little, the longer the more often it failed, unless somebody has judged meanwhile."""
    table = tables.due
    now = parts.clock.now()
    row = and_(table.c.patient_id == patient, table.c.evaluate_at <= now)
    with parts.database.write() as connection:
        failures = (connection.execute(select(table.c.failures).where(row)).scalar() or 0) + 1
        changed = {"evaluate_at": now + _delay(failures), "failures": failures, "trouble": trouble, "envelope": None}
        connection.execute(update(table).where(row).values(changed))


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
