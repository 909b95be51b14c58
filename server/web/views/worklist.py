"""The worklist as a value: who waits, in which order, and who has been taken care of. Pure: rows in, views out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.web.views.spark import Spark
from server.web.views.why import Why

PRIORITY_ORDER = ("critical", "high", "medium", "low")
ZONE_ORDER = ("red", "yellow", "blue", "unknown", "green")


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
    version: int
    why: Why
    spark: Spark | None
    may_acknowledge: bool
    may_resolve: bool
    outcomes: tuple[str, ...]

    @property
    def is_taken(self) -> bool:
        """Whether a named person has it."""
        return self.state == "acknowledged"


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
    """All open alerts of one patient. `priority` and `waited_since` are the sort key, of those that nobody has."""

    patient: PatientLine
    alerts: tuple[AlertRow, ...]
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
        """Alerts that nobody has."""
        return sum(not alert.is_taken for case in self.waiting for alert in case.alerts)


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
    ordered = sorted(rows, key=lambda row: (row.is_taken, *_row_key(row)))
    open_rows = [row for row in ordered if not row.is_taken]
    shown = open_rows or ordered
    return Case(
        patient=replace(patient, zone=honest_zone(patient.zone, rows)),
        alerts=tuple(ordered),
        priority=shown[0].priority,
        waited_since=min(row.raised_at for row in shown if row.priority == shown[0].priority),
        is_taken=not open_rows,
    )


def honest_zone(zone: str, rows: Sequence[AlertRow]) -> str:
    """The zone as stored, except that nobody is shown green while a condition holds: then the truth is unknown."""
    return "unknown" if zone == "green" and any(row.condition for row in rows) else zone


def _row_key(row: AlertRow) -> tuple[int, datetime, str]:
    return (_rank(row.priority), row.raised_at, row.id)


def _key(case: Case) -> tuple[int, datetime, str]:
    return (_rank(case.priority), case.waited_since, case.patient.id)


def _rank(priority: str) -> int:
    return PRIORITY_ORDER.index(priority) if priority in PRIORITY_ORDER else -1
