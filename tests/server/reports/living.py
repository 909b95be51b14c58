"""A patient's days as the server lives them: readings recorded, the rules asked at every wake-up, clicks."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from alerts.command import Action, Outcome
from server import actions
from server.care import plans
from server.db import tables
from server.watch.evaluate import evaluate
from tests.server.plans import covid_plan
from tests.server.world import START, World

TAKEN = (97, 93, 88, 87, 96, 95, 97, 97)  # spo2, one reading every nine minutes


def live(world: World, spo2: Iterable[int] = TAKEN, **clicks: tuple[int, Action]) -> datetime:
    """Record and judge a reading every nine minutes; the fifth comes late. `clicks`: rule -> (after which, signal)."""
    with world.database.write() as connection:
        plans.activate(connection, world.patient, covid_plan(), world.nurse, START)
    moment = START - timedelta(minutes=30)
    for number, value in enumerate(spo2, 1):
        moment += timedelta(minutes=9)
        taken = -3 if number == 5 else number
        world.record(world.reading(number=taken, values=_values(value)), now=moment)
        wake_at = _judge(world, moment)
        for rule, (after, signal) in clicks.items():
            if after == number:
                click(world, rule, signal, moment + timedelta(minutes=1))
        while wake_at is not None and wake_at < moment + timedelta(minutes=9):
            wake_at = _judge(world, max(wake_at, moment + timedelta(minutes=1)))
    return moment


def click(world: World, rule: str, signal: Action, now: datetime) -> None:
    """The world's nurse clicks on the rule's newest alert."""
    alert = next(row["id"] for row in world.rows(tables.alert) if row["rule"] == rule)
    outcome = Outcome.ACTIONABLE if signal is Action.RESOLVE else None
    with world.database.write() as connection:
        actions.act(connection, world.actor, actions.Click(alert=alert, signal=signal, outcome=outcome), now)


def _values(spo2: int) -> Mapping[str, Decimal]:
    return {"spo2": Decimal(spo2), "pulse": Decimal(80)}


def _judge(world: World, now: datetime) -> datetime | None:
    with world.database.write() as connection:
        step = evaluate(connection, world.patient, now)
    assert step is not None
    return step.wake_at
