"""A real SMTP server on loopback with TLS from the first byte or by STARTTLS, a certificate of its own, and AUTH."""

import ipaddress
import socket
import ssl
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509  # noqa: TID251 (a server in a test needs a certificate)
from cryptography.hazmat.primitives import hashes, serialization  # noqa: TID251
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: TID251
from cryptography.x509.oid import NameOID  # noqa: TID251


class Certificate:
    """A certificate for ``localhost`` and 127.0.0.1, or for ``name`` alone, kept in ``folder``."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        now = datetime.now(UTC)  # noqa: TID251 (the TLS library compares it with the real clock)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self._certificate, self._key = folder / f"{name}.crt", folder / f"{name}.key"
        self._certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def for_server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        return context

    @property
    def for_client(self) -> ssl.SSLContext:
        """Trusts this certificate, and no other."""
        return ssl.create_default_context(cafile=str(self._certificate))


class _Server(Controller):
    """aiosmtpd's server on a socket that is bound before; STARTTLS with ``tls_context``, TLS with ``ssl_context``."""

    def __init__(self, handler: object, listening: socket.socket, **options: Any) -> None:
        host, port = listening.getsockname()
        super().__init__(handler, hostname=host, port=port, server_hostname="secure.invalid", **options)
        self._listening = listening

    def _create_server(self) -> Awaitable[Any]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


class SecureServer:
    """`with SecureServer(certificate, at_once=False) as server:` speak to `server.port` of localhost.

    ``at_once``: TLS from the first byte, else by STARTTLS. ``refused`` are senders that MAIL FROM does not accept.
    ``mails`` counts the messages that came, ``received`` keeps them, ``senders`` keeps the addresses of MAIL FROM.
    """

    USER, PASSWORD = "us", "p@ss word"

    def __init__(self, certificate: Certificate, *, at_once: bool = False, refused: str = "") -> None:
        self._certificate = certificate
        self._at_once = at_once
        self._refused = refused
        self.senders: list[str] = []
        self.mails = 0
        self.received: list[bytes] = []

    def __enter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        # Connections inherit it: no reply waits for the acknowledgement of the one before.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = listening.getsockname()[1]
        way = {"ssl_context" if self._at_once else "tls_context": self._certificate.for_server}
        # aiosmtpd offers AUTH after STARTTLS only unless told otherwise, and does not know that it is inside TLS.
        options = {"authenticator": self._authenticate, "auth_require_tls": not self._at_once, **way}
        self._server = _Server(self, listening, **options)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        right = (data.login, data.password) == (self.USER.encode(), self.PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    # The names of the methods below are aiosmtpd's.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.senders.append(address)
        if self._refused and self._refused in address:
            return "550 5.7.1 Not your address"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails += 1
        self.received.append(envelope.original_content or b"")
        return "250 2.0.0 OK"
