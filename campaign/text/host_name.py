"""Names of hosts: written for the DNS, and as a mail server introduces itself."""

import re
from ipaddress import IPv6Address, ip_address

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def to_dns(host: str) -> str:
    """The name as the DNS has it (A-labels, RFC 5891). Raises ValueError if it cannot be written so."""
    if host.isascii():
        return host
    try:
        written = host.encode("idna").decode()
        is_same = written.encode().decode("idna") == host
    except UnicodeError:
        is_same = False
    # Python's codec has the rules of 2003, in which ß is ss: such a name would be another site.
    if not is_same:
        raise ValueError("has a name that cannot be written for the DNS; write it in its form xn--…")
    return written


def to_ehlo_name(host: str) -> str:
    """The name or address as it is said in EHLO: an address is a literal such as ``[192.0.2.1]`` (RFC 5321 §4.1.3).

    Raises ValueError if it is neither.
    """
    bare = host.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = re.sub(r"(?i)^IPv6:", "", bare[1:-1])
    try:
        address = ip_address(bare)
    except ValueError:
        pass
    else:
        return f"[IPv6:{address}]" if isinstance(address, IPv6Address) else f"[{address}]"
    name = to_dns(host.strip().lower().removesuffix("."))
    # A name of digits alone would be a mistyped address: no top-level domain is a number.
    if not _NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
        raise ValueError("must be a name such as petition.example.org, or an address such as 192.0.2.1")
    return name
