"""Mails as they are built, and read back as a mail program reads them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default
from typing import Any

import pytest
from sqlalchemy.orm import Session

from campaign.installation.wiring import Installation
from campaign.mail.message import Content, Message, build_message
from campaign.mail.smtp.transport import Answer, Outcome, Transport
from campaign.models import Delivery, Display
from campaign.services.delivery.eligibility import select_mails
from campaign.services.delivery.envelope import MailIdentity
from campaign.services.delivery.writer import Writer
from tests.scenes.people import list_deliveries, sign

TEXT = Content(subject="Please confirm", text="Hello\n", html="<p>Hello</p>\n")
DATE = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def build(content: Content = TEXT, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "sender_name": "Mailing service",
        "sender": "petition@example.org",
        "recipient": "aigul@example.org",
        "message_id": "abc123@example.org",
        "date": DATE,
        "language": "en",
        **changes,
    }
    return build_message(content, **values)


def parse(message: Message) -> EmailMessage:
    parsed = message_from_bytes(message.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def read(message: Message, name: str) -> str:
    """A header as a mail program shows it (the parser of `default` leaves the folding between encoded words in)."""
    folded = message_from_bytes(message.content, policy=compat32)[name]
    return str(make_header(decode_header(folded.replace("\r\n", ""))))


def header_lines(message: Message) -> list[str]:
    return message.content.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")


def part(message: Message, kind: str) -> str:
    found = next(item for item in parse(message).walk() if item.get_content_type() == kind)
    content = found.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode("utf-8").replace("\r\n", "\n")


LANGUAGES = ("en", "ru", "kk")


def write_message(session: Session, identity: MailIdentity, delivery: Delivery, *, now: datetime) -> Message:
    """The message of ``delivery``. Raises NotEligible, and the error if the message cannot be written."""
    writer = Writer(identity)
    rows = session.execute(select_mails(delivery.kind).where(Delivery.id == delivery.id))
    ((_, draft),) = writer.list_drafts(session, delivery.kind, rows, now=now)
    if isinstance(draft, Exception):
        raise draft
    return writer.write(draft)


def write(installation: Installation, delivery: Delivery, *, later: timedelta = timedelta()) -> Message:
    with installation.database.snapshots() as session:
        return write_message(session, installation.identity, delivery, now=installation.now() + later)


def confirmation(installation: Installation, language: str = "en") -> Message:
    sign(
        installation,
        "aigul@example.org",
        name="Freddy Visible",
        comment="Buy cheap pills",
        place="Spamville",
        country="DE",
        display=Display.NAME,
        language=language,
    )
    return write(installation, list_deliveries(installation)[-1])


IN_EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


class _One:
    """A single message."""

    def __init__(self, message: Message) -> None:
        self._message: Message | None = message
        self.answer = Answer(Outcome.NOT_TRIED)

    def next(self) -> tuple[int, Message] | None:
        message, self._message = self._message, None
        return None if message is None else (0, message)

    def start(self, numbers: Sequence[int]) -> None:
        pass

    def hold(self, number: int, answer: Answer) -> None:
        pass

    def end(self, number: int, answer: Answer) -> None:
        self.answer = answer


def deliver_one(transport: Transport, message: Message) -> Answer:
    """Send one message."""
    one = _One(message)
    transport.deliver(one)
    return one.answer
