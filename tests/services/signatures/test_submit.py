"""A submitted form: its challenge, the signature and the suspicions are one thing, or nothing of it is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaign.errors import NotOpen
from campaign.installation.wiring import Campaign
from campaign.models import PetitionCounter, Signature, SpentChallenge, Suspicion, SuspicionKind
from campaign.periods import CHALLENGE_LASTS, CHALLENGE_TRIES
from campaign.services.abuse.challenges import Answer, Refusal, check_puzzle, make_puzzle, make_question, spend
from campaign.services.abuse.suspicions import Suspected
from campaign.services.petitions.lifecycle import close_petition
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures.submit import Screening, submit
from tests.conftest import SLUG, STAGE, Clock
from tests.scenes.challenges import solve
from tests.scenes.people import find_petition, get_signature, typed

A, B = "a@example.org", "b@example.org"


def post(campaign: Campaign, email: str, screening: Screening | None = None) -> Refusal | None:
    """Submit a form as a door does."""
    with campaign.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        version = get_text_version(session, petition, "en")
    return submit(
        campaign.database.sessions,
        campaign.vault,
        petition,
        version,
        typed(email),
        now=campaign.now(),
        screening=screening,
    )


def kept(campaign: Campaign) -> tuple[int, int, int]:
    """Signatures, challenges that were spent, forms that were counted."""
    with campaign.database.snapshots() as session:
        return (
            session.scalars(select(func.count()).select_from(Signature)).one(),
            session.scalars(select(func.count()).select_from(SpentChallenge)).one(),
            session.scalars(select(PetitionCounter.posts)).one(),
        )


def answering(campaign: Campaign, *, puzzle: str = "", question: str = "", right: bool | None = None) -> Screening:
    return Screening(Answer(puzzle, question, None if right is None else lambda _seed: right))


def question_for(campaign: Campaign) -> str:
    return make_question(campaign.vault, find_petition(campaign), now=campaign.now())


def puzzle_for(campaign: Campaign) -> str:
    return solve(make_puzzle(campaign.vault, find_petition(campaign), now=campaign.now()))


def test_a_kiosk_asks_for_nothing(campaign: Campaign) -> None:
    assert post(campaign, A) is None
    assert kept(campaign) == (1, 0, 1)


def test_a_challenge_pays_for_one_signature(campaign: Campaign) -> None:
    for met in (
        answering(campaign, puzzle=puzzle_for(campaign)),
        answering(campaign, question=question_for(campaign), right=True),
    ):
        before, spent, posts = kept(campaign)
        assert post(campaign, f"{before}@example.org", met) is None
        assert kept(campaign) == (before + 1, spent + 1, posts + 1)
        assert post(campaign, B, met) is Refusal.USED_UP
        assert kept(campaign) == (before + 1, spent + 1, posts + 1)


def test_a_challenge_that_is_spent_at_the_last_moment_signs_nothing(campaign: Campaign) -> None:
    """Between the check and the signature another form may have spent it."""
    puzzle = puzzle_for(campaign)
    solved = check_puzzle(campaign.vault, find_petition(campaign), puzzle, now=campaign.now())
    assert solved is not None
    with campaign.database.sessions.begin() as session:
        assert spend(session, *solved)
    assert post(campaign, A, answering(campaign, puzzle=puzzle)) is Refusal.USED_UP
    assert kept(campaign)[0] == 0


def test_what_is_not_answered_or_too_late_is_refused(sqlite_campaign: Campaign, clock: Clock) -> None:
    question = question_for(sqlite_campaign)
    assert post(sqlite_campaign, A, answering(sqlite_campaign, question=question)) is Refusal.UNANSWERED
    assert post(sqlite_campaign, A, answering(sqlite_campaign, question="forged", right=True)) is Refusal.USED_UP
    clock.turn(CHALLENGE_LASTS)
    assert post(sqlite_campaign, A, answering(sqlite_campaign, question=question, right=True)) is Refusal.USED_UP
    assert kept(sqlite_campaign) == (0, 0, 0)


def test_wrong_answers_are_counted_until_another_question_has_to_be_answered(campaign: Campaign) -> None:
    question = question_for(campaign)
    for _ in range(CHALLENGE_TRIES - 1):
        assert post(campaign, A, answering(campaign, question=question, right=False)) is Refusal.WRONG
    assert post(campaign, A, answering(campaign, question=question, right=False)) is Refusal.WRONG_TOO_OFTEN
    assert post(campaign, A, answering(campaign, question=question, right=True)) is Refusal.USED_UP
    assert kept(campaign)[0] == 0


def test_a_machine_is_counted_and_nothing_else_is_kept(campaign: Campaign) -> None:
    def look(_signature_id: int | None) -> list[Suspected]:
        raise AssertionError("nobody looks at the form of a machine")

    assert post(campaign, A, Screening(is_from_machine=True, look=look)) is None
    assert kept(campaign) == (0, 0, 1)


def test_what_is_suspicious_is_kept_with_the_signature(campaign: Campaign) -> None:
    seen: list[int | None] = []

    def look(signature_id: int | None) -> list[Suspected]:
        seen.append(signature_id)
        return [Suspected(SuspicionKind.WORDS, "group")]

    assert post(campaign, A, Screening(look=look)) is None
    signature = get_signature(campaign, A)
    assert seen == [signature.id]
    with campaign.database.snapshots() as session:
        (suspicion,) = session.scalars(select(Suspicion))
    assert (suspicion.signature_id, suspicion.kind, suspicion.group) == (signature.id, SuspicionKind.WORDS, "group")


def test_a_signature_that_fails_keeps_nothing_and_spends_nothing(campaign: Campaign) -> None:
    puzzle = puzzle_for(campaign)

    def fail(_signature_id: int | None) -> list[Suspected]:
        raise RuntimeError

    screening = Screening(Answer(puzzle, "", None), look=fail)
    with pytest.raises(RuntimeError):
        post(campaign, A, screening)
    assert kept(campaign) == (0, 0, 0)
    with campaign.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=STAGE, now=campaign.now() + timedelta(seconds=1))
    with pytest.raises(NotOpen):
        post(campaign, A, answering(campaign, puzzle=puzzle))
    assert kept(campaign) == (0, 0, 0)
