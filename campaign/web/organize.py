"""The organizers' pages: their petitions, one petition's numbers and records, and the way to its lists."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from campaign.languages import available_languages, count_missing
from campaign.models import Petition, Schedule
from campaign.services.accounts import audit_ledger
from campaign.services.auditing import list_entries
from campaign.services.commenting import count_comments
from campaign.services.complaining import list_returned
from campaign.services.counting import count_confirmed, list_days
from campaign.services.digesting import find_last_edition
from campaign.services.editions import list_editions
from campaign.services.export_requests import list_open_requests
from campaign.services.lifecycle import today_in
from campaign.services.organizing import PERMISSIONS, Permission, check_permission, list_petitions_of
from campaign.services.retention_rules import find_names_end, find_updates_end
from campaign.services.reviewing import count_to_review
from campaign.services.sourcing import OTHER, list_sources
from campaign.services.subscribing import count_active
from campaign.web import (
    account,
    organize_challenge,
    organize_comments,
    organize_digest,
    organize_exports,
    organize_paper,
    organize_review,
    organize_state,
    organizer_words,
    proving,
    review_words,
)
from campaign.web.accounts import SESSION_PATH, current_organizer, signed_in
from campaign.web.context import campaign, texts_of
from campaign.web.daily_counts import last_days
from campaign.web.local_time import local_time
from campaign.web.organizer_roles import needs
from campaign.web.security import Entry, entry
from campaign.web.stored_reasons import tell_details

blueprint = Blueprint("organize", __name__, url_prefix=SESSION_PATH)
blueprint.register_blueprint(organize_digest.blueprint)
blueprint.register_blueprint(organize_exports.blueprint)
blueprint.register_blueprint(organize_challenge.blueprint)
blueprint.register_blueprint(organize_review.blueprint)
blueprint.register_blueprint(organize_state.blueprint)
blueprint.register_blueprint(organize_comments.blueprint)
blueprint.register_blueprint(organize_paper.blueprint)
blueprint.register_blueprint(proving.blueprint)
blueprint.register_blueprint(account.blueprint)


@blueprint.context_processor
def _on_every_page() -> dict[str, Any]:
    return {
        "organizer": current_organizer(),
        "tell_details": tell_details,
        "texts_of": texts_of,
        "untranslated": _list_untranslated,
        "words": organizer_words,
        "review_words": review_words,
    }


def _list_untranslated(petitions: Iterable[Petition]) -> list[tuple[str, int | None]]:
    """The languages of these petitions in which readers meet English, with how many sentences; None: no page at all."""
    codes = dict.fromkeys(code for petition in petitions for code in petition.languages)
    missing = {code: count_missing(code) if code in available_languages() else None for code in codes}
    return [(code, count) for code, count in missing.items() if count != 0]


@blueprint.get("/")
@entry(Entry.ORGANIZER)
@signed_in
def index() -> str:
    with campaign().database.snapshots() as session:
        petitions = [
            (petition, role, count_confirmed(session, petition.id))
            for petition, role in list_petitions_of(session, current_organizer().id)
        ]
    return render_template("organize/index.html", petitions=petitions)


@blueprint.get("/p/<slug>")
@needs(Permission.VIEW)
def numbers(petition: Petition) -> str:
    with campaign().database.snapshots() as session:
        role = check_permission(session, current_organizer().id, petition, Permission.VIEW)
        return render_template(
            "organize/numbers.html",
            petition=petition,
            may=PERMISSIONS[role],
            Permission=Permission,
            local=local_time(petition),
            **_numbers(session, petition),
            **_sources(session, petition),
            **_records(session, petition),
        )


def _numbers(session: Session, petition: Petition) -> dict[str, Any]:
    today = today_in(petition, campaign().now())
    confirmed = count_confirmed(session, petition.id)
    return {
        "confirmed": confirmed,
        "goal": petition.goal_at(confirmed),
        "readers": count_active(session, petition.id),
        "days": last_days(list_days(session, petition.id), today),
        "last_edition": find_last_edition(session, petition.id),
        "to_review": count_to_review(session, petition.id),
        "comments": count_comments(session, petition.id),
        "schedule": session.get(Schedule, petition.id),
        "updates_end": find_updates_end(petition, today),
        "names_end": find_names_end(session, petition, today),
    }


def _sources(session: Session, petition: Petition) -> dict[str, Any]:
    sources = list_sources(session, petition.id)
    return {
        "sources": sources,
        "counted_by_source": sum(count for _, count in sources),
        "other_source": OTHER,
        "example_link": campaign().public_links.petition(petition.languages[0], petition.slug) + "?source=telegram",
    }


def _records(session: Session, petition: Petition) -> dict[str, Any]:
    return {
        "accounts": audit_ledger(session, petition),
        "editions": list_editions(session, petition.id),
        "asked": list_open_requests(session, petition.id, now=campaign().now()),
        "entries": list_entries(session, petition.id),
        "returned": list_returned(session, petition),
    }
