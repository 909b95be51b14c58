"""The worklist as a value: who waits, in which order, and who has been taken care of. Pure: rows in, views out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from server.web.views.groups import grouped, offered_together, waits
from server.web.views.spark import Spark
from server.web.views.why import Why

PRIORITY_ORDER = ("critical", "high", "medium", "low")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
ZONE_ORDER = ("red", "yellow", "blue", "unknown", "green")


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
    """All open alerts of one patient. `priority` and `waited_since` are the sort key, of those that wait.

    `is_taken`: nothing waits; somebody has it all, or put it off.
    """

    patient: PatientLine
    groups: tuple[Group, ...]
    priority: str
    waited_since: datetime
    is_taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCount:
    """How many patients are in a zone now."""

    zone: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """What the worklist shows: `waiting` before `taken`, each by priority and then the longest wait."""

    waiting: tuple[Case, ...]
    taken: tuple[Case, ...]
    zones: tuple[ZoneCount, ...]
    patients: int
    unjudged: int  # patients about whom the rules could not be asked
    zones_unsure: int  # patients of whom they were asked and could not say that all is well

    @property
    def alerts_waiting(self) -> int:
        """What waits, counting as one what was met together."""
        return sum(group.is_waiting for case in self.waiting for group in case.groups)


def build(alerts: Sequence[AlertRow], patients: Mapping[str, PatientLine]) -> Worklist:
    """Group and sort: priority first, then who has waited longest; what somebody has taken stands below."""
    groups: dict[str, list[AlertRow]] = {}
    for alert in alerts:
        groups.setdefault(alert.patient_id, []).append(alert)
    cases = sorted((_case(patients[who], rows) for who, rows in groups.items()), key=_key)
    zones = [honest_zone(line.zone, groups.get(line.id, ())) for line in patients.values()]
    return Worklist(
        waiting=tuple(case for case in cases if not case.is_taken),
        taken=tuple(case for case in cases if case.is_taken),
        zones=tuple(ZoneCount(zone=zone, count=zones.count(zone)) for zone in ZONE_ORDER),
        patients=len(zones),
        unjudged=sum(line.is_unjudged for line in patients.values()),
        zones_unsure=sum(
            zone == "unknown" and not line.is_unjudged for zone, line in zip(zones, patients.values(), strict=True)
        ),
    )


def _case(patient: PatientLine, rows: Sequence[AlertRow]) -> Case:
    groups = sorted((_group(each) for each in grouped(rows)), key=lambda group: _row_key(group.lead))
    waiting = [row for row in rows if row.is_waiting]
    shown = waiting or rows
    priority = min((row.priority for row in shown), key=_rank)
    return Case(
        patient=replace(patient, zone=honest_zone(patient.zone, rows)),
        groups=tuple(groups),
        priority=priority,
        waited_since=min(row.raised_at for row in shown if row.priority == priority),
        is_taken=not waiting,
    )


def _group(members: Sequence[AlertRow]) -> Group:
    lead, *others = sorted(members, key=_lead_key)
    return Group(lead=lead, others=tuple(others), clicks=offered_together([each.clicks for each in members]))


def honest_zone(zone: str, rows: Sequence[AlertRow]) -> str:
    """The zone as stored, except that nobody is shown green while a condition holds: then the truth is unknown."""
    return "unknown" if zone == "green" and any(row.condition for row in rows) else zone


def _row_key(row: AlertRow) -> tuple[bool, int, datetime, str]:
    return (not row.is_waiting, _rank(row.priority), row.raised_at, row.id)


def _lead_key(row: AlertRow) -> tuple[bool, int, bool, datetime, str]:
    """As for rows, but of equal ones a measurement goes before a missing one."""
    return (not row.is_waiting, _rank(row.priority), row.why.notice == "missing", row.raised_at, row.rule)


def _key(case: Case) -> tuple[int, datetime, str]:
    return (_rank(case.priority), case.waited_since, case.patient.id)


def _rank(priority: str) -> int:
    return PRIORITY_ORDER.index(priority) if priority in PRIORITY_ORDER else -1
