"""A visitor with a browser profile of their own; whatever goes to another machine or goes wrong is noticed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, expect

SLUG = "kazakhstan"


@dataclass
class Visitor:
    """What a person does on the pages."""

    page: Page
    base_url: str

    def open(self, lang: str = "en") -> None:
        """Go to the petition."""
        self.page.goto(f"{self.base_url}/{lang}/p/{SLUG}")

    def signatures(self, lang: str = "en") -> int:
        """How many have signed, as the page says; asked anew, since a browser may show a page of some seconds ago."""
        self.open(lang)
        self.page.reload()
        return int(self.page.locator("progress").get_attribute("value") or "")

    def sign(self, address: str, *, name: str = "Aigerim Serikova", lang: str = "en", updates: bool = False) -> None:
        """Fill in the form and send it."""
        self.open(lang)
        self.page.locator("#name").fill(name)
        self.page.locator("#email").fill(address)
        self.page.locator("#country").select_option("KZ")
        self.page.locator("#comment").fill("From the mine.")
        self.page.locator("#consent").check()
        if updates:
            self.page.locator("#updates").check()
        self.page.locator("form#sign button[type=submit]").click()
        expect(self.page).to_have_url(f"{self.base_url}/{lang}/p/{SLUG}/check-your-mail#content")

    def confirm(self, link: str, code: str = "") -> None:
        """Follow the link of the mail, type the code if this browser is asked for it, press the button."""
        self.page.goto(link)
        asked = self.page.locator("#code")
        assert asked.count() == bool(code)
        if code:
            asked.fill(code)
        self.page.locator("button[value=confirm]").click()


def _note_failure(wrong: list[str], request: Request) -> None:
    # A visitor who leaves a page cancels what it was still loading; everything else that fails says so otherwise.
    if request.failure != "net::ERR_ABORTED":
        wrong.append(f"failed: {request.url} {request.failure}")


Visit = Callable[..., Visitor]


@contextmanager
def visiting(browser: Browser, base_url: str, *, expected: str = "", **profile: Any) -> Iterator[Visitor]:
    """A visit; at its end no request has left this machine and no page has reported an error but ``expected``."""
    context = browser.new_context(**profile)
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("requestfailed", lambda request: _note_failure(wrong, request))
    context.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.set_default_timeout(15_000)
    try:
        yield Visitor(context.new_page(), base_url)
    finally:
        context.close()
    unexpected = [told for told in wrong if not expected or expected not in told]
    assert not unexpected, unexpected
    left = [url for url in asked if urlsplit(url).hostname not in {"127.0.0.1", urlsplit(base_url).hostname}]
    assert asked
    assert not left, left
