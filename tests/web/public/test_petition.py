"""The petition's public pages: in each language all that a reader needs, and nothing where there is nothing."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_schema import UpdateFile
from campaign.services.petitions.lifecycle import close_petition
from campaign.services.petitions.store import get_petition, load_petition, publish_update
from tests.conftest import SLUG, Clock
from tests.scenes import campaign_files
from tests.scenes.page import Page
from tests.scenes.people import add_readers, confirm, find_petition, sign
from tests.scenes.visiting import FILLED_IN, dump, page_of, post, read

LANGUAGES = ["en", "ru", "kk"]
COUNTS = {
    "en": "2 people have signed, of a goal of 10,000",
    "ru": "2 человека подписали",
    "kk": "10 000",
}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


def plain(markdown: str) -> str:
    """The words of a text without its marks, to be looked for among a page's words."""
    return " ".join(re.sub(r"^- |[*_#]", "", markdown, flags=re.MULTILINE).split())


def spaces(text: str) -> str:
    """The text with one kind of space: numbers have others in them."""
    return " ".join(text.split())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_tells_who_asks_whom_for_what_and_what_it_may_cost(
    app: Flask, installation: Installation, lang: str
) -> None:
    """Title, addressee, demands, reasons, risk, source and what happened, in the reader's language and order."""
    petition = find_petition(installation)
    answer = app.test_client().get(page_of(lang))
    page = read(answer)
    assert (answer.status_code, page.one("html")["lang"]) == (200, lang)
    texts = petition.texts[lang]
    assert page.one("h1").text == page.one("title").text == texts["title"]
    for name in ("addressee", "risk_note", "source"):
        assert plain(texts[name].strip()) in page.text.replace("*", "")
    assert spaces(plain(texts["call"])) in page.text
    for entry in petition.timeline:
        assert entry["text"][lang] in page.text
        assert spaces(Language(lang).iso_date(entry["date"])) in page.text
    assert page.one("meta", name="description")["content"] == texts["summary"]
    assert page.one("a", href=petition.source_url).text == texts["source"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_demands_stand_in_their_order(app: Flask, installation: Installation, lang: str) -> None:
    with installation.database.snapshots() as session:
        demands = [demand.texts[lang] for demand in get_petition(session, SLUG).demands]
    shown = read(app.test_client().get(page_of(lang))).one("ol", **{"class": "demands"}).text
    assert shown == " ".join(f"{demand['title']} {demand['text']}" for demand in demands)
    assert len(demands) == 4


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_tells_how_many_have_signed_and_how_many_are_wanted(
    app: Flask, installation: Installation, lang: str
) -> None:
    """Whoever has not confirmed is not counted."""
    add_readers(installation, "a@example.org", "b@example.org")
    sign(installation, "pending@example.org")
    page = read(app.test_client().get(page_of(lang)))
    assert COUNTS[lang] in page.one("div", **{"class": "progress"}).text
    assert spaces(Language(lang).number(10_000)) in page.text
    assert (page.one("progress")["value"], page.one("progress")["max"]) == ("2", "10000")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_and_the_updates_page_tell_what_is_new(app: Flask, installation: Installation, lang: str) -> None:
    """The newest first; the petition's page shows three, the updates page all."""
    body = "One **bold** word."
    with installation.database.sessions.begin() as session:
        for number in range(4):
            texts = {code: f"News {number} {code}" for code in LANGUAGES}
            day = (installation.now() + timedelta(days=number)).date()
            update = UpdateFile(key=f"n{number}", date=day, title=texts, body=dict.fromkeys(LANGUAGES, body))
            publish_update(session, get_petition(session, SLUG), update, actor=COMMAND_LINE, now=installation.now())
    front = read(app.test_client().get(page_of(lang)))
    assert [heading.text for heading in front.all("h3") if heading["id"] != "risk-title"] == [
        f"News {number} {lang}" for number in (3, 2, 1)
    ]
    everything = read(app.test_client().get(page_of(lang) + "/updates"))
    titles = [heading.text for heading in everything.all("h3")]
    assert titles[:4] == [f"News {number} {lang}" for number in (3, 2, 1, 0)]
    assert len(titles) > 4
    assert "One bold word." in everything.text
    assert "bold" in [element.text for element in everything.all("strong")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_reader_can_change_the_language(app: Flask, lang: str) -> None:
    others = [code for code in LANGUAGES if code != lang]
    for address in (page_of(lang), page_of(lang) + "/updates", page_of(lang) + "/check-your-mail"):
        page = read(app.test_client().get(address))
        ways = [link["href"] for link in page.all("a") if link["hreflang"]]
        assert ways == [address.replace(f"/{lang}/", f"/{code}/") for code in others]
        assert page.one("span", **{"aria-current": "true"}).text == Language(lang).own_name


@pytest.mark.parametrize("address", ["/xx/p/kazakhstan", "/de/p/kazakhstan", "/en/p/unknown", "/en/p/draft"])
@pytest.mark.parametrize("end", ["", "/updates", "/check-your-mail"])
def test_where_there_is_no_such_petition_in_the_language_a_page_says_so(
    app: Flask, installation: Installation, address: str, end: str
) -> None:
    with installation.database.sessions.begin() as session:
        file = campaign_files.read(installation.settings.data_dir, ('slug = "small"', 'slug = "draft"'))
        load_petition(session, file, actor=COMMAND_LINE, now=installation.now())
    for answer in (app.test_client().get(address + end), app.test_client().post(address, data=FILLED_IN)):
        assert answer.status_code == 404
        assert "There is nothing here" in read(answer).one("h1").text


def test_the_count_of_a_draft_is_nobodys_to_read(app: Flask, installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        load_petition(
            session, campaign_files.read(installation.settings.data_dir), actor=COMMAND_LINE, now=installation.now()
        )
    statuses = [app.test_client().get(f"/p/{slug}/count.json").status_code for slug in ("small", "unknown", SLUG)]
    assert statuses == [404, 404, 200]


def test_a_closed_petition_shows_what_it_asked_for_and_takes_no_signature(
    app: Flask, installation: Installation
) -> None:
    add_readers(installation, "a@example.org")
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=installation.now())
    before = dump(installation)
    page = read(app.test_client().get(page_of()))
    assert page.all("form") == []
    # It can still be passed on.
    assert {button["data-does"] for button in page.all("button")} == {"share", "copy"}
    assert "This petition is closed" in page.text
    assert find_petition(installation).texts["en"]["title"] == page.one("h1").text
    answer = post(app.test_client(), email="late@example.org")
    assert answer.status_code == 409
    assert "This petition is closed" in read(answer).one("h1").text
    assert dump(installation) == before


def test_who_signed_before_the_end_can_still_confirm(app: Flask, installation: Installation, clock: Clock) -> None:
    sign(installation, "early@example.org")
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=installation.now())
    clock.turn(timedelta(hours=71))
    confirm(installation, "early@example.org")
    assert app.test_client().get(f"/p/{SLUG}/count.json").get_json()["confirmed"] == 1


@pytest.mark.parametrize(
    ("wanted", "lang"), [("kk", "kk"), ("ru-RU, en;q=0.5", "ru"), ("fr, ru;q=0.3", "ru"), ("fr", "en"), ("", "en")]
)
def test_the_front_page_lists_open_petitions_in_the_readers_language(
    app: Flask, installation: Installation, wanted: str, lang: str
) -> None:
    page = Page(app.test_client().get("/", headers={"Accept-Language": wanted}).get_data(as_text=True))
    assert page.one("html")["lang"] == lang
    assert page.one("a", href=page_of(lang)).text == find_petition(installation).texts[lang]["title"]
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=installation.now())
    page = Page(app.test_client().get("/", headers={"Accept-Language": wanted}).get_data(as_text=True))
    assert [heading.text for heading in page.all("h2")] == [Language(lang).gettext("Earlier petitions")]
    assert page.one("a", href=page_of(lang)).text == find_petition(installation).texts[lang]["title"]


def test_a_signature_without_javascript_or_tick_marks_hides_the_name(app: Flask) -> None:
    """Hidden is chosen beforehand; all else that is ticked is the visitor's to tick."""
    page = read(app.test_client().get(page_of()))
    assert [radio["value"] for radio in page.all("input", type="radio") if "checked" in radio.attributes] == ["hidden"]
    boxes = page.all("input", type="checkbox")
    assert {box["name"] for box in boxes} == {"consent", "updates", "comment_public"}
    assert not [box["name"] for box in boxes if "checked" in box.attributes]
