"""An edition from making to end: who may let it go and when, pausing and cancelling exact to the ledger."""

import contextlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from itertools import count
from time import sleep

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from campaign.errors import CampaignError, Forbidden, NotFound, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Delivery, DeliveryKind, DeliveryState, Edition, EditionState
from campaign.models.edition import EDITION_TRANSITIONS
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.eligibility import list_sendable
from campaign.services.delivery.ledger import move
from campaign.services.delivery.send import send_waiting
from campaign.services.digests.content import gather_news
from campaign.services.digests.transitions import (
    finish_editions,
    hold_editions,
    list_steps,
    start_due_editions,
    sweep_cancelled,
)
from campaign.worker import work_once
from tests.conftest import Clock, MakeInstallation
from tests.scenes.deliveries import claim, digests
from tests.scenes.editions import (
    MAKER,
    SECOND,
    STEPS,
    balances,
    due,
    edition,
    make_by_hand,
    plan,
    publish,
    step,
    step_within,
)
from tests.scenes.people import add_readers, find_petition, make_digest, unsubscribe
from tests.servers.smtp import Mailbox

DRAFT, SCHEDULED, SENDING, PAUSED, SENT, CANCELLED, SKIPPED = EditionState
READERS = [f"reader{number}@example.org" for number in range(8)]
# More than are claimed at once.
MANY = [f"reader{number}@example.org" for number in range(60)]


def by_the_clock(installation: Installation) -> None:
    """What the tick does to editions."""
    with installation.database.sessions.begin() as session:
        start_due_editions(session, installation.now(), installation.dispatch)
        sweep_cancelled(session)
        finish_editions(session, installation.dispatch.guard)
        hold_editions(session, installation.now(), installation.dispatch.guard)


def owed(installation: Installation) -> Counter[DeliveryState]:
    return Counter(item.state for item in digests(installation))


def test_a_draft_is_sent_to_those_who_read_when_a_second_person_approves_it(
    installation: Installation, clock: Clock
) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    plan(installation, needs_approval=True)
    made = make_by_hand(installation)
    assert (made.state, made.number, made.made_by, made.candidates) == (DRAFT, 1, MAKER, 0)
    assert digests(installation) == []
    with pytest.raises(Forbidden, match="a second person"):
        step(installation, "approve", actor=MAKER)
    unsubscribe(installation, "a@example.org")
    clock.turn(timedelta(hours=1))
    approved = step(installation, "approve")
    assert (approved.state, approved.approved_by, approved.starts, approved.candidates) == (SENDING, SECOND, 1, 1)
    assert owed(installation) == {DeliveryState.QUEUED: 1}
    with pytest.raises(NotPossible, match="does not wait for approval"):
        step(installation, "approve")
    with installation.database.snapshots() as session:
        entries = session.execute(select(AuditEntry.actor, AuditEntry.action)).all()
    assert [tuple(entry) for entry in entries] == [(MAKER, "digest made"), (SECOND, "edition approved")]


@pytest.mark.parametrize("actor", [MAKER, SECOND])
@pytest.mark.parametrize("state", [DRAFT, SCHEDULED, SENDING, PAUSED])
def test_the_steps_that_are_offered_are_those_that_can_be_taken(
    installation: Installation, state: EditionState, actor: str
) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, needs_approval=state is DRAFT, cool_down_minutes=5 if state is SCHEDULED else 0)
    make_by_hand(installation)
    if state is PAUSED:
        step(installation, "pause")
    assert edition(installation).state is state
    offered = list_steps(edition(installation), actor)
    for name in STEPS:
        outcome = contextlib.nullcontext() if name in offered else pytest.raises((NotPossible, Forbidden))
        with installation.database.sessions() as session, outcome:  # what it did is rolled back
            step_within(session, installation, name, 1, actor)


def test_what_the_schedule_made_any_organizer_approves(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, needs_approval=True)
    clock.turn(timedelta(days=7))
    assert due(installation) == [(DRAFT, None)]
    assert step(installation, "approve", actor=MAKER).state is SENDING


def test_drafts_do_not_pile_up_and_the_next_run_tells_what_was_not_told(
    installation: Installation, clock: Clock
) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, needs_approval=True)
    made = []
    for week in range(3):
        publish(installation, f"week-{week}")
        clock.turn(timedelta(days=7))
        made += due(installation)
    waits = "the last edition still waits for approval"
    assert made == [(DRAFT, None), (SKIPPED, waits), (SKIPPED, waits)]
    step(installation, "approve")
    step(installation, "pause")
    clock.turn(timedelta(days=7))
    assert due(installation) == [(SKIPPED, "the last edition has not been sent yet")]
    step(installation, "cancel")
    with installation.database.snapshots() as session:
        told = [update.key for update in gather_news(session, find_petition(installation)).updates]
    assert told[-3:] == ["week-0", "week-1", "week-2"]
    clock.turn(timedelta(days=7))
    assert due(installation) == [(DRAFT, None)]
    assert edition(installation, 2).state is DRAFT


def test_during_the_cool_down_nothing_is_owed_and_all_can_be_called_off(
    installation: Installation, clock: Clock
) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, cool_down_minutes=30)
    made = make_by_hand(installation)
    assert (made.state, made.send_at) == (SCHEDULED, clock() + timedelta(minutes=30))
    clock.turn(timedelta(minutes=29))
    by_the_clock(installation)
    assert (edition(installation).state, digests(installation)) == (SCHEDULED, [])
    clock.turn(timedelta(minutes=1))
    by_the_clock(installation)
    assert (edition(installation).state, owed(installation)) == (SENDING, {DeliveryState.QUEUED: 1})
    publish(installation, "next")
    make_by_hand(installation)
    step(installation, "cancel", 2)
    clock.turn(timedelta(hours=1))
    by_the_clock(installation)
    assert edition(installation, 2).state is CANCELLED
    assert owed(installation).total() == 1


def test_outside_its_hours_an_edition_waits_for_the_next_opening(installation: Installation, clock: Clock) -> None:
    """The clock of the tests begins at noon in Almaty, UTC+5."""
    add_readers(installation, "a@example.org")
    plan(installation, window_from=time(8), window_until=time(20))
    clock.turn(timedelta(hours=7, minutes=50))
    begun = make_by_hand(installation)
    assert begun.state is SENDING
    with installation.database.snapshots() as session:
        assert begun.id in list_sendable(session, installation.dispatch.guard, clock())
    clock.turn(timedelta(minutes=10))
    with installation.database.snapshots() as session:
        assert list_sendable(session, installation.dispatch.guard, clock()) == []
    work_once(installation)
    assert (edition(installation).state, edition(installation).send_at) == (
        SCHEDULED,
        datetime(2026, 11, 24, 3, tzinfo=UTC),
    )
    assert owed(installation) == {DeliveryState.QUEUED: 1}
    publish(installation, "next")
    waits = make_by_hand(installation)
    assert (waits.state, waits.send_at) == (SCHEDULED, datetime(2026, 11, 24, 3, tzinfo=UTC))
    clock.turn(timedelta(hours=12))
    work_once(installation)
    assert [edition(installation, number).state for number in (1, 2)] == [SENT, SENT]
    assert edition(installation).starts == 2
    assert owed(installation) == {DeliveryState.ACCEPTED: 2}


def test_a_window_that_was_changed_meanwhile_counts(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, window_from=time(13), window_until=time(20))
    assert make_by_hand(installation).send_at == clock() + timedelta(hours=1)
    plan(installation, window_from=time(15))
    clock.turn(timedelta(hours=1))
    by_the_clock(installation)
    assert (edition(installation).state, edition(installation).send_at) == (SCHEDULED, clock() + timedelta(hours=2))


def at_the_third(do: Callable[[], object]) -> Callable[[str], None]:
    """What a server does at each recipient: at the third it does ``do``, and it is slow with those that follow."""
    asked = count(1)

    def answer(_address: str) -> None:
        number = next(asked)
        if number == 3:
            do()
        elif 3 < number < 16:
            sleep(0.02)

    return answer


def test_paused_in_the_middle_and_resumed_everybody_gets_one(make_installation: MakeInstallation) -> None:
    """The pause comes while a mail is on its way; that one ends by its own outcome."""
    with Mailbox(answer_to_rcpt=at_the_third(lambda: step(installation, "pause"))) as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_connections=1)
        add_readers(installation, *MANY)
        work_once(installation)
        make_by_hand(installation)
        work_once(installation)
        assert edition(installation).state is PAUSED
        before = len(mailbox.messages)
        assert 3 <= before < len(MANY)
        assert owed(installation) == {DeliveryState.ACCEPTED: before, DeliveryState.QUEUED: len(MANY) - before}
        work_once(installation)
        assert len(mailbox.messages) == before
        assert balances(installation)
        step(installation, "resume")
        work_once(installation)
    assert sorted(message.recipients[0] for message in mailbox.messages) == sorted(MANY)
    assert (edition(installation).state, edition(installation).starts) == (SENT, 2)


def test_cancelled_in_the_middle_the_rest_is_never_sent_and_the_ledger_balances(
    make_installation: MakeInstallation,
) -> None:
    with Mailbox(answer_to_rcpt=at_the_third(lambda: step(installation, "cancel"))) as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_connections=1)
        add_readers(installation, *MANY)
        work_once(installation)
        make_by_hand(installation)
        work_once(installation)
        work_once(installation)
    sent = len(mailbox.messages)
    assert 3 <= sent < len(MANY)
    assert edition(installation).state is CANCELLED
    assert owed(installation) == {DeliveryState.ACCEPTED: sent, DeliveryState.SUPPRESSED: len(MANY) - sent}
    assert {item.reason for item in digests(installation) if item.state is DeliveryState.SUPPRESSED} == {
        "the edition was cancelled"
    }
    assert balances(installation)
    with pytest.raises(NotPossible, match="is cancelled"):
        step(installation, "resume")


@pytest.mark.parametrize("back", [DeliveryState.QUEUED, DeliveryState.DEFERRED])
def test_what_comes_back_to_a_cancelled_edition_is_suppressed(installation: Installation, back: DeliveryState) -> None:
    add_readers(installation, "a@example.org")
    make_digest(installation)
    claim(installation, "worker-1/chunk", lambda item: item.kind is DeliveryKind.DIGEST)
    step(installation, "cancel")
    assert owed(installation) == {DeliveryState.SENDING: 1}
    with installation.database.sessions.begin() as session:
        move(session.get_one(Delivery, digests(installation)[0].id), back)
    by_the_clock(installation)
    assert owed(installation) == {DeliveryState.SUPPRESSED: 1}
    assert balances(installation)


ALLOWED = {
    "approve": {DRAFT},
    "pause": {SCHEDULED, SENDING},
    "resume": {PAUSED},
    "cancel": {DRAFT, SCHEDULED, SENDING, PAUSED},
}


@pytest.mark.parametrize("state", [state for state in EditionState if state is not SKIPPED])
@pytest.mark.parametrize("name", list(STEPS))
def test_a_step_that_does_not_fit_the_state_is_refused_in_a_sentence(
    sqlite_installation: Installation, state: EditionState, name: str
) -> None:
    installation = sqlite_installation
    add_readers(installation, "a@example.org")
    made = make_digest(installation)
    with installation.database.sessions.begin() as session:
        session.get_one(Edition, made.id).state = state
    if state in ALLOWED[name]:
        assert step(installation, name).state in EDITION_TRANSITIONS[state]
    else:
        with pytest.raises(NotPossible, match=f"Edition 1 is {state}"):
            step(installation, name)
        assert edition(installation).state is state


def test_an_edition_of_another_number_is_not_found(installation: Installation) -> None:
    with pytest.raises(NotFound, match="no edition 7"):
        step(installation, "pause", 7)


@pytest.mark.parametrize("name", ["approve", "resume"])
def test_two_clicks_start_it_once(installation: Installation, name: str) -> None:
    add_readers(installation, *READERS)
    plan(installation, needs_approval=True)
    make_by_hand(installation)
    if name == "resume":
        step(installation, "approve")
        step(installation, "pause")
    starts = edition(installation).starts

    def click(_: int) -> str:
        try:
            return step(installation, name).state
        except CampaignError as error:
            return error.sentence

    with ThreadPoolExecutor(4) as threads:
        said = Counter(threads.map(click, range(4)))
    assert said[SENDING] == 1
    assert edition(installation).starts == starts + 1
    assert owed(installation) == {DeliveryState.QUEUED: len(READERS)}


def test_two_clocks_start_a_scheduled_edition_once(installation: Installation, clock: Clock) -> None:
    add_readers(installation, *READERS)
    plan(installation, cool_down_minutes=1)
    make_by_hand(installation)
    clock.turn(timedelta(minutes=1))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: by_the_clock(installation), range(4)))
    assert (edition(installation).state, edition(installation).starts) == (SENDING, 1)
    assert owed(installation) == {DeliveryState.QUEUED: len(READERS)}


rounds = count()
MOVES = st.lists(st.sampled_from([*STEPS, "send", "send", "clock", "wait"]), min_size=3, max_size=12)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES, st.booleans())
def test_whatever_is_done_the_ledger_balances_and_nobody_is_sent_two(
    make_sqlite_installation: MakeInstallation, clock: Clock, moves: list[str], approval: bool
) -> None:
    later = {READERS[0], READERS[1]}
    with Mailbox(answer_to_rcpt=lambda address: "450 4.2.1 Later" if address in later else None) as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        if not next(rounds):
            add_readers(installation, *READERS)
        publish(installation, f"round-{clock():%d-%H-%M}")
        plan(installation, needs_approval=approval)
        number = make_by_hand(installation).number
        assert number is not None
        done_at = None
        for name in [*moves, "cancel"]:
            if name == "send":
                sender = installation.sender("mails")
                send_waiting(sender, Batch(DeliveryKind.DIGEST), most=2)
                sender.transport.close()
            elif name == "clock":
                by_the_clock(installation)
            elif name == "wait":
                clock.turn(timedelta(minutes=10))
                later.clear()
            else:
                with contextlib.suppress(CampaignError):
                    step(installation, name, number)
            assert balances(installation)
            if done_at is not None:
                assert len(mailbox.messages) == done_at
            elif edition(installation, number).state in {CANCELLED, SENT}:
                done_at = len(mailbox.messages)
        by_the_clock(installation)
        clock.turn(timedelta(minutes=10))
    assert max(Counter(message.recipients[0] for message in mailbox.messages).values(), default=0) <= 1
    accepted = [item for item in digests(installation) if item.edition_id == edition(installation, number).id]
    assert sum(item.state is DeliveryState.ACCEPTED for item in accepted) == len(mailbox.messages)
