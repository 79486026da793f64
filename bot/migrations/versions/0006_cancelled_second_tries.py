"""Second tries that were booked are looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_recovery_booked",
        "recovery",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("state = 'booked'"),
    )


def downgrade() -> None:
    op.drop_index("ix_recovery_booked", table_name="recovery", postgresql_where=sa.text("state = 'booked'"))
