"""Readers' choices: who gets which edition, who does not and why, and that the ledger balances with all of them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from campaign.errors import InvalidInput
from campaign.installation.wiring import Installation
from campaign.models import (
    Audience,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    EditionText,
    Petition,
    ReaderFrequency,
)
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.audiences import NO_MILESTONE, NOTHING_NEW, ONE_A_MONTH, PAUSED
from campaign.services.digests.content import find_last_edition
from tests.conftest import SLUG, Clock, MakeInstallation
from tests.scenes.people import add_readers, confirm_all, find_petition, make_digest, send, sign
from tests.scenes.readers import choose, publish, rows_of, subscription_of
from tests.servers.smtp import Mailbox

EACH, MONTHLY, MILESTONES = ReaderFrequency
Q, ACCEPTED, SUPPRESSED = DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.SUPPRESSED
NAMES = ("each", "monthly", "milestones", "paused")
Rows = dict[str, list[tuple[DeliveryState, str | None]]]


def add_one_of_each(installation: Installation) -> None:
    add_readers(installation, *(f"{name}@example.org" for name in NAMES))
    choose(installation, "monthly@example.org", MONTHLY)
    choose(installation, "milestones@example.org", MILESTONES)
    choose(installation, "paused@example.org", paused=True)


def rows(installation: Installation) -> Rows:
    return {
        name: [
            (row.state, row.reason)
            for row in rows_of(installation, subscription_of(installation, f"{name}@example.org"))
        ]
        for name in NAMES
    }


def texts(installation: Installation, edition: Edition) -> dict[Audience, str]:
    with installation.database.snapshots() as session:
        found = session.scalars(
            select(EditionText).where(EditionText.edition_id == edition.id, EditionText.language == "en")
        )
        return {item.audience: item.text for item in found}


def set_milestones(installation: Installation, *milestones: int) -> None:
    with installation.database.sessions.begin() as session:
        session.get_one(Petition, find_petition(installation).id).milestones = list(milestones)


def cancel(installation: Installation, edition: Edition) -> None:
    with installation.database.sessions.begin() as session:
        session.get_one(Edition, edition.id).state = EditionState.CANCELLED


def balances(installation: Installation) -> bool:
    with installation.database.snapshots() as session:
        return all(account.balances for account in audit_ledger(session, find_petition(installation)))


def test_each_reader_has_a_row_for_each_edition_and_who_does_not_want_it_has_the_reason(
    installation: Installation,
) -> None:
    add_one_of_each(installation)
    set_milestones(installation, 3, 100)
    first = make_digest(installation, "first")
    publish(installation, "one")
    second = make_digest(installation, "second")
    assert (first.candidates, second.candidates) == (4, 4)
    assert rows(installation) == {
        "each": [(Q, None), (Q, None)],
        "monthly": [(Q, None), (SUPPRESSED, ONE_A_MONTH)],
        "milestones": [(Q, None), (SUPPRESSED, NO_MILESTONE)],
        "paused": [(SUPPRESSED, PAUSED), (SUPPRESSED, PAUSED)],
    }
    assert balances(installation)


def test_who_wants_milestones_gets_the_edition_that_tells_of_one_once(installation: Installation) -> None:
    add_one_of_each(installation)
    set_milestones(installation, 5, 100)
    make_digest(installation, "first")
    sign(installation, "fifth@example.org")
    confirm_all(installation)
    make_digest(installation, "second")
    sign(installation, "sixth@example.org")
    confirm_all(installation)
    make_digest(installation, "third")
    assert rows(installation)["milestones"] == [(SUPPRESSED, NO_MILESTONE), (Q, None), (SUPPRESSED, NO_MILESTONE)]


def test_the_ledger_balances_after_sending_to_readers_of_every_choice(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_one_of_each(installation)
        set_milestones(installation, 1000)
        edition = make_digest(installation)
        send(installation, Batch(DeliveryKind.DIGEST))
        recipients = sorted(message.recipients[0] for message in mailbox.messages)
    assert recipients == ["each@example.org", "monthly@example.org"]
    with installation.database.snapshots() as session:
        _, account = audit_ledger(session, find_petition(installation))
    assert (account.owed, account.states) == (edition.candidates, Counter({ACCEPTED: 2, SUPPRESSED: 2}))
    assert account.balances


def test_the_months_first_edition_tells_monthly_readers_all_since_their_last(
    installation: Installation, clock: Clock
) -> None:
    add_one_of_each(installation)
    november = make_digest(installation, "november")
    publish(installation, "late-november")
    assert set(texts(installation, make_digest(installation, "later in november"))) == {Audience.EACH}
    clock.turn(timedelta(days=10))
    publish(installation, "december")
    told = texts(installation, make_digest(installation, "december"))
    assert set(texts(installation, november)) == set(told) == {Audience.EACH, Audience.MONTHLY}
    assert "late-november" not in told[Audience.EACH]
    assert "late-november en" in told[Audience.MONTHLY]
    assert "december en" in told[Audience.EACH]
    assert "december en" in told[Audience.MONTHLY]
    publish(installation, "late-december")
    assert set(texts(installation, make_digest(installation, "later in december"))) == {Audience.EACH}
    assert rows(installation)["monthly"] == [
        (Q, None),
        (SUPPRESSED, ONE_A_MONTH),
        (Q, None),
        (SUPPRESSED, ONE_A_MONTH),
    ]


@pytest.mark.parametrize(
    ("moment", "first_of_its_month"),
    [
        (datetime(2026, 11, 30, 18, 59, tzinfo=UTC), False),  # 23:59 in Almaty
        (datetime(2026, 11, 30, 19, 0, tzinfo=UTC), True),  # midnight there: December
    ],
)
def test_the_month_begins_in_the_petitions_timezone(
    installation: Installation, clock: Clock, moment: datetime, first_of_its_month: bool
) -> None:
    assert find_petition(installation).timezone == "Asia/Almaty"
    add_one_of_each(installation)
    make_digest(installation, "november")
    publish(installation, "one")
    clock.moment = moment
    assert (Audience.MONTHLY in texts(installation, make_digest(installation, "next"))) is first_of_its_month


def test_an_edition_for_monthly_readers_alone_tells_the_others_that_nothing_is_new(
    installation: Installation, clock: Clock
) -> None:
    add_one_of_each(installation)
    make_digest(installation, "november")
    publish(installation, "one")
    make_digest(installation, "later in november")
    clock.turn(timedelta(days=10))
    edition = make_digest(installation, "december")
    assert (edition.number, edition.candidates) == (3, 4)
    assert set(texts(installation, edition)) == {Audience.MONTHLY}
    last = {name: found[-1] for name, found in rows(installation).items()}
    assert last == {
        "each": (SUPPRESSED, NOTHING_NEW),
        "monthly": (Q, None),
        "milestones": (SUPPRESSED, NO_MILESTONE),
        "paused": (SUPPRESSED, PAUSED),
    }
    assert balances(installation)
    assert make_digest(installation, "later in december").state is EditionState.SKIPPED


def test_without_monthly_readers_no_edition_is_made_for_them(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "each@example.org")
    make_digest(installation, "november")
    publish(installation, "one")
    make_digest(installation, "later in november")
    clock.turn(timedelta(days=10))
    assert make_digest(installation, "december").reason == NOTHING_NEW


def test_a_cancelled_edition_has_told_nobody_anything(installation: Installation) -> None:
    add_one_of_each(installation)
    set_milestones(installation, 3)
    publish(installation, "one")
    cancelled = make_digest(installation, "first")
    cancel(installation, cancelled)
    with installation.database.snapshots() as session:
        assert find_last_edition(session, find_petition(installation).id) is None
    again = make_digest(installation, "second")
    assert again.number == 2
    renumbered = {
        audience: text.replace("/digest/2", "/digest/1") for audience, text in texts(installation, again).items()
    }
    assert renumbered == texts(installation, cancelled)
    assert set(texts(installation, again)) == {Audience.EACH, Audience.MONTHLY}
    assert rows(installation)["milestones"][-1] == (Q, None)


def test_choices_hold_at_the_moment_of_sending(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *(f"{name}@example.org" for name in NAMES))
        set_milestones(installation, 1000)
        make_digest(installation, "first")
        send(installation, Batch(DeliveryKind.DIGEST))
        publish(installation, "one")
        make_digest(installation, "second")
        choose(installation, "each@example.org", language="ru")
        choose(installation, "monthly@example.org", MONTHLY)
        choose(installation, "milestones@example.org", MILESTONES)
        choose(installation, "paused@example.org", paused=True)
        send(installation, Batch(DeliveryKind.DIGEST))
        last = mailbox.messages[-1]
    assert len(mailbox.messages) == len(NAMES) + 1
    assert last.recipients == ("each@example.org",)
    assert last.parsed["Content-Language"] == "ru"
    assert {name: found[-1] for name, found in rows(installation).items()} == {
        "each": (ACCEPTED, "message: 250 2.0.0"),
        "monthly": (SUPPRESSED, ONE_A_MONTH),
        "milestones": (SUPPRESSED, NO_MILESTONE),
        "paused": (SUPPRESSED, PAUSED),
    }
    assert balances(installation)


def test_a_language_that_the_petition_is_not_in_is_refused(installation: Installation) -> None:
    add_readers(installation, "each@example.org")
    with pytest.raises(InvalidInput, match="languages"):
        choose(installation, "each@example.org", language="fr", slug=SLUG)
    assert subscription_of(installation, "each@example.org").language == "en"
