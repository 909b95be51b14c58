"""How fast something gets worse: what is compared with what, and that a reading brings it to the alert's row."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from server.db import tables
from server.watch.evaluate import evaluate
from server.watch.pace import FAST, STEADY, WORSE, Point, pace
from tests.server.plans import activate
from tests.server.world import START, World
from vitals.reading import Extreme

NOW = datetime(2026, 11, 22, 6, 40, tzinfo=UTC)


def points(*values: object, hours: int = 24) -> list[Point]:
    """Newest first, so many hours apart."""
    return [
        Point(NOW - timedelta(hours=hours * place), value if isinstance(value, Extreme) else Decimal(str(value)))
        for place, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("metric", "side", "values", "found"),
    [
        ("spo2", "below", (86, 91, 90), FAST),
        ("spo2", "below", (88, 91, 90), WORSE),
        ("spo2", "below", (90, 91, 90), STEADY),
        ("spo2", "below", (97, 91, 90), STEADY),  # better
        ("spo2", "below", (87,), STEADY),  # nothing to compare with
        ("spo2", "below", (Extreme.LO, 91), FAST),
        ("glucose", "below", (Extreme.HI, 5), STEADY),
        ("pulse", "above", (110, 90), FAST),
        ("pulse", "above", (100, 90), WORSE),
        ("weight", "above", ("83.8", "82.6", "81.9"), WORSE),
        ("temperature", "above", ("38.4", "37.4"), FAST),
        ("steps", "below", (0, 9000), STEADY),  # nobody knows how much is much
    ],
)
def test_the_newest_is_compared_with_the_middle_of_those_before(
    metric: str, side: str, values: tuple[object, ...], found: int
) -> None:
    assert pace(metric, side, points(*values)) == found


def test_a_second_measurement_to_confirm_is_no_change() -> None:
    assert pace("spo2", "below", points(87, 92, hours=1)) == STEADY


def test_what_was_long_ago_is_not_compared() -> None:
    assert pace("spo2", "below", points(87, 95, hours=72)) == STEADY


def test_a_reading_brings_the_pace_to_its_alert(world: World) -> None:
    activate(world)
    _measured(world, 96, hours=0)
    _measured(world, 88, hours=24)
    (alert,) = _alerts(world)
    assert (alert["rule"], alert["pace"], alert["version"]) == ("spo2_low", FAST, 1)
    for hours in (48, 72):
        _measured(world, 88, hours=hours)  # as bad as before, and no worse
    assert _alerts(world)[0]["pace"] == STEADY


def _measured(world: World, spo2: int, *, hours: int) -> None:
    at = START + timedelta(hours=hours)
    values = {"spo2": Decimal(spo2), "pulse": Decimal(80)}
    world.record(world.reading(number=hours, values=values, taken_at=at), now=at)
    with world.database.write() as connection:
        evaluate(connection, world.patient, at)


def _alerts(world: World) -> list[dict[str, object]]:
    return [row for row in world.rows(tables.alert) if row["rule"] == "spo2_low"]
