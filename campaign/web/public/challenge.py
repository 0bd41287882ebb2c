"""The challenge in the signing form: shown while the petition or a flood asks for it, checked when the form is sent."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, jsonify
from sqlalchemy.orm import Session

from campaign.models import Petition, PetitionState
from campaign.services.abuse.challenges import (
    check_puzzle,
    is_spent,
    make_puzzle,
    make_question,
    mark_question,
    miss,
    read_question,
    spend,
)
from campaign.services.petitions.store import get_petition
from campaign.web.core.context import campaign, watch
from campaign.web.core.forms import SigningForm
from campaign.web.core.security import Entry, entry
from campaign.web.public.questions import question_of

blueprint = Blueprint("challenge", __name__)
N_ = str  # marks a sentence for the translators; the page translates it

UNSOLVED = N_("Please answer the question above the button. It keeps machines from signing.")
WRONG = N_("That is not the answer we expected. Please read the question once more.")
ANOTHER = N_("That is not the answer we expected. Here is another question.")
USED_UP = N_("This answer was used already or is too old. Here is another question.")


@dataclass(frozen=True)
class Shown:
    """The challenge in the form: the question for people, and the puzzle if the script has solved it already.

    ``by_hand`` says that an answer was refused, so that the script leaves the question to the person.
    """

    token: str
    asked: str
    answer: str
    puzzle: str
    by_hand: bool


@dataclass(frozen=True)
class Solved:
    """A solved challenge, to be spent together with the signature."""

    mark: bytes
    until: datetime

    def spend(self, session: Session) -> bool:
        return spend(session, self.mark, self.until)


def needs_challenge(petition: Petition, now: datetime) -> bool:
    """Whether a signature costs a challenge now."""
    return petition.state is PetitionState.OPEN and (petition.challenge or watch().is_busy(now))


def show_challenge(session: Session, petition: Petition, form: SigningForm, *, now: datetime) -> Shown:
    """The challenge to show: the sent one if it is solved or may still be answered, else a new question."""
    vault, token = campaign().vault, form.question.data or ""
    kept = read_question(vault, petition, token, now=now)
    if kept is None or is_spent(session, mark_question(kept[0])):
        token = make_question(vault, petition, now=now)
        kept = read_question(vault, petition, token, now=now)
        assert kept is not None  # it was made for this moment
    solved = check_puzzle(vault, petition, form.puzzle.data or "", now=now)
    return Shown(
        token=token,
        asked=question_of(kept[0]).asked,
        answer=form.answer.data or "" if token == form.question.data else "",
        puzzle=form.puzzle.data or "" if solved is not None and not is_spent(session, solved[0]) else "",
        by_hand=bool(form.answer.errors),
    )


def check_challenge(petition: Petition, form: SigningForm, *, now: datetime) -> Solved | str:
    """The solved challenge, or a sentence about the mistake. A wrong answer is counted."""
    vault, answer = campaign().vault, form.answer.data or ""
    if (solved := check_puzzle(vault, petition, form.puzzle.data or "", now=now)) is not None:
        return Solved(*solved)
    if not answer.strip():
        return UNSOLVED
    kept = read_question(vault, petition, form.question.data or "", now=now)
    if kept is None:
        return USED_UP
    seed, until = kept
    with campaign().database.sessions.begin() as session:
        if is_spent(session, mark_question(seed)):
            return USED_UP
        if question_of(seed).is_answered_by(answer):
            return Solved(mark_question(seed), until)
        return WRONG if miss(session, seed, until) else ANOTHER


@blueprint.get("/p/<slug>/challenge.json")
@entry(Entry.PUBLIC)
def puzzle(slug: str) -> Response:
    """A new puzzle; an empty object if none is needed now."""
    with campaign().database.snapshots() as session:
        petition = get_petition(session, slug)
    if petition.state is PetitionState.DRAFT:
        abort(404)
    now = campaign().now()
    answer = jsonify(make_puzzle(campaign().vault, petition, now=now) if needs_challenge(petition, now) else {})
    answer.headers["Cache-Control"] = "no-store"
    return answer
