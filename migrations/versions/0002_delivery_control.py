"""Editions that are scheduled, paused and cancelled; readers' choices; returned mail; the rate of sending"""

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations

revision = "0002"
down_revision = "0001"

_REFERS_BEFORE = (
    "(kind = 'confirmation' AND signature_id IS NOT NULL AND edition_id IS NULL AND subscription_id IS NULL)"
    " OR (kind = 'digest' AND signature_id IS NULL AND edition_id IS NOT NULL AND subscription_id IS NOT NULL)"
)
_REFERS = _REFERS_BEFORE + (
    " OR (kind = 'test' AND signature_id IS NULL AND subscription_id IS NULL AND organizer_id IS NOT NULL"
    " AND language IS NOT NULL)"
)


def _one_of(column: str, *words: str) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _check(batch_op: BatchOperations, name: str, condition: str, *, replace: bool = False) -> None:
    if replace:
        batch_op.drop_constraint(op.f(name), type_="check")
    batch_op.create_check_constraint(op.f(name), condition)


def upgrade() -> None:
    op.create_table(
        "sending_pace",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sending_pace")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("worker", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_heartbeat")),
    )
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        _check(
            batch_op,
            "ck_suppression_suppressionreason",
            _one_of("reason", "not me", "bounced", "complained"),
            replace=True,
        )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.add_column(sa.Column("needs_approval", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("cool_down_minutes", sa.SmallInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("window_from", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("window_until", sa.Time(), nullable=True))
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("frequency", sa.String(length=20), nullable=False, server_default="each"))
        batch_op.add_column(sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("merged", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("soft_bounces", sa.SmallInteger(), nullable=False, server_default="0"))
        _check(batch_op, "ck_subscription_readerfrequency", _one_of("frequency", "each", "monthly", "milestones"))
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("made_by", sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column("approved_by", sa.String(length=320), nullable=True))
        batch_op.add_column(sa.Column("send_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("starts", sa.SmallInteger(), nullable=False, server_default="0"))
        _check(
            batch_op,
            "ck_edition_editionstate",
            _one_of("state", "draft", "scheduled", "sending", "paused", "sent", "cancelled", "skipped"),
            replace=True,
        )
    with op.batch_alter_table("edition_text", schema=None) as batch_op:
        batch_op.add_column(sa.Column("audience", sa.String(length=20), nullable=False, server_default="each"))
        _check(batch_op, "ck_edition_text_audience", _one_of("audience", "each", "monthly"))
        batch_op.drop_constraint(op.f("pk_edition_text"), type_="primary")
        batch_op.create_primary_key(op.f("pk_edition_text"), ["edition_id", "language", "audience"])
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_edition_state")
        batch_op.drop_index("ix_delivery_account")
        batch_op.create_index("ix_delivery_edition_state", ["edition_id", "state", "id"], unique=False)
        batch_op.create_index(
            "ix_delivery_account",
            ["petition_id", "state"],
            unique=False,
            sqlite_where=sa.text("edition_id IS NULL"),
            postgresql_where=sa.text("edition_id IS NULL"),
        )
        batch_op.add_column(sa.Column("organizer_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("returned", sa.String(length=200), nullable=True))
        batch_op.create_index(
            "ix_delivery_returned",
            ["edition_id", "returned"],
            unique=False,
            sqlite_where=sa.text("returned IS NOT NULL"),
            postgresql_where=sa.text("returned IS NOT NULL"),
        )
        batch_op.create_foreign_key(op.f("fk_delivery_organizer_id"), "organizer", ["organizer_id"], ["id"])
        _check(batch_op, "ck_delivery_deliverykind", _one_of("kind", "confirmation", "digest", "test"), replace=True)
        _check(batch_op, "ck_delivery_refers_to_its_kind", _REFERS, replace=True)


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE kind = 'test'")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        _check(batch_op, "ck_delivery_refers_to_its_kind", _REFERS_BEFORE, replace=True)
        _check(batch_op, "ck_delivery_deliverykind", _one_of("kind", "confirmation", "digest"), replace=True)
        batch_op.drop_constraint(op.f("fk_delivery_organizer_id"), type_="foreignkey")
        batch_op.drop_index("ix_delivery_returned")
        batch_op.drop_column("returned")
        batch_op.drop_column("language")
        batch_op.drop_column("organizer_id")
        batch_op.drop_index("ix_delivery_account")
        batch_op.drop_index("ix_delivery_edition_state")
        batch_op.create_index("ix_delivery_account", ["petition_id", "edition_id", "state"], unique=False)
        batch_op.create_index("ix_delivery_edition_state", ["edition_id", "state"], unique=False)
    op.execute("DELETE FROM edition_text WHERE audience <> 'each'")
    with op.batch_alter_table("edition_text", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_edition_text_audience"), type_="check")
        batch_op.drop_constraint(op.f("pk_edition_text"), type_="primary")
        batch_op.drop_column("audience")
        batch_op.create_primary_key(op.f("pk_edition_text"), ["edition_id", "language"])
    # The older version has no state for an edition whose sending has not started, or was stopped.
    op.execute("UPDATE edition SET state = 'sent' WHERE state IN ('draft', 'scheduled', 'paused', 'cancelled')")
    with op.batch_alter_table("edition", schema=None) as batch_op:
        _check(
            batch_op,
            "ck_edition_editionstate",
            _one_of("state", "sending", "sent", "skipped"),
            replace=True,
        )
        for column in ("starts", "send_at", "approved_by", "made_by"):
            batch_op.drop_column(column)
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_subscription_readerfrequency"), type_="check")
        for column in ("soft_bounces", "merged", "paused", "frequency"):
            batch_op.drop_column(column)
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        for column in ("window_until", "window_from", "cool_down_minutes", "needs_approval"):
            batch_op.drop_column(column)
    op.execute("UPDATE suppression SET reason = 'not me'")
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        _check(batch_op, "ck_suppression_suppressionreason", _one_of("reason", "not me"), replace=True)
    op.drop_table("heartbeat")
    op.drop_table("sending_pace")
