"""How far a person may move a limit: never past what has a source, never laxer where the rulebook is the last word."""

from decimal import Decimal

import pytest

from alerts import rulebook
from alerts.priority import Priority
from alerts.room import Room, rooms


def of(book: str, floor: Decimal | None = None) -> dict[tuple[str, Priority], Room]:
    loaded = rulebook.load(book)
    return {(each.rule, each.priority): each for each in rooms(loaded.rules, loaded.table, floor)}


@pytest.mark.parametrize(
    ("rule", "priority", "lowest", "highest"),
    [
        ("pulse_high", Priority.MEDIUM, 91, 110),  # NEWS2's one point
        ("pulse_high", Priority.HIGH, 91, 111),  # stricter, never laxer than the rulebook
        ("spo2_low", Priority.MEDIUM, 94, 95),  # no floor: never lower
        ("spo2_low", Priority.HIGH, 92, 95),
        ("temperature_high", Priority.MEDIUM, "37.8", "38.1"),
    ],
)
def test_the_room_of_a_limit(rule: str, priority: Priority, lowest: object, highest: object) -> None:
    room = of("covid19")[rule, priority]
    assert (room.lowest, room.highest) == (Decimal(str(lowest)), Decimal(str(highest)))
    assert room.holds(room.in_book)
    assert not room.holds(room.highest + 1)


def test_saturation_goes_down_to_a_prescribed_floor_alone() -> None:
    covid = of("covid19", Decimal(86))
    assert (covid["spo2_low", Priority.MEDIUM].lowest, covid["spo2_low", Priority.HIGH].lowest) == (87, 86)


def test_without_a_bound_a_limit_is_only_made_a_little_stricter() -> None:
    low = of("diabetes")["glucose_low", Priority.MEDIUM]
    assert (low.source, low.lowest, low.highest) == (None, low.in_book, Decimal("4.6"))


def test_what_follows_the_patients_own_level_or_is_an_answer_is_not_moved() -> None:
    names = {rule for book in rulebook.shipped() for rule, _ in of(book)}
    assert not names & {"spo2_drop", "cat_rise", "symptom_red", "symptom_yellow", "bp_crisis"}
    assert ("spo2_low", Priority.MEDIUM) not in of("copd")  # it stands by the patient's own level


@pytest.mark.parametrize("name", rulebook.shipped())
def test_every_rulebook_stands_within_its_own_room(name: str) -> None:
    assert all(room.holds(room.in_book) for room in of(name).values())
