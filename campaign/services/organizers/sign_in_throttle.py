"""Failed sign-ins in a row are counted; after the fifth each further attempt has to wait, and is told how long."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from campaign.errors import CampaignError
from campaign.models import Organizer
from campaign.periods import FREE_FAILURES, LONGEST_SIGN_IN_WAIT
from campaign.services.audit_log import record

N_ = str  # marks a sentence for the translators; the page translates it

SOMEBODY = N_("somebody")


class TooSoon(CampaignError):
    """An attempt to sign in that came before its time; nothing of it was looked at. ``wait`` is what is left."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many attempts in a row failed. Please wait.")
        self.wait = wait

    @property
    def seconds(self) -> int:
        """What is left, rounded up."""
        return -(-self.wait // timedelta(seconds=1))


def wait_after(failures: int) -> timedelta:
    """How long the next attempt waits after so many failures in a row: 2, 4, 8 seconds … up to a quarter of an hour."""
    doublings = failures - FREE_FAILURES + 1
    return min(timedelta(seconds=2 ** min(doublings, 20)), LONGEST_SIGN_IN_WAIT) if doublings > 0 else timedelta(0)


def check_wait(failures: int, failed_at: datetime | None, *, now: datetime) -> None:
    """Raise TooSoon where the wait after the last failure is not over."""
    if failed_at is not None and (left := failed_at + wait_after(failures) - now) > timedelta(0):
        raise TooSoon(left)


def begin_attempt(session: Session, organizer_id: int, *, known_browser: bool, now: datetime) -> None:
    """Count an attempt to prove to be this organizer as failed, before anything is compared. Raises TooSoon.

    Counting comes first, so that many attempts at once are not all taken for the first. Whoever knows an address alone
    can make others wait; a browser that has signed in before does not (OWASP: device cookies).
    """
    organizer = session.get_one(Organizer, organizer_id, with_for_update=True)
    if not known_browser:
        check_wait(organizer.failed_sign_ins, organizer.failed_at, now=now)
    if organizer.failed_sign_ins >= FREE_FAILURES:
        failures = organizer.failed_sign_ins
        record(session, SOMEBODY, "sign-in slowed", None, organizer_id=organizer_id, now=now, failures=failures)
    organizer.failed_sign_ins += 1
    organizer.failed_at = now


def take_back_attempt(session: Session, organizer_id: int) -> None:
    """The password was right and a second factor is asked for: neither a failure nor a success yet."""
    organizer = session.get_one(Organizer, organizer_id, with_for_update=True)
    organizer.failed_sign_ins = max(organizer.failed_sign_ins - 1, 0)


def end_failures(session: Session, organizer_id: int) -> Organizer:
    """An attempt succeeded: nobody waits any more."""
    organizer = session.get_one(Organizer, organizer_id, with_for_update=True)
    organizer.failed_sign_ins, organizer.failed_at = 0, None
    return organizer


def admit(session: Session, organizer_id: int, way: str, *, now: datetime) -> Organizer:
    """The organizer has signed in; ``way`` says by what, for the account's trail."""
    organizer = end_failures(session, organizer_id)
    record(session, organizer.email, "signed in", None, organizer_id=organizer_id, now=now, way=way)
    return organizer


def record_change(session: Session, organizer: Organizer, change: str, *, now: datetime, **details: Any) -> None:
    """Note in the account's trail what its owner changed."""
    record(session, organizer.email, change, None, organizer_id=organizer.id, now=now, **details)


def touch_nobody(session: Session) -> None:
    """Write as much for an address that nobody has as for one that somebody has: a commit takes time to be noticed."""
    somebody = select(func.min(Organizer.id)).scalar_subquery()
    session.execute(update(Organizer).where(Organizer.id == somebody).values(failed_at=Organizer.failed_at))
