"""A page in a language that is written from right to left is the page of the others, mirrored."""

import logging
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize

from tests.browser.accessible import find_too_wide, find_violations
from tests.browser.served import Served, served
from tests.browser.states import furnish, shown
from tests.conftest import SLUG
from tests.right_to_left import ARABIC, HEADING, arabic, arabic_petition

SIZES: list[ViewportSize] = [{"width": 1280, "height": 800}, {"width": 390, "height": 844}]
STATES = ["petition", "petition, form with errors", "names", "comments", "public numbers", "own page, signer"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    folder = tmp_path_factory.mktemp("arabic")
    with arabic(folder), served(folder, arabic_petition()) as place:
        furnish(place)
        yield place


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale="ar")
    yield page
    page.context.close()


def middle(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def open_petition(place: Served, page: Page, lang: str) -> None:
    page.goto(f"{place.base_url}/{lang}/p/{SLUG}")


def test_the_columns_and_all_that_has_a_side_are_mirrored(place: Served, page: Page) -> None:
    page.set_viewport_size(SIZES[0])
    width = SIZES[0]["width"]
    middles = {}
    for lang in ("en", ARABIC):
        open_petition(place, page, lang)
        parts = {"form": page.locator("form#sign"), "demands": page.locator("#demands-title")}
        middles[lang] = {name: middle(part) for name, part in parts.items()}
        filled = page.evaluate("getComputedStyle(document.querySelector('progress')).direction")
        text = page.evaluate("getComputedStyle(document.querySelector('h1')).textAlign")
        assert (filled, text) == (("rtl", "start") if lang == ARABIC else ("ltr", "start"))
    assert middles["en"]["demands"] < middles["en"]["form"]
    for name, where in middles["en"].items():
        assert middles[ARABIC][name] == pytest.approx(width - where, abs=20), name
    root = page.locator("html")
    assert (root.get_attribute("lang"), root.get_attribute("dir")) == (ARABIC, "rtl")
    assert page.locator("#sign-title").inner_text() == HEADING


@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_off_or_wrong(place: Served, page: Page, state: str, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    with shown(place, page, state, ARABIC):
        assert page.locator("html").get_attribute("dir") == "rtl"
        assert find_too_wide(page) == []
        assert find_violations(page) == []


def test_what_is_written_from_left_to_right_stays_so(place: Served, page: Page) -> None:
    """An address is typed as it is everywhere; a name begins on its own side."""
    open_petition(place, page, ARABIC)
    assert page.evaluate("getComputedStyle(document.querySelector('#email')).direction") == "ltr"
    page.locator("#name").fill("Aigerim")
    assert page.evaluate("document.querySelector('#name').matches(':dir(ltr)')")
    page.locator("#name").fill("ليلى")
    assert page.evaluate("document.querySelector('#name').matches(':dir(rtl)')")


def test_the_latest_day_of_the_chart_stands_over_its_date(place: Served, page: Page) -> None:
    for lang in ("en", ARABIC):
        page.goto(f"{place.base_url}/{lang}/p/{SLUG}/numbers")
        today, last = page.locator(".chart rect").last, page.locator(".chart .axis span").last
        assert abs(middle(today) - middle(last)) < abs(middle(today) - middle(page.locator(".chart .axis span").first))
