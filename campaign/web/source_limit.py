"""How many signatures one network may send, remembered without remembering the network."""

import hmac
from datetime import date
from ipaddress import ip_address, ip_network

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from campaign.tokens import random_bytes

_PREFIX = {4: 24, 6: 56}


class SourceLimit:
    """Counts by a keyed hash of the network; the key lives in memory and changes every day."""

    def __init__(self, limit: RateLimitItem | None) -> None:
        self._limit = limit
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._key = (date.min, b"")

    def allows(self, source: str | None, today: date) -> bool:
        """Count one more signature from the IP address ``source``; False where there were too many."""
        mark = self.mark(source, today)
        return self._limit is None or mark is None or self._limiter.hit(self._limit, mark)

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
