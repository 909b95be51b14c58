"""The reproduction check: do the published weight rules behave on the made-up people as they did on real ones?

The rules that are measured later have no part in it. Where a study gives a point and not a limit (a moving average
"at 9 % false alerts"), the limit is looked for on a grid and the one nearest to that point is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.rules import heart_failure, weight_rules
from benchmarks.rules.cohorts import COHORTS
from benchmarks.rules.heart_failure import Noise
from benchmarks.rules.measures import Numbers, count, rate
from benchmarks.rules.people import Person
from benchmarks.rules.said import Said
from benchmarks.rules.weight_rules import Weight

Rule = Callable[[Sequence[Weight]], tuple[Said, ...]]
Key = tuple[str, float, bool]  # rule, its limit, whether gross errors were left out first

ONE_DAY, THREE_DAYS, MACD, CHART = "1.36 kg in 1 day", "2.27 kg in 3 days", "MACD", "personal control chart"
AT_FALSE = 0.09  # the share of quiet fortnights with an alert at which a study reports its moving average
_MACD_GRID = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8)
_CHART_GRID = (3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0)

# Other choices of the two numbers that the check rests on; each by its words in the report.
NOISES: Mapping[str, Noise] = {
    "0.5 kg, each day for itself": Noise(between=(0.5, 0.5), persists=0.0),
    "0.65 kg, each day for itself": Noise(between=(0.65, 0.65), persists=0.0),
    "0.8 kg, each day for itself": Noise(between=(0.8, 0.8), persists=0.0),
    "0.5 to 0.8 kg, half persists": Noise(between=(0.5, 0.8), persists=0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a study reported, as shares."""

    rule: str
    true: float
    false: float
    source: str


PUBLISHED = (
    Published(rule=ONE_DAY, true=0.58, false=0.54, source="Zhang 2009"),
    Published(rule=THREE_DAYS, true=0.65, false=0.58, source="Zhang 2009"),
    Published(rule=MACD, true=0.20, false=0.09, source="Zhang 2009"),
)


def rules(*, grid: bool) -> dict[tuple[str, float], Rule]:
    """The rules by name and limit; without `grid` only at their first limit."""
    found: dict[tuple[str, float], Rule] = {
        (ONE_DAY, 1.36): partial(weight_rules.rule_of_thumb, days=1, kg=1.36),
        (THREE_DAYS, 2.27): partial(weight_rules.rule_of_thumb, days=3, kg=2.27),
    }
    for kg in _MACD_GRID if grid else _MACD_GRID[:1]:
        found[MACD, kg] = partial(weight_rules.macd, raise_kg=kg)
    for width in _CHART_GRID if grid else _CHART_GRID[:1]:
        found[CHART, width] = partial(weight_rules.control_chart, width=width)
    return found


def tell(people: Sequence[Person], *, grid: bool) -> dict[Key, list[Numbers]]:
    """Every rule over these people, with all weights and with gross errors left out."""
    window = COHORTS["heart_failure"].window
    found: dict[Key, list[Numbers]] = {}
    for screened in (False, True):
        weights = [weight_rules.daily(person.arrivals, screened=screened) for person in people]
        for (name, limit), rule in rules(grid=grid).items():
            found[name, limit, screened] = [
                count(person, rule(own), window).numbers() for person, own in zip(people, weights, strict=True)
            ]
    return found


def tell_with(noise: str, seed: int, people: int) -> dict[Key, list[Numbers]]:
    """The check with another noise of weight."""
    return tell(list(heart_failure.cohort(seed, people, NOISES[noise])), grid=False)


def at_false_share(found: Mapping[Key, Sequence[Numbers]], rule: str, *, screened: bool) -> Key:
    """The limit on the grid with which the rule disturbs nearest to `AT_FALSE` of the quiet fortnights."""
    keys = [key for key in found if key[0] == rule and key[2] is screened]
    return min(keys, key=lambda key: (abs((rate("disturbed", total(found[key])) or 0.0) - AT_FALSE), key[1]))


def total(people: Sequence[Numbers]) -> Numbers:
    """The sum of many people's counts."""
    return tuple(map(sum, zip(*people, strict=True)))
