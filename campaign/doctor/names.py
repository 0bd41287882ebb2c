"""DNS look-ups: only the few kinds of records that mail needs."""

from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.name
import dns.resolver
import dns.reversename
from dns.rdatatype import RdataType

SECONDS = 5.0  # for one question, over all servers


class DnsUnreachable(Exception):
    """No DNS server answered, or the server reported a failure; so nothing is known about the name."""


class Names:
    """Asks ``resolver``. If the name or the record does not exist, the result is an empty list.

    Every method raises DnsUnreachable.
    """

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self._resolver = resolver

    @classmethod
    def of_this_machine(cls) -> "Names":
        """Use the DNS servers that this machine is configured with. Raises DnsUnreachable if there are none."""
        try:
            return cls(dns.resolver.Resolver())
        except dns.exception.DNSException as error:
            raise DnsUnreachable(type(error).__name__) from None

    def _ask(self, name: str | dns.name.Name, kind: RdataType) -> list[Any]:
        try:
            return list(self._resolver.resolve(name, kind, lifetime=SECONDS, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnreachable(type(error).__name__) from None

    def texts(self, name: str) -> list[str]:
        """TXT records; the strings of each are joined without spaces (RFC 7208 §3.3, RFC 6376 §3.6.2.2)."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, RdataType.TXT)]

    def addresses(self, name: str) -> list[str]:
        """IPv4 and IPv6 addresses."""
        return [record.address for kind in (RdataType.A, RdataType.AAAA) for record in self._ask(name, kind)]

    def mail_hosts(self, name: str) -> list[str]:
        """MX hosts, the preferred host first. A single ``""`` is the null MX (RFC 7505)."""
        records = sorted(self._ask(name, RdataType.MX), key=lambda record: record.preference)
        return [record.exchange.to_text(omit_final_dot=True).rstrip(".") for record in records]

    def names_of(self, address: str) -> list[str]:
        """The names in the PTR records of an IP address."""
        reverse = dns.reversename.from_address(str(ip_address(address)))
        return [record.target.to_text(omit_final_dot=True) for record in self._ask(reverse, RdataType.PTR)]
