"""A submitted form: its challenge, the signature and the suspicions are one thing, or nothing of it is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaign.errors import NotOpen
from campaign.installation.wiring import Installation
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


def post(installation: Installation, email: str, screening: Screening | None = None) -> Refusal | None:
    """Submit a form as a door does."""
    with installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        version = get_text_version(session, petition, "en")
    return submit(
        installation.database.sessions,
        installation.vault,
        petition,
        version,
        typed(email),
        now=installation.now(),
        screening=screening,
    )


def kept(installation: Installation) -> tuple[int, int, int]:
    """Signatures, challenges that were spent, forms that were counted."""
    with installation.database.snapshots() as session:
        return (
            session.scalars(select(func.count()).select_from(Signature)).one(),
            session.scalars(select(func.count()).select_from(SpentChallenge)).one(),
            session.scalars(select(PetitionCounter.posts)).one(),
        )


def answering(
    installation: Installation, *, puzzle: str = "", question: str = "", right: bool | None = None
) -> Screening:
    return Screening(Answer(puzzle, question, None if right is None else lambda _seed: right))


def question_for(installation: Installation) -> str:
    return make_question(installation.vault, find_petition(installation), now=installation.now())


def puzzle_for(installation: Installation) -> str:
    return solve(make_puzzle(installation.vault, find_petition(installation), now=installation.now()))


def test_a_kiosk_asks_for_nothing(installation: Installation) -> None:
    assert post(installation, A) is None
    assert kept(installation) == (1, 0, 1)


def test_a_challenge_pays_for_one_signature(installation: Installation) -> None:
    for met in (
        answering(installation, puzzle=puzzle_for(installation)),
        answering(installation, question=question_for(installation), right=True),
    ):
        before, spent, posts = kept(installation)
        assert post(installation, f"{before}@example.org", met) is None
        assert kept(installation) == (before + 1, spent + 1, posts + 1)
        assert post(installation, B, met) is Refusal.USED_UP
        assert kept(installation) == (before + 1, spent + 1, posts + 1)


def test_a_challenge_that_is_spent_at_the_last_moment_signs_nothing(installation: Installation) -> None:
    """Between the check and the signature another form may have spent it."""
    puzzle = puzzle_for(installation)
    solved = check_puzzle(installation.vault, find_petition(installation), puzzle, now=installation.now())
    assert solved is not None
    with installation.database.sessions.begin() as session:
        assert spend(session, *solved)
    assert post(installation, A, answering(installation, puzzle=puzzle)) is Refusal.USED_UP
    assert kept(installation)[0] == 0


def test_what_is_not_answered_or_too_late_is_refused(sqlite_installation: Installation, clock: Clock) -> None:
    question = question_for(sqlite_installation)
    assert post(sqlite_installation, A, answering(sqlite_installation, question=question)) is Refusal.UNANSWERED
    assert (
        post(sqlite_installation, A, answering(sqlite_installation, question="forged", right=True)) is Refusal.USED_UP
    )
    clock.turn(CHALLENGE_LASTS)
    assert (
        post(sqlite_installation, A, answering(sqlite_installation, question=question, right=True)) is Refusal.USED_UP
    )
    assert kept(sqlite_installation) == (0, 0, 0)


def test_wrong_answers_are_counted_until_another_question_has_to_be_answered(installation: Installation) -> None:
    question = question_for(installation)
    for _ in range(CHALLENGE_TRIES - 1):
        assert post(installation, A, answering(installation, question=question, right=False)) is Refusal.WRONG
    assert post(installation, A, answering(installation, question=question, right=False)) is Refusal.WRONG_TOO_OFTEN
    assert post(installation, A, answering(installation, question=question, right=True)) is Refusal.USED_UP
    assert kept(installation)[0] == 0


def test_a_machine_is_counted_and_nothing_else_is_kept(installation: Installation) -> None:
    def look(_signature_id: int | None) -> list[Suspected]:
        raise AssertionError("nobody looks at the form of a machine")

    assert post(installation, A, Screening(is_from_machine=True, look=look)) is None
    assert kept(installation) == (0, 0, 1)


def test_what_is_suspicious_is_kept_with_the_signature(installation: Installation) -> None:
    seen: list[int | None] = []

    def look(signature_id: int | None) -> list[Suspected]:
        seen.append(signature_id)
        return [Suspected(SuspicionKind.WORDS, "group")]

    assert post(installation, A, Screening(look=look)) is None
    signature = get_signature(installation, A)
    assert seen == [signature.id]
    with installation.database.snapshots() as session:
        (suspicion,) = session.scalars(select(Suspicion))
    assert (suspicion.signature_id, suspicion.kind, suspicion.group) == (signature.id, SuspicionKind.WORDS, "group")


def test_a_signature_that_fails_keeps_nothing_and_spends_nothing(installation: Installation) -> None:
    puzzle = puzzle_for(installation)

    def fail(_signature_id: int | None) -> list[Suspected]:
        raise RuntimeError

    screening = Screening(Answer(puzzle, "", None), look=fail)
    with pytest.raises(RuntimeError):
        post(installation, A, screening)
    assert kept(installation) == (0, 0, 0)
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=STAGE, now=installation.now() + timedelta(seconds=1))
    with pytest.raises(NotOpen):
        post(installation, A, answering(installation, puzzle=puzzle))
    assert kept(installation) == (0, 0, 0)
