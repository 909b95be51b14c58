"""From rows to views: asks what a page needs, once for all its patients, and hands it to the pure builders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from alerts.alert import from_mapping
from alerts.history import Quarantined
from alerts.plan import Plan, PlanError
from alerts.plan import from_mapping as plan_from
from alerts.raising import QUARANTINED
from server.web.gathering.asking import OVERDUE, Asking
from server.web.gathering.offering import offered
from server.web.views import why
from server.web.views.kits import Asked, asked
from server.web.views.patient import Chart, Device, Happening, Mark, Set, charts, device, merged
from server.web.views.spark import Point, draw
from server.web.views.worklist import AlertRow, Group, HeldBack, PatientLine, groups_of, honest_zone, known_zone

TREND = timedelta(days=14)  # how far back lines and charts look
SPARK_POINTS = 30
_ASKED = timedelta(days=1)

Values = Mapping[tuple[str, str], Sequence[Any]]  # (patient, metric) -> rows, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPage:
    """Everything on a patient's page. `plan` is None where nothing is judged."""

    line: PatientLine
    timezone: str
    plan: Plan | None
    groups: tuple[Group, ...]
    charts: tuple[Chart, ...]
    happenings: tuple[Happening, ...]
    kit: tuple[Device, ...]
    asked: tuple[Asked, ...]


def lines(asking: Asking, now: datetime, only: str | None = None) -> dict[str, PatientLine]:
    """Patient id -> who it is; of those followed up now."""
    return {row.id: _line(asking, row, now) for row in asking.patients(only)}


def lines_of(asking: Asking, patients: Collection[str], now: datetime) -> dict[str, PatientLine]:
    """The same of these alone."""
    return {row.id: _line(asking, row, now) for row in asking.patients_of(patients)}


def patient_page(asking: Asking, patient: str, now: datetime) -> PatientPage | None:
    """One patient's page; None when there is no such patient, or the reader may not know of it."""
    rows = asking.patients(patient)
    if not rows:
        return None
    everyone = lines(asking, now, patient)
    values, out = asking.values([patient], now - TREND), asking.taken_out([patient])
    counting = [row for row in values if row.reading_id not in out]
    alerts = alert_rows(asking, asking.open_alerts([patient]), by_metric(counting), everyone, now)
    plan = _plan(rows[0].plan)
    marks = [_mark(row) for row in asking.alerts_since(patient, now - TREND)]
    held = {(each.reading_id, metric) for alert in alerts for each in alert.held_back for metric, _ in each.values}
    apart = Set(out=out, held=held, rests=plan.pauses if plan else ())
    newest = asking.newest_of_devices(patient)
    line, kit = everyone[patient], asking.kit(patient, now)
    return PatientPage(
        line=replace(line, zone=honest_zone(line.zone, any(each.condition for each in alerts))),
        timezone=rows[0].timezone,
        plan=plan,
        groups=groups_of(alerts),
        charts=charts(values, plan, [mark for mark in marks if mark], apart),
        happenings=_happenings(asking, patient),
        kit=tuple(device(row, newest.get(row.address)) for row in kit),
        asked=_asked(asking, kit, now),
    )


def _asked(asking: Asking, kit: Sequence[Row[Any]], now: datetime) -> tuple[Asked, ...]:
    """What was lately asked of the gateways about these devices."""
    staff, about = asking.names_of_staff(), {(row.gateway_id, row.address) for row in kit}
    rows = [row for row in asking.commands(now - _ASKED) if (row.gateway_id, row.device) in about]
    return tuple(asked(row, staff) for row in rows)


def alert_rows(
    asking: Asking, rows: Sequence[Row[Any]], values: Values, patients: Mapping[str, PatientLine], now: datetime
) -> list[AlertRow]:
    """These alerts as a nurse sees them; `values` are those of their patients, taken out ones left out."""
    staff = asking.names_of_staff()
    found = [_alert_row(asking, row, values, patients[row.patient_id].name, staff) for row in rows]
    out = asking.taken_out(sorted({row.patient_id for row in rows}))
    held = asking.held_back(sorted({row.patient_id for row in rows if row.rule == QUARANTINED}))
    return [_as_now(each, now, out, held.get(each.patient_id, ())) for each in found]


def _as_now(row: AlertRow, now: datetime, out: Collection[str], held: Sequence[Quarantined]) -> AlertRow:
    """The row with what the alert does not hold: whether a snooze is over, which readings count, what it asks about."""
    if row.snoozed_until is not None and row.snoozed_until <= now:
        row = replace(row, snoozed_until=None)
    if row.rule == QUARANTINED:
        return replace(row, held_back=_held_back(held))
    return replace(row, reading_id=None if row.why.reading_id in out else row.why.reading_id)


def _held_back(values: Sequence[Quarantined]) -> tuple[HeldBack, ...]:
    by_reading: dict[str, HeldBack] = {}
    for each in values:
        found = by_reading.setdefault(
            each.reading_id, HeldBack(reading_id=each.reading_id, values=(), taken_at=each.taken_at)
        )
        by_reading[each.reading_id] = replace(found, values=(*found.values, (each.metric, each.value)))
    return tuple(by_reading.values())


def _alert_row(asking: Asking, row: Row[Any], values: Values, patient_name: str, staff: Mapping[str, str]) -> AlertRow:
    alert = from_mapping(row.body)
    reasons = why.read(row.why, alert.cause)
    points = [
        Point(at=each.taken_at, value=each.value) for each in values.get((row.patient_id, reasons.metric or ""), ())
    ]
    return AlertRow(
        id=row.id,
        patient_id=row.patient_id,
        patient_name=patient_name,
        rule=row.rule,
        state=row.state,
        priority=row.priority,
        highest=row.highest,
        condition=alert.condition,
        late=row.late,
        waiting=row.waiting,
        raised_at=row.raised_at,
        owner=staff.get(row.owner, row.owner) if row.owner else None,
        why=reasons,
        spark=draw(reasons.metric or "", points[-SPARK_POINTS:], reasons.limit, reasons.side),
        owner_id=row.owner,
        pace=row.pace,
        clicks=offered(alert, asking.actor),
        snoozed_until=alert.snoozed_until,
        dispatch=None if alert.dispatch is None else alert.dispatch.value,
    )


def _line(asking: Asking, row: Row[Any], now: datetime) -> PatientLine:
    facts = (row.plan or {}).get("facts", {})
    is_unjudged = bool(row.failures) or (row.evaluate_at is not None and now - row.evaluate_at > OVERDUE)
    return PatientLine(
        id=row.id,
        name=asking.vault.open(row.name),
        age=facts.get("age"),
        matters=asking.vault.open(row.matters) if row.matters else None,
        zone=known_zone(row.zone, is_unjudged=is_unjudged),
        is_unjudged=is_unjudged,
    )


def by_metric(rows: Sequence[Row[Any]]) -> Values:
    """The rows by patient and metric, in their order."""
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.patient_id, row.metric), []).append(row)
    return found


def _mark(row: Row[Any]) -> tuple[str, Mark] | None:
    reasons = why.read(row.why)
    if reasons.metric is None:
        return None
    at = reasons.taken_at or row.raised_at
    return reasons.metric, Mark(at=at, priority=row.highest, rule=row.rule)


def _plan(body: Mapping[str, Any] | None) -> Plan | None:
    """The plan as a value; one that cannot be read is shown as none at all rather than taking the page down."""
    try:
        return plan_from(body) if body else None
    except PlanError:
        return None


def _happenings(asking: Asking, patient: str) -> tuple[Happening, ...]:
    staff = asking.names_of_staff()
    return merged([_happening(row, staff) for row in asking.facts(patient)])


def _happening(row: Row[Any], staff: Mapping[str, str]) -> Happening:
    details: Mapping[str, Any] = row.why or {}
    reasons = why.read(details)
    return Happening(
        at=row.at,
        kind=row.kind,
        rule=row.rule or None,
        priority=row.priority,
        by=staff.get(row.by, row.by) if row.by else None,
        to=row.to,
        zone=details.get("zone"),
        outcome=details.get("outcome"),
        until=why.moment(details.get("until")) if row.kind == "snoozed" else None,
        mistake=details.get("reason") if row.kind == "invalidated" else None,
        metric=reasons.metric,
        value=reasons.value if row.kind in _WITH_VALUE else None,
    )


_WITH_VALUE = frozenset({"pending", "withdrawn", "raised", "returned", "worsened", "evidence"})
