"""Proposals of plans and what became of them, texts of the zones, pauses, decisions, contacts, budgets of alerts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from server.db import dialect
from server.db.types import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _plan_proposal()
    _plan_step()
    _plan_text()
    _pause()
    _decision()
    _contact()
    _alert_budget()
    for statement in dialect.never_changed(op.get_bind().dialect.name, "plan_step"):
        op.execute(statement)


def _plan_proposal() -> None:
    _table(
        "plan_proposal",
        _text("id", 64),
        _text("patient_id", 64),
        sa.Column("base_version", sa.Integer(), nullable=False),
        _text("state", 16),
        *(sa.Column(name, sa.JSON(none_as_null=True), nullable=False) for name in ("body", "texts", "report")),
        sa.Column("reason", sa.Text(), nullable=True),
        _text("proposed_by", 64),
        _moment("proposed_at"),
        sa.Column("version", sa.Integer(), nullable=True),
        refers={"patient_id": "patient.id", "proposed_by": "staff.id"},
        searched=("patient_id",),
    )


def _plan_step() -> None:
    _table(
        "plan_step",
        _seq(),
        _text("patient_id", 64),
        _text("plan_proposal_id", 64, nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        _text("step", 16),
        _text("by", 64),
        _moment("at"),
        sa.Column("said", sa.Text(), nullable=True),
        key=("seq",),
        refers={"patient_id": "patient.id", "plan_proposal_id": "plan_proposal.id"},
        searched=("patient_id",),
    )


def _plan_text() -> None:
    _table(
        "plan_text",
        _text("patient_id", 64),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(zone, sa.Text(), nullable=False) for zone in ("green", "yellow", "red")),
        key=("patient_id", "version"),
        refers={"patient_id": "patient.id"},
    )


def _pause() -> None:
    _table(
        "pause",
        _text("id", 64),
        _text("patient_id", 64),
        _moment("starts_at"),
        _moment("ends_at", nullable=True),
        _text("reason", 16),
        sa.Column("remark", sa.Text(), nullable=True),
        _text("set_by", 64),
        _moment("set_at"),
        _text("ended_by", 64, nullable=True),
        _moment("ended_at", nullable=True),
        refers={"patient_id": "patient.id", "set_by": "staff.id"},
        searched=("patient_id",),
    )


def _decision() -> None:
    _table(
        "decision",
        _text("id", 64),
        _text("patient_id", 64),
        _text("reference", 64),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("purpose", "replaces")),
        sa.Column("decided_by", sa.LargeBinary(), nullable=False),
        _moment("starts_at"),
        _moment("ends_at", nullable=True),
        _moment("start_up_until", nullable=True),
        _text("recorded_by", 64),
        _moment("recorded_at"),
        refers={"patient_id": "patient.id", "recorded_by": "staff.id"},
        searched=("patient_id",),
    )


def _contact() -> None:
    _table(
        "contact",
        _text("id", 64),
        _text("patient_id", 64),
        _text("kind", 16),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        _text("relation", 64, nullable=True),
        refers={"patient_id": "patient.id"},
        searched=("patient_id",),
    )


def _alert_budget() -> None:
    _table(
        "alert_budget",
        _seq(),
        _text("team_id", 64),
        sa.Column("alerts", sa.Integer(), nullable=False),
        _text("set_by", 64),
        _moment("set_at"),
        key=("seq",),
        refers={"team_id": "team.id", "set_by": "staff.id"},
        searched=("team_id",),
    )


def _table(
    name: str,
    *columns: sa.Column[Any],
    refers: dict[str, str],
    key: tuple[str, ...] = ("id",),
    searched: tuple[str, ...] = (),
) -> None:
    """A table of a municipality's rows, with its keys and indices named as the program names them."""
    refers = {"municipality_id": "municipality.municipality_id", **refers}
    op.create_table(
        name,
        *columns,
        _text("municipality_id", 64),
        *(sa.ForeignKeyConstraint([own], [other], name=f"fk_{name}_{own}") for own, other in refers.items()),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
    )
    for column in ("municipality_id", *searched):
        op.create_index(f"ix_{name}_{column}", name, [column])


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UTCDateTime(), nullable=nullable)


def _seq() -> sa.Column[Any]:
    return sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)
