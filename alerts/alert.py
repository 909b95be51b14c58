"""One alert: at most one is open for a patient and a rule; a new breach adds evidence to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerts import codec
from alerts.priority import Priority
from vitals.frozen import quick


class State(StrEnum):
    """Where an alert is in its life; `lifecycle` holds the table of moves."""

    PENDING = "pending"
    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({State.PENDING, State.ACTIVE, State.ACKNOWLEDGED, State.CLEARED})


class Dispatch(StrEnum):
    """Whether a home team was sent, and whether it said yes."""

    SENT = "sent"
    ACCEPTED = "accepted"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Who is told when nobody answers: which ladder runs, since when, how far it came and when the next step is due."""

    name: str  # a name in `escalation`
    started_at: datetime
    done: int = 0  # steps behind us
    due_at: datetime | None = None  # the next step; None: nothing more to come
    ordinary_at: datetime | None = None  # when the ordinary ladder takes over from this one


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it stands. All times are aware UTC; `why` explains what last raised, returned or worsened it."""

    id: str  # UUID made of patient, rule and opening
    patient: str
    rule: str
    state: State
    priority: Priority  # when the condition is over: its last value
    highest: Priority  # the highest ever reached
    condition: bool  # whether the rule's condition is present
    opened_at: datetime
    raised_at: datetime | None  # first active or created cleared; None while pending
    why: Mapping[str, Any]
    needs_outcome: bool | None = None  # the rule's word; None: from medium up
    late: bool = False  # a late reading raised, returned or worsened it
    waiting: bool = False  # a value waits for a second reading
    evidence: int = 0  # readings beyond the limit since it was opened
    newest: str | None = None  # the newest reading beyond the limit
    began_at: datetime | None = None  # event time at which the present condition began
    reference: Priority | None = None  # worsening is measured from here
    owner: str | None = None
    snoozed_until: datetime | None = None
    level: int = 0  # 0 nobody told, 1 primary or response centre, 2 shift_lead, 3 backup, 4 duty_manager
    ladder: Ladder | None = None
    dispatch: Dispatch | None = None
    cause: str | None = None  # of a missing reading: gateway, device or patient
    partial: bool | None = None  # of a score: some parameters unknown
    missing: tuple[str, ...] = ()  # of a score: which
    outcome: str | None = None
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Pending, active, acknowledged or cleared."""
        return self.state in OPEN

    @property
    def outcome_is_needed(self) -> bool:
        """Whether only a person may close it: from medium up, unless the rule says otherwise."""
        return self.highest >= Priority.MEDIUM if self.needs_outcome is None else self.needs_outcome


def to_mapping(alert: Alert) -> dict[str, Any]:
    """The alert as a JSON-able mapping."""
    mapping: dict[str, Any] = codec.encode(alert)
    return mapping


def from_mapping(mapping: Mapping[str, Any]) -> Alert:
    """The alert in a mapping made by `to_mapping`."""
    return codec.decode(Alert, mapping)
