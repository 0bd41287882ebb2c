"""In whose name mail goes out, and how a frame and what fills it become a message with its envelope."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple, Protocol

from campaign.crypto.vault import Vault
from campaign.mail.frame import Frame, Values
from campaign.mail.message import Content, Message, header_fields
from campaign.mail.returned.verp import envelope_sender
from campaign.models import Delivery, Petition
from campaign.services.links import Links


class Signer(Protocol):
    """Signs mails in the name of our domain (DKIM). ``is_slow``: a signature takes longer than all else of a mail."""

    is_slow: bool

    def sign(self, headers: bytes, body_hash: bytes, *, at: int) -> bytes:
        """The header fields to put before ``headers``; ``at`` is the signature's time, in seconds since 1970."""


@dataclass(frozen=True)
class MailIdentity:
    """In whose name mail goes out, and with which signature.

    ``bounces_to`` is the mailbox under which each mail has an envelope sender of its own; None for no such thing.
    """

    vault: Vault
    links: Links
    mail_from: str
    bounces_to: str | None = None
    dkim: Signer | None = None

    @property
    def domain(self) -> str:
        """The domain in whose name mail goes out."""
        return self.mail_from.rpartition("@")[2]


class Moment(NamedTuple):
    """When a mail was queued, as a header's date and in seconds since 1970: its time at every attempt."""

    at: datetime
    date: bytes
    seconds: int

    @classmethod
    def of(cls, at: datetime) -> "Moment":
        return cls(at, format_datetime(at).encode(), int(at.timestamp()))


def fill_frame(identity: MailIdentity, frame: Frame, values: Values, token: str, moment: Moment) -> Message:
    """The message of ``frame`` with ``values`` in it, among them the recipient as ``to``; ``token`` is its name."""
    head, body = frame.fill(values)
    if identity.dkim is not None:
        # The signature's time is the mail's, so that a second attempt has the same bytes.
        head = identity.dkim.sign(head, frame.hash_body(body), at=moment.seconds) + head
    return Message(
        sender=envelope_sender(identity.bounces_to, token) if identity.bounces_to else identity.mail_from,
        recipient=values["to"].decode(),
        content=b"".join([head, b"\r\n", *body]),
        is_encoded=True,
    )


def address_message(
    identity: MailIdentity,
    petition: Petition,
    delivery: Delivery,
    content: Content,
    *,
    language: str,
    address: str,
    headers: dict[str, str] | None,
) -> Message:
    """A message of words that are written for one person, known by ``delivery``."""
    token, moment = identity.vault.mail_token(delivery.id), Moment.of(delivery.queued_at)
    head = header_fields(
        sender_name=petition.texts[language]["sender"],
        sender=identity.mail_from,
        recipient=address,
        subject=content.subject,
        message_id=f"{token}@{identity.domain}",
        date=moment.date.decode(),
        language=language,
        list_headers=headers,
    )
    return fill_frame(identity, Frame(head, content.text, content.html, ()), {"to": address.encode()}, token, moment)
