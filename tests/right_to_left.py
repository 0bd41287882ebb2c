"""A language that is written from right to left, for tests alone: a catalogue of a few words, a petition in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from campaign import languages
from campaign.services.petition_file import PetitionFile
from campaign.services.reading_files import read_petition_file
from campaign.supervisor import BUILT_IN

ARABIC = "ar"
HEADING = "وقّعوا"
_TITLE = "الحرية لعمال كازاخستان"
_CATALOGUE = f"""\
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Sign the petition"
msgstr "{HEADING}"

msgid "Name"
msgstr "الاسم"
"""


@contextmanager
def arabic(folder: Path) -> Iterator[None]:
    """The pages and mails are in Arabic too, for as long as this lasts: hardly a sentence is translated."""
    catalogues = folder / "translations"
    shutil.copytree(languages.CATALOGUES, catalogues)
    file = catalogues / ARABIC / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_text(_CATALOGUE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "CATALOGUES", catalogues)
        _forget()
        yield
    _forget()


def _forget() -> None:
    for kept in (languages.available_languages, languages.catalogue, languages._sentences):
        kept.cache_clear()


def arabic_petition() -> PetitionFile:
    """The built-in campaign in English and Arabic, each Arabic text has a title in the place of the first words."""
    whole = read_petition_file(BUILT_IN).model_dump(mode="json", exclude_none=True)
    return PetitionFile.model_validate(_with_arabic({**whole, "languages": ["en", ARABIC]}))


def _with_arabic(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_arabic(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "en" in part and set(part) <= {"en", "ru", "kk"}:
        return {"en": part["en"], ARABIC: _TITLE + part["en"][len(_TITLE) :]}
    return {name: _with_arabic(each) for name, each in part.items()}
