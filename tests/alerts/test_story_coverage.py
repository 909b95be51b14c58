"""What the project's own stories tell together: every kind of rule, and every row of the lifecycle table."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from alerts.alert import State
from alerts.fact import Fact, FactKind
from alerts.lifecycle import TABLE, Row, Signal
from alerts.replay import Replay, Timed, run
from alerts.rules import AnyRule, Threshold, Trend
from alerts.story_file import Story, load

STORIES = sorted((Path(__file__).parents[2] / "alerts" / "rulebooks" / "stories").glob("*.toml"))
LEAST, LEAST_PER_KIND = 50, 3
KINDS = ("threshold", "run", "two metrics", "wait", "delta", "macd_cusum", "resid_sd", "loss")
KINDS += ("mean", "score", "missing", "compound")

Walked = tuple[State | None, Signal, State]

_CLICKS = {
    FactKind.ACKNOWLEDGED: Signal.ACKNOWLEDGE,
    FactKind.TAKEN_OVER: Signal.TAKE_OVER,
    FactKind.DISPATCHED: Signal.DISPATCH,
    FactKind.DISPATCH_ACCEPTED: Signal.DISPATCH_ACCEPT,
    FactKind.DISPATCH_REFUSED: Signal.DISPATCH_REFUSE,
}


def test_there_are_stories_enough():
    assert len(STORIES) >= LEAST


@cache
def stories() -> dict[str, Story]:
    """Every story by name; reading one takes longer than looking at it."""
    return {path.stem: load(path) for path in STORIES}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_rule_is_told_about(kind: str):
    told = [name for name, story in stories().items() if kind in kinds_told(story)]
    assert len(told) >= LEAST_PER_KIND, f"{kind}: only {', '.join(told)}"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.start}-{row.signal}-{row.end}")
def test_each_row_of_the_lifecycle_table_is_walked(row: Row):
    assert rows_walked()[row.start, row.signal, row.end] > 0


def test_nothing_is_walked_that_is_not_in_the_table():
    assert set(rows_walked()) <= {(row.start, row.signal, row.end) for row in TABLE}


def kinds_told(story: Story) -> frozenset[str]:
    """The kinds of the rules whose alerts the story expects to see."""
    named = {row["rule"] for expect in story.expects for row in expect.open or ()}
    return frozenset(kind for name in named if name in story.plan.rules for kind in kinds_of(story.plan.rules[name]))


def kinds_of(rule: AnyRule) -> Iterator[str]:
    """What a rule is called in `KINDS`; a threshold rule may be several."""
    yield rule.method.value if isinstance(rule, Trend) else rule.kind
    if isinstance(rule, Threshold):
        if any(band.is_run for band in rule.bands):
            yield "run"
        if any(band.confirm is not None for band in rule.bands):
            yield "wait"
        if len(rule.metrics) > 1:
            yield "two metrics"


@cache
def rows_walked() -> Counter[Walked]:
    """How often the stories walk each way from state to state, as their facts tell."""
    walked: Counter[Walked] = Counter()
    for story in stories().values():
        replay = Replay(plan=story.plan)
        clicks = [Timed(at=each.at, do=lambda r, each=each: r.click(each.command, each.at)) for each in story.clicks]
        run(replay, story.arrivals, clicks, max(each.at for each in (*story.expects, *story.clicks)))
        walked.update(walk(story, replay.facts))
    return walked


def walk(story: Story, facts: Iterable[Fact]) -> Iterator[Walked]:
    """The ways that one story's alerts go. A rule's word that no outcome is needed closes an alert by nobody's hand."""
    states: dict[str | None, State] = {}
    present: set[str | None] = set()
    acknowledged = {each.at for each in story.clicks if each.command.signal.value == Signal.ACKNOWLEDGE}
    of_alerts = [each for each in facts if each.alert_id is not None]
    for fact, following in zip(of_alerts, [*of_alerts[1:], None], strict=False):
        alert = fact.alert_id
        before = states.get(alert)
        way: tuple[Signal, State] | None = None
        match fact.kind:
            case FactKind.PENDING:
                way = Signal.MET, State.PENDING
            case FactKind.RAISED if before is State.PENDING:
                way = Signal.CONFIRMED, State.ACTIVE
            case FactKind.RAISED:
                was_over = "ended_at" in fact.why
                way = (Signal.PAST, State.CLEARED) if was_over else (Signal.MET, State.ACTIVE)
            case FactKind.WITHDRAWN:
                way = Signal.REFUTED, State.WITHDRAWN
            case FactKind.RETURNED:
                way = Signal.RETURN, State.ACTIVE
            case FactKind.WORSENED:
                way = Signal.WORSEN, State.ACTIVE
            case FactKind.OVER:
                closes = following is not None and following.kind is FactKind.RESOLVED and not following.by
                after = State.ACKNOWLEDGED if before is State.ACKNOWLEDGED else State.CLEARED
                way = Signal.OVER, State.RESOLVED if closes else after
            case FactKind.RELEASED:
                way = Signal.RELEASE, State.ACTIVE if alert in present else State.CLEARED
            case FactKind.SNOOZED if before is not None:
                way = Signal.SNOOZE, before
            case FactKind.RESOLVED if fact.by:
                way = Signal.ACKNOWLEDGE if fact.at in acknowledged else Signal.RESOLVE, State.RESOLVED
            case kind if kind in _CLICKS:
                way = _CLICKS[kind], State.ACKNOWLEDGED
        if way is None:
            continue
        if way[0] in (Signal.MET, Signal.CONFIRMED, Signal.RETURN, Signal.WORSEN) and way[1] is State.ACTIVE:
            present.add(alert)
        elif way[0] is Signal.OVER:
            present.discard(alert)
        states[alert] = way[1]
        yield before, *way
