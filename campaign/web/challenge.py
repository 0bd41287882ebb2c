"""The challenge in the form: shown while the petition or a flood asks for it, checked when the form is posted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from campaign.models import Petition
from campaign.services.challenging import (
    check_puzzle,
    make_puzzle,
    make_question,
    mark_question,
    miss,
    read_question,
    spend,
)
from campaign.web.context import campaign, watch
from campaign.web.questions import question_of

N_ = str  # marks a sentence for the translators; the page translates it

UNSOLVED = N_("Please answer the question above the button. It keeps machines from signing.")
WRONG = N_("That is not the answer we expected. Please read the question once more.")
ANOTHER = N_("That is not the answer we expected. Here is another question.")
USED_UP = N_("This answer was used already or is too old. Here is another question.")
BEGIN_ANEW = (ANOTHER, USED_UP)


@dataclass(frozen=True)
class Shown:
    """What the form shows: the puzzle for the script, and the question for people."""

    puzzle: str
    token: str
    asked: str


@dataclass(frozen=True)
class Solved:
    """A challenge that was met, to be spent with the signature."""

    mark: bytes
    until: datetime

    def spend(self, session: Session) -> bool:
        return spend(session, self.mark, self.until)


def needs_challenge(petition: Petition, now: datetime) -> bool:
    """Whether a signature costs a challenge now."""
    return petition.challenge or watch().is_busy(now)


def show_challenge(token: str, *, now: datetime) -> Shown:
    """A new puzzle, and the question of ``token`` as long as it may be answered, else a new one."""
    vault = campaign().vault
    kept = read_question(vault, token, now=now)
    if kept is None:
        token = make_question(vault, now=now)
        kept = read_question(vault, token, now=now)
        assert kept is not None  # it was made for this moment
    return Shown(make_puzzle(vault, now=now), token, question_of(kept[0]).asked)


def check_challenge(puzzle: str, token: str, answer: str, *, now: datetime) -> Solved | str:
    """What is to be spent, or the sentence that says what is wrong; a wrong answer is counted."""
    vault = campaign().vault
    if puzzle and (solved := check_puzzle(vault, puzzle, now=now)) is not None:
        return Solved(*solved)
    if not answer.strip():
        return UNSOLVED
    kept = read_question(vault, token, now=now)
    if kept is None:
        return USED_UP
    seed, until = kept
    if question_of(seed).is_answered_by(answer):
        return Solved(mark_question(seed), until)
    with campaign().database.sessions.begin() as session:
        return WRONG if miss(session, seed, until) else ANOTHER
