"""A small campaign file, whole and valid, in which a test changes what it is about."""

from pathlib import Path

from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.file_schema import PetitionFile

SMALL = """\
slug = "small"
languages = ["en", "ru"]
timezone = "Asia/Almaty"
goal = 100
milestones = [50, 10]

[title]
en = "Title"
ru = "Название"

[addressee]
en = "To the government"
ru = "Правительству"

[summary]
en = "In short"
ru = "Коротко"

[call]
en = "The call"
ru = "Призыв"

[risk_note]
en = "The risk"
ru = "Риск"

[sender]
en = "Sender"
ru = "Служба"

[confirmation_subject]
en = "Please confirm"
ru = "Подтвердите"

[source]
url = "https://example.org/"

[source.text]
en = "The source"
ru = "Источник"

[digest]
weekday = "friday"
time = "10:00"

[[demands]]
key = "first"
[demands.title]
en = "First demand"
ru = "Первое"
[demands.text]
en = "Do this."
ru = "Сделайте это."

[[demands]]
key = "second"
[demands.title]
en = "Second demand"
ru = "Второе"
[demands.text]
en = "Do that."
ru = "Сделайте то."

[[updates]]
key = "news"
date = 2026-11-01
[updates.title]
en = "News"
ru = "Новости"
[updates.body]
en = "Something happened."
ru = "Что-то произошло."
"""

UPDATE = """\
key = "later"
date = 2026-11-20
[title]
en = "Later"
ru = "Позже"
[body]
en = "More happened."
ru = "Произошло ещё."
"""


def write(folder: Path, *changes: tuple[str, str], content: str = SMALL) -> Path:
    """The file with each ``(old, new)`` replaced once; a change that finds nothing is a mistake of the test."""
    for old, new in changes:
        assert old in content, old
        content = content.replace(old, new, 1)
    path = folder / "small.toml"
    path.write_text(content, encoding="utf-8")
    return path


def read(folder: Path, *changes: tuple[str, str]) -> PetitionFile:
    """The same, read."""
    return read_petition_file(write(folder, *changes))
