"""Decisions about signatures: what they do to the count, what is taken back, what being cut short does."""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from campaign.errors import NotFound, NotPossible
from campaign.installation.wiring import Campaign
from campaign.models import AuditEntry, Review, ReviewAction, SignatureState, SuspicionKind
from campaign.services.moderation import decisions as moderation_decisions
from campaign.services.moderation.decisions import take_back
from campaign.services.moderation.review_queue import Changed, Criteria, count_to_review, list_groups
from campaign.services.petitions.counts import list_days
from tests.conftest import Clock, MakeCampaign
from tests.scenes.people import count, disown, find_petition, get_signature, get_subscription
from tests.scenes.suspects import (
    COUNTED,
    ORGANIZER,
    WAITING,
    check_counts,
    count_in,
    look,
    quarantine,
    review,
    suspect,
    undo,
)

ACCEPT, INVALIDATE = ReviewAction
GROUP = Criteria(SignatureState.CONFIRMED, SuspicionKind.SOURCE, "g1")
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def days(campaign: Campaign) -> dict[date, int]:
    with campaign.database.snapshots() as session:
        return dict(list_days(session, find_petition(campaign).id))


def state(campaign: Campaign, email: str) -> SignatureState:
    return get_signature(campaign, email).state


def number(campaign: Campaign, email: str) -> int | None:
    return get_signature(campaign, email).number


def trail(campaign: Campaign) -> list[tuple[str, Mapping[str, Any]]]:
    with campaign.database.snapshots() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.actor == ORGANIZER).order_by(AuditEntry.id))
        return [(entry.action, entry.details) for entry in entries]


def test_an_accepted_signature_counts_on_its_day_and_gets_the_next_number(campaign: Campaign, clock: Clock) -> None:
    count_in(campaign, "first@example.org")
    quarantine(campaign, "monday@example.org")
    clock.turn(timedelta(days=1))
    quarantine(campaign, "tuesday@example.org")
    assert count(campaign) == 1
    decision = review(campaign, ACCEPT)
    assert decision.count == 2
    assert days(campaign) == {MONDAY: 2, TUESDAY: 1}
    assert [number(campaign, f"{day}@example.org") for day in ("monday", "tuesday")] == [2, 3]
    assert check_counts(campaign) == 3
    assert trail(campaign) == [
        ("signatures accepted", {"review": decision.id, "state": "quarantined", "signatures": 2})
    ]


def test_updates_begin_with_accepting_and_no_address_stays_with_the_signature(campaign: Campaign, clock: Clock) -> None:
    quarantine(campaign, "reader@example.org", updates=True)
    quarantine(campaign, "silent@example.org")
    clock.turn(timedelta(days=1))
    review(campaign, ACCEPT)
    subscription = get_subscription(campaign, "reader@example.org")
    assert subscription.since_on == MONDAY
    assert subscription.sealed_address is not None
    opened = campaign.vault.open(subscription.sealed_address, row=f"address:{subscription.id}")
    assert opened == b"reader@example.org"
    signature = get_signature(campaign, "reader@example.org")
    assert (signature.sealed_address, signature.wants_updates) == (None, False)


def test_an_accepted_one_that_was_counted_stays_counted_and_comes_up_no_more(campaign: Campaign) -> None:
    count_in(campaign, "a@example.org")
    suspect(campaign, "a@example.org")
    review(campaign, ACCEPT, GROUP)
    with campaign.database.snapshots() as session:
        assert list_groups(session, find_petition(campaign).id) == []
        assert set(count_to_review(session, find_petition(campaign).id).values()) == {0}
    assert check_counts(campaign) == 1


def test_what_nobody_suspects_cannot_be_accepted(campaign: Campaign) -> None:
    count_in(campaign, "a@example.org")
    with pytest.raises(NotPossible):
        review(campaign, ACCEPT, COUNTED)
    assert trail(campaign) == []


def test_invalidating_takes_the_count_and_that_of_the_day_back(campaign: Campaign, clock: Clock) -> None:
    count_in(campaign, "a@example.org", "b@example.org")
    clock.turn(timedelta(days=1))
    count_in(campaign, "c@example.org")
    suspect(campaign, "b@example.org", "c@example.org")
    decision = review(campaign, INVALIDATE, GROUP)
    assert days(campaign) == {MONDAY: 1}
    assert check_counts(campaign) == 1
    assert state(campaign, "b@example.org") is SignatureState.INVALIDATED
    undo(campaign, decision)
    assert days(campaign) == {MONDAY: 2, TUESDAY: 1}
    assert [number(campaign, f"{name}@example.org") for name in "abc"] == [1, 2, 3]
    assert check_counts(campaign) == 3
    assert [action for action, _ in trail(campaign)] == ["signatures invalidated", "review taken back"]


def test_an_invalidated_one_that_waited_keeps_no_address(campaign: Campaign) -> None:
    quarantine(campaign, "reader@example.org", updates=True)
    decision = review(campaign, INVALIDATE)
    assert get_signature(campaign, "reader@example.org").sealed_address is None
    assert check_counts(campaign) == 0
    undo(campaign, decision)
    assert state(campaign, "reader@example.org") is SignatureState.QUARANTINED
    assert review(campaign, ACCEPT).count == 1
    assert check_counts(campaign) == 1


def test_an_acceptance_that_is_taken_back_leaves_the_number_for_the_next_one(campaign: Campaign) -> None:
    quarantine(campaign, "a@example.org")
    undo(campaign, review(campaign, ACCEPT))
    assert state(campaign, "a@example.org") is SignatureState.QUARANTINED
    assert check_counts(campaign) == 0
    count_in(campaign, "b@example.org")
    review(campaign, ACCEPT)
    assert [number(campaign, f"{name}@example.org") for name in "ab"] == [1, 2]
    assert check_counts(campaign) == 2


def test_a_decision_is_taken_back_once_and_only_by_its_petition(campaign: Campaign) -> None:
    quarantine(campaign, "a@example.org")
    decision = review(campaign, ACCEPT)
    undo(campaign, decision)
    with pytest.raises(NotPossible):
        undo(campaign, decision)
    with pytest.raises(NotFound):
        take_back(campaign.database.sessions, 999, decision.id, actor=ORGANIZER, now=campaign.now())
    assert [action for action, _ in trail(campaign)] == ["signatures accepted", "review taken back"]


def test_taking_back_leaves_alone_what_was_decided_or_withdrawn_since(campaign: Campaign) -> None:
    quarantine(campaign, "a@example.org", "b@example.org", "c@example.org", country="KZ")
    quarantine(campaign, "d@example.org", country="DE")
    accepted = review(campaign, ACCEPT)
    disown(campaign, "a@example.org")
    review(campaign, INVALIDATE, Criteria(SignatureState.CONFIRMED, country="DE"))
    undo(campaign, accepted)
    assert state(campaign, "b@example.org") is SignatureState.QUARANTINED
    assert state(campaign, "d@example.org") is SignatureState.INVALIDATED
    with campaign.database.snapshots() as session:
        assert session.scalars(select(Review.count).order_by(Review.id)).all() == [4, 1]
    assert check_counts(campaign) == 0


@pytest.mark.parametrize("happens", ["one more", "one less"])
def test_what_was_not_shown_is_not_touched(campaign: Campaign, happens: str) -> None:
    quarantine(campaign, "a@example.org", "b@example.org")
    seen = look(campaign)
    if happens == "one more":
        quarantine(campaign, "c@example.org")
    else:
        disown(campaign, "b@example.org")
    with pytest.raises(Changed):
        review(campaign, ACCEPT, seen=seen)
    assert state(campaign, "a@example.org") is SignatureState.QUARANTINED
    assert trail(campaign) == []


def test_nothing_is_not_decided_about(campaign: Campaign) -> None:
    with pytest.raises(Changed):
        review(campaign, INVALIDATE)
    assert trail(campaign) == []


class Cut(Exception):
    """The process is ended."""


@pytest.fixture
def cut_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Steps of two signatures, of which so many are taken before the process is ended."""
    monkeypatch.setattr(moderation_decisions, "STEP", 2)

    def cut(name: str, steps: int) -> None:
        taken = 0
        step = getattr(moderation_decisions, name)

        def watched(*arguments: Any) -> Any:
            nonlocal taken
            if taken == steps:
                monkeypatch.setattr(moderation_decisions, name, step)
                raise Cut
            taken += 1
            return step(*arguments)

        monkeypatch.setattr(moderation_decisions, name, watched)

    return cut


def test_what_was_cut_short_is_gone_on_with_by_pressing_again(
    campaign: Campaign, cut_after: Callable[[str, int], None]
) -> None:
    quarantine(campaign, *(f"p{number}@example.org" for number in range(7)))
    seen = look(campaign)
    cut_after("_decide_step", 2)
    with pytest.raises(Cut):
        review(campaign, ACCEPT, seen=seen)
    assert check_counts(campaign) == 4
    decision = review(campaign, ACCEPT, seen=seen)
    assert decision.count == check_counts(campaign) == 7
    assert review(campaign, ACCEPT, seen=seen).id == decision.id
    assert check_counts(campaign) == 7
    assert [action for action, _ in trail(campaign)] == ["signatures accepted"]

    cut_after("_take_back_step", 1)
    with pytest.raises(Cut):
        undo(campaign, decision)
    assert check_counts(campaign) == 5
    with campaign.database.snapshots() as session:
        assert moderation_decisions.list_unfinished(session, session.scalars(select(Review)).all()) == {decision.id}
    undo(campaign, decision)
    assert check_counts(campaign) == 0
    with campaign.database.snapshots() as session:
        assert moderation_decisions.list_unfinished(session, session.scalars(select(Review)).all()) == set()
    assert [action for action, _ in trail(campaign)] == ["signatures accepted", "review taken back"]


def test_a_decision_that_was_cut_short_is_not_about_those_who_came_later(
    campaign: Campaign, cut_after: Callable[[str, int], None]
) -> None:
    quarantine(campaign, *(f"p{number}@example.org" for number in range(4)))
    seen = look(campaign)
    cut_after("_decide_step", 1)
    with pytest.raises(Cut):
        review(campaign, INVALIDATE, seen=seen)
    quarantine(campaign, "late@example.org")
    with pytest.raises(Changed):
        review(campaign, INVALIDATE, seen=seen)
    assert review(campaign, INVALIDATE).count == 3


def _press_anything(campaign: Campaign, clock: Clock, chance: Any, people: list[str]) -> None:
    """One act of a signer or of an organizer."""
    kind, group = chance.choice([*SuspicionKind]), f"g{chance.randrange(2)}"
    match chance.choice(["count", "quarantine", "quarantine", "withdraw", "accept", "accept", "invalidate", "undo"]):
        case "count" | "quarantine" as way:
            people.append(f"p{chance.getrandbits(60)}@example.org")
            updates = chance.random() < 0.3
            if way == "count":
                count_in(campaign, people[-1], updates=updates)
            else:
                quarantine(campaign, people[-1], kind=kind, group=group, updates=updates)
            clock.turn(timedelta(hours=chance.randrange(12)))
        case "withdraw" if people:
            disown(campaign, people.pop(chance.randrange(len(people))))
        case "accept" | "invalidate" as action:
            criteria = Criteria(
                chance.choice([SignatureState.QUARANTINED, SignatureState.CONFIRMED]),
                chance.choice([None, kind]),
                first=chance.choice([None, MONDAY, TUESDAY]),
            )
            if criteria.allows(ReviewAction(action)):
                try:
                    review(campaign, ReviewAction(action), criteria)
                except Changed:  # nothing matches
                    return
        case "undo":
            with campaign.database.snapshots() as session:
                decisions = session.scalars(select(Review).where(Review.undone_at.is_(None))).all()
            if decisions:
                undo(campaign, chance.choice(decisions))


@settings(max_examples=2, phases=[Phase.generate], derandomize=True, suppress_health_check=[*HealthCheck])
@given(chance=st.randoms(use_true_random=True))
def test_whatever_is_pressed_the_count_is_that_of_the_rows_and_of_the_days(
    make_sqlite_campaign: MakeCampaign, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, chance: Any
) -> None:
    monkeypatch.setattr(moderation_decisions, "STEP", 2)
    shutil.rmtree(folder / "var", ignore_errors=True)
    sqlite_campaign, people = make_sqlite_campaign(), list[str]()
    counts = set()
    for _ in range(70):
        _press_anything(sqlite_campaign, clock, chance, people)
        counts.add(check_counts(sqlite_campaign))
    assert len(counts) > 5
    with sqlite_campaign.database.snapshots() as session:
        decisions = session.scalars(select(Review)).all()
    assert {decision.action for decision in decisions} == {*ReviewAction}
    assert {decision.undone_at is None for decision in decisions} == {True, False}


def test_two_organizers_and_signers_at_once_leave_exact_counts(
    campaign: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moderation_decisions, "STEP", 3)
    emails = [f"p{number}@example.org" for number in range(24)]
    for part in (emails[:12], emails[12:]):
        quarantine(campaign, *part, updates=True, country="KZ")
        clock.turn(timedelta(days=1))
    # Some have a number already.
    undo(campaign, review(campaign, ACCEPT, Criteria(SignatureState.QUARANTINED, first=TUESDAY)))

    def organize(criteria: Criteria) -> None:
        for _ in range(4):
            for action in (ACCEPT, INVALIDATE):
                try:
                    undo(campaign, review(campaign, action, criteria))
                except NotPossible:  # the other one was quicker
                    continue

    def sign_and_leave() -> None:
        count_in(campaign, *(f"n{number}@example.org" for number in range(6)))
        for email in emails[::4]:
            disown(campaign, email)

    with ThreadPoolExecutor(3) as threads:
        done = [
            threads.submit(organize, WAITING),
            threads.submit(organize, Criteria(SignatureState.QUARANTINED, country="KZ")),
            threads.submit(sign_and_leave),
        ]
    for each in done:
        each.result()
    assert check_counts(campaign) >= 6
    assert get_signature(campaign, "n0@example.org").number is not None
