"""Every page in every state, light and dark: no violation of WCAG 2.2 AA that a program can find.

Read aloud in three languages, at four times the size, with text twice as large, and still for who asks for stillness.
"""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.accessible import find_moving, find_too_wide, find_unread, find_violations, read_aloud
from tests.browser.organizer_states import ORGANIZERS
from tests.browser.served import Served
from tests.browser.states import ANSWERS, NOT_PAGES, PAGES, PUBLIC, shown

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
FOUR_TIMES: ViewportSize = {"width": 320, "height": 256}  # 1280 × 1024 at 400 % (WCAG 1.4.10)
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
LOCALES = {"en": "en-GB", "ru": "ru-RU", "kk": "kk-KZ"}
MAILS = {"digest in the browser", "mail to confirm"}
_FILLED_IN = {"textbox", "combobox", "checkbox", "radio", "button"}


@pytest.fixture(scope="module")
def pages(browser: Browser) -> Iterator[dict[str, Page]]:
    """Browsers of people who read a language and want nothing to move; one tab goes from page to page."""
    made = [browser.new_context(locale=locale, reduced_motion="reduce") for locale in LOCALES.values()]
    yield dict(zip(LOCALES, [context.new_page() for context in made], strict=True))
    for context in made:
        context.close()


@pytest.fixture
def page(pages: dict[str, Page], lang: str) -> Page:
    """The tab, as it is before anything was looked at: without cookies, and it keeps no page of another state."""
    page = pages[lang]
    page.context.clear_cookies()
    page.set_default_timeout(15_000)
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme=SCHEMES[0])
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.clearBrowserCache")
    devtools.detach()
    return page


@pytest.fixture
def lang() -> str:
    return "en"


def look_at(page: Page, *, is_mail: bool = False) -> dict[str, list[str]]:
    """All that is wrong with a page but what axe finds. A mail has no landmarks of its own."""
    found = {"unread": [] if is_mail else find_unread(page), "moving": find_moving(page)}
    page.set_viewport_size(FOUR_TIMES)
    found["four times as large"] = find_too_wide(page)
    page.set_viewport_size(DESKTOP)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found["text twice as large"] = find_too_wide(page)
    return {name: what for name, what in found.items() if what}


def test_every_page_of_the_program_is_looked_at(place: Served) -> None:
    shown = {rule.endpoint for rule in place.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert shown == {*PAGES, *NOT_PAGES}
    assert {*PAGES.values(), *ANSWERS.values()} <= {*PUBLIC, *ORGANIZERS}


@pytest.mark.parametrize("state", [*PUBLIC, *ORGANIZERS])
def test_nothing_is_found_in_either_scheme(place: Served, page: Page, state: str) -> None:
    with shown(place, page, state, "en"):
        for endpoint in (endpoint for endpoint, name in PAGES.items() if name == state and state not in MAILS):
            assert place.endpoint_of(page.url) == endpoint
        for template in (template for template, name in ANSWERS.items() if name == state):
            assert place.rendered[-1] == template
        found = {}
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found[scheme] = find_violations(page, is_mail=state in MAILS)
        assert found == {"light": [], "dark": []}
        assert look_at(page, is_mail=state in MAILS) == {}


def test_what_is_wrong_with_a_page_is_found(place: Served, page: Page) -> None:
    """The control of all that is looked for here."""
    with shown(place, page, "petition", "en"):
        page.evaluate(
            """() => {
              document.querySelector('label[for=email]').remove();
              document.querySelector('#sign-title').outerHTML = '<h4 id="sign-title">x</h4>';
              document.querySelector('#name').style.setProperty('transition', 'color 1s', 'important');
              document.querySelector('.addressee').style.color = '#aaa';
              const note = document.createElement('p');
              note.textContent = 'a-word-that-is-too-long-'.repeat(30);
              note.style.whiteSpace = 'nowrap';
              document.body.append(note);
            }"""
        )
        rules = {told.partition(":")[0] for told in find_violations(page)}
        assert {"label", "color-contrast"} <= rules
        unread = " ".join(find_unread(page))
        assert "a heading of level 4 follows one of level" in unread
        assert "a textbox without a name" in unread
        assert "stands in no landmark" in unread
        assert "the page is" in find_too_wide(page)[0]
        assert find_moving(page)


@pytest.mark.parametrize("lang", ["ru", "kk"])
@pytest.mark.parametrize("state", PUBLIC)
def test_a_page_reads_well_and_fits_in_other_languages(place: Served, page: Page, lang: str, state: str) -> None:
    with shown(place, page, state, lang):
        assert look_at(page, is_mail=state in MAILS) == {}


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
@pytest.mark.parametrize("state", ["petition", "sign in"])
def test_whatever_is_filled_in_is_named_in_the_language_of_the_page(
    place: Served, page: Page, lang: str, state: str
) -> None:
    """Russian and Kazakh are written in Cyrillic letters; a name in Latin ones was not translated."""
    with shown(place, page, state, lang):
        assert page.locator("html").get_attribute("lang") == lang
        names = [node["name"] for node in read_aloud(page) if node["role"] in _FILLED_IN]
    latin, cyrillic = re.compile("[A-Za-z]"), re.compile("[\u0400-\u04ff]")
    own, other = (latin, cyrillic) if lang == "en" else (cyrillic, latin)
    assert len(names) >= 3
    assert [name for name in names if not own.search(name) or other.search(name)] == []


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_form_is_heard_as_it_is_seen(place: Served, page: Page, lang: str) -> None:
    """Title, demands, then each field in the order of the page, by its name; the way to skip comes first."""
    with shown(place, page, "petition", lang):
        read = read_aloud(page)
        names = [node["name"] for node in read if node["role"] in {"textbox", "combobox", "checkbox", "radio"}]
        labels = page.locator(
            "form#sign div:not(.trap) > label, form#sign fieldset label, .share label"
        ).all_inner_texts()
    assert [" ".join(name.split()) for name in names] == [
        " ".join(label.split("\n")[0].split()) for label in labels if label.strip()
    ]
    roles = [node["role"] for node in read]
    assert roles.index("link") < roles.index("main") < roles.index("heading")
