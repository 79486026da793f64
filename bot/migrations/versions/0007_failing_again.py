"""A stop that fails again is followed up again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recovery", sa.Column("is_past", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_constraint("recovery_stop_id_key", "recovery", type_="unique")
    op.create_index("ix_recovery_stop", "recovery", ["stop_id"], unique=False)
    op.create_index(
        "uq_recovery_stop", "recovery", ["stop_id"], unique=True, postgresql_where=sa.text("NOT is_past")
    )


def downgrade() -> None:
    """Only the newest follow-up of each stop stays."""
    op.drop_index("uq_recovery_stop", table_name="recovery", postgresql_where=sa.text("NOT is_past"))
    op.drop_index("ix_recovery_stop", table_name="recovery")
    op.execute("DELETE FROM recovery_step WHERE recovery_id IN (SELECT id FROM recovery WHERE is_past)")
    op.execute("DELETE FROM recovery WHERE is_past")
    op.create_unique_constraint("recovery_stop_id_key", "recovery", ["stop_id"])
    op.drop_column("recovery", "is_past")
