"""The challenge before a signature: a puzzle for the browser (ALTCHA), or a plain question for a person.

A challenge is signed with a key of ours, is good for one petition and an hour, and is accepted once. Nothing is stored
when one is made.
"""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from altcha import Payload, create_challenge, verify_solution
from sqlalchemy import delete
from sqlalchemy.orm import Session

from campaign.crypto.randomness import random_below, random_bytes
from campaign.crypto.vault import Vault
from campaign.db import upsert
from campaign.models import Petition, SpentChallenge
from campaign.periods import CHALLENGE_LASTS, CHALLENGE_TRIES

# Rounds of PBKDF2 for each number that is tried, and how many numbers there are: the browser tries them in turn, so
# that nobody waits for ever on bad luck. Two million rounds on average: one to three seconds of a cheap phone.
ROUNDS = 4000
NUMBERS = 1000
_LONGEST = 2000


def make_puzzle(vault: Vault, petition: Petition, *, now: datetime) -> dict[str, Any]:
    """A new puzzle, as ALTCHA's clients read it."""
    made = create_challenge(
        "PBKDF2/SHA-256",
        ROUNDS,
        counter=random_below(NUMBERS),
        # Not the library's own end, which it compares with the clock of the machine.
        data={"petition": petition.slug, "until": int((now + CHALLENGE_LASTS).timestamp())},
        hmac_secret=_mac(vault, "key", "puzzle"),
        hmac_key_secret=_mac(vault, "key", "solution"),
    )
    return made.to_dict()


def check_puzzle(vault: Vault, petition: Petition, answer: str, *, now: datetime) -> tuple[bytes, datetime] | None:
    """The mark by which a solved puzzle is spent, and until when.

    None for one that is unsolved, too old, another petition's, or not ours.
    """
    if not answer or len(answer) > _LONGEST:
        return None
    secret, key_secret = _mac(vault, "key", "puzzle"), _mac(vault, "key", "solution")
    try:
        solved = verify_solution(answer, secret, hmac_key_secret=key_secret).verified
    except ValueError:  # letters that no text has, which the library does not expect
        return None
    if not solved:
        return None
    challenge = Payload.from_base64(answer).challenge
    told = challenge.parameters.data or {}
    until = datetime.fromtimestamp(told["until"], UTC)
    if told["petition"] != petition.slug or until <= now:
        return None
    return sha256(str(challenge.signature).encode()).digest(), until


def make_question(vault: Vault, petition: Petition, *, now: datetime) -> str:
    """The token of a new question. Which question it is, and its answer, follow from it with our key only."""
    words = f"{random_bytes(12).hex()}.{int((now + CHALLENGE_LASTS).timestamp())}"
    return f"{words}.{_mac(vault, f'question {petition.id}', words)[:16].hex()}"


def read_question(vault: Vault, petition: Petition, token: str, *, now: datetime) -> tuple[bytes, datetime] | None:
    """32 bytes from which the question of ``token`` is made, the same each time, and until when it may be answered."""
    words, _, mac = token[:200].rpartition(".")
    if not token.isascii() or not hmac.compare_digest(_mac(vault, f"question {petition.id}", words)[:16].hex(), mac):
        return None
    until = datetime.fromtimestamp(int(words.partition(".")[2]), UTC)
    return (_mac(vault, "choice", words), until) if until > now else None


def _mac(vault: Vault, purpose: str, words: str) -> bytes:
    return hmac.digest(vault.challenge_key, f"{purpose}:{words}".encode(), "sha256")


def mark_question(seed: bytes) -> bytes:
    """The mark by which a question is spent."""
    return sha256(b"question" + seed).digest()


def is_spent(session: Session, mark: bytes) -> bool:
    """Whether a challenge was used up."""
    return session.get(SpentChallenge, mark) is not None


def spend(session: Session, mark: bytes, until: datetime) -> bool:
    """Use a challenge up; False where that was done before. Of many at once one is told True, on either database."""
    spent = session.execute(
        upsert(session, SpentChallenge)
        .values(mark=mark, until=until)
        .on_conflict_do_nothing()
        .returning(SpentChallenge.mark)
    )
    return spent.scalar_one_or_none() is not None


def miss(session: Session, seed: bytes, until: datetime) -> bool:
    """Count a wrong answer; whether the question may be tried again."""
    for number in range(1, CHALLENGE_TRIES):
        if spend(session, sha256(b"miss %d" % number + seed).digest(), until):
            return True
    spend(session, mark_question(seed), until)
    return False


def switch_challenge(session: Session, petition_id: int, *, on: bool) -> bool:
    """Ask for a challenge from now on, or no longer; whether that is a change."""
    petition = session.get_one(Petition, petition_id, with_for_update=True)
    changed, petition.challenge = petition.challenge is not on, on
    return changed


def forget_spent(session: Session, *, now: datetime) -> None:
    """Forget what has run out, since it is refused for that."""
    session.execute(delete(SpentChallenge).where(SpentChallenge.until <= now))
