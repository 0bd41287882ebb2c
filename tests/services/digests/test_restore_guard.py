"""A database restored from a backup: no sender resends by itself what was sent since."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, DeliveryKind, DeliveryState, Edition, EditionState
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send_merged import send_merged
from campaign.services.digests.enqueue import list_chunks
from campaign.services.digests.transitions import hold_editions
from campaign.worker import ALL_DIGESTS, DEFERRED_DIGESTS, LEFT_DIGESTS, DigestWork, work_once
from tests.conftest import SLUG, Clock, MakeInstallation
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


def editions(installation: Installation) -> list[EditionState]:
    with installation.database.snapshots() as session:
        return list(session.scalars(select(Edition.state).order_by(Edition.id)))


def noted(installation: Installation) -> list[str]:
    return installation.settings.started_editions.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("decision", ["resume", "cancel"])
def test_yesterdays_backup_does_not_resend_yesterdays_edition(
    make_installation: MakeInstallation, clock: Clock, copies: Copies, decision: str
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *READERS)
        copy = copies.make(installation)
        clock.turn(timedelta(days=7))
        work_once(installation)
        assert len(mailbox.messages) == 2

        restored = copies.put_back(installation, copy)
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


def make_draft(installation: Installation) -> None:
    plan(installation, needs_approval=True)
    make_by_hand(installation)


def make_scheduled(installation: Installation) -> None:
    plan(installation, cool_down_minutes=60)
    make_by_hand(installation)


def make_paused(installation: Installation) -> None:
    make_by_hand(installation)
    step(installation, "pause")


def make_held(installation: Installation) -> None:
    """The window (the clock of the tests begins at noon in Almaty) closes before the first mail."""
    plan(installation, window_from=time(8), window_until=time(20))
    make_by_hand(installation)
    with installation.database.sessions.begin() as session:
        evening = installation.now() + timedelta(hours=9)
        hold_editions(session, evening, installation.dispatch.guard)


def nothing(_installation: Installation) -> None:
    """The clock alone leads it on."""


def approve(installation: Installation) -> None:
    step(installation, "approve")


def resume(installation: Installation) -> None:
    step(installation, "resume")


def make(installation: Installation) -> None:
    make_by_hand(installation)


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
    make_installation: MakeInstallation,
    clock: Clock,
    copies: Copies,
    before: Callable[[Installation], None],
    act: Callable[[Installation], None],
) -> None:
    """The edition is sent after the backup; the same happens again in the restored database."""
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *READERS)
        before(installation)
        copy = copies.make(installation)
        restored = installation
        for _ in range(2):
            clock.turn(timedelta(days=1))
            act(restored)
            for _ in range(2):
                work_once(restored)
                clock.turn(timedelta(minutes=20))
            assert sent_in(mailbox) == READERS
            assert edition(restored).state is (EditionState.SENT if restored is installation else EditionState.PAUSED)
            restored = restored if restored is not installation else copies.put_back(installation, copy)
        assert "restored from a backup" in str(edition(restored).reason)
        assert balances(restored)
        step(restored, "resume")
        work_once(restored)
        assert sent_in(mailbox) == sorted([*READERS, *READERS])
        assert (edition(restored).state, edition(restored).reason) == (EditionState.SENT, None)
        with restored.database.snapshots() as session:
            trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "edition paused")).all()
        assert [(entry.actor, entry.details) for entry in trail][-1] == ("worker", {"edition": 1})


def by_chunk(installation: Installation) -> None:
    with installation.database.snapshots() as session:
        found = session.scalars(select(Edition).where(Edition.state == EditionState.SENDING)).all()
        chunks = [(each.id, *chunk) for each in found for chunk in list_chunks(session, each)]
    for edition_id, first, last in chunks:
        chunk = Batch(DeliveryKind.DIGEST, (DeliveryState.QUEUED,), edition_id=edition_id, first=first, last=last)
        send(installation, chunk, part=f"edition-{edition_id}-{first}")


def merged(installation: Installation) -> None:
    sender = installation.sender("mails")
    send_merged(sender)
    sender.transport.close()


def batch(which: Batch) -> Callable[[Installation], None]:
    def sends(installation: Installation) -> None:
        send(installation, which)

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
    make_installation: MakeInstallation,
    folder: Path,
    clock: Clock,
    copies: Copies,
    path_and_readers: tuple[Callable[[Installation], None], list[str]],
) -> None:
    """The backup was made while editions were being sent. Each path sends by itself, before any other work."""
    path, readers = path_and_readers
    with Mailbox(answer_to_rcpt=lambda email: "450 4.2.1 Later" if email == "later@example.org" else None) as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_second_petition(installation, folder)
        add_readers(installation, "a@example.org", "later@example.org")
        follow(installation, BOTH, SLUG, SECOND)
        choose(installation, BOTH, merged=True)
        first = issue(installation, "first")
        issue(installation, "first", SECOND)
        subscription_id = get_subscription(installation, "later@example.org").id
        (later,) = (item.id for item in digests(installation) if item.subscription_id == subscription_id)
        send(installation, Batch(DeliveryKind.DIGEST, edition_id=first.id, first=later, last=later))
        assert sent_in(mailbox) == []
        copy = copies.make(installation)
        mailbox.answer_to_rcpt = None
        clock.turn(timedelta(days=1))
        path(installation)
        assert sent_in(mailbox) == readers
        work_once(installation)
        assert sent_in(mailbox) == ["a@example.org", BOTH, "later@example.org"]
        assert editions(installation) == [EditionState.SENT] * 2

        restored = copies.put_back(installation, copy)
        for _ in range(2):
            path(restored)
            assert len(sent_in(mailbox)) == 3
            assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED, DeliveryState.DEFERRED}
        work_once(restored)
        assert len(sent_in(mailbox)) == 3
        assert editions(restored) == [EditionState.PAUSED] * 2


def test_a_chunk_of_the_engine_looks_before_it_opens_a_connection(
    make_installation: MakeInstallation, clock: Clock, copies: Copies
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *READERS)
        made = make_by_hand(installation)
        copy = copies.make(installation)
        work_once(installation)
        restored = copies.put_back(installation, copy)
        work = DigestWork(restored, threading.Event(), patient=True)
        first, last = digests(restored)[0].id, digests(restored)[-1].id
        assert work.send_chunk(made.id, first, last)
        assert sent_in(mailbox) == READERS
        assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED}


def test_each_start_and_each_end_is_noted_once_and_nothing_is_held_in_ordinary_life(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    installation = make_installation()
    add_readers(installation, "a@example.org")
    first = make_by_hand(installation)
    step(installation, "pause")
    step(installation, "resume")
    for _ in range(2):
        work_once(installation)
    clock.turn(timedelta(days=7))
    add_readers(installation, "b@example.org")
    assert due(installation) == [(EditionState.SENDING, None)]
    name = f"kazakhstan 1 {first.made_at.isoformat()}"
    second = edition(installation, 2).made_at.isoformat()
    assert noted(installation) == [f"{name} 1", f"{name} 2", f"{name} 2 sent", f"kazakhstan 2 {second} 1"]
    assert installation.settings.started_editions.stat().st_mode & 0o777 == 0o600
    work_once(installation)
    assert editions(installation) == [EditionState.SENT] * 2


def test_no_edition_is_being_sent_before_its_start_is_on_the_disk(make_installation: MakeInstallation) -> None:
    installation = make_installation()
    add_readers(installation, "a@example.org")
    installation.settings.started_editions.mkdir()  # nothing can be written there
    with pytest.raises(IsADirectoryError):
        make_by_hand(installation)
    assert editions(installation) == []
    installation.settings.started_editions.rmdir()
    before_commit: list[int] = []
    make_by_hand(
        installation,
        replace(
            installation.dispatch, enqueue=lambda _session, _edition: before_commit.append(len(noted(installation)))
        ),
    )
    assert before_commit == [1]


def test_a_start_that_was_rolled_back_may_be_repeated(make_installation: MakeInstallation, clock: Clock) -> None:
    installation = make_installation()
    add_readers(installation, "a@example.org")

    def fail(_session: Session, _edition: Edition) -> None:
        raise TimeoutError

    failing = replace(installation.dispatch, enqueue=fail)
    with pytest.raises(TimeoutError):
        make_by_hand(installation, failing)
    assert [line.split()[3:] for line in noted(installation)] == [["1"], ["1", "withdrawn"]]
    clock.turn(timedelta(minutes=1))
    assert make_by_hand(installation).state is EditionState.SENDING
    work_once(installation)
    assert editions(installation) == [EditionState.SENT]


def test_a_worker_on_another_machine_notes_what_it_sends_in_its_own_file(
    make_installation: MakeInstallation, folder: Path, clock: Clock, copies: Copies
) -> None:
    """The edition was started on the machine of the web server."""
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *READERS)
        copy = copies.make(installation)
        made = make_by_hand(installation)
        installation.settings.started_editions.rename(folder / "of-the-web-server")
        work_once(installation)
        assert sent_in(mailbox) == READERS
        name = f"kazakhstan 1 {made.made_at.isoformat()} 1"
        assert noted(installation) == [name, f"{name} sent"]

        restored = copies.put_back(installation, copy)
        clock.turn(timedelta(hours=1))
        installation.settings.started_editions.rename(folder / "of-the-worker")
        again = make_by_hand(restored)
        (folder / "of-the-worker").rename(installation.settings.started_editions)
        assert again.state is EditionState.SENDING
        send(restored, ALL_DIGESTS)
        work_once(restored)
        assert sent_in(mailbox) == READERS
        assert edition(restored).state is EditionState.PAUSED


def test_a_line_of_an_older_version_is_the_first_start_and_one_that_was_cut_off_says_nothing(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    installation = make_sqlite_installation()
    add_readers(installation, "a@example.org")
    plan(installation, cool_down_minutes=60)
    made = make_by_hand(installation)
    installation.settings.started_editions.write_text(
        f"kazakhstan 1 {made.made_at.isoformat()}\nkazakhstan 2 2026-11-", encoding="utf-8"
    )
    clock.turn(timedelta(hours=1))
    work_once(installation)
    assert edition(installation).state is EditionState.PAUSED
    step(installation, "resume")
    work_once(installation)
    assert edition(installation).state is EditionState.SENT
    name = f"kazakhstan 1 {made.made_at.isoformat()}"
    assert noted(installation) == [name, "kazakhstan 2 2026-11-", f"{name} 2", f"{name} 2 sent"]
    clock.turn(timedelta(days=7))
    add_readers(installation, "b@example.org")
    make_by_hand(installation)
    clock.turn(timedelta(hours=1))
    work_once(installation)
    assert edition(installation, 2).state is EditionState.SENT
