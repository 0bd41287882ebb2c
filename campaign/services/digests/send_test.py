"""A digest sent to an organizer as a test: the waiting edition, or the next one as it would be made now."""

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.mail.message import Content
from campaign.models import (
    Audience,
    AuditAction,
    Delivery,
    DeliveryKind,
    DeliveryState,
    EditionText,
    Organizer,
    Petition,
)
from campaign.services.audit_log import record
from campaign.services.digests.content import compose_digest, find_last_number, gather_news
from campaign.services.digests.transitions import find_waiting
from campaign.services.links import Links
from campaign.services.organizers.permissions import Permission, check_permission
from campaign.services.organizers.sign_in import find_organizer

# What stands in a digest's text where each reader's own link will be.
_MARK = re.compile("@@[a-z-]+@@")


def rehearse_edition(
    session: Session, petition: Petition, email: str, *, actor: str, now: datetime, language: str | None = None
) -> list[Delivery]:
    """Owe the organizer at ``email`` a test of the edition, in each language or in ``language`` alone.

    Tests go to organizers who may send the digest and to nobody else: the server is no relay for strangers. Raises
    Forbidden, NotFound for a language that the petition does not have, NotPossible where there is nothing to show.
    """
    organizer = _get_sender(session, petition, email)
    if language not in (None, *petition.languages):
        raise NotFound(f"The petition is not in “{language}”, only in {', '.join(petition.languages)}.")
    waiting = find_waiting(session, petition.id)
    if waiting is None and gather_news(session, petition).is_empty:
        raise NotPossible("Nothing is new since the last edition: there is nothing to test.")
    tests = [
        Delivery(
            petition_id=petition.id,
            kind=DeliveryKind.TEST,
            edition_id=waiting.id if waiting else None,
            organizer_id=organizer.id,
            language=code,
            state=DeliveryState.QUEUED,
            queued_at=now,
            due_at=now,
        )
        for code in petition.languages
        if language in (None, code)
    ]
    session.add_all(tests)
    session.flush()
    record(session, actor, AuditAction.DIGEST_TESTED, petition.id, now=now, mails=len(tests))
    return tests


def _get_sender(session: Session, petition: Petition, email: str) -> Organizer:
    refusal = Forbidden("A test goes to an organizer who may send this petition's digest, and to nobody else.")
    organizer = find_organizer(session, email)
    if organizer is None:
        raise refusal
    try:
        check_permission(session, organizer.id, petition, Permission.SEND)
    except Forbidden:
        raise refusal from None
    return organizer


def find_last_test(session: Session, petition_id: int, organizer_id: int) -> Delivery | None:
    """The test that the organizer was owed last, to see what became of it."""
    return session.scalars(
        select(Delivery)
        .where(
            Delivery.petition_id == petition_id,
            Delivery.kind == DeliveryKind.TEST,
            Delivery.organizer_id == organizer_id,
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    ).one_or_none()


def _next(session: Session, links: Links, petition: Petition, language: str) -> Content:
    number = (find_last_number(session, petition.id) or 0) + 1
    return compose_digest(petition, gather_news(session, petition), language, links, number=number)


def write_test(session: Session, links: Links, petition: Petition, delivery: Delivery) -> Content:
    """What the test says: the frozen text of its edition, or the next edition's as it would be now.

    Where a reader's own links would be, it leads to the petition: an organizer has no subscription to end.
    """
    language = delivery.language or petition.languages[0]
    frozen = session.get(EditionText, (delivery.edition_id, language, Audience.EACH)) if delivery.edition_id else None
    content: Content | EditionText = frozen or _next(session, links, petition, language)
    address = links.petition(language, petition.slug)
    return Content(
        subject=f"[Test] {content.subject}",
        text=_MARK.sub(address, content.text),
        html=_MARK.sub(address, content.html),
    )
