"""Column types that several nouns share: a choice of words, and texts by language."""

from enum import StrEnum

from sqlalchemy import JSON, Enum

# language → field → text, say {"en": {"title": "…", "text": "…"}}
Texts = dict[str, dict[str, str]]

TextsColumn = JSON(none_as_null=True)


def choice(kind: type[StrEnum]) -> Enum:
    """A column that holds one of the words of ``kind``, checked by the database too."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=20,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
