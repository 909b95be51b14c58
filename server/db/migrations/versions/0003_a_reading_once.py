"""A patient has a reading once, whichever of their gateways heard it: later copies become `heard_twice`."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MARK = """
UPDATE reading SET patient_id = NULL, unclaimed = 'heard_twice', evaluation_seq = NULL
WHERE EXISTS (
    SELECT 1 FROM reading AS earlier
    WHERE earlier.patient_id = reading.patient_id AND earlier.id = reading.id AND earlier.seq < reading.seq
)
"""
_VALUES_TOO = """
UPDATE measurement SET patient_id = NULL
WHERE patient_id IS NOT NULL AND reading_seq IN (SELECT seq FROM reading WHERE patient_id IS NULL)
"""


def upgrade() -> None:
    op.execute(_MARK)
    op.execute(_VALUES_TOO)
    op.create_index("uq_reading_patient_id_id", "reading", ["patient_id", "id"], unique=True)
