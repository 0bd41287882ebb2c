"""Floods: many posts from one network, at the same time, or with the same words."""

import hmac
import threading
from datetime import date, datetime, timedelta

from campaign.crypto.randomness import random_bytes
from campaign.models import SuspicionKind
from campaign.periods import LET_IN_AFTER_STOP, SAME_COMMENTS, SHORTEST_COMPARED_COMMENT, TOTAL_LIMIT_STOP_FACTOR
from campaign.services.abuse.suspicions import Suspected
from campaign.text.rates import Rate
from campaign.web.limits.counters import Minutes, Pace, Tally, new_group
from campaign.web.limits.disposable_domains import DisposableDomains

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Watch:
    """All counters of one web process. They start empty with the process, and each day with another key."""

    def __init__(
        self,
        *,
        quarantine: Rate | None,
        total: int | None,
        domains: DisposableDomains,
    ) -> None:
        self._lock = threading.Lock()
        self._key = (date.min, b"")
        self._counts_posts = quarantine is not None
        self._sources = Tally(
            quarantine.amount if quarantine else 0,
            quarantine.per if quarantine else _HOUR,
        )
        self._words = Tally(SAME_COMMENTS - 1, _DAY)
        self._first_comers = Tally(LET_IN_AFTER_STOP, _HOUR)
        self._paces: dict[int, Pace] = {}
        self._all = Minutes()
        self._total = total
        self._domains = domains
        self._domain_groups: dict[str, str] = {}

    def look(
        self,
        petition_id: int,
        signature_id: int | None,
        *,
        network: str | None,
        comment: str | None,
        domain: str,
        now: datetime,
    ) -> list[Suspected]:
        """Count an accepted post; the suspicions about it.

        ``network`` is the mark of ``SourceLimit``; ``signature_id`` is None if the address had signed already.
        """
        found = []
        with self._lock:
            self._change_key(now.date())
            self._all.add(now)
            if network is not None and self._total is not None:
                self._first_comers.note(network.encode(), None, now)
            if self._total is not None and self._all.in_all(now) > TOTAL_LIMIT_STOP_FACTOR * self._total:
                found.append(Suspected(SuspicionKind.TOTAL, self._group_of("")))
            if self._counts_posts:
                found += self._look_at_crowd(petition_id, signature_id, network, comment, now)
            if (listed := self._domains.find(domain)) is not None:
                found.append(Suspected(SuspicionKind.DOMAIN, self._group_of(listed)))
        return found

    def _look_at_crowd(
        self, petition_id: int, signature_id: int | None, network: str | None, comment: str | None, now: datetime
    ) -> list[Suspected]:
        found = []
        petition = petition_id.to_bytes(8)
        if network is not None and (same := self._sources.note(petition + network.encode(), signature_id, now)):
            found.append(Suspected(SuspicionKind.SOURCE, *same))
        if (burst := self._paces.setdefault(petition_id, Pace()).note(now)) is not None:
            found.append(Suspected(SuspicionKind.BURST, burst))
        words = normalised(comment or "")
        if len(words) >= SHORTEST_COMPARED_COMMENT:
            key = hmac.digest(self._key[1], petition + words.encode(), "sha256")
            if same := self._words.note(key, signature_id, now):
                found.append(Suspected(SuspicionKind.WORDS, *same))
        return found

    def is_busy(self, now: datetime) -> bool:
        """Whether so many mails were asked for in the last hour that each signature costs a challenge now."""
        if self._total is None:
            return False
        with self._lock:
            return self._all.in_all(now) > self._total

    def is_full(self, network: str | None, now: datetime) -> bool:
        """Whether this network must wait, because five times the total limit was asked for.

        The first two posts of each network in an hour still pass, so that an attacker who reaches the limit silences
        nobody.
        """
        if self._total is None or network is None:
            return False
        with self._lock:
            over = self._all.in_all(now) > TOTAL_LIMIT_STOP_FACTOR * self._total
            return over and self._first_comers.count(network.encode(), now) >= LET_IN_AFTER_STOP

    def _group_of(self, domain: str) -> str:
        return self._domain_groups.setdefault(domain, new_group())

    def _change_key(self, today: date) -> None:
        if self._key[0] != today:
            self._key = (today, random_bytes(32))
            self._words.forget_all()


def normalised(words: str) -> str:
    """The letters and digits of ``words``, in lower case, without what is between them."""
    return "".join(letter for letter in words.casefold() if letter.isalnum())
