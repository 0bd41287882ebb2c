"""The limit of signatures from one network, counted without storing the network."""

import hmac
import logging
import re
import threading
from datetime import date, datetime
from ipaddress import ip_address, ip_network

from campaign.crypto.randomness import random_bytes
from campaign.text.rates import Rate
from campaign.web.limits.counters import Tally

_PREFIX = {4: 24, 6: 56}
# RFC 7239 §6 allows a port after the address, and some proxies write one into X-Forwarded-For too.
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]+):\d+")
_UNREADABLE = "unreadable"

_log = logging.getLogger(__name__)


class SourceLimit:
    """Counts by a keyed hash of the network; the key is in memory alone and changes every day.

    If there are tens of thousands of networks, the one unseen for longest is forgotten. ``Watch`` notices such a flood.
    """

    def __init__(self, limit: Rate | None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._tally = Tally(limit.amount, limit.per) if limit else None
        self._key = (date.min, b"")
        self._has_warned = False

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
        """The name of the network of ``source`` for today; None if nothing is counted.

        All sources that are no IP address share one network: a source that cannot be read must not escape the limit.
        """
        if self._limit is None:
            return None
        if self._key[0] != today:
            self._key = (today, random_bytes(32))
        network = _network_of(source)
        if network == _UNREADABLE:
            self._warn_once()
        return hmac.digest(self._key[1], network.encode(), "sha256").hex()

    def _warn_once(self) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        # The value is not written: it may be a person's address in an odd spelling.
        _log.warning(
            "A request came from a source that is no IP address. All such requests count as one network. "
            "Check what the proxy writes into X-Forwarded-For, and CAMPAIGN_TRUSTED_PROXIES."
        )


def _network_of(source: str | None) -> str:
    """The /24 or /56 of an address, which may have brackets and a port; else ``_UNREADABLE``."""
    written = (source or "").strip()
    if with_port := _WITH_PORT.fullmatch(written):
        written = with_port[1] or with_port[2] or ""
    try:
        address = ip_address(written.partition("%")[0])
    except ValueError:
        return _UNREADABLE
    # A socket for both families writes IPv4 as ::ffff:192.0.2.1. Without this, all of IPv4 would be one network.
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((address, _PREFIX[address.version]), strict=False))
