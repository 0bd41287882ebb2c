"""A database restored from a backup: no sender resends by itself what was sent since."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.installation.wiring import Campaign
from campaign.models import AuditEntry, DeliveryKind, DeliveryState, Edition, EditionState
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send_merged import send_merged
from campaign.services.digests.enqueue import list_chunks
from campaign.services.digests.transitions import hold_editions
from campaign.worker import ALL_DIGESTS, DEFERRED_DIGESTS, LEFT_DIGESTS, DigestWork, work_once
from tests.conftest import SLUG, Clock, MakeCampaign
from tests.scenes.copies import Copies
from tests.scenes.deliveries import digests
from tests.scenes.editions import balances, due, edition, make_by_hand, plan, step
from tests.scenes.people import add_readers, get_subscription, send
from tests.scenes.readers import SECOND, add_second_petition, choose, follow, issue
from tests.servers.smtp import Mailbox

READERS = ["a@example.org", "b@example.org"]
BOTH = "both@example.org"


def sent_in(mailbox: Mailbox) -> list[str]:
    """Who got a digest, each as often as they did."""
    return sorted(message.recipients[0] for message in mailbox.messages if message.parsed["List-Unsubscribe"])


def editions(campaign: Campaign) -> list[EditionState]:
    with campaign.database.snapshots() as session:
        return list(session.scalars(select(Edition.state).order_by(Edition.id)))


def noted(campaign: Campaign) -> list[str]:
    return campaign.settings.started_editions.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("decision", ["resume", "cancel"])
def test_yesterdays_backup_does_not_resend_yesterdays_edition(
    make_campaign: MakeCampaign, clock: Clock, copies: Copies, decision: str
) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, *READERS)
        copy = copies.make(campaign)
        clock.turn(timedelta(days=7))
        work_once(campaign)
        assert len(mailbox.messages) == 2

        restored = copies.put_back(campaign, copy)
        clock.turn(timedelta(days=1))
        work_once(restored)
        assert len(mailbox.messages) == 2
        paused = edition(restored)
        assert (paused.number, paused.state) == (1, EditionState.PAUSED)
        assert "restored from a backup" in str(paused.reason)
        assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED}
        step(restored, decision)
        work_once(restored)
        assert len(mailbox.messages) == (4 if decision == "resume" else 2)
        assert balances(restored)


def make_draft(campaign: Campaign) -> None:
    plan(campaign, needs_approval=True)
    make_by_hand(campaign)


def make_scheduled(campaign: Campaign) -> None:
    plan(campaign, cool_down_minutes=60)
    make_by_hand(campaign)


def make_paused(campaign: Campaign) -> None:
    make_by_hand(campaign)
    step(campaign, "pause")


def make_held(campaign: Campaign) -> None:
    """The window (the clock of the tests begins at noon in Almaty) closes before the first mail."""
    plan(campaign, window_from=time(8), window_until=time(20))
    make_by_hand(campaign)
    with campaign.database.sessions.begin() as session:
        evening = campaign.now() + timedelta(hours=9)
        hold_editions(session, evening, campaign.dispatch.guard)


def nothing(_campaign: Campaign) -> None:
    """The clock alone leads it on."""


def approve(campaign: Campaign) -> None:
    step(campaign, "approve")


def resume(campaign: Campaign) -> None:
    step(campaign, "resume")


def make(campaign: Campaign) -> None:
    make_by_hand(campaign)


@pytest.mark.parametrize(
    ("before", "act"),
    [
        (nothing, make),
        (make_draft, approve),
        (make_scheduled, nothing),
        (make, nothing),
        (make_paused, resume),
        (make_held, nothing),
    ],
)
def test_whatever_an_edition_waited_for_in_the_backup_it_is_not_sent_twice(
    make_campaign: MakeCampaign,
    clock: Clock,
    copies: Copies,
    before: Callable[[Campaign], None],
    act: Callable[[Campaign], None],
) -> None:
    """The edition is sent after the backup; the same happens again in the restored database."""
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, *READERS)
        before(campaign)
        copy = copies.make(campaign)
        restored = campaign
        for _ in range(2):
            clock.turn(timedelta(days=1))
            act(restored)
            for _ in range(2):
                work_once(restored)
                clock.turn(timedelta(minutes=20))
            assert sent_in(mailbox) == READERS
            assert edition(restored).state is (EditionState.SENT if restored is campaign else EditionState.PAUSED)
            restored = restored if restored is not campaign else copies.put_back(campaign, copy)
        assert "restored from a backup" in str(edition(restored).reason)
        assert balances(restored)
        step(restored, "resume")
        work_once(restored)
        assert sent_in(mailbox) == sorted([*READERS, *READERS])
        assert (edition(restored).state, edition(restored).reason) == (EditionState.SENT, None)
        with restored.database.snapshots() as session:
            trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "edition paused")).all()
        assert [(entry.actor, entry.details) for entry in trail][-1] == ("worker", {"edition": 1})


def by_chunk(campaign: Campaign) -> None:
    with campaign.database.snapshots() as session:
        found = session.scalars(select(Edition).where(Edition.state == EditionState.SENDING)).all()
        chunks = [(each.id, *chunk) for each in found for chunk in list_chunks(session, each)]
    for edition_id, first, last in chunks:
        chunk = Batch(DeliveryKind.DIGEST, (DeliveryState.QUEUED,), edition_id=edition_id, first=first, last=last)
        send(campaign, chunk, part=f"edition-{edition_id}-{first}")


def merged(campaign: Campaign) -> None:
    sender = campaign.sender("mails")
    send_merged(sender)
    sender.transport.close()


def batch(which: Batch) -> Callable[[Campaign], None]:
    def sends(campaign: Campaign) -> None:
        send(campaign, which)

    return sends


@pytest.mark.parametrize(
    "path_and_readers",
    [
        (by_chunk, ["a@example.org"]),
        (batch(LEFT_DIGESTS), ["a@example.org"]),
        (batch(DEFERRED_DIGESTS), ["later@example.org"]),
        (batch(ALL_DIGESTS), ["a@example.org", "later@example.org"]),
        (merged, [BOTH]),
    ],
    ids=["chunk", "left-over", "deferred", "all, of --once", "merged"],
)
def test_no_sender_claims_a_mail_of_an_edition_that_was_sent_since(
    make_campaign: MakeCampaign,
    folder: Path,
    clock: Clock,
    copies: Copies,
    path_and_readers: tuple[Callable[[Campaign], None], list[str]],
) -> None:
    """The backup was made while editions were being sent. Each path sends by itself, before any other work."""
    path, readers = path_and_readers
    with Mailbox(answer_to_rcpt=lambda email: "450 4.2.1 Later" if email == "later@example.org" else None) as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_second_petition(campaign, folder)
        add_readers(campaign, "a@example.org", "later@example.org")
        follow(campaign, BOTH, SLUG, SECOND)
        choose(campaign, BOTH, merged=True)
        first = issue(campaign, "first")
        issue(campaign, "first", SECOND)
        subscription_id = get_subscription(campaign, "later@example.org").id
        (later,) = (item.id for item in digests(campaign) if item.subscription_id == subscription_id)
        send(campaign, Batch(DeliveryKind.DIGEST, edition_id=first.id, first=later, last=later))
        assert sent_in(mailbox) == []
        copy = copies.make(campaign)
        mailbox.answer_to_rcpt = None
        clock.turn(timedelta(days=1))
        path(campaign)
        assert sent_in(mailbox) == readers
        work_once(campaign)
        assert sent_in(mailbox) == ["a@example.org", BOTH, "later@example.org"]
        assert editions(campaign) == [EditionState.SENT] * 2

        restored = copies.put_back(campaign, copy)
        for _ in range(2):
            path(restored)
            assert len(sent_in(mailbox)) == 3
            assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED, DeliveryState.DEFERRED}
        work_once(restored)
        assert len(sent_in(mailbox)) == 3
        assert editions(restored) == [EditionState.PAUSED] * 2


def test_a_chunk_of_the_engine_looks_before_it_opens_a_connection(
    make_campaign: MakeCampaign, clock: Clock, copies: Copies
) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, *READERS)
        made = make_by_hand(campaign)
        copy = copies.make(campaign)
        work_once(campaign)
        restored = copies.put_back(campaign, copy)
        work = DigestWork(restored, threading.Event(), patient=True)
        first, last = digests(restored)[0].id, digests(restored)[-1].id
        assert work.send_chunk(made.id, first, last)
        assert sent_in(mailbox) == READERS
        assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED}


def test_each_start_and_each_end_is_noted_once_and_nothing_is_held_in_ordinary_life(
    make_campaign: MakeCampaign, clock: Clock
) -> None:
    campaign = make_campaign()
    add_readers(campaign, "a@example.org")
    first = make_by_hand(campaign)
    step(campaign, "pause")
    step(campaign, "resume")
    for _ in range(2):
        work_once(campaign)
    clock.turn(timedelta(days=7))
    add_readers(campaign, "b@example.org")
    assert due(campaign) == [(EditionState.SENDING, None)]
    name = f"kazakhstan 1 {first.made_at.isoformat()}"
    second = edition(campaign, 2).made_at.isoformat()
    assert noted(campaign) == [f"{name} 1", f"{name} 2", f"{name} 2 sent", f"kazakhstan 2 {second} 1"]
    assert campaign.settings.started_editions.stat().st_mode & 0o777 == 0o600
    work_once(campaign)
    assert editions(campaign) == [EditionState.SENT] * 2


def test_no_edition_is_being_sent_before_its_start_is_on_the_disk(make_campaign: MakeCampaign) -> None:
    campaign = make_campaign()
    add_readers(campaign, "a@example.org")
    campaign.settings.started_editions.mkdir()  # nothing can be written there
    with pytest.raises(IsADirectoryError):
        make_by_hand(campaign)
    assert editions(campaign) == []
    campaign.settings.started_editions.rmdir()
    before_commit: list[int] = []
    make_by_hand(
        campaign,
        replace(campaign.dispatch, enqueue=lambda _session, _edition: before_commit.append(len(noted(campaign)))),
    )
    assert before_commit == [1]


def test_a_start_that_was_rolled_back_may_be_repeated(make_campaign: MakeCampaign, clock: Clock) -> None:
    campaign = make_campaign()
    add_readers(campaign, "a@example.org")

    def fail(_session: Session, _edition: Edition) -> None:
        raise TimeoutError

    failing = replace(campaign.dispatch, enqueue=fail)
    with pytest.raises(TimeoutError):
        make_by_hand(campaign, failing)
    assert [line.split()[3:] for line in noted(campaign)] == [["1"], ["1", "withdrawn"]]
    clock.turn(timedelta(minutes=1))
    assert make_by_hand(campaign).state is EditionState.SENDING
    work_once(campaign)
    assert editions(campaign) == [EditionState.SENT]


def test_a_worker_on_another_machine_notes_what_it_sends_in_its_own_file(
    make_campaign: MakeCampaign, folder: Path, clock: Clock, copies: Copies
) -> None:
    """The edition was started on the machine of the web server."""
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, *READERS)
        copy = copies.make(campaign)
        made = make_by_hand(campaign)
        campaign.settings.started_editions.rename(folder / "of-the-web-server")
        work_once(campaign)
        assert sent_in(mailbox) == READERS
        name = f"kazakhstan 1 {made.made_at.isoformat()} 1"
        assert noted(campaign) == [name, f"{name} sent"]

        restored = copies.put_back(campaign, copy)
        clock.turn(timedelta(hours=1))
        campaign.settings.started_editions.rename(folder / "of-the-worker")
        again = make_by_hand(restored)
        (folder / "of-the-worker").rename(campaign.settings.started_editions)
        assert again.state is EditionState.SENDING
        send(restored, ALL_DIGESTS)
        work_once(restored)
        assert sent_in(mailbox) == READERS
        assert edition(restored).state is EditionState.PAUSED


def test_a_line_of_an_older_version_is_the_first_start_and_one_that_was_cut_off_says_nothing(
    make_sqlite_campaign: MakeCampaign, clock: Clock
) -> None:
    campaign = make_sqlite_campaign()
    add_readers(campaign, "a@example.org")
    plan(campaign, cool_down_minutes=60)
    made = make_by_hand(campaign)
    campaign.settings.started_editions.write_text(
        f"kazakhstan 1 {made.made_at.isoformat()}\nkazakhstan 2 2026-11-", encoding="utf-8"
    )
    clock.turn(timedelta(hours=1))
    work_once(campaign)
    assert edition(campaign).state is EditionState.PAUSED
    step(campaign, "resume")
    work_once(campaign)
    assert edition(campaign).state is EditionState.SENT
    name = f"kazakhstan 1 {made.made_at.isoformat()}"
    assert noted(campaign) == [name, "kazakhstan 2 2026-11-", f"{name} 2", f"{name} 2 sent"]
    clock.turn(timedelta(days=7))
    add_readers(campaign, "b@example.org")
    make_by_hand(campaign)
    clock.turn(timedelta(hours=1))
    work_once(campaign)
    assert edition(campaign, 2).state is EditionState.SENT
