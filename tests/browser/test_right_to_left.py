"""Pages in a right-to-left language: mirrored, no wider than the screen, addresses and names whole."""

from base64 import b64encode
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, ViewportSize

from campaign.run.supervisor import BUILT_IN
from campaign.services.petitions.file_reader import read_petition_file
from tests.browser.accessible import find_too_wide, find_violations
from tests.browser.served import Served
from tests.browser.states import furnished, shown
from tests.conftest import SLUG
from tests.scenes.arabic import ARABIC, arabic_known, in_arabic, petition_in_arabic
from tests.scenes.people import count

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 800}
STATES = [
    "petition, form with errors",
    "petition, a slip in the address",
    "check your mail",
    "confirm, another browser",
    "confirmed",
    "own page, reader",
    "front page",
    "home",
    "numbers",
    "review",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("arabic")
    file = petition_in_arabic(read_petition_file(BUILT_IN))
    with arabic_known(folder / "translations"), furnished(folder, file) as place:
        yield place


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """The page of somebody whose browser asks for Arabic."""
    with browser.new_context(locale=ARABIC, reduced_motion="reduce", viewport=DESKTOP) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


def box_of(found: Locator) -> FloatRect:
    box = found.bounding_box()
    assert box is not None
    return box


def first_line(found: Locator) -> FloatRect:
    """Where the first line of an element's text stands."""
    line: FloatRect = found.evaluate(
        """element => {
          const range = document.createRange();
          range.selectNodeContents(element);
          const {x, y, width, height} = range.getClientRects()[0];
          return {x, y, width, height};
        }"""
    )
    return line


def middle_row(page: Page, found: Locator) -> list[list[int]]:
    """The colours across the middle of an element, as they are on the screen, at its two ends."""
    picture = b64encode(found.screenshot()).decode()
    blank = page.context.new_page()
    row: list[list[int]] = blank.evaluate(
        """async picture => {
          const image = new Image();
          image.src = `data:image/png;base64,${picture}`;
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height), drawn = canvas.getContext('2d');
          drawn.drawImage(image, 0, 0);
          const middle = Math.floor(image.height / 2);
          return [0.25, 0.75].map(at => [...drawn.getImageData(image.width * at, middle, 1, 1).data]);
        }""",
        picture,
    )
    blank.close()
    return row


def test_the_petition_is_mirrored(place: Served, page: Page) -> None:
    """Beside the English page: what stood left stands right, as far from its edge."""
    boxes, ends = {}, {}
    for lang in ("en", ARABIC):
        with place.petition(goal=2 * count(place.installation), goal_steps=[]):
            page.goto(f"{place.base_url}/{lang}/p/{SLUG}")
        boxes[lang] = {name: box_of(page.locator(name)) for name in (".act", ".ask", ".demands", ".languages")}
        ends[lang] = middle_row(page, page.locator("progress"))
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (ARABIC, "rtl")
    width = page.evaluate("document.documentElement.clientWidth")
    for name in (".act", ".ask", ".demands"):
        english, arabic = boxes["en"][name], boxes[ARABIC][name]
        assert arabic["x"] == pytest.approx(width - english["x"] - english["width"], abs=1)
    form, demands = boxes[ARABIC][".act"], boxes[ARABIC][".demands"]
    assert form["x"] + form["width"] <= demands["x"]
    assert boxes["en"][".act"]["x"] > boxes["en"][".demands"]["x"]
    for text in (page.locator("h1"), page.locator(".demands strong").first):
        line, around = first_line(text), box_of(text)
        assert line["x"] + line["width"] == pytest.approx(around["x"] + around["width"], abs=2)
        assert line["x"] > around["x"] + 20
    assert find_violations(page) == []
    assert ends["en"][0] != ends["en"][1]
    assert ends[ARABIC] == ends["en"][::-1]


def test_no_page_scrolls_sideways(place: Served, page: Page) -> None:
    found = {}
    for state in ["petition", *STATES]:
        with shown(place, page, state, ARABIC):
            assert page.locator("html").get_attribute("dir") == "rtl"
            for size in (PHONE, DESKTOP):
                page.set_viewport_size(size)
                found[state, size["width"]] = find_too_wide(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_what_is_read_from_left_to_right_stays_whole(place: Served, page: Page) -> None:
    page.set_viewport_size(DESKTOP)
    with shown(place, page, "petition, a slip in the address", ARABIC):
        assert page.locator('#typo bdi[dir="ltr"]').all_inner_texts() == ["aigerim@gmial.com", "aigerim@gmail.com"]
        assert page.locator("#email").get_attribute("dir") == "ltr"
    with shown(place, page, "petition, form with errors", ARABIC):
        # The mark of the mistake: where the address ends, not on it.
        mark = "field => getComputedStyle(field).backgroundPosition"
        assert page.locator("#email").evaluate(mark).startswith("calc(100%")
        assert page.locator("#name").evaluate(mark).startswith("15px")
        assert page.locator("#name").evaluate("field => getComputedStyle(field).direction") == "rtl"
    with shown(place, page, "confirm", ARABIC):
        assert "Aigerim Serikova" in page.locator("dd > bdi").all_inner_texts()
    with shown(place, page, "home", ARABIC):
        assert "@" in page.locator('header bdi[dir="ltr"]').inner_text()
    with shown(place, page, "numbers", ARABIC):
        # Days go from right to left, as those below them do.
        first, last = page.locator(".axis span").all()
        (bar,) = page.locator(".chart rect").all()
        assert box_of(last)["x"] < box_of(first)["x"]
        assert box_of(bar)["x"] < box_of(first)["x"]


def test_a_digest_is_mirrored(place: Served, page: Page) -> None:
    answer = page.request.get(f"{place.base_url}/{ARABIC}/p/{SLUG}/digest/1")
    mail = page.context.new_page()
    mail.set_content(answer.text())
    title = mail.locator("h1")
    assert title.inner_text() == in_arabic(read_petition_file(BUILT_IN).title["en"])
    line, around = first_line(title), box_of(title)
    assert line["x"] + line["width"] == pytest.approx(around["x"] + around["width"], abs=2)
    done, bar = box_of(mail.locator(".done")), box_of(mail.locator(".bar"))
    assert done["x"] > bar["x"] + bar["width"] / 2
    mail.close()
