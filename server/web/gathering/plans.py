"""What the pages about a patient's plan are made of: gathered in one transaction, as values for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, select

from alerts import rulebook
from alerts.plan import Plan, from_mapping, hours_text
from alerts.rulebook import Rulebook, RulebookError
from server.care import budget, pauses, plans, proposing
from server.care.people import NotFoundError
from server.care.proposing import MEASURED_AFTER, Change
from server.care.steps import steps
from server.db import tables
from server.reports.tryout import Effect, effect
from server.web.gathering.asking import Asking
from server.web.gathering.patients import lines
from server.web.views.plan import Difference, Picture, differences, picture
from server.web.views.worklist import PatientLine


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A proposal that waits: what it changes, and what the back-test found."""

    id: str
    by: str
    by_id: str
    at: datetime
    reason: str | None
    plan: Plan
    texts: Mapping[str, str]
    changes: Sequence[Difference]
    report: Mapping[str, Any]
    picture: Picture | None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A change in force: what came of it, and whether it is time to say if it stays."""

    change: Change
    effect: Effect
    promised: Mapping[str, Any]  # the report of its proposal
    is_due: bool
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class PlanPage:
    """Everything on the page of a patient's plan."""

    line: PatientLine
    timezone: str
    plan: Plan | None
    version: Row[Any] | None
    texts: Mapping[str, str]
    proposed: Proposed | None
    measured: Measured | None
    steps: Sequence[Row[Any]]
    staff: Mapping[str, str]
    pause: Row[Any] | None


def plan_page(asking: Asking, patient: str, now: datetime) -> PlanPage:
    """The page of a patient's plan; raises `NotFoundError`."""
    line, timezone = who(asking, patient, now)
    connection = asking.connection
    plan = plans.stored(connection, patient)
    texts = plans.texts(connection, patient)
    staff = asking.names_of_staff()
    table = tables.plan_version
    in_force = select(table).where(table.c.patient_id == patient, table.c.state == "active")
    row = proposing.waiting(connection, asking.actor, patient)
    return PlanPage(
        line=line,
        timezone=timezone,
        plan=plan,
        version=connection.execute(in_force).first(),
        texts=texts,
        proposed=None if row is None else _proposed(row, plan, texts, staff),
        measured=_measured(asking, patient, now),
        steps=steps(connection, asking.actor, patient),
        staff=staff,
        pause=pauses.current(pauses.of(connection, asking.actor, patient), now),
    )


def who(asking: Asking, patient: str, now: datetime) -> tuple[PatientLine, str]:
    """The patient and their time zone; raises `NotFoundError`."""
    found = lines(asking, now, patient).get(patient)
    if found is None:
        raise NotFoundError("no such patient")
    return found, asking.patients(patient)[0].timezone


def book_of(name: str) -> Rulebook:
    """The rulebook as it is today; raises `NotFoundError`."""
    if name not in rulebook.shipped():
        raise NotFoundError("no such rulebook")
    try:
        return rulebook.load(name)
    except RulebookError:
        raise NotFoundError("the rulebook cannot be read") from None


def first_draft(asking: Asking, patient: str, name: str, now: datetime) -> Plan:
    """A first plan for a patient whom nothing judges: the rulebook as it stands, in the hours of the patient's team."""
    agreement, enrolment = tables.service_agreement, tables.enrolment
    team = select(enrolment.c.team_id).where(enrolment.c.patient_id == patient, enrolment.c.state != "ended")
    hours = select(agreement.c.hours).where(agreement.c.team_id.in_(team), agreement.c.state == "active").limit(1)
    settings = {
        "plan_id": str(uuid4()),
        "timezone": who(asking, patient, now)[1],
        "starts_at": now.isoformat(),
        "hours": asking.connection.execute(hours).scalar() or "00:00-24:00",
        "outside": "response_centre_red",
    }
    return rulebook.draft(book_of(name), settings)


def above_budget(asking: Asking, patient: str, report: Mapping[str, Any]) -> int | None:
    """The team's budget where the candidate is above it, in alerts per nurse and day; None where it is not."""
    most = budget.of_patient(asking.connection, patient)
    return most if report.get("candidate", {}).get("per_nurse_day", 0) > most else None


def hours_of(plan: Plan) -> str:
    """The service hours, the days left out where they are all."""
    text = hours_text(plan.hours)
    return text.removesuffix(" mon,tue,wed,thu,fri,sat,sun")


def _proposed(row: Row[Any], plan: Plan | None, texts: Mapping[str, str], staff: Mapping[str, str]) -> Proposed:
    wished = from_mapping(row.body)
    weeks = row.report.get("weeks")
    return Proposed(
        id=row.id,
        by=staff.get(row.proposed_by, "–"),
        by_id=row.proposed_by,
        at=row.proposed_at,
        reason=row.reason,
        plan=wished,
        texts=row.texts,
        changes=differences(plan, wished, (texts, row.texts)),
        report=row.report,
        picture=picture(weeks) if weeks else None,
    )


def _measured(asking: Asking, patient: str, now: datetime) -> Measured | None:
    change = proposing.last_change(asking.connection, asking.actor, patient)
    if change is None or change.decided is not None or now - change.since < timedelta(days=1):
        return None
    table = tables.plan_proposal
    report = asking.connection.execute(select(table.c.report).where(table.c.id == change.proposal)).scalar()
    due_at = change.since + MEASURED_AFTER
    return Measured(
        change=change,
        effect=effect(asking.connection, patient, change.since, now),
        promised=report or {},
        is_due=now >= due_at,
        due_at=due_at,
    )
