"""Mailboxes for returned mail: a Maildir on this machine, or a mailbox on a server (IMAP, RFC 9051)."""

import imaplib
import logging
import mailbox
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from campaign.errors import CampaignError
from campaign.mail.returned.reports import MAX_BYTES

_log = logging.getLogger(__name__)

IMAP_SECONDS = 30.0


class MailboxUnreachable(CampaignError):
    """The mailbox for returned mail cannot be read now."""


class Mailbox(Protocol):
    """Messages that wait to be read, each identified by a key."""

    def list_keys(self) -> list[str]:
        """The keys of the messages in the mailbox, oldest first as far as the mailbox knows their age."""

    def read(self, key: str) -> bytes | None:
        """The first ``MAX_BYTES`` of a message, since no more is ever looked at; None if it cannot be read."""

    def remove(self, key: str) -> None:
        """Delete a message; it is no error if the message is gone already."""


@contextmanager
def open_mailbox(url: str) -> Iterator[Mailbox]:
    """Open the mailbox at ``maildir:///path`` or ``imaps://user:password@host/NAME``; without a name, INBOX.

    ``imap://`` is encrypted too, by STARTTLS; both check the server's certificate. Raises MailboxUnreachable, also from
    within the block. Its sentence does not contain the URL, because the URL contains a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"maildir", "imap", "imaps"}:
        raise MailboxUnreachable("The mailbox must be given as maildir:///path or imaps://user:password@host/INBOX.")
    try:
        if parts.scheme == "maildir":
            yield _Maildir(unquote(parts.path))
            return
        with _signed_in(parts) as server:
            yield _Imap(server)
    except mailbox.NoSuchMailboxError:
        raise MailboxUnreachable("The given folder contains no mailbox (Maildir).") from None
    except (OSError, imaplib.IMAP4.error, mailbox.Error, UnicodeError) as error:
        raise MailboxUnreachable(
            f"The mailbox for returned mail cannot be read now ({type(error).__name__})."
        ) from None


class _Maildir:
    def __init__(self, path: str) -> None:
        self._maildir = mailbox.Maildir(path, factory=None, create=False)

    def list_keys(self) -> list[str]:
        return sorted(self._maildir.keys())  # a key begins with the time of arrival in seconds

    def read(self, key: str) -> bytes | None:
        try:
            with self._maildir.get_file(key) as file:
                return file.read(MAX_BYTES)
        except (KeyError, FileNotFoundError):  # another program has removed it meanwhile
            return None
        except OSError as error:
            _log.warning("A message in the Maildir for returned mail cannot be read", exc_info=error)
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
        status, _ = server.select(f'"{quoted}"')
        if status != "OK":
            raise imaplib.IMAP4.error("no such mailbox")
        yield server
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


class _Imap:
    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server
        # Only after the sign-in does a server list all its capabilities.
        _, listed = server.capability()
        self._removes_one = b"UIDPLUS" in listed[-1].upper().split()

    def list_keys(self) -> list[str]:
        _, found = self._server.uid("SEARCH", "UNDELETED")
        return found[0].decode("ascii").split() if found and found[0] else []

    def read(self, key: str) -> bytes | None:
        _, found = self._server.uid("FETCH", key, f"(BODY.PEEK[]<0.{MAX_BYTES}>)")
        return next((part[1] for part in found if isinstance(part, tuple)), None)

    def remove(self, key: str) -> None:
        self._server.uid("STORE", key, "+FLAGS.SILENT", r"(\Deleted)")
        if self._removes_one:
            self._server.uid("EXPUNGE", key)
        else:
            self._server.expunge()
