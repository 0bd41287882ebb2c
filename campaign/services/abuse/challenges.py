"""The challenge before a signature: a puzzle for the browser (ALTCHA), or a plain question for a person.

A challenge carries a MAC of this server, is valid for one petition and an hour, and is accepted once. Nothing is stored
when it is made.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from hashlib import sha256
from typing import Any, NamedTuple

from altcha import Payload, create_challenge, verify_solution
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from campaign.crypto.randomness import random_below, random_bytes
from campaign.crypto.vault import Vault
from campaign.db import upsert
from campaign.models import Petition, PetitionState, SpentChallenge
from campaign.periods import CHALLENGE_LASTS, CHALLENGE_TRIES

# Rounds of PBKDF2 for each number that is tried, and how many numbers there are. The browser tries them in turn, so the
# longest wait is limited. Two million rounds on average take one to three seconds on a cheap phone.
ROUNDS = 4000
NUMBERS = 1000
_LONGEST = 2000


class Refusal(Enum):
    """Why an answer to a challenge is refused."""

    UNANSWERED = auto()  # neither the puzzle was solved nor the question answered
    WRONG = auto()  # the same question may be answered again
    WRONG_TOO_OFTEN = auto()  # another question has to be answered
    USED_UP = auto()  # the challenge was spent already, is too old, or is not ours


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back with a form: a solved ``puzzle``, or the token of a ``question`` and an answer to it.

    ``is_right`` says whether the answer fits the question that is made from 32 bytes, since its words depend on the
    reader's language; None: nothing was typed.
    """

    puzzle: str
    question: str
    is_right: Callable[[bytes], bool] | None


class Solved(NamedTuple):
    """A challenge that was met: the ``mark`` by which it is spent together with the signature, and until when."""

    mark: bytes
    until: datetime


def asks_challenge(petition: Petition, *, is_busy: bool) -> bool:
    """Whether a signature costs a challenge now; ``is_busy``: the server gets more forms than usual."""
    return petition.state is PetitionState.OPEN and (petition.challenge or is_busy)


def make_puzzle(vault: Vault, petition: Petition, *, now: datetime) -> dict[str, Any]:
    """A new puzzle, in the format of ALTCHA's clients."""
    made = create_challenge(
        "PBKDF2/SHA-256",
        ROUNDS,
        counter=random_below(NUMBERS),
        # Not the library's own expiry, which it compares with the clock of the machine.
        data={"petition": petition.slug, "until": int((now + CHALLENGE_LASTS).timestamp())},
        hmac_secret=_mac(vault, "key", "puzzle"),
        hmac_key_secret=_mac(vault, "key", "solution"),
    )
    return made.to_dict()


def check_puzzle(vault: Vault, petition: Petition, answer: str, *, now: datetime) -> Solved | None:
    """The solved puzzle; None if it is unsolved, too old, of another petition, or not ours."""
    if not answer or len(answer) > _LONGEST:
        return None
    secret, key_secret = _mac(vault, "key", "puzzle"), _mac(vault, "key", "solution")
    try:
        solved = verify_solution(answer, secret, hmac_key_secret=key_secret).verified
    except ValueError:  # invalid characters, which the library does not expect
        return None
    if not solved:
        return None
    challenge = Payload.from_base64(answer).challenge
    told = challenge.parameters.data or {}
    until = datetime.fromtimestamp(told["until"], UTC)
    if told["petition"] != petition.slug or until <= now:
        return None
    return Solved(sha256(str(challenge.signature).encode()).digest(), until)


def make_question(vault: Vault, petition: Petition, *, now: datetime) -> str:
    """The token of a new question. Only with the server's key it tells which question it is, and its answer."""
    words = f"{random_bytes(12).hex()}.{int((now + CHALLENGE_LASTS).timestamp())}"
    return f"{words}.{_mac(vault, f'question {petition.id}', words)[:16].hex()}"


def read_question(vault: Vault, petition: Petition, token: str, *, now: datetime) -> tuple[bytes, datetime] | None:
    """The 32 bytes from which the question of ``token`` is made, and until when it may be answered; None if invalid."""
    words, _, mac = token[:200].rpartition(".")
    if not token.isascii() or not hmac.compare_digest(_mac(vault, f"question {petition.id}", words)[:16].hex(), mac):
        return None
    until = datetime.fromtimestamp(int(words.partition(".")[2]), UTC)
    return (_mac(vault, "choice", words), until) if until > now else None


def _mac(vault: Vault, purpose: str, words: str) -> bytes:
    return hmac.digest(vault.challenge_key, f"{purpose}:{words}".encode(), "sha256")


def mark_question(seed: bytes) -> bytes:
    """The mark by which a question is spent, from its 32 bytes."""
    return sha256(b"question" + seed).digest()


def keep_question(
    session: Session, vault: Vault, petition: Petition, token: str, *, now: datetime
) -> tuple[str, bytes]:
    """The token and the 32 bytes of a form's question: those of ``token`` until it is used up, else new ones."""
    kept = read_question(vault, petition, token, now=now)
    if kept is None or is_spent(session, mark_question(kept[0])):
        token = make_question(vault, petition, now=now)
        kept = read_question(vault, petition, token, now=now)
        assert kept is not None  # it was made for this moment
    return token, kept[0]


def is_usable_puzzle(session: Session, vault: Vault, petition: Petition, answer: str, *, now: datetime) -> bool:
    """Whether the puzzle is solved and was not spent yet."""
    solved = check_puzzle(vault, petition, answer, now=now)
    return solved is not None and not is_spent(session, solved.mark)


def check_answer(
    sessions: sessionmaker[Session], vault: Vault, petition: Petition, answer: Answer, *, now: datetime
) -> Solved | Refusal:
    """The challenge that was met, or why the answer is refused. A wrong answer is counted, in its own transaction."""
    if (solved := check_puzzle(vault, petition, answer.puzzle, now=now)) is not None:
        return solved
    if answer.is_right is None:
        return Refusal.UNANSWERED
    kept = read_question(vault, petition, answer.question, now=now)
    if kept is None:
        return Refusal.USED_UP
    seed, until = kept
    with sessions.begin() as session:
        if is_spent(session, mark_question(seed)):
            return Refusal.USED_UP
        if answer.is_right(seed):
            return Solved(mark_question(seed), until)
        return Refusal.WRONG if miss(session, seed, until) else Refusal.WRONG_TOO_OFTEN


def is_spent(session: Session, mark: bytes) -> bool:
    """Whether the challenge with this mark was spent."""
    return session.get(SpentChallenge, mark) is not None


def spend(session: Session, mark: bytes, until: datetime) -> bool:
    """Spend a challenge; False if it was spent before. Of several calls at the same time only one returns True."""
    spent = session.execute(
        upsert(session, SpentChallenge)
        .values(mark=mark, until=until)
        .on_conflict_do_nothing()
        .returning(SpentChallenge.mark)
    )
    return spent.scalar_one_or_none() is not None


def miss(session: Session, seed: bytes, until: datetime) -> bool:
    """Count a wrong answer. Returns whether the question may be answered again."""
    for number in range(1, CHALLENGE_TRIES):
        if spend(session, sha256(b"miss %d" % number + seed).digest(), until):
            return True
    spend(session, mark_question(seed), until)
    return False


def forget_spent(session: Session, *, now: datetime) -> None:
    """Delete spent challenges that have expired: they are refused for that reason."""
    session.execute(delete(SpentChallenge).where(SpentChallenge.until <= now))
