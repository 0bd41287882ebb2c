"""Reviewing signatures: suspicious groups, the choice of signatures, and the decisions about them."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from campaign.errors import NotFound, NotPossible
from campaign.models import Petition, Review, ReviewAction, Signature, SuspicionKind
from campaign.services.moderation.decisions import decide, list_unfinished, take_back
from campaign.services.moderation.review_queue import (
    MOST_GROUPS,
    REVIEWED,
    Changed,
    Criteria,
    Group,
    count_to_review,
    list_groups,
    list_reviews,
    preview_review,
)
from campaign.services.organizers.permissions import Permission
from campaign.services.privacy.burn import BURNED
from campaign.services.signatures.sign import Person, open_person
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core import labels
from campaign.web.core.context import installation, reader_language
from campaign.web.core.local_time import local_time
from campaign.web.organizers.review_form import CriteriaForm, DecisionForm, TakeBackForm

blueprint = Blueprint("review", __name__, url_prefix="/p/<slug>/review")
Page = tuple[str, int]


def _said(signature: Signature) -> Person | None:
    """The signer's name and comment, if the server can read them."""
    return open_person(installation().vault, signature)


def _examples(group: Group) -> list[Person]:
    return [person for signature in group.examples if (person := _said(signature)) is not None]


def _choices(petition: Petition) -> dict[str, Any]:
    return {
        "states": REVIEWED,
        "kinds": SuspicionKind,
        "countries": reader_language().countries(),
        "petition": petition,
    }


def _overview(petition: Petition, *, refused: str = "") -> str:
    with installation().database.snapshots() as session:
        reviews = list_reviews(session, petition.id)
        asked = request.args.get("done", type=int)
        return render_template(
            "organizers/review.html",
            groups=list_groups(session, petition.id),
            to_review=count_to_review(session, petition.id),
            reviews=reviews,
            done=next((review for review in reviews if review.id == asked), None),
            form=CriteriaForm(petition, formdata=None),
            errors={},
            examples=_examples,
            most_groups=MOST_GROUPS,
            unfinished=list_unfinished(session, reviews),
            told=_told,
            local=local_time(petition),
            refused=refused,
            **_choices(petition),
        )


def _told(review: Review) -> str:
    """The criteria of a decision, in words."""
    language = reader_language()
    if review.is_burned:
        return language.gettext(BURNED)
    criteria = Criteria.from_json(review.criteria)
    told = [language.gettext(labels.REVIEWED[criteria.state])]
    if criteria.kind is not None:
        told.append(language.gettext(labels.SUSPICIONS[criteria.kind]))
    if criteria.first is not None:
        told.append(language.gettext("from %(day)s") % {"day": language.date(criteria.first)})
    if criteria.last is not None:
        told.append(language.gettext("until %(day)s") % {"day": language.date(criteria.last)})
    if criteria.language is not None:
        told.append(criteria.language)
    if criteria.country is not None:
        told.append(str(language.countries().get(criteria.country, criteria.country)))
    return "; ".join(told)


def _chosen(petition: Petition, form: CriteriaForm, *, refused: str = "") -> str:
    """The page with the signatures that match the form; with its errors and no signatures if the form is wrong."""
    criteria = None if form.errors else form.criteria()
    with installation().database.snapshots() as session:
        return render_template(
            "organizers/review_choice.html",
            form=form,
            errors=form.first_errors(),
            criteria=criteria,
            preview=preview_review(session, petition.id, criteria) if criteria else None,
            actions=[action for action in ReviewAction if criteria and criteria.allows(action)],
            said=_said,
            refused=refused,
            **_choices(petition),
        )


@blueprint.get("")
@needs(Permission.REVIEW)
def show(petition: Petition) -> str:
    return _overview(petition)


@blueprint.get("/choice")
@needs(Permission.REVIEW)
def choose(petition: Petition) -> str | Page:
    form = CriteriaForm.asked(petition)
    return _chosen(petition, form) if form.validate() else (_chosen(petition, form), 422)


@blueprint.post("")
@needs(Permission.REVIEW)
def settle(petition: Petition) -> BaseResponse | Page:
    form = DecisionForm(petition)
    form.require_valid()
    criteria, action = form.criteria(), form.decision()
    if not criteria.allows(action):
        abort(400)
    try:
        review = decide(
            installation().database.sessions,
            installation().vault,
            petition.id,
            action,
            criteria,
            seen=str(form.seen.data),
            actor=current_organizer().email,
            now=installation().now(),
        )
    except Changed:
        return _chosen(petition, form, refused="changed"), 409
    except NotPossible:
        return _overview(petition, refused="taken back"), 409
    return redirect(url_for("organize.review.show", slug=petition.slug, done=review.id), 303)


@blueprint.post("/undo")
@needs(Permission.REVIEW)
def undo(petition: Petition) -> BaseResponse | Page:
    form = TakeBackForm()
    form.require_valid()
    number = form.number.data or 0
    try:
        take_back(
            installation().database.sessions,
            petition.id,
            number,
            actor=current_organizer().email,
            now=installation().now(),
        )
    except (NotFound, NotPossible):
        return _overview(petition, refused="taken back"), 409
    return redirect(url_for("organize.review.show", slug=petition.slug, done=number), 303)
