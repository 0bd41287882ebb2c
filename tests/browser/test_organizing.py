"""Organizing in a browser: from the one-time link to the numbers, the exported list and the digest that is sent."""

import csv
from io import StringIO
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.installation import RunningServer, link_in, text_of
from tests.browser.organizers import PASSWORD, set_password
from tests.browser.visitor import SLUG, Visit, Visitor, visiting

READER = "reader@example.org"
TITLE = "Stand with the workers of Kazakhstan"


@pytest.fixture(scope="module")
def welcome(running: RunningServer) -> str:
    """The link that ``python app.py`` prints."""
    return running.find_printed(r"Organizer:\s+(http://\S+)")


@pytest.fixture
def reader(running: RunningServer, visit: Visit) -> Visitor:
    """Somebody who has signed and asked for updates."""
    visitor = visit()
    if not visitor.signatures():
        visitor.sign(READER, name="Айгерим Серикова", updates=True)
        visitor.confirm(link_in(running.mails_to(READER)[0], "/confirm/"))
        expect(visitor.page.locator("h1")).to_have_text("Thank you. Your signature counts.")
    return visitor


def test_an_organizer_is_welcomed_exports_the_list_and_sends_the_digest(
    running: RunningServer, visit: Visit, welcome: str, reader: Visitor
) -> None:
    # Chromium says of every download that its page was not loaded.
    page = visit(locale="en-GB", expected="/export net::ERR_ABORTED").page
    set_password(page, welcome)
    expect(page).to_have_url(f"{running.base_url}/organize/")
    page.get_by_role("link", name=TITLE).click()
    expect(page.locator("h1")).to_have_text(TITLE)
    assert page.locator("progress").get_attribute("value") == "1"

    page.get_by_role("button", name="Export a list").click()
    page.locator("#format").select_option("csv")
    page.get_by_label("What is the list for?").fill("To hand it over")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.startswith(f"{SLUG}-signatures-")
    exported = download.value.path().read_bytes().decode().replace("\r\n", "\n")
    assert exported == running.command("export", SLUG, "--format", "csv").stdout
    (row,) = csv.DictReader(StringIO(exported.removeprefix("\ufeff")))
    assert (row["number"], row["name"], row["country"], row["comment"]) == (
        "1", "Айгерим Серикова", "KZ", "From the mine.",
    )  # fmt: skip
    assert READER not in exported
    page.get_by_role("link", name=TITLE).click()
    expect(page.locator("#audit")).to_contain_text("organizer@example.org")
    expect(page.locator("#audit")).to_contain_text("To hand it over")

    page.get_by_role("button", name="See the next edition").click()
    shown = page.frame_locator("iframe").first
    expect(shown.locator("h1")).to_have_text(TITLE)
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_role("status")).to_contain_text("Edition 1 is made")
    _, digest = running.mails_to(READER, 2)
    assert TITLE in text_of(digest)
    assert digest["List-Unsubscribe"] == f"<{link_in(digest, '/unsubscribe/')}>"


def test_a_link_works_once_and_the_password_from_then_on(
    running: RunningServer, browser: Browser, visit: Visit
) -> None:
    """Without JavaScript too."""
    address = "second@example.org"
    link = running.command("organizer", "add", address, "--petition", SLUG, "--role", "viewer").stdout.strip()
    page = visit(java_script_enabled=False, locale="en-GB").page
    set_password(page, link)
    expect(page).to_have_url(f"{running.base_url}/organize/")
    with visiting(browser, running.base_url, expected="status of 410") as stranger:
        answer = stranger.page.goto(link)
        assert answer is not None
        assert answer.status == 410
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{running.base_url}/organize/sign-in")
    page.goto(f"{running.base_url}/organize/p/{SLUG}")
    assert urlsplit(page.url).path == "/organize/sign-in"
    page.locator("#email").fill(address)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(f"{running.base_url}/organize/p/{SLUG}")
    expect(page.locator("h1")).to_have_text(TITLE)
    assert not page.get_by_role("button", name="Download").count()


@pytest.mark.parametrize("locale", ["en-GB", "ru", "kk"])
def test_no_table_of_the_numbers_is_wider_than_a_common_screen(
    running: RunningServer, visit: Visit, reader: Visitor, locale: str
) -> None:
    """Large numbers are no wider than the headings above them."""
    address = f"third-{locale.lower()}@example.org"
    link = running.command("organizer", "add", address, "--petition", SLUG, "--role", "owner").stdout.strip()
    page = visit(locale=locale, viewport={"width": 1280, "height": 800}).page
    set_password(page, link)
    page.goto(f"{running.base_url}/organize/p/{SLUG}")
    expect(page.locator("#ledger")).to_be_visible()
    for table in page.locator(".wide").all():
        assert table.evaluate("table => table.scrollWidth > table.clientWidth") is False
