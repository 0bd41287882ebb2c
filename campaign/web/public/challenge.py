"""The challenge in the form: shown while the petition or a flood asks for it, checked when the form is posted."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, jsonify
from sqlalchemy.orm import Session

from campaign.models import Petition, PetitionState
from campaign.services.abuse.challenges import (
    Answer,
    Refusal,
    asks_challenge,
    is_usable_puzzle,
    keep_question,
    make_puzzle,
)
from campaign.services.petitions.store import get_petition
from campaign.web.core.context import installation, watch
from campaign.web.core.forms import SigningForm
from campaign.web.core.security import Entry, entry
from campaign.web.public.questions import question_of

blueprint = Blueprint("challenge", __name__)
N_ = str  # marks a sentence for the translators; the page translates it

UNSOLVED = N_("Please answer the question above the button. It keeps machines from signing.")
WRONG = N_("That is not the answer we expected. Please read the question once more.")
ANOTHER = N_("That is not the answer we expected. Here is another question.")
USED_UP = N_("This answer was used already or is too old. Here is another question.")


REFUSALS = {
    Refusal.UNANSWERED: UNSOLVED,
    Refusal.WRONG: WRONG,
    Refusal.WRONG_TOO_OFTEN: ANOTHER,
    Refusal.USED_UP: USED_UP,
}


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


def needs_challenge(petition: Petition, now: datetime) -> bool:
    """Whether a signature costs a challenge now."""
    return asks_challenge(petition, is_busy=watch().is_busy(now))


def show_challenge(session: Session, petition: Petition, form: SigningForm, *, now: datetime) -> Shown:
    """A right answer stays in the form until it is used up; so does a question that may still be answered."""
    vault, puzzle = installation().vault, form.puzzle.data or ""
    token, seed = keep_question(session, vault, petition, form.question.data or "", now=now)
    return Shown(
        token=token,
        asked=question_of(seed).asked,
        answer=form.answer.data or "" if token == form.question.data else "",
        puzzle=puzzle if is_usable_puzzle(session, vault, petition, puzzle, now=now) else "",
        by_hand=bool(form.answer.errors),
    )


def answer_of(form: SigningForm) -> Answer:
    """What the form answers to its challenge."""
    typed = form.answer.data or ""
    return Answer(
        puzzle=form.puzzle.data or "",
        question=form.question.data or "",
        is_right=(lambda seed: question_of(seed).is_answered_by(typed)) if typed.strip() else None,
    )


@blueprint.get("/p/<slug>/challenge.json")
@entry(Entry.PUBLIC)
def puzzle(slug: str) -> Response:
    """A new puzzle; an empty object if none is needed now."""
    with installation().database.snapshots() as session:
        petition = get_petition(session, slug)
    if petition.state is PetitionState.DRAFT:
        abort(404)
    now = installation().now()
    answer = jsonify(make_puzzle(installation().vault, petition, now=now) if needs_challenge(petition, now) else {})
    answer.headers["Cache-Control"] = "no-store"
    return answer
