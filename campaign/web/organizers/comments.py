"""Comments of signers: organizers read the offered ones and decide which are shown to everybody."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired

from campaign.errors import NotFound
from campaign.models import CommentState, Petition
from campaign.services.moderation.comments import count_comments, decide_comments, list_offers
from campaign.services.organizers.permissions import Permission
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.paging import asked_page

blueprint = Blueprint("comments", __name__, url_prefix="/p/<slug>/comments")
N_ = str  # marks a sentence for the translators; the page translates it
WORDS = {
    CommentState.OFFERED: N_("To be read"),
    CommentState.SHOWN: N_("Shown"),
    CommentState.REFUSED: N_("Not shown"),
}


class CommentsForm(OrganizerForm):
    """``which`` is the list that was read. ``show`` or ``refuse`` is the mark of a comment, or “chosen” for the ticked.

    A mark is a comment's number, a full stop, and the version that was read.
    """

    which = StringField(validators=[InputRequired(), AnyOf([*CommentState.read()])])
    show = StringField()
    refuse = StringField()

    @property
    def act(self) -> CommentState:
        return CommentState.SHOWN if self.show.data else CommentState.REFUSED

    def seen(self) -> dict[int, str]:
        """The chosen comments, each with the version that was read; text that is no mark of ours is left out."""
        pressed = str(self.show.data or self.refuse.data or "")
        marks = request.form.getlist("comments") if pressed == "chosen" else [pressed]
        pairs = (mark.partition(".") for mark in marks)
        return {int(number): version for number, _, version in pairs if _is_number(number)}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _state() -> CommentState:
    try:
        state = CommentState(request.args.get("state", CommentState.OFFERED))
    except ValueError:
        state = CommentState.PRIVATE
    if state not in CommentState.read():
        raise NotFound("There is no such list of comments.")
    return state


def _page(petition: Petition, state: CommentState, page: int, **told: Any) -> str:
    with installation().database.snapshots() as session:
        return render_template(
            "organizers/comments.html",
            petition=petition,
            page=list_offers(session, installation().vault, petition, state, page=page),
            counts=count_comments(session, petition.id),
            states=CommentState.read(),
            chosen=state,
            comment_words=WORDS,
            **told,
        )


@blueprint.get("")
@needs(Permission.REVIEW)
def show(petition: Petition) -> str:
    act = request.args.get("act")
    done = request.args.get("done", type=int) if act in CommentState.decided() else None
    return _page(petition, _state(), asked_page(), done=done, act=act)


@blueprint.post("")
@needs(Permission.REVIEW)
def settle(petition: Petition) -> BaseResponse | tuple[str, int]:
    form = CommentsForm()
    form.require_valid()
    state, seen = CommentState(str(form.which.data)), form.seen()
    if not seen:
        return _page(petition, state, 1, refused="nothing"), 422
    with installation().database.sessions.begin() as session:
        done = decide_comments(
            session, petition.id, seen, form.act, actor=current_organizer().email, now=installation().now()
        )
    if done < len(seen):
        return _page(petition, state, 1, refused="changed", done=done, act=form.act.value), 409
    told = url_for("organize.comments.show", slug=petition.slug, state=state.value, act=form.act.value, done=done)
    return redirect(told, 303)
