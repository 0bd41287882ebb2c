"""Quarantine and reviews, challenges, lost links, tombstones; organizers' second factors; approval of exports"""

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations

revision = "0003"
down_revision = "0002"

_REFERS_BEFORE = (
    "(kind = 'confirmation' AND signature_id IS NOT NULL AND edition_id IS NULL AND subscription_id IS NULL)"
    " OR (kind = 'digest' AND signature_id IS NULL AND edition_id IS NOT NULL AND subscription_id IS NOT NULL)"
    " OR (kind = 'test' AND signature_id IS NULL AND subscription_id IS NULL AND organizer_id IS NOT NULL"
    " AND language IS NOT NULL)"
)
_REFERS = _REFERS_BEFORE + (
    " OR (kind = 'link' AND signature_id IS NOT NULL AND edition_id IS NULL AND subscription_id IS NULL)"
)


_ADDRESS_BEFORE = "state = 'pending' OR (sealed_address IS NULL AND expires_at IS NULL)"
_ADDRESS = (
    "(state = 'pending' OR expires_at IS NULL) AND (state IN ('pending', 'quarantined') OR sealed_address IS NULL)"
)


def _one_of(column: str, *words: str) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _check(batch_op: BatchOperations, name: str, condition: str) -> None:
    batch_op.drop_constraint(op.f(name), type_="check")
    batch_op.create_check_constraint(op.f(name), condition)


def _moment(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("petition_id", sa.Integer(), nullable=False),
        _moment("at", nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        _moment("undone_at"),
        sa.Column("undone_by", sa.String(length=320), nullable=True),
        sa.CheckConstraint(_one_of("action", "accept", "invalidate"), name=op.f("ck_review_reviewaction")),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_review_petition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_petition_id"), "review", ["petition_id"])
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.add_column(sa.Column("review_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_signature_review_id"), "review", ["review_id"], ["id"])
        batch_op.create_index(op.f("ix_signature_review_id"), ["review_id"])
        _check(
            batch_op,
            "ck_signature_signaturestate",
            _one_of("state", "pending", "quarantined", "confirmed", "withdrawn", "invalidated", "expired"),
        )
        _check(batch_op, "ck_signature_address_only_while_pending", _ADDRESS)
    op.create_table(
        "suspicion",
        sa.Column("signature_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("petition_id", sa.Integer(), nullable=False),
        sa.Column("group", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            _one_of("kind", "source", "burst", "words", "domain", "form", "total"),
            name=op.f("ck_suspicion_suspicionkind"),
        ),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_suspicion_signature_id")),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_suspicion_petition_id")),
        sa.PrimaryKeyConstraint("signature_id", "kind", name=op.f("pk_suspicion")),
    )
    op.create_index("ix_suspicion_group", "suspicion", ["petition_id", "kind", "group"])
    op.create_table(
        "spent_challenge",
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        _moment("until", nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_spent_challenge")),
    )
    op.create_index(op.f("ix_spent_challenge_until"), "spent_challenge", ["until"])
    op.create_table(
        "link_request",
        sa.Column("petition_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=False),
        _moment("asked_at", nullable=False),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_link_request_petition_id")),
        sa.PrimaryKeyConstraint("petition_id", "fingerprint", name=op.f("pk_link_request")),
    )
    op.create_index(op.f("ix_link_request_asked_at"), "link_request", ["asked_at"])
    op.create_table(
        "tombstone",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("erased_on", sa.Date(), nullable=False),
        sa.CheckConstraint(_one_of("kind", "signature", "person", "subscription"), name=op.f("ck_tombstone_erased")),
        sa.PrimaryKeyConstraint("kind", "row_id", name=op.f("pk_tombstone")),
    )
    op.create_table(
        "export_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("petition_id", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=320), nullable=False),
        _moment("made_at", nullable=False),
        sa.Column("chosen", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("approved_by", sa.String(length=320), nullable=True),
        _moment("approved_at"),
        _moment("ended_at"),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_export_request_petition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_request")),
    )
    op.create_index(op.f("ix_export_request_petition_id"), "export_request", ["petition_id"])
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organizer_id", sa.Integer(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("added_on", sa.Date(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["organizer_id"], ["organizer.id"], name=op.f("fk_passkey_organizer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_organizer_id"), "passkey", ["organizer_id"])
    op.create_table(
        "server_lock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        _moment("since", nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_server_lock_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_lock")),
    )
    with op.batch_alter_table("organizer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_totp", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("totp_step", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("recovery_codes", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("failed_sign_ins", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(_moment("failed_at"))
        batch_op.add_column(sa.Column("passkey_handle", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_organizer_passkey_handle"), ["passkey_handle"])
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.alter_column("petition_id", existing_type=sa.Integer(), nullable=True)
        batch_op.add_column(sa.Column("organizer_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_audit_entry_organizer_id"), "organizer", ["organizer_id"], ["id"])
        batch_op.create_index(op.f("ix_audit_entry_organizer_id"), ["organizer_id"])
    with op.batch_alter_table("petition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("challenge", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("sealed_to", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("export_needs_approval", sa.Boolean(), nullable=False, server_default=sa.false()))
        for day in ("closed_on", "handed_over_on", "burned_on"):
            batch_op.add_column(sa.Column(day, sa.Date(), nullable=True))
    # The day of closing was not stored until now, so retention is counted from today.
    op.execute("UPDATE petition SET closed_on = CURRENT_DATE WHERE state = 'closed'")
    with op.batch_alter_table("petition_counter", schema=None) as batch_op:
        batch_op.add_column(sa.Column("links", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("posts", sa.BigInteger(), nullable=False, server_default="0"))
    # An id identifies a mail for ever, so it must never be used again, not even after a backup was restored.
    with op.batch_alter_table("delivery", schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        _check(batch_op, "ck_delivery_deliverykind", _one_of("kind", "confirmation", "digest", "test", "link"))
        _check(batch_op, "ck_delivery_refers_to_its_kind", _REFERS)


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE kind = 'link'")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        _check(batch_op, "ck_delivery_refers_to_its_kind", _REFERS_BEFORE)
        _check(batch_op, "ck_delivery_deliverykind", _one_of("kind", "confirmation", "digest", "test"))
    with op.batch_alter_table("petition_counter", schema=None) as batch_op:
        batch_op.drop_column("posts")
        batch_op.drop_column("links")
    with op.batch_alter_table("petition", schema=None) as batch_op:
        for column in (
            "burned_on",
            "handed_over_on",
            "closed_on",
            "export_needs_approval",
            "sealed_to",
            "challenge",
        ):
            batch_op.drop_column(column)
    op.execute("DELETE FROM audit_entry WHERE petition_id IS NULL")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_audit_entry_organizer_id"))
        batch_op.drop_constraint(op.f("fk_audit_entry_organizer_id"), type_="foreignkey")
        batch_op.drop_column("organizer_id")
        batch_op.alter_column("petition_id", existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table("organizer", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_organizer_passkey_handle"), type_="unique")
        for column in (
            "passkey_handle",
            "failed_at",
            "failed_sign_ins",
            "recovery_codes",
            "totp_step",
            "sealed_totp",
        ):
            batch_op.drop_column(column)
    for table in (
        "server_lock",
        "passkey",
        "export_request",
        "tombstone",
        "link_request",
        "spent_challenge",
        "suspicion",
    ):
        op.drop_table(table)
    # The older version has no quarantine; quarantined signatures were not counted.
    op.execute(
        "UPDATE signature SET state = 'expired', fingerprint = NULL, sealed_person = NULL, country = NULL,"
        " sealed_address = NULL"
        " WHERE state = 'quarantined'"
    )
    with op.batch_alter_table("signature", schema=None) as batch_op:
        _check(
            batch_op,
            "ck_signature_signaturestate",
            _one_of("state", "pending", "confirmed", "withdrawn", "invalidated", "expired"),
        )
        _check(batch_op, "ck_signature_address_only_while_pending", _ADDRESS_BEFORE)
        batch_op.drop_index(op.f("ix_signature_review_id"))
        batch_op.drop_constraint(op.f("fk_signature_review_id"), type_="foreignkey")
        batch_op.drop_column("review_id")
    op.drop_table("review")
