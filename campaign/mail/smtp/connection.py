"""One SMTP connection (RFC 5321, pipelined by RFC 2920): what is written on it, and what each reply is about.

Of a connection at most one message is between its final dot and the answer; the next one's envelope goes out in the
same write as that dot, so a message costs one round trip.
"""

import re
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from campaign.mail.message import Message
from campaign.mail.smtp.transport import Answer, Outcome

CLOSING = 421  # service not available, closing the channel (RFC 5321 §4.2.3)
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}")
_DOT_AT_LINE_START = re.compile(rb"(?m)^\.")
_FINAL_DOT = b".\r\n"
_READ = 1 << 16
_CODES = {b"250 ": 250, b"354 ": 354}


@dataclass(slots=True)
class Item:
    """A message on its way. ``answered``: the server has spoken of it; ``answer``: why it will not get further."""

    number: int
    message: Message
    domain: str
    answer: Answer | None = None
    answered: bool = False


class Reply(Enum):
    """What the server answers next."""

    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    EMPTY_DOT = auto()  # of a message whose recipient was refused, but not its DATA (RFC 2920 §3.1)
    RSET = auto()


_ENVELOPE = (Reply.MAIL, Reply.RCPT, Reply.DATA)
# After a final dot nothing but one envelope is asked for.
_USUALLY_EXPECTED = (Reply.DOT, *_ENVELOPE)
_USUAL = re.compile(rb"(250 [^\r\n]*)\r?\n(?:250 [^\r\n]*\r?\n){2}354 [^\r\n]*\r?\n")


class ConnectionLost(Exception):
    """The other side is gone, or has been silent for too long."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the server offered (RFC 1870, 2920, 6152, 6531)."""

    pipelining: bool
    size: bool
    eight_bit: bool
    smtputf8: bool


def read_answer(what: str, code: int, line: bytes) -> Answer:
    """The outcome that a reply means; of its words only the enhanced status (RFC 3463), since they quote addresses."""
    return _read_answer(what, code, line[4:16].partition(b" ")[0].rstrip())


@lru_cache(maxsize=256)
def _read_answer(what: str, code: int, word: bytes) -> Answer:
    said = f"{what}: {code} {word.decode()}" if _ENHANCED.fullmatch(word) else f"{what}: {code}"
    if code == CLOSING:
        return Answer(Outcome.BROKEN_OFF, said)
    outcomes = {2: Outcome.ACCEPTED, 5: Outcome.REJECTED}
    return Answer(outcomes.get(code // 100, Outcome.DEFERRED), said)


def _read_code(line: bytes) -> int | None:
    """The code of a reply; None for a line after which more of it come. Raises ConnectionLost for what is no SMTP."""
    code, mark = line[:3], line[3:4]
    if not code.isdigit() or mark not in (b" ", b"-", b"\r", b""):
        raise ConnectionLost("the server does not speak SMTP")
    return None if mark == b"-" else int(code)


class Connection:
    """A connection after its greeting, on a socket that does not block.

    ``handed`` counts the messages whose envelope was written; ``used`` says whether the server has ever answered one;
    ``watched_for_room`` is the pipeline's.
    """

    def __init__(self, sock: socket.socket, extensions: Extensions) -> None:
        self.sock = sock
        self._is_secure = isinstance(sock, ssl.SSLSocket)
        self._extensions = extensions
        self._unread = b""
        self._unwritten = b""
        self._until_dot = 0  # bytes to write until the last final dot is out
        self._todo: deque[tuple[tuple[Reply, ...], Item, bytes]] = deque()
        self._expected: deque[tuple[Reply, Item]] = deque()
        self._needs_reset = False
        self.watched_for_room = False
        self.handed = 0
        self.used = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._expected and not self._todo

    @property
    def wants_to_write(self) -> bool:
        """Whether something is left to write when the socket takes more."""
        return bool(self._unwritten)

    @property
    def items(self) -> list[Item]:
        """The messages under way, in order."""
        found = {item.number: item for _, item in (*self._expected, *((None, item) for _, item, _ in self._todo))}
        return list(found.values())

    def is_dotted(self, item: Item) -> bool:
        """Whether the final dot of ``item`` has left this program."""
        return self._until_dot <= 0 and any(kind is Reply.DOT and it is item for kind, it in self._expected)

    def can_take(self, item: Item) -> bool:
        """Whether the server takes such an address at all (RFC 6531)."""
        return item.message.recipient.isascii() or self._extensions.smtputf8

    def envelope(self, item: Item) -> None:
        """Ask the server to take ``item``; ``flush`` sends it."""
        message, offered = item.message, self._extensions
        self.handed += 1
        options = f" SIZE={len(message.content)}" if offered.size else ""
        options += (
            " BODY=8BITMIME" if offered.eight_bit and not (message.is_encoded or message.content.isascii()) else ""
        )
        options += " SMTPUTF8" if not message.recipient.isascii() else ""
        if self._needs_reset:
            self._todo.append(((Reply.RSET,), item, b"RSET\r\n"))
            self._needs_reset = False
        mail, rcpt = f"MAIL FROM:<{message.sender}>{options}\r\n", f"RCPT TO:<{message.recipient}>\r\n"
        if offered.pipelining:
            self._todo.append((_ENVELOPE, item, f"{mail}{rcpt}DATA\r\n".encode()))
            return
        for kind, command in zip(_ENVELOPE, (mail, rcpt, "DATA\r\n"), strict=True):
            self._todo.append(((kind,), item, command.encode()))

    def content(self, item: Item) -> None:
        """Give the server the message, with its final dot; ``flush`` sends it."""
        content = item.message.content
        if not item.message.is_encoded:
            content = _DOT_AT_LINE_START.sub(b"..", content)
        self._todo.appendleft(((Reply.DOT,), item, content))

    def nothing(self, item: Item) -> None:
        """End a message that has no recipient left."""
        self._todo.appendleft(((Reply.EMPTY_DOT,), item, b".\r\n"))

    def flush(self) -> None:
        """Write what may be written now. Raises ConnectionLost."""
        ready = [self._unwritten] if self._unwritten else []
        while self._todo and (self._extensions.pipelining or not self._expected):
            kinds, item, command = self._todo.popleft()
            for kind in kinds:
                self._expected.append((kind, item))
            ready.append(command)
            if kinds[0] is Reply.DOT:
                ready.append(_FINAL_DOT)
                self._until_dot = sum(map(len, ready))
        if not ready:
            return
        data = b"".join(ready)
        try:
            sent = self.sock.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            self._unwritten = data
            raise ConnectionLost(type(error).__name__) from None
        self._until_dot -= sent
        self._unwritten = data[sent:]

    def read(self) -> None:
        """Take in what has arrived. Raises ConnectionLost; replies that came before are still there."""
        try:
            while True:
                data = self.sock.recv(_READ)
                if not data:
                    raise ConnectionLost("the server hung up")
                self._unread += data
                if len(data) < _READ and not self._is_secure:
                    break
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            raise ConnectionLost(type(error).__name__) from None
        if len(self._unread) > 4 * _READ:
            raise ConnectionLost("the server's answer has no end")

    def replies(self) -> Iterator[tuple[Reply, Item, int, bytes]]:
        """The complete replies, each with what it is about. Raises ConnectionLost for what is no SMTP."""
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            code = _CODES.get(line[:4]) or _read_code(line)
            if code is None:
                continue
            if not self._expected:
                raise ConnectionLost("the server is closing")  # a 421 that nothing asked for
            kind, item = self._expected.popleft()
            yield kind, item, code, line

    def usual_replies(self) -> tuple[Item, bytes, Item] | None:
        """The message that was taken, in which words, and the one that may be sent now: what nearly every read brings.

        None where it brought something else, which ``replies`` tells one by one.
        """
        found = _USUAL.fullmatch(self._unread)
        if found is None or len(self._expected) != len(_USUALLY_EXPECTED) or self._expected[0][0] is not Reply.DOT:
            return None
        taken, following = self._expected[0][1], self._expected[-1][1]
        self._expected.clear()
        self._unread = b""
        return taken, found[1], following

    def cancel(self, item: Item) -> bool:
        """Take back the commands about ``item`` that were not sent yet; whether there were any."""
        kept = [command for command in self._todo if command[1] is not item]
        cancelled = len(kept) < len(self._todo)
        self._todo = deque(kept)
        if cancelled:
            self._needs_reset = True
        return cancelled

    def say_goodbye(self) -> None:
        """QUIT, wait a moment for the answer (RFC 5321 §4.1.1.10), and close."""
        try:
            self.sock.settimeout(2)
            self.sock.sendall(b"QUIT\r\n")
            self.sock.recv(512)
        except OSError:
            pass
        finally:
            self.sock.close()

    def needs_reset(self) -> None:
        """The server is left within a transaction: the next envelope begins with RSET (RFC 5321 §4.1.1.5)."""
        self._needs_reset = True
