"""Checks whether an address can be used unchanged in an SMTP envelope (RFC 5321)."""

import re

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def _is_a_label(label: str) -> bool:
    """Whether ``label`` is a valid DNS label in ASCII; a label that begins with “xn--” must also decode (IDNA)."""
    if not _LABEL.fullmatch(label):
        return False
    try:
        return bool(label.encode("ascii").decode("idna")) if label.lower().startswith("xn--") else True
    except UnicodeError:
        return False


def find_address_problem(address: str) -> str | None:
    """The problem of ``address`` as a sentence with ``%(role)s`` in it; None if there is none."""
    local, at, domain = address.rpartition("@")
    if not at or not local or len(address) > 254 or re.search(r"[\s\x00-\x1f\x7f<>]", address):
        return "The %(role)s is no address like name@example.org."
    if not all(map(_is_a_label, domain.split("."))):
        return "The domain of the %(role)s is not in A-labels; write it as the DNS has it, as xn--…"
    if not local.isascii():
        return "The part before the @ of the %(role)s is not ASCII: only a mail server with SMTPUTF8 can deliver it."
    return None
