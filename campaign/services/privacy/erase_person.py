"""Forgetting a person: everything stored under their address is erased, under all petitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import AuditAction, ConfirmationAllowance, Petition, Signature, Subscription, Suppression
from campaign.services.audit_log import record
from campaign.services.signatures.erase import end_subscription, erase_signature
from campaign.services.signatures.link_requests import forget_requests
from campaign.services.signatures.mail_turns import forget_allowance
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import EmailAddress


@dataclass(frozen=True)
class Forgotten:
    """What was erased: for each petition whether a signature and a subscription; and the suppression, which stays."""

    petitions: Sequence[tuple[str, bool, bool]]
    mails_counted: bool
    links_asked: int
    suppression: Suppression | None

    @property
    def is_nothing(self) -> bool:
        return not (self.petitions or self.mails_counted or self.links_asked)


def forget(session: Session, vault: Vault, address: EmailAddress, *, actor: str, now: datetime) -> Forgotten:
    """Erase the signatures of an address, end its updates, delete its allowance and its requests. It can be repeated.

    A suppression stays: by its fingerprint the server never writes to the address again.
    """
    fingerprint = vault.fingerprint(address)
    # Locks are taken in one order everywhere: signature, allowance, counter.
    petitions = list(session.scalars(select(Petition).order_by(Petition.id)))
    ids = [petition.id for petition in petitions]
    signatures = session.scalars(
        select(Signature)
        .where(Signature.petition_id.in_(ids), Signature.fingerprint == fingerprint)
        .order_by(Signature.petition_id)
        .with_for_update()
    ).all()
    subscriptions = session.scalars(
        select(Subscription)
        .where(Subscription.petition_id.in_(ids), Subscription.fingerprint == fingerprint)
        .order_by(Subscription.petition_id)
        .with_for_update()
    ).all()
    signed = {signature.petition_id for signature in signatures}
    followed = {subscription.petition_id for subscription in subscriptions}
    mails_counted = session.get(ConfirmationAllowance, fingerprint) is not None
    forget_allowance(session, fingerprint)
    links_asked = forget_requests(session, fingerprint)
    for subscription in subscriptions:
        end_subscription(session, subscription, now=now)
    for signature in signatures:
        erase_signature(session, signature, now=now)
    found = [petition for petition in petitions if petition.id in signed | followed]
    for petition in found:
        record(session, actor, AuditAction.PERSON_FORGOTTEN, petition.id, now=now)
    return Forgotten(
        [(petition.slug, petition.id in signed, petition.id in followed) for petition in found],
        mails_counted,
        links_asked,
        find_suppression(session, fingerprint),
    )
