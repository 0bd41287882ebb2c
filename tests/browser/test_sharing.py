"""In a browser: copying and sharing say what they did, and a link on another website becomes a box."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from campaign.web.app import create_app
from tests.conftest import SLUG, MakeInstallation
from tests.scenes.people import add_readers
from tests.scenes.serving import free_port
from tests.scenes.visiting import page_of


class _Handler(WSGIRequestHandler):
    timeout = 2  # a browser keeps connections in store on which it asks nothing

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def _serve(app: Flask, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def base_url(make_sqlite_installation: MakeInstallation) -> Iterator[str]:
    """The address of a server in this process, under whose petition one person has signed."""
    port = free_port()
    installation = make_sqlite_installation(base_url=f"http://127.0.0.1:{port}", port=port)
    add_readers(installation, "a@example.org")
    with _serve(create_app(installation), port):
        yield installation.settings.base_url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.context.close()
    assert [url for url in asked if not url.startswith("http://127.0.0.1:")] == []


def test_the_address_is_copied_and_that_is_said(page: Page, base_url: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(base_url + page_of())
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".share [role=status]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{base_url}{page_of()}?source=copy"


def test_the_devices_own_way_to_share_is_offered_where_there_is_one(page: Page, base_url: str) -> None:
    page.goto(base_url + page_of())
    share = page.get_by_role("button", name="Share…")
    if page.evaluate("!navigator.share"):
        expect(share).to_have_count(0)
    page.add_init_script("window.shared = []; navigator.share = async (what) => { window.shared.push(what); };")
    page.reload()
    share.click()
    title = page.get_by_role("heading", level=1).inner_text()
    assert page.evaluate("window.shared") == [{"title": title, "url": f"{base_url}{page_of()}?source=share"}]


def test_without_a_script_there_are_links_and_a_field_and_no_dead_button(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base_url + page_of())
    for name in ("Telegram", "WhatsApp", "E-mail"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_label("The petition’s address, to copy")).to_have_value(f"{base_url}{page_of()}?source=copy")
    expect(page.locator(".share button:visible")).to_have_count(0)
    context.close()


@pytest.fixture
def website(base_url: str, page: Page) -> Iterator[Callable[[str], None]]:
    """Somebody else's website, which allows scripts and numbers from the petition's server and no style in a page.

    Called with what stands in its page, it opens that page. It is on this machine too: browsers keep pages from
    elsewhere away from what runs here.
    """
    policy = f"default-src 'none'; script-src {base_url}; connect-src {base_url}"
    app, port, shown = Flask("website"), free_port(), [""]

    @app.get("/")
    def _show() -> tuple[str, dict[str, str]]:
        return f"<!doctype html><title>x</title><p>{shown[0]}</p>", {"Content-Security-Policy": policy}

    def visit(body: str) -> None:
        shown[0] = body
        page.goto(f"http://127.0.0.1:{port}/")

    with _serve(app, port):
        yield visit


def test_the_lines_that_are_offered_make_a_box_on_another_website(
    page: Page, base_url: str, website: Callable[[str], None]
) -> None:
    page.goto(f"{base_url}{page_of('ru')}/spread")
    lines = page.locator("#box-lines").input_value()
    title = page.locator("main a").first.inner_text()
    website(lines)
    button = page.locator("div >> a")
    expect(button).to_have_attribute("href", f"{base_url}{page_of('ru')}?source=embed")
    expect(page.get_by_text(title)).to_be_visible()
    expect(page.locator("progress")).to_have_js_property("value", 1)
    colour = button.evaluate("(element) => getComputedStyle(element).backgroundColor")
    assert colour == "rgb(143, 29, 44)"
    assert page.context.cookies() == []


@pytest.mark.parametrize(
    ("named", "href"),
    [
        ("{base}/en/p/unknown", "{base}/en/p/unknown"),
        ("{base}/nothing", "{base}/nothing"),
        ("{base}/en/p/" + SLUG, "javascript:alert(1)"),
        ("http://127.0.0.1:9/en/p/x", "http://127.0.0.1:9/en/p/x"),
    ],
)
def test_a_link_of_which_nothing_is_known_stays_a_link(
    page: Page, base_url: str, website: Callable[[str], None], named: str, href: str
) -> None:
    named, href = (each.format(base=base_url) for each in (named, href))
    with page.expect_response(f"{base_url}/embed.js"):
        website(f'<a href="{href}" data-campaign="{named}">Sign</a><script src="{base_url}/embed.js"></script>')
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Sign", exact=True)).to_have_attribute("href", href)
    expect(page.locator("progress")).to_have_count(0)
