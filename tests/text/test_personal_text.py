"""Names and comments: every script passes, and what forges or advertises is refused."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import InvalidInput
from campaign.text.personal_text import clean_comment, clean_name, initials_of

NAMES = [
    "Aigerim Serikova",
    "Әйгерім Серікқызы Нұрланова",
    "Sukarno",
    "Ο",
    "王小明",
    "김철수",
    "山田 太郎",
    "محمد بن سلمان",
    "مریم\u200cسادات",
    "שרה כהן",
    "ราชวงศ์ สุขสันต์",
    "நாராயணன்",
    "ශ්\u200dරී",
    "अनिता शर्मा",
    "Nguyễn Thị Ánh Tuyết",
    "O’Connor-Smith",
    "D'Arcy",
    "J.R.R. Tolkien",
    "Md.Rahman",
    "Jean‑Luc",
    "Łukasz Żółć",
    "ʻAnaʻina",
    "ǃxóõ",
    "Ֆիդան",
    "ᠮᠣᠩᠭᠣᠯ",
    "Ndiaye 3rd",
    "Anne (Nan) Clark",
    "X Æ A-12",
]
INVISIBLE = (
    [chr(point) for point in (*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x200E, 0x200F, 0x061C)]
    + list("\u200b\ufeff\u00ad\u180e\u3164\ufffc\U0001d173\U000e0001\U000e0041\U000e007f")
)  # fmt: skip
LINE_ENDS = list("\r\n\x85\u2028\u2029")
UNREADABLE = list("\0\x0b\x1b\x7f\ufffd\ue000\uffff\ufdd0\ud800\U0001fffe")
# Newer than the Unicode table of some Pythons that we support, or not yet a character at all.
EMOJI = ["🩷", "\U0001fae9", "\U0001faff", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
         "👩\u200d👩\u200d👧", "❤\ufe0f", "🇰🇿", "👍🏽"]  # fmt: skip
ADVERTISEMENTS = [
    "http://spam.example",
    "https://x.y",
    "buy at www.spam.example",
    "spam.com",
    "Best-Pills.RU",
    "visit spam.kz now",
    "қазына.қаз",
    "spam.biz/cheap",
    "bit.ly/x1",
    "example.org.",
    "j.de",
    "vk.Com",
    "t.me/x",
    "Sweets.Link",
    "A1.Live",
    "U.Win spam.kz",
]
ZALGO = "A" + "\u0301\u0316\u0317\u0318\u0319\u031c\u031d\u031e" + "igul"


def refusal(clean: Callable[[str], object], typed: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        clean(typed)
    return refused.value


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_script_pass(name: str) -> None:
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Aigerim   Serikova ", "Aigerim Serikova"),
        ("\u00a0Aigerim\u00a0Serikova\t", "Aigerim Serikova"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("Aigerim\u3000Serikova", "Aigerim Serikova"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_kept_composed_and_with_single_spaces(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
def test_what_nobody_sees_is_taken_out(character: str) -> None:
    assert clean_name(f"{character}Aigerim Seri{character}kova {character}") == "Aigerim Serikova"
    assert clean_comment(f"{character}Arbeit{character}geber\n{character}") == "Arbeitgeber"


@pytest.mark.parametrize("character", [*LINE_ENDS, *UNREADABLE], ids=ascii)
def test_line_ends_and_control_characters_are_refused_in_a_name(character: str) -> None:
    assert "unreadable" in refusal(clean_name, f"Aigerim{character}Serikova").sentence


@pytest.mark.parametrize("character", UNREADABLE, ids=ascii)
def test_a_comment_has_lines_and_no_other_control_characters(character: str) -> None:
    assert clean_comment("One\r\ntwo\rthree\n\tfour\u2028five") == "One\ntwo\nthree\n\tfour\nfive"
    assert "unreadable" in refusal(clean_comment, f"One{character}two").sentence


@pytest.mark.parametrize("emoji", EMOJI, ids=ascii)
def test_a_comment_may_have_any_emoji_of_whatever_year(emoji: str) -> None:
    assert clean_comment(f"Solidarity {emoji}!") == f"Solidarity {emoji}!"


def test_a_joiner_that_joins_nothing_is_taken_out() -> None:
    assert clean_name("\u200dAnna \u200cB\u200d.\u200d\u200c") == "Anna B\u200d.\u200d"
    assert refusal(clean_name, "\u200d\u200c").sentence == "Please type your name."


@pytest.mark.parametrize(
    "name", ["J.de Boer", "A.B.de Boer", "U.Win Tin", "Dr.Pro", "Prof.Page", "S.Dev", "L.By", "Ng.Co"]
)
def test_a_full_stop_in_a_name_makes_no_web_address(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize("typed", ADVERTISEMENTS)
def test_web_addresses_are_refused(typed: str) -> None:
    assert "web address" in refusal(clean_name, typed).sentence


@pytest.mark.parametrize("clean", [clean_name, clean_comment])
def test_letters_with_a_tower_of_marks_are_refused(clean: Callable[[str], object]) -> None:
    assert "too many accents" in refusal(clean, ZALGO).sentence


@pytest.mark.parametrize("typed", ["", "   ", "\u00a0", "123", "!!!", "😀", "--", "\u0301"])
def test_a_name_without_a_letter_is_refused(typed: str) -> None:
    assert refusal(clean_name, typed).field == "name"


@pytest.mark.parametrize(
    ("clean", "field", "most"),
    [(clean_name, "name", 100), (clean_comment, "comment", 1000)],
)
def test_what_is_too_long_is_refused(clean: Callable[[str], object], field: str, most: int) -> None:
    assert clean("x" * most) == "x" * most
    refused = refusal(clean, "x" * (most + 1))
    assert refused.field == field
    assert "too long" in refused.sentence


@pytest.mark.parametrize("typed", ["", "  ", "\u00a0"])
def test_a_comment_may_be_left_out(typed: str) -> None:
    assert clean_comment(typed) is None


@given(st.text(max_size=120))
def test_what_is_kept_of_any_text_is_one_printable_line(typed: str) -> None:
    try:
        name = clean_name(typed)
    except InvalidInput:
        return
    assert name.splitlines() == [name]
    assert name == clean_name(name) == " ".join(name.split())
    assert not any(unicodedata.category(each) in {"Cc", "Cs", "Co", "Zl", "Zp"} for each in name)


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Aigerim Serikova", "A. S."),
        ("aigerim", "A."),
        ("Jean-Luc d'Artagnan", "J.-L. D."),
        ("Әсия Қасымова", "Ә. Қ."),
        ("王小明", "王."),
        ("मोहन क्षितिज", "मो. क्षि."),
        ("გიორგი", "გ."),
        ("ßo 3 «Őz»", "ß. Ő."),
        ("Z" + "\u0323\u0302" + "oe", "Z\u0323\u0302."),
    ],
)
def test_initials_are_the_first_letters_as_readers_see_them(name: str, initials: str) -> None:
    assert initials_of(name) == initials


@given(st.text(max_size=60))
def test_every_name_has_initials_and_they_are_shorter(typed: str) -> None:
    try:
        name = clean_name(typed)
    except InvalidInput:
        return
    assert initials_of(name)
    assert len(initials_of(name)) <= 2 * len(name)
