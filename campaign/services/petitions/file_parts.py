"""The parts of a campaign file: its kinds of texts, and the smaller tables."""

import re
from datetime import date, time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, field_validator

from campaign.media.colours import Colour

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
# No mail and no page can have these: control characters, surrogates, and marks that change the direction of a text.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def _printable(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise ValueError("has a character that cannot be shown")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be one line")
    return _printable(text)


def _no_number(value: object) -> object:
    """The library would read a number as seconds: 10 as ten seconds past midnight, 2027 as a day of 1970."""
    if isinstance(value, int | float):
        raise ValueError("is a number; write a day like 2027-01-31, a time like 10:00")  # noqa: TRY004 (pydantic)
    return value


Day = Annotated[date, BeforeValidator(_no_number)]
TimeOfDay = Annotated[time, BeforeValidator(_no_number)]
_Line = AfterValidator(_one_line)
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), _Line]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(_printable)
]
Sender = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^<>@]+$"), _Line
]
Subject = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), _Line]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Part(BaseModel):
    """A table of a campaign file. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceTexts(Part):
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)]
    text: dict[str, ShortText]


class DemandTexts(Part):
    key: Slug
    title: dict[str, ShortText]
    text: dict[str, LongText]


class TimelineTexts(Part):
    date: Day
    text: dict[str, LongText]


class PictureTexts(Part):
    """A picture file beside the campaign file, and in each language its description for people who do not see it."""

    file: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    alt: dict[str, ShortText]


class Look(Part):
    """The look of a petition's page: a colour, a picture, a logo."""

    colour: str | None = None
    picture: PictureTexts | None = None
    logo: PictureTexts | None = None

    @field_validator("colour")
    @classmethod
    def _known_colour(cls, value: str | None) -> str | None:
        return None if value is None else str(Colour.read(value))
