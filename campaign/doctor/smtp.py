"""The doctor checks the mail server: it speaks SMTP like a sender, up to RCPT TO, and sends no mail."""

import smtplib
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from campaign.doctor.check import Check, Colour, green, red, yellow
from campaign.doctor.mail_refusals import MEANINGS, MENDS
from campaign.mail.returned.verp import envelope_sender
from campaign.mail.smtp.refusals import Refusal, judge_refusal

NAME = "Mail server"
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_TOKEN = "a" * 48  # has the length of a mail token, but belongs to no mail


@dataclass(frozen=True)
class _Target:
    """The server and the credentials in CAMPAIGN_SMTP_URL."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def read(cls, url: str) -> "_Target":
        parts = urlsplit(url)
        port = parts.port or {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
        return cls(
            parts.scheme,
            parts.hostname or "localhost",
            port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def host_of(url: str) -> str:
    """The host in CAMPAIGN_SMTP_URL."""
    return _Target.read(url).host


def check_mail_server(
    url: str, *, timeout: float, sender: str, verp: bool, ehlo_name: str, tls: ssl.SSLContext | None = None
) -> list[Check]:
    """Whether the server at ``url`` can be used, how safely, how fast, and for which senders.

    ``sender`` is the envelope sender; with ``verp`` the token of each mail is added to it. ``timeout`` is in seconds.
    The recipient that is asked for is ``sender``: the mailbox of returned mails must exist, and nothing is sent to it.
    """
    target = _Target.read(url)
    context = tls or ssl.create_default_context()
    try:
        server = _connect(target, timeout, context, ehlo_name)
    except ssl.SSLError as error:
        return [_broken_tls(target, error)]
    except (OSError, smtplib.SMTPException) as error:
        return [
            red(
                NAME,
                f"{target} cannot be reached ({_reason(error)}): mails wait.",
                "Check CAMPAIGN_SMTP_URL, the server, and firewalls on the way; many hosting providers close port 25.",
            )
        ]
    with server:
        return [green(NAME, f"{target} answers."), *_talk(server, target, context, sender, verp=verp)]


def _reason(error: Exception) -> str:
    """The reason in our own words, since the server's text may quote addresses."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it says {error.smtp_code}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException) and error.strerror:
        return error.strerror
    return type(error).__name__


def _broken_tls(target: _Target, error: ssl.SSLError) -> Check:
    if isinstance(error, ssl.SSLCertVerificationError):
        return red(
            "Encryption",
            f"The certificate of {target.host} does not prove that it is {target.host} ({error.verify_message}).",
            "Use the name that is in the certificate, or have it renewed. No mail is sent until then.",
        )
    return red(
        "Encryption",
        f"{target} does not speak TLS in a way that we support ({error.reason or type(error).__name__}).",
        "smtps:// is for port 465; for 587 and 25 write smtp+starttls://.",
    )


def _connect(target: _Target, timeout: float, context: ssl.SSLContext, ehlo_name: str) -> smtplib.SMTP:
    server: smtplib.SMTP
    if target.scheme == "smtps":
        server = smtplib.SMTP_SSL(target.host, target.port, ehlo_name, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(target.host, target.port, ehlo_name, timeout=timeout)
    try:
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def _talk(server: smtplib.SMTP, target: _Target, context: ssl.SSLContext, sender: str, *, verp: bool) -> list[Check]:
    checks = []
    try:
        for check in (_encrypt(server, target, context), _log_in(server, target)):
            checks.append(check)
            if check.colour is Colour.RED:
                return checks
        checks.append(_extensions(server))
        checks.append(_sender(server, sender, verp=verp))
    except ssl.SSLError as error:
        checks.append(_broken_tls(target, error))
    except (OSError, smtplib.SMTPException) as error:
        checks.append(red(NAME, f"{target} ended the connection ({_reason(error)}).", "Read the mail server's log."))
    return checks


def _encrypt(server: smtplib.SMTP, target: _Target, context: ssl.SSLContext) -> Check:
    name = "Encryption"
    if target.scheme == "smtps":
        return green(name, "The connection is encrypted, and the certificate is valid.")
    offered = server.has_extn("starttls")
    if target.scheme == "smtp+starttls":
        if not offered:
            return red(
                name,
                f"{target} does not offer STARTTLS, or somebody on the way removes the offer.",
                "Ask the server's operator for a port with TLS (587, or smtps:// on 465). No mail is sent before.",
            )
        server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        return green(name, "The connection is encrypted by STARTTLS, and the certificate is valid.")
    if target.host in LOOPBACK:
        return green(name, "The server is on this machine, so the connection needs no encryption.")
    words = "Mails and the password are sent to it" if target.user else "Mails are sent to it"
    fix = "Write smtp+starttls:// in CAMPAIGN_SMTP_URL." if offered else "Ask its operator for a port with TLS."
    return (red if target.user else yellow)(
        name, f"{words} unencrypted: everybody on the way can read who signed.", fix
    )


def _log_in(server: smtplib.SMTP, target: _Target) -> Check:
    name = "Signing in"
    if not target.user:
        return green(name, "CAMPAIGN_SMTP_URL contains no user; the server must accept our mail without one.")
    try:
        server.login(target.user, target.password)
    except smtplib.SMTPAuthenticationError as error:
        return red(
            name,
            f"The server does not accept the user and password (it says {error.smtp_code}).",
            "Correct them in CAMPAIGN_SMTP_URL; characters like @ : / % are written as %40 %3A %2F %25 there.",
        )
    except smtplib.SMTPNotSupportedError:
        return red(
            name,
            "The server does not offer AUTH here.",
            "Many servers offer it only on an encrypted connection: smtp+starttls:// or smtps://.",
        )
    return green(name, "The server accepts the user and password.")


def _extensions(server: smtplib.SMTP) -> Check:
    name = "What the server can do"
    wanted = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8")
    offered = [word for word in wanted if server.has_extn(word.lower())]
    missing = [word for word in wanted if word not in offered]
    sentence = f"It offers {', '.join(offered) or 'no extension that we use'}"
    if "PIPELINING" in missing:
        return yellow(
            name,
            f"{sentence}, but not PIPELINING: sending takes about twice as long.",
            "No mail is lost; a relay with PIPELINING is faster.",
        )
    return green(name, f"{sentence}{'; not ' + ', '.join(missing) + ', which we can do without' if missing else ''}.")


def _sender(server: smtplib.SMTP, sender: str, *, verp: bool) -> Check:
    name = "Sender"
    address = envelope_sender(sender, _TOKEN) if verp else sender
    shown = address.replace(_TOKEN, "…")
    code, _ = server.mail(address)
    refused = _refusal_at_recipient(server, sender) if code == 250 else None
    server.rset()
    if refused is not None:
        return red(
            name,
            f"The server refuses a recipient for a reason that is ours (it says {refused[0]}): mails wait. "
            f"{MEANINGS[refused[1]]}",
            MENDS[refused[1]],
        )
    if code == 250:
        more = " Whether bounces to this address arrive, only a real bounce can show." if verp else ""
        return green(name, f"The server allows us to send as {shown}.{more}")
    fix = f"Configure the server so that this user may send as {sender}"
    if verp:
        fix += ", and with any text after a +, or set CAMPAIGN_VERP=false"
    return red(name, f"The server does not allow us to send as {shown} (it says {code}): mails wait.", f"{fix}.")


def _refusal_at_recipient(server: smtplib.SMTP, recipient: str) -> tuple[int, Refusal] | None:
    """The code of a refusal of RCPT that is about us, and what it is about; None if the recipient is not refused so.

    Postfix and sendmail check our name in EHLO, the sender and the right to relay only here.
    """
    code, said = server.rcpt(recipient)
    refusal = judge_refusal(code, said.decode("utf-8", "replace")) if code >= 400 else Refusal.UNCLEAR
    return (code, refusal) if refusal.is_ours else None
