"""Enhanced status codes (RFC 3463, IANA's registry): which of them say that an address takes no mail any more."""

import re

# Those that speak about the mailbox or its domain, and say that another mail tomorrow fares no better.
GONE = frozenset(
    {
        "5.1.1",  # no such mailbox
        "5.1.2",  # no such domain
        "5.1.3",  # not an address
        "5.1.6",  # moved, nobody knows where to
        "5.1.10",  # the domain says that it takes no mail (RFC 7505)
        "5.2.1",  # the mailbox is disabled
        "5.4.4",  # no route: what Postfix says of a domain without any server
    }
)
# The registry has the subjects 0 to 7. Not a part of an IP address or a version, in which diagnostics abound.
_CODE = re.compile(r"(?<![\w.])[245]\.[0-7]\.\d{1,3}(?![\w.]*\d)")


def find_status(text: str) -> str | None:
    """The first enhanced status code in a server's answer or a status field; None where there is none."""
    found = _CODE.search(text)
    return found[0] if found else None


def is_gone(status: str | None) -> bool:
    """Whether ``status`` says that the address itself takes no mail any more.

    Everything else may change without the reader doing anything: 5.2.2 is a full mailbox, 5.2.3, 5.3.4 and 5.6.x are
    about this message, 5.3.x and 5.4.x about servers on the way, 5.1.7 and 5.1.8 about our own address, 5.7.x about
    what a server thinks of us. 5.0.0 and a bare 550 say nothing: servers answer so to strangers and to spam alike.
    """
    return status in GONE
