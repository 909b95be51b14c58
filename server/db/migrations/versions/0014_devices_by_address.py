"""A reading names its device by address alone, and a batch of them is not to go through every device there is."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_device_address", "device", ["address"])
