"""The rows of the crash and fault matrix with their specified states: tests hold them, docs/mail.md tells them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.scripted_smtp import BODY, DOT, FALL_SILENT, GREETING, HANG_UP, RESET, Script

SILENCE = 0.3  # seconds that the sender waits for an answer here

KILL_POINTS = {
    "claimed": "the claim is committed, the server has not said a word",
    "connected": "greeting and EHLO are over, before MAIL",
    "MAIL sent": "not answered, on all connections",
    "DATA sent": "not answered, on all connections",
    "before the dot": "half of a mail is written",
    "after the dot": "not answered, on all connections",
    "before record": "answers are read and about to be committed",
    "at random": "after any command, and up to 2 ms later",
}


@dataclass(frozen=True)
class Fault:
    """What happens to four readers' mails: the ledger right after it, and when it is over and their time has come.

    ``script`` makes what the server says on its one connection; None where the test arranges the fault itself.
    """

    name: str
    after: str
    end: str
    script: Callable[[], Script] | None = None

    def __str__(self) -> str:
        return self.name


def once(says: str, *, at: int) -> Callable[[], str]:
    """Answer yes, except for the time ``at``, counted from 1."""
    times = 0

    def answer() -> str:
        nonlocal times
        times += 1
        return says if times == at else "250 2.0.0 OK"

    return answer


def late(says: str = "250 2.0.0 OK") -> Callable[[], str]:
    """Answer within the time, but not soon."""

    def answer() -> str:
        time.sleep(SILENCE / 15)
        return says

    return answer


def at_first(says: str, *, times: int, then: str = "250 2.0.0 OK") -> Callable[[], str]:
    """Say ``says`` to the first so many, as with greylisting, and ``then`` from then on."""
    left = times

    def answer() -> str:
        nonlocal left
        left -= 1
        return says if left >= 0 else then

    return answer


def after(times: int, says: str) -> Callable[[], str]:
    """Say yes to the first so many, and ``says`` from then on."""
    return at_first("250 2.0.0 OK", times=times, then=says)


ALL_QUEUED, ALL_ACCEPTED, ALL_DEFERRED, ALL_REJECTED = "4 queued", "4 accepted", "4 deferred", "4 rejected"
MIDDLE, ONE_WAITS = "2 accepted, 2 queued", "3 accepted, 1 queued"
DOUBT, DOUBT_END = "1 in doubt, 3 queued", "3 accepted, 1 in doubt"

FAULTS = [
    Fault("greeting 421", ALL_QUEUED, ALL_ACCEPTED, lambda: {GREETING: "421 4.3.2 Not now"}),
    Fault("greeting 554", ALL_QUEUED, ALL_ACCEPTED, lambda: {GREETING: "554 5.3.2 Never"}),
    Fault("EHLO refused", ALL_QUEUED, ALL_ACCEPTED, lambda: {"EHLO": "554 5.5.1 No", "HELO": "554 5.5.1 No"}),
    Fault("4xx at MAIL", ALL_QUEUED, ALL_ACCEPTED, lambda: {"MAIL": "451 4.3.0 Later"}),
    Fault("5xx at MAIL", ALL_QUEUED, ALL_ACCEPTED, lambda: {"MAIL": "550 5.7.1 Not you"}),
    Fault("4xx at RCPT", ALL_DEFERRED, ALL_ACCEPTED, lambda: {"RCPT": "450 4.2.1 Later"}),
    Fault("5xx at RCPT", ALL_REJECTED, ALL_REJECTED, lambda: {"RCPT": "550 5.1.1 Nobody"}),
    Fault("4xx at DATA", ALL_DEFERRED, ALL_ACCEPTED, lambda: {"DATA": "451 4.3.0 Later"}),
    Fault("5xx at DATA", ALL_QUEUED, ALL_ACCEPTED, lambda: {"DATA": "554 5.5.1 No"}),
    Fault("4xx at the dot", ALL_DEFERRED, ALL_ACCEPTED, lambda: {DOT: "452 4.3.1 Full"}),
    Fault("5xx at the dot", ALL_DEFERRED, ALL_ACCEPTED, lambda: {DOT: "554 5.7.1 Spam"}),
    Fault("sender refused at RCPT", ALL_QUEUED, ALL_ACCEPTED, lambda: {"RCPT": "553 5.7.1 Sender address rejected"}),
    Fault("quota told at the dot, in the middle", MIDDLE, ALL_ACCEPTED, lambda: {DOT: after(2, "550 5.4.5 Enough")}),
    Fault("greylisting", ALL_DEFERRED, ALL_ACCEPTED, lambda: {"RCPT": at_first("450 4.7.1 Grey", times=4)}),
    Fault("421 at MAIL, in the middle", ALL_ACCEPTED, ALL_ACCEPTED, lambda: {"MAIL": once("421 4.3.2 Bye", at=3)}),
    Fault("421 at RCPT, in the middle", ONE_WAITS, ALL_ACCEPTED, lambda: {"RCPT": once("421 4.3.2 Bye", at=3)}),
    Fault("421 at the dot, in the middle", MIDDLE, ALL_ACCEPTED, lambda: {DOT: once("421 4.3.2 Bye", at=3)}),
    Fault(
        "slow, each answer",
        ALL_ACCEPTED,
        ALL_ACCEPTED,
        lambda: {"MAIL": late(), "RCPT": late(), "DATA": late("354 Go on"), DOT: late()},
    ),
    Fault("stuck at the greeting", ALL_QUEUED, ALL_ACCEPTED, lambda: {GREETING: FALL_SILENT}),
    Fault("stuck at MAIL", ALL_QUEUED, ALL_ACCEPTED, lambda: {"MAIL": FALL_SILENT}),
    Fault("stuck at RCPT", ALL_QUEUED, ALL_ACCEPTED, lambda: {"RCPT": FALL_SILENT}),
    Fault("stuck at DATA", ALL_QUEUED, ALL_ACCEPTED, lambda: {"DATA": FALL_SILENT}),
    Fault("stuck at the dot", DOUBT, DOUBT_END, lambda: {DOT: FALL_SILENT}),
    Fault("hangs up at MAIL", ALL_QUEUED, ALL_ACCEPTED, lambda: {"MAIL": HANG_UP}),
    Fault("reset at RCPT", ALL_QUEUED, ALL_ACCEPTED, lambda: {"RCPT": RESET}),
    Fault("reset at DATA", ALL_QUEUED, ALL_ACCEPTED, lambda: {"DATA": RESET}),
    Fault("reset before the dot came", DOUBT, DOUBT_END, lambda: {BODY: RESET}),
    Fault("reset after the dot", DOUBT, DOUBT_END, lambda: {DOT: RESET}),
]

REFUSED = Fault("connection refused, for an hour", ALL_QUEUED, ALL_ACCEPTED)
STRIPPED = Fault("STARTTLS stripped", ALL_QUEUED, ALL_ACCEPTED)
OTHER_HOST = Fault("certificate of another host", ALL_QUEUED, ALL_ACCEPTED)
UNTRUSTED = Fault("certificate that nobody trusts", ALL_QUEUED, ALL_ACCEPTED)
NO_AUTH = Fault("AUTH refused", ALL_QUEUED, ALL_ACCEPTED)
FULL_DATABASE = Fault("disk full, database", "accepted, sending or queued", "28 accepted")
FULL_JOURNAL_FIRST = Fault("disk full, journal, from the start", ALL_QUEUED, ALL_ACCEPTED)
FULL_JOURNAL = Fault("disk full, journal, in the middle", MIDDLE, ALL_ACCEPTED)
FULL_JOURNAL_CLAIM = Fault("disk full, journal, at the next claim", "16 accepted, 4 queued", "20 accepted")
LOCKED = Fault("database locked before the claim", ALL_QUEUED, ALL_ACCEPTED)
LOCKED_RECORD = Fault("database locked while recording", "4 sending", ALL_ACCEPTED)
FORWARD = Fault("clock jumps an hour forward", ALL_ACCEPTED, ALL_ACCEPTED)
FORWARD_TICK = Fault("clock jumps forward, and a tick comes meanwhile", "4 in doubt", "4 in doubt")
BACK = Fault("clock jumps an hour back", "16 accepted, 4 queued", "20 accepted")

ARRANGED = [
    REFUSED,
    STRIPPED,
    OTHER_HOST,
    UNTRUSTED,
    NO_AUTH,
    FULL_DATABASE,
    FULL_JOURNAL_FIRST,
    FULL_JOURNAL,
    FULL_JOURNAL_CLAIM,
    LOCKED,
    LOCKED_RECORD,
    FORWARD,
    FORWARD_TICK,
    BACK,
]
