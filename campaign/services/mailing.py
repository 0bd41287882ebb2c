"""From rows of the ledger to the messages they stand for: frames made once, filled at the moment of sending."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from jinja2 import TemplateError
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from campaign.email_address import parse_email_address
from campaign.errors import CampaignError, Forbidden
from campaign.mail.compose import compose
from campaign.mail.frame import Frame, Gap
from campaign.mail.message import Content, Message, header_fields
from campaign.mail.verp import envelope_sender
from campaign.models import (
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
    Suppression,
    SuppressionReason,
)
from campaign.services import confirming, preferring, subscribing
from campaign.services.audiences import Offer, audience_of, find_offer, find_refusal
from campaign.services.digesting import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.links import Links
from campaign.services.list_headers import list_headers
from campaign.services.organizing import Permission, check_permission
from campaign.services.rehearsing import write_test
from campaign.services.suppressing import find_suppression
from campaign.vault import CODE_LENGTH, TOKEN_LENGTH, Vault

N_ = str  # marks a sentence for the translators; the page translates it

_CONFIRM_MARK, _CODE_MARK = "@@confirm-url@@", "@@code@@"
_TO, _DATE, _MESSAGE = (Gap(f"@@{name}@@", name) for name in ("to", "date", "message"))
# What can be wrong with one mail, none of which may hold up those behind it.
_TROUBLE = (CampaignError, ValueError, LookupError, TemplateError)


@lru_cache(maxsize=16)
def _date(moment: datetime) -> bytes:
    return format_datetime(moment).encode()


# Why a mail was not sent after all; stored in the ledger and shown to the reader.
ENDED = N_("the subscription has ended")
NOT_TO_CONFIRM = {
    SignatureState.PENDING: N_("the signature is pending"),
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


class Signer(Protocol):
    """Signs mails in the name of our domain (DKIM)."""

    def sign(self, headers: bytes, body_hash: bytes, *, at: int) -> bytes:
        """The header fields to put before ``headers``; ``at`` is the signature's time, in seconds since 1970."""


@dataclass(frozen=True)
class Post:
    """In whose name mail goes out, and with which signature.

    ``bounces_to`` is the mailbox under which each mail has an envelope sender of its own; None for no such thing.
    """

    vault: Vault
    links: Links
    mail_from: str
    bounces_to: str | None = None
    dkim: Signer | None = None


class Draft(NamedTuple):
    """A mail that is wanted: a frame, and what goes into it for one reader."""

    delivery_id: int
    queued_at: datetime
    owner_id: int
    sealed_address: bytes
    frame: Frame
    kind: DeliveryKind


# A test is for one organizer: it is written at once.
Prepared = Draft | Message


def _rows(kind: DeliveryKind) -> Select[Any]:
    owner: Any = Signature if kind is DeliveryKind.CONFIRMATION else Subscription
    refers = Delivery.signature_id if kind is DeliveryKind.CONFIRMATION else Delivery.subscription_id
    choices = (Subscription.frequency, Subscription.paused)
    own = (Signature.expires_at,) if kind is DeliveryKind.CONFIRMATION else choices
    return (
        select(
            Delivery.id,
            Delivery.petition_id,
            Delivery.edition_id,
            Delivery.queued_at,
            owner.id.label("owner_id"),
            owner.state,
            owner.language,
            owner.sealed_address,
            *own,
            Suppression.reason.label("suppressed"),
        )
        .join(owner, owner.id == refers)
        .outerjoin(Suppression, Suppression.fingerprint == owner.fingerprint)
    )


_CONFIRMATIONS, _DIGESTS = _rows(DeliveryKind.CONFIRMATION), _rows(DeliveryKind.DIGEST)


def _check_wanted(kind: DeliveryKind, row: Row[Any], now: datetime) -> None:
    if kind is DeliveryKind.CONFIRMATION:
        if row.state is not SignatureState.PENDING or not row.sealed_address:
            raise NotWanted(NOT_TO_CONFIRM[row.state])
        if row.expires_at is None or row.expires_at <= now:
            raise NotWanted(N_("the signature has expired"))
    else:
        check_subscribed(row.state, row.sealed_address)
    check_suppression(row.suppressed)


def check_subscribed(state: SubscriptionState, sealed_address: bytes | None) -> None:
    """Raises NotWanted where the subscription has ended."""
    if state is not SubscriptionState.ACTIVE or not sealed_address:
        raise NotWanted(ENDED)


def check_suppression(reason: SuppressionReason | None) -> None:
    """Raises NotWanted where nothing may be sent to the address."""
    if reason is not None:
        raise NotWanted(SUPPRESSED[reason])


class Writer:
    """Writes messages, and keeps the frame of each edition or petition and language for as long as it lives."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._domain = post.mail_from.rpartition("@")[2]
        self._frames: dict[tuple[Any, ...], Frame] = {}
        self._offers: dict[int, Offer] = {}

    def list_drafts(
        self, session: Session, kind: DeliveryKind, ids: Sequence[int], *, now: datetime
    ) -> Iterator[tuple[int, Prepared | Exception]]:
        """For each of the deliveries, all of ``kind``, its draft, or why it has none: NotWanted, or our own trouble.

        Consent and suppression are looked at now.
        """
        if kind is DeliveryKind.TEST:
            yield from self._tests(session, ids)
            return
        rows = _CONFIRMATIONS if kind is DeliveryKind.CONFIRMATION else _DIGESTS
        for row in session.execute(rows.where(Delivery.id.in_(ids)).order_by(Delivery.id)):
            try:
                _check_wanted(kind, row, now)
                if kind is DeliveryKind.DIGEST:
                    self._check_choices(session, row)
                frame = self._frame(session, kind, row)
                yield row.id, Draft(row.id, row.queued_at, row.owner_id, row.sealed_address, frame, kind)
            except (NotWanted, *_TROUBLE) as error:
                yield row.id, error

    def _tests(self, session: Session, ids: Sequence[int]) -> Iterator[tuple[int, Prepared | Exception]]:
        for delivery in session.scalars(select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)):
            try:
                yield delivery.id, _write_test(session, self._post, delivery)
            except (NotWanted, *_TROUBLE) as error:
                yield delivery.id, error

    def _check_choices(self, session: Session, row: Row[Any]) -> None:
        offer = self._offers.get(row.edition_id)
        if offer is None:
            petition, edition = session.get_one(Petition, row.petition_id), session.get_one(Edition, row.edition_id)
            offer = self._offers[row.edition_id] = find_offer(session, petition, edition)
        if refusal := find_refusal(offer, row.frequency, paused=row.paused):
            raise NotWanted(refusal)

    def _frame(self, session: Session, kind: DeliveryKind, row: Row[Any]) -> Frame:
        audience = None if kind is DeliveryKind.CONFIRMATION else audience_of(row.frequency)
        key = (row.petition_id, row.edition_id, row.language, audience)
        if key not in self._frames:
            petition = session.get_one(Petition, row.petition_id)
            if audience is None:
                self._frames[key] = self._confirmation_frame(petition, row.language)
            else:
                frozen = session.get_one(EditionText, (row.edition_id, row.language, audience))
                content = Content(frozen.subject, frozen.text, frozen.html)
                self._frames[key] = self._digest_frame(petition, row.language, content)
        return self._frames[key]

    def _confirmation_frame(self, petition: Petition, language: str) -> Frame:
        links = self._post.links
        content = compose(
            "confirmation",
            language,
            subject=petition.texts[language]["confirmation_subject"],
            host=links.host,
            confirm_url=_CONFIRM_MARK,
            code=_CODE_MARK,
        )
        gaps = [
            Gap(_CONFIRM_MARK, "confirm", TOKEN_LENGTH, links.before_token(confirming.PURPOSE)),
            Gap(_CODE_MARK, "code", CODE_LENGTH),
        ]
        return self._make_frame(petition, language, content, gaps, {})

    def _digest_frame(self, petition: Petition, language: str, content: Content) -> Frame:
        links = self._post.links
        gaps = [
            Gap(UNSUBSCRIBE_MARK, "unsubscribe", TOKEN_LENGTH, links.before_token(subscribing.PURPOSE)),
            Gap(PREFERENCES_MARK, "me", TOKEN_LENGTH, links.before_token(preferring.PURPOSE)),
        ]
        return self._make_frame(
            petition,
            language,
            content,
            gaps,
            list_headers(links, self._post.mail_from, petition, language, unsubscribe=UNSUBSCRIBE_MARK),
        )

    def _make_frame(
        self, petition: Petition, language: str, content: Content, gaps: list[Gap], headers: dict[str, str]
    ) -> Frame:
        head = header_fields(
            sender_name=petition.texts[language]["sender"],
            sender=self._post.mail_from,
            recipient=_TO.mark,
            subject=content.subject,
            message_id=_MESSAGE.mark,
            date=_DATE.mark,
            language=language,
            list_headers=headers,
        )
        return Frame(head, content.text, content.html, [_TO, _DATE, _MESSAGE, *gaps])

    def write(self, draft: Prepared) -> Message:
        """The message of a draft. Raises CampaignError where its address cannot be opened."""
        if isinstance(draft, Message):
            return draft
        post, vault, owner = self._post, self._post.vault, draft.owner_id
        address = vault.open(draft.sealed_address, row=f"address:{owner}")
        token = vault.mail_token(draft.delivery_id)
        values = {
            "to": address,
            "date": _date(draft.queued_at),
            "message": f"{token}@{self._domain}".encode(),
        }
        if draft.kind is DeliveryKind.CONFIRMATION:
            values["confirm"] = vault.token(confirming.PURPOSE, owner).encode()
            values["code"] = vault.code(owner).encode()
        else:
            values["unsubscribe"] = vault.token(subscribing.PURPOSE, owner).encode()
            values["me"] = vault.token(preferring.PURPOSE, owner).encode()
        return _fill(post, draft.frame, values, token, draft.queued_at)


def _fill(post: Post, frame: Frame, values: dict[str, bytes], token: str, queued_at: datetime) -> Message:
    head, body = frame.fill(values)
    if post.dkim is not None:
        # The signature's time is the mail's, so that a second attempt has the same bytes.
        head = post.dkim.sign(head, frame.hash_body(body), at=int(queued_at.timestamp())) + head
    return Message(
        sender=envelope_sender(post.bounces_to, token) if post.bounces_to else post.mail_from,
        recipient=values["to"].decode(),
        content=b"".join((head, b"\r\n", body)),
        dotless=True,
    )


def address_message(
    post: Post,
    petition: Petition,
    delivery: Delivery,
    content: Content,
    *,
    language: str,
    address: str,
    headers: dict[str, str] | None,
) -> Message:
    """A message of words that are written for one person, known by ``delivery``."""
    token = post.vault.mail_token(delivery.id)
    head = header_fields(
        sender_name=petition.texts[language]["sender"],
        sender=post.mail_from,
        recipient=address,
        subject=content.subject,
        message_id=f"{token}@{post.mail_from.rpartition('@')[2]}",
        date=format_datetime(delivery.queued_at),
        language=language,
        list_headers=headers,
    )
    return _fill(post, Frame(head, content.text, content.html, ()), {"to": address.encode()}, token, delivery.queued_at)


def _write_test(session: Session, post: Post, delivery: Delivery) -> Message:
    petition = session.get_one(Petition, delivery.petition_id)
    organizer = session.get_one(Organizer, delivery.organizer_id)
    try:
        check_permission(session, organizer.id, petition, Permission.SEND)
    except Forbidden:
        raise NotWanted("the organizer may no longer send the digest") from None
    suppression = find_suppression(session, post.vault.fingerprint(parse_email_address(organizer.email)))
    check_suppression(suppression.reason if suppression else None)
    content = write_test(session, post.links, petition, delivery)
    language = str(delivery.language)
    return address_message(post, petition, delivery, content, language=language, address=organizer.email, headers=None)


def open_reader(session: Session, vault: Vault, subscription: Subscription) -> str:
    """The reader's address. Raises NotWanted where the subscription has ended or the address is suppressed."""
    check_subscribed(subscription.state, subscription.sealed_address)
    assert subscription.fingerprint is not None  # an active subscription has both
    assert subscription.sealed_address is not None
    suppression = find_suppression(session, subscription.fingerprint)
    check_suppression(suppression.reason if suppression else None)
    return vault.open(subscription.sealed_address, row=f"address:{subscription.id}").decode()


def read_digest(session: Session, links: Links, delivery: Delivery, subscription: Subscription) -> Content:
    """The words of the edition that this reader gets, with their links. Raises NotWanted by their choices as of now."""
    edition = session.get_one(Edition, delivery.edition_id)
    offer = find_offer(session, session.get_one(Petition, delivery.petition_id), edition)
    if refusal := find_refusal(offer, subscription.frequency, paused=subscription.paused):
        raise NotWanted(refusal)
    frozen = session.get_one(EditionText, (edition.id, subscription.language, audience_of(subscription.frequency)))

    def fill(text: str) -> str:
        return text.replace(UNSUBSCRIBE_MARK, links.unsubscribe(subscription.id)).replace(
            PREFERENCES_MARK, links.me(subscription.id)
        )

    return Content(subject=frozen.subject, text=fill(frozen.text), html=fill(frozen.html))


def write_message(session: Session, post: Post, delivery: Delivery, *, now: datetime) -> Message:
    """The one message that ``delivery`` owes. Raises NotWanted, and what is wrong where it cannot be written."""
    writer = Writer(post)
    ((_, draft),) = writer.list_drafts(session, delivery.kind, [delivery.id], now=now)
    if isinstance(draft, Exception):
        raise draft
    return writer.write(draft)
