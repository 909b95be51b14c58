"""The life of an alert and the steps of its ladder, written down a second time from the specification."""

from collections.abc import Mapping
from datetime import timedelta

from alerts.fact import FactKind

# (state before, what happened) -> states after. None: there was no alert.
MOVES: Mapping[tuple[str | None, FactKind], frozenset[str]] = {
    key: frozenset(ends)
    for key, ends in {
        (None, FactKind.PENDING): ["pending"],
        (None, FactKind.RAISED): ["active", "cleared"],
        ("pending", FactKind.RAISED): ["active"],
        ("pending", FactKind.WITHDRAWN): ["withdrawn"],
        ("active", FactKind.ACKNOWLEDGED): ["acknowledged"],
        ("active", FactKind.RESOLVED): ["resolved"],
        ("active", FactKind.WORSENED): ["active"],
        ("active", FactKind.OVER): ["cleared", "resolved"],
        ("active", FactKind.SNOOZED): ["active"],
        ("acknowledged", FactKind.WORSENED): ["active"],
        ("acknowledged", FactKind.RETURNED): ["active"],
        ("acknowledged", FactKind.OVER): ["acknowledged", "resolved"],
        ("acknowledged", FactKind.TAKEN_OVER): ["acknowledged"],
        ("acknowledged", FactKind.RELEASED): ["active", "cleared"],
        ("acknowledged", FactKind.DISPATCHED): ["acknowledged"],
        ("acknowledged", FactKind.DISPATCH_ACCEPTED): ["acknowledged"],
        ("acknowledged", FactKind.DISPATCH_REFUSED): ["acknowledged"],
        ("acknowledged", FactKind.RESOLVED): ["resolved"],
        ("acknowledged", FactKind.SNOOZED): ["acknowledged"],
        ("cleared", FactKind.RETURNED): ["active"],
        ("cleared", FactKind.ACKNOWLEDGED): ["acknowledged"],
        ("cleared", FactKind.RESOLVED): ["resolved"],
        ("resolved", FactKind.RESOLVED): ["resolved"],  # told after it was over, when no outcome is needed
    }.items()
}
STAYS = frozenset({FactKind.EVIDENCE, FactKind.PRIORITY, FactKind.NOTICE, FactKind.INCIDENT, FactKind.ACCEPTED})

MINUTE = timedelta(minutes=1)
# Minutes after the ladder's beginning, and who is told; then the last again and again, every so many minutes.
LADDERS: Mapping[str, tuple[tuple[tuple[int, str], ...], int | None]] = {
    "high": (
        (
            (0, "primary"),
            (5, "primary"),
            (10, "primary"),
            (15, "shift_lead"),
            (30, "backup"),
            (45, "duty_manager"),
        ),
        15,
    ),
    "critical": (((0, "primary"), (0, "shift_lead"), (5, "backup"), (15, "duty_manager")), 15),
    "response": (((0, "response_centre"), (10, "response_centre"), (20, "response_centre")), 20),
    "kept": (((60, "owner"), (120, "shift_lead")), None),
}
HELD_BACK = 5 * MINUTE


def step(name: str, number: int) -> tuple[timedelta, str] | None:
    """How long after its beginning the ladder's step of that number is due, and for whom; None after the last."""
    rungs, again = LADDERS[name]
    if number < len(rungs):
        return rungs[number][0] * MINUTE, rungs[number][1]
    if again is None:
        return None
    return (rungs[-1][0] + again * (number - len(rungs) + 1)) * MINUTE, rungs[-1][1]
