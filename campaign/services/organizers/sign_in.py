"""Signing in: who the organizer is, how long an attempt waits after failed ones, and what a success changes.

After five failures in a row each further attempt waits, and the person is told for how long. Failures of an account
are counted in the database. Failures under a name without an account are counted in memory, by the same rule.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from campaign.errors import CampaignError
from campaign.models import AuditAction, Organizer
from campaign.periods import FREE_FAILURES, LONGEST_SIGN_IN_WAIT
from campaign.services.audit_log import record
from campaign.text.email_address import comparable_spelling

N_ = str  # marks a sentence for the translators; the page translates it

SOMEBODY = N_("somebody")
_MOST_NAMES = 10_000


class TooSoon(CampaignError):
    """An attempt came before its wait was over, so nothing of it was compared. ``wait`` is the time that is left."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many attempts in a row failed. Please wait.")
        self.wait = wait

    @property
    def seconds(self) -> int:
        """The time that is left, rounded up."""
        return -(-self.wait // timedelta(seconds=1))


def find_organizer(session: Session, email: str) -> Organizer | None:
    """The organizer who signs in with this address, however it is spelled. Text that is no address is nobody's."""
    address = comparable_spelling(email)
    # The database does not compare them: a server may log the values of a statement. Do not store an address typed by
    # someone who is no organizer. There are few organizers.
    return next((each for each in session.scalars(select(Organizer)) if each.email == address), None)


def find_by_session_key(session: Session, session_key: str) -> Organizer | None:
    """The organizer whose sessions carry this key."""
    return session.scalars(select(Organizer).where(Organizer.session_key == session_key)).one_or_none()


def get_account(session: Session, organizer_id: int) -> Organizer:
    """The organizer with this id, to be read. Raises NoResultFound."""
    return session.get_one(Organizer, organizer_id)


def lock_account(session: Session, organizer_id: int) -> Organizer:
    """The organizer with this id, locked for a change until the transaction ends. Raises NoResultFound."""
    return session.get_one(Organizer, organizer_id, with_for_update=True)


def wait_after(failures: int) -> timedelta:
    """How long the next attempt waits after so many failures in a row: 2, 4, 8 seconds … up to a quarter of an hour."""
    doublings = failures - FREE_FAILURES + 1
    return min(timedelta(seconds=2 ** min(doublings, 20)), LONGEST_SIGN_IN_WAIT) if doublings > 0 else timedelta(0)


def _check_wait(failures: int, failed_at: datetime | None, *, now: datetime) -> None:
    if failed_at is not None and (left := failed_at + wait_after(failures) - now) > timedelta(0):
        raise TooSoon(left)


def begin_attempt(session: Session, organizer_id: int, *, known_browser: bool, now: datetime) -> None:
    """Count an attempt to prove to be this organizer as failed, before anything is compared. Raises TooSoon.

    Counting comes first, so that many attempts at the same time are not all taken for the first. A stranger who knows
    only the address can make others wait. A browser in which the organizer has signed in before does not wait (OWASP:
    device cookies).
    """
    organizer = lock_account(session, organizer_id)
    if not known_browser:
        _check_wait(organizer.failed_sign_ins, organizer.failed_at, now=now)
    if organizer.failed_sign_ins >= FREE_FAILURES:
        failures = organizer.failed_sign_ins
        record(
            session, SOMEBODY, AuditAction.SIGN_IN_SLOWED, None, organizer_id=organizer_id, now=now, failures=failures
        )
    organizer.failed_sign_ins += 1
    organizer.failed_at = now


def take_back_attempt(session: Session, organizer_id: int) -> None:
    """The password was right and a second factor is asked for: the attempt is neither a failure nor a success yet."""
    organizer = lock_account(session, organizer_id)
    organizer.failed_sign_ins = max(organizer.failed_sign_ins - 1, 0)


def end_failures(session: Session, organizer_id: int) -> Organizer:
    """An attempt succeeded: the next one does not wait."""
    organizer = lock_account(session, organizer_id)
    organizer.failed_sign_ins, organizer.failed_at = 0, None
    return organizer


def admit(session: Session, organizer_id: int, way: str, *, now: datetime) -> Organizer:
    """End the failures and record that the organizer signed in; ``way`` names what they showed."""
    organizer = end_failures(session, organizer_id)
    record(session, organizer.email, AuditAction.SIGNED_IN, None, organizer_id=organizer_id, now=now, way=way)
    return organizer


def touch_nobody(session: Session) -> None:
    """Write as much for an address without an account as for one with an account: the time of a commit can be seen."""
    somebody = select(func.min(Organizer.id)).scalar_subquery()
    session.execute(update(Organizer).where(Organizer.id == somebody).values(failed_at=Organizer.failed_at))


class FailureTally:
    """Failures in memory, of addresses without an account and of browsers that have signed in before.

    It holds ten thousand names and forgets the one unused for longest, so that an attacker cannot fill the memory.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, tuple[int, datetime]] = OrderedDict()
        self._lock = Lock()

    def begin(self, name: str, *, now: datetime) -> None:
        """Count an attempt under ``name`` as ``begin_attempt`` counts one of an account. Raises TooSoon."""
        with self._lock:
            failures, failed_at = self._use(name)
            _check_wait(failures, failed_at, now=now)
            self._count(name, failures, now)

    def note(self, name: str, *, now: datetime) -> None:
        """Count a failure under ``name``, whatever the wait."""
        with self._lock:
            failures, _ = self._use(name)
            self._count(name, failures, now)

    def _use(self, name: str) -> tuple[int, datetime | None]:
        if (key := _key(name)) in self._counts:
            self._counts.move_to_end(key)
        return self._counts.get(key, (0, None))

    def _count(self, name: str, failures: int, now: datetime) -> None:
        self._counts[_key(name)] = (failures + 1, now)
        if len(self._counts) > _MOST_NAMES:
            self._counts.popitem(last=False)

    def is_worn_out(self, name: str) -> bool:
        """Whether so many attempts failed under ``name`` that it no longer speaks for its owner."""
        with self._lock:
            failures, _ = self._counts.get(_key(name), (0, None))
            return failures >= FREE_FAILURES

    def forget(self, name: str) -> None:
        """An attempt under ``name`` succeeded."""
        with self._lock:
            self._counts.pop(_key(name), None)


def _key(name: str) -> bytes:
    return sha256(name.encode("utf-8", "replace")).digest()
