"""One message as bytes, ready to send: headers by RFC 5322, text and HTML as multipart/alternative."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from typing import NamedTuple

from campaign.mail.frame import Frame


@dataclass(frozen=True, slots=True)
class Content:
    """The visible content of a mail: the subject, and the same facts and links once as text and once as HTML."""

    subject: str
    text: str
    html: str


class Message(NamedTuple):
    """Bytes with their envelope (RFC 5321): bounces go to ``sender``, the message goes to ``recipient``.

    ``is_encoded``: the content is known to be ASCII, and none of its lines begins with a dot.
    """

    sender: str
    recipient: str
    content: bytes
    is_encoded: bool = False


def _checked(name: str, value: str) -> str:
    """Return ``value``. Raises ValueError if it holds a control character, which could end the line and begin another
    header."""
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value):
        raise ValueError(f"The header {name} holds a control character.")
    return value


def _encoded(name: str, value: str) -> str:
    """``value`` as RFC 2047 encoded words of at most 75 characters; plain ASCII stays as it is."""
    plain = value.isascii() and "=?" not in value
    return Header(value, "us-ascii" if plain else "utf-8", header_name=name, maxlinelen=75).encode(linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    """``name`` and ``address`` as one mailbox (RFC 5322 §3.4): an ASCII name is quoted, any other name is encoded."""
    plain = name.isascii() and "=?" not in name
    return formataddr((name, address)) if plain else f"{_encoded('From', name)}\r\n <{address}>"


def header_fields(
    *,
    sender_name: str,
    sender: str,
    recipient: str,
    subject: str,
    message_id: str,
    date: str,
    language: str,
    list_headers: Mapping[str, str] | None = None,
) -> list[tuple[str, str]]:
    """The headers of a message in order, encoded. Raises ValueError if a header holds a control character.

    ``list_headers`` are the headers of RFC 2369, 2919 and 8058 by name. Lines are folded only between encoded words,
    so that List-Unsubscribe stays on one line (RFC 8058 §3.1).
    """
    return [
        ("From", _mailbox(_checked("From", sender_name), _checked("From", sender))),
        ("To", _checked("To", recipient)),
        ("Subject", _encoded("Subject", _checked("Subject", subject))),
        ("Date", _checked("Date", date)),
        ("Message-ID", f"<{_checked('Message-ID', message_id)}>"),
        ("Content-Language", _checked("Content-Language", language)),
        ("Auto-Submitted", "auto-generated"),
        *((name, _checked(name, value)) for name, value in (list_headers or {}).items()),
    ]


def build_message(
    content: Content,
    *,
    sender_name: str,
    sender: str,
    recipient: str,
    message_id: str,
    date: datetime,
    language: str,
    list_headers: Mapping[str, str] | None = None,
) -> Message:
    """Build the message for one recipient. For many recipients use a ``Frame``, which is faster.

    ``message_id`` and ``date`` come from the delivery, so that a second attempt is recognised as the same message.
    Raises ValueError if a header holds a control character.
    """
    head = header_fields(
        sender_name=sender_name,
        sender=sender,
        recipient=recipient,
        subject=content.subject,
        message_id=message_id,
        date=format_datetime(date),
        language=language,
        list_headers=list_headers,
    )
    head_bytes, body = Frame(head, content.text, content.html, ()).fill({})
    return Message(sender=sender, recipient=recipient, content=b"".join([head_bytes, b"\r\n", *body]), is_encoded=True)
