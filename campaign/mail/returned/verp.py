"""Envelope senders that identify the mail that bounced (VERP): ``bounces+TOKEN@example.org``."""

import re

_TOKEN = re.compile(r"\+([0-9a-f]{48})@", re.IGNORECASE)


def envelope_sender(mailbox: str, token: str) -> str:
    """The envelope sender of one mail, to which its bounces are returned; ``token`` is the vault's mail token."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{token}@{domain}"


def find_token(text: str) -> str | None:
    """The mail token in an address, or in a header with an address; None if there is none."""
    found = _TOKEN.search(text)
    return found[1] if found else None
