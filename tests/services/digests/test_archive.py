"""Editions shown to others than their readers: the preview is the mail to come, the public page the mail that went."""

import pytest
from sqlalchemy import select

from campaign.errors import NotFound
from campaign.installation.wiring import Installation
from campaign.models import Audience, Edition, EditionState, EditionText, ReaderFrequency
from campaign.services.digests.archive import Preview, get_public_edition, list_public_editions, preview_digest
from campaign.services.digests.content import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.people import add_readers, confirm_all, make_digest, sign

LANGUAGES = ("en", "ru", "kk")


def preview(installation: Installation, frequency: ReaderFrequency = ReaderFrequency.EACH, *languages: str) -> Preview:
    with installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        return preview_digest(
            session, petition, installation.links, now=installation.now(), languages=languages, frequency=frequency
        )


def public(installation: Installation, language: str, number: int) -> str:
    with installation.database.snapshots() as session:
        return get_public_edition(session, get_petition(session, SLUG), language, number)


def listed(installation: Installation, language: str) -> list[int | None]:
    with installation.database.snapshots() as session:
        found = list_public_editions(session, get_petition(session, SLUG).id, language)
        return [edition.number for edition in found]


def set_state(installation: Installation, state: EditionState) -> None:
    with installation.database.sessions.begin() as session:
        session.scalars(select(Edition)).one().state = state


def test_a_preview_is_the_next_mail_but_for_links_that_nobody_has_yet(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    make_digest(installation, "first")
    add_readers(installation, "b@example.org")
    sample = preview(installation)
    made = {text.language: text for text in make_digest(installation, "second").texts}
    assert sample.number == 2
    assert set(sample.contents) == set(made) == set(LANGUAGES)
    for language, content in sample.contents.items():
        frozen, page = made[language], installation.links.edition(language, SLUG, 2)
        assert content.subject == frozen.subject
        own = {UNSUBSCRIBE_MARK: "/unsubscribe/…", PREFERENCES_MARK: "/me/…"}
        text, html = frozen.text, frozen.html
        for mark, shown in own.items():
            text = text.replace(mark, installation.links.base_url + shown)
            html = html.replace(f' href="{mark}"', "")
        assert content.text == text
        assert page in text
        assert content.html == html.replace(f' href="{page}"', "")
        assert "@@" not in content.text + content.html


def test_a_preview_is_for_the_languages_asked_for(installation: Installation) -> None:
    assert set(preview(installation, ReaderFrequency.EACH, "kk").contents) == {"kk"}


def test_readers_who_want_milestones_only_get_an_edition_that_passes_one(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    assert preview(installation).reaches_them
    assert preview(installation, ReaderFrequency.MONTHLY).reaches_them
    assert not preview(installation, ReaderFrequency.MILESTONES).reaches_them
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).milestones = [1]
    assert preview(installation, ReaderFrequency.MILESTONES).reaches_them


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_edition_is_public_as_it_was_sent_without_the_readers_part(
    installation: Installation, language: str
) -> None:
    add_readers(installation, "a@example.org")
    frozen = {text.language: text.html for text in make_digest(installation).texts}[language]
    before = public(installation, language, 1)
    sign(installation, "b@example.org")
    confirm_all(installation)
    assert public(installation, language, 1) == before
    beginning, _, rest = frozen.partition("<!--reader-->")
    assert before == beginning + rest.partition("<!--/reader-->")[2]
    assert "@@" not in before
    assert "/unsubscribe/" not in before
    assert f'lang="{language}"' in before


@pytest.mark.parametrize("state", EditionState)
def test_an_edition_is_public_from_when_its_sending_began(
    sqlite_installation: Installation, state: EditionState
) -> None:
    if state is EditionState.SKIPPED:
        make_digest(sqlite_installation)  # nobody is subscribed; it has no number
    else:
        add_readers(sqlite_installation, "a@example.org")
        make_digest(sqlite_installation)
        set_state(sqlite_installation, state)
    if state in {EditionState.SENDING, EditionState.PAUSED, EditionState.SENT}:
        assert public(sqlite_installation, "en", 1)
        assert listed(sqlite_installation, "en") == [1]
    else:
        with pytest.raises(NotFound):
            public(sqlite_installation, "en", 1)
        assert listed(sqlite_installation, "en") == []


def test_only_what_goes_to_readers_of_each_edition_is_public(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    edition = make_digest(installation, "first")
    add_readers(installation, "b@example.org")
    make_digest(installation, "second")
    with installation.database.sessions.begin() as session:
        session.delete(session.get_one(EditionText, (edition.id, "kk", Audience.EACH)))
    assert listed(installation, "en") == [2, 1]
    assert listed(installation, "kk") == [2]
    with pytest.raises(NotFound):
        public(installation, "kk", 1)


def test_marks_that_stand_elsewhere_lead_nowhere(installation: Installation) -> None:
    """In an edition that was made before the template had its readers' part between marks."""
    add_readers(installation, "a@example.org")
    edition = make_digest(installation)
    with installation.database.sessions.begin() as session:
        old = session.get_one(EditionText, (edition.id, "en", Audience.EACH))
        old.html = f'<p>Stop: <a style="x" href="{UNSUBSCRIBE_MARK}">here</a></p>'
    assert public(installation, "en", 1) == '<p>Stop: <a style="x">here</a></p>'
