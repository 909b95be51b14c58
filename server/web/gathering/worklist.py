"""One page of the worklist: sorts everything by compact rows, then asks only for what the page shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row as Stored

from server.web.gathering.asking import Asking
from server.web.gathering.patients import SPARK_POINTS, TREND, alert_rows, by_metric, lines_of
from server.web.views.board import Row, Urgency
from server.web.views.chosen import Chosen, page
from server.web.views.groups import foremost
from server.web.views.worklist import (
    AlertRow,
    Case,
    PatientLine,
    Worklist,
    census,
    groups_of,
    honest_zone,
    known_zone,
)

PATIENTS = 12  # on one page
GROUPS = 3  # of one patient there; the patient's own page has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reader wants of the list, and from which place on."""

    chosen: Chosen
    after: Urgency | None = None


def worklist(asking: Asking, wanted: Wanted, now: datetime) -> Worklist:
    """The page of the reader's worklist; the number of questions does not depend on how many alerts there are."""
    everybody = asking.board(now, wanted.chosen)
    rows = _chosen(asking, wanted.chosen, now)
    before, shown = page(rows, wanted.after, PATIENTS)
    cases = _cases(asking, shown, now)
    return Worklist(
        cases=cases,
        chosen=wanted.chosen,
        first=before + 1,
        total=len(rows),
        alerts_chosen=sum(row.waiting for row in rows),
        alerts_waiting=everybody.waiting,
        urgent=everybody.urgent,
        following=cases[-1].urgency if cases and before + len(cases) < len(rows) else None,
        here=wanted.after,
        census=census(asking.zones(now)),
    )


def _chosen(asking: Asking, chosen: Chosen, now: datetime) -> tuple[Row, ...]:
    rows = asking.board(now).rows
    if chosen.is_all:
        return rows
    kept = tuple(row for row in rows if chosen.keeps(row))
    if not chosen.zone:
        return kept
    zones = {row.patient_id: known_zone(row.zone, is_unjudged=row.is_unjudged) for row in asking.zones_of_patients(now)}
    return tuple(
        row for row in kept if row.patient in zones and honest_zone(zones[row.patient], row.condition) == chosen.zone
    )


def _cases(asking: Asking, rows: Collection[Row], now: datetime) -> tuple[Case, ...]:
    """These patients with their foremost alerts filled in."""
    patients = [row.patient for row in rows]
    people = lines_of(asking, patients, now)
    stored = [each for each in asking.open_alerts(patients) if each.patient_id in people]
    first = foremost(stored, GROUPS, now)
    alerts = _filled(asking, [each for groups, _ in first.values() for group in groups for each in group], people, now)
    holds = {each.patient_id for each in stored if each.condition}
    contacts = asking.contacts_of(patients)
    return tuple(
        Case(
            patient=replace(line, zone=honest_zone(line.zone, line.id in holds)),
            groups=groups_of([each for each in alerts if each.patient_id == line.id]),
            more=first[line.id][1],
            urgency=row.urgency,
            contacts=tuple(each for each in contacts.get(line.id, ()) if each.phone),
        )
        for row in rows
        if (line := people.get(row.patient)) and line.id in first
    )


def _filled(
    asking: Asking, stored: Sequence[Stored[Any]], people: Mapping[str, PatientLine], now: datetime
) -> list[AlertRow]:
    wanted = {(each.patient_id, str(each.why["metric"])) for each in stored if each.why.get("metric")}
    values = asking.newest_values(wanted, now - TREND, SPARK_POINTS) if wanted else []
    return alert_rows(asking, stored, by_metric(values), people, now)
