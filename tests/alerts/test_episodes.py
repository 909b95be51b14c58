"""Counting from facts: when an episode begins and ends, what was shown how long, what is met as one."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.episodes import Episode, Span, episodes, groups, in_zones
from alerts.fact import Fact, FactKind
from alerts.priority import Priority
from alerts.zone import Zone

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(minutes):
    return START + timedelta(minutes=minutes)


def fact(minutes, kind, priority=Priority.MEDIUM, alert="a", **why):
    return Fact(at=at(minutes), kind=kind, rule=f"rule_{alert}", alert_id=alert, priority=priority, why=why)


def zone(minutes, word):
    return Fact(at=at(minutes), kind=FactKind.ZONE, why={"zone": word})


def episode(minutes, rule="spo2_low", until=None):
    end = None if until is None else at(until)
    return Episode(rule=rule, began_at=at(minutes), ended_at=end, steps=((at(minutes), Priority.MEDIUM),))


def test_an_alert_that_returns_is_another_episode():
    found = episodes(
        [
            fact(0, FactKind.RAISED),
            fact(3, FactKind.WORSENED, Priority.HIGH),
            fact(5, FactKind.OVER, Priority.HIGH),
            fact(9, FactKind.RETURNED),
        ]
    )
    assert [(each.began_at, each.ended_at, each.highest) for each in found] == [
        (at(0), at(5), Priority.HIGH),
        (at(9), None, Priority.MEDIUM),
    ]
    assert found[0].reached(Priority.HIGH) == at(3)
    assert found[1].reached(Priority.HIGH) is None


def test_what_was_over_before_it_was_known_is_a_moment():
    (found,) = episodes([fact(4, FactKind.RAISED, ended_at="earlier")])
    assert (found.began_at, found.ended_at) == (at(4), at(4))


def test_what_only_waited_is_no_episode():
    assert episodes([fact(0, FactKind.PENDING), fact(4, FactKind.WITHDRAWN), fact(5, FactKind.EVIDENCE)]) == ()


def test_zones_fill_the_span_and_what_came_before_it_is_remembered():
    span = Span(start=at(0), end=at(60))
    parts = in_zones([zone(-30, "green"), zone(10, "red"), zone(25, "yellow"), zone(90, "green")], span)
    minutes = {each.value: part / timedelta(minutes=1) for each, part in parts.items()}
    assert minutes == {"green": 10, "red": 15, "yellow": 35, "blue": 0, "unknown": 0}
    assert in_zones([], span)[Zone.UNKNOWN] == timedelta(minutes=60)


@pytest.mark.parametrize(
    ("minutes", "sizes"), [((0, 30), [2]), ((0, 31), [1, 1]), ((0, 20, 40), [2, 1]), ((), []), ((0, 0, 0), [3])]
)
def test_a_group_lasts_half_an_hour_from_its_first(minutes, sizes):
    assert [len(each) for each in groups([episode(each) for each in minutes])] == sizes


def test_episodes_meet_when_they_share_a_moment():
    assert episode(0, until=10).meets(episode(10, until=20))
    assert not episode(0, until=10).meets(episode(11))
    assert episode(5).meets(episode(90, until=95))


def test_a_span_must_last():
    with pytest.raises(ValueError, match="must end after it starts"):
        Span(start=at(0), end=at(0))
