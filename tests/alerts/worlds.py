"""Made-up patients for the properties: a plan, readings that come in any order, and clicks, on whole minutes."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.command import Action, Command, Outcome
from alerts.plan import Outside, PatientFacts, Period, Plan
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


SLOW_TABLE: dict[str, dict[str, Any]] = {
    "gain": {
        "kind": "trend",
        "metric": "weight",
        "method": "delta",
        "days": 3,
        "bands": [{"more_than": 1, "priority": "medium"}, {"more_than": 2, "priority": "high"}],
        "deadband": 0.3,
    },
    "drift": {
        "kind": "trend",
        "metric": "weight",
        "method": "macd_cusum",
        "priority": "medium",
        "baseline_readings": 2,
        "baseline_days": 2,
        "rearm_after": "1d",
    },
    "loss": {"kind": "trend", "metric": "weight", "method": "loss", "days": 5, "limit": 2, "priority": "low"},
    "unsteady": {"kind": "trend", "metric": "spo2", "method": "resid_sd", "limit": 3, "priority": "medium"},
    "gain_felt": {"kind": "compound", "symptom": "symptom_yellow", "any_of": ["gain", "drift"], "priority": "high"},
    "mean": {
        "kind": "mean",
        "metrics": ["systolic", "diastolic"],
        "limits": {"systolic": 135, "diastolic": 85},
        "least": 2,
        "least_days": 1,
        "priority": "medium",
    },
    "crisis": {
        "kind": "threshold",
        "metrics": ["systolic", "diastolic"],
        "side": "above",
        "bands": [
            {
                "limit": {"systolic": 180, "diastolic": 110},
                "priority": "high",
                "confirm": {"within": "5h", "symptom": "symptom_yellow"},
            }
        ],
    },
    "spo2_low": {
        "kind": "threshold",
        "metric": "spo2",
        "side": "below",
        "baseline_readings": 3,
        "baseline_days": 2,
        "bands": [
            {"limit": 92, "priority": "medium", "own": {"offset": -3, "confirm": {"within": "3h"}}},
            {"limit": 88, "priority": "high", "own": {"offset": -6, "at_floor": True, "at_most": 88}},
        ],
    },
    "missing_weight": {"kind": "missing", "metric": "weight", "every": "7d", "grace": "2d"},
}
TABLE["news2"] = {
    "kind": "score",
    "bands": [{"sum": 5, "priority": "high"}, {"sum": 7, "priority": "critical"}],
    "single": "high",
    "rearm_after": "60min",
}


def _book(table: dict[str, dict[str, Any]]) -> rulebook.Rulebook:
    return rulebook.Rulebook(
        name="made_up",
        version="1",
        source="tests",
        reviewed_on=date(2026, 1, 1),
        verified=False,
        ends_after=None,
        table=table,
    )


_numbers = {
    "spo2": st.one_of(st.integers(86, 99), st.just(40)).map(Decimal),
    "temperature": st.sampled_from(["36.5", "37.7", "37.9", "38.0", "38.4", "38.6", "46.0"]).map(Decimal),
    "systolic": st.sampled_from([120, 169, 171, 180, 199, 200, 290]).map(Decimal),
    "diastolic": st.sampled_from([80, 104, 106, 110, 118]).map(Decimal),
    "cat": st.sampled_from([5, 9, 10, 15, 20, 25]).map(Decimal),
    "weight": st.sampled_from(["79.0", "80.0", "80.3", "81.1", "82.3", "83.0", "88.0"]).map(Decimal),
    "symptom_yellow": st.sampled_from([0, 1]).map(Decimal),
    "respiration": st.sampled_from([8, 16, 21, 26]).map(Decimal),
    "pulse": st.sampled_from([45, 80, 115, 135]).map(Decimal),
    "consciousness": st.sampled_from([0, 0, 1]).map(Decimal),
    "oxygen_flow": st.sampled_from([0, 2]).map(Decimal),
}
_SET = ("respiration", "systolic", "pulse", "temperature", "consciousness")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How long a made-up story is, what is measured in it, and by which rules it is judged."""

    book: rulebook.Rulebook
    tick: timedelta
    ticks: int  # to its end
    quiet: int  # ticks at its end in which nothing is measured
    fewest: int  # readings
    most: int
    acts: tuple[tuple[str, ...], ...]  # the metrics of one act of measuring

    @property
    def end(self) -> datetime:
        """When it ends."""
        return START + self.ticks * self.tick

    @property
    def moments(self) -> st.SearchStrategy[datetime]:
        """When something may happen."""
        return st.integers(0, self.ticks - self.quiet).map(lambda ticks: START + ticks * self.tick)


FAST = Scale(
    book=_book(TABLE),
    tick=MINUTE,
    ticks=HOURS * 60,
    quiet=90,
    fewest=0,
    most=14,
    acts=(
        ("spo2",),
        ("spo2",),
        ("temperature",),
        ("systolic", "diastolic"),
        ("cat",),
        _SET,
        (*_SET, "spo2"),
        ("respiration", "oxygen_flow"),
    ),
)
SLOW = Scale(
    book=_book(SLOW_TABLE),
    tick=timedelta(hours=1),
    ticks=18 * 24,
    quiet=24,
    fewest=8,
    most=30,
    acts=(
        ("weight",),
        ("weight",),
        ("weight",),
        ("systolic", "diastolic"),
        ("spo2",),
        ("symptom_yellow",),
        ("weight", "symptom_yellow"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class World:
    """One made-up patient's whole story."""

    scale: Scale
    plan: Plan
    readings: tuple[Arrival, ...]
    asked: tuple[tuple[datetime, Command], ...]

    def told(self, events: list[Timed] | None = None, readings: tuple[Arrival, ...] | None = None) -> Replay:
        """The story, run from event to event: with its clicks unless there are other `events`."""
        replay = Replay(plan=self.plan)
        events = self.clicks if events is None else events
        run(replay, self.readings if readings is None else readings, events, self.scale.end)
        return replay

    @property
    def clicks(self) -> list[Timed]:
        """The commands as events of a replay."""

        def event(at: datetime, command: Command) -> Timed:
            return Timed(at=at, do=lambda replay: (replay.click(command, at), None)[1])

        return [event(at, command) for at, command in self.asked]


_delays = st.one_of(st.just(0), st.just(0), st.integers(0, 15), st.integers(16, 300))


@st.composite
def worlds(draw: st.DrawFn, *, delays: st.SearchStrategy[int] = _delays, clicked: bool = True) -> World:
    """A plan, readings that come in any order, and clicks; of hours or of weeks."""
    scale = draw(st.sampled_from([FAST, SLOW]))
    return World(
        scale=scale,
        plan=draw(_plans(scale)),
        readings=draw(_arrivals(scale, delays)),
        asked=draw(_commands(scale)) if clicked else (),
    )


@st.composite
def _values(draw: st.DrawFn, scale: Scale) -> dict[str, Decimal | Extreme]:
    """One act of measuring."""
    metrics = draw(st.sampled_from(scale.acts))
    numbers: dict[str, Decimal | Extreme] = {metric: draw(_numbers[metric]) for metric in metrics}
    if draw(st.integers(0, 19)) == 0:
        numbers[metrics[0]] = draw(st.sampled_from(list(Extreme)))
    return numbers


@st.composite
def _arrivals(draw: st.DrawFn, scale: Scale, delays: st.SearchStrategy[int]) -> tuple[Arrival, ...]:
    """Readings of one patient; some poor, some late, some at the same moment."""
    found = []
    for at in range(draw(st.integers(scale.fewest, scale.most))):
        taken_at = draw(scale.moments)
        found.append(
            Arrival(
                reading_id=f"r{at}",
                taken_at=taken_at,
                received_at=taken_at + draw(delays) * MINUTE,
                values=draw(_values(scale)),
                quality=draw(st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.POOR])),
            )
        )
    return tuple(found)


@st.composite
def _plans(draw: st.DrawFn, scale: Scale) -> Plan:
    """A plan with any mode, perhaps a pause, perhaps with facts of the patient's own."""
    plan = rulebook.draft(scale.book, {"plan_id": "made up", "timezone": "UTC", "starts_at": START.isoformat()})
    pauses: tuple[Period, ...] = ()
    if draw(st.booleans()):
        start = draw(scale.moments)
        pauses = (Period(start=start, end=start + draw(st.integers(0, 200)) * scale.tick),)
    hours = draw(st.sampled_from([(0, 1440), (180, 420), (300, 301)]))
    facts = PatientFacts(
        spo2_scale=draw(st.sampled_from([None, 2])),
        spo2_floor=draw(st.sampled_from([None, Decimal(87)])),
        on_oxygen=draw(st.sampled_from([None, False, True])),
        baseline=draw(st.sampled_from([{}, {"weight": Decimal(80)}])),
        spread=draw(st.sampled_from([{}, {"weight": Decimal("0.2")}])),
    )
    return replace(
        plan,
        facts=facts,
        pauses=pauses,
        outside=draw(st.sampled_from(list(Outside))),
        hours=replace(plan.hours, start=hours[0], end=hours[1]),
    )


@st.composite
def _commands(draw: st.DrawFn, scale: Scale) -> tuple[tuple[datetime, Command], ...]:
    """Clicks, legal or not."""
    found = []
    for _ in range(draw(st.integers(0, 8))):
        at = draw(scale.moments)
        signal = draw(st.sampled_from(list(Action)))
        found.append(
            (
                at,
                Command(
                    signal=signal,
                    by=draw(st.sampled_from(["anna", "bo"])),
                    rule=draw(st.sampled_from([*scale.book.table, "quarantined", "*", "*"])),
                    reading=f"r{draw(st.integers(0, 13))}",
                    outcome=draw(st.sampled_from([None, Outcome.WATCH])),
                    until=at + draw(st.integers(0, 300)) * MINUTE,
                    slot_fulfilled=draw(st.booleans()),
                ),
            )
        )
    return tuple(found)
