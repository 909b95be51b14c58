"""A team's pages as values: duty, roster, channels, what was handed over, put off or paused, and who was told. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Somebody who answers now."""

    name: str
    until: datetime
    can_be_reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A role of the ladder, and who is on duty in it."""

    role: str
    people: tuple[OnDuty, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a team does for a municipality. `is_open`: by the hours, just now; None where they do not say."""

    kind: str
    municipality: str
    team: str
    is_own: bool
    hours: str
    is_open: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a shift left; `taken_by`: who goes on from there."""

    id: str
    text: str
    by: str
    at: datetime
    of_team: str
    to_team: str
    is_for_us: bool
    stays_here: bool
    patient_id: str | None
    patient: str | None
    taken_by: str | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snoozed:
    """An alert that somebody put off."""

    patient_id: str
    patient: str
    rule: str
    priority: str
    until: datetime
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A patient for whom no alert is raised for a while; `until` None: until somebody ends it."""

    patient_id: str
    patient: str
    reason: str
    since: datetime
    until: datetime | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A patient whom another team may know of for now."""

    patient_id: str
    patient: str
    team: str
    is_ours: bool
    reason: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A shift of somebody."""

    id: str
    name: str
    role: str
    starts_at: datetime
    ends_at: datetime

    @property
    def is_long(self) -> bool:
        """Whether it lasts so long that the hour alone does not say when it ends."""
        return self.ends_at - self.starts_at >= timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the roster; `at` is its beginning."""

    date: date
    at: datetime
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A channel, with as much of its address as tells two apart."""

    id: str
    kind: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the team, or (without id and name) the team itself; `browsers`: how many they are told in."""

    id: str | None
    name: str | None
    ways: tuple[Way, ...]
    browsers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try to reach a recipient."""

    at: datetime
    channel: str
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a notice went to; `name` None: nobody in particular."""

    role: str
    name: str | None
    state: str
    receipt_at: datetime | None
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step of a ladder, or a notice of unread messages, and what came of it."""

    number: int
    at: datetime
    to: str
    of_messages: bool
    state: str
    recipients: tuple[Recipient, ...]
