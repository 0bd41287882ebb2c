"""Which waiting mails may be sent now: the rules on time, edition, consent, choices and suppressions, each once.

``select_due`` finds the mails whose time has come and whose edition may be sent. For each of these mails the functions
``check_…`` say whether its recipient is still to get it, and if not, why.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, false, null, select
from sqlalchemy.orm import Session

from campaign.models import (
    Delivery,
    DeliveryKind,
    Edition,
    EditionState,
    LinkRequest,
    Petition,
    ReaderFrequency,
    Schedule,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from campaign.services.digests.audiences import Offer, find_refusal
from campaign.services.digests.restore_guard import RestoreGuard, Start
from campaign.services.petitions.schedule import is_window_open

N_ = str  # marks a sentence for the translators; the page translates it

# Why a mail was not sent in the end. The ledger stores these reasons, and the reader sees them.
ENDED = N_("the subscription has ended")
EXPIRED = N_("the signature has expired")
NOT_ASKED = N_("the link is not asked for any more")
OTHERWISE = {
    SignatureState.PENDING: N_("the signature is not confirmed"),
    SignatureState.QUARANTINED: N_("the signature is confirmed"),
    SignatureState.CONFIRMED: N_("the signature is confirmed"),
    SignatureState.WITHDRAWN: N_("the signature is withdrawn"),
    SignatureState.INVALIDATED: N_("the signature is invalidated"),
    SignatureState.EXPIRED: N_("the signature is expired"),
}
SUPPRESSED = {
    SuppressionReason.NOT_ME: N_("the address is suppressed: not me"),
    SuppressionReason.BOUNCED: N_("the address is suppressed: bounced"),
    SuppressionReason.COMPLAINED: N_("the address is suppressed: complained"),
}


class NotEligible(Exception):
    """The mail is not to be sent any more; the text says why."""


# The first columns of ``select_mails`` belong to the mail itself. The others are its circumstances.
OWN_COLUMNS = 6


class Circumstances(NamedTuple):
    """What decides whether a mail is sent and what it says: many mails of an edition have the same circumstances."""

    kind: DeliveryKind
    petition_id: int
    edition_id: int | None
    language: str
    state: SignatureState | SubscriptionState
    suppressed: SuppressionReason | None
    frequency: ReaderFrequency | None
    paused: bool | None


def select_mails(kind: DeliveryKind) -> Select[Any]:
    """Select the rows of a kind with what decides their eligibility, as ``Writer.list_drafts`` needs them.

    The caller adds which rows, and in which order.
    """
    if kind is DeliveryKind.TEST:
        return select(Delivery.id)
    confirms, reads = kind is DeliveryKind.CONFIRMATION, kind is DeliveryKind.DIGEST
    owner: Any = Subscription if reads else Signature
    refers = Delivery.subscription_id if reads else Delivery.signature_id
    nothing = null()
    mails = (
        select(
            Delivery.id,
            Delivery.queued_at,
            owner.id,
            LinkRequest.sealed_address if kind is DeliveryKind.LINK else owner.sealed_address,
            Signature.expires_at if confirms else nothing,
            LinkRequest.fingerprint if kind is DeliveryKind.LINK else nothing,
            Delivery.kind,
            Delivery.petition_id,
            Delivery.edition_id,
            owner.language,
            owner.state,
            Suppression.reason,
            Subscription.frequency if reads else nothing,
            Subscription.paused if reads else nothing,
        )
        .join(owner, owner.id == refers)
        .outerjoin(Suppression, Suppression.fingerprint == owner.fingerprint)
    )
    if kind is DeliveryKind.LINK:
        asked = (LinkRequest.petition_id == Signature.petition_id) & (LinkRequest.fingerprint == Signature.fingerprint)
        mails = mails.outerjoin(LinkRequest, asked)
    return mails


def select_due(
    session: Session,
    guard: RestoreGuard,
    kind: DeliveryKind,
    *,
    now: datetime,
    overdue: timedelta = timedelta(),
    edition_id: int | None = None,
    merged: bool = False,
) -> Select[Any]:
    """Select the rows of ``select_mails`` that may be claimed now, for every sender.

    Their time has come, at least ``overdue`` ago. Their edition, ``edition_id`` if that is given, may be sent. With
    ``merged`` they are those of readers who want one mail for all petitions, without it those of all other readers. The
    caller adds the state.
    """
    due = select_mails(kind).where(Delivery.kind == kind, Delivery.due_at <= now - overdue)
    if kind is not DeliveryKind.DIGEST:
        return due
    sendable = list_sendable(session, guard, now)
    if edition_id is None:
        due = due.where(Delivery.edition_id.in_(sendable))
    else:
        due = due.where(Delivery.edition_id == edition_id if edition_id in sendable else false())
    wants_one_mail = Subscription.merged & (Subscription.state == SubscriptionState.ACTIVE)
    return due.where(wants_one_mail if merged else ~wants_one_mail)


def list_sendable(session: Session, guard: RestoreGuard, now: datetime) -> list[int]:
    """The ids of the editions of which mails may be claimed now: each claim asks for them, in its transaction.

    They are being sent, so neither paused nor cancelled; their window is open; and the restore guard admits them.
    """
    sending = (
        select(Edition.id, Petition.slug, Edition.number, Edition.made_at, Edition.starts, Petition.timezone, Schedule)
        .join(Petition, Petition.id == Edition.petition_id)
        .outerjoin(Schedule, Schedule.petition_id == Edition.petition_id)
        .where(Edition.state == EditionState.SENDING)
    )
    return [
        found
        for found, slug, number, made_at, starts, timezone, schedule in session.execute(sending)
        if is_window_open(schedule, timezone, now) and guard.admits(Start(slug, number or 0, made_at, starts))
    ]


def check_state(kind: DeliveryKind, state: SignatureState | SubscriptionState) -> None:
    """Raises NotEligible if the mail is for a signature in another state, or if the subscription has ended."""
    if isinstance(state, SignatureState):
        confirms = kind is DeliveryKind.CONFIRMATION
        if not (state is SignatureState.PENDING if confirms else state.is_answered):
            raise NotEligible(OTHERWISE[state])
    elif state is not SubscriptionState.ACTIVE:
        raise NotEligible(ENDED)


def check_suppression(reason: SuppressionReason | None) -> None:
    """Raises NotEligible if nothing may be sent to the address."""
    if reason is not None:
        raise NotEligible(SUPPRESSED[reason])


def check_choices(offer: Offer, frequency: ReaderFrequency, *, paused: bool) -> None:
    """Raises NotEligible if the reader chose to get no mail for what the edition offers."""
    if refusal := find_refusal(offer, frequency, paused=paused):
        raise NotEligible(refusal)
