"""A crawler that follows every link of the public pages learns of nobody who did not want to be named."""

from urllib.parse import urljoin, urlsplit

from flask import Flask

from campaign.installation.wiring import Installation
from campaign.models import Display
from tests.scenes.page import Page
from tests.scenes.people import add_readers, confirm_all, make_digest, sign

PEOPLE = {Display.NAME: "Openname", Display.INITIALS: "Initialname", Display.HIDDEN: "Hiddenname"}


def crawl(app: Flask) -> dict[str, str]:
    """Each page that can be reached without a link from a mail, with all that it says."""
    client = app.test_client()
    found: dict[str, str] = {}
    waiting = ["/"]
    while waiting:
        at = waiting.pop()
        if at in found or at.startswith(("/outbox", "/static")):  # the outbox is for this machine alone
            continue
        answer = client.get(at, buffered=True)
        found[at] = answer.get_data().decode(errors="replace")
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        page = Page(found[at])
        links = [element["href"] or element["src"] for tag in ("a", "link", "iframe") for element in page.all(tag)]
        links += [form["action"] for form in page.all("form")]
        for link in links:
            parts = urlsplit(urljoin(f"http://localhost{at}", link))
            if parts.hostname in {"localhost", "127.0.0.1"}:
                waiting.append(parts.path)
    return found


def test_a_crawler_finds_nothing_of_those_who_signed(app: Flask, installation: Installation) -> None:
    for display, name in PEOPLE.items():
        for number in range(3):
            email = f"{name.lower()}{number}@example.org"
            sign(installation, email, name=f"{name} Number{number}", comment=f"Comment of {name}", display=display)
    add_readers(installation, "reader@example.org")
    confirm_all(installation)
    make_digest(installation)
    pages = crawl(app)
    assert len([at for at in pages if "/p/" in at]) > 6
    for at, said in pages.items():
        named = [name for display, name in PEOPLE.items() if display is not Display.NAME and name in said]
        assert named == [], at
        assert "Comment of" not in said, at
        assert "name0@" not in said, at
        assert "reader@example.org" not in said, at
