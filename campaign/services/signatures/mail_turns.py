"""Turns: when an address may get its next mail that somebody asked for. The limit delays a mail; it drops none."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import (
    ConfirmationAllowance,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Petition,
    Signature,
    SignatureState,
)
from campaign.periods import ALLOWANCE_KEPT, CONFIRMATION_WAITS, MAIL_AGAIN_AFTER, UNSENT_KEPT


def find_turn(waits: Sequence[timedelta], mails: int, last_at: datetime, now: datetime) -> datetime:
    """When the next mail may be sent after ``mails`` mails, the last at ``last_at``.

    ``waits`` are the pauses after the first mail, the second, and so on. The last pause holds for all that follow.
    """
    return now if mails == 0 else max(now, last_at + waits[min(mails, len(waits)) - 1])


def take_turn(session: Session, fingerprint: bytes, now: datetime) -> datetime:
    """Count the next confirmation mail to the address, and return when it may be sent. All petitions count together."""
    insert = upsert(session, ConfirmationAllowance).values(fingerprint=fingerprint, mails=0, last_at=now)
    # It changes nothing, but locks the row and returns it, in one step that no other transaction can come between.
    found = insert.on_conflict_do_update(
        index_elements=[ConfirmationAllowance.fingerprint], set_={"mails": ConfirmationAllowance.mails}
    ).returning(ConfirmationAllowance.mails, ConfirmationAllowance.last_at)
    mails, last_at = session.execute(found).one()
    turn = find_turn(CONFIRMATION_WAITS, mails, last_at, now)
    session.execute(
        update(ConfirmationAllowance)
        .where(ConfirmationAllowance.fingerprint == fingerprint)
        .values(mails=mails + 1, last_at=turn)
        .execution_options(synchronize_session=False)
    )
    return turn


def needs_mail(session: Session, signature_id: int, now: datetime, *, is_asked: bool) -> bool:
    """Whether a confirmation mail is to be queued: because somebody asks to have it again, or because of a form.

    None is needed while a mail with the link waits. A form needs none either if one was sent a moment ago: a double
    click, a form that is sent twice, and ten thousand posts of one address are one wish.
    """
    last = session.execute(
        select(Delivery.state, Delivery.queued_at)
        .where(Delivery.signature_id == signature_id, Delivery.kind == DeliveryKind.CONFIRMATION)
        .order_by(Delivery.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return True
    if last.state in (*DeliveryState.waiting(), DeliveryState.SENDING):
        return False
    return is_asked or last.state is not DeliveryState.ACCEPTED or last.queued_at <= now - MAIL_AGAIN_AFTER


def queue_confirmation(
    session: Session, petition_id: int, signature_id: int, fingerprint: bytes, *, now: datetime
) -> None:
    """Queue a confirmation mail for the time of the address's next turn.

    What the signer typed is kept while the mail waits. The time of its link begins when the mail is settled.
    """
    turn = take_turn(session, fingerprint, now)
    session.execute(
        update(Signature)
        .where(Signature.id == signature_id, Signature.state == SignatureState.PENDING)
        # The mail has the code, so the count of wrong codes starts again.
        .values(expires_at=turn + UNSENT_KEPT, wrong_codes=0)
        .execution_options(synchronize_session=False)
    )
    session.add(
        Delivery(
            kind=DeliveryKind.CONFIRMATION,
            petition_id=petition_id,
            signature_id=signature_id,
            queued_at=turn,
            due_at=turn,
        )
    )
    session.flush()


def release_waiting(session: Session, answered: Signature, *, now: datetime) -> None:
    """The owner of the address has answered: the count starts again, and the next mail that waits is due at once.

    The mail after that is due when this one is answered too, or after the usual wait.
    """
    fingerprint = answered.fingerprint
    assert fingerprint is not None  # a pending signature has one
    forget_allowance(session, fingerprint)
    waiting = session.scalars(
        select(Delivery)
        .join(Signature, Signature.id == Delivery.signature_id)
        .where(
            # The index has the petition before the fingerprint; there are few petitions.
            Signature.petition_id.in_(select(Petition.id)),
            Signature.fingerprint == fingerprint,
            Signature.id != answered.id,
            Delivery.kind == DeliveryKind.CONFIRMATION,
            Delivery.state == DeliveryState.QUEUED,
            Delivery.due_at > now,
        )
        .order_by(Delivery.due_at, Delivery.id)
        # A mail that a worker is claiming is not waiting any more.
        .with_for_update(of=Delivery, skip_locked=True)
    )
    for delivery in waiting.all():
        delivery.queued_at = delivery.due_at = take_turn(session, fingerprint, now)


def forget_old_allowances(session: Session, *, now: datetime) -> None:
    """Delete old counts, so that nobody waits for ever because a stranger typed their address three times."""
    session.execute(delete(ConfirmationAllowance).where(ConfirmationAllowance.last_at <= now - ALLOWANCE_KEPT))


def forget_allowance(session: Session, fingerprint: bytes) -> None:
    """Delete the count of an address, because its owner has answered: no stranger typed it."""
    session.execute(delete(ConfirmationAllowance).where(ConfirmationAllowance.fingerprint == fingerprint))
