"""The threshold rule beside a second, naive reading of its specification."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.priority import Priority
from alerts.replay import run
from tests.alerts.naive import Band, Low, judged
from tests.alerts.watched import Asked, Watched
from tests.alerts.worlds import EXAMPLES, MINUTE, Tape
from vitals.reading import Extreme, Quality

START = datetime(2026, 3, 2, tzinfo=UTC)
SATURATION = Low("spo2", (Band(94, Priority.MEDIUM), Band(92, Priority.HIGH, confirm=True, unless=88)), deadband=2)
THREE = Low(
    "pulse",
    (
        Band(50, Priority.LOW),
        Band(45, Priority.MEDIUM, confirm=True),
        Band(40, Priority.HIGH, confirm=True, unless=35),
    ),
    deadband=5,
)
AT_ONCE = Low("spo2", (Band(94, Priority.MEDIUM), Band(93, Priority.HIGH)), deadband=2)
_EACH, _MOST = 5, 6


@dataclass(frozen=True, slots=True)
class Course:
    """A rule and the values it is shown."""

    rule: Low
    readings: tuple[Arrival, ...]


def courses() -> st.SearchStrategy[Course]:
    """Values on and beside the limits, close after one another."""
    length = 2 + _EACH * _MOST
    return st.binary(min_size=length, max_size=length).map(lambda text: _grow(Tape(text)))


def _grow(tape: Tape) -> Course:
    rule, wanted, at = tape.pick((SATURATION, THREE, AT_ONCE)), 1 + tape.below(_MOST), START + MINUTE
    steps = (0, 1, -1, rule.deadband, rule.deadband - 1, 2 * rule.deadband, -2)
    values = [Decimal(band.limit + step) for band in rule.bands for step in steps]
    found = []
    for number in range(wanted):
        at += tape.pick((4, 0, 14, 15, 16, 1, 30)) * MINUTE
        value = tape.pick((*values, Extreme.LO, Extreme.HI))
        found.append(
            Arrival(
                reading_id=f"r{number}",
                taken_at=at,
                received_at=at + tape.pick((0, 0, 0, 3, 10, 15, 16, 40)) * MINUTE,
                values={rule.metric: value},
                quality=tape.pick((Quality.GOOD, Quality.GOOD, Quality.POOR)),
            )
        )
        tape.below(2)
    return Course(rule, tuple(found))


@EXAMPLES
@given(courses())
def test_a_threshold_rule_says_what_its_specification_says(course: Course):
    assert_said_as_specified(course)


def assert_said_as_specified(course: Course) -> None:
    """At every moment that the rule is asked, it holds the band, and waits, as the naive reading has it."""

    def compare(_: Watched, asked: Asked) -> None:
        held, waits = judged(course.rule, course.readings, asked.at)
        alert = asked.after.get("low")
        shown = (alert.priority if alert is not None and alert.condition else None, bool(alert and alert.waiting))
        assert shown == (held, waits), f"{asked.at}: the rule says {shown}, by its specification {(held, waits)}"

    replay = Watched(plan=_plan(course.rule), watch=compare)
    run(replay, course.readings, (), START + 300 * MINUTE)


def _plan(rule: Low):
    bands = [
        {
            "limit": each.limit,
            "priority": each.priority.word,
            **({"confirm": {"within": "15min"}} if each.confirm else {"confirm": False}),
            **({} if each.unless is None else {"unless": each.unless}),
        }
        for each in rule.bands
    ]
    own = {"kind": "threshold", "metric": rule.metric, "side": "below", "bands": bands, "needs_outcome": True}
    book = rulebook.Rulebook(
        name="low",
        version="1",
        source="tests",
        reviewed_on=date(2026, 1, 1),
        verified=False,
        ends_after=None,
        table={"low": own},
    )
    return rulebook.draft(book, {"plan_id": "low", "timezone": "UTC", "starts_at": START.isoformat()})


def _spo2(minutes: int, value: int, quality: Quality = Quality.GOOD) -> Arrival:
    at = START + minutes * MINUTE
    return Arrival(
        reading_id=f"r{minutes}", taken_at=at, received_at=at, values={"spo2": Decimal(value)}, quality=quality
    )


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(5, (None, True)), (10, (None, True)), (20, (Priority.HIGH, False)), (60, (Priority.HIGH, False))],
)
def test_the_naive_reading_waits_enters_and_lets_silence_confirm(minutes, said):
    readings = [_spo2(5, 91), _spo2(12, 97, Quality.POOR)]
    assert judged(SATURATION, readings, START + minutes * MINUTE) == said


def test_the_naive_reading_leaves_a_band_on_the_second_clear_reading():
    readings = [_spo2(1, 91), _spo2(2, 91), _spo2(3, 95), _spo2(4, 96), _spo2(5, 96)]
    held = [judged(SATURATION, readings, START + minutes * MINUTE)[0] for minutes in range(1, 6)]
    assert held == [None, Priority.HIGH, Priority.HIGH, Priority.MEDIUM, None]
    again = [*readings, replace(_spo2(6, 94), received_at=START + 30 * MINUTE)]
    assert judged(SATURATION, again, START + 31 * MINUTE) == (Priority.MEDIUM, False)
