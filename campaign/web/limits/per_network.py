"""The limit of signatures from one network, counted without storing the network."""

import hmac
import threading
from datetime import date, datetime
from ipaddress import ip_address, ip_network

from campaign.crypto.randomness import random_bytes
from campaign.text.rates import Rate
from campaign.web.limits.counters import Tally

_PREFIX = {4: 24, 6: 56}


class SourceLimit:
    """Counts by a keyed hash of the network; the key is in memory alone and changes every day.

    If there are tens of thousands of networks, the one unseen for longest is forgotten. ``Watch`` notices such a flood.
    """

    def __init__(self, limit: Rate | None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._tally = Tally(limit.amount, limit.per) if limit else None
        self._key = (date.min, b"")

    def allows(self, source: str | None, now: datetime) -> bool:
        """Count a signature from the IP address ``source``; False, without counting it, if there are too many."""
        mark = self.mark(source, now.date())
        if self._limit is None or self._tally is None or mark is None:
            return True
        with self._lock:
            if self._tally.count(mark.encode(), now) >= self._limit.amount:
                return False
            self._tally.note(mark.encode(), None, now)
        return True

    def mark(self, source: str | None, today: date) -> str | None:
        """The name of the network of ``source`` for today; None if nothing is counted or there is no network."""
        if self._limit is None or source is None:
            return None
        if self._key[0] != today:
            self._key = (today, random_bytes(32))
        try:
            address = ip_address(source)
        except ValueError:
            return None  # a local socket has no address
        # A socket for both families writes IPv4 as ::ffff:192.0.2.1. Without this, all of IPv4 would be one network.
        address = getattr(address, "ipv4_mapped", None) or address
        network = ip_network((address, _PREFIX[address.version]), strict=False)
        return hmac.digest(self._key[1], str(network).encode(), "sha256").hex()
