"""Which good value is so extreme that it does not wait for a second one, where a band that waits does not say.

Source: the rulebooks' common page (clinical sign-off per municipality).
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from alerts.rules import Band, Side, Threshold

_AT_ONCE: Mapping[tuple[str, Side], Decimal] = {
    ("pulse", Side.ABOVE): Decimal(150),
    ("pulse", Side.BELOW): Decimal(35),
    ("systolic", Side.ABOVE): Decimal(200),
    ("systolic", Side.BELOW): Decimal(80),
}
_SPO2_LIMITS = (Decimal(94), Decimal(92))  # with exactly these 88 rings at once, with others the lowest limit - 3
_SPO2_AT_ONCE = Decimal(88)


def with_defaults(band: Band, rule: Threshold) -> Band:
    """The band with the default values that do not wait, where it waits and does not name its own."""
    if band.confirm is None or band.unless:
        return band
    values: list[Decimal | None] = []
    for at, metric in enumerate(rule.metrics):
        known = [each.limits[at] for each in rule.bands]
        limits = [each for each in known if each is not None]
        if metric == "spo2" and rule.side is Side.BELOW and limits:
            usual = tuple(limits) == _SPO2_LIMITS and not rule.relative and not rule.floored
            values.append(_SPO2_AT_ONCE if usual else min(limits) - 3)
        else:
            values.append(None if rule.relative else _AT_ONCE.get((metric, rule.side)))
    return replace(band, unless=tuple(values))
