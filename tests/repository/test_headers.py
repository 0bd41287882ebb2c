"""Every answer's headers, and that no page takes anything from another server or runs anything."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation, wire
from campaign.models import Role
from campaign.web.app import create_app
from tests.conftest import Clock, MakeInstallation, close_installation, quick_app, settings_for
from tests.scenes.organizing import enroll
from tests.scenes.page import Page
from tests.scenes.people import add_readers, find_petition, sign
from tests.scenes.visiting import FROM_HERE, confirm_path, mails, me_path, page_of, post, unsubscribe_path

# Pages from which the petition's address is passed on, by a script of ours and by links to where people write.
SHARING = [page_of(lang) for lang in ("en", "ru", "kk")]
SHARED_WITH = ("https://t.me/share/url?", "https://wa.me/?", "mailto:?")
STATIC = Path(__file__).parents[2] / "campaign" / "web" / "static"
PUBLIC_ENDS = ("", "/updates", "/check-your-mail", "/signatures", "/signatures/comments", "/numbers")
PUBLIC = [
    "/",
    *(page_of(lang) + end for lang in ("en", "ru", "kk") for end in PUBLIC_ENDS),
    "/p/kazakhstan/count.json",
    "/en/p/kazakhstan/feed.xml",
    "/healthz",
]
PETITION = [page_of(lang) for lang in ("en", "ru", "kk")]
# Pages with a script of ours; all else has none.
SCRIPTS = {address: ["/static/count.js", "/static/share.js"] for address in PETITION} | {
    "/organize/sign-in": ["/static/passkey.js"],
}
UNKNOWN = ["/nothing", "/en/p/unknown", "/xx/p/kazakhstan", "/p/unknown/count.json"]
LINKS = ["confirm", "confirm in another browser", "unsubscribe", "unsubscribed", "me", "unknown", "expired"]
ORGANIZERS = ["/organize/", "/organize/p/kazakhstan", "/organize/p/kazakhstan/digest"]
PAGES = [
    *(address for address in PUBLIC if "." not in address and address != "/healthz"),
    *UNKNOWN[:3],
    *LINKS,
    *ORGANIZERS,
    "/organize/sign-in",
]


@dataclass(frozen=True)
class Place:
    """An installation with somebody at every page, the browser of an owner who has signed, and where the pages are."""

    installation: Installation
    app: Flask
    client: FlaskClient
    addresses: dict[str, str]

    def address_of(self, what: str) -> str:
        """The address of a page about a person, or ``what`` itself."""
        return self.addresses.get(what, what)


def _furnish(installation: Installation) -> Place:
    app = quick_app(installation)
    for name in ("other", "late"):
        sign(installation, f"{name}@example.org")
    add_readers(installation, "reader@example.org", "gone@example.org")
    client = enroll(app, installation, Role.OWNER)
    post(client)
    mails(installation)
    addresses = {
        "confirm": confirm_path(installation),
        "confirm in another browser": confirm_path(installation, "other@example.org"),
        "expired": confirm_path(installation, "late@example.org"),
        "unsubscribe": unsubscribe_path(installation, "reader@example.org"),
        "unsubscribed": unsubscribe_path(installation, "gone@example.org"),
        "me": me_path(installation, "reader@example.org"),
        "unknown": "/confirm/unknown",
    }
    assert set(LINKS) == set(addresses)
    assert client.post(addresses["unsubscribed"]).status_code == 200
    late = installation.vault.read_token("confirm", addresses["expired"].rpartition("/")[2])
    not_me = {"action": "not-me", "code": installation.vault.code(late)}
    assert client.post(addresses["expired"], data=not_me).status_code == 200
    return Place(installation, app, client, addresses)


@pytest.fixture(scope="module")
def place(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all that only look."""
    folder = tmp_path_factory.mktemp("headers")
    shutil.copytree(sqlite_template, folder / "var")
    installation = wire(settings_for(folder), now=Clock())
    yield _furnish(installation)
    close_installation(installation)


@pytest.fixture
def place_to_change(sqlite_installation: Installation) -> Place:
    return _furnish(sqlite_installation)


@pytest.mark.parametrize("what", [*PUBLIC, *UNKNOWN, *LINKS, *ORGANIZERS, "/static/campaign.css"])
def test_every_answer_forbids_what_a_page_of_ours_never_does(what: str, place: Place) -> None:
    headers = place.client.get(place.address_of(what), buffered=True).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == policy["style-src"] == "'self'"
    assert policy.get("script-src") == ("'self'" if what in SHARING else None)
    assert policy.get("connect-src") == ("'self'" if what in PETITION else None)
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == ("no-referrer" if what in [*LINKS, *ORGANIZERS] else "same-origin")


@pytest.mark.parametrize("what", [*PUBLIC, *UNKNOWN])
def test_a_public_page_sets_no_cookie(what: str, place: Place) -> None:
    """Not for a visitor who comes without one, nor for one who has signed."""
    assert place.client.get_cookie("signing")
    assert "Set-Cookie" not in place.app.test_client().get(what).headers
    assert "Set-Cookie" not in place.client.get(what).headers


@pytest.mark.parametrize("what", ORGANIZERS)
def test_a_page_for_organizers_is_kept_nowhere(what: str, place: Place) -> None:
    """Nor is the answer to a stranger."""
    asking = place.client, place.app.test_client()
    assert {client.get(what).headers["Cache-Control"] for client in asking} == {"no-store"}
    assert place.client.get(what).status_code == 200


@pytest.mark.parametrize("what", LINKS)
def test_a_page_about_a_person_is_kept_nowhere(what: str, place_to_change: Place) -> None:
    address, client = place_to_change.address_of(what), place_to_change.client
    answers = [client.get(address), client.post(address, data={"code": "wrong"})]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path",
    [
        "/organize",
        "/organize/nothing",
        "/organize/p/unknown",
        "/organize/welcome/1/unknown",
        "/organize/sign-in/second",
        "/me/unknown",
        "/me/a/b",
        "/confirm/unknown",
        "/confirm/a/b",
        "/unsubscribe/unknown",
    ],
)
def test_an_error_where_pages_are_about_persons_is_kept_nowhere(place: Place, path: str, method: str) -> None:
    """Nor is it told to the next website where one came from."""
    headers = place.app.test_client().open(path, method=method).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("what", PAGES)
def test_a_page_takes_nothing_from_another_server(what: str, place: Place) -> None:
    """Every address in it is ours, except the petition's source and links inside its texts."""
    petition = find_petition(place.installation)
    written = set(re.findall(r"https?://[^\s)>\]]+", str(petition.texts))) | {petition.source_url}
    html = place.client.get(place.address_of(what)).get_data(as_text=True)
    named = [(tag, at) for tag, at in Page(html).addresses() if not (tag == "a" and at.startswith(SHARED_WITH))]
    assert len(Page(html).addresses()) - len(named) == (3 if what in SHARING else 0)
    ours = urlsplit(place.installation.settings.base_url).netloc
    foreign = [(tag, at) for tag, at in named if urlsplit(at).netloc not in ("", ours, "localhost")]
    assert [(tag, at) for tag, at in foreign if not (tag == "a" and at in written)] == []
    assert {urlsplit(at).scheme for _, at in named} <= {"", "http", "https"}
    assert ("link", "/static/campaign.css") in [(tag, urlsplit(at).path) for tag, at in named]


@pytest.mark.parametrize("what", LINKS)
def test_a_page_with_a_secret_address_has_no_link_to_another_site(what: str, place_to_change: Place) -> None:
    """Lynx and ELinks tell another site the whole address of the page, in spite of `no-referrer`."""
    ours = urlsplit(place_to_change.installation.settings.base_url).netloc
    address = place_to_change.address_of(what)
    answers = [place_to_change.client.get(address)]
    if what.startswith("confirm"):
        answers += [place_to_change.client.post(address, data={"action": action}) for action in ("confirm", "not-me")]
    for answer in answers:
        for tag, at in Page(answer.get_data(as_text=True)).addresses():
            assert urlsplit(at).netloc in ("", ours, "localhost"), (tag, at)
            assert urlsplit(at).scheme in ("", "http", "https")


@pytest.mark.parametrize("what", PAGES)
def test_a_page_has_no_script_and_no_style_in_it(what: str, place: Place) -> None:
    page = Page(place.client.get(place.address_of(what)).get_data(as_text=True))
    assert not [element for element in page.elements if element.tag in {"style", "object", "embed"}]
    assert [element.text for element in page.all("script") if element.text] == []
    assert [urlsplit(element["src"]).path for element in page.all("script")] == SCRIPTS.get(what, [])
    attributes = {name for element in page.elements for name in element.attributes}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


@pytest.mark.parametrize("what", ["/organize/sign-in", "/organize/account/passkeys"])
def test_our_own_script_runs_where_passkeys_are_asked_for(what: str, place: Place) -> None:
    policy = place.client.get(what).headers["Content-Security-Policy"]
    assert policy.endswith("; script-src 'self'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.js")), ids=lambda path: str(path.name))
def test_a_script_talks_to_nobody(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    if path.name == "count.js":  # it asks this server how many have signed
        assert written.count('fetch(shown.dataset.count, { credentials: "omit" })') == 1
        for known in ("fetch(shown.", "window.fetch"):
            written = written.replace(known, "")
    if path.name == "challenge.js":  # it asks this server for the puzzle, once, where the page tells it to
        assert written.count('fetch(asked.dataset.puzzle, { credentials: "omit" })') == 1
        for known in ("fetch(asked.", "window.fetch", "subtle.importKey("):
            written = written.replace(known, "")
    if path.name == "embed.js":  # it asks the server of the petition that the website names for its count, once
        assert written.count("await fetch(`${named[1]}/p/${named[3]}/count.json`, how)") == 1
        assert 'credentials: "omit", referrerPolicy: "no-referrer"' in written
        assert not re.search(r"https?://\w", written)
        written = re.sub(r"https?|await fetch\(`", "", written)
    assert not re.findall(r"https?:|fetch|XMLHttp|WebSocket|import|eval|Function|innerHTML|Storage|cookie", written)


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda path: str(path.name))
def test_a_style_sheet_takes_nothing_from_another_server(path: Path) -> None:
    named = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+([^;]+)", path.read_text(encoding="utf-8"))
    assert [at for pair in named for at in pair if at and not at.startswith("data:")] == []


def test_over_https_browsers_are_told_to_stay_there(make_sqlite_installation: MakeInstallation) -> None:
    """And the cookie goes over nothing else."""
    installation = make_sqlite_installation(base_url="https://petition.example.org")
    client = create_app(installation).test_client()
    answer = client.get("/", base_url="https://petition.example.org")
    assert int(answer.headers["Strict-Transport-Security"].removeprefix("max-age=")) >= 31536000
    assert "Strict-Transport-Security" not in create_app(make_sqlite_installation()).test_client().get("/").headers
    signed = client.post(
        page_of(),
        data={"name": "A", "email": "a@example.org", "consent": "y"},
        headers=FROM_HERE,
        base_url="https://petition.example.org",
    )
    assert signed.status_code == 303
    assert "Secure" in signed.headers["Set-Cookie"]
