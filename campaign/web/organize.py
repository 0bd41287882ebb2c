"""The organizers' pages: their petitions, one petition's numbers and records, and the export of its lists."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import AnyOf

from campaign.models import Petition, Schedule, SignatureState
from campaign.services import exporting
from campaign.services.accounts import audit_ledger
from campaign.services.auditing import list_entries, record
from campaign.services.complaining import list_returned
from campaign.services.counting import count_confirmed, list_days
from campaign.services.digesting import find_last_edition
from campaign.services.editions import list_editions
from campaign.services.exporting import Format
from campaign.services.organizing import PERMISSIONS, Permission, check_permission, list_petitions_of
from campaign.services.reviewing import count_waiting
from campaign.services.subscribing import count_active
from campaign.web import organize_digest, organize_review, organizer_words
from campaign.web.accounts import SESSION_PATH, current_organizer
from campaign.web.context import campaign, texts_of
from campaign.web.daily_counts import last_days
from campaign.web.local_time import local_time
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs
from campaign.web.security import Entry, entry
from campaign.web.signing_in import signed_in
from campaign.web.stored_reasons import tell_details
from campaign.wiring import Campaign

blueprint = Blueprint("organize", __name__, url_prefix=SESSION_PATH)
blueprint.register_blueprint(organize_digest.blueprint)
blueprint.register_blueprint(organize_review.blueprint)
LISTS = ("signatures", "subscribers")


class ExportForm(OrganizerForm):
    choice = StringField(name="list", validators=[AnyOf(LISTS)])
    format = StringField(validators=[AnyOf([kind.value for kind in Format])])
    state = StringField(default=SignatureState.CONFIRMED.value, validators=[AnyOf([*SignatureState])])


@blueprint.context_processor
def _on_every_page() -> dict[str, Any]:
    return {
        "csrf_token": generate_csrf,
        "organizer": current_organizer(),
        "tell_details": tell_details,
        "texts_of": texts_of,
        "words": organizer_words,
    }


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
            **_records(session, petition),
        )


def _numbers(session: Session, petition: Petition) -> dict[str, Any]:
    return {
        "confirmed": count_confirmed(session, petition.id),
        "waiting": count_waiting(session, petition.id),
        "goal": petition.goal,
        "readers": count_active(session, petition.id),
        "days": last_days(list_days(session, petition.id), _today(petition)),
        "last_edition": find_last_edition(session, petition.id),
        "schedule": session.get(Schedule, petition.id),
    }


def _records(session: Session, petition: Petition) -> dict[str, Any]:
    return {
        "accounts": audit_ledger(session, petition),
        "editions": list_editions(session, petition.id),
        "entries": list_entries(session, petition.id),
        "returned": list_returned(session, petition),
    }


def _today(petition: Petition) -> date:
    return campaign().now().astimezone(ZoneInfo(petition.timezone)).date()


@blueprint.post("/p/<slug>/export")
@needs(Permission.EXPORT)
def export(petition: Petition) -> Response:
    form = ExportForm()
    form.require_valid()
    chosen, kind, state = str(form.choice.data), Format(str(form.format.data)), SignatureState(str(form.state.data))
    with campaign().database.sessions.begin() as session:
        details: dict[str, Any] = {"list": chosen, "format": kind.value}
        if chosen == "signatures":
            details["state"] = state.value
        record(session, current_organizer().email, "export", petition.id, now=campaign().now(), **details)
    answer = Response(
        _list(campaign(), petition, chosen, kind, state),
        content_type="text/csv; charset=utf-8" if kind is Format.CSV else "application/x-ndjson",
    )
    name = f"{petition.slug}-{chosen}-{_today(petition).isoformat()}.{kind.value}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _list(
    installation: Campaign, petition: Petition, chosen: str, kind: Format, state: SignatureState
) -> Iterator[bytes]:
    """The list piece by piece; all of it from one moment, however long the download takes."""
    vault = installation.vault
    with installation.database.snapshots() as session:
        if chosen == "subscribers":
            rows, columns = exporting.list_subscribers(session, vault, petition), exporting.SUBSCRIBER_COLUMNS
            yield from exporting.write_rows(rows, columns, kind)
        else:
            rows = exporting.list_signatures(session, vault, petition, state)
            yield from exporting.write_rows(rows, exporting.SIGNATURE_COLUMNS, kind)
