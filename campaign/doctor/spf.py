"""A domain's SPF record (RFC 7208): the number of DNS look-ups it needs, and the addresses it allows to send."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from campaign.doctor.names import Names

MAX_LOOKUPS = 10  # §4.6.4
MAX_VOID = 2
MAX_HOSTS = 10

_TERM = re.compile(
    r"(?P<sign>[-+?~]?)(?P<kind>all|include|a|mx|ptr|ip4|ip6|exists)(?::(?P<value>[^/\s]+|[0-9a-f:.]+))?"
    r"(?P<prefix>(?:/\d{1,3})?(?://\d{1,3})?)",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>\S*)", re.IGNORECASE)
_NEEDS_VALUE = frozenset(("include", "exists", "ip4", "ip6"))


class SpfBroken(Exception):
    """Receivers cannot use the record. ``args[0]`` says why, as a part of a sentence."""


@dataclass
class Spf:
    """The result of evaluating a whole record.

    ``lookups`` and ``void`` count the DNS look-ups, and those among them that find nothing. ``networks`` may send.
    ``rest`` is the qualifier for all other senders (§4.6.2). ``unknown``: the record has a macro, “exists” or “ptr”,
    whose result depends on the single mail.
    """

    record: str
    lookups: int = 0
    void: int = 0
    networks: list[str] = field(default_factory=list)
    rest: str = "?"
    unknown: bool = False

    def allows(self, address: str) -> bool:
        """Whether the record allows the IP address ``address`` to send."""
        asked = ip_address(address)
        return any(asked in ip_network(network, strict=False) for network in self.networks)


def find_record(names: Names, domain: str) -> str | None:
    """The SPF record of ``domain``, None if there is none. Raises SpfBroken if there are two (§4.5)."""
    found = [text for text in names.texts(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if len(found) > 1:
        raise SpfBroken(f"{domain} has {len(found)} SPF records, and only one counts")
    return found[0] if found else None


def evaluate(names: Names, domain: str) -> Spf | None:
    """Evaluate the record of ``domain`` with all that it includes; None if there is no record. Raises SpfBroken."""
    record = find_record(names, domain)
    if record is None:
        return None
    spf = Spf(record)
    _read(names, domain, record, spf, above=())
    return spf


def _read(names: Names, domain: str, record: str, spf: Spf, *, above: tuple[str, ...]) -> None:
    if domain in above:
        raise SpfBroken(f"the record of {domain} includes itself")
    here = (*above, domain)
    redirect = None
    rest = None
    for term in record.split()[1:]:
        if match := _TERM.fullmatch(term):
            kind, sign = match["kind"].lower(), match["sign"] or "+"
            if kind == "all":
                rest = sign
                break  # receivers ignore all terms after “all” (§5.1)
            _read_mechanism(names, domain, match, spf, passes=sign == "+", above=here)
        elif modifier := _MODIFIER.fullmatch(term):
            redirect = modifier["value"] if modifier["name"].lower() == "redirect" else redirect
        else:
            raise SpfBroken(f"the record of {domain} has a part that is not SPF: “{term}”")
    if rest is None and redirect is not None:
        _follow(names, redirect, spf, above=here)
    else:
        spf.rest = rest or "?"


def _read_mechanism(
    names: Names, domain: str, match: re.Match[str], spf: Spf, *, passes: bool, above: tuple[str, ...]
) -> None:
    kind, value, prefix = match["kind"].lower(), match["value"], match["prefix"] or ""
    if kind in _NEEDS_VALUE and not value:
        raise SpfBroken(f"the record of {domain} has “{match[0]}” without a value")
    if kind in ("ip4", "ip6"):
        try:
            network = str(ip_network(value + prefix, strict=False))
        except ValueError:
            raise SpfBroken(f"the record of {domain} has “{match[0]}”, which is no network") from None
        if passes:
            spf.networks.append(network)
        return
    if "%" in (value or "") or kind in ("exists", "ptr"):
        spf.lookups += 1
        spf.unknown = True
    elif kind == "include":
        before = spf.rest
        _follow(names, value, spf, above=above)
        spf.rest = before  # “all” in an included record decides only about the include (§5.2)
    else:
        spf.lookups += 1
        hosts = [value or domain] if kind == "a" else names.mail_hosts(value or domain)
        if len(hosts) > MAX_HOSTS:
            raise SpfBroken(f"{value or domain} has more than {MAX_HOSTS} MX hosts, which “mx” may not look up")
        addresses = [address for host in hosts if host for address in names.addresses(host)]
        spf.void += not addresses
        if passes:
            spf.networks += [_network(address, prefix) for address in addresses]


def _network(address: str, prefix: str) -> str:
    """``address`` with its part of a dual prefix length ``/24//64``: the first for IPv4, the second for IPv6 (§5.6)."""
    four, _, six = prefix.partition("//")
    length = six if ":" in address else four.lstrip("/")
    return f"{address}/{length}" if length else address


def _follow(names: Names, domain: str, spf: Spf, *, above: tuple[str, ...]) -> None:
    spf.lookups += 1
    if spf.lookups > 5 * MAX_LOOKUPS:
        raise SpfBroken("it takes more than 50 look-ups; receivers stop after 10")
    if "%" in domain:
        spf.unknown = True
        return
    record = find_record(names, domain)
    if record is None:
        raise SpfBroken(f"it includes {domain}, which has no SPF record")
    _read(names, domain, record, spf, above=above)
