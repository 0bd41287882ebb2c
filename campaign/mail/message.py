"""One message as bytes: headers by RFC 5322, text and HTML as multipart/alternative, ready for the wire."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.charset import BASE64, QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr

# Values are ASCII already, or encoded by `_encoded`: no line is folded, so that List-Unsubscribe stays as it is
# (RFC 8058 §3.1; the newer policies of `email` would encode a long one).
_WIRE = compat32.clone(linesep="\r\n", max_line_length=None)


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader sees: the subject, and the same facts and links as text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes with their envelope (RFC 5321): ``sender`` gets what comes back, ``recipient`` gets the message."""

    sender: str
    recipient: str
    content: bytes


def _checked(name: str, value: str) -> str:
    """``value``, unless a control character in it could end the line and begin another header."""
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value):
        raise ValueError(f"The header {name} holds a control character.")
    return value


def _encoded(name: str, value: str) -> str:
    """``value`` as RFC 2047 encoded words of at most 75 characters, or as it is where it is plain ASCII."""
    plain = value.isascii() and "=?" not in value
    return Header(value, "us-ascii" if plain else "utf-8", header_name=name, maxlinelen=75).encode(linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    """``name`` and ``address`` as one mailbox (RFC 5322 §3.4): a plain name is quoted, any other is encoded."""
    plain = name.isascii() and "=?" not in name
    return formataddr((name, address)) if plain else f"{_encoded('From', name)}\r\n <{address}>"


def _part(text: str, subtype: str) -> MIMEText:
    charset = Charset("utf-8")
    if sum(map(str.isascii, text)) * 2 > len(text):
        charset.body_encoding = QP
    else:
        charset.body_encoding = BASE64
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")  # RFC 2045 §6.8: CRLF before base64
    # The stub of MIMEText does not know that it takes a Charset.
    return MIMEText(text, subtype, charset)  # type: ignore[arg-type]


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
    """The message for one recipient.

    ``message_id`` and ``date`` come from the delivery, so that a second attempt is recognised as the same message.
    ``list_headers`` are RFC 2369, 2919 and 8058 headers by name. Raises ValueError for a control character in a header.
    """
    _checked("Message-ID", message_id)
    root = MIMEMultipart("alternative", boundary=f"=_{message_id.partition('@')[0]}")
    headers = {
        "From": _mailbox(_checked("From", sender_name), _checked("From", sender)),
        "To": _checked("To", recipient),
        "Subject": _encoded("Subject", _checked("Subject", content.subject)),
        "Date": format_datetime(date),
        "Message-ID": f"<{message_id}>",
        "Content-Language": _checked("Content-Language", language),
        "Auto-Submitted": "auto-generated",
        **{name: _checked(name, value) for name, value in (list_headers or {}).items()},
    }
    for name, value in headers.items():
        root[name] = value
    root.attach(_part(content.text, "plain"))
    root.attach(_part(content.html, "html"))
    return Message(
        sender=sender, recipient=recipient, content=root.as_bytes(policy=_WIRE).removesuffix(b"\r\n") + b"\r\n"
    )
