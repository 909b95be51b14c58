"""Approving a plan: what must be there before it judges anybody, each refusal naming the field and the reason.

A rulebook's numbers are engineering defaults until the municipality's responsible clinician has signed them, by name
and date. What is signed is the content: the same version with another number is another rulebook.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select

from alerts.backtest_report import canonical
from alerts.plan import Outside, Plan
from alerts.rulebook import Rulebook
from server.access import Actor, scope
from server.care import plans
from server.db import tables


class ApprovalError(ValueError):
    """A plan or a sign-off that cannot be accepted: `field` says what is lacking, `reason` why it is needed."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approves a plan under which rulebook, and what that person says happens outside service hours.

    `proposed_by`: who wished for it, never the same person; None: it was in force before, and two have agreed on it.
    `demo`: the people do not exist. Only then may nobody have signed the rulebook.
    """

    by: str  # staff id
    proposed_by: str | None
    book: Rulebook
    outside: Outside | None
    demo: bool = False


def sign_off(connection: Connection, municipality: str, book: Rulebook, by: str, now: datetime) -> None:
    """The municipality's responsible clinician, a member of its own staff, signs the rulebook as it stands.

    Raises `ApprovalError` when nobody of that name can sign there.
    """
    if not _is_employed(connection, municipality, by):
        raise ApprovalError("signed_by", "must be somebody whom the municipality employs")
    row = {
        "id": str(uuid4()),
        "municipality_id": municipality,
        "rulebook": book.name,
        "rulebook_version": book.version,
        "digest": digest(book),
        "signed_by": by,
        "signed_at": now,
    }
    connection.execute(insert(tables.rulebook_sign_off).values(row))


def sign_offs(connection: Connection, actor: Actor) -> list[Row[Any]]:
    """Every sign-off of the actor's municipality, the newest first."""
    table = tables.rulebook_sign_off
    statement = select(table).order_by(table.c.signed_at.desc(), table.c.id)
    return list(connection.execute(scope(statement, table, actor)))


def approve(connection: Connection, patient: str, plan: Plan, approval: Approval, now: datetime) -> int:
    """Make `plan` the patient's active version. Returns its number; raises `ApprovalError`, and nothing is changed."""
    if approval.by == approval.proposed_by:
        raise ApprovalError("second_person", "whoever proposed a plan does not approve it: another person must")
    _check_rulebook(plan, approval.book)
    _check_facts(plan, approval.book)
    if not approval.demo:
        _check_outside(plan, approval)
        _check_signed(connection, patient, approval)
    return plans.activate(connection, patient, plan, approval.by, now)


def digest(book: Rulebook) -> str:
    """Changes with anything that a rulebook says, however it is written and wherever the file lies."""
    content: dict[str, Any] = {
        "name": book.name,
        "version": book.version,
        "source": book.source,
        "reviewed_on": book.reviewed_on.isoformat(),
        "verified": book.verified,
        "ends_after": None if book.ends_after is None else book.ends_after.total_seconds(),
        "approval_needs": sorted(book.approval_needs),
        "rules": plain(book.table),
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _check_rulebook(plan: Plan, book: Rulebook) -> None:
    """The plan is judged by the rulebook it names; where it is not, it says so by calling the numbers individual."""
    if (plan.rulebook, plan.rulebook_version) != (book.name, book.version):
        named = f"{plan.rulebook} version {plan.rulebook_version}"
        raise ApprovalError("rulebook", f"the plan names {named}, not {book.name} version {book.version}")
    theirs, ours = plain(plan.table), plain(book.table)
    for name in sorted({*theirs, *ours} - set(plan.individual)):
        if theirs.get(name) != ours.get(name):
            raise ApprovalError(f"rules.{name}", "is not as in the rulebook, and not named as an individual limit")


def _check_facts(plan: Plan, book: Rulebook) -> None:
    for name in book.lacking(plan.facts):
        reason = f"the rulebook {book.name} judges nobody before a clinician has stated it"
        raise ApprovalError(f"facts.{name}", reason)


def _check_outside(plan: Plan, approval: Approval) -> None:
    if approval.outside is None:
        known = ", ".join(Outside)
        raise ApprovalError("outside", f"must say what happens outside service hours: {known}")
    if approval.outside is not plan.outside:
        raise ApprovalError("outside", f"was approved as {approval.outside}, but the plan says {plan.outside}")


def _check_signed(connection: Connection, patient: str, approval: Approval) -> None:
    book, table = approval.book, tables.rulebook_sign_off
    home = select(tables.patient.c.municipality_id).where(tables.patient.c.id == patient)
    municipality = connection.execute(home).scalar_one()
    if not _is_employed(connection, municipality, approval.by):
        raise ApprovalError("approved_by", "must be somebody whom the municipality employs")
    signed = select(table.c.digest).where(
        table.c.municipality_id == municipality,
        table.c.rulebook == book.name,
        table.c.rulebook_version == book.version,
    )
    digests = set(connection.execute(signed).scalars())
    if not digests:
        reason = f"no clinician of the municipality has signed {book.name} version {book.version}, by name and date"
        raise ApprovalError("rulebook", reason)
    if digest(book) not in digests:
        reason = f"{book.name} version {book.version} is not what was signed: its content has changed since"
        raise ApprovalError("rulebook", reason)


def _is_employed(connection: Connection, municipality: str, staff: str) -> bool:
    table = tables.staff
    known = select(table.c.id).where(
        table.c.id == staff, table.c.municipality_id == municipality, table.c.active.is_(True)
    )
    return connection.execute(known).first() is not None


def plain(value: Any) -> Any:
    """A table of rules as JSON has it, so that one read from a file and one read from a row compare."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Decimal | float):
        return int(value) if value == int(value) else float(value)
    return value
