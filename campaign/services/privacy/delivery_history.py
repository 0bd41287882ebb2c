"""A person's history: every mail to them, and every edition without a mail to them, each with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.mail.returned.reports import ReportKind
from campaign.models import (
    AuditAction,
    ConfirmationAllowance,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    LinkRequest,
    Petition,
    Signature,
    Subscription,
    SubscriptionState,
    Suppression,
    Suspicion,
    SuspicionKind,
)
from campaign.services.audit_log import record
from campaign.services.petitions.lifecycle import today_in
from campaign.services.signatures.sign import Person, find_signature, open_person
from campaign.services.subscribers.subscriptions import find_subscription
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import EmailAddress

N_ = str  # marks a sentence for the translators; the page translates it

# The state of a mail, in words for its recipient.
FATES = {
    DeliveryState.QUEUED: N_("waits to be sent"),
    DeliveryState.SENDING: N_("is being sent"),
    DeliveryState.ACCEPTED: N_("sent: the mail server took it"),
    DeliveryState.DEFERRED: N_("the mail server wants it later; it is tried again"),
    DeliveryState.REJECTED: N_("not sent: the mail server refused it"),
    DeliveryState.SUPPRESSED: N_("not sent"),
    DeliveryState.IN_DOUBT: N_(
        "perhaps sent: the connection broke at the last moment, and it is not sent a second time"
    ),
}
# The report that came back for a mail, in words for its recipient.
CAME_BACK = {
    ReportKind.PERMANENT: N_("the address does not take mail"),
    ReportKind.TEMPORARY: N_("the mailbox did not take it this time"),
    ReportKind.COMPLAINT: N_("it was reported as spam"),
}
NOT_OWED = N_("not sent")
NOT_YET = N_("has not been sent to anybody yet")
CANCELLED = N_("it was cancelled before it was sent to you")
TOO_EARLY = N_("it was sent before you subscribed")
TOO_LATE = N_("it was sent after you had stopped the updates")
NOT_THEN = N_("you were not subscribed when it was sent")


@dataclass(frozen=True)
class Event:
    """One mail, or one edition without a mail to the person; ``edition`` is None for other kinds of mails.

    ``fate`` and ``reason`` are for the translators; ``returned`` is the report that came back, as the ledger has it.
    """

    at: datetime
    edition: int | None
    fate: str
    reason: str | None
    returned: str | None = None
    kind: DeliveryKind = DeliveryKind.DIGEST

    @property
    def came_back(self) -> str | None:
        """The kind of the report that came back, for the translators; None if there is none."""
        return CAME_BACK[ReportKind(self.returned.split(" ")[0])] if self.returned else None


@dataclass(frozen=True)
class Account:
    """Everything known about a person under one petition."""

    petition: Petition
    signature: Signature | None
    subscription: Subscription | None
    events: Sequence[Event]
    person: Person | None
    suspicions: Sequence[SuspicionKind]


@dataclass(frozen=True)
class History:
    """Everything known about an address. ``requests`` are those for a lost link, each with the petition's slug."""

    suppression: Suppression | None
    accounts: Sequence[Account]
    allowance: ConfirmationAllowance | None = None
    requests: Sequence[tuple[str, LinkRequest]] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.suppression or self.accounts or self.allowance or self.requests)


def tell_history(session: Session, vault: Vault, address: EmailAddress, *, actor: str, now: datetime) -> History:
    """Everything known about an address, petition by petition. It is recorded under each of these petitions.

    An ended subscription cannot be found by its address, nor an erased signature, because nothing is kept by which they
    could be found. The reader's own link leads to what is left of an ended subscription.
    """
    fingerprint = vault.fingerprint(address)
    accounts = []
    for petition in session.scalars(select(Petition).order_by(Petition.slug)):
        signature = find_signature(session, petition.id, fingerprint)
        subscription = find_subscription(session, petition.id, fingerprint)
        if signature is not None or subscription is not None:
            events = list_events(session, petition, subscription, signature)
            person = open_person(vault, signature) if signature is not None else None
            suspicions = _list_suspicions(session, signature)
            accounts.append(Account(petition, signature, subscription, events, person, suspicions))
            record(session, actor, AuditAction.HISTORY_TOLD, petition.id, now=now)
    requests = session.execute(
        select(Petition.slug, LinkRequest)
        .join(Petition, Petition.id == LinkRequest.petition_id)
        .where(LinkRequest.fingerprint == fingerprint)
        .order_by(Petition.slug)
    )
    return History(
        find_suppression(session, fingerprint),
        accounts,
        session.get(ConfirmationAllowance, fingerprint),
        [(slug, request) for slug, request in requests],
    )


def _list_suspicions(session: Session, signature: Signature | None) -> Sequence[SuspicionKind]:
    if signature is None:
        return ()
    found = select(Suspicion.kind).where(Suspicion.signature_id == signature.id).order_by(Suspicion.kind)
    return session.scalars(found).all()


def list_events(
    session: Session, petition: Petition, subscription: Subscription | None, signature: Signature | None
) -> list[Event]:
    """Every mail about the two, and every edition without a mail to the subscription; newest first."""
    events = []
    if signature is not None:
        own = select(Delivery).where(Delivery.signature_id == signature.id, Delivery.edition_id.is_(None))
        events += [_tell(delivery, None) for delivery in session.scalars(own)]
    if subscription is not None:
        editions = (
            select(Edition, Delivery)
            .outerjoin(Delivery, (Delivery.edition_id == Edition.id) & (Delivery.subscription_id == subscription.id))
            .where(Edition.petition_id == petition.id, Edition.number.is_not(None))
        )
        found = cast("Iterable[tuple[Edition, Delivery | None]]", session.execute(editions))
        events += [
            _tell_without(session, petition, edition, subscription)
            if delivery is None
            else _tell(delivery, edition.number)
            for edition, delivery in found
        ]
    return sorted(events, key=lambda event: (event.at, event.edition or 0), reverse=True)


def _tell(delivery: Delivery, edition: int | None) -> Event:
    # The server's answer when it accepted a mail says nothing to a person.
    reason = None if delivery.state is DeliveryState.ACCEPTED else delivery.reason
    return Event(delivery.queued_at, edition, FATES[delivery.state], reason, delivery.returned, delivery.kind)


def _tell_without(session: Session, petition: Petition, edition: Edition, subscription: Subscription) -> Event:
    """Every subscriber at the beginning of the sending has a row; so without a row there was no subscription."""
    begun = session.scalars(select(Delivery.queued_at).where(Delivery.edition_id == edition.id).limit(1)).first()
    if begun is None:
        waits = edition.state in (EditionState.DRAFT, EditionState.SCHEDULED)
        return Event(edition.made_at, edition.number, NOT_OWED, NOT_YET if waits else CANCELLED)
    day = today_in(petition, begun)
    if subscription.state is SubscriptionState.ACTIVE or day < subscription.since_on:
        reason = TOO_EARLY
    else:
        # Only the day of subscribing is known, not the moment.
        reason = TOO_LATE if day > subscription.since_on else NOT_THEN
    return Event(begun, edition.number, NOT_OWED, reason)
