"""What the linter says: where in a message something is wrong, and how to mend it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

N_ = str  # marks, for the translators, the sentences that an organizer's own text can cause; the page translates them

# Unicode's Bidi_Control: with them a line is displayed in another order than it is stored (Unicode TR 36 §2).
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARK = re.compile(r"@@[a-z-]+@@")


class Part(StrEnum):
    """The part of a message in which a problem is. Lines are counted from 1, in the message or in its text or HTML."""

    WIRE = "as sent"
    ENVELOPE = "envelope"
    HEADER = "header"
    STRUCTURE = "structure"
    TEXT = "text"
    HTML = "HTML"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem to correct: ``sentence``, and ``values`` for its %(…)s, kept apart so that it can be translated."""

    part: Part
    line: int | None
    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.sentence % self.values

    def __str__(self) -> str:
        return f"{self.part}, line {self.line}: {self.text}" if self.line else f"{self.part}: {self.text}"


def find_unprintable(text: str) -> str | None:
    """The first character of ``text`` that ends a line, controls a device or changes the direction of writing."""
    return next(
        (
            character
            for character in text
            if character in _BIDI_CONTROLS or unicodedata.category(character) in ("Cc", "Zl", "Zp")
        ),
        None,
    )


def find_mark(text: str) -> re.Match[str] | None:
    """The first placeholder that was not filled in, like ``@@unsubscribe-url@@``."""
    return _MARK.search(text)


def line_of(text: str, position: int) -> int:
    """The number of the line, from 1, that contains ``position``."""
    return text.count("\n", 0, position) + 1
