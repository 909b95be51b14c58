"""What a rule says now: met, not met or unknown, and what it would need to say more."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from alerts.history import Episode, RuleState, Sample, Wait
from alerts.priority import Priority


class Beyond(NamedTuple):
    """A held level of a condition: how urgent, since when, and the newest reading that speaks for it."""

    priority: Priority
    newest_at: datetime
    sample: Sample | None = None
    late: bool = False


class Finding(NamedTuple):  # made for every rule in every step, and quicker to make than a dataclass
    """The answer of one rule at one moment; `state` is the rule's state with the passing of time added."""

    met: bool | None  # None: unknown, which neither raises nor clears
    state: RuleState | None = None
    held: tuple[Beyond, ...] = ()  # from mild to severe; empty unless met
    began_at: datetime | None = None
    waits: tuple[Wait, ...] = ()
    asks: Priority | None = None  # of the most severe band that something waits for
    ended: Episode | None = None  # the condition before the present one
    newest: str | None = None  # the newest reading beyond a limit
    cause: str | None = None
    partial: bool | None = None  # of a score: some parameters were unknown
    missing: tuple[str, ...] = ()  # of a score: which
    remind: datetime | None = None  # a reminder to the patient fell due then
    ask_again: str | None = None  # the patient should measure again after this reading

    @property
    def priority(self) -> Priority | None:
        """Of the most severe level held; None unless met."""
        return self.held[-1].priority if self.held else None


def text_of(value: Decimal | None) -> str | None:
    """An exact number as text; LO and HI for what the device could not put a number to."""
    if value is None:
        return None
    if value.is_infinite():
        return "LO" if value < 0 else "HI"
    return str(value)
