"""One page of the worklist as a value: who waits and who has been taken care of. Pure: rows in, views out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from server.care.enrolment import Contact
from server.web.views.board import Urgency
from server.web.views.chosen import ZONE_ORDER, Chosen
from server.web.views.groups import grouped, offered_together, rank, waits
from server.web.views.spark import Spark
from server.web.views.why import Why

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A reading whose values nobody believes until somebody says that they are right."""

    reading_id: str
    values: tuple[tuple[str, str], ...]  # metric and value
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One open alert as a nurse sees it. `since`: from when it has waited; `owner`: a name."""

    id: str
    patient_id: str
    patient_name: str
    rule: str
    state: str
    priority: str
    highest: str
    condition: bool
    late: bool
    waiting: bool
    raised_at: datetime
    owner: str | None
    why: Why
    spark: Spark | None
    owner_id: str | None = None
    pace: int = 0  # how fast it gets worse
    clicks: tuple[str, ...] = ()  # what the reader may do with it as it stands
    snoozed_until: datetime | None = None  # None also when that is over
    dispatch: str | None = None  # sent | accepted
    reading_id: str | None = None  # of the measurement that raised it, unless that has been taken out
    held_back: tuple[HeldBack, ...] = ()  # of `quarantined`: the values that it asks about

    @property
    def is_taken(self) -> bool:
        """Whether a named person has it."""
        return self.state == "acknowledged"

    @property
    def is_waiting(self) -> bool:
        """Whether somebody must look at it; a snooze that is here is not over."""
        return waits(self, _LONG_AGO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts of one patient that are shown, counted and clicked as one. `lead`: the most severe that waits, if any."""

    lead: AlertRow
    others: tuple[AlertRow, ...]
    clicks: tuple[str, ...]

    @property
    def alerts(self) -> tuple[AlertRow, ...]:
        """All of them, the lead first."""
        return (self.lead, *self.others)

    @property
    def is_waiting(self) -> bool:
        """Whether one of them waits: then it leads."""
        return self.lead.is_waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLine:
    """Who a patient is, in one line. `matters`: what matters to him, in his own words.

    `is_unjudged`: the rules could not be asked, so that a stored green is shown as unknown.
    """

    id: str
    name: str
    age: int | None
    matters: str | None
    zone: str
    is_unjudged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The open alerts of one patient. `urgency` is the sort key; `more`: groups that only the patient's page shows.

    `contacts`: whom to call about the patient.
    """

    patient: PatientLine
    groups: tuple[Group, ...]
    more: int
    urgency: Urgency
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCount:
    """How many patients are in a zone now."""

    zone: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """All patients of the reader by zone. `unjudged`: the rules could not be asked about them.

    `unsure`: they were asked, and could not say that all is well.
    """

    zones: tuple[ZoneCount, ...]
    unjudged: int
    unsure: int

    @property
    def patients(self) -> int:
        """Everybody, once."""
        return sum(each.count for each in self.zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """One page of the list. `first`: the place of its first patient among all `total` that were chosen.

    `alerts_waiting` counts what waits for the reader, chosen or not, and `urgent` the patients of whom that is high or
    critical; `following` is the place after which to go on.
    """

    cases: tuple[Case, ...]
    chosen: Chosen
    first: int
    total: int
    alerts_chosen: int
    alerts_waiting: int
    urgent: int
    following: Urgency | None
    here: Urgency | None
    census: Census

    @property
    def waiting(self) -> tuple[Case, ...]:
        """Patients for whom somebody must do something."""
        return tuple(case for case in self.cases if not case.urgency.is_taken)

    @property
    def taken(self) -> tuple[Case, ...]:
        """Patients of whom somebody has everything, or has put it off."""
        return tuple(case for case in self.cases if case.urgency.is_taken)

    @property
    def last(self) -> int:
        """The place of the page's last patient."""
        return self.first + len(self.cases) - 1


def groups_of(rows: Sequence[AlertRow]) -> tuple[Group, ...]:
    """A patient's alerts as they are clicked, the most urgent first."""
    return tuple(sorted((_group(each) for each in grouped(rows)), key=lambda group: _row_key(group.lead)))


class Zoned(Protocol):
    """Patients who have this in common."""

    @property
    def zone(self) -> str | None: ...
    @property
    def is_unjudged(self) -> bool: ...
    @property
    def condition(self) -> bool: ...
    @property
    def patients(self) -> int: ...


def census(rows: Iterable[Zoned]) -> Census:
    """Everybody by the zone that may honestly be shown."""
    counts = dict.fromkeys(ZONE_ORDER, 0)
    unjudged = unsure = 0
    for row in rows:
        zone = honest_zone(known_zone(row.zone, is_unjudged=row.is_unjudged), row.condition)
        counts[zone] = counts.get(zone, 0) + row.patients
        unjudged += row.patients if row.is_unjudged else 0
        unsure += row.patients if zone == "unknown" and not row.is_unjudged else 0
    zones = tuple(ZoneCount(zone=zone, count=count) for zone, count in counts.items())
    return Census(zones=zones, unjudged=unjudged, unsure=unsure)


def _group(members: Sequence[AlertRow]) -> Group:
    lead, *others = sorted(members, key=_lead_key)
    return Group(lead=lead, others=tuple(others), clicks=offered_together([each.clicks for each in members]))


def known_zone(zone: str | None, *, is_unjudged: bool) -> str:
    """The stored zone (None: never judged), unless it is a green that nobody could ask about lately.

    What was known to be worse than unknown stays: it is old, but nobody has said that it is over.
    """
    return "unknown" if zone is None or (is_unjudged and zone == "green") else zone


def honest_zone(zone: str, condition: bool) -> str:
    """The zone, except that nobody is shown green while a condition holds: then the truth is unknown."""
    return "unknown" if zone == "green" and condition else zone


def _row_key(row: AlertRow) -> tuple[bool, int, datetime, str]:
    return (not row.is_waiting, rank(row.priority), row.raised_at, row.id)


def _lead_key(row: AlertRow) -> tuple[bool, int, bool, datetime, str]:
    """As for rows, but of equal ones a measurement goes before a missing one."""
    return (not row.is_waiting, rank(row.priority), row.why.notice == "missing", row.raised_at, row.rule)
