"""Browsers that are told by web push; notices of messages that nobody has read."""

import re

import sqlalchemy as sa
from alembic import op

from server.db.types import UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _browsers()
    op.add_column("team", sa.Column("unread_after_h", sa.Integer(), nullable=False, server_default="4"))
    op.add_column("outbox", sa.Column("unread_of", sa.String(64), nullable=True))
    op.create_index("ix_outbox_unread_of", "outbox", ["unread_of"])
    _let_be_empty("outbox", "fact_seq")
    nobody_read = sa.text("read_at IS NULL")
    op.create_index(
        "ix_message_unread",
        "message",
        ["patient_id", "at"],
        sqlite_where=nobody_read,
        postgresql_where=nobody_read,
    )


def _browsers() -> None:
    op.create_table(
        "browser",
        *(_text("id"), _text("municipality_id"), _text("staff_id"), _text("digest")),
        sa.Column("subscription", sa.LargeBinary(), nullable=False),
        *(_text("language", 8), _text("label", 80)),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.municipality_id"], name="fk_browser_municipality_id"
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_browser_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_browser"),
        sa.UniqueConstraint("digest", name="uq_browser_digest"),
    )
    for column in ("municipality_id", "staff_id"):
        op.create_index(f"ix_browser_{column}", "browser", [column])


def _let_be_empty(name: str, column: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.alter_column(name, column, nullable=True)
        return
    # Deliveries refer to the table, so it cannot be copied and dropped. Without the rule its rows on the disk are the
    # same, so its text alone is changed, as SQLite advises (lang_altertable, changes that touch no content).
    run = connection.exec_driver_sql
    table = "FROM sqlite_schema WHERE type = 'table' AND name = ?"
    before = str(run(f"SELECT sql {table}", (name,)).scalar_one())
    after, changed = re.subn(rf"(\b{column} \w+) NOT NULL", r"\1", before)
    assert changed == 1, f"{name} is not the table that step 0014 left"
    version = run("PRAGMA schema_version").scalar_one()
    run("PRAGMA writable_schema = ON")
    run("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (after, name))
    run(f"PRAGMA schema_version = {version + 1}")
    run("PRAGMA writable_schema = OFF")


def _text(name: str, length: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)
