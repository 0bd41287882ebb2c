"""A petition may name itself in the mail that asks a signer to confirm"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("petition", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("confirmation_names_petition", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("petition", schema=None) as batch_op:
        batch_op.alter_column("confirmation_names_petition", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("petition", schema=None) as batch_op:
        batch_op.drop_column("confirmation_names_petition")
