"""Signing in a browser: from the form over the mail to the count, and out of the updates again."""

import re

import pytest
from playwright.sync_api import Browser, expect

from campaign.i18n import Language
from tests.browser.installation import RunningServer, link_in, text_of
from tests.browser.visitor import SLUG, Visit, visiting

DONE, STOPPED = "Thank you. Your signature counts.", "The updates have stopped"


def code_in(text: str) -> str:
    (code,) = re.findall(r"\b[0-9A-HJKMNP-TV-Z]{6}$", text, re.MULTILINE)
    return str(code)


def test_who_signs_and_confirms_in_one_browser_is_counted(running: RunningServer, visit: Visit) -> None:
    """The count goes up when the button behind the mail's link is pressed, not before."""
    visitor, address = visit(), "same@example.org"
    before = visitor.signatures()
    visitor.sign(address)
    (mail,) = running.mails_to(address)
    assert visitor.signatures() == before
    visitor.confirm(link_in(mail, "/confirm/"))
    expect(visitor.page.locator("h1")).to_have_text(DONE)
    assert visitor.signatures() == before + 1


def test_in_another_browser_the_code_from_the_mail_is_asked_for(running: RunningServer, visit: Visit) -> None:
    visitor, other, address = visit(), visit(), "other@example.org"
    before = visitor.signatures()
    visitor.sign(address)
    (mail,) = running.mails_to(address)
    other.confirm(link_in(mail, "/confirm/"), code_in(text_of(mail)))
    expect(other.page.locator("h1")).to_have_text(DONE)
    assert visitor.signatures() == before + 1


@pytest.mark.parametrize(
    ("lang", "javascript"),
    [("en", True), ("en", False), ("ru", False)],
    ids=["English", "without JavaScript", "Russian"],
)
def test_a_reader_gets_the_digest_and_stops_it(
    running: RunningServer, visit: Visit, lang: str, javascript: bool
) -> None:
    """The whole way of a reader: sign, confirm, get the digest that the organizers send, and unsubscribe from it."""
    visitor, address = visit(java_script_enabled=javascript), f"reader-{lang}-{javascript}@example.org".lower()
    told = Language(lang).gettext
    before = visitor.signatures(lang)
    visitor.sign(address, lang=lang, updates=True)
    (confirmation,) = running.mails_to(address)
    visitor.confirm(link_in(confirmation, "/confirm/"))
    expect(visitor.page.locator("html")).to_have_attribute("lang", lang)
    expect(visitor.page.locator("h1")).to_have_text(told(DONE))
    assert visitor.signatures(lang) == before + 1

    running.command("digest", "send", SLUG)
    _, digest = running.mails_to(address, 2)
    link = link_in(digest, "/unsubscribe/")
    assert digest["List-Unsubscribe"] == f"<{link}>"
    visitor.page.goto(link)
    visitor.page.locator("main button").click()
    expect(visitor.page.locator("h1")).to_have_text(told(STOPPED))
    assert "balances" in running.command("digest", "audit", SLUG).stdout

    visitor.sign(f"news-{address}", lang=lang)  # something new, so that a digest would be due
    (news,) = running.mails_to(f"news-{address}")
    visitor.confirm(link_in(news, "/confirm/"))
    running.command("digest", "send", SLUG)
    assert len(running.mails_to(address, 2)) == 2


def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    running: RunningServer, browser: Browser
) -> None:
    """The browser's own checks are off: people read the page's sentences, in its language."""
    with visiting(browser, running.base_url, expected="status of 422") as visitor:
        visitor.open("ru")
        visitor.page.locator("#name").fill("Айгерим")
        visitor.page.locator("#email").fill("не адрес")
        visitor.page.locator("#consent").check()
        visitor.page.locator("form#sign button[type=submit]").click()
        told = Language("ru").gettext(
            "This does not look like an e-mail address. It should read like name@example.org."
        )
        expect(visitor.page.locator("#email-error")).to_have_text(told)
        expect(visitor.page.locator("#email")).to_have_accessible_description(re.compile(re.escape(told)))
        expect(visitor.page.locator("#name")).to_have_value("Айгерим")
        expect(visitor.page.locator("#email")).to_have_value("не адрес")
        expect(visitor.page.locator("#consent")).to_be_checked()
        expect(visitor.page.locator("#updates")).not_to_be_checked()


def test_a_visit_that_leaves_this_machine_would_be_seen(running: RunningServer, browser: Browser) -> None:
    """The control of what every test here asserts at its end."""
    with pytest.raises(AssertionError, match="another-server"):
        _visit_another_server(browser, running.base_url)


def _visit_another_server(browser: Browser, base_url: str) -> None:
    with visiting(browser, base_url, expected=" ") as visitor:
        visitor.open()
        with visitor.page.expect_request("http://another-server.invalid/"):
            visitor.page.evaluate("location.href = 'http://another-server.invalid/'")
