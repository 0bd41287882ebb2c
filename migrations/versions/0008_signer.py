"""A request for a lost link is delayed, so the mails for it are counted"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("link_request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mails", sa.SmallInteger(), nullable=False, server_default="1"))
    with op.batch_alter_table("link_request", schema=None) as batch_op:
        batch_op.alter_column("mails", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("link_request", schema=None) as batch_op:
        batch_op.drop_column("mails")
