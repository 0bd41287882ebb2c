"""The page of an edition, for whoever follows “view in the browser”: what was sent, without what is one reader's."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.models import Edition, EditionState
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, publish_update
from tests.conftest import SLUG, START
from tests.scenes.page import Page
from tests.scenes.people import add_readers, confirm_all, make_digest, sign
from tests.scenes.visiting import links_in, mails, page_of, read

LANGUAGES = ("en", "ru", "kk")


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    return sqlite_installation


def publish(installation: Installation) -> None:
    texts = dict.fromkeys(LANGUAGES, "We are {count} of {goal} at {petition_url}")
    update = UpdateTexts(key="counted", date=START.date(), title=texts, body=texts)
    with installation.database.sessions.begin() as session:
        publish_update(session, get_petition(session, SLUG), update, actor=COMMAND_LINE, now=START)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_link_in_the_mail_leads_to_what_the_mail_says(app: Flask, installation: Installation, lang: str) -> None:
    add_readers(installation, "reader@example.org", language=lang)
    make_digest(installation)
    (mail,) = (mail for mail in mails(installation) if "/unsubscribe/" in mail)
    (path,) = (link for link in links_in(mail) if "/digest/" in link)
    answer = app.test_client().get(path)
    page = Page(answer.get_data(as_text=True))
    assert (answer.status_code, path) == (200, f"{page_of(lang)}/digest/1")
    assert page.one("html")["lang"] == lang
    for heading in page.all("h2"):
        assert heading.text in mail
    addresses = {at for _, at in page.addresses()}
    assert addresses == {installation.links.petition(lang, SLUG), installation.links.updates(lang, SLUG)}


def test_it_may_be_kept_and_shown_by_anybody_and_runs_nothing(app: Flask, installation: Installation) -> None:
    add_readers(installation, "reader@example.org")
    make_digest(installation)
    client = app.test_client()
    answers = [client.get(f"{page_of()}/digest/1"), client.get(f"{page_of()}/digest/1")]
    headers = answers[0].headers
    assert answers[0].data == answers[1].data
    assert headers["Cache-Control"] == "public, max-age=3600"
    assert "Set-Cookie" not in headers
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "sandbox" in headers["Content-Security-Policy"]
    page = Page(answers[0].get_data(as_text=True))
    assert not [element for element in page.elements if element.tag in {"script", "style", "link", "img"}]
    assert not re.search(r"@@|/unsubscribe/|/me/", answers[0].get_data(as_text=True))


def test_what_is_not_there_is_said_so(app: Flask, installation: Installation) -> None:
    add_readers(installation, "reader@example.org")
    make_digest(installation)
    client = app.test_client()
    asked = ["/digest/0", "/digest/2", "/digest/1000000", "/digest/99999999999999999999", "/digest/one", "/digest/"]
    assert {client.get(page_of() + end).status_code for end in asked} == {404}
    assert client.get(f"{page_of('de')}/digest/1").status_code == 404
    with installation.database.sessions.begin() as session:
        session.scalars(select(Edition)).one().state = EditionState.CANCELLED
    assert client.get(f"{page_of()}/digest/1").status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_earlier_digests_are_listed_newest_first(app: Flask, installation: Installation, lang: str) -> None:
    client = app.test_client()
    assert "/digest/" not in client.get(f"{page_of(lang)}/updates").get_data(as_text=True)
    add_readers(installation, "a@example.org")
    make_digest(installation, "first")
    add_readers(installation, "b@example.org")
    make_digest(installation, "second")
    page = read(client.get(f"{page_of(lang)}/updates"))
    listed = [at for _, at in page.addresses() if "/digest/" in at]
    assert listed == [f"{page_of(lang)}/digest/2", f"{page_of(lang)}/digest/1"]
    assert " ".join(Language(lang).date(START.date()).split()) in page.one("a", href=listed[0]).text
    assert client.get(listed[0]).status_code == 200


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("end", ["", "/updates"])
def test_pages_tell_the_numbers_of_now_and_the_edition_those_of_its_day(
    app: Flask, installation: Installation, lang: str, end: str
) -> None:
    add_readers(installation, "a@example.org")
    publish(installation)
    make_digest(installation)
    sign(installation, "b@example.org")
    confirm_all(installation)
    goal, address = " ".join(Language(lang).number(10_000).split()), installation.links.petition(lang, SLUG)
    client = app.test_client()
    shown = read(client.get(page_of(lang) + end)).by_id("counted")
    assert shown.text.count(f"We are 2 of {goal} at {address}") == 2
    sent = Page(client.get(f"{page_of(lang)}/digest/1").get_data(as_text=True))
    assert sent.text.count(f"We are 1 of {goal} at {address}") == 2
