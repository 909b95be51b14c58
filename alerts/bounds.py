"""How far a proposal of individual limits may go: one row for each metric and side where one makes sense.

A row names how far from the patient's own level the mildest limit would stand, and between which numbers it must stay.
Nothing here is used by a rule. Numbers are this project's, anchored where `source` says; a clinician decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from alerts.rules import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Where a proposed limit may stand.

    `distance` from the own level, or `spreads` times its standard deviation where that is more; never nearer to normal
    than `tightest`, never further out than `loosest` (None: never further out than the limit in force). A difference
    of less than `least_change` is no proposal.
    """

    distance: Decimal
    spreads: Decimal
    tightest: Decimal
    loosest: Decimal | None
    least_change: Decimal
    source: str


_NEWS2 = "NEWS2, Royal College of Physicians 2017"
BOUNDS: Mapping[tuple[str, Side], Bound] = {
    ("spo2", Side.BELOW): Bound(
        distance=Decimal(3),
        spreads=Decimal(3),
        tightest=Decimal(95),
        loosest=None,  # looser only down from a prescribed floor
        least_change=Decimal(1),
        source=f"three below the own level as in the covid and COPD rulebooks; 95 gives the first point of {_NEWS2}",
    ),
    ("pulse", Side.ABOVE): Bound(
        distance=Decimal(20),
        spreads=Decimal(3),
        tightest=Decimal(91),
        loosest=Decimal(110),
        least_change=Decimal(5),
        source=f"{_NEWS2}: one point from 91 to 110, two from 111",
    ),
    ("pulse", Side.BELOW): Bound(
        distance=Decimal(15),
        spreads=Decimal(3),
        tightest=Decimal(50),
        loosest=Decimal(41),
        least_change=Decimal(5),
        source=f"{_NEWS2}: one point from 50 to 41, three from 40",
    ),
    ("systolic", Side.BELOW): Bound(
        distance=Decimal(20),
        spreads=Decimal(3),
        tightest=Decimal(110),
        loosest=Decimal(91),
        least_change=Decimal(5),
        source=f"{_NEWS2}: one point from 110, two from 100, three from 90",
    ),
    ("systolic", Side.ABOVE): Bound(
        distance=Decimal(30),
        spreads=Decimal(3),
        tightest=Decimal(150),
        loosest=None,  # a pressure that is high every day is what is treated, and no level to get used to
        least_change=Decimal(5),
        source="assumption of this project; published programmes for heart failure alert from 160",
    ),
    ("temperature", Side.ABOVE): Bound(
        distance=Decimal("1.1"),
        spreads=Decimal(3),
        tightest=Decimal("37.8"),
        loosest=None,
        least_change=Decimal("0.2"),
        source="IDSA 2008 on residents of nursing homes: a rise of more than 1.1 over the own level, or more than 37.8",
    ),
    ("respiration", Side.ABOVE): Bound(
        distance=Decimal(6),
        spreads=Decimal(3),
        tightest=Decimal(21),
        loosest=None,
        least_change=Decimal(1),
        source=f"{_NEWS2}: two points from 21",
    ),
}

# Of weight the spread counts: it is the yardstick of a slow gain. The rule itself never goes below the least.
SPREADS: Mapping[str, tuple[Decimal, Decimal]] = {"weight": (Decimal("0.4"), Decimal("1.0"))}
FLOOR_STEPS = (Decimal(3), Decimal(6))  # medium and high below the own level where a floor is prescribed, as for COPD
