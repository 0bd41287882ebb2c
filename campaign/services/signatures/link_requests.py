"""Requests for a lost link to one's own page: a person types an address, and the mail is sent if the address has
signed.

A request does the same work for every address, so its answer reveals nothing. Later the worker finds out whether there
is something to send. Then the address is erased; at once if there is nothing to send.
"""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from campaign.crypto.sealed_rows import link_request_row
from campaign.crypto.vault import Vault
from campaign.db import upsert
from campaign.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    LinkRequest,
    PetitionCounter,
    Signature,
)
from campaign.periods import LINK_AGAIN_AFTER
from campaign.services.signatures.sign import find_signature
from campaign.text.email_address import EmailAddress

_ENDED = (DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SUPPRESSED, DeliveryState.IN_DOUBT)


def request_link(
    session: Session, vault: Vault, petition_id: int, address: EmailAddress, language: str, *, now: datetime
) -> None:
    """Record a request for the link of ``address``. A second request within 24 hours changes nothing."""
    fingerprint = vault.fingerprint(address)
    values = {
        "sealed_address": vault.seal(str(address).encode(), row=link_request_row(petition_id, fingerprint)),
        "language": language,
        "asked_at": now,
    }
    session.execute(
        upsert(session, LinkRequest)
        .values(petition_id=petition_id, fingerprint=fingerprint, **values)
        .on_conflict_do_update(
            index_elements=[LinkRequest.petition_id, LinkRequest.fingerprint],
            set_=values,
            where=LinkRequest.asked_at <= now - LINK_AGAIN_AFTER,
        )
    )


def has_requests(session: Session) -> bool:
    """Whether there are requests that were not answered yet."""
    waiting = select(LinkRequest.petition_id).where(LinkRequest.sealed_address.is_not(None)).limit(1)
    return session.scalar(waiting) is not None


def answer_requests(session: Session, *, now: datetime) -> int:
    """Queue a mail for each request whose address has signed; returns the number of queued mails.

    The address of a request is erased when its mail has ended, or when there is nothing to send. It can be repeated.
    """
    waiting = (
        select(LinkRequest).where(LinkRequest.sealed_address.is_not(None)).with_for_update(skip_locked=True).limit(500)
    )
    queued = 0
    for request in session.scalars(waiting).all():
        signature = find_signature(session, request.petition_id, request.fingerprint)
        if signature is None or not signature.state.is_answered:
            request.sealed_address = None
            continue
        state = _find_mail(session, signature, request)
        if state is None:
            _queue(session, signature, now)
            queued += 1
        elif state in _ENDED:
            request.sealed_address = None
    return queued


def _find_mail(session: Session, signature: Signature, request: LinkRequest) -> DeliveryState | None:
    """The state of the mail for this request; None if no mail was queued yet."""
    return session.scalar(
        select(Delivery.state)
        .where(
            Delivery.signature_id == signature.id,
            Delivery.kind == DeliveryKind.LINK,
            Delivery.queued_at >= request.asked_at,
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )


def _queue(session: Session, signature: Signature, now: datetime) -> None:
    session.add(
        Delivery(
            kind=DeliveryKind.LINK,
            petition_id=signature.petition_id,
            signature_id=signature.id,
            queued_at=now,
            due_at=now,
        )
    )
    # The mail contains the code, so the counter starts again: wrong codes typed by others lock nobody out for ever.
    session.execute(
        update(Signature)
        .where(Signature.id == signature.id)
        .values(wrong_codes=0)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == signature.petition_id)
        .values(links=PetitionCounter.links + 1)
        .execution_options(synchronize_session=False)
    )


def forget_requests(session: Session, fingerprint: bytes) -> int:
    """Delete the requests for the links of an address; returns the number of petitions they were for."""
    gone = delete(LinkRequest).where(LinkRequest.fingerprint == fingerprint).returning(LinkRequest.petition_id)
    return len(session.scalars(gone).all())
