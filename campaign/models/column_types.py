"""Column types that several tables share: a choice of words, and texts by language."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Dialect, Enum

# language → field → text, for example {"en": {"title": "…", "text": "…"}}
Texts = dict[str, dict[str, str]]

TextsColumn = JSON(none_as_null=True)


class _Choice(Enum):
    """An Enum that converts a stored word by one look-up, because one claim of mails reads thousands of them."""

    cache_ok = True

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Callable[[Any], Any]:
        assert self.enum_class is not None
        return {None: None, **{member.value: member for member in self.enum_class}}.__getitem__


def choice(kind: type[StrEnum], *, length: int = 20, checked: bool = True) -> Enum:
    """A column that holds one of the words of ``kind``, ``length`` letters at most.

    The database refuses other words; if ``checked`` is false, only the program does, by a LookupError.
    """
    return _Choice(
        kind,
        native_enum=False,
        create_constraint=checked,
        length=length,
        name=kind.__name__.lower(),
        validate_strings=not checked,
        values_callable=lambda members: [member.value for member in members],
    )
