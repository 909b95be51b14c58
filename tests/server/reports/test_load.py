"""The load of alerts: counted by hand on a handful, and read from facts as the reader may know them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event, insert

from server.access import Actor, Role
from server.db import tables
from server.reports.load import Raised, Span, load, summed
from server.web.views.plot import HEIGHT, by_day
from tests.server.world import World, make_world

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")
WEEK = Span(days=7, now=NOW, zone=OSLO)


def raised(minutes: int, **changed: Any) -> Raised:
    """A red alert so many minutes ago that nobody has taken."""
    at = NOW - timedelta(minutes=minutes)
    plain = Raised(patient="p", rule="spo2_low", priority="high", at=at, taken_at=None, closed_at=None, outcome=None)
    taken = changed.pop("taken", None)
    closed = changed.pop("closed", None)
    if taken is not None:
        changed["taken_at"] = at + timedelta(minutes=taken)
    if closed is not None:
        changed |= {"closed_at": at + timedelta(minutes=closed), "outcome": changed.get("outcome", "actionable")}
    return replace(plain, **changed)


def test_in_time_is_before_the_next_one_is_told() -> None:
    told = [raised(500, taken=15), raised(400, taken=16), raised(300), raised(14), raised(100, priority="medium")]
    high = next(each for each in summed(told, (), WEEK).in_time if each.priority == "high")
    assert (high.within, high.answered, high.count) == (timedelta(minutes=15), 1, 3)  # the last one still has time
    critical = [raised(500, taken=5, priority="critical"), raised(500, taken=6, priority="critical")]
    found = next(each for each in summed(critical, (), WEEK).in_time if each.priority == "critical")
    assert (found.within, found.share) == (timedelta(minutes=5), 0.5)


def test_median_and_the_slowest_tenth_are_times_that_somebody_waited() -> None:
    told = [raised(5000, taken=minutes, closed=2 * minutes) for minutes in range(1, 11)]
    found = summed(told, (), WEEK)
    assert (found.to_take.median, found.to_take.p90) == (timedelta(minutes=5), timedelta(minutes=9))
    assert (found.to_close.median, found.to_close.p90) == (timedelta(minutes=10), timedelta(minutes=18))
    assert summed([], (), WEEK).to_take.median is None


def test_the_worst_pairs_are_the_ten_with_most_alerts() -> None:
    told = [raised(60, patient=f"p{number}") for number in range(11) for _ in range(11 - number)]
    found = summed(told, (), WEEK)
    assert [(each.patient, each.count) for each in found.worst][:2] == [("p0", 11), ("p1", 10)]
    assert (len(found.worst), round(found.worst_share, 3)) == (10, round(65 / 66, 3))


def test_what_was_done_about_a_rule_is_counted_among_what_is_closed() -> None:
    told = [raised(60, closed=5), raised(60, closed=5, outcome="no_action"), raised(60), raised(60, rule="other")]
    found = summed(told, [timedelta(days=7), timedelta(hours=12)], WEEK)
    assert [(each.rule, each.count, each.acted_on, each.closed) for each in found.by_rule] == [
        ("spo2_low", 3, 1, 2),
        ("other", 1, 0, 0),
    ]
    assert found.outcomes == (("actionable", 1), ("no_action", 1))
    assert (found.patient_days, found.per_patient_day, found.still_open) == (7.5, 4 / 7.5, 2)


def test_a_day_is_the_walls_day_and_a_bar_is_as_high_as_its_count() -> None:
    midnight = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)  # half past midnight in Oslo
    found = summed([replace(raised(0), at=midnight), replace(raised(0), at=midnight, priority="low")], (), WEEK)
    assert [each.count for each in found.by_day] == [0, 0, 0, 0, 0, 0, 2]
    bars = by_day(found.by_day)
    assert bars.top == 4
    assert [(part.kind, part.height) for part in bars.parts] == [("low", HEIGHT / 4), ("high", HEIGHT / 4)]
    assert bars.parts[0].y == HEIGHT - HEIGHT / 4


def write(world: World, name: str, *facts: tuple[str, int, dict[str, Any]], rule: str = "spo2_low") -> None:
    """An alert raised a day ago, with these facts so many minutes after it."""
    began = NOW - timedelta(days=1)
    home = {"municipality_id": world.municipality, "patient_id": world.patient}
    row = home | {"id": name, "rule": rule, "state": "resolved", "priority": "high", "highest": "high", "level": 0}
    row |= {"condition": False, "late": False, "waiting": False, "opened_at": began, "raised_at": began}
    row |= {"why": {}, "body": {}, "version": 1, "updated_at": began}
    with world.database.write() as connection:
        connection.execute(insert(tables.alert).values(**row))
        for kind, minutes, more in (("raised", 0, {"priority": "high"}), *facts):
            given = home | {"alert_id": name, "kind": kind, "at": began + timedelta(minutes=minutes), "rule": rule}
            connection.execute(insert(tables.fact).values(**given | more))


def leader(world: World) -> Actor:
    return Actor(id="x", role=Role.COORDINATOR, municipality=world.municipality, team=world.team, at=NOW)


def test_it_is_read_from_facts_and_from_nobody_elses(world: World) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    write(other, "theirs")
    write(
        world,
        "a",
        ("acknowledged", 4, {"by": "anna"}),
        ("acknowledged", 9, {"by": "henrik"}),
        ("resolved", 30, {"by": "anna", "why": {"outcome": "watch"}}),
    )
    write(world, "b", ("resolved", 12, {"by": None, "why": {}}))
    write(world, "c", ("resolved", 8, {"by": "anna", "why": {"outcome": "duplicate"}}), rule="pulse_high")
    with world.database.read() as connection:
        found = load(connection, leader(world), 7, NOW, OSLO)
    assert (found.alerts, found.patients, found.still_open) == (3, 1, 0)
    assert sorted(found.outcomes) == [("by_itself", 1), ("duplicate", 1), ("watch", 1)]
    assert (found.to_take.count, found.to_take.median) == (2, timedelta(minutes=4))  # nobody took the one that went by
    assert found.to_close.median == timedelta(minutes=12)
    high = next(each for each in found.in_time if each.priority == "high")
    assert (high.answered, high.count) == (2, 3)
    assert 6 < found.patient_days <= 7


def test_it_asks_no_more_often_when_there_are_more(world: World) -> None:
    asked: list[str] = []
    write(world, "a")

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def statements() -> int:
        asked.clear()
        with world.database.read() as connection:
            event.listen(connection, "before_cursor_execute", count)
            load(connection, leader(world), 30, NOW, OSLO)
        return len(asked)

    few = statements()
    for number in range(60):
        write(world, f"more {number}", ("acknowledged", 3, {"by": "anna"}))
    assert statements() == few == 2
