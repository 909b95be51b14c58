"""What a person can ask for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """The buttons."""

    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    RELEASE = "release"
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    DISPATCH = "dispatch"
    DISPATCH_ACCEPT = "dispatch_accept"
    DISPATCH_REFUSE = "dispatch_refuse"
    INVALIDATE = "invalidate"
    ACCEPT = "accept"


class Outcome(StrEnum):
    """What came of an alert."""

    ACTIONABLE = "actionable"
    WATCH = "watch"
    NO_ACTION = "no_action"
    SELF_RESOLVED = "self_resolved"
    DATA_ERROR = "data_error"
    DUPLICATE = "duplicate"


class Mistake(StrEnum):
    """Why a reading is taken out."""

    WRONG_PERSON = "wrong_person"
    MISTAKE = "mistake"  # of measuring


EVERY_RULE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One click by one person.

    `rule` names the open alert, or `EVERY_RULE`: every open alert for which the signal is legal (refused when none).
    `reading` is for invalidate and accept, `outcome` for resolve, `until` (aware UTC) for snooze; of a reading that is
    invalidated `slot_fulfilled` says whether a slot stays fulfilled by it, and `reason` why (kept, never decided by).
    """

    signal: Action
    by: str
    rule: str = ""
    reading: str | None = None
    outcome: Outcome | None = None
    until: datetime | None = None
    slot_fulfilled: bool = False
    reason: Mistake | None = None

    @property
    def needs_history(self) -> bool:
        """Whether `act` needs a complete view: the past changes."""
        return self.signal in (Action.INVALIDATE, Action.ACCEPT)


class IllegalSignal(ValueError):  # noqa: N818 - the word of the lifecycle
    """This signal means nothing in this state; nothing was changed. `field`: which word of the command is wrong."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field
