"""One message as bytes, ready to send: headers by RFC 5322, text and HTML as multipart/alternative."""

import binascii
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.charset import QP, Charset
from email.header import Header
from email.utils import format_datetime, formataddr
from typing import NamedTuple

from campaign.mail.frame import Frame

_WORD = 75 - len("=?utf-8?b??=")  # the characters of base64 in one encoded word (RFC 2047 §2)
_QUOTED = Charset("utf-8")
_QUOTED.header_encoding = QP


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
    """``value`` as RFC 2047 encoded words of at most 75 characters; plain ASCII stays as it is.

    No word but the last has padding: programs on GMime 3.2 join words before they decode them, and show nothing behind
    the first padding.
    """
    if value.isascii() and "=?" not in value:
        return Header(value, "us-ascii", header_name=name, maxlinelen=75).encode(linesep="\r\n")
    words = _unpadded_words(value, first=_WORD - len(f"{name}: "))
    if words is None:
        return Header(value, _QUOTED, header_name=name, maxlinelen=75).encode(linesep="\r\n")
    return "\r\n ".join(f"=?utf-8?b?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in words)


def _unpadded_words(value: str, *, first: int) -> list[bytes] | None:
    """``value`` in UTF-8, cut between letters so that every piece but the last has a multiple of three bytes, which
    base64 writes without padding. None where letters of one and of two bytes alternate so that no cut is possible.

    A piece fits into an encoded word; the first one into ``first`` characters.
    """
    words, word, room, cut = [], b"", first // 4 * 3, 0
    for letter in map(str.encode, value):
        if len(word) + len(letter) > room:
            if not cut:
                return None
            words.append(word[:cut])
            word, room, cut = word[cut:], _WORD // 4 * 3, 0
        word += letter
        if len(word) % 3 == 0:
            cut = len(word)
    return [*words, word]


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
