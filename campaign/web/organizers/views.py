"""The organizers' first pages: their petitions, and the numbers and records of one petition."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from campaign.i18n import available_languages, count_missing
from campaign.models import Petition
from campaign.services.audit_log import list_entries
from campaign.services.bounces.complaints import list_returned
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.content import find_last_edition
from campaign.services.digests.editions import list_editions
from campaign.services.exports.approvals import list_open_requests
from campaign.services.moderation.comments import count_comments
from campaign.services.moderation.review_queue import count_to_review
from campaign.services.organizers.permissions import PERMISSIONS, Permission, check_permission, list_petitions_of
from campaign.services.petitions.counts import count_confirmed, list_days
from campaign.services.petitions.lifecycle import today_in
from campaign.services.petitions.referrals import OTHER, list_sources
from campaign.services.petitions.schedule import find_schedule
from campaign.services.privacy.retention_rules import find_names_end, find_updates_end
from campaign.services.subscribers.subscriptions import count_active
from campaign.web.auth import reauthenticate
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer, signed_in
from campaign.web.core import labels
from campaign.web.core.context import installation, texts_of
from campaign.web.core.daily_counts import last_days
from campaign.web.core.local_time import local_time
from campaign.web.core.security import Entry, entry
from campaign.web.core.sites import SESSION_PATH
from campaign.web.core.stored_reasons import tell_details
from campaign.web.organizers import account, comments, digest, exports, paper, review, state

blueprint = Blueprint("organize", __name__, url_prefix=SESSION_PATH)
blueprint.register_blueprint(digest.blueprint)
blueprint.register_blueprint(exports.blueprint)
blueprint.register_blueprint(state.blueprint)
blueprint.register_blueprint(review.blueprint)
blueprint.register_blueprint(comments.blueprint)
blueprint.register_blueprint(paper.blueprint)
blueprint.register_blueprint(reauthenticate.blueprint)
blueprint.register_blueprint(account.blueprint)


@blueprint.context_processor
def _on_every_page() -> dict[str, Any]:
    return {
        "organizer": current_organizer(),
        "tell_details": tell_details,
        "texts_of": texts_of,
        "untranslated": _list_untranslated,
        "words": labels,
    }


def _list_untranslated(petitions: Iterable[Petition]) -> list[tuple[str, int | None]]:
    """Languages that lack translated sentences, with their number; None if there are no pages in the language."""
    codes = dict.fromkeys(code for petition in petitions for code in petition.languages)
    missing = {code: count_missing(code) if code in available_languages() else None for code in codes}
    return [(code, count) for code, count in missing.items() if count != 0]


@blueprint.get("/")
@entry(Entry.ORGANIZER)
@signed_in
def index() -> str:
    with installation().database.snapshots() as session:
        petitions = [
            (petition, role, count_confirmed(session, petition.id))
            for petition, role in list_petitions_of(session, current_organizer().id)
        ]
    return render_template("organizers/index.html", petitions=petitions)


@blueprint.get("/p/<slug>")
@needs(Permission.VIEW)
def numbers(petition: Petition) -> str:
    with installation().database.snapshots() as session:
        role = check_permission(session, current_organizer().id, petition, Permission.VIEW)
        return render_template(
            "organizers/numbers.html",
            petition=petition,
            may=PERMISSIONS[role],
            Permission=Permission,
            local=local_time(petition),
            **_numbers(session, petition),
            **_sources(session, petition),
            **_records(session, petition),
        )


def _numbers(session: Session, petition: Petition) -> dict[str, Any]:
    today = today_in(petition, installation().now())
    confirmed = count_confirmed(session, petition.id)
    return {
        "confirmed": confirmed,
        "goal": petition.goal_at(confirmed),
        "readers": count_active(session, petition.id),
        "days": last_days(list_days(session, petition.id), today),
        "last_edition": find_last_edition(session, petition.id),
        "to_review": count_to_review(session, petition.id),
        "comments": count_comments(session, petition.id),
        "schedule": find_schedule(session, petition.id),
        "updates_end": find_updates_end(petition, today),
        "names_end": find_names_end(session, petition, today),
    }


def _sources(session: Session, petition: Petition) -> dict[str, Any]:
    sources = list_sources(session, petition.id)
    return {
        "sources": sources,
        "counted_by_source": sum(count for _, count in sources),
        "other_source": OTHER,
        "example_link": installation().public_links.petition(petition.languages[0], petition.slug) + "?source=telegram",
    }


def _records(session: Session, petition: Petition) -> dict[str, Any]:
    return {
        "accounts": audit_ledger(session, petition),
        "editions": list_editions(session, petition.id),
        "asked": list_open_requests(session, petition.id, now=installation().now()),
        "entries": list_entries(session, petition.id),
        "returned": list_returned(session, petition),
    }
