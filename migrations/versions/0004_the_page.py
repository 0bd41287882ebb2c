"""States, looks and goals of petitions; public names and comments; counts by country and source; paper sheets"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_STATES_BEFORE = ("draft", "open", "closed")
_STATES = ("draft", "open", "paused", "closed", "delivered", "answered", "won")
_ERASED_BEFORE = ("signature", "person", "subscription")
_ERASED = ("signature", "person", "name", "subscription")
_COMMENTS = ("private", "offered", "shown", "refused")
_PETITION = (
    "answered_on",
    "indexes_names",
    "shows_names",
    "related",
    "look",
    "state_note",
    "closes_at",
    "goal_steps",
)
_SHOWN = sa.text("state = 'confirmed' AND display <> 'hidden'")
_WITH_COMMENT = sa.text("state = 'confirmed' AND comment_state <> 'private'")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("petition", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_petition_petitionstate"), type_="check")
        batch_op.create_check_constraint(op.f("ck_petition_petitionstate"), _one_of("state", _STATES))
        batch_op.add_column(sa.Column("goal_steps", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("state_note", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("look", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("related", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("shows_names", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("indexes_names", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("answered_on", sa.Date(), nullable=True))
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_tombstone_erased"), type_="check")
        batch_op.create_check_constraint(op.f("ck_tombstone_erased"), _one_of("kind", _ERASED))
    with op.batch_alter_table("petition_counter", schema=None) as batch_op:
        batch_op.add_column(sa.Column("countries_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.add_column(sa.Column("comment_state", sa.String(length=20), nullable=False, server_default="private"))
        batch_op.add_column(sa.Column("source", sa.String(length=40), nullable=True))
        batch_op.create_check_constraint(op.f("ck_signature_commentstate"), _one_of("comment_state", _COMMENTS))
        batch_op.create_check_constraint(
            op.f("ck_signature_source_only_until_counted"), "state IN ('pending', 'quarantined') OR source IS NULL"
        )
    op.create_index(
        "ix_signature_shown", "signature", ["petition_id", "number"], sqlite_where=_SHOWN, postgresql_where=_SHOWN
    )
    op.create_index(
        "ix_signature_comments",
        "signature",
        ["petition_id", "comment_state", "number"],
        sqlite_where=_WITH_COMMENT,
        postgresql_where=_WITH_COMMENT,
    )
    op.create_table(
        "petition_picture",
        sa.Column("petition_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("alt", sa.JSON(), nullable=False),
        sa.CheckConstraint(_one_of("kind", ("picture", "logo")), name=op.f("ck_petition_picture_picturekind")),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_petition_picture_petition_id")),
        sa.PrimaryKeyConstraint("petition_id", "kind", name=op.f("pk_petition_picture")),
    )
    for table, column, length in (("country_count", "country", 2), ("source_count", "source", 40)):
        op.create_table(
            table,
            sa.Column("petition_id", sa.Integer(), nullable=False),
            sa.Column(column, sa.String(length=length), nullable=False),
            sa.Column("confirmed", sa.Integer(), nullable=False),
            sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f(f"fk_{table}_petition_id")),
            sa.PrimaryKeyConstraint("petition_id", column, name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "paper_sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("petition_id", sa.Integer(), nullable=False),
        sa.Column("text_version_id", sa.Integer(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_paper_sheet_petition_id")),
        sa.ForeignKeyConstraint(["text_version_id"], ["text_version.id"], name=op.f("fk_paper_sheet_text_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_sheet")),
    )
    op.create_index(op.f("ix_paper_sheet_petition_id"), "paper_sheet", ["petition_id"])
    op.create_table(
        "paper_line",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature_id", _big_id(), nullable=True),
        sa.ForeignKeyConstraint(["sheet_id"], ["paper_sheet.id"], name=op.f("fk_paper_line_sheet_id")),
        sa.ForeignKeyConstraint(["signature_id"], ["signature.id"], name=op.f("fk_paper_line_signature_id")),
        sa.PrimaryKeyConstraint("sheet_id", "position", name=op.f("pk_paper_line")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_paper_line_fingerprint")),
        sa.UniqueConstraint("signature_id", name=op.f("uq_paper_line_signature_id")),
    )


def downgrade() -> None:
    for table in ("paper_line", "paper_sheet", "source_count", "country_count", "petition_picture"):
        op.drop_table(table)
    op.drop_index("ix_signature_comments", table_name="signature")
    op.drop_index("ix_signature_shown", table_name="signature")
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_signature_source_only_until_counted"), type_="check")
        batch_op.drop_constraint(op.f("ck_signature_commentstate"), type_="check")
        batch_op.drop_column("source")
        batch_op.drop_column("comment_state")
    with op.batch_alter_table("petition_counter", schema=None) as batch_op:
        batch_op.drop_column("countries_at")
    # The older version cannot erase only a name; it is better that it erases too much again than too little.
    op.execute(
        "DELETE FROM tombstone WHERE kind = 'name' AND row_id IN (SELECT row_id FROM tombstone WHERE kind = 'person')"
    )
    op.execute("UPDATE tombstone SET kind = 'person' WHERE kind = 'name'")
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_tombstone_erased"), type_="check")
        batch_op.create_check_constraint(op.f("ck_tombstone_erased"), _one_of("kind", _ERASED_BEFORE))
    op.execute("UPDATE petition SET state = 'closed' WHERE state IN ('paused', 'delivered', 'answered', 'won')")
    with op.batch_alter_table("petition", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_petition_petitionstate"), type_="check")
        batch_op.create_check_constraint(op.f("ck_petition_petitionstate"), _one_of("state", _STATES_BEFORE))
        for column in _PETITION:
            batch_op.drop_column(column)
