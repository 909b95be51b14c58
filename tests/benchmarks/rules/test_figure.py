"""Figures: values land where the axis says, and labels do not cover one another."""

import re

import pytest

from benchmarks.rules.figure import Axis, Box, Panel, Point, draw

LINEAR = Axis(title="x", low=0, high=10, ticks=((0, "0"), (10, "10")))
LOG = Axis(title="x", low=0.01, high=1, ticks=((0.1, "0.1"),), log=True)


@pytest.mark.parametrize(
    ("axis", "value", "share"),
    [(LINEAR, 0, 0.0), (LINEAR, 5, 0.5), (LINEAR, 99, 1.0), (LOG, 0.01, 0.0), (LOG, 0.1, 0.5), (LOG, 0.0, 0.0)],
)
def test_where_a_value_lies(axis, value, share):
    assert axis.share(value) == pytest.approx(share)


def test_labels_of_near_points_do_not_cover_one_another():
    points = tuple(Point(x=5 + n / 100, y=5, label=f"point number {n}", colour=n % 5) for n in range(5))
    text = draw("near", [Panel(title="t", x=LINEAR, y=LINEAR, points=points)])
    places = re.findall(r'class="c\d on" x="([\d.]+)" y="([\d.]+)"', text)
    boxes = [(float(x), float(y) - 11, float(x) + 14 * 6.6, float(y) + 3) for x, y in places]
    assert len(boxes) == 5
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_words_are_escaped_and_boxes_drawn():
    box = Box(row=0, label="a < b", quantiles=(1, 2, 3, 4, 5), colour=0)
    text = draw('say "a & b"', [Panel(title="t", x=LINEAR, boxes=(box,))])
    assert "a &lt; b" in text
    assert 'aria-label="say &quot;a &amp; b&quot;"' in text
