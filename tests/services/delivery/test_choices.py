"""Readers' choices: who gets which edition, who does not and why, and that the ledger balances with all of them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from campaign.errors import InvalidInput
from campaign.installation.wiring import Campaign
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
from tests.conftest import SLUG, Clock, MakeCampaign
from tests.scenes.people import add_readers, confirm_all, find_petition, make_digest, send, sign
from tests.scenes.readers import choose, publish, rows_of, subscription_of
from tests.servers.smtp import Mailbox

EACH, MONTHLY, MILESTONES = ReaderFrequency
Q, ACCEPTED, SUPPRESSED = DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.SUPPRESSED
NAMES = ("each", "monthly", "milestones", "paused")
Rows = dict[str, list[tuple[DeliveryState, str | None]]]


def add_one_of_each(campaign: Campaign) -> None:
    add_readers(campaign, *(f"{name}@example.org" for name in NAMES))
    choose(campaign, "monthly@example.org", MONTHLY)
    choose(campaign, "milestones@example.org", MILESTONES)
    choose(campaign, "paused@example.org", paused=True)


def rows(campaign: Campaign) -> Rows:
    return {
        name: [(row.state, row.reason) for row in rows_of(campaign, subscription_of(campaign, f"{name}@example.org"))]
        for name in NAMES
    }


def texts(campaign: Campaign, edition: Edition) -> dict[Audience, str]:
    with campaign.database.snapshots() as session:
        found = session.scalars(
            select(EditionText).where(EditionText.edition_id == edition.id, EditionText.language == "en")
        )
        return {item.audience: item.text for item in found}


def set_milestones(campaign: Campaign, *milestones: int) -> None:
    with campaign.database.sessions.begin() as session:
        session.get_one(Petition, find_petition(campaign).id).milestones = list(milestones)


def cancel(campaign: Campaign, edition: Edition) -> None:
    with campaign.database.sessions.begin() as session:
        session.get_one(Edition, edition.id).state = EditionState.CANCELLED


def balances(campaign: Campaign) -> bool:
    with campaign.database.snapshots() as session:
        return all(account.balances for account in audit_ledger(session, find_petition(campaign)))


def test_each_reader_has_a_row_for_each_edition_and_who_does_not_want_it_has_the_reason(campaign: Campaign) -> None:
    add_one_of_each(campaign)
    set_milestones(campaign, 3, 100)
    first = make_digest(campaign, "first")
    publish(campaign, "one")
    second = make_digest(campaign, "second")
    assert (first.candidates, second.candidates) == (4, 4)
    assert rows(campaign) == {
        "each": [(Q, None), (Q, None)],
        "monthly": [(Q, None), (SUPPRESSED, ONE_A_MONTH)],
        "milestones": [(Q, None), (SUPPRESSED, NO_MILESTONE)],
        "paused": [(SUPPRESSED, PAUSED), (SUPPRESSED, PAUSED)],
    }
    assert balances(campaign)


def test_who_wants_milestones_gets_the_edition_that_tells_of_one_once(campaign: Campaign) -> None:
    add_one_of_each(campaign)
    set_milestones(campaign, 5, 100)
    make_digest(campaign, "first")
    sign(campaign, "fifth@example.org")
    confirm_all(campaign)
    make_digest(campaign, "second")
    sign(campaign, "sixth@example.org")
    confirm_all(campaign)
    make_digest(campaign, "third")
    assert rows(campaign)["milestones"] == [(SUPPRESSED, NO_MILESTONE), (Q, None), (SUPPRESSED, NO_MILESTONE)]


def test_the_ledger_balances_after_sending_to_readers_of_every_choice(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_one_of_each(campaign)
        set_milestones(campaign, 1000)
        edition = make_digest(campaign)
        send(campaign, Batch(DeliveryKind.DIGEST))
        recipients = sorted(message.recipients[0] for message in mailbox.messages)
    assert recipients == ["each@example.org", "monthly@example.org"]
    with campaign.database.snapshots() as session:
        _, account = audit_ledger(session, find_petition(campaign))
    assert (account.owed, account.states) == (edition.candidates, Counter({ACCEPTED: 2, SUPPRESSED: 2}))
    assert account.balances


def test_the_months_first_edition_tells_monthly_readers_all_since_their_last(campaign: Campaign, clock: Clock) -> None:
    add_one_of_each(campaign)
    november = make_digest(campaign, "november")
    publish(campaign, "late-november")
    assert set(texts(campaign, make_digest(campaign, "later in november"))) == {Audience.EACH}
    clock.turn(timedelta(days=10))
    publish(campaign, "december")
    told = texts(campaign, make_digest(campaign, "december"))
    assert set(texts(campaign, november)) == set(told) == {Audience.EACH, Audience.MONTHLY}
    assert "late-november" not in told[Audience.EACH]
    assert "late-november en" in told[Audience.MONTHLY]
    assert "december en" in told[Audience.EACH]
    assert "december en" in told[Audience.MONTHLY]
    publish(campaign, "late-december")
    assert set(texts(campaign, make_digest(campaign, "later in december"))) == {Audience.EACH}
    assert rows(campaign)["monthly"] == [
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
    campaign: Campaign, clock: Clock, moment: datetime, first_of_its_month: bool
) -> None:
    assert find_petition(campaign).timezone == "Asia/Almaty"
    add_one_of_each(campaign)
    make_digest(campaign, "november")
    publish(campaign, "one")
    clock.moment = moment
    assert (Audience.MONTHLY in texts(campaign, make_digest(campaign, "next"))) is first_of_its_month


def test_an_edition_for_monthly_readers_alone_tells_the_others_that_nothing_is_new(
    campaign: Campaign, clock: Clock
) -> None:
    add_one_of_each(campaign)
    make_digest(campaign, "november")
    publish(campaign, "one")
    make_digest(campaign, "later in november")
    clock.turn(timedelta(days=10))
    edition = make_digest(campaign, "december")
    assert (edition.number, edition.candidates) == (3, 4)
    assert set(texts(campaign, edition)) == {Audience.MONTHLY}
    last = {name: found[-1] for name, found in rows(campaign).items()}
    assert last == {
        "each": (SUPPRESSED, NOTHING_NEW),
        "monthly": (Q, None),
        "milestones": (SUPPRESSED, NO_MILESTONE),
        "paused": (SUPPRESSED, PAUSED),
    }
    assert balances(campaign)
    assert make_digest(campaign, "later in december").state is EditionState.SKIPPED


def test_without_monthly_readers_no_edition_is_made_for_them(campaign: Campaign, clock: Clock) -> None:
    add_readers(campaign, "each@example.org")
    make_digest(campaign, "november")
    publish(campaign, "one")
    make_digest(campaign, "later in november")
    clock.turn(timedelta(days=10))
    assert make_digest(campaign, "december").reason == NOTHING_NEW


def test_a_cancelled_edition_has_told_nobody_anything(campaign: Campaign) -> None:
    add_one_of_each(campaign)
    set_milestones(campaign, 3)
    publish(campaign, "one")
    cancelled = make_digest(campaign, "first")
    cancel(campaign, cancelled)
    with campaign.database.snapshots() as session:
        assert find_last_edition(session, find_petition(campaign).id) is None
    again = make_digest(campaign, "second")
    assert again.number == 2
    renumbered = {audience: text.replace("/digest/2", "/digest/1") for audience, text in texts(campaign, again).items()}
    assert renumbered == texts(campaign, cancelled)
    assert set(texts(campaign, again)) == {Audience.EACH, Audience.MONTHLY}
    assert rows(campaign)["milestones"][-1] == (Q, None)


def test_choices_hold_at_the_moment_of_sending(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, *(f"{name}@example.org" for name in NAMES))
        set_milestones(campaign, 1000)
        make_digest(campaign, "first")
        send(campaign, Batch(DeliveryKind.DIGEST))
        publish(campaign, "one")
        make_digest(campaign, "second")
        choose(campaign, "each@example.org", language="ru")
        choose(campaign, "monthly@example.org", MONTHLY)
        choose(campaign, "milestones@example.org", MILESTONES)
        choose(campaign, "paused@example.org", paused=True)
        send(campaign, Batch(DeliveryKind.DIGEST))
        last = mailbox.messages[-1]
    assert len(mailbox.messages) == len(NAMES) + 1
    assert last.recipients == ("each@example.org",)
    assert last.parsed["Content-Language"] == "ru"
    assert {name: found[-1] for name, found in rows(campaign).items()} == {
        "each": (ACCEPTED, "message: 250 2.0.0"),
        "monthly": (SUPPRESSED, ONE_A_MONTH),
        "milestones": (SUPPRESSED, NO_MILESTONE),
        "paused": (SUPPRESSED, PAUSED),
    }
    assert balances(campaign)


def test_a_language_that_the_petition_is_not_in_is_refused(campaign: Campaign) -> None:
    add_readers(campaign, "each@example.org")
    with pytest.raises(InvalidInput, match="languages"):
        choose(campaign, "each@example.org", language="fr", slug=SLUG)
    assert subscription_of(campaign, "each@example.org").language == "en"
