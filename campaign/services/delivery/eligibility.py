"""Whether a mail that is owed is still wanted, by the consent, choices and suppressions of this moment."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, null, select
from sqlalchemy.orm import Session

from campaign.crypto.sealed_rows import address_row
from campaign.crypto.vault import Vault
from campaign.mail.message import Content
from campaign.models import (
    Delivery,
    DeliveryKind,
    Edition,
    EditionState,
    EditionText,
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
from campaign.services.digests.audiences import Offer, audience_of, find_offer, find_refusal
from campaign.services.digests.content import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.digests.restore_guard import RestoreGuard, Start
from campaign.services.links import Links
from campaign.services.petitions.schedule import is_window_open
from campaign.services.subscribers.suppressions import find_suppression

N_ = str  # marks a sentence for the translators; the page translates it

# Why a mail was not sent after all; stored in the ledger and shown to the reader.
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


class NotWanted(Exception):
    """The mail is not to be sent any more, and why."""


# The first columns of ``select_owed`` are a mail's own, those after them its circumstances.
OWN_COLUMNS = 6


class Circumstances(NamedTuple):
    """What decides whether a mail is wanted and what it says: the same for many mails of an edition."""

    kind: DeliveryKind
    petition_id: int
    edition_id: int | None
    language: str
    state: SignatureState | SubscriptionState
    suppressed: SuppressionReason | None
    frequency: ReaderFrequency | None
    paused: bool | None


def select_owed(kind: DeliveryKind) -> Select[Any]:
    """The rows that ``Writer.list_drafts`` takes of a kind; which of them, in which order, the caller adds."""
    if kind is DeliveryKind.TEST:
        return select(Delivery.id)
    confirms, reads = kind is DeliveryKind.CONFIRMATION, kind is DeliveryKind.DIGEST
    owner: Any = Subscription if reads else Signature
    refers = Delivery.subscription_id if reads else Delivery.signature_id
    nothing = null()
    owed = (
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
        owed = owed.outerjoin(LinkRequest, asked)
    return owed


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
    """Raises NotWanted where the signature is in another state than the mail is for, or the subscription has ended."""
    if isinstance(state, SignatureState):
        confirms = kind is DeliveryKind.CONFIRMATION
        if not (state is SignatureState.PENDING if confirms else state.is_answered):
            raise NotWanted(OTHERWISE[state])
    elif state is not SubscriptionState.ACTIVE:
        raise NotWanted(ENDED)


def check_suppression(reason: SuppressionReason | None) -> None:
    """Raises NotWanted where nothing may be sent to the address."""
    if reason is not None:
        raise NotWanted(SUPPRESSED[reason])


def check_choices(offer: Offer, frequency: ReaderFrequency, *, paused: bool) -> None:
    """Raises NotWanted where the reader chose to get no mail for what the edition has."""
    if refusal := find_refusal(offer, frequency, paused=paused):
        raise NotWanted(refusal)


def open_reader(session: Session, vault: Vault, subscription: Subscription) -> str:
    """The reader's address. Raises NotWanted where the subscription has ended or the address is suppressed."""
    check_state(DeliveryKind.DIGEST, subscription.state)
    assert subscription.fingerprint is not None  # an active subscription has both
    assert subscription.sealed_address is not None
    suppression = find_suppression(session, subscription.fingerprint)
    check_suppression(suppression.reason if suppression else None)
    return vault.open(subscription.sealed_address, row=address_row(subscription.id)).decode()


def read_digest(session: Session, links: Links, delivery: Delivery, subscription: Subscription) -> Content:
    """The words of the edition that this reader gets, with their links. Raises NotWanted by their choices as of now."""
    edition = session.get_one(Edition, delivery.edition_id)
    offer = find_offer(session, session.get_one(Petition, delivery.petition_id), edition)
    check_choices(offer, subscription.frequency, paused=subscription.paused)
    frozen = session.get_one(EditionText, (edition.id, subscription.language, audience_of(subscription.frequency)))

    def fill(text: str) -> str:
        return text.replace(UNSUBSCRIBE_MARK, links.unsubscribe(subscription.id)).replace(
            PREFERENCES_MARK, links.me(subscription.id)
        )

    return Content(subject=frozen.subject, text=fill(frozen.text), html=fill(frozen.html))
