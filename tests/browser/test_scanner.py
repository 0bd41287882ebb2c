"""A mail scanner with a real browser, which runs scripts and presses every button, confirms nothing."""

from playwright.sync_api import Browser

from tests.browser.installation import RunningServer, link_in
from tests.browser.visitor import Visit, visiting


def test_a_scanner_that_presses_every_button_with_and_without_a_code_confirms_nothing(
    running: RunningServer, visit: Visit, browser: Browser
) -> None:
    visitor, address = visit(), "scanned@example.org"
    before = visitor.signatures()
    visitor.sign(address)
    (mail,) = running.mails_to(address)
    link = link_in(mail, "/confirm/")
    # The refusals are told on the console of a browser: 422.
    with visiting(browser, running.base_url, expected="422") as scanner:
        scanner.page.goto(link)
        buttons = scanner.page.locator("main button")
        assert buttons.count() == 2
        for number in range(2):
            for code in ("", "123456"):
                scanner.page.goto(link)
                scanner.page.locator("#code").evaluate(
                    "(field, code) => { field.required = false; field.value = code }", code
                )
                buttons.nth(number).click()
                assert scanner.page.locator("#code").count() == 1
    assert visitor.signatures() == before
    visitor.confirm(link)
    assert visitor.signatures() == before + 1
