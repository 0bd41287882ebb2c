"""The schema of a campaign file: a petition's settings, and its texts in every language. Unknown keys are refused."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from datetime import time as time_of_day
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from campaign.crypto.organizer_keys import PublicKeys
from campaign.crypto.recipient_sealing import MOST_RECIPIENTS, seal_to
from campaign.errors import OrganizerKeyError
from campaign.services.petitions.file_parts import (
    Day,
    DemandTexts,
    LongText,
    Look,
    Part,
    Sender,
    ShortText,
    Slug,
    SourceTexts,
    Subject,
    TimelineTexts,
    TimeOfDay,
)
from campaign.text.markdown import render_markdown, render_text
from campaign.text.placeholders import check_placeholders, check_unreserved


class UpdateTexts(Part):
    key: Slug
    date: Day
    title: dict[str, ShortText]
    body: dict[str, LongText]

    @model_validator(mode="after")
    def _only_our_placeholders(self) -> Self:
        _check_words(f"“{self.key}”: title", self.title)
        _check_words(f"“{self.key}”: body", self.body, markdown=True)
        return self


class DigestPlan(Part):
    """When digests go out: weekly on ``weekday``, or monthly on ``day_of_month``.

    ``approval``: a second organizer approves each edition. ``cool_down``: minutes in which it can still be cancelled.
    ``window``: the only hours in which mails are sent, in the petition's timezone.
    """

    frequency: Literal["weekly", "monthly"] = "weekly"
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "friday"
    day_of_month: Annotated[int, Field(ge=1, le=31)] = 1
    time: TimeOfDay = time_of_day(10)
    approval: bool = False
    cool_down: Annotated[int, Field(ge=0, le=10_080)] = 0
    window: str | None = None

    @field_validator("time")
    @classmethod
    def _in_the_timezone_of_the_petition(cls, value: time_of_day) -> time_of_day:
        if value.tzinfo is not None:
            raise ValueError("is in the petition's timezone; write it without one, like 10:00")
        return value

    @field_validator("window")
    @classmethod
    def _two_times_of_day(cls, value: str | None) -> str | None:
        clock = r"([01]\d|2[0-3]):[0-5]\d"
        if value is not None and not re.fullmatch(f"{clock}-{clock}", value):
            raise ValueError("must be two times of day, like 08:00-20:00")
        if value is not None and len(set(value.split("-"))) == 1:
            raise ValueError("begins and ends at the same time; leave it out if mails may go at any time")
        return value

    @property
    def window_times(self) -> tuple[time_of_day | None, time_of_day | None]:
        """When the send window opens and closes; it may reach over midnight. Both are None if there is no window."""
        if self.window is None:
            return None, None
        opens, closes = map(time_of_day.fromisoformat, self.window.split("-"))
        return opens, closes


class PetitionFile(Part):
    """The content of a campaign file. Every text is there in each of the ``languages``."""

    slug: Slug
    languages: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")]], Field(min_length=1)
    ]
    timezone: str
    goal: Annotated[int, Field(gt=0, le=1_000_000_000)]
    milestones: list[Annotated[int, Field(gt=0)]] = Field(default_factory=list)
    goal_steps: list[Annotated[int, Field(gt=0)]] = Field(default_factory=list)
    closes: datetime | None = None
    related: Annotated[list[Slug], Field(max_length=20)] = Field(default_factory=list)
    look: Look = Look()
    challenge: bool | None = None
    title: dict[str, ShortText]
    addressee: dict[str, ShortText]
    summary: dict[str, ShortText]
    call: dict[str, LongText]
    risk_note: dict[str, LongText]
    sender: dict[str, Sender]
    confirmation_subject: dict[str, Subject]
    source: SourceTexts
    digest: DigestPlan = DigestPlan()
    sealed_to: Annotated[list[str], Field(max_length=MOST_RECIPIENTS)] = Field(default_factory=list)
    export_needs_approval: bool = False
    shows_names: bool = True
    indexes_names: bool = False
    confirmation_names_petition: bool = False
    demands: Annotated[list[DemandTexts], Field(min_length=1, max_length=50)]
    timeline: list[TimelineTexts] = Field(default_factory=list)
    updates: list[UpdateTexts] = Field(default_factory=list)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # “Europe” is a folder of them
            raise ValueError("is not the name of a timezone, like Asia/Almaty") from None
        return value

    @field_validator("closes", mode="before")
    @classmethod
    def _end_of_the_day(cls, value: object) -> object:
        """A day without a time means its end: people can sign on the whole day."""
        if isinstance(value, int | float):
            raise ValueError("is a number; write a day like 2027-01-31")  # noqa: TRY004 (pydantic)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.strip()) if ":" in value else date.fromisoformat(value.strip())
            except ValueError:
                raise ValueError("should be a day like 2027-01-31, or a time like 2027-01-31T18:00:00") from None
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime.combine(value, time_of_day.max)
        return value

    @field_validator("closes")
    @classmethod
    def _on_the_clock_of_the_petition(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError(
                "is in the petition's timezone; write it without one, like 2027-01-31 or 2027-01-31T18:00:00"
            )
        return value

    @field_validator("sealed_to")
    @classmethod
    def _public_keys(cls, lines: list[str]) -> list[str]:
        try:
            keys = [PublicKeys.read(line) for line in lines]
        except OrganizerKeyError as error:
            raise ValueError(f"cannot be used: {error.sentence.removesuffix('.')}") from None
        try:
            seal_to(keys, b"", row="")
        except ValueError:  # some points of the curve open nothing (RFC 7748 §6.1); refused here, not at each signature
            raise ValueError("has a key to which nothing can be sealed") from None
        distinct = list(dict.fromkeys(key.line for key in keys))
        if len(distinct) != len(keys):
            raise ValueError("names the same organizer's key twice")
        return distinct

    @field_validator("demands", "updates")
    @classmethod
    def _distinct_keys(cls, parts: list[Any]) -> list[Any]:
        keys = [part.key for part in parts]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"uses the key “{key}” twice")
        return parts

    @model_validator(mode="after")
    def _steps_to_the_goal(self) -> Self:
        if any(step >= self.goal for step in self.goal_steps):
            raise ValueError("goal_steps: each is below the goal, which is the last of them")
        return self

    @model_validator(mode="after")
    def _every_language(self) -> Self:
        check_languages(self, self.languages)
        return self

    @model_validator(mode="after")
    def _only_our_placeholders(self) -> Self:
        _check_words("call", self.call, markdown=True)
        for language, title in self.title.items():
            _check("title", language, check_unreserved, title)
        return self


class UpdateFile(UpdateTexts):
    """A file with one update."""


def _check_words(place: str, texts: dict[str, str], *, markdown: bool = False) -> None:
    """Raise ValueError with the name of the first text whose placeholders cannot be filled in."""
    for language, text in texts.items():
        _check(place, language, check_placeholders, text)
        # Marks of Markdown can hide a reserved word, so the result is checked.
        for shown in (render_markdown(text), render_text(text)) if markdown else (text,):
            _check(place, language, check_unreserved, shown)


def _check(place: str, language: str, check: Callable[[str], None], text: str) -> None:
    try:
        check(text)
    except ValueError as error:
        raise ValueError(f"{place} in “{language}” {error}") from None


def check_languages(part: object, languages: list[str], place: str = "") -> None:
    """Raise ValueError with the name of the first text in ``part`` that lacks a language, or has another one."""
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            check_languages(getattr(part, name), languages, f"{place}.{name}" if place else name)
    elif isinstance(part, list):
        for position, item in enumerate(part, 1):
            check_languages(item, languages, f"{place}[{position}]")
    elif isinstance(part, Mapping):
        for language in languages:
            if language not in part:
                raise ValueError(f"{place}: the language “{language}” is missing")
        for language in part:
            if language not in languages:
                raise ValueError(f"{place}: the language “{language}” is not among the petition's languages")
