"""Documents: what people write is data, whatever it looks like; nothing is set twice, and one thing at a time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.media import pdf as media_pdf
from campaign.media.colours import DARK, WHITE, colour_of, ink_on
from campaign.media.pdf import Format, PrintCache, typeset
from campaign.media.qr_codes import qr_svg
from tests.scenes.printed import read_pdf, read_png, squeeze

KAZAKH = "әғқңөұүһі ӘҒҚҢӨҰҮҺІ"
PICTURE = {
    "language": "kk",
    "colour": "#8f1d2c",
    "ink": "#ffffff",
    "addressee": "To: you",
    "title": "T",
    "count": "C",
    "host": "h",
}
POSTER = {
    **PICTURE,
    "heading": "We demand",
    "demands": ["One", "Two"],
    "invitation": "Sign",
    "address": "https://petition.example.org/en/p/x",
    "qr": qr_svg("https://petition.example.org/en/p/x"),
}
MARKUP = '#panic("x") *bold* _it_ $x^2$ @ref <label> `raw` = Head \\ // no /* no */ #sys.inputs #image("/etc/passwd")'


def test_a_picture_is_of_the_size_that_services_ask_for_and_in_the_petitions_colour() -> None:
    picture = read_png(typeset("picture", Format.PNG, PICTURE))
    assert (picture.width, picture.height) == (1200, 630)
    assert picture.pixels[620][1190] == picture.pixels[10][10] == (0x8F, 0x1D, 0x2C)
    assert picture.pixels[10][1190] == (255, 255, 255)


def test_what_people_wrote_is_printed_as_they_wrote_it() -> None:
    pdf = read_pdf(typeset("poster", Format.PDF, {**POSTER, "title": MARKUP, "demands": [MARKUP, KAZAKH]}))
    assert len(pdf.pages) == 1
    assert pdf.text.count(squeeze(MARKUP)) == 2
    assert squeeze(KAZAKH) in pdf.text


def test_every_letter_of_our_languages_is_in_the_fonts() -> None:
    """A letter that is missing is drawn as the same empty box as any other."""
    missing = typeset("picture", Format.PNG, {**PICTURE, "title": "\ue000"})
    drawn = {letter: typeset("picture", Format.PNG, {**PICTURE, "title": letter}) for letter in KAZAKH.replace(" ", "")}
    assert len(set(drawn.values()) | {missing}) == len(drawn) + 1


@settings(max_examples=60)
@given(st.text(max_size=300), st.lists(st.text(max_size=200), max_size=12), st.sampled_from(["picture", "poster"]))
def test_no_text_breaks_a_document(title: str, demands: list[str], document: str) -> None:
    kind = Format.PNG if document == "picture" else Format.PDF
    data = {**POSTER, "title": title, "demands": demands, "addressee": title, "count": title}
    assert typeset(document, kind, data)[:4] in (b"\x89PNG", b"%PDF")
    if kind is Format.PDF:
        assert len(read_pdf(typeset(document, kind, data)).pages) == 1


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is really set."""
    seen: list[tuple[str, str]] = []
    real = media_pdf._typeset

    def counted(document: str, kind: Format, data: str) -> bytes:
        seen.append((document, data))
        return real(document, kind, data)

    monkeypatch.setattr(media_pdf, "_typeset", counted)
    return seen


def test_many_who_ask_at_once_have_it_made_once(made: list[tuple[str, str]]) -> None:
    cache = PrintCache()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: cache.get("picture", Format.PNG, PICTURE), range(64)))
    assert len({answer.digest for answer in answers}) == len(made) == 1


def test_the_cache_is_bounded_and_keeps_what_is_asked_for(made: list[tuple[str, str]]) -> None:
    cache = PrintCache(most=2)

    def ask(title: str) -> Any:
        return cache.get("picture", Format.PNG, {**PICTURE, "title": title})

    first = ask("one")
    ask("two")
    assert ask("one") is first
    ask("three")  # takes the place of the one that was not asked for again
    assert ask("one") is first
    assert len(made) == 3
    assert len(cache._printed) == 2
    ask("two")
    assert len(made) == 4


@pytest.mark.parametrize(
    ("look", "colour"),
    [
        ({}, "#8f1d2c"),
        ({"colour": "#00AAff"}, "#00AAff"),
    ],
)
def test_a_look_without_a_colour_gets_ours(look: dict[str, str], colour: str) -> None:
    assert colour_of(look) == colour


@pytest.mark.parametrize(
    ("colour", "ink"),
    [("#8f1d2c", WHITE), ("#ffffff", DARK), ("#000000", WHITE), ("#ffd500", DARK), ("#0057b7", WHITE)],
)
def test_letters_can_be_read_on_every_colour(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink
