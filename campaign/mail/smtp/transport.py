"""What a transport does: take one message, and say what became of it."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from campaign.mail.message import Message


class Outcome(StrEnum):
    """The end of one attempt.

    ``ACCEPTED`` the server took the message over. ``DEFERRED`` it said: later. ``REJECTED`` it said: never.
    ``NOT_TRIED`` the server could not be used for any mail, which is nothing of the recipient's. ``BROKEN_OFF`` it went
    away during this one, before the message was complete: nothing of the recipient's either, but others go first now.
    ``IN_DOUBT`` the connection broke between the final dot and the answer: nobody can know (RFC 1047).
    """

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    NOT_TRIED = "not_tried"
    BROKEN_OFF = "broken_off"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome with its reason: status codes and our own words, never the server's text, which quotes addresses."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: ask again after so many seconds."""

    seconds: float


class Mails(Protocol):
    """What a transport takes messages from, and tells what becomes of each, all in the caller's thread."""

    def next(self) -> tuple[int, Message] | Later | None:
        """The next message with the number it is known by; None where there is no more."""

    def start(self, numbers: Sequence[int]) -> None:
        """The server is about to be given the messages: from now until ``end`` nobody can know where they are.

        Raises OSError where that cannot be noted: then none of them may be given to it.
        """

    def end(self, number: int, answer: Answer) -> None:
        """What became of a message that ``next`` gave out; called once for each."""


class Transport(Protocol):
    """A way out for messages, used by one thread at a time."""

    def deliver(self, mails: Mails) -> None:
        """Hand over messages until there is no more, or until the server cannot be used."""

    def close(self) -> None:
        """Say goodbye to the server, if there is one."""


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

    def end(self, number: int, answer: Answer) -> None:  # noqa: ARG002 (there is one)
        self.answer = answer


def deliver_one(transport: Transport, message: Message) -> Answer:
    """Hand over one message."""
    one = _One(message)
    transport.deliver(one)
    return one.answer


class FileTransport:
    """Keeps every message as a file, so that a newcomer can read mails without having a mail server."""

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
        """Write a whole file, then give it the next free number: several senders share the folder."""
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
