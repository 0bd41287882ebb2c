"""The worker over a real SMTP server: what is owed arrives once, whatever the server says and whoever was killed."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from campaign.errors import AlreadyRunning, CampaignError
from campaign.installation.leases import heartbeats
from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, EditionState, Heartbeat, SignatureState
from campaign.services.delivery.ledger import move
from campaign.services.digests.content import find_last_edition
from campaign.services.digests.editions import make_edition
from campaign.services.petitions.store import get_petition
from campaign.worker import _only_one, work_once
from tests.conftest import SLUG, Clock, MakeInstallation
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


def states(installation: Installation, kind: DeliveryKind = DeliveryKind.CONFIRMATION) -> Counter[DeliveryState]:
    return Counter(item.state for item in list_deliveries(installation) if item.kind is kind)


def recipients(messages: list[Received]) -> list[str]:
    return sorted(message.recipients[0] for message in messages)


def enqueue_digest(installation: Installation) -> Edition:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        return make_edition(
            session, petition, installation.links, installation.dispatch, period="by hand", now=installation.now()
        )


def last_edition(installation: Installation) -> Edition | None:
    with installation.database.snapshots() as session:
        return find_last_edition(session, find_petition(installation).id)


def claim_all(installation: Installation, claimant: str) -> None:
    """What a killed worker leaves: mails that it was sending."""
    with installation.database.sessions.begin() as session:
        for delivery in session.scalars(select(Delivery).where(Delivery.state == Q)):
            move(delivery, SENDING)
            delivery.claimed_by = claimant


def test_a_confirmation_arrives_and_is_accepted(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        sign(installation, "aigul@example.org")
        work_once(installation)
        work_once(installation)
    (received,) = mailbox.messages
    assert received.recipients == ("aigul@example.org",)
    token = installation.vault.mail_token(list_deliveries(installation)[0].id)
    assert received.sender == f"petition+{token}@example.org"
    assert received.parsed["Message-ID"] == f"<{token}@example.org>"
    link = installation.links.confirm(get_signature(installation, "aigul@example.org").id)
    body = received.parsed.get_body(("plain",))
    assert body is not None
    assert link in body.get_content()
    assert states(installation) == {ACCEPTED: 1}


def test_while_the_server_is_down_mails_wait_and_lose_no_attempt(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        url = mailbox.url
    installation = make_installation(smtp_url=url)
    for name in "abc":
        sign(installation, f"{name}@example.org")
    with pytest.raises(CampaignError, match="wait"):
        work_once(installation)
    assert states(installation) == {Q: 3}
    assert {item.attempts for item in list_deliveries(installation)} == {0}
    with Mailbox() as mailbox:
        work_once(make_installation(smtp_url=mailbox.url))
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org", "c@example.org"]
    assert states(installation) == {ACCEPTED: 3}


def test_a_digest_waits_for_a_server_that_is_down(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        url = mailbox.url
    installation = make_installation(smtp_url=url)
    add_readers(installation, "a@example.org", "b@example.org")
    enqueue_digest(installation)
    with pytest.raises(CampaignError, match="wait"):
        work_once(installation)
    assert states(installation, DeliveryKind.DIGEST) == {Q: 2}
    with Mailbox() as mailbox:
        work_once(make_installation(smtp_url=mailbox.url))
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org"]
    assert {item.attempts for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST} == {1}


def test_greylisting_defers_and_the_second_attempt_is_accepted(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    with Mailbox(answer_to_rcpt=lambda _: "450 4.2.1 Greylisted") as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        sign(installation, "a@example.org")
        work_once(installation)
        assert states(installation) == {DEFERRED: 1}
        mailbox.answer_to_rcpt = None
        work_once(installation)
        assert states(installation) == {DEFERRED: 1}
        clock.turn(timedelta(minutes=5))
        work_once(installation)
    assert states(installation) == {ACCEPTED: 1}
    assert [item.attempts for item in list_deliveries(installation)] == [2]
    assert recipients(mailbox.messages) == ["a@example.org"]


def test_one_that_is_refused_for_good_does_not_keep_the_others_back(make_installation: MakeInstallation) -> None:
    def answer(address: str) -> str | None:
        return "550 5.1.1 Nobody" if address == "nobody@example.org" else None

    with Mailbox(answer_to_rcpt=answer) as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        for name in ("a", "nobody", "b"):
            sign(installation, f"{name}@example.org")
        work_once(installation)
        work_once(installation)
    assert states(installation) == {ACCEPTED: 2, REJECTED: 1}
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org"]
    assert [item.reason for item in list_deliveries(installation) if item.state is REJECTED] == ["recipient: 550 5.1.1"]


def test_a_due_schedule_makes_and_sends_one_edition(make_installation: MakeInstallation, clock: Clock) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org", "b@example.org")
        work_once(installation)
        assert last_edition(installation) is None
        clock.turn(timedelta(days=15))
        work_once(installation)
        work_once(installation)
    assert recipients(mailbox.messages) == ["a@example.org", "b@example.org"]
    edition = last_edition(installation)
    assert edition is not None
    assert (edition.number, edition.state) == (1, EditionState.SENT)
    assert states(installation, DeliveryKind.DIGEST) == {ACCEPTED: 2}


def test_an_edition_by_hand_is_sent_by_the_next_run(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *(f"reader{number}@example.org" for number in range(30)))
        enqueue_digest(installation)
        work_once(installation)
    assert len(set(recipients(mailbox.messages))) == len(mailbox.messages) == 30
    edition = last_edition(installation)
    assert edition is not None
    assert edition.state is EditionState.SENT


def test_what_a_killed_worker_was_sending_is_settled_by_kind(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "reader@example.org")
        work_once(installation)
        enqueue_digest(installation)
        sign(installation, "signer@example.org")
        claim_all(installation, f"{installation.settings.worker_name}/mails")
        work_once(installation)
        work_once(installation)
    assert recipients(mailbox.messages) == ["signer@example.org"]
    assert states(installation, DeliveryKind.DIGEST) == {IN_DOUBT: 1}
    assert states(installation) == {SUPPRESSED: 1, ACCEPTED: 1}


def test_a_confirmation_that_is_sent_again_is_the_same_message(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        sign(installation, "signer@example.org")
        work_once(installation)
        with installation.database.sessions.begin() as session:
            # The worker was killed after the server's 250 and before it was written down.
            delivery = session.scalars(select(Delivery)).one()
            delivery.state, delivery.claimed_by = SENDING, f"{installation.settings.worker_name}/mails"
        clock.turn(timedelta(hours=1))
        work_once(installation)
    first, second = mailbox.messages
    assert second.content == first.content
    assert first.parsed["Message-ID"]


def test_what_another_living_worker_is_sending_is_left_to_it(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        sign(installation, "signer@example.org")
        claim_all(installation, "worker-2/mails")
        work_once(installation)
    assert mailbox.messages == []
    assert states(installation) == {SENDING: 1}


def test_two_workers_of_one_name_do_not_run_together(make_installation: MakeInstallation) -> None:
    installation = make_installation()
    with _only_one(installation), pytest.raises(AlreadyRunning, match="worker-1"):
        work_once(make_installation())
    with _only_one(installation):
        work_once(make_installation(worker_name="worker-2"))


def test_the_tick_erases_what_nobody_confirmed(make_installation: MakeInstallation, clock: Clock) -> None:
    installation = make_installation()
    sign(installation, "late@example.org")
    signature_id = get_signature(installation, "late@example.org").id
    work_once(installation)
    clock.turn(timedelta(hours=72))
    work_once(installation)
    assert get_signature_by_id(installation, signature_id).state is SignatureState.EXPIRED


def test_the_tick_takes_over_from_a_worker_that_gave_no_sign_of_life_for_two_minutes(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        with heartbeats(make_installation(worker_name="worker-2")):
            pass
        sign(installation, "signer@example.org")
        claim_all(installation, "worker-2/mails")
        clock.turn(timedelta(seconds=119))
        work_once(installation)
        assert states(installation) == {SENDING: 1}
        clock.turn(timedelta(seconds=1))
        with _only_one(make_installation(worker_name="worker-2")):
            pass  # it lives after all, and has settled what it had claimed itself
        claim_all(installation, "worker-2/mails")
        clock.turn(timedelta(minutes=2))
        work_once(installation)
    assert recipients(mailbox.messages) == ["signer@example.org"]
    assert states(installation) == {ACCEPTED: 1}
    with installation.database.snapshots() as session:
        assert session.scalars(select(Heartbeat.worker)).all() == ["worker-1"]
