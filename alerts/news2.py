"""The NEWS2 chart: a published instrument, not a setting.

Source: RCP NEWS2 2017, chart 1 (Royal College of Physicians, National Early Warning Score (NEWS) 2; both scales of
oxygen saturation). Each column is a ladder of inclusive upper ends with the points up to there, low values first.
"""

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One parameter of the chart."""

    ends: tuple[Decimal, ...]  # inclusive upper end of each step but the last, rising
    points: tuple[int, ...]  # one more than ends

    def score(self, value: Decimal) -> int:
        """The points of a value rounded to its metric's decimals; an infinite one is an end of the chart."""
        return self.points[bisect_left(self.ends, value)]

    def around(self, value: Decimal, most: int) -> tuple[Decimal | None, Decimal | None]:
        """The steps around that of `value` with at most so many points: the end below them, and their last value."""
        first = last = bisect_left(self.ends, value)
        while first > 0 and self.points[first - 1] <= most:
            first -= 1
        while last < len(self.ends) and self.points[last + 1] <= most:
            last += 1
        return self.ends[first - 1] if first else None, self.ends[last] if last < len(self.ends) else None


def _column(text: str) -> Column:
    """`3 <=8 1 <=11 0`: points, then the inclusive end up to which they count."""
    parts = text.replace("<=", "").split()
    return Column(ends=tuple(Decimal(each) for each in parts[1::2]), points=tuple(int(each) for each in parts[::2]))


RESPIRATION = _column("3 <=8 1 <=11 0 <=20 2 <=24 3")  # /min
SPO2_SCALE_1 = _column("3 <=91 2 <=93 1 <=95 0")  # %
SPO2_SCALE_2_ON_AIR = _column("3 <=83 2 <=85 1 <=87 0")  # %, target 88-92 in hypercapnic failure
SPO2_SCALE_2_ON_OXYGEN = _column("3 <=83 2 <=85 1 <=87 0 <=92 1 <=94 2 <=96 3")  # %
SYSTOLIC = _column("3 <=90 2 <=100 1 <=110 0 <=219 3")  # mm[Hg]
PULSE = _column("3 <=40 1 <=50 0 <=90 1 <=110 2 <=130 3")  # /min
CONSCIOUSNESS = _column("0 <=0 3")  # 0 alert; new confusion, voice, pain, unresponsive: 3
TEMPERATURE = _column("3 <=35.0 1 <=36.0 0 <=38.0 1 <=39.0 2")  # Cel

ON_OXYGEN = 2  # points for any supplemental oxygen
MOST = 3  # points that any parameter but oxygen can give
