"""Each state of a petition as visitors see it, and as its owners change it."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.models import PetitionState, Role
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import close_petition, hand_over, note_answer, open_petition, pause_petition
from campaign.services.petitions.store import get_petition, load_petition
from campaign.web.public.petition_page import PREVIEW
from tests.conftest import SLUG
from tests.scenes.organizing import enroll, list_audit, send_form
from tests.scenes.people import find_petition
from tests.scenes.visiting import page_of, post, read

LANGUAGES = ("en", "ru", "kk")
NOTES = {"en": "The court has agreed.", "ru": "Суд согласился.", "kk": "Сот келісті."}
STATE = f"/organize/p/{SLUG}/state"
HEADINGS = {
    PetitionState.PAUSED: "Signing is paused",
    PetitionState.CLOSED: "This petition is closed",
    PetitionState.DELIVERED: "The signatures are handed over",
    PetitionState.ANSWERED: "There is an answer",
    PetitionState.WON: "The demands are met",
}


def put(installation: Installation, state: PetitionState) -> None:
    now = installation.now()
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        match state:
            case PetitionState.PAUSED:
                pause_petition(session, petition, NOTES, actor=COMMAND_LINE, now=now)
            case PetitionState.CLOSED:
                close_petition(session, petition, actor=COMMAND_LINE, now=now)
            case PetitionState.DELIVERED:
                close_petition(session, petition, actor=COMMAND_LINE, now=now)
                hand_over(session, petition, actor=COMMAND_LINE, now=now)
            case _:
                note_answer(session, petition, NOTES, won=state is PetitionState.WON, actor=COMMAND_LINE, now=now)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("state", HEADINGS)
def test_the_page_says_how_it_stands_in_place_of_the_form(
    app: Flask, installation: Installation, state: PetitionState, lang: str
) -> None:
    put(installation, state)
    client = app.test_client()
    answer = client.get(page_of(lang))
    page = read(answer)
    assert answer.cache_control.public
    assert page.all("form") == []
    assert page.by_id("sign-title").text == Language(lang).gettext(HEADINGS[state])
    has_note = state in {PetitionState.PAUSED, PetitionState.ANSWERED, PetitionState.WON}
    assert (NOTES[lang] in page.by_id("sign").text) == has_note
    refused = post(client, lang=lang)
    assert refused.status_code == 409
    assert [item.text for item in page.all("ol", **{"class": "demands"})]  # what was asked can still be read


def test_at_its_closing_time_the_form_goes_before_anybody_closes_it(app: Flask, installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).closes_at = installation.now() - timedelta(seconds=1)
    page = read(app.test_client().get(page_of()))
    assert page.all("form") == []
    assert page.by_id("sign-title").text == "This petition is closed"


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("en", "You can sign until 31 January 2027, 23:59 (time in Almaty)."),
        ("ru", "Подписать можно до 31 января 2027 г., 23:59 (время: Алматы)."),
        ("kk", "Қол қоюға болатын уақыт: 2027 ж. 31 қаңтар, 23:59 дейін (Алматы уақыты)."),
    ],
)
def test_the_page_says_until_when_it_can_be_signed(
    app: Flask, installation: Installation, lang: str, told: str
) -> None:
    assert not read(app.test_client().get(page_of(lang))).all("p", **{"class": "ends"})
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).closes_at = datetime(2027, 1, 31, 18, 59, 59, 999_999, tzinfo=UTC)
    page = read(app.test_client().get(page_of(lang)))
    assert page.one("p", **{"class": "ends"}).text.replace("\u00a0", " ") == told
    put(installation, PetitionState.CLOSED)
    assert not read(app.test_client().get(page_of(lang))).all("p", **{"class": "ends"})


def test_a_draft_is_seen_by_those_who_have_its_link(app: Flask, installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).state = PetitionState.DRAFT
    token = installation.vault.token(PREVIEW, find_petition(installation).id)
    client = app.test_client()
    assert client.get(page_of()).status_code == 404
    for lang in LANGUAGES:
        answer = client.get(f"{page_of(lang)}/preview/{token}")
        page = read(answer)
        assert page.by_id("sign-title").text == Language(lang).gettext("This is a preview")
        assert page.all("form") == []
        assert answer.cache_control.no_store
        assert page.one("meta", name="robots")["content"] == "noindex"
        languages = [link["href"] for link in page.all("a") if link["hreflang"]]
        assert len(languages) == 2
        assert all(client.get(address).status_code == 200 for address in languages)
    other = installation.vault.token(PREVIEW, find_petition(installation).id + 1)
    for wrong in ("nonsense", other, installation.vault.token("confirm", find_petition(installation).id)):
        assert client.get(f"{page_of()}/preview/{wrong}").status_code == 404


def test_once_it_is_open_the_link_leads_to_the_public_page(app: Flask, installation: Installation) -> None:
    token = installation.vault.token(PREVIEW, find_petition(installation).id)
    answer = app.test_client().get(f"{page_of()}/preview/{token}")
    assert (answer.status_code, answer.location) == (302, page_of())


def test_an_owner_pauses_it_and_opens_it_again(app: Flask, installation: Installation) -> None:
    owner = enroll(app, installation, Role.OWNER)
    notes = {f"note-{code}": text for code, text in NOTES.items()}
    assert send_form(owner, STATE, STATE, to="paused", **notes).status_code == 303
    assert find_petition(installation).state is PetitionState.PAUSED
    assert send_form(owner, STATE, STATE, to="paused", **notes).status_code == 303  # a second click
    assert send_form(owner, STATE, STATE, to="open").status_code == 303
    assert find_petition(installation).state is PetitionState.OPEN
    assert [action for _, action, _ in list_audit(installation)][-2:] == ["petition paused", "petition opened"]


def test_a_missing_language_loses_nothing_of_what_was_typed(app: Flask, installation: Installation) -> None:
    owner = enroll(app, installation, Role.OWNER)
    sent = send_form(owner, STATE, STATE, to="won", **{"note-en": "We won <b>", "note-ru": "", "note-kk": "x"})
    assert sent.status_code == 422
    page = read(sent)
    assert "“ru” too" in page.by_id("state-error").text
    assert page.by_id("won-en").text == "We won <b>"
    assert page.by_id("answered-en").text == ""
    assert find_petition(installation).state is PetitionState.OPEN


def test_a_draft_offers_its_links_to_its_owner(app: Flask, installation: Installation) -> None:
    owner = enroll(app, installation, Role.OWNER)
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).state = PetitionState.DRAFT
    links = [link["href"] for link in read(owner.get(STATE)).all("a") if "/preview/" in link["href"]]
    assert len(links) == 3
    assert {app.test_client().get(link).status_code for link in links} == {200}


def test_related_petitions_are_linked_and_drafts_are_not(app: Flask, installation: Installation) -> None:
    texts = {"slug": "other", "title": dict.fromkeys(LANGUAGES, "Free the miners")}
    with installation.database.sessions.begin() as session:
        file = read_petition_file(BUILT_IN).model_copy(update=texts)
        load_petition(session, file, actor=COMMAND_LINE, now=installation.now())
        get_petition(session, SLUG).related = ["other", "unknown"]
    client = app.test_client()
    assert page_of(slug="other") not in client.get(page_of()).get_data(as_text=True)
    with installation.database.sessions.begin() as session:
        open_petition(session, get_petition(session, "other"), actor=COMMAND_LINE, now=installation.now())
    assert read(client.get(page_of())).one("a", href=page_of(slug="other")).text == "Free the miners"
