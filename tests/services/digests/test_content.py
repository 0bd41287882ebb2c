"""Editions: what each one tells, that a period makes one, and that a skipped one loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import Audience, DeliveryKind, Edition, EditionState, EditionText, Schedule
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.digests.content import UNSUBSCRIBE_MARK, News, find_last_edition, gather_news
from campaign.services.digests.editions import AlreadyMade, list_editions, make_due_editions
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, list_updates, publish_update
from tests.conftest import SLUG, START, Clock
from tests.scenes.people import (
    add_readers,
    confirm_all,
    find_petition,
    get_subscription,
    list_deliveries,
    make_digest,
    sign,
    unsubscribe,
)

WEEK = timedelta(days=7)


def publish(installation: Installation, key: str) -> None:
    texts = {language: f"{key} {language}" for language in ("en", "ru", "kk")}
    with installation.database.sessions.begin() as session:
        publish_update(
            session,
            get_petition(session, SLUG),
            UpdateTexts(key=key, date=START.date(), title=texts, body=texts),
            actor=COMMAND_LINE,
            now=installation.now(),
        )


def news(installation: Installation) -> News:
    with installation.database.snapshots() as session:
        return gather_news(session, get_petition(session, SLUG))


def editions(installation: Installation) -> list[tuple[int | None, EditionState, str | None]]:
    """Oldest first."""
    with installation.database.snapshots() as session:
        made = list_editions(session, find_petition(installation).id)
    return [(edition.number, edition.state, edition.reason) for edition in reversed(made)]


def due_editions(installation: Installation) -> list[Edition]:
    with installation.database.sessions.begin() as session:
        return make_due_editions(session, installation.links, installation.dispatch, now=installation.now())


def set_paused(installation: Installation, *, paused: bool) -> None:
    with installation.database.sessions.begin() as session:
        session.get_one(Schedule, find_petition(installation).id).paused = paused


def test_an_edition_owes_one_mail_to_each_reader_and_tells_all_that_is_new(installation: Installation) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    add_readers(installation, "c@example.org", language="kk")
    sign(installation, "no-updates@example.org")
    confirm_all(installation)
    edition = make_digest(installation)
    assert (edition.number, edition.state, edition.candidates, edition.total) == (1, EditionState.SENDING, 3, 4)
    owed = [item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]
    assert {item.subscription_id for item in owed} == {
        get_subscription(installation, f"{name}@example.org").id for name in "abc"
    }
    with installation.database.snapshots() as session:
        texts = {item.language: item for item in session.scalars(select(EditionText))}
        updates = list_updates(session, edition.petition_id)
    assert set(texts) == {"en", "ru", "kk"}
    for language, frozen in texts.items():
        assert UNSUBSCRIBE_MARK in frozen.text
        assert UNSUBSCRIBE_MARK in frozen.html
        assert all(update.texts[language]["title"] in frozen.text for update in updates)


def test_an_update_is_in_exactly_one_of_two_editions(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    publish(installation, "one")
    before = [update.key for update in news(installation).updates]
    assert before[-1] == "one"
    first = make_digest(installation, "first")
    publish(installation, "two")
    sign(installation, "b@example.org")
    confirm_all(installation)
    assert [update.key for update in news(installation).updates] == ["two"]
    assert news(installation).signatures == 1
    second = make_digest(installation, "second")
    assert (second.number, second.last_update, second.total) == (2, first.last_update + 1, 2)
    assert news(installation).is_empty


def test_a_corrected_update_is_not_told_again(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    publish(installation, "one")
    make_digest(installation)
    publish(installation, "one")
    assert news(installation).is_empty


def test_an_edition_stays_as_it_was_made(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    edition = make_digest(installation)
    with installation.database.snapshots() as session:
        before = session.get_one(EditionText, (edition.id, "en", Audience.EACH)).text
    publish(installation, "afterwards")
    add_readers(installation, "b@example.org")
    with installation.database.snapshots() as session:
        assert session.get_one(EditionText, (edition.id, "en", Audience.EACH)).text == before
    assert sum(item.kind is DeliveryKind.DIGEST for item in list_deliveries(installation)) == 1


def test_with_nothing_new_the_run_is_skipped_and_the_window_stays(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    make_digest(installation, "first")
    clock.turn(WEEK)
    skipped = make_digest(installation, "second")
    assert (skipped.number, skipped.state, skipped.reason, skipped.candidates) == (
        None,
        EditionState.SKIPPED,
        "nothing new since the last edition",
        0,
    )
    assert sum(item.kind is DeliveryKind.DIGEST for item in list_deliveries(installation)) == 1
    publish(installation, "one")
    assert make_digest(installation, "third").number == 2


def test_with_nobody_to_read_it_the_run_is_skipped_and_the_first_reader_gets_it_all(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    unsubscribe(installation, "a@example.org")
    before = news(installation)
    assert make_digest(installation, "first").reason == "nobody is subscribed"
    after = news(installation)
    assert (after.signatures, [item.key for item in after.updates]) == (
        before.signatures,
        [item.key for item in before.updates],
    )
    add_readers(installation, "b@example.org")
    with installation.database.snapshots() as session:
        assert find_last_edition(session, find_petition(installation).id) is None
    assert make_digest(installation, "second").number == 1


def test_a_period_is_made_once(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    first = make_digest(installation, "friday")
    publish(installation, "one")
    add_readers(installation, "b@example.org")
    assert make_digest(installation, "friday").id == first.id
    assert sum(item.kind is DeliveryKind.DIGEST for item in list_deliveries(installation)) == 1


def test_an_edition_that_somebody_else_made_meanwhile_is_told(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    assert make_digest(installation, "click 1", after=0).number == 1
    publish(installation, "one")
    with pytest.raises(AlreadyMade, match="Edition 1 has been made"):
        make_digest(installation, "click 2", after=0)
    assert make_digest(installation, "click 3", after=1).number == 2


@pytest.mark.parametrize("periods", [("same", "same"), ("by hand", "by schedule")])
def test_two_at_once_make_one_numbered_edition(installation: Installation, periods: tuple[str, str]) -> None:
    add_readers(installation, *(f"reader{number}@example.org" for number in range(10)))
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda period: make_digest(installation, period), periods))
    assert [number for number, _, _ in editions(installation) if number] == [1]
    assert sum(item.kind is DeliveryKind.DIGEST for item in list_deliveries(installation)) == 10


def test_a_schedule_makes_one_edition_when_it_is_due_however_late(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    assert due_editions(installation) == []
    clock.turn(4 * WEEK)
    (edition,) = due_editions(installation)
    assert edition.period == "scheduled for 2026-11-27T05:00:00+00:00"
    assert due_editions(installation) == []
    with installation.database.snapshots() as session:
        assert session.get_one(Schedule, edition.petition_id).next_at > clock()


def test_two_schedulers_make_one_edition(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    clock.turn(WEEK)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: due_editions(installation), range(4)))
    assert sorted(map(len, made)) == [0, 0, 0, 1]
    assert len(editions(installation)) == 1


def test_a_paused_schedule_makes_nothing_and_a_resumed_one_makes_one(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    set_paused(installation, paused=True)
    clock.turn(3 * WEEK)
    assert due_editions(installation) == []
    set_paused(installation, paused=False)
    assert len(due_editions(installation)) == 1


def test_a_run_that_is_skipped_moves_the_schedule_on(installation: Installation, clock: Clock) -> None:
    clock.turn(WEEK)
    assert [edition.state for edition in due_editions(installation)] == [EditionState.SKIPPED]
    assert due_editions(installation) == []


def test_a_link_of_the_text_has_its_own_line_and_the_footer_is_a_signature(installation: Installation) -> None:
    """An answer in plain text leaves a signature out (RFC 3676 §4.3), and with it the reader's own links."""
    add_readers(installation, "a@example.org")
    publish(installation, "news")
    make_digest(installation)
    with installation.database.snapshots() as session:
        texts = [frozen.text for frozen in session.scalars(select(EditionText))]
    assert texts
    for text in texts:
        shown, _, footer = text.partition("\n-- \n")
        assert UNSUBSCRIBE_MARK in footer
        assert UNSUBSCRIBE_MARK not in shown
        assert all(" " not in line for line in text.splitlines() if "https://" in line or "@@" in line)
