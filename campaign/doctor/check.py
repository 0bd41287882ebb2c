"""What the doctor says of one thing it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """Green: as it should be, or nothing to look at here. Yellow: a person should look. Red: something fails."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it is, and what to do where it is not green."""

    name: str
    colour: Colour
    sentence: str
    mend: str = ""


def green(name: str, sentence: str) -> Check:
    """All is well."""
    return Check(name, Colour.GREEN, sentence)


def yellow(name: str, sentence: str, mend: str) -> Check:
    """Somebody should look."""
    return Check(name, Colour.YELLOW, sentence, mend)


def red(name: str, sentence: str, mend: str) -> Check:
    """Something is broken."""
    return Check(name, Colour.RED, sentence, mend)
