"""Translations: every sentence of code and templates stands in every language of the built-in campaign."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from campaign.i18n import CATALOGUES, SOURCE_LANGUAGE, available_languages
from campaign.run.supervisor import BUILT_IN
from campaign.services.petitions.file_reader import read_petition_file

ROOT = Path(__file__).parents[2]
LANGUAGES = [language for language in read_petition_file(BUILT_IN).languages if language != SOURCE_LANGUAGE]
Id = str | tuple[str, ...]
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@cache
def _catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def _extracted() -> dict[Id, str]:
    """Each sentence that the program says → the file where it stands; what ``pybabel extract`` finds."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(ROOT, methods, options, keywords={**DEFAULT_KEYWORDS, "N_": None})
    return {tuple(sentence) if isinstance(sentence, tuple) else sentence: file for file, _, sentence, *_ in found}


def _messages(language: str) -> Iterator[Message]:
    return (message for message in _catalogue(language) if message.id)


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def _sources(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def test_the_built_in_campaign_is_in_english_russian_and_kazakh() -> None:
    assert read_petition_file(BUILT_IN).languages == ["en", "ru", "kk"]
    assert set(LANGUAGES) <= set(available_languages())


@pytest.mark.parametrize(
    "sentence",
    ["Please type your name.", "Sign the petition", "There is nothing here", "The link works for three days."],
)
def test_sentences_of_services_pages_errors_and_mails_are_found(sentence: str) -> None:
    assert sentence in _extracted()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_every_sentence_that_the_program_says(language: str) -> None:
    known = {message.id if isinstance(message.id, str) else tuple(message.id) for message in _messages(language)}
    assert {sentence: file for sentence, file in _extracted().items() if sentence not in known} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_left_empty_or_only_guessed(language: str) -> None:
    plurals = _catalogue(language).num_plurals
    unfinished = [
        message.id
        for message in _messages(language)
        if message.fuzzy
        or not all(form.strip() for form in _forms(message))
        or len(_forms(message)) != (plurals if message.pluralizable else 1)
    ]
    assert unfinished == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_english_still(language: str) -> None:
    """Words that are the same in every language stand in none of our sentences."""
    same = [message.id for message in _messages(language) if set(_forms(message)) & set(_sources(message))]
    assert same == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_has_the_placeholders_of_its_source(language: str) -> None:
    """The forms of “one” too: in Russian they are for 21 and 31 as well."""
    different = [
        (message.id, form)
        for message in _messages(language)
        for form in _forms(message)
        if sorted(set(_PLACEHOLDER.findall(form))) != sorted(set(_PLACEHOLDER.findall(_sources(message)[-1])))
    ]
    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_babel_itself_finds_no_mistake_in_the_catalogue(language: str) -> None:
    assert [(message.id, mistakes) for message, mistakes in _catalogue(language).check()] == []
