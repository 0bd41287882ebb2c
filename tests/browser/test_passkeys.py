"""Passkeys in a browser, with an authenticator that Chromium plays itself (WebDriver's virtual authenticator)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.installation import RunningServer
from tests.browser.organizers import PASSWORD, Authenticator, set_password
from tests.browser.visitor import SLUG, visiting

ACCOUNT = "/organize/account"


@pytest.fixture
def base_url(running: RunningServer) -> str:
    """Browsers make no passkey for a number."""
    return running.base_url.replace("127.0.0.1", "localhost")


def enroll(running: RunningServer, page: Page, address: str, base_url: str) -> None:
    link = running.command("organizer", "add", address, "--petition", SLUG, "--role", "owner").stdout.strip()
    set_password(page, link.replace(running.base_url, base_url))
    expect(page).to_have_url(f"{base_url}/organize/")


def make_passkey(page: Page, base_url: str, name: str) -> None:
    page.goto(f"{base_url}{ACCOUNT}/passkeys")
    page.locator("form[data-passkey=create] #name").fill(name)
    page.get_by_role("button", name="Make a passkey").click()


def sign_out(page: Page, base_url: str) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(f"{base_url}/organize/sign-in")


@pytest.fixture
def page(browser: Browser, base_url: str) -> Iterator[Page]:
    # Chromium tells of every answer that refuses.
    with visiting(browser, base_url, expected="status of 4", locale="en-GB") as visitor:
        yield visitor.page


def test_a_passkey_is_made_signs_in_proves_gets_a_name_and_goes(
    running: RunningServer, page: Page, base_url: str
) -> None:
    enroll(running, page, "passkey@example.org", base_url)
    key = Authenticator(page)
    make_passkey(page, base_url, "my phone")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    assert page.locator(".codes li").count() == 10
    (credential,) = key.credentials()
    assert credential["rpId"] == "localhost"
    assert "passkey@example.org" not in str(credential["userHandle"])

    sign_out(page, base_url)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{base_url}/organize/")

    page.goto(f"{base_url}/organize/prove?next={ACCOUNT}")
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page).to_have_url(f"{base_url}{ACCOUNT}")
    expect(page.locator("#trail")).to_contain_text("with: passkey")

    page.goto(f"{base_url}{ACCOUNT}/passkeys")
    page.locator("section .beside input[name=name]").fill("old phone")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("dl.facts")).to_contain_text("old phone")
    page.goto(f"{base_url}{ACCOUNT}/passkeys")
    page.get_by_role("button", name="Remove “old phone”").click()
    expect(page.locator("dl.facts")).to_contain_text("none")
    sign_out(page, base_url)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("This passkey is not known here")


def test_beside_the_password_holding_the_key_is_enough_alone_it_must_know_its_owner(
    running: RunningServer, page: Page, base_url: str
) -> None:
    enroll(running, page, "key@example.org", base_url)
    Authenticator(page, transport="usb", hasResidentKey=False, hasUserVerification=False, isUserVerified=False)
    make_passkey(page, base_url, "my key")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    sign_out(page, base_url)
    for action in ("/organize/sign-in/passkey", "/organize/sign-in/second"):
        page.goto(f"{base_url}/organize/sign-in")
        page.locator("#email").fill("key@example.org")
        page.locator("#password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page).to_have_url(f"{base_url}/organize/sign-in/second")
        # What it says without its owner's finger, sent to where the finger is needed.
        page.locator("form[data-passkey]").evaluate("(form, action) => form.action = action", action)
        page.get_by_role("button", name="Use a passkey").click()
        if action.endswith("passkey"):
            expect(page.get_by_role("alert").first).to_contain_text("This passkey is not known here")
    expect(page).to_have_url(f"{base_url}/organize/")


def test_a_copy_of_a_key_that_lags_behind_is_refused(
    running: RunningServer, browser: Browser, page: Page, base_url: str
) -> None:
    enroll(running, page, "copied@example.org", base_url)
    key = Authenticator(page)
    make_passkey(page, base_url, "my key")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    (copied,) = key.credentials()
    for _ in range(2):
        sign_out(page, base_url)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page).to_have_url(f"{base_url}/organize/")
    with visiting(browser, base_url, locale="en-GB") as thief:
        Authenticator(thief.page).put(copied)
        thief.page.goto(f"{base_url}/organize/sign-in")
        thief.page.get_by_role("button", name="Sign in with a passkey").click()
        expect(thief.page.get_by_role("alert").first).to_contain_text("This passkey is not known here")


def test_an_answer_works_once(running: RunningServer, page: Page, base_url: str) -> None:
    """Whoever sends the same form again, with the same cookie, is refused."""
    enroll(running, page, "again@example.org", base_url)
    Authenticator(page)
    make_passkey(page, base_url, "my key")
    expect(page.locator("h1")).to_have_text("Your recovery codes")
    sign_out(page, base_url)
    cookies = page.context.cookies()
    with page.expect_request("**/organize/sign-in/passkey") as sent:
        page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{base_url}/organize/")
    page.context.clear_cookies()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # as they came
    answer = page.context.request.post(
        sent.value.url,
        data=sent.value.post_data or "",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        max_redirects=0,
    )
    assert answer.status == 303
    assert "refused=passkey" in answer.headers["location"]


def test_without_javascript_the_page_says_so(running: RunningServer, browser: Browser, base_url: str) -> None:
    with visiting(browser, base_url, locale="en-GB", java_script_enabled=False) as visitor:
        enroll(running, visitor.page, "plain@example.org", base_url)
        visitor.page.goto(f"{base_url}{ACCOUNT}/passkeys")
        expect(visitor.page.locator("#no-script")).to_contain_text("Passkeys need JavaScript")
        expect(visitor.page.get_by_role("button", name="Make a passkey")).to_be_hidden()
        visitor.page.goto(f"{base_url}{ACCOUNT}/app")
        expect(visitor.page.locator("#secret")).to_be_visible()


def test_under_a_number_the_page_says_why_there_is_none(running: RunningServer, browser: Browser) -> None:
    with visiting(browser, running.base_url, locale="en-GB") as visitor:
        enroll(running, visitor.page, "number@example.org", running.base_url)
        visitor.page.goto(f"{running.base_url}{ACCOUNT}/passkeys")
        expect(visitor.page.locator("main")).to_contain_text("open it with its name")
        assert visitor.page.locator("script").count() == 0
