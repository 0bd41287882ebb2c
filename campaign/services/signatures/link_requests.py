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
from campaign.periods import LINK_WAITS
from campaign.services.signatures.mail_turns import find_turn
from campaign.services.signatures.sign import find_signature
from campaign.text.email_address import EmailAddress

_ENDED = (DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SUPPRESSED, DeliveryState.IN_DOUBT)


def request_link(
    session: Session, vault: Vault, petition_id: int, address: EmailAddress, language: str, *, now: datetime
) -> None:
    """Record a request for the link of ``address``, for the time of its next turn (``mail_turns``).

    It changes nothing while an earlier request waits: a double click is one wish.
    """
    fingerprint = vault.fingerprint(address)
    key = {"petition_id": petition_id, "fingerprint": fingerprint}
    insert = upsert(session, LinkRequest).values(**key, language=language, asked_at=now, mails=0)
    # It changes nothing, but locks the row and returns it.
    found = insert.on_conflict_do_update(
        index_elements=[LinkRequest.petition_id, LinkRequest.fingerprint], set_={"mails": LinkRequest.mails}
    ).returning(LinkRequest.mails, LinkRequest.asked_at, LinkRequest.sealed_address)
    mails, asked_at, waiting = session.execute(found).one()
    sealed = vault.seal(str(address).encode(), row=link_request_row(petition_id, fingerprint))
    if waiting is not None:
        return
    session.execute(
        update(LinkRequest)
        .filter_by(**key)
        .values(
            sealed_address=sealed,
            language=language,
            asked_at=find_turn(LINK_WAITS, mails, asked_at, now),
            mails=mails + 1,
        )
        .execution_options(synchronize_session=False)
    )


def has_requests(session: Session) -> bool:
    """Whether there are requests that were not answered yet."""
    waiting = select(LinkRequest.petition_id).where(LinkRequest.sealed_address.is_not(None)).limit(1)
    return session.scalar(waiting) is not None


def answer_requests(session: Session, *, now: datetime) -> int:
    """Queue a mail for each request whose turn has come and whose address has signed; returns their number.

    The address of a request is erased when its mail has ended, or when there is nothing to send. It can be repeated.
    """
    waiting = (
        select(LinkRequest)
        .where(LinkRequest.sealed_address.is_not(None))
        .order_by(LinkRequest.asked_at)
        .with_for_update(skip_locked=True)
        .limit(500)
    )
    queued = 0
    for request in session.scalars(waiting).all():
        signature = find_signature(session, request.petition_id, request.fingerprint)
        if signature is None or not signature.state.is_answered:
            request.sealed_address = None
            continue
        if request.asked_at > now:
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
