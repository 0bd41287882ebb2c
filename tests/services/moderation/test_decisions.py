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
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Review, ReviewAction, SignatureState, SuspicionKind
from campaign.services.moderation import decisions as moderation_decisions
from campaign.services.moderation.decisions import take_back
from campaign.services.moderation.review_queue import Changed, Criteria, count_to_review, list_groups
from campaign.services.petitions.counts import list_days
from tests.conftest import Clock, MakeInstallation
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


def days(installation: Installation) -> dict[date, int]:
    with installation.database.snapshots() as session:
        return dict(list_days(session, find_petition(installation).id))


def state(installation: Installation, email: str) -> SignatureState:
    return get_signature(installation, email).state


def number(installation: Installation, email: str) -> int | None:
    return get_signature(installation, email).number


def trail(installation: Installation) -> list[tuple[str, Mapping[str, Any]]]:
    with installation.database.snapshots() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.actor == ORGANIZER).order_by(AuditEntry.id))
        return [(entry.action, entry.details) for entry in entries]


def test_an_accepted_signature_counts_on_its_day_and_gets_the_next_number(
    installation: Installation, clock: Clock
) -> None:
    count_in(installation, "first@example.org")
    quarantine(installation, "monday@example.org")
    clock.turn(timedelta(days=1))
    quarantine(installation, "tuesday@example.org")
    assert count(installation) == 1
    decision = review(installation, ACCEPT)
    assert decision.count == 2
    assert days(installation) == {MONDAY: 2, TUESDAY: 1}
    assert [number(installation, f"{day}@example.org") for day in ("monday", "tuesday")] == [2, 3]
    assert check_counts(installation) == 3
    assert trail(installation) == [
        ("signatures accepted", {"review": decision.id, "state": "quarantined", "signatures": 2})
    ]


def test_updates_begin_with_accepting_and_no_address_stays_with_the_signature(
    installation: Installation, clock: Clock
) -> None:
    quarantine(installation, "reader@example.org", updates=True)
    quarantine(installation, "silent@example.org")
    clock.turn(timedelta(days=1))
    review(installation, ACCEPT)
    subscription = get_subscription(installation, "reader@example.org")
    assert subscription.since_on == MONDAY
    assert subscription.sealed_address is not None
    opened = installation.vault.open(subscription.sealed_address, row=f"address:{subscription.id}")
    assert opened == b"reader@example.org"
    signature = get_signature(installation, "reader@example.org")
    assert (signature.sealed_address, signature.wants_updates) == (None, False)


def test_an_accepted_one_that_was_counted_stays_counted_and_comes_up_no_more(installation: Installation) -> None:
    count_in(installation, "a@example.org")
    suspect(installation, "a@example.org")
    review(installation, ACCEPT, GROUP)
    with installation.database.snapshots() as session:
        assert list_groups(session, find_petition(installation).id) == []
        assert set(count_to_review(session, find_petition(installation).id).values()) == {0}
    assert check_counts(installation) == 1


def test_what_nobody_suspects_cannot_be_accepted(installation: Installation) -> None:
    count_in(installation, "a@example.org")
    with pytest.raises(NotPossible):
        review(installation, ACCEPT, COUNTED)
    assert trail(installation) == []


def test_invalidating_takes_the_count_and_that_of_the_day_back(installation: Installation, clock: Clock) -> None:
    count_in(installation, "a@example.org", "b@example.org")
    clock.turn(timedelta(days=1))
    count_in(installation, "c@example.org")
    suspect(installation, "b@example.org", "c@example.org")
    decision = review(installation, INVALIDATE, GROUP)
    assert days(installation) == {MONDAY: 1}
    assert check_counts(installation) == 1
    assert state(installation, "b@example.org") is SignatureState.INVALIDATED
    undo(installation, decision)
    assert days(installation) == {MONDAY: 2, TUESDAY: 1}
    assert [number(installation, f"{name}@example.org") for name in "abc"] == [1, 2, 3]
    assert check_counts(installation) == 3
    assert [action for action, _ in trail(installation)] == ["signatures invalidated", "review taken back"]


def test_an_invalidated_one_that_waited_keeps_no_address(installation: Installation) -> None:
    quarantine(installation, "reader@example.org", updates=True)
    decision = review(installation, INVALIDATE)
    assert get_signature(installation, "reader@example.org").sealed_address is None
    assert check_counts(installation) == 0
    undo(installation, decision)
    assert state(installation, "reader@example.org") is SignatureState.QUARANTINED
    assert review(installation, ACCEPT).count == 1
    assert check_counts(installation) == 1


def test_an_acceptance_that_is_taken_back_leaves_the_number_for_the_next_one(installation: Installation) -> None:
    quarantine(installation, "a@example.org")
    undo(installation, review(installation, ACCEPT))
    assert state(installation, "a@example.org") is SignatureState.QUARANTINED
    assert check_counts(installation) == 0
    count_in(installation, "b@example.org")
    review(installation, ACCEPT)
    assert [number(installation, f"{name}@example.org") for name in "ab"] == [1, 2]
    assert check_counts(installation) == 2


def test_a_decision_is_taken_back_once_and_only_by_its_petition(installation: Installation) -> None:
    quarantine(installation, "a@example.org")
    decision = review(installation, ACCEPT)
    undo(installation, decision)
    with pytest.raises(NotPossible):
        undo(installation, decision)
    with pytest.raises(NotFound):
        take_back(installation.database.sessions, 999, decision.id, actor=ORGANIZER, now=installation.now())
    assert [action for action, _ in trail(installation)] == ["signatures accepted", "review taken back"]


def test_taking_back_leaves_alone_what_was_decided_or_withdrawn_since(installation: Installation) -> None:
    quarantine(installation, "a@example.org", "b@example.org", "c@example.org", country="KZ")
    quarantine(installation, "d@example.org", country="DE")
    accepted = review(installation, ACCEPT)
    disown(installation, "a@example.org")
    review(installation, INVALIDATE, Criteria(SignatureState.CONFIRMED, country="DE"))
    undo(installation, accepted)
    assert state(installation, "b@example.org") is SignatureState.QUARANTINED
    assert state(installation, "d@example.org") is SignatureState.INVALIDATED
    with installation.database.snapshots() as session:
        assert session.scalars(select(Review.count).order_by(Review.id)).all() == [4, 1]
    assert check_counts(installation) == 0


@pytest.mark.parametrize("happens", ["one more", "one less"])
def test_what_was_not_shown_is_not_touched(installation: Installation, happens: str) -> None:
    quarantine(installation, "a@example.org", "b@example.org")
    seen = look(installation)
    if happens == "one more":
        quarantine(installation, "c@example.org")
    else:
        disown(installation, "b@example.org")
    with pytest.raises(Changed):
        review(installation, ACCEPT, seen=seen)
    assert state(installation, "a@example.org") is SignatureState.QUARANTINED
    assert trail(installation) == []


def test_nothing_is_not_decided_about(installation: Installation) -> None:
    with pytest.raises(Changed):
        review(installation, INVALIDATE)
    assert trail(installation) == []


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
    installation: Installation, cut_after: Callable[[str, int], None]
) -> None:
    quarantine(installation, *(f"p{number}@example.org" for number in range(7)))
    seen = look(installation)
    cut_after("_decide_step", 2)
    with pytest.raises(Cut):
        review(installation, ACCEPT, seen=seen)
    assert check_counts(installation) == 4
    decision = review(installation, ACCEPT, seen=seen)
    assert decision.count == check_counts(installation) == 7
    assert review(installation, ACCEPT, seen=seen).id == decision.id
    assert check_counts(installation) == 7
    assert [action for action, _ in trail(installation)] == ["signatures accepted"]

    cut_after("_take_back_step", 1)
    with pytest.raises(Cut):
        undo(installation, decision)
    assert check_counts(installation) == 5
    with installation.database.snapshots() as session:
        assert moderation_decisions.list_unfinished(session, session.scalars(select(Review)).all()) == {decision.id}
    undo(installation, decision)
    assert check_counts(installation) == 0
    with installation.database.snapshots() as session:
        assert moderation_decisions.list_unfinished(session, session.scalars(select(Review)).all()) == set()
    assert [action for action, _ in trail(installation)] == ["signatures accepted", "review taken back"]


def test_a_decision_that_was_cut_short_is_not_about_those_who_came_later(
    installation: Installation, cut_after: Callable[[str, int], None]
) -> None:
    quarantine(installation, *(f"p{number}@example.org" for number in range(4)))
    seen = look(installation)
    cut_after("_decide_step", 1)
    with pytest.raises(Cut):
        review(installation, INVALIDATE, seen=seen)
    quarantine(installation, "late@example.org")
    with pytest.raises(Changed):
        review(installation, INVALIDATE, seen=seen)
    assert review(installation, INVALIDATE).count == 3


def _press_anything(installation: Installation, clock: Clock, chance: Any, people: list[str]) -> None:
    """One act of a signer or of an organizer."""
    kind, group = chance.choice([*SuspicionKind]), f"g{chance.randrange(2)}"
    match chance.choice(["count", "quarantine", "quarantine", "withdraw", "accept", "accept", "invalidate", "undo"]):
        case "count" | "quarantine" as way:
            people.append(f"p{chance.getrandbits(60)}@example.org")
            updates = chance.random() < 0.3
            if way == "count":
                count_in(installation, people[-1], updates=updates)
            else:
                quarantine(installation, people[-1], kind=kind, group=group, updates=updates)
            clock.turn(timedelta(hours=chance.randrange(12)))
        case "withdraw" if people:
            disown(installation, people.pop(chance.randrange(len(people))))
        case "accept" | "invalidate" as action:
            criteria = Criteria(
                chance.choice([SignatureState.QUARANTINED, SignatureState.CONFIRMED]),
                chance.choice([None, kind]),
                first=chance.choice([None, MONDAY, TUESDAY]),
            )
            if criteria.allows(ReviewAction(action)):
                try:
                    review(installation, ReviewAction(action), criteria)
                except Changed:  # nothing matches
                    return
        case "undo":
            with installation.database.snapshots() as session:
                decisions = session.scalars(select(Review).where(Review.undone_at.is_(None))).all()
            if decisions:
                undo(installation, chance.choice(decisions))


@settings(max_examples=2, phases=[Phase.generate], derandomize=True, suppress_health_check=[*HealthCheck])
@given(chance=st.randoms(use_true_random=True))
def test_whatever_is_pressed_the_count_is_that_of_the_rows_and_of_the_days(
    make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, chance: Any
) -> None:
    monkeypatch.setattr(moderation_decisions, "STEP", 2)
    shutil.rmtree(folder / "var", ignore_errors=True)
    sqlite_installation, people = make_sqlite_installation(), list[str]()
    counts = set()
    for _ in range(70):
        _press_anything(sqlite_installation, clock, chance, people)
        counts.add(check_counts(sqlite_installation))
    assert len(counts) > 5
    with sqlite_installation.database.snapshots() as session:
        decisions = session.scalars(select(Review)).all()
    assert {decision.action for decision in decisions} == {*ReviewAction}
    assert {decision.undone_at is None for decision in decisions} == {True, False}


def test_two_organizers_and_signers_at_once_leave_exact_counts(
    installation: Installation, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moderation_decisions, "STEP", 3)
    emails = [f"p{number}@example.org" for number in range(24)]
    for part in (emails[:12], emails[12:]):
        quarantine(installation, *part, updates=True, country="KZ")
        clock.turn(timedelta(days=1))
    # Some have a number already.
    undo(installation, review(installation, ACCEPT, Criteria(SignatureState.QUARANTINED, first=TUESDAY)))

    def organize(criteria: Criteria) -> None:
        for _ in range(4):
            for action in (ACCEPT, INVALIDATE):
                try:
                    undo(installation, review(installation, action, criteria))
                except NotPossible:  # the other one was quicker
                    continue

    def sign_and_leave() -> None:
        count_in(installation, *(f"n{number}@example.org" for number in range(6)))
        for email in emails[::4]:
            disown(installation, email)

    with ThreadPoolExecutor(3) as threads:
        done = [
            threads.submit(organize, WAITING),
            threads.submit(organize, Criteria(SignatureState.QUARANTINED, country="KZ")),
            threads.submit(sign_and_leave),
        ]
    for each in done:
        each.result()
    assert check_counts(installation) >= 6
    assert get_signature(installation, "n0@example.org").number is not None
