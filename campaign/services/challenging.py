"""The challenge before a signature: a puzzle for the browser (ALTCHA), or a plain question for a person.

A challenge is signed with a key of ours, runs out, and is accepted once. Nothing is stored when one is made.
"""

import hmac
import json
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from altcha.v1 import ChallengeOptions, Payload, create_challenge, verify_solution
from sqlalchemy import delete
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import SpentChallenge
from campaign.tokens import random_bytes
from campaign.vault import Vault

LASTS = timedelta(hours=2)
# About a second for a phone: half as many hashes on average.
HARDNESS = 50_000
TRIES = 3
_LONGEST = 2000


def make_puzzle(vault: Vault, *, now: datetime) -> str:
    """A new puzzle, as the JSON that ALTCHA's clients read."""
    made = create_challenge(
        ChallengeOptions(hmac_key=vault.challenge_key.hex(), max_number=HARDNESS, expires=now + LASTS)
    )
    return json.dumps(made.to_dict())


def check_puzzle(vault: Vault, answer: str, *, now: datetime) -> tuple[bytes, datetime] | None:
    """The mark by which a solved puzzle is spent, and until when; None for one unsolved, too old, or not ours."""
    try:
        if len(answer) > _LONGEST:
            return None
        told = json.loads(b64decode(answer, validate=True))
        # The library takes the types of what a stranger sent for granted.
        texts = (told["algorithm"], told["challenge"], told["salt"], told["signature"])
        if not all(isinstance(text, str) and text.isascii() for text in texts) or type(told["number"]) is not int:
            return None
        payload = Payload.from_dict(told)
        _, expires, _ = payload.parse_salt()
        if expires is None or payload.algorithm != "SHA-256" or not 0 <= payload.number <= HARDNESS:
            return None
        until = datetime.fromtimestamp(expires, UTC)
        solved, _ = verify_solution(told, vault.challenge_key.hex(), check_expires=False)
    except (NotBase64, ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        return None
    return (sha256(payload.challenge.encode()).digest(), until) if solved and until > now else None


def make_question(vault: Vault, *, now: datetime) -> str:
    """The token of a new question. Which question it is, and its answer, follow from it with our key only."""
    words = f"{random_bytes(12).hex()}.{int((now + LASTS).timestamp())}"
    return f"{words}.{_mac(vault, 'question', words)[:16].hex()}"


def read_question(vault: Vault, token: str, *, now: datetime) -> tuple[bytes, datetime] | None:
    """32 bytes from which the question of ``token`` is made, the same each time, and until when it may be answered."""
    words, _, mac = token[:200].rpartition(".")
    if not token.isascii() or not hmac.compare_digest(_mac(vault, "question", words)[:16].hex(), mac):
        return None
    until = datetime.fromtimestamp(int(words.partition(".")[2]), UTC)
    return (_mac(vault, "choice", words), until) if until > now else None


def _mac(vault: Vault, purpose: str, words: str) -> bytes:
    return hmac.digest(vault.challenge_key, f"{purpose}:{words}".encode(), "sha256")


def mark_question(seed: bytes) -> bytes:
    """The mark by which a question is spent."""
    return sha256(b"question" + seed).digest()


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
    for number in range(1, TRIES):
        if spend(session, sha256(b"miss %d" % number + seed).digest(), until):
            return True
    spend(session, mark_question(seed), until)
    return False


def forget_spent(session: Session, *, now: datetime) -> None:
    """Forget what has run out, since it is refused for that."""
    session.execute(delete(SpentChallenge).where(SpentChallenge.until <= now))
