"""The Atom feed (RFC 4287) of each language."""

from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, publish_update
from tests.conftest import SLUG, START
from tests.scenes.visiting import page_of, read

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_feed_has_what_the_page_has_under_ids_that_stay(app: Flask, installation: Installation, lang: str) -> None:
    texts = dict.fromkeys(("en", "ru", "kk"), "Two & **three** <four>")
    update = UpdateTexts(key="hostile", date=START.date(), title=texts, body=texts)
    with installation.database.sessions.begin() as session:
        publish_update(session, get_petition(session, SLUG), update, actor=COMMAND_LINE, now=START)
    client = app.test_client()
    answer = client.get(f"{page_of(lang)}/feed.xml")
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    feed = ET.fromstring(answer.data)
    assert feed.tag == f"{ATOM}feed"
    page = read(client.get(f"{page_of(lang)}/updates"))
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        heading.text for article in page.all("article") for heading in page.all("h3") if heading.text in article.text
    ][: len(entries)]
    ids = [element.text or "" for element in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids) == len(entries) + 1
    assert ids[1] == f"{installation.links.updates(lang, SLUG)}#hostile"
    page.by_id("hostile")
    moments = [datetime.fromisoformat(element.text or "") for element in feed.iter(f"{ATOM}updated")]
    assert moments[0] == max(moments[1:])
    assert all(moment.tzinfo for moment in moments)
    content = entries[0].find(f"{ATOM}content")
    assert content is not None
    assert (content.get("type"), content.text) == ("html", "<p>Two &amp; <strong>three</strong> &lt;four&gt;</p>\n")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == installation.links.feed(lang, SLUG)


def test_it_is_found_from_the_pages_and_sent_once(app: Flask) -> None:
    client = app.test_client()
    for end in ("", "/updates"):
        found = read(client.get(page_of() + end)).one("link", type="application/atom+xml")
        assert (found["rel"], found["href"]) == ("alternate", f"{page_of()}/feed.xml")
    first = client.get(f"{page_of()}/feed.xml")
    again = client.get(f"{page_of()}/feed.xml", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/de/p/kazakhstan/feed.xml").status_code == 404
