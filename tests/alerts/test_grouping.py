"""What is met as one: half an hour from the first, one patient, and somebody still there."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from alerts.alert import Alert, State
from alerts.grouping import Stay, groups, joined
from alerts.priority import Priority

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(minutes):
    return START + timedelta(minutes=minutes)


def alert(name, opened, *, patient="p", raised=None, closed=None):
    return Alert(
        id=name,
        patient=patient,
        rule=f"rule_{name}",
        state=State.ACTIVE if closed is None else State.RESOLVED,
        priority=Priority.MEDIUM,
        highest=Priority.MEDIUM,
        condition=True,
        opened_at=at(opened),
        raised_at=None if raised is None else at(raised),
        why={},
        closed_at=None if closed is None else at(closed),
    )


def names(found):
    return [[each.id for each in group] for group in found]


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ([], []),
        ([0], [["a"]]),
        ([0, 30], [["a", "b"]]),
        ([0, 30.5], [["a"], ["b"]]),
        ([0, 20, 40], [["a", "b"], ["c"]]),  # from the first, not from the latest
        ([0, 30, 60, 90], [["a", "b"], ["c", "d"]]),
    ],
)
def test_a_group_is_half_an_hour_from_its_first(opened, expected):
    assert names(groups([alert(name, each) for name, each in zip("abcd", opened, strict=False)])) == expected


def test_an_alert_is_met_when_it_is_raised_not_when_it_began_to_wait():
    assert names(groups([alert("a", 0, raised=15), alert("b", 40)])) == [["a", "b"]]
    assert names(groups([alert("a", 0), alert("b", 40)])) == [["a"], ["b"]]


def test_what_opens_after_all_before_it_was_closed_is_new_work():
    assert names(groups([alert("a", 0, closed=5), alert("b", 10)])) == [["a"], ["b"]]
    assert names(groups([alert("a", 0, closed=10), alert("b", 10)])) == [["a", "b"]]
    assert names(groups([alert("a", 0, closed=5), alert("b", 3), alert("c", 10)])) == [["a", "b", "c"]]


def test_nobody_is_grouped_with_another_patient():
    found = groups([alert("a", 0), alert("b", 5, patient="q"), alert("c", 10), alert("d", 50, patient="q")])
    assert names(found) == [["a", "c"], ["b"], ["d"]]


def test_the_order_given_does_not_matter():
    given = [alert("a", 0), alert("b", 0), alert("c", 31), alert("d", 10, patient="q")]
    assert all(groups(each) == groups(given) for each in permutations(given))


def test_any_things_can_be_joined():
    assert joined([at(31), at(0), at(10)], Stay) == ((at(0), at(10)), (at(31),))
