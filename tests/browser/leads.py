"""How a browser is led to the state of a page: by an address, or by what a person does there."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.served import Served
from tests.conftest import SLUG

Lead = Callable[[Served, Page, str], Any]


def at(path: str) -> Lead:
    """Go there; ``{lang}`` and ``{slug}`` are filled in."""
    return lambda served, page, lang: page.goto(served.base_url + path.format(lang=lang, slug=SLUG))


def press(button: Locator) -> None:
    """Press it, and wait for the page that follows."""
    with button.page.expect_navigation():
        button.click()
