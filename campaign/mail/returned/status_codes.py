"""Enhanced status codes (RFC 3463, IANA registry): which codes say that an address accepts no mail any more."""

import re

# Codes about the mailbox or its domain that mean: another mail tomorrow will fail too.
GONE = frozenset(
    {
        "5.1.1",  # no such mailbox
        "5.1.2",  # no such domain
        "5.1.3",  # not an address
        "5.1.6",  # moved, without a new address
        "5.1.10",  # the domain declares that it accepts no mail (RFC 7505)
        "5.2.1",  # the mailbox is disabled
        "5.4.4",  # no route: Postfix reports it for a domain without a mail server
    }
)
# The registry has the subjects 0 to 7. A match must not be part of an IP address or a version number, since diagnostics
# often contain them.
_CODE = re.compile(r"(?<![\w.])[245]\.[0-7]\.\d{1,3}(?![\w.]*\d)")


def find_status(text: str) -> str | None:
    """The first enhanced status code in a server's reply or in a status field; None if there is none."""
    found = _CODE.search(text)
    return found[0] if found else None


def is_gone(status: str | None) -> bool:
    """Whether ``status`` says that the address itself accepts no mail any more.

    Every other cause can disappear without the reader: 5.2.2 is a full mailbox; 5.2.3, 5.3.4 and 5.6.x are about this
    message; 5.3.x and 5.4.x are about servers on the way; 5.1.7 and 5.1.8 are about our own address; 5.7.x is about our
    reputation at a server. 5.0.0 and a 550 without an enhanced code tell nothing: servers use them for unknown
    addresses and for spam alike.
    """
    return status in GONE
