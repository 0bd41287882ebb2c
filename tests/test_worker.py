"""The worker over a real SMTP server: what is owed arrives once, whatever the server says and whoever was killed."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from campaign.errors import AlreadyRunning, CampaignError
from campaign.installation.leases import heartbeats
from campaign.installation.wiring import Campaign
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, EditionState, Heartbeat, SignatureState
from campaign.services.delivery.ledger import move
from campaign.services.digests.content import find_last_edition
from campaign.services.digests.editions import make_edition
from campaign.services.petitions.store import get_petition
from campaign.worker import _only_one, work_once
from tests.conftest import SLUG, Clock, MakeCampaign
from tests.scenes.people import (
    add_readers,
    find_petition,
    get_signature,
    get_signature_by_id,
    list_deliveries,
    sign,
)
from tests.servers.smtp import Mailbox, Received

Q, SENDING, ACCEPTED, DEFERRED, REJECTED, SUPPRESSED, IN_DOUBT = DeliveryState


def states(campaign: Campaign, kind: DeliveryKind = DeliveryKind.CONFIRMATION) -> Counter[DeliveryState]:
    return Counter(item.state for item in list_deliveries(campaign) if item.kind is kind)


def recipients(messages: list[Received]) -> list[str]:
    return sorted(message.recipients[0] for message in messages)


def enqueue_digest(campaign: Campaign) -> Edition:
    with campaign.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        return make_edition(session, petition, campaign.links, campaign.dispatch, period="by hand", now=campaign.now())


def last_edition(campaign: Campaign) -> Edition | None:
    with campaign.database.snapshots() as session:
        return find_last_edition(session, find_petition(campaign).id)


def claim_all(campaign: Campaign, claimant: str) -> None:
    """What a killed worker leaves: mails that it was sending."""
    with campaign.database.sessions.begin() as session:
        for delivery in session.scalars(select(Delivery).where(Delivery.state == Q)):
            move(delivery, SENDING)
            delivery.claimed_by = claimant


def test_a_confirmation_arrives_and_is_accepted(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        sign(campaign, "aigul@example.org")
        work_once(campaign)
        work_once(campaign)
    (received,) = mailbox.messages
    assert received.recipients == ("aigul@example.org",)
    token = campaign.vault.mail_token(list_deliveries(campaign)[0].id)
    assert received.sender == f"petition+{token}@example.org"
    assert received.parsed["Message-ID"] == f"<{token}@example.org>"
    link = campaign.links.confirm(get_signature(campaign, "aigul@example.org").id)
    body = received.parsed.get_body(("plain",))
    assert body is not None
    assert link in body.get_content()
    assert states(campaign) == {ACCEPTED: 1}


def test_while_the_server_is_down_mails_wait_and_lose_no_attempt(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        url = mailbox.url
    campaign = make_campaign(smtp_url=url)
    for name in "abc":
        sign(campaign, f"{name}@example.org")
    with pytest.raises(CampaignError, match="wait"):
        work_once(campaign)
    assert states(campaign) == {Q: 3}
    assert {item.attempts for item in list_deliveries(campaign)} == {0}
    with Mailbox() as mailbox:
        work_once(make_campaign(smtp_url=mailbox.url))
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org", "c@example.org"]
    assert states(campaign) == {ACCEPTED: 3}


def test_a_digest_waits_for_a_server_that_is_down(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        url = mailbox.url
    campaign = make_campaign(smtp_url=url)
    add_readers(campaign, "a@example.org", "b@example.org")
    enqueue_digest(campaign)
    with pytest.raises(CampaignError, match="wait"):
        work_once(campaign)
    assert states(campaign, DeliveryKind.DIGEST) == {Q: 2}
    with Mailbox() as mailbox:
        work_once(make_campaign(smtp_url=mailbox.url))
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org"]
    assert {item.attempts for item in list_deliveries(campaign) if item.kind is DeliveryKind.DIGEST} == {1}


def test_greylisting_defers_and_the_second_attempt_is_accepted(make_campaign: MakeCampaign, clock: Clock) -> None:
    with Mailbox(answer_to_rcpt=lambda _: "450 4.2.1 Greylisted") as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        sign(campaign, "a@example.org")
        work_once(campaign)
        assert states(campaign) == {DEFERRED: 1}
        mailbox.answer_to_rcpt = None
        work_once(campaign)
        assert states(campaign) == {DEFERRED: 1}
        clock.turn(timedelta(minutes=5))
        work_once(campaign)
    assert states(campaign) == {ACCEPTED: 1}
    assert [item.attempts for item in list_deliveries(campaign)] == [2]
    assert recipients(mailbox.messages) == ["a@example.org"]


def test_one_that_is_refused_for_good_does_not_keep_the_others_back(make_campaign: MakeCampaign) -> None:
    def answer(address: str) -> str | None:
        return "550 5.1.1 Nobody" if address == "nobody@example.org" else None

    with Mailbox(answer_to_rcpt=answer) as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        for name in ("a", "nobody", "b"):
            sign(campaign, f"{name}@example.org")
        work_once(campaign)
        work_once(campaign)
    assert states(campaign) == {ACCEPTED: 2, REJECTED: 1}
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org"]
    assert [item.reason for item in list_deliveries(campaign) if item.state is REJECTED] == ["recipient: 550 5.1.1"]


def test_a_due_schedule_makes_and_sends_one_edition(make_campaign: MakeCampaign, clock: Clock) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "a@example.org", "b@example.org")
        work_once(campaign)
        assert last_edition(campaign) is None
        clock.turn(timedelta(days=15))
        work_once(campaign)
        work_once(campaign)
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org"]
    edition = last_edition(campaign)
    assert edition is not None
    assert (edition.number, edition.state) == (1, EditionState.SENT)
    assert states(campaign, DeliveryKind.DIGEST) == {ACCEPTED: 2}


def test_an_edition_by_hand_is_sent_by_the_next_run(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, *(f"reader{number}@example.org" for number in range(30)))
        enqueue_digest(campaign)
        work_once(campaign)
    assert len(set(recipients(mailbox.messages))) == len(mailbox.messages) == 30
    edition = last_edition(campaign)
    assert edition is not None
    assert edition.state is EditionState.SENT


def test_what_a_killed_worker_was_sending_is_settled_by_kind(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "reader@example.org")
        work_once(campaign)
        enqueue_digest(campaign)
        sign(campaign, "signer@example.org")
        claim_all(campaign, f"{campaign.settings.worker_name}/mails")
        work_once(campaign)
        work_once(campaign)
    assert recipients(mailbox.messages) == ["signer@example.org"]
    assert states(campaign, DeliveryKind.DIGEST) == {IN_DOUBT: 1}
    assert states(campaign) == {SUPPRESSED: 1, ACCEPTED: 1}


def test_a_confirmation_that_is_sent_again_is_the_same_message(
    make_sqlite_campaign: MakeCampaign, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        campaign = make_sqlite_campaign(smtp_url=mailbox.url)
        sign(campaign, "signer@example.org")
        work_once(campaign)
        with campaign.database.sessions.begin() as session:
            # The worker was killed after the server's 250 and before it was written down.
            delivery = session.scalars(select(Delivery)).one()
            delivery.state, delivery.claimed_by = SENDING, f"{campaign.settings.worker_name}/mails"
        clock.turn(timedelta(hours=1))
        work_once(campaign)
    first, second = mailbox.messages
    assert second.content == first.content
    assert first.parsed["Message-ID"]


def test_what_another_living_worker_is_sending_is_left_to_it(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        sign(campaign, "signer@example.org")
        claim_all(campaign, "worker-2/mails")
        work_once(campaign)
    assert mailbox.messages == []
    assert states(campaign) == {SENDING: 1}


def test_two_workers_of_one_name_do_not_run_together(make_campaign: MakeCampaign) -> None:
    campaign = make_campaign()
    with _only_one(campaign), pytest.raises(AlreadyRunning, match="worker-1"):
        work_once(make_campaign())
    with _only_one(campaign):
        work_once(make_campaign(worker_name="worker-2"))


def test_the_tick_erases_what_nobody_confirmed(make_campaign: MakeCampaign, clock: Clock) -> None:
    campaign = make_campaign()
    sign(campaign, "late@example.org")
    signature_id = get_signature(campaign, "late@example.org").id
    clock.turn(timedelta(hours=72))
    work_once(campaign)
    assert get_signature_by_id(campaign, signature_id).state is SignatureState.EXPIRED


def test_the_tick_takes_over_from_a_worker_that_gave_no_sign_of_life_for_two_minutes(
    make_campaign: MakeCampaign, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        with heartbeats(make_campaign(worker_name="worker-2")):
            pass
        sign(campaign, "signer@example.org")
        claim_all(campaign, "worker-2/mails")
        clock.turn(timedelta(seconds=119))
        work_once(campaign)
        assert states(campaign) == {SENDING: 1}
        clock.turn(timedelta(seconds=1))
        with _only_one(make_campaign(worker_name="worker-2")):
            pass  # it lives after all, and has settled what it had claimed itself
        claim_all(campaign, "worker-2/mails")
        clock.turn(timedelta(minutes=2))
        work_once(campaign)
    assert recipients(mailbox.messages) == ["signer@example.org"]
    assert states(campaign) == {ACCEPTED: 1}
    with campaign.database.snapshots() as session:
        assert session.scalars(select(Heartbeat.worker)).all() == ["worker-1"]
