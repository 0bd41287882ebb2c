"""How many signatures one network may send, remembered without remembering the network."""

import hmac
import threading
from datetime import date, datetime
from ipaddress import ip_address, ip_network

from campaign.crypto.randomness import random_bytes
from campaign.text.rates import Rate
from campaign.web.limits.counters import Tally

_PREFIX = {4: 24, 6: 56}


class SourceLimit:
    """Counts by a keyed hash of the network; the key lives in memory and changes every day.

    Of very many networks the one unseen for longest is forgotten, which takes a flood from tens of thousands of them;
    such a flood is ``Watch``'s affair.
    """

    def __init__(self, limit: Rate | None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._tally = Tally(limit.amount, limit.per) if limit else None
        self._key = (date.min, b"")

    def allows(self, source: str | None, now: datetime) -> bool:
        """Count one more signature from the IP address ``source``; False, and it counts for none, if it is too many."""
        mark = self.mark(source, now.date())
        if self._limit is None or self._tally is None or mark is None:
            return True
        with self._lock:
            if self._tally.count(mark.encode(), now) >= self._limit.amount:
                return False
            self._tally.note(mark.encode(), None, now)
        return True

    def mark(self, source: str | None, today: date) -> str | None:
        """What the network of ``source`` is known by today; None where nothing is counted, or it has no network."""
        if self._limit is None or source is None:
            return None
        if self._key[0] != today:
            self._key = (today, random_bytes(32))
        try:
            address = ip_address(source)
        except ValueError:
            return None  # a local socket has no address
        # A socket for both families writes IPv4 as ::ffff:192.0.2.1; else all of it would be one network.
        address = getattr(address, "ipv4_mapped", None) or address
        network = ip_network((address, _PREFIX[address.version]), strict=False)
        return hmac.digest(self._key[1], str(network).encode(), "sha256").hex()
