"""A person's own page, behind the link in each mail: all data about them, and their choices about the digest."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug import Response as BaseResponse

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.sealed_rows import address_row
from campaign.models import ReaderFrequency
from campaign.services.privacy.data_export import tell_kept
from campaign.services.privacy.delivery_history import list_events
from campaign.services.privacy.receipts import Receipt, write_receipt
from campaign.services.signatures.confirm import Proof
from campaign.services.signatures.paper import is_from_paper
from campaign.services.signatures.self_service import PersonalData, get_personal_data, is_owner
from campaign.services.subscribers.subscriptions import change_choices, list_subscriptions
from campaign.text.email_address import parse_email_address
from campaign.web.core.browser_marks import browser_marks
from campaign.web.core.context import installation, reader_language, texts_of, use_language
from campaign.web.core.security import Entry, entry
from campaign.web.self_service.forms import ChoicesForm, DetailsForm

blueprint = Blueprint("me", __name__)


def confirm_first(kept: PersonalData) -> BaseResponse:
    """Lead to the page that confirms the signature: before that, the link does nothing else."""
    assert kept.signature is not None  # it is pending
    token = installation().vault.token(LinkPurpose.CONFIRM, kept.signature.id)
    return redirect(url_for("confirm.show", token=token), 303)


def own_page(
    session: Session,
    kept: PersonalData,
    *,
    choices: ChoicesForm | None = None,
    details: DetailsForm | None = None,
) -> str:
    """The page. A form that was sent and has errors is shown again; else the forms have the current values."""
    vault, petition, signature, reader = installation().vault, kept.petition, kept.signature, kept.reader
    if kept.may_change and details is None:
        details = DetailsForm.of(kept)
    if reader is not None and choices is None:
        choices = ChoicesForm.of(petition, reader, several=_follows_several(session, kept))
    return render_template(
        "self_service/show.html",
        kept=kept,
        petition=petition,
        texts=texts_of(petition),
        signature=signature,
        person=kept.person,
        subscription=kept.subscription,
        address=_shortened(kept),
        events=list_events(session, petition, kept.subscription, signature),
        zone=ZoneInfo(petition.timezone),
        form=choices,
        details=details,
        from_paper=signature is not None and is_from_paper(session, signature.id),
        countries=reader_language().countries(),
        needs_code=signature is not None and not is_owner(vault, signature, Proof(browser_marks())),
        frequencies=ReaderFrequency,
        receipt=write_receipt(vault, Receipt(petition.id, kept.erased_on)) if kept.erased_on else None,
        unsubscribe_token=vault.token(LinkPurpose.UNSUBSCRIBE, reader.id) if reader is not None else None,
        saved="saved" in request.args and request.method != "POST",
    )


def _follows_several(session: Session, kept: PersonalData) -> bool:
    assert kept.reader is not None
    assert kept.reader.fingerprint is not None  # an active subscription has one
    return len(list_subscriptions(session, kept.reader.fingerprint)) > 1


def _shortened(kept: PersonalData) -> str | None:
    """Part of the address, enough to recognise it: everybody who has the link sees the page."""
    reader = kept.reader
    if reader is None or reader.sealed_address is None:
        return None
    opened = installation().vault.open(reader.sealed_address, row=address_row(reader.id)).decode()
    address = parse_email_address(opened, allow_smtputf8=True)
    return f"{address.local_part[0]}…@{address.domain}"


@blueprint.get("/me/<token>")
@entry(Entry.LINK)
def show(token: str) -> str | BaseResponse:
    with installation().database.snapshots() as session:
        kept = get_personal_data(session, installation().vault, token)
        use_language(kept.language)
        return confirm_first(kept) if kept.is_pending else own_page(session, kept)


@blueprint.post("/me/<token>")
@entry(Entry.LINK)
def choose(token: str) -> BaseResponse | tuple[str, int]:
    """It needs no cookie and no form token: a person who has the link may choose, as with the unsubscribe link."""
    with installation().database.sessions.begin() as session:
        kept = get_personal_data(session, installation().vault, token)
        use_language(kept.language)
        if kept.is_pending:
            return confirm_first(kept)
        if kept.reader is None:
            return own_page(session, kept), 410
        form = ChoicesForm.posted(kept.petition, several=_follows_several(session, kept))
        if not form.validate():
            return own_page(session, kept, choices=form), 422
        change_choices(session, kept.petition, kept.reader, form.choices())
    return redirect(url_for("me.show", token=token, saved=1), 303)


@blueprint.get("/me/<token>/data.json")
@entry(Entry.LINK)
def data(token: str) -> BaseResponse:
    """All stored data about the person, as a file to take away (GDPR, Art. 15 and 20)."""
    with installation().database.snapshots() as session:
        kept = get_personal_data(session, installation().vault, token)
        use_language(kept.language)
        if kept.is_pending:
            return confirm_first(kept)
        told: dict[str, Any] = tell_kept(session, kept, address=_shortened(kept), now=installation().now())
        slug = kept.petition.slug
    answer = Response(json.dumps(told, ensure_ascii=False, indent=2) + "\n", content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-my-data.json"'
    return answer
