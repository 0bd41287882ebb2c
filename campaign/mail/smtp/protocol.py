"""The words of SMTP: what is sent for a message, what a server offers, and how one reply is read (RFC 5321)."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from campaign.mail.message import Message
from campaign.mail.smtp.refusals import Refusal
from campaign.mail.smtp.transport import Answer, Outcome

CLOSING = 421  # service not available, closing the channel (RFC 5321 §4.2.3)
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}")


@dataclass(slots=True)
class Item:
    """A message in flight.

    ``answered``: the server has replied to its envelope; ``answer``: why it was stopped, with what that is about;
    ``behind_dot``: its envelope was sent in one write with the final dot of the message before; ``refusals_before``:
    the number of refusals that were held when its content was sent.
    """

    number: int
    message: Message
    domain: str
    answer: Answer | None = None
    refusal: Refusal = Refusal.UNCLEAR
    answered: bool = False
    behind_dot: bool = False
    refusals_before: int = 0

    def renew(self) -> None:
        """Forget what happened on a connection: the message is given to another one."""
        self.answer, self.answered, self.behind_dot = None, False, False


class Reply(Enum):
    """The command that a reply answers."""

    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    EMPTY_DOT = auto()  # for a message whose recipient was refused while its DATA was accepted (RFC 2920 §3.1)
    RSET = auto()


class ConnectionLost(Exception):
    """The server closed the connection, sent no SMTP, or did not reply in time."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions that the server offered (RFC 1870, 2920, 6152, 6531, 9422).

    ``mail_max``: the number of mails that it takes on a connection; None if it does not say.
    """

    pipelining: bool
    size: bool
    eight_bit: bool
    smtputf8: bool
    mail_max: int | None = None


def read_limits(parameters: str) -> int | None:
    """MAILMAX among the parameters of LIMITS (RFC 9422): the number of mails on a connection; None if it is not there.

    A value that is no number is as if it were not there.
    """
    found = re.search(r"(?i)(?<!\S)MAILMAX=([1-9]\d{0,5})(?!\S)", parameters)
    return int(found[1]) if found else None


def read_answer(what: str, code: int, line: bytes) -> Answer:
    """The outcome that a reply means; its reason is ``what`` (the command), code, enhanced status (RFC 3463).

    The reply's text is left out, since servers quote addresses in it.
    """
    return _read_answer(what, code, line[4:16].partition(b" ")[0].rstrip())


@lru_cache(maxsize=256)
def _read_answer(what: str, code: int, word: bytes) -> Answer:
    reason = f"{what}: {code} {word.decode()}" if _ENHANCED.fullmatch(word) else f"{what}: {code}"
    if code == CLOSING:
        return Answer(Outcome.BROKEN_OFF, reason)
    outcomes = {2: Outcome.ACCEPTED, 5: Outcome.REJECTED}
    return Answer(outcomes.get(code // 100, Outcome.DEFERRED), reason)


def read_code(line: bytes) -> int | None:
    """The code of a reply; None if further lines of the same reply follow. Raises ConnectionLost if it is no SMTP."""
    code, mark = line[:3], line[3:4]
    if not code.isdigit() or mark not in (b" ", b"-", b"\r", b""):
        raise ConnectionLost("the server does not speak SMTP")
    return None if mark == b"-" else int(code)


def text_of(line: bytes) -> str:
    """The text of a reply, without its code."""
    return line[4:].decode("utf-8", "replace").strip()
