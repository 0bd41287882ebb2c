"""From a row of the ledger to the message it stands for, made at the moment of sending."""

from datetime import datetime

from sqlalchemy.orm import Session

from campaign.email_address import EmailAddress, parse_email_address
from campaign.mail.compose import compose
from campaign.mail.message import Content, Message, build_message
from campaign.models import (
    Delivery,
    DeliveryKind,
    Edition,
    EditionText,
    Petition,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
)
from campaign.services.audiences import audience_of, find_offer, find_refusal
from campaign.services.digesting import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.links import Links
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
    else:
        subscription = session.get_one(Subscription, delivery.subscription_id)
        language = subscription.language
        address = open_reader(session, vault, subscription)
        content = write_digest(session, links, delivery, subscription)
        list_headers = list_headers_for(links, sender, petition, subscription)
    return address_message(
        vault, sender, petition, delivery, content, language=language, address=address, list_headers=list_headers
    )


def address_message(
    vault: Vault,
    sender: str,
    petition: Petition,
    delivery: Delivery,
    content: Content,
    *,
    language: str,
    address: EmailAddress,
    list_headers: dict[str, str] | None,
) -> Message:
    """``content`` as the message that ``delivery`` is known by, whatever is tried how often."""
    return build_message(
        content,
        sender_name=petition.texts[language]["sender"],
        sender=sender,
        recipient=str(address),
        message_id=f"{vault.token('message', delivery.id)}@{sender.partition('@')[2]}",
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


def open_reader(session: Session, vault: Vault, subscription: Subscription) -> EmailAddress:
    """The reader's address. Raises NotWanted where the subscription has ended or the address is suppressed."""
    if subscription.state is not SubscriptionState.ACTIVE or not subscription.sealed_address:
        raise NotWanted("the subscription has ended")
    return _open_address(session, vault, subscription.id, subscription.sealed_address)


def write_digest(session: Session, links: Links, delivery: Delivery, subscription: Subscription) -> Content:
    """The text of the edition that this reader gets, with their links. Raises NotWanted by their choices as of now."""
    edition = session.get_one(Edition, delivery.edition_id)
    offer = find_offer(session, session.get_one(Petition, delivery.petition_id), edition)
    if refusal := find_refusal(subscription, offer):
        raise NotWanted(refusal)
    frozen = session.get_one(EditionText, (edition.id, subscription.language, audience_of(subscription)))

    def fill(text: str) -> str:
        return text.replace(UNSUBSCRIBE_MARK, links.unsubscribe(subscription.id)).replace(
            PREFERENCES_MARK, links.me(subscription.id)
        )

    return Content(subject=frozen.subject, text=fill(frozen.text), html=fill(frozen.html))


def list_headers_for(links: Links, sender: str, petition: Petition, *subscriptions: Subscription) -> dict[str, str]:
    """The headers by which a mail program knows the list. For several subscriptions one click ends them all."""
    several, language = len(subscriptions) > 1, subscriptions[0].language
    return {
        "List-Id": f"<{'campaigns' if several else petition.slug}.{links.host}>",  # RFC 2919
        "List-Unsubscribe": f"<{links.unsubscribe(*(subscription.id for subscription in subscriptions))}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "List-Help": f"<{links.petition(language, petition.slug)}>",  # RFC 2369
        "List-Owner": f"<mailto:{sender}>",
        "List-Archive": f"<{links.updates(language, petition.slug)}>",
    }
