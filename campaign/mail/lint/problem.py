"""What the linter says: where in a message something is wrong, and how to mend it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

N_ = str  # marks what an organizer's own words can cause for the translators; the page translates it

# Unicode's Bidi_Control: they make a line read otherwise than it is stored (Unicode TR 36 §2).
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARK = re.compile(r"@@[a-z-]+@@")


class Part(StrEnum):
    """Where a problem is. Lines are counted from 1: in the message, or in the text or the HTML as it was written."""

    WIRE = "as sent"
    ENVELOPE = "envelope"
    HEADER = "header"
    STRUCTURE = "structure"
    TEXT = "text"
    HTML = "HTML"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: ``sentence`` with ``values`` for its %(…)s, so that it can be translated first."""

    part: Part
    line: int | None
    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The sentence in English."""
        return self.sentence % self.values

    def __str__(self) -> str:
        return f"{self.part}, line {self.line}: {self.told}" if self.line else f"{self.part}: {self.told}"


def find_unprintable(text: str) -> str | None:
    """The first character of ``text`` that ends a line, controls a device or turns the direction of writing."""
    return next(
        (
            character
            for character in text
            if character in _BIDI_CONTROLS or unicodedata.category(character) in ("Cc", "Zl", "Zp")
        ),
        None,
    )


def find_mark(text: str) -> re.Match[str] | None:
    """The first placeholder that should have been filled in, like ``@@unsubscribe-url@@``."""
    return _MARK.search(text)


def line_of(text: str, position: int) -> int:
    """The line of ``text``, from 1, in which ``position`` lies."""
    return text.count("\n", 0, position) + 1
