"""A right-to-left language that only tests have: every sentence in Arabic letters, which say nothing.

Each letter of the English sentence becomes one Arabic letter, so the words have about the length of real ones, and a
sentence that was not translated is seen at once. What is no sentence stays: placeholders, tags, addresses.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from campaign import i18n
from campaign.services.petitions.file_schema import PetitionFile

ARABIC = "ar"
_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ابثدهفغحيجكلمنوپقرستعڤوخيز")
_KEPT = re.compile(r"(%\(\w+\)s|\{\w+\}|<[^>]*>|https?://[^\s)]+|\S+@\S+)")
_PLURAL_FORMS = 6


def in_arabic(sentence: str) -> str:
    """The sentence in Arabic letters."""
    pieces = _KEPT.split(sentence)
    return "".join(piece if number % 2 else piece.lower().translate(_LETTERS) for number, piece in enumerate(pieces))


@contextmanager
def arabic_known(folder: Path) -> Iterator[None]:
    """Have the language among those of pages and mails, for a while; ``folder`` holds the catalogues meanwhile."""
    shutil.copytree(i18n.CATALOGUES, folder, dirs_exist_ok=True)
    with (folder / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        known = read_po(file, locale="ru")
    made = Catalog(locale=ARABIC)
    for message in known:
        if isinstance(message.id, (tuple, list)):
            made.add(tuple(message.id), (in_arabic(message.id[-1]),) * _PLURAL_FORMS, flags=message.flags)
        elif message.id:
            made.add(message.id, in_arabic(message.id), flags=message.flags)
    target = folder / ARABIC / "LC_MESSAGES" / "messages.po"
    target.parent.mkdir(parents=True)
    with target.open("wb") as file:
        write_po(file, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(i18n, "CATALOGUES", folder)
        _forget_catalogues()
        yield
    _forget_catalogues()


def _forget_catalogues() -> None:
    for read in (i18n.available_languages, i18n.catalogue, i18n._sentences):
        read.cache_clear()


def petition_in_arabic(file: PetitionFile) -> PetitionFile:
    """The same petition, with every text in Arabic letters too."""
    values = _with_arabic(file.model_dump())
    return PetitionFile.model_validate({**values, "languages": [*file.languages, ARABIC]})


def _with_arabic(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_arabic(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("en"), str):
        return {**value, ARABIC: in_arabic(value["en"])}
    return {key: _with_arabic(item) for key, item in value.items()}
