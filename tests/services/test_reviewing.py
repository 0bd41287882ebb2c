"""Reviews: what is suspicious waits uncounted; accepting, invalidating and taking back keep every count exact."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random  # noqa: TID251 (a sequence that is the same each time)

import pytest
from sqlalchemy import select

from campaign.errors import NotPossible
from campaign.models import Review, ReviewAction, Signature, SignatureState, Subscription, Suspicion, SuspicionKind
from campaign.services import reviewing
from campaign.services.counting import count_confirmed, list_days
from campaign.services.erasing import erase_signature
from campaign.services.reviewing import Criteria
from campaign.services.suspecting import Suspected, note_suspicions
from campaign.wiring import Campaign
from tests.conftest import Clock
from tests.services.people import confirm, count, find_petition, get_signature, sign

ACTOR = "dana@example.org"
GROUP = "a-random-name"
SOURCE = Criteria(kind=SuspicionKind.SOURCE, group=GROUP)
COUNTED = Criteria(state=SignatureState.CONFIRMED, kind=SuspicionKind.SOURCE, group=GROUP)


def suspect(campaign: Campaign, email: str, kind: SuspicionKind = SuspicionKind.SOURCE) -> None:
    with campaign.database.sessions.begin() as session:
        signature = get_signature(campaign, email)
        note_suspicions(session, signature.petition_id, signature.id, [Suspected(kind, GROUP)])


def sign_suspiciously(campaign: Campaign, email: str, *, updates: bool = False) -> None:
    """Post from where very many come, and confirm."""
    sign(campaign, email, updates=updates)
    suspect(campaign, email)
    confirm(campaign, email)


def decide(campaign: Campaign, action: ReviewAction, criteria: Criteria = SOURCE, seen: int | None = None) -> int:
    petition = find_petition(campaign)
    with campaign.database.snapshots() as session:
        matching = reviewing.count_matching(session, petition.id, criteria)
    return reviewing.review(
        campaign.database.sessions,
        campaign.vault,
        petition,
        criteria,
        action,
        seen=matching if seen is None else seen,
        actor=ACTOR,
        now=campaign.now(),
    )


def undo_last(campaign: Campaign) -> int:
    petition = find_petition(campaign)
    with campaign.database.snapshots() as session:
        last = reviewing.list_reviews(session, petition.id)[0]
    return reviewing.undo(campaign.database.sessions, petition, last.id, actor=ACTOR, now=campaign.now())


def check_counts(campaign: Campaign) -> None:
    """The counter is the number of confirmed rows, each day has its own, and no number is given twice."""
    with campaign.database.snapshots() as session:
        petition = find_petition(campaign)
        rows = session.scalars(select(Signature).where(Signature.state == SignatureState.CONFIRMED)).all()
        assert count_confirmed(session, petition.id) == len(rows)
        assert dict(list_days(session, petition.id)) == dict(Counter(row.signed_on for row in rows))
        numbers = [row.number for row in session.scalars(select(Signature)) if row.number is not None]
        assert len(numbers) == len(set(numbers))


def test_a_suspected_signature_waits_uncounted_and_keeps_its_address_only_for_updates(campaign: Campaign) -> None:
    sign_suspiciously(campaign, "plain@example.org")
    sign_suspiciously(campaign, "reader@example.org", updates=True)
    plain, reader = (get_signature(campaign, f"{name}@example.org") for name in ("plain", "reader"))
    assert {plain.state, reader.state} == {SignatureState.QUARANTINED}
    assert (plain.number, plain.sealed_address, plain.expires_at) == (None, None, None)
    assert reader.sealed_address is not None
    assert count(campaign) == 0
    with campaign.database.snapshots() as session:
        assert session.scalars(select(Subscription)).all() == []


def test_accepting_counts_on_the_day_of_confirming_and_begins_the_updates(campaign: Campaign, clock: Clock) -> None:
    sign(campaign, "first@example.org")
    confirm(campaign, "first@example.org")
    sign_suspiciously(campaign, "reader@example.org", updates=True)
    day = get_signature(campaign, "reader@example.org").signed_on
    clock.turn(timedelta(days=3))
    assert decide(campaign, ReviewAction.ACCEPT) == 1
    accepted = get_signature(campaign, "reader@example.org")
    assert (accepted.state, accepted.number, accepted.signed_on) == (SignatureState.CONFIRMED, 2, day)
    assert accepted.sealed_address is None
    assert count(campaign) == 2
    check_counts(campaign)
    with campaign.database.snapshots() as session:
        subscription = session.scalars(select(Subscription)).one()
        assert campaign.vault.open(subscription.sealed_address or b"", row=f"address:{subscription.id}") == (
            b"reader@example.org"
        )


def test_invalidating_a_counted_one_moves_the_counts_back_and_taking_it_back_gives_its_old_number(
    campaign: Campaign, clock: Clock
) -> None:
    for name in ("first", "forged", "third"):
        sign(campaign, f"{name}@example.org")
        confirm(campaign, f"{name}@example.org")
    suspect(campaign, "forged@example.org")  # found out afterwards
    clock.turn(timedelta(days=1))
    assert decide(campaign, ReviewAction.INVALIDATE, COUNTED) == 1
    assert get_signature(campaign, "forged@example.org").state is SignatureState.INVALIDATED
    assert count(campaign) == 2
    check_counts(campaign)
    assert undo_last(campaign) == 1
    forged = get_signature(campaign, "forged@example.org")
    assert (forged.state, forged.number) == (SignatureState.CONFIRMED, 2)
    assert count(campaign) == 3
    check_counts(campaign)


def test_a_review_is_refused_when_other_signatures_match_than_were_seen(campaign: Campaign) -> None:
    sign_suspiciously(campaign, "one@example.org")
    sign_suspiciously(campaign, "two@example.org")
    with pytest.raises(NotPossible, match="Other signatures match by now"):
        decide(campaign, ReviewAction.INVALIDATE, seen=1)
    with campaign.database.snapshots() as session:
        assert session.scalars(select(Review)).all() == []
    assert get_signature(campaign, "one@example.org").state is SignatureState.QUARANTINED


def test_what_was_withdrawn_meanwhile_is_not_put_back(campaign: Campaign) -> None:
    sign_suspiciously(campaign, "gone@example.org")
    row_id = get_signature(campaign, "gone@example.org").id
    decide(campaign, ReviewAction.INVALIDATE)
    with campaign.database.sessions.begin() as session:
        erase_signature(session, session.get_one(Signature, row_id), now=campaign.now())
    assert undo_last(campaign) == 0
    with campaign.database.snapshots() as session:
        assert session.get_one(Signature, row_id).state is SignatureState.INVALIDATED
    with pytest.raises(NotPossible):
        undo_last(campaign)


def test_an_accepted_counted_one_stays_counted_when_the_review_is_taken_back(campaign: Campaign) -> None:
    sign(campaign, "signer@example.org")
    confirm(campaign, "signer@example.org")
    suspect(campaign, "signer@example.org")
    assert decide(campaign, ReviewAction.ACCEPT, COUNTED) == 1
    assert undo_last(campaign) == 1
    assert (get_signature(campaign, "signer@example.org").number, count(campaign)) == (1, 1)
    check_counts(campaign)


def test_more_than_a_transaction_holds_are_moved_and_put_back(
    sqlite_campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "AT_ONCE", 3)
    for number in range(7):
        sign_suspiciously(sqlite_campaign, f"signer{number}@example.org", updates=True)
    assert decide(sqlite_campaign, ReviewAction.ACCEPT) == 7
    assert count(sqlite_campaign) == 7
    assert undo_last(sqlite_campaign) == 7
    assert count(sqlite_campaign) == 0
    check_counts(sqlite_campaign)


def test_a_new_post_of_a_confirmed_address_cannot_bring_it_under_suspicion(campaign: Campaign) -> None:
    """Else a stranger could have the signatures of known people looked at."""
    sign(campaign, "known@example.org")
    confirm(campaign, "known@example.org")
    with campaign.database.sessions.begin() as session:
        found = [Suspected(SuspicionKind.BURST, GROUP)]
        note_suspicions(session, find_petition(campaign).id, None, found)
        assert session.scalars(select(Suspicion)).all() == []


def _sign_somehow(campaign: Campaign, chance: Random, email: str) -> None:
    how = chance.choice(["plain", "found out later", "suspicious"])
    if how == "suspicious":
        sign_suspiciously(campaign, email, updates=chance.random() < 0.5)
        return
    sign(campaign, email)
    confirm(campaign, email)
    if how == "found out later":
        suspect(campaign, email)


def _review_somehow(campaign: Campaign, chance: Random) -> None:
    chosen = chance.choice([SOURCE, COUNTED, Criteria(), Criteria(state=SignatureState.CONFIRMED)])
    with suppress(NotPossible):  # nothing may match
        decide(campaign, chance.choice([*ReviewAction]), chosen)


def _undo_one(campaign: Campaign, chance: Random) -> None:
    petition = find_petition(campaign)
    with campaign.database.snapshots() as session:
        known = [made.id for made in reviewing.list_reviews(session, petition.id) if not made.undone_at]
    if known:
        reviewing.undo(campaign.database.sessions, petition, chance.choice(known), actor=ACTOR, now=campaign.now())


def _erase_one(campaign: Campaign, chance: Random) -> None:
    with campaign.database.sessions.begin() as session:
        rows = session.scalars(select(Signature).where(Signature.fingerprint.is_not(None)).order_by(Signature.id)).all()
        if rows:
            erase_signature(session, chance.choice(rows), now=campaign.now())


@pytest.mark.parametrize("seed", range(3))
def test_counts_stay_exact_whatever_happens(sqlite_campaign: Campaign, clock: Clock, seed: int) -> None:
    chance = Random(seed)
    for step in range(40):
        match chance.choice(["sign", "sign", "review", "review", "undo", "erase", "day"]):
            case "sign":
                _sign_somehow(sqlite_campaign, chance, f"signer{step}@example.org")
            case "review":
                _review_somehow(sqlite_campaign, chance)
            case "undo":
                _undo_one(sqlite_campaign, chance)
            case "erase":
                _erase_one(sqlite_campaign, chance)
            case "day":
                clock.turn(timedelta(days=1))
        check_counts(sqlite_campaign)
