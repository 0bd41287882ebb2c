"""The result of one check of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """Green: correct, or nothing to check. Yellow: a person should look at it. Red: something fails."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Check:
    """One result: ``name`` says what was checked, ``sentence`` its condition, ``fix`` what to do if it is not green."""

    name: str
    colour: Colour
    sentence: str
    fix: str = ""


def green(name: str, sentence: str) -> Check:
    """A check that found no problem."""
    return Check(name, Colour.GREEN, sentence)


def yellow(name: str, sentence: str, fix: str) -> Check:
    """A check that found something for a person to look at."""
    return Check(name, Colour.YELLOW, sentence, fix)


def red(name: str, sentence: str, fix: str) -> Check:
    """A check that found something broken."""
    return Check(name, Colour.RED, sentence, fix)
