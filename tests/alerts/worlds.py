"""Made-up patients for the properties: a plan, readings that come in any order, and clicks, on whole minutes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.command import Action, Command, Outcome
from alerts.plan import Outside, Period, Plan
from alerts.replay import Replay, Timed, run
from vitals.reading import Extreme, Quality

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOURS = 11  # the length of a made-up story

TABLE: dict[str, dict[str, Any]] = {
    "spo2_low": {
        "kind": "threshold",
        "metric": "spo2",
        "side": "below",
        "bands": [{"limit": 94, "priority": "medium"}, {"limit": 92, "priority": "high"}],
        "rearm_after": "90min",
    },
    "spo2_drop": {
        "kind": "threshold",
        "metric": "spo2",
        "side": "below",
        "relative_to": "baseline",
        "baseline_readings": 3,
        "baseline_days": 1,
        "bands": [{"limit": -3, "priority": "medium", "readings": 2}],
    },
    "fever": {
        "kind": "threshold",
        "metric": "temperature",
        "side": "above",
        "bands": [
            {"limit": 38.0, "priority": "high", "ask_again": "60min"},
            {
                "limit": 38.0,
                "priority": "critical",
                "readings": 2,
                "apart": "60min",
                "most": "5h",
                "silence": "120min",
            },
        ],
    },
    "pressure_high": {
        "kind": "threshold",
        "metrics": ["systolic", "diastolic"],
        "side": "above",
        "bands": [{"limit": {"systolic": 180, "diastolic": 110}, "priority": "high", "confirm": {"within": "20min"}}],
    },
    "cat_mild": {
        "kind": "threshold",
        "metric": "cat",
        "side": "above",
        "clear_readings": 1,
        "bands": [{"limit": 10, "priority": "low"}, {"limit": 20, "priority": "medium"}],
    },
    "missing_spo2": {
        "kind": "missing",
        "metric": "spo2",
        "slots": ["01:00-03:00", "05:00-06:30", "08:00-10:00"],
        "grace": "45min",
        "remind_at": ["02:30", "06:00"],
        "worse_after": 2,
        "worse_priority": "high",
    },
}

BOOK = rulebook.Rulebook(
    name="made_up",
    version="1",
    source="tests",
    reviewed_on=date(2026, 1, 1),
    verified=False,
    ends_after=None,
    table=TABLE,
)

_minutes = st.integers(0, HOURS * 60 - 90).map(lambda minutes: START + minutes * MINUTE)
_numbers = {
    "spo2": st.one_of(st.integers(86, 99), st.just(40)).map(Decimal),
    "temperature": st.sampled_from(["36.5", "37.7", "37.9", "38.0", "38.4", "38.6", "46.0"]).map(Decimal),
    "systolic": st.sampled_from([120, 169, 171, 180, 199, 200, 290]).map(Decimal),
    "diastolic": st.sampled_from([80, 104, 106, 110, 118]).map(Decimal),
    "cat": st.sampled_from([5, 9, 10, 15, 20, 25]).map(Decimal),
}


@st.composite
def values(draw: st.DrawFn) -> dict[str, Decimal | Extreme]:
    """One act of measuring."""
    metrics = draw(st.sampled_from([("spo2",), ("spo2",), ("temperature",), ("systolic", "diastolic"), ("cat",)]))
    numbers: dict[str, Decimal | Extreme] = {metric: draw(_numbers[metric]) for metric in metrics}
    if draw(st.integers(0, 19)) == 0:
        numbers[metrics[0]] = draw(st.sampled_from(list(Extreme)))
    return numbers


_delays = st.one_of(st.just(0), st.just(0), st.integers(0, 15), st.integers(16, 300))


@st.composite
def arrivals(draw: st.DrawFn, delays: st.SearchStrategy[int] = _delays) -> tuple[Arrival, ...]:
    """Readings of one patient; some poor, some late, some at the same moment."""
    found = []
    for at in range(draw(st.integers(0, 14))):
        taken_at = draw(_minutes)
        found.append(
            Arrival(
                reading_id=f"r{at}",
                taken_at=taken_at,
                received_at=taken_at + draw(delays) * MINUTE,
                values=draw(values()),
                quality=draw(st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.POOR])),
            )
        )
    return tuple(found)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan with any mode, perhaps a pause."""
    plan = rulebook.draft(BOOK, {"plan_id": "made up", "timezone": "UTC", "starts_at": START.isoformat()})
    pauses: tuple[Period, ...] = ()
    if draw(st.booleans()):
        start = draw(_minutes)
        pauses = (Period(start=start, end=start + draw(st.integers(0, 200)) * MINUTE),)
    hours = draw(st.sampled_from([(0, 1440), (180, 420), (300, 301)]))
    return replace(
        plan,
        pauses=pauses,
        outside=draw(st.sampled_from(list(Outside))),
        hours=replace(plan.hours, start=hours[0], end=hours[1]),
    )


@st.composite
def commands(draw: st.DrawFn) -> tuple[tuple[datetime, Command], ...]:
    """Clicks, legal or not."""
    found = []
    for _ in range(draw(st.integers(0, 8))):
        at = draw(_minutes)
        signal = draw(st.sampled_from(list(Action)))
        found.append(
            (
                at,
                Command(
                    signal=signal,
                    by=draw(st.sampled_from(["anna", "bo"])),
                    rule=draw(st.sampled_from([*TABLE, "quarantined", "*", "*"])),
                    reading=f"r{draw(st.integers(0, 13))}",
                    outcome=draw(st.sampled_from([None, Outcome.WATCH])),
                    until=at + draw(st.integers(0, 300)) * MINUTE,
                    slot_fulfilled=draw(st.booleans()),
                ),
            )
        )
    return tuple(found)


def clicks(found: tuple[tuple[datetime, Command], ...]) -> list[Timed]:
    """The commands as events of a replay."""

    def event(at: datetime, command: Command) -> Timed:
        return Timed(at=at, do=lambda replay: (replay.click(command, at), None)[1])

    return [event(at, command) for at, command in found]


def told(plan: Plan, readings: tuple[Arrival, ...], events: list[Timed]) -> Replay:
    """The whole made-up story, run from event to event."""
    replay = Replay(plan=plan)
    run(replay, readings, events, START + timedelta(hours=HOURS))
    return replay
