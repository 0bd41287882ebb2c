"""What a transport does: take one message, and say what became of it."""

import os
import tempfile
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


class Transport(Protocol):
    """A way out for messages, used by one thread at a time."""

    def send(self, message: Message) -> Answer:
        """Attempt to hand one message over."""

    def close(self) -> None:
        """Say goodbye to the server, if there is one."""


class FileTransport:
    """Keeps every message as a file, so that a newcomer can read mails without having a mail server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> Answer:
        try:
            self._keep(message.content)
        except OSError as error:
            return Answer(Outcome.NOT_TRIED, f"the outbox cannot be written ({type(error).__name__})")
        return Answer(Outcome.ACCEPTED)

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
