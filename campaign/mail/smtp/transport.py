"""The interface of a transport: it takes messages and reports the outcome of each; and the transport into files."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from campaign.mail.message import Message
from campaign.mail.smtp.refusals import Refusal


class Outcome(StrEnum):
    """The outcome of one attempt to send.

    - ``ACCEPTED``: the server took the message over.
    - ``DEFERRED``: the server asked to try later.
    - ``REJECTED``: the server will never take it.
    - ``NOT_TRIED``: the server could not be used for any mail. The recipient is not the cause.
    - ``REFUSED_US``: the server refused the message for a reason that is ours. The recipient is not the cause.
    - ``BROKEN_OFF``: the server went away before the message was complete. The recipient is not the cause here either,
      but other messages go first now.
    - ``IN_DOUBT``: the connection broke between the final dot and the reply. Nobody can know whether the server has the
      message (RFC 1047).
    """

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    NOT_TRIED = "not_tried"
    REFUSED_US = "refused_us"
    BROKEN_OFF = "broken_off"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome with its reason: status codes and our own words.

    The server's text is never part of it, since servers quote addresses. ``refusal``: what a refusal is about that is
    ours; it is set for ``REFUSED_US``, and for the messages that were not tried because of one.
    """

    outcome: Outcome
    reason: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """No message may be sent now; ask again after ``seconds``."""

    seconds: float


class Mails(Protocol):
    """The source of messages for a transport. The transport calls it only in the thread of its caller."""

    def next(self) -> tuple[int, Message] | Later | None:
        """The next message and the number that identifies it; None if no message is left."""

    def start(self, numbers: Sequence[int]) -> None:
        """Record that these messages are written next: until ``end``, nobody can know whether the server has them.

        Raises OSError if this cannot be recorded; then the transport must not write any of them.
        """

    def hold(self, number: int, answer: Answer) -> None:
        """Note an answer that stands if this process dies now: ``end`` follows, when it is clear what it means."""

    def end(self, number: int, answer: Answer) -> None:
        """Record the outcome of a message that ``next`` returned; called once for each message."""


class Transport(Protocol):
    """Sends messages; used by one thread at a time."""

    def deliver(self, mails: Mails) -> None:
        """Send messages until no message is left, or until the server cannot be used."""

    def close(self) -> None:
        """Close the connections to the server, if there are any."""


class FileTransport:
    """Writes every message into a file, so that a newcomer can read mails without a mail server."""

    def __init__(self, folder: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._folder = folder
        self._sleep = sleep

    def deliver(self, mails: Mails) -> None:
        while (given := mails.next()) is not None:
            if isinstance(given, Later):
                self._sleep(given.seconds)
                continue
            number, message = given
            try:
                mails.start([number])
                self._keep(message.content)
            except OSError as error:
                mails.end(number, Answer(Outcome.NOT_TRIED, f"the outbox cannot be written ({type(error).__name__})"))
                return
            mails.end(number, Answer(Outcome.ACCEPTED))

    def _keep(self, content: bytes) -> None:
        """Write the whole file first, then give it the next free number, because several senders share the folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            number = 1 + max((int(path.stem) for path in self._folder.glob("[0-9]*.eml")), default=0)
            while True:
                try:
                    os.link(part, self._folder / f"{number:06}.eml")
                    break
                except FileExistsError:
                    number += 1
        finally:
            Path(part).unlink()

    def close(self) -> None:
        pass
