"""Patients and their next of kin: sessions, consents, messages, what they report themselves; kits with a code."""

import sqlalchemy as sa
from alembic import op

from server.db.types import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("phone", "phone_after_hours"):
        op.add_column("service_agreement", sa.Column(name, sa.String(32), nullable=True))
    _let_be_empty("reading", "gateway_id")
    _let_be_empty("session", "staff_id")
    op.add_column("session", _text("contact_id", nullable=True))
    for name in ("session", "token"):
        _refer_to_patient(name)
    _shares_and_messages()
    _kits()
    _table("visit_step", _text("patient_id"), _text("step", 32), _text("by"), _moment("at"), refers=("patient",))
    op.create_index("uq_visit_step_patient_id", "visit_step", ["patient_id", "step"], unique=True)


def _shares_and_messages() -> None:
    _table(
        "consent",
        *(_text("patient_id"), _text("contact_id")),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        *(_text("given_by"), _text("given_role", 32), _moment("given_at")),
        *(_text("withdrawn_by", nullable=True), _moment("withdrawn_at", nullable=True)),
        refers=("patient",),
    )
    op.create_index("ix_consent_contact_id", "consent", ["contact_id"])
    _table(
        "message",
        *(_text("patient_id"), _text("by"), _text("role", 32), _moment("at")),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        *(_text("read_by", nullable=True), _moment("read_at", nullable=True)),
        refers=("patient",),
    )
    _table(
        "self_report",
        *(_text("patient_id"), _text("by"), _text("role", 32), _moment("at")),
        sa.Column("answers", sa.JSON(none_as_null=True), nullable=True),
        refers=("patient",),
    )


def _kits() -> None:
    _table(
        "kit",
        *(_text("gateway_id"), _text("code", 16), _text("label", 80), _moment("created_at")),
        sa.UniqueConstraint("code", name="uq_kit_code"),
        refers=("gateway",),
    )
    op.create_table(
        "kit_device",
        *(_text("kit_id"), _text("device_id"), _text("municipality_id")),
        *_references("kit_device", "kit", "device"),
        sa.PrimaryKeyConstraint("kit_id", "device_id", name="pk_kit_device"),
    )
    op.create_index("ix_kit_device_municipality_id", "kit_device", ["municipality_id"])


def _table(name: str, *columns: sa.schema.SchemaItem, refers: tuple[str, ...]) -> None:
    op.create_table(
        name,
        _text("id"),
        _text("municipality_id"),
        *columns,
        *_references(name, *refers),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    for column in ("municipality_id", *(f"{each}_id" for each in refers)):
        op.create_index(f"ix_{name}_{column}", name, [column])


def _references(table: str, *others: str) -> list[sa.ForeignKeyConstraint]:
    targets = {"municipality_id": "municipality.municipality_id"} | {f"{each}_id": f"{each}.id" for each in others}
    return [
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}") for column, target in targets.items()
    ]


def _refer_to_patient(name: str) -> None:
    with op.batch_alter_table(name) as table:
        table.add_column(_text("patient_id", nullable=True))
        table.create_foreign_key(f"fk_{name}_patient_id", "patient", ["patient_id"], ["id"])


def _let_be_empty(name: str, column: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.alter_column(name, column, nullable=True)
        return
    # The only way there: the table as it is, filled from the old one (as in 0008).
    table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    table.c[column].nullable = True
    with op.batch_alter_table(name, copy_from=table, recreate="always"):
        pass


def _text(name: str, length: int = 64, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UTCDateTime(), nullable=nullable)
