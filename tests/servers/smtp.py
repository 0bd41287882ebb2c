"""A real SMTP server on loopback that keeps what it receives and answers as a test tells it to."""

import asyncio
import asyncio.trsock
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Received:
    """One message as it came over the wire, with its envelope; ``port`` is the client's, so each connection has one."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    port: int

    @property
    def parsed(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


def port_of(session: Session) -> int:
    """The client's port."""
    peer: Any = session.peer  # aiosmtpd says a text; of TCP it is a pair
    return int(peer[1])


class _Server(Controller):
    """aiosmtpd's server on a socket that is bound before, so that the port is free for certain."""

    def __init__(self, handler: object, listening: socket.socket, *, smtputf8: bool, **options: Any) -> None:
        host, port = listening.getsockname()
        # A name given here keeps aiosmtpd from asking the DNS for ours.
        super().__init__(
            handler,
            hostname=host,
            port=port,
            server_hostname="mailbox.invalid",
            enable_SMTPUTF8=smtputf8,
            **options,
        )
        self._listening = listening

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


class Mailbox:
    """`with Mailbox() as mailbox:` send to `mailbox.url`, then `mailbox.wait_for(1)`.

    `answer_to_rcpt` and `answer_to_data` may return an answer such as `450 4.2.1 Try later`; None accepts.
    They are called in the server's thread. A message is kept only when it was accepted. ``options`` are aiosmtpd's:
    ``ssl_context`` for TLS from the first byte, ``tls_context`` for STARTTLS.
    """

    def __init__(
        self,
        *,
        answer_to_rcpt: Callable[[str], str | None] | None = None,
        answer_to_data: Callable[[Received], str | None] | None = None,
        smtputf8: bool = True,
        pipelining: bool = True,
        **options: Any,
    ) -> None:
        self.answer_to_rcpt = answer_to_rcpt
        self.answer_to_data = answer_to_data
        self._smtputf8 = smtputf8
        self._pipelining = pipelining
        self._options = options
        self._received: list[Received] = []
        self._sockets: list[asyncio.trsock.TransportSocket] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        # Connections inherit it. Otherwise the second of two replies waits for the client's delayed acknowledgement of
        # the first: 40 ms for each mail whose commands came in one packet.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = listening.getsockname()[1]
        self._server = _Server(self, listening, smtputf8=self._smtputf8, **self._options)
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._server.loop).result()
        self._server.stop()

    async def _hang_up(self) -> None:
        """A TLS connection waits for the client's farewell; when the loop ends before, its socket stays open."""
        for sock in self._sockets:
            with suppress(OSError):  # it may be closed
                sock.shutdown(socket.SHUT_RDWR)
        while any(sock.fileno() != -1 for sock in self._sockets):  # noqa: ASYNC110 (a socket that closes tells nobody)
            await asyncio.sleep(0.001)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[Received]:
        """A copy, so that a test can walk it while more mail arrives."""
        with self._changed:
            return list(self._received)

    def wait_for(self, count: int, seconds: float = 10) -> list[Received]:
        """The messages, once there are at least `count`; AssertionError after `seconds`."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self._received) >= count, seconds)
            assert enough, f"{len(self._received)} of {count} messages after {seconds} s"
            return list(self._received)

    # The names of the three methods below are aiosmtpd's.

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if isinstance(server.transport, asyncio.WriteTransport):
            self._sockets.append(server.transport.get_extra_info("socket"))
        # aiosmtpd reads commands one by one from a buffer, so it can pipeline; it just does not say so.
        return [*answers[:-1], "250-PIPELINING", answers[-1]] if self._pipelining else answers

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answer_to_rcpt(address) if self.answer_to_rcpt else None
        if answer is None or answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        received = Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, port_of(session))
        answer = self.answer_to_data(received) if self.answer_to_data else None
        if answer is None or answer.startswith("2"):
            with self._changed:
                self._received.append(received)
                self._changed.notify_all()
        return answer or "250 2.0.0 OK"
