"""Doubles of mail servers that cannot run in a test: each says and does exactly what the real one was seen to do.

Recorded from the servers themselves: what EHLO offers, what becomes of commands that come in one read with a final dot,
how many mails a connection takes, and after how many errors it ends.
"""

import socket
import socketserver
import threading
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Self, cast


class BehindDot(Enum):
    """What becomes of the commands that come in one read with a final dot."""

    ANSWERED = auto()
    REFUSED = auto()
    DROPPED = auto()


@dataclass(frozen=True)
class Habits:
    """What a server says and does. ``most_mails``: on one connection; then MAIL gets ``enough``.

    ``most_errors``: so many refused commands since the last mail, then 421. ``ends_at``: commands that end the session.
    """

    offers: tuple[str, ...] = ()
    behind_dot: BehindDot = BehindDot.ANSWERED
    most_mails: int = 1 << 30
    enough: str = ""
    most_errors: int = 1 << 30
    ends_at: tuple[str, ...] = ()


POSTFIX = Habits(
    ("PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"),
    most_errors=20,
)
EXIM = Habits(
    ("SIZE 52428800", "LIMITS MAILMAX=1000 RCPTMAX=50000", "8BITMIME", "PIPELINING", "PIPECONNECT", "CHUNKING", "PRDR"),
    most_mails=1000,
    enough="421 too many messages in this connection",
)
# As 4.96, which does not say its limit.
OLD_EXIM = Habits(EXIM.offers[:1] + EXIM.offers[2:], most_mails=1000, enough=EXIM.enough)
SENDMAIL = Habits(
    ("ENHANCEDSTATUSCODES", "PIPELINING", "EXPN", "VERB", "8BITMIME", "SIZE", "DSN", "ETRN", "DELIVERBY", "HELP")
)
OPENSMTPD = Habits(
    ("8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 36700160", "DSN", "HELP"),
    most_mails=100,
    enough="452 4.5.3 Too many recipients: Too many messages sent",
)
COURIER = Habits(
    ("XVERP=Courier", "XEXDATA", "XSECURITY=NONE", "PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE", "DSN"),
    behind_dot=BehindDot.DROPPED,
)
HARAKA = Habits(("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 26214400"), behind_dot=BehindDot.REFUSED)
MAILDEV = Habits(("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 52428800"))
MSMTPD = Habits(ends_at=("RSET",))


class _Conversation(socketserver.BaseRequestHandler):
    def setup(self) -> None:
        # Several small answers in a row would each wait for the client.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.double = cast("_Listener", self.server).double
        self.habits = self.double.habits
        self.unread = b""
        self.mails = 0
        self.errors = 0
        self.sender = self.recipient = False

    def handle(self) -> None:
        self._say("220 double.example.org ESMTP")
        with self.double.lock:
            self.double.connections += 1
        while (line := self._read_line()) is not None:
            verb = line.split(b" ")[0].split(b":")[0].upper().decode()
            answer = self._answer(verb, line)
            if answer.startswith(("4", "5")):
                self.errors += 1
                if self.errors >= self.habits.most_errors:
                    answer = "421 4.7.0 Error: too many errors"
            self._say(answer)
            if verb == "QUIT" or verb in self.habits.ends_at or answer.startswith("421"):
                return
            if answer.startswith("354") and not self._take_message():
                return

    def _say(self, answer: str) -> None:
        self.request.sendall(answer.encode() + b"\r\n")

    def _read_line(self) -> bytes | None:
        while b"\r\n" not in self.unread:
            data = self.request.recv(1 << 16)
            if not data:
                return None
            self.unread += data
        line, _, self.unread = self.unread.partition(b"\r\n")
        return bytes(line)

    def _answer(self, verb: str, line: bytes) -> str:
        if verb in self.habits.ends_at:
            return "500 5.5.1 Command not known"
        if verb == "EHLO":
            lines = ["double.example.org", *self.habits.offers]
            return "\r\n".join([*(f"250-{each}" for each in lines[:-1]), f"250 {lines[-1]}"])
        if verb in {"MAIL", "RCPT"}:
            return self._answer_envelope(verb, line)
        if verb == "DATA":
            return "354 End data with <CR><LF>.<CR><LF>" if self.recipient else "554 5.5.1 Error: no valid recipients"
        if verb == "RSET":
            self.sender = self.recipient = False
        return "221 2.0.0 Bye" if verb == "QUIT" else "250 2.0.0 Ok"

    def _answer_envelope(self, verb: str, line: bytes) -> str:
        refused = ""
        if verb == "MAIL" and self.mails >= self.habits.most_mails:
            refused = self.habits.enough
        elif verb == "MAIL" and self.sender:
            refused = "503 5.5.1 Error: nested MAIL command"
        elif verb == "RCPT":
            refused = self.double.refuse(line) if self.sender else "503 5.5.1 Error: need MAIL command"
        if refused:
            return refused
        self.sender, self.recipient = True, self.recipient or verb == "RCPT"
        return "250 2.0.0 Ok"

    def _take_message(self) -> bool:
        """Take the message, and what came in one read with its final dot."""
        while b"\r\n.\r\n" not in b"\r\n" + self.unread:
            data = self.request.recv(1 << 16)
            if not data:
                return False
            self.unread += data
        content, _, self.unread = (b"\r\n" + self.unread).partition(b"\r\n.\r\n")
        self.sender = self.recipient = False
        self.errors = 0
        self.mails += 1
        with self.double.lock:
            self.double.messages.append(content)
        behind, habits = self.unread, self.habits
        if habits.behind_dot is not BehindDot.ANSWERED:
            self.unread = b""
        self._say("250 2.0.0 Ok: queued")
        if habits.behind_dot is BehindDot.REFUSED:
            for _ in range(behind.count(b"\r\n")):
                self._say("503 Bad sequence of commands - pipelined after end of DATA")
        return True


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 50

    def __init__(self, double: "Double") -> None:
        self.double = double
        super().__init__(("127.0.0.1", 0), _Conversation)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that ends its connection at any time is no error of the server's."""


class Double:
    """`with Double(COURIER) as server:` send to ``server.url``; ``messages`` are those that it took.

    Recipients whose address has ``dead`` in it are refused.
    """

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.lock = threading.Lock()
        self.messages: list[bytes] = []
        self.connections = 0

    @staticmethod
    def refuse(line: bytes) -> str:
        return "550 5.1.1 User unknown" if b"dead" in line else ""

    def __enter__(self) -> Self:
        self._listener = _Listener(self)
        self.url = f"smtp://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
