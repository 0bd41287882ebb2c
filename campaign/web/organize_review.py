"""The page on which owners review suspicious signatures, and switch the challenge."""

from datetime import date
from typing import Any, TypeVar

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from campaign.errors import KeyringError, NotFound, NotPossible
from campaign.models import Petition, ReviewAction, Signature, SignatureState, SuspicionKind
from campaign.services import reviewing
from campaign.services.auditing import record
from campaign.services.organizing import Permission
from campaign.services.petitions import get_petition
from campaign.services.reviewing import Criteria
from campaign.services.signing import Person
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign, reader_language
from campaign.web.local_time import local_time
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs
from campaign.web.organizer_words import REVIEWED_STATES, SUSPICIONS

blueprint = Blueprint("review", __name__, url_prefix="/p/<slug>/review")
Choice = TypeVar("Choice", SuspicionKind, SignatureState, ReviewAction)


def _criteria(sent: "MultiDict[str, str]") -> Criteria:
    """Raises NotFound for what our own page does not offer."""
    try:
        state = SignatureState(sent.get("state") or SignatureState.QUARANTINED)
        kind = SuspicionKind(sent["kind"]) if sent.get("kind") else None
        first_day, last_day = (date.fromisoformat(sent[name]) if sent.get(name) else None for name in ("from", "until"))
    except ValueError:
        raise NotFound("There is no such choice.") from None
    texts = {name: sent.get(name, "").strip()[:20] for name in ("group", "language", "country")}
    if state not in reviewing.REVIEWED or not all(text.isprintable() for text in texts.values()):
        raise NotFound("There is no such choice.")
    return Criteria(state=state, kind=kind, first_day=first_day, last_day=last_day, **texts)


def _person(signature: Signature) -> Person | None:
    """Who signed; None where the server cannot read it."""
    assert signature.sealed_person is not None  # only such are listed
    try:
        return Person.open(campaign().vault, signature.id, signature.sealed_person)
    except KeyringError:
        return None


def _chosen(session: Session, petition: Petition, criteria: Criteria) -> dict[str, Any]:
    return {
        "criteria": criteria,
        "chosen": criteria.as_json(),
        "matching": reviewing.count_matching(session, petition.id, criteria),
        "first": reviewing.list_matching(session, petition.id, criteria),
    }


def _page(petition: Petition, sent: "MultiDict[str, str] | None", *, changed: bool = False) -> str:
    with campaign().database.snapshots() as session:
        return render_template(
            "organize/review.html",
            petition=petition,
            groups=[(group, Criteria.of(group).as_json()) for group in reviewing.list_groups(session, petition.id)],
            waiting=reviewing.count_waiting(session, petition.id),
            reviews=reviewing.list_reviews(session, petition.id),
            person_of=_person,
            kinds=SUSPICIONS,
            states=REVIEWED_STATES,
            countries=reader_language().countries(),
            local=local_time(petition),
            changed=changed,
            done=request.args.get("done", type=int),
            **(_chosen(session, petition, _criteria(sent)) if sent else {}),
        )


@blueprint.get("")
@needs(Permission.REVIEW)
def show(petition: Petition) -> str:
    return _page(petition, request.args if "state" in request.args else None)


@blueprint.post("")
@needs(Permission.REVIEW)
def decide(petition: Petition) -> BaseResponse | tuple[str, int]:
    OrganizerForm().require_valid()
    criteria = _criteria(request.form)
    try:
        action = ReviewAction(request.form.get("action", ""))
    except ValueError:
        raise NotFound("There is no such choice.") from None
    try:
        moved = reviewing.review(
            campaign().database.sessions,
            campaign().vault,
            petition,
            criteria,
            action,
            seen=request.form.get("seen", 0, type=int),
            actor=current_organizer().email,
            now=campaign().now(),
        )
    except NotPossible:
        return _page(petition, request.form, changed=True), 409
    return redirect(url_for("organize.review.show", slug=petition.slug, done=moved), 303)


@blueprint.post("/undo")
@needs(Permission.REVIEW)
def undo(petition: Petition) -> BaseResponse:
    OrganizerForm().require_valid()
    moved = reviewing.undo(
        campaign().database.sessions,
        petition,
        request.form.get("review", 0, type=int),
        actor=current_organizer().email,
        now=campaign().now(),
    )
    return redirect(url_for("organize.review.show", slug=petition.slug, done=moved), 303)


@blueprint.post("/challenge")
@needs(Permission.REVIEW)
def switch_challenge(petition: Petition) -> BaseResponse:
    OrganizerForm().require_valid()
    wanted = request.form.get("challenge") == "on"
    with campaign().database.sessions.begin() as session:
        get_petition(session, petition.slug).challenge = wanted
        word = "challenge switched on" if wanted else "challenge switched off"
        record(session, current_organizer().email, word, petition.id, now=campaign().now())
    return redirect(url_for("organize.review.show", slug=petition.slug, _anchor="challenge"), 303)
