"""Languages: catalogues of translated sentences, plural forms, numbers, dates and names of countries.

The catalogues are read from the ``.po`` files, so nothing has to be compiled, and no compiled file can be out of date.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

CATALOGUES = Path(__file__).parent / "translations"
TEMPLATES = Path(__file__).parent.parent / "templates"
SOURCE_LANGUAGE = "en"
# Dates in our English texts have the form "16 December 2011".
_LOCALES = {"en": "en_GB"}
# The letters of an alphabet in the order of its dictionaries, where code points or letters without accents are in
# another order. Kazakh has all 42 letters of its Cyrillic alphabet; in Russian, ё is sorted as е.
_ALPHABETS = {
    "kk": "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя",
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
}


@cache
def available_languages() -> tuple[str, ...]:
    """The codes of the languages for pages and mails: the source language and the language of every catalogue."""
    return (SOURCE_LANGUAGE, *sorted(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.po")))


@cache
def catalogue(language: str) -> NullTranslations:
    """The translated sentences of ``language``; a sentence without a translation stays English."""
    path = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
    if language == SOURCE_LANGUAGE or not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def _sentences(language: str) -> tuple[frozenset[object], frozenset[object]]:
    """All sentences in the catalogue of ``language``, and those of them that are translated."""
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        listed = [message for message in read_po(file, locale=language) if message.id]
    whole = [message for message in listed if not message.fuzzy and _is_filled_in(message.string)]
    listed_ids, whole_ids = (frozenset(message.id for message in messages) for messages in (listed, whole))
    return listed_ids, whole_ids


def _is_filled_in(translation: object) -> bool:
    return all(translation) if isinstance(translation, (tuple, list)) else bool(translation)


def count_missing(language: str) -> int:
    """The number of sentences that readers of ``language`` see in English.

    These are the sentences in any catalogue that this catalogue does not translate.
    """
    if language == SOURCE_LANGUAGE:
        return 0
    others = (code for code in available_languages() if code != SOURCE_LANGUAGE)
    known: frozenset[object] = frozenset().union(*(_sentences(code)[0] for code in others))
    return len(known - _sentences(language)[1])


@dataclass(frozen=True)
class Language:
    """One language as a template uses it."""

    code: str

    @property
    def locale(self) -> Locale:
        return Locale.parse(_LOCALES.get(self.code, self.code))

    @property
    def direction(self) -> str:
        return self.locale.text_direction

    @property
    def own_name(self) -> str:
        """The language's name in the language itself, by which its readers find it."""
        return (Locale.parse(self.code).get_display_name() or self.code).capitalize()

    def name_of(self, code: str) -> str:
        """The name of another language in this language, with a capital letter."""
        try:
            name = Locale.parse(code, sep="-").get_display_name(self.locale) or code
        except UnknownLocaleError:  # a petition file may contain any code
            name = code
        return name[:1].upper() + name[1:]

    def gettext(self, sentence: str) -> str:
        return catalogue(self.code).gettext(sentence)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return catalogue(self.code).ngettext(one, many, count)

    def number(self, value: int) -> str:
        return format_decimal(value, locale=self.locale)

    def percent(self, share: float) -> str:
        """A share as whole percent. A small one is “<1%” and never 0%, and one that lacks little “>99%”, not 100%."""
        if 0 < share < 0.01:
            return f"<{format_percent(0.01, locale=self.locale)}"
        if 0.99 < share < 1:
            return f">{format_percent(0.99, locale=self.locale)}"
        return format_percent(share, locale=self.locale)

    def small_percent(self, share: float) -> str:
        """A share as percent with two decimals, for small shares."""
        return format_percent(share, format="#,##0.00%", locale=self.locale, decimal_quantization=True)

    def date(self, day: dt.date) -> str:
        return format_date(day, "long", locale=self.locale)

    def iso_date(self, day: str) -> str:
        """The date of a day that is stored as text, like ``2022-01-02``."""
        return self.date(dt.date.fromisoformat(day))

    def city(self, timezone: str) -> str:
        """The city by which people know a timezone: “Алматы” for Asia/Almaty."""
        return get_timezone_location(timezone, locale=self.locale, return_city=True)

    def sort_key(self, words: str) -> tuple[object, ...]:
        """A key that sorts words as a dictionary of this language does: by its alphabet, without regard to case.

        A letter that the alphabet lacks stands where it stands without its accents: Åland among A, Côte among Co.
        """
        text = unicodedata.normalize("NFC", words).casefold()
        return tuple(self._places(text)), text

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        alphabet = _ALPHABETS.get(self.code, "")
        for character in text:
            letter = character if character in alphabet else unicodedata.normalize("NFD", character)[0]
            if letter in alphabet:
                yield 1, alphabet.index(letter)
            elif letter.isalpha():
                yield 2, ord(letter)
            elif letter not in "'’ʼ":  # an apostrophe is no gap between words
                yield 0, ord(letter)

    def countries(self) -> Mapping[str, str]:
        """ISO 3166 code → name, sorted by name as this language sorts."""
        return _countries(self.code)


@cache
def _countries(code: str) -> Mapping[str, str]:
    names = Locale.parse(code).territories
    real = {key: name for key, name in names.items() if len(key) == 2 and key.isalpha() and key not in _NOT_COUNTRIES}
    return dict(sorted(real.items(), key=lambda item: Language(code).sort_key(item[1])))


# CLDR's groupings, pseudo-regions and codes without residents of their own.
_NOT_COUNTRIES = {
    "EU",
    "EZ",
    "UN",
    "QO",
    "XA",
    "XB",
    "ZZ",
    "AC",
    "CP",
    "CQ",
    "DG",
    "EA",
    "IC",
    "TA",
    "BV",
    "HM",
    "AQ",
    "TF",
    "UM",
    "GS",
}


def find_country(typed: str) -> str | None:
    """The ISO 3166 code for a code or for a country's name in any of our languages; None if there is none."""
    plain = "".join(letter for letter in unicodedata.normalize("NFC", typed) if unicodedata.category(letter) != "Cf")
    wanted = plain.strip(" \t\r\n\xa0.").casefold()
    for language in available_languages():
        for code, name in _countries(language).items():
            if wanted in (code.casefold(), name.casefold()):
                return code
    return None


def templates(folder: str) -> Environment:
    """A Jinja environment for ``templates/<folder>``. Its sentences are marked for translation with ``_()``."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES / folder),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
