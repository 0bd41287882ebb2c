"""Mailboxes in which mail comes back: a Maildir on this machine, or one that a server keeps (IMAP, RFC 9051)."""

import imaplib
import logging
import mailbox
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from campaign.errors import CampaignError
from campaign.mail.returned.reports import MOST_BYTES

_log = logging.getLogger(__name__)

IMAP_SECONDS = 30.0


class MailboxUnreachable(CampaignError):
    """The mailbox of what comes back cannot be read now."""


class Mailbox(Protocol):
    """Messages that wait to be read, each known by a key."""

    def list_keys(self) -> list[str]:
        """The messages that are there, oldest first as far as the mailbox knows."""

    def read(self, key: str) -> bytes | None:
        """The beginning of a message, as much of it as is ever looked at; None where it cannot be had."""

    def remove(self, key: str) -> None:
        """Take a message out; one that is gone already is no error."""


@contextmanager
def open_mailbox(url: str) -> Iterator[Mailbox]:
    """The mailbox at ``maildir:///path`` or ``imaps://user:password@host/NAME``; without a name: INBOX.

    ``imap://`` is encrypted too, by STARTTLS, and both check the server's certificate. Raises MailboxUnreachable, also
    from within the block; its sentence does not hold the URL, in which there is a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"maildir", "imap", "imaps"}:
        raise MailboxUnreachable("A mailbox is named like maildir:///path or imaps://user:password@host/INBOX.")
    try:
        if parts.scheme == "maildir":
            yield _Maildir(unquote(parts.path))
            return
        with _signed_in(parts) as server:
            yield _Imap(server)
    except mailbox.NoSuchMailboxError:
        raise MailboxUnreachable("There is no mailbox (Maildir) in the folder that was named.") from None
    except (OSError, imaplib.IMAP4.error, mailbox.Error, UnicodeError) as error:
        raise MailboxUnreachable(
            f"The mailbox of what comes back cannot be read now ({type(error).__name__})."
        ) from None


class _Maildir:
    def __init__(self, path: str) -> None:
        self._maildir = mailbox.Maildir(path, factory=None, create=False)

    def list_keys(self) -> list[str]:
        return sorted(self._maildir.keys())  # a name begins with the second of its arrival

    def read(self, key: str) -> bytes | None:
        try:
            with self._maildir.get_file(key) as file:
                return file.read(MOST_BYTES)
        except (KeyError, FileNotFoundError):  # somebody else was quicker
            return None
        except OSError as error:
            _log.warning("A message in the Maildir of what comes back cannot be read", exc_info=error)
            return None

    def remove(self, key: str) -> None:
        self._maildir.discard(key)


@contextmanager
def _signed_in(parts: SplitResult) -> Iterator[imaplib.IMAP4]:
    tls, host = ssl.create_default_context(), parts.hostname or ""
    server: imaplib.IMAP4
    if parts.scheme == "imaps":
        server = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=tls, timeout=IMAP_SECONDS)
    else:
        server = imaplib.IMAP4(host, parts.port or 143, timeout=IMAP_SECONDS)
    try:
        if parts.scheme == "imap":
            server.starttls(tls)
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
        name = unquote(parts.path.lstrip("/")) or "INBOX"
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        said, _ = server.select(f'"{quoted}"')
        if said != "OK":
            raise imaplib.IMAP4.error("no such mailbox")
        yield server
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


class _Imap:
    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server
        # What a server can do it says in full to those who have signed in.
        _, said = server.capability()
        self._removes_one = b"UIDPLUS" in said[-1].upper().split()

    def list_keys(self) -> list[str]:
        _, found = self._server.uid("SEARCH", "UNDELETED")
        return found[0].decode("ascii").split() if found and found[0] else []

    def read(self, key: str) -> bytes | None:
        _, found = self._server.uid("FETCH", key, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
        return next((part[1] for part in found if isinstance(part, tuple)), None)

    def remove(self, key: str) -> None:
        self._server.uid("STORE", key, "+FLAGS.SILENT", r"(\Deleted)")
        if self._removes_one:
            self._server.uid("EXPUNGE", key)
        else:
            self._server.expunge()
