"""From a row of the ledger to the message it stands for, made at the moment of sending."""

from datetime import datetime

from sqlalchemy.orm import Session

from campaign.email_address import EmailAddress, parse_email_address
from campaign.errors import Forbidden
from campaign.mail.compose import compose
from campaign.mail.message import Content, Message, build_message
from campaign.models import (
    Audience,
    Delivery,
    DeliveryKind,
    Edition,
    EditionText,
    Organizer,
    Petition,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
)
from campaign.services.digesting import UNSUBSCRIBE_MARK
from campaign.services.links import Links
from campaign.services.organizing import Permission, check_permission
from campaign.services.rehearsing import write_test
from campaign.services.suppressing import find_suppression
from campaign.vault import Vault


class NotWanted(Exception):
    """The mail is not to be sent any more, and why."""


def _open_address(session: Session, vault: Vault, row_id: int, sealed: bytes) -> EmailAddress:
    address = parse_email_address(vault.open(sealed, row=f"address:{row_id}").decode(), allow_smtputf8=True)
    if suppression := find_suppression(session, vault.fingerprint(address)):
        raise NotWanted(f"the address is suppressed: {suppression.reason}")
    return address


def write_message(
    session: Session, vault: Vault, links: Links, sender: str, delivery: Delivery, *, now: datetime
) -> Message:
    """The message that ``delivery`` owes. Consent is looked at now, not when it was queued; raises NotWanted."""
    petition = session.get_one(Petition, delivery.petition_id)
    list_headers = None
    if delivery.kind is DeliveryKind.CONFIRMATION:
        signature = session.get_one(Signature, delivery.signature_id)
        language = signature.language
        if signature.state is not SignatureState.PENDING or not signature.sealed_address:
            raise NotWanted(f"the signature is {signature.state}")
        if signature.expires_at is None or signature.expires_at <= now:
            raise NotWanted("the signature has expired")
        address = _open_address(session, vault, signature.id, signature.sealed_address)
        content = _confirmation(vault, links, petition, signature)
    elif delivery.kind is DeliveryKind.TEST:
        address, language, content = _test(session, vault, links, petition, delivery)
    else:
        subscription = session.get_one(Subscription, delivery.subscription_id)
        language = subscription.language
        if subscription.state is not SubscriptionState.ACTIVE or not subscription.sealed_address:
            raise NotWanted("the subscription has ended")
        address = _open_address(session, vault, subscription.id, subscription.sealed_address)
        edition = session.get_one(Edition, delivery.edition_id)
        content = _digest(session, links, edition, subscription)
        list_headers = _list_headers(links, sender, petition, subscription)
    domain = sender.partition("@")[2]
    return build_message(
        content,
        sender_name=petition.texts[language]["sender"],
        sender=sender,
        recipient=str(address),
        message_id=f"{vault.token('message', delivery.id)}@{domain}",
        date=delivery.queued_at,
        language=language,
        list_headers=list_headers,
    )


def _confirmation(vault: Vault, links: Links, petition: Petition, signature: Signature) -> Content:
    return compose(
        "confirmation",
        signature.language,
        subject=petition.texts[signature.language]["confirmation_subject"],
        host=links.host,
        confirm_url=links.confirm(signature.id),
        code=vault.code(signature.id),
    )


def _test(
    session: Session, vault: Vault, links: Links, petition: Petition, delivery: Delivery
) -> tuple[EmailAddress, str, Content]:
    organizer = session.get_one(Organizer, delivery.organizer_id)
    address = parse_email_address(organizer.email, allow_smtputf8=True)
    try:
        check_permission(session, organizer.id, petition, Permission.SEND)
    except Forbidden:
        raise NotWanted("the organizer may no longer send the digest") from None
    if suppression := find_suppression(session, vault.fingerprint(address)):
        raise NotWanted(f"the address is suppressed: {suppression.reason}")
    return address, str(delivery.language), write_test(session, links, petition, delivery)


def _digest(session: Session, links: Links, edition: Edition, subscription: Subscription) -> Content:
    frozen = session.get_one(EditionText, (edition.id, subscription.language, Audience.EACH))
    link = links.unsubscribe(subscription.id)
    return Content(
        subject=frozen.subject,
        text=frozen.text.replace(UNSUBSCRIBE_MARK, link),
        html=frozen.html.replace(UNSUBSCRIBE_MARK, link),
    )


def _list_headers(links: Links, sender: str, petition: Petition, subscription: Subscription) -> dict[str, str]:
    return {
        "List-Id": f"<{petition.slug}.{links.host}>",  # RFC 2919
        "List-Unsubscribe": f"<{links.unsubscribe(subscription.id)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "List-Help": f"<{links.petition(subscription.language, petition.slug)}>",  # RFC 2369
        "List-Owner": f"<mailto:{sender}>",
        "List-Archive": f"<{links.updates(subscription.language, petition.slug)}>",
    }
