"""`campaign freeze`: files that any web host serves under any address, with every page and nobody's data."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

from campaign.clock import now
from campaign.installation.wiring import Installation
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import load_petition
from campaign.web.server.static_links import file_of, readdress_page
from campaign.worker import work_once
from tests.conftest import SLUG, Clock, MakeInstallation
from tests.scenes.commands import Command, refused
from tests.scenes.organizing import OTHER, OTHER_TITLE
from tests.scenes.page import Page
from tests.scenes.people import add_readers, confirm, make_digest, sign

READER = "reader@example.org"
LIVE = "https://petition.example.org"


@pytest.fixture
def lived(
    make_sqlite_installation: MakeInstallation, command: Command, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """A petition with signatures and a digest that went out, and one that is not public yet."""
    monkeypatch.setenv("CAMPAIGN_BASE_URL", LIVE)
    clock.moment = now()
    installed = make_sqlite_installation(base_url=LIVE)
    add_readers(installed, READER)
    sign(installed, "named@example.org", name="Dana Akhmetova")
    confirm(installed, "named@example.org")
    make_digest(installed)
    work_once(installed)
    file = read_petition_file(BUILT_IN)
    texts = {"slug": OTHER, "title": dict.fromkeys(file.languages, OTHER_TITLE)}
    with installed.database.sessions.begin() as session:
        load_petition(session, file.model_copy(update=texts), actor=COMMAND_LINE, now=installed.now())
    return installed


@pytest.fixture
def copied(lived: Installation, command: Command, tmp_path: Path) -> Path:
    """The copy, in a sub-folder of what is served."""
    folder = tmp_path / "host" / "some where"
    folder.mkdir(parents=True)
    done = command("freeze", str(folder / "copy"))
    assert (done.status, done.err) == (0, "")
    assert "17 pages" in done.out
    return folder / "copy"


class _Quiet(SimpleHTTPRequestHandler):
    timeout = 2  # a browser keeps connections in store on which it asks nothing

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        pass


class _Joined(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for every answer, and no thread outlives its test


@pytest.fixture
def served(copied: Path) -> Iterator[str]:
    """Its address on an ordinary web server."""
    server = _Joined(("127.0.0.1", 0), partial(_Quiet, directory=str(copied.parent.parent)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/some%20where/copy/"
    server.shutdown()
    thread.join()
    server.server_close()


def read_html(copied: Path) -> dict[str, str]:
    return {str(path.relative_to(copied)): path.read_text(encoding="utf-8") for path in copied.rglob("*.html")}


def test_every_link_of_every_page_leads_to_a_page_of_the_copy_or_away_from_it(served: str, copied: Path) -> None:
    """Crawled over HTTP from the front page: all pages are found, each link answers, each fragment is there."""
    found: dict[str, Page] = {}
    files, away, waiting = set(), set(), [served + "index.html"]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        with urlopen(address) as answer:
            assert answer.status == 200
            assert not answer.headers.get("Set-Cookie")
            found[address] = page = Page(answer.read().decode())
        for tag, named in page.addresses():
            target, fragment = urldefrag(urljoin(address, named))
            if not target.startswith(served):
                away.add((tag, target))
            elif target.endswith(".html"):
                waiting.append(target)
                if target == address and fragment:
                    page.by_id(fragment)
            elif tag == "link":
                files.add(target)
    assert {urlsplit(address).path.partition("/copy/")[2] for address in found} == set(read_html(copied))
    assert len(found) == 13
    for file in files:
        with urlopen(file) as answer:
            assert answer.status == 200
            assert answer.read()
    assert {tag for tag, _ in away} <= {"a", "link"}
    assert {target for tag, target in away if tag == "link"} == {
        f"{LIVE}/{lang}/p/{SLUG}" for lang in ("en", "ru", "kk")
    }, "only rel=canonical, which nothing fetches"


def test_a_page_has_no_form_says_when_it_was_made_and_where_to_sign(copied: Path, lived: Installation) -> None:
    for name, html in read_html(copied).items():
        page = Page(html)
        assert page.all("form") == page.all("input") == page.all("script") == [], name
        if "/digest/" not in name:
            assert lived.now().strftime("%Y") in page.one("aside", **{"class": "frozen"}).text, name
    page = Page((copied / "en" / "p" / SLUG / "index.html").read_text(encoding="utf-8"))
    assert f"Please sign the petition here: {LIVE}/en/p/{SLUG}" in page.text
    assert page.one("progress")["value"] == "2"
    assert page.all("a", href="#sign") == []


def test_nothing_of_anybody_is_in_the_copy(copied: Path, lived: Installation) -> None:
    """No name, no address, no link from a mail, no petition that is not public; readable by a web server."""
    for path in copied.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)
        content = path.read_bytes() if path.is_file() else b""
        for word in (READER, "named@", "Akhmetova", "/me/", "/unsubscribe/", "/confirm/", "/organize", OTHER_TITLE):
            assert word.encode() not in content, path
    assert json.loads((copied / "p" / SLUG / "count.json").read_bytes())["confirmed"] == 2


def test_a_browser_shows_the_copy_and_asks_nobody_else(served: str, copied: Path, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(served)
    page.get_by_role("link", name="Stand with the workers of Kazakhstan").click()
    page.get_by_role("link", name="Русский").click()
    assert page.get_by_role("complementary").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.frozen')).textAlign") == "center"
    assert page.context.cookies() == []
    page.goto((copied / "index.html").as_uri())  # from a stick, without any server
    page.get_by_role("link", name="Stand with the workers of Kazakhstan").click()
    assert page.locator(".frozen").is_visible()
    page.close()
    assert [url for url in asked if not url.startswith((served, "file:"))] == []
    assert problems == []


def test_the_front_page_is_in_the_language_that_was_chosen(
    lived: Installation, command: Command, tmp_path: Path
) -> None:
    assert command("freeze", "copy", "--language", "ru").status == 0
    assert Page((tmp_path / "copy" / "index.html").read_text(encoding="utf-8")).one("html")["lang"] == "ru"
    refused(command("freeze", "copy", "--language", "xx"), "The pages are not in “xx”")


def test_an_older_copy_is_replaced_and_anything_else_is_left_alone(
    lived: Installation, command: Command, tmp_path: Path
) -> None:
    copy, foreign = tmp_path / "copy", tmp_path / "foreign"
    for _ in range(2):
        assert command("freeze", "copy").status == 0
        (copy / "old.html").write_text("of an older copy")
    assert command("freeze", "copy").status == 0
    assert not (copy / "old.html").exists()
    foreign.mkdir()
    assert command("freeze", "foreign").status == 0
    for path in foreign.rglob("*"):
        if path.name == "copy.json":
            path.unlink()
    before = sorted(foreign.rglob("*"))
    refused(command("freeze", "foreign"), "something else in it")
    refused(command("freeze", str(foreign / "index.html")), "is a file")
    refused(command("freeze", "/proc/none/copy"), "cannot be written")
    assert sorted(foreign.rglob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "foreign", "var"]


def test_what_a_killed_copying_left_is_no_hindrance(lived: Installation, command: Command, tmp_path: Path) -> None:
    assert command("freeze", "copy").status == 0
    (tmp_path / "copy").rename(tmp_path / ".copy.part")
    assert command("freeze", "copy").status == 0
    assert (tmp_path / "copy" / "index.html").exists()
    assert not (tmp_path / ".copy.part").exists()


def test_freezing_needs_no_key(lived: Installation, command: Command, tmp_path: Path) -> None:
    assert command("lock", "--keyring-to", str(tmp_path / "stick")).status == 0
    assert command("freeze", "copy").status == 0
    html = (tmp_path / "copy" / "en" / "p" / SLUG / "index.html").read_text(encoding="utf-8")
    assert "Sign on the original page" in html


@pytest.mark.parametrize(
    ("address", "becomes"),
    [
        ("/", "../../../index.html"),
        (f"{LIVE}/ru/p/x", "../../../ru/p/x/index.html"),
        ("/ru/p/x#sign", "../../../ru/p/x/index.html#sign"),
        ("/static/a.css", "../../../static/a.css"),
        ("/organize/?a=1&amp;b=2", f"{LIVE}/organize/?a=1&amp;b=2"),
        (f"{LIVE}.evil.example/", f"{LIVE}.evil.example/"),
        ("//evil.example/", "//evil.example/"),
        ("https://other.example/", "https://other.example/"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("#top", "#top"),
    ],
)
def test_where_a_link_leads_in_the_copy(address: str, becomes: str) -> None:
    def is_copied(path: str) -> bool:
        return not path.startswith("/organize")

    page = '<p title="href=&quot;/&quot;">href="/" &amp; <a href="{}">x</a><br/></p>'
    assert readdress_page(page.format(address), "/en/p/x", LIVE, is_copied) == page.format(becomes)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/en/p/x", "en/p/x/index.html"),
        ("/p/x/count.json", "p/x/count.json"),
        ("/a/", "a/index.html"),
    ],
)
def test_the_file_of_a_page(path: str, file: str) -> None:
    assert file_of(path) == file
