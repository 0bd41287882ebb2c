"""Sending by SMTP (RFC 5321), so that for each message it is known how far it got."""

import re
import smtplib
import socket
import ssl
from urllib.parse import unquote, urlsplit

from campaign.mail.message import Message
from campaign.mail.transport import Answer, Outcome

_CLOSING = 421
_DOT_AT_LINE_START = re.compile(rb"(?m)^\.")


class SmtpTransport:
    """One connection, opened when the first message comes and kept for the next."""

    def __init__(self, url: str, *, timeout: float) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._host = parts.hostname or "localhost"
        self._port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._timeout = timeout
        self._server: smtplib.SMTP | None = None

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None:
            return self._server
        tls = ssl.create_default_context()
        server: smtplib.SMTP
        if self._scheme == "smtps":
            server = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=tls)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        try:
            # The final dot is a write of its own; with Nagle's algorithm it would wait for a delayed acknowledgement.
            assert server.sock is not None  # it is connected
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.ehlo_or_helo_if_needed()
            if self._scheme == "smtp+starttls":
                server.starttls(context=tls)
                server.ehlo_or_helo_if_needed()
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        self._server = server
        return server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def send(self, message: Message) -> Answer:
        reused = self._server is not None
        answer = self._attempt(message)
        if reused and self._server is None and answer.outcome is Outcome.NOT_TRIED:
            # A server closes a connection that was idle for minutes, and tells us when we speak next.
            return self._attempt(message)
        return answer

    def _attempt(self, message: Message) -> Answer:
        try:
            server = self._connected()
            options = [f"SIZE={len(message.content)}"] if server.has_extn("size") else []
            code, text = server.mail(message.sender, options)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer(Outcome.NOT_TRIED, f"the mail server cannot be used ({type(error).__name__})")
        if code != 250:
            # A refused sender is our trouble with our server: it concerns every mail, and ends none.
            return Answer(Outcome.NOT_TRIED, self._answer("sender", code, text).reason)
        try:
            answer = self._envelope(server, message)
            if answer is not None:
                return answer
            server.send(_DOT_AT_LINE_START.sub(b"..", message.content))
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer(
                Outcome.BROKEN_OFF, f"the connection broke before the message was complete ({type(error).__name__})"
            )
        try:
            server.send(b".\r\n")
            code, text = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer(Outcome.IN_DOUBT, f"the connection broke before the server's answer ({type(error).__name__})")
        return self._answer("message", code, text)

    def _envelope(self, server: smtplib.SMTP, message: Message) -> Answer | None:
        """Recipient and DATA; None where the server waits for the message."""
        code, text = server.rcpt(message.recipient)
        if code not in (250, 251):
            return self._answer("recipient", code, text)
        code, text = server.docmd("DATA")
        if code != 354:
            return self._answer("DATA", code, text)
        return None

    def _answer(self, what: str, code: int, text: bytes) -> Answer:
        enhanced = text.split(b" ", 1)[0].decode("ascii", "replace")
        said = (
            f"{what}: {code} {enhanced}"
            if enhanced[:2] in ("2.", "4.", "5.") and len(enhanced) < 12
            else f"{what}: {code}"
        )
        if code // 100 == 2:
            return Answer(Outcome.ACCEPTED, said)
        if code == _CLOSING:
            self._drop()
            return Answer(Outcome.BROKEN_OFF, said)
        if self._server is not None:
            try:
                self._server.rset()
            except (OSError, smtplib.SMTPException):
                self._drop()
        return Answer(Outcome.REJECTED if code // 100 == 5 else Outcome.DEFERRED, said)

    def close(self) -> None:
        if self._server is not None:
            try:
                self._server.quit()
            except (OSError, smtplib.SMTPException):
                self._server.close()
            self._server = None
