"""Sends by SMTP over several connections at once, and records for each message how far its transmission got."""

import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.connection import Connection
from campaign.mail.smtp.pipeline import Pipeline
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.protocol import Extensions, read_limits
from campaign.mail.smtp.transport import Mails

_DEFAULT_PORTS = {"smtps": 465, "smtp+starttls": 587}


class _Server:
    """The server's address and credentials, and how a connection to it is opened."""

    def __init__(
        self, url: str, *, timeout: float, context: ssl.SSLContext | None, ehlo_name: str | None = None
    ) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._host = parts.hostname or "localhost"
        self._port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._timeout = timeout
        self._ehlo_name = ehlo_name
        # Made once, and only for TLS: reading the machine's certificates takes as long as sending a hundred mails.
        uses_tls = parts.scheme in _DEFAULT_PORTS
        self._context = context or (ssl.create_default_context() if uses_tls else None)

    def connect(self) -> Connection:
        """Open a connection: greeting, TLS and login. Raises OSError and smtplib.SMTPException."""
        server: smtplib.SMTP
        if self._scheme == "smtps":
            server = smtplib.SMTP_SSL(
                self._host, self._port, self._ehlo_name, timeout=self._timeout, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, self._ehlo_name, timeout=self._timeout)
        try:
            assert server.sock is not None  # it is connected
            # SMTP sends many small writes; with Nagle's algorithm each would wait for a delayed acknowledgement.
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.ehlo_or_helo_if_needed()
            if self._scheme == "smtp+starttls":
                server.starttls(context=self._context)
                server.ehlo_or_helo_if_needed()
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        if server.file is not None:
            server.file.close()
        sock, server.sock, server.file = server.sock, None, None
        sock.settimeout(0)
        offered = server.has_extn
        return Connection(
            sock,
            Extensions(
                pipelining=offered("pipelining"),
                size=offered("size"),
                eight_bit=offered("8bitmime"),
                smtputf8=offered("smtputf8"),
                mail_max=read_limits(server.esmtp_features.get("limits", "")),
            ),
        )


class SmtpTransport:
    """Sends by SMTP. Connections stay open from one call of ``deliver`` to the next.

    ``behaviour``: what is known of the server; other transports to the same server may share it.
    """

    def __init__(
        self,
        url: str,
        limits: Limits,
        *,
        context: ssl.SSLContext | None = None,
        behaviour: Behaviour | None = None,
        ehlo_name: str | None = None,
    ) -> None:
        self._server = _Server(url, timeout=limits.silence, context=context, ehlo_name=ehlo_name)
        self._behaviour = behaviour or Behaviour()
        self._limits = limits
        self._kept: list[Connection] = []
        self._opener = ThreadPoolExecutor(limits.connections, thread_name_prefix="smtp-open")

    def deliver(self, mails: Mails) -> None:
        pipeline = Pipeline(
            mails, self._kept, lambda: self._opener.submit(self._server.connect), self._limits, self._behaviour
        )
        try:
            pipeline.run()
        finally:
            self._kept = pipeline.leave()

    def close(self) -> None:
        for connection in self._kept:
            connection.say_goodbye()
        self._kept = []
        self._opener.shutdown(wait=False)
