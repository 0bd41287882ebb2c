"""With the keyboard alone: every stop is seen, in order and not covered; who cannot use a mouse signs and shares."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.keyboard import tab_to, walk
from tests.browser.served import Served
from tests.browser.states import shown
from tests.conftest import SLUG
from tests.scenes.visiting import confirm_path

PHONE: ViewportSize = {"width": 390, "height": 700}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(locale="en-GB", viewport=DESKTOP) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


@pytest.mark.parametrize(
    ("state", "size"),
    [
        ("petition", DESKTOP),
        ("petition", PHONE),
        ("petition, form with errors", PHONE),
        ("sign in", PHONE),
        ("home", DESKTOP),
        ("numbers", PHONE),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value["width"]),
)
def test_tab_goes_through_the_page_in_order_and_out_of_it(
    place: Served, page: Page, state: str, size: ViewportSize
) -> None:
    """Each stop has an outline of at least 3 : 1, and nothing lies on it (WCAG 2.1.2, 2.4.3, 2.4.7, 2.4.11, 1.4.11)."""
    page.set_viewport_size(size)
    with shown(place, page, state, "en"):
        done = walk(page)
    assert done.wrong == []
    # A form that came back has the focus on its list of mistakes, which comes before the fields.
    begins = done.stops[0] if "errors" in state else 0
    assert done.stops == done.expected[begins:]
    assert len(done.stops) > 3


def test_what_is_wrong_with_a_walk_is_found(place: Served, page: Page) -> None:
    """The control of what is looked for here: no outline, a pale one, a lid on a field, another order, a trap."""
    page.goto(f"{place.base_url}/en/p/{SLUG}")
    page.evaluate(
        """() => {
          const style = (selector, name, value) =>
            document.querySelector(selector).style.setProperty(name, value, 'important');
          style('#name', 'outline', 'none');
          style('#country', 'outline-color', '#ddd');
          const lid = document.createElement('div'), box = document.querySelector('#email').getBoundingClientRect();
          Object.assign(lid.style, {position: 'absolute', left: 0, width: '100%', height: `${box.height}px`,
                                    top: `${box.y + scrollY}px`});
          document.body.append(lid);
          document.querySelector('#consent').tabIndex = 1;
          const last = document.querySelector('footer a:last-child');
          last.addEventListener('keydown', event => event.preventDefault());
        }"""
    )
    done = walk(page)
    wrong = " ".join(done.wrong)
    assert 'no outline: <input id="name"' in wrong
    assert re.search('a pale outline, [^<]*<select id="country"', wrong)
    assert re.search('covered by <div[^<]*<input id="email"', wrong)
    assert done.stops[0] != 0
    assert len(done.stops) > len(done.expected)


def test_the_first_stop_skips_to_the_content(place: Served, page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{place.base_url}/en/p/{SLUG}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_who_has_only_a_keyboard_signs_confirms_and_shares(place: Served, page: Page) -> None:
    address = place.address()
    page.set_viewport_size(PHONE)
    page.goto(f"{place.base_url}/en/p/{SLUG}")
    keys = page.keyboard
    tab_to(page, ".jump a")
    keys.press("Enter")
    tab_to(page, "#name")
    keys.type("Aigerim Serikova")
    tab_to(page, "#email")
    keys.type(address)
    tab_to(page, "#country")
    keys.type("Kaz")
    tab_to(page, "#comment")
    keys.type("From the mine.")
    tab_to(page, "[name=display]")
    keys.press("ArrowDown")
    expect(page.locator("[value=initials]")).to_be_checked()
    tab_to(page, "#consent")
    keys.press("Space")
    expect(page.locator("#country")).to_have_value("KZ")
    tab_to(page, "form#sign button")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Check your mail")

    page.goto(place.base_url + confirm_path(place.installation, address))
    tab_to(page, "button[value=confirm]")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Thank you. Your signature counts.")
    tab_to(page, 'a[href$="/spread"]')
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Spread this petition")
    tab_to(page, '.share a[href^="https://t.me/"]')
    tab_to(page, ".share [data-does=copy]")
    keys.press("Enter")
    expect(page.locator(".share [role=status]")).to_have_text("Copied.")


def test_after_a_mistake_the_focus_is_on_the_list_of_mistakes_which_leads_to_the_fields(
    place: Served, page: Page
) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{place.base_url}/en/p/{SLUG}")
    tab_to(page, "#name")
    page.keyboard.press("Enter")
    expect(page.locator("#problems")).to_be_focused()
    for number, field in enumerate(("name", "email", "consent")):
        page.locator("#problems").focus()
        for _ in range(number + 1):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(f"#{field}")).to_be_focused()
        expect(page.locator(f"#{field}")).to_be_in_viewport()


@pytest.mark.parametrize(
    "state",
    [
        "own page, change refused",
        "lost link, error",
        "paper, wrong code",
        "paper to enter, errors",
        "paper to enter, no sheet",
    ],
)
def test_every_form_that_came_back_has_the_focus_on_its_list_of_mistakes(place: Served, page: Page, state: str) -> None:
    with shown(place, page, state, "en"):
        expect(page.locator("#problems")).to_be_focused()
        assert page.locator("#problems a").count() > 0
