"""The small line: where the points lie, and where the wrong side of the limit is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from server.web.views.spark import Point, draw
from vitals.reading import Extreme

START = datetime(2026, 11, 22, tzinfo=UTC)


def points(*values: int | Extreme) -> list[Point]:
    made = [value if isinstance(value, Extreme) else Decimal(value) for value in values]
    return [Point(at=START + timedelta(hours=place), value=value) for place, value in enumerate(made)]


def test_a_lower_value_lies_lower() -> None:
    line = draw("spo2", points(96, 87), Decimal(92), "below")
    assert line
    assert line.path.startswith("M1.0 ")
    assert line.limit_y is not None
    assert line.last_y > line.limit_y  # y grows downwards
    assert line.beyond_y == line.limit_y
    assert line.beyond_height == round(100 - line.limit_y, 2)


def test_above_a_limit_the_field_is_at_the_top() -> None:
    line = draw("pulse", points(80, 104), Decimal(100), "above")
    assert line
    assert line.beyond_y == 0
    assert line.beyond_height == line.limit_y


def test_the_noise_of_a_healthy_person_is_no_mountain() -> None:
    line = draw("spo2", points(97, 98, 97, 98), None, None)
    assert line
    heights = [float(place.split()[1]) for place in line.path[1:].split("L")]
    assert max(heights) - min(heights) < 15


def test_lo_lies_at_the_bottom_and_one_point_is_no_line() -> None:
    line = draw("spo2", points(96, Extreme.LO), None, None)
    assert line
    assert line.last_y == 96.0
    assert line.newest is Extreme.LO
    assert draw("spo2", points(96), None, None) is None
    assert draw("spo2", points(Extreme.LO, Extreme.LO), None, None) is None
