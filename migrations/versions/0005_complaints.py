"""An edition keeps the moments at which complaints led to a warning and to a pause of the digest"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Until now the audit trail alone knew that. What it still has is taken over; it stays as it is on the way down, where the
# older program reads it again.
_RECORDED = {
    "complaints warning": "complaints_warned_at",
    "digest paused by complaints": "complaints_paused_at",
}
_EDITION = sa.table(
    "edition",
    sa.column("petition_id", sa.Integer),
    sa.column("number", sa.Integer),
    *(sa.column(name, sa.DateTime(timezone=True)) for name in _RECORDED.values()),
)
_ENTRY = sa.table(
    "audit_entry",
    sa.column("id", sa.Integer),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("action", sa.String),
    sa.column("petition_id", sa.Integer),
    sa.column("details", sa.JSON),
)


def upgrade() -> None:
    with op.batch_alter_table("edition", schema=None) as batch_op:
        for name in _RECORDED.values():
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    connection = op.get_bind()
    entries = sa.select(_ENTRY).where(_ENTRY.c.action.in_(_RECORDED)).order_by(_ENTRY.c.id)
    for entry in connection.execute(entries).all():
        connection.execute(
            sa.update(_EDITION)
            .where(_EDITION.c.petition_id == entry.petition_id, _EDITION.c.number == entry.details["edition"])
            .values({_RECORDED[entry.action]: entry.at})
        )


def downgrade() -> None:
    with op.batch_alter_table("edition", schema=None) as batch_op:
        for name in _RECORDED.values():
            batch_op.drop_column(name)
