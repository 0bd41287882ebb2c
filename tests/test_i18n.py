"""Languages: sentences, plurals, numbers, dates and countries as each reader knows them."""

import datetime as dt
import re

import pytest
from babel.messages.pofile import read_po

from campaign.i18n import CATALOGUES, Language, available_languages, catalogue, find_country

PLACEHOLDER = re.compile(r"%\(\w+\)s")


def test_the_languages_are_english_and_every_catalogue() -> None:
    assert available_languages() == ("en", "kk", "ru")


@pytest.mark.parametrize("code", [code for code in available_languages() if code != "en"])
def test_a_catalogue_is_whole_and_keeps_every_placeholder(code: str) -> None:
    with (CATALOGUES / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        messages = [message for message in read_po(file, locale=code) if message.id]
    assert len(messages) > 20
    for message in messages:
        sources = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        translations = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        wanted = set(PLACEHOLDER.findall(sources[-1]))
        for translation in translations:
            assert translation, message.id
            assert set(PLACEHOLDER.findall(str(translation))) == wanted, message.id


@pytest.mark.parametrize(
    ("code", "number", "percent", "date"),
    [
        ("en", "12,345", "12%", "16 December 2011"),
        ("ru", "12\u00a0345", "12\u00a0%", "16 декабря 2011\u202fг."),
        ("kk", "12\u00a0345", "12%", "2011 ж. 16 желтоқсан"),
    ],
)
def test_numbers_and_dates_read_as_in_the_language(code: str, number: str, percent: str, date: str) -> None:
    def plain(text: str) -> str:
        return text.replace("\u202f", " ").replace("\u00a0", " ")

    language = Language(code)
    assert plain(language.number(12345)) == plain(number)
    assert plain(language.percent(0.12)) == plain(percent)
    assert plain(language.date(dt.date(2011, 12, 16))) == plain(date)
    assert language.iso_date("2011-12-16") == language.date(dt.date(2011, 12, 16))


@pytest.mark.parametrize(("count", "like"), [(21, 1), (22, 2), (4, 2), (11, 5), (112, 5), (0, 5)])
def test_russian_has_three_plural_forms(count: int, like: int) -> None:
    def form(number: int) -> str:
        return Language("ru").ngettext("%(number)s new signature", "%(number)s new signatures", number)

    assert len({form(1), form(2), form(5)}) == 3
    assert form(count) == form(like)


@pytest.mark.parametrize(("code", "name"), [("en", "English"), ("ru", "Русский"), ("kk", "Қазақ тілі")])
def test_a_language_is_called_by_its_own_name(code: str, name: str) -> None:
    assert Language(code).own_name == name


def test_direction_is_the_scripts() -> None:
    assert [Language(code).direction for code in ("en", "ar", "kk")] == ["ltr", "rtl", "ltr"]


def test_a_sentence_that_is_missing_stays_english() -> None:
    assert Language("kk").gettext("No such sentence anywhere") == "No such sentence anywhere"
    assert catalogue("xx").gettext("Hello,") == "Hello,"
    assert Language("ru").gettext("Hello,") != "Hello,"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("DE", "DE"),
        (" de ", "DE"),
        ("Germany", "DE"),
        ("Германия", "DE"),
        ("Қазақстан", "KZ"),
        ("KAZAKHSTAN", "KZ"),
        ("Atlantis", None),
        ("ZZ", None),
        ("EU", None),
        ("", None),
        ("001", None),
    ],
)
def test_a_country_is_found_by_code_or_name_in_any_language(typed: str, code: str | None) -> None:
    assert find_country(typed) == code


@pytest.mark.parametrize("code", available_languages())
def test_every_country_of_the_world_is_offered_once_and_nothing_else(code: str) -> None:
    countries = Language(code).countries()
    assert {"KZ", "DE", "RU", "US", "TR", "XK"} <= set(countries)
    assert not {"EU", "UN", "ZZ", "QO", "XA"} & set(countries)
    assert len(set(countries.values())) == len(countries) > 240
    assert set(countries) == set(Language("en").countries())


# Words of each language's dictionaries, and countries as CLDR names them, in the order in which readers look them up.
IN_ORDER = {
    "kk": "Австрия Алжир Әзербайжан Белорусь Габон Ғана Ел Ёлка Жапония Ирак Йемен Кипр Қазақстан Қытай Литва Норвегия "
    "Ңа Оман Өзбекстан Уганда Ұлыбритания Үндістан Франция Хорватия Һа Цейлон Ыстық Ірі Эфиопия Ямайка",
    "ru": "Австрия Ёж Ёлка Ель Зимбабве Израиль Йемен Казахстан Эфиопия Ямайка",
    "en": "Åland Albania Costa Côte Croatia Türkiye Turks Tuvalu Uganda Zimbabwe",
    "de": "Ägypten Albanien Österreich Panama Zypern",
}


@pytest.mark.parametrize("code", IN_ORDER)
def test_words_are_sorted_as_the_dictionaries_of_the_language_sort_them(code: str) -> None:
    words = IN_ORDER[code].split()
    by_code_point = sorted(words)
    assert by_code_point != words
    assert sorted(by_code_point, key=Language(code).sort_key) == words


def test_a_reader_finds_a_country_where_the_own_alphabet_has_it() -> None:
    kazakh = list(Language("kk").countries().values())
    assert kazakh.index("Қазақстан") < kazakh.index("Латвия")
    assert kazakh[-1].startswith("Я")
    english = list(Language("en").countries().values())
    assert english.index("Côte d’Ivoire") == english.index("Costa Rica") + 1
    assert [name for name in english if name.startswith("Å")] == english[1:2]


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (12 / 10_000, "<1%"), (0.01, "1%"), (0.305, "30%"), (0.9966, ">99%"), (1, "100%")],
)
def test_few_people_are_not_zero_percent_and_nearly_all_are_not_all(share: float, shown: str) -> None:
    assert Language("en").percent(share) == shown
    assert Language("ru").percent(share).replace("\u00a0", "") == shown


@pytest.mark.parametrize("typed", ["kz", " KZ. ", "Казахстан\u200b", "\u200eҚазақстан", "kazakhstan\u00a0"])
def test_a_country_is_found_however_it_was_pasted(typed: str) -> None:
    assert find_country(typed) == "KZ"
