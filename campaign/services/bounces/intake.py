"""What comes back for a mail: written down with it, and what follows for the reader's address."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from campaign.crypto.vault import Vault
from campaign.errors import LinkUnknown
from campaign.mail.returned.mailboxes import open_mailbox
from campaign.mail.returned.reports import Report, ReportKind, read_report
from campaign.mail.returned.status_codes import find_status, is_gone
from campaign.models import Delivery, Edition, Signature, Subscription, SuppressionReason
from campaign.services.bounces.complaints import weigh_complaints
from campaign.services.signatures.erase import end_subscription
from campaign.services.subscribers.suppressions import suppress

# What is said later about the same mail counts only where it is worse.
_GRAVITY = (ReportKind.TEMPORARY, ReportKind.PERMANENT, ReportKind.COMPLAINT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a message that came back has changed: ``counts`` where it did, ``delivery_id`` where the mail is ours."""

    report: Report
    delivery_id: int | None = None
    counts: bool = False

    def __str__(self) -> str:
        """One line for a log, without any address."""
        said = " ".join(filter(None, (self.report.kind, self.report.status)))
        if self.delivery_id is None:
            return f"{said}; it names no mail that was sent from here, and nothing changes"
        if not self.counts:
            return f"{said}; for mail {self.delivery_id} nothing changes"
        return f"{said}; noted for mail {self.delivery_id}"


def take_back(session: Session, vault: Vault, message: bytes, *, now: datetime) -> Outcome:
    """Read one message that came back, and do what it asks for.

    Permanent: the address is suppressed. Temporary: counted with the subscription. A complaint: suppressed, the
    subscription ended, and the edition's complaints weighed. A mail that this server did not send changes nothing, nor
    does a second report that says nothing worse; a test that an organizer sent themselves is noted, no more.

    The state of the delivery is not looked at: only who was sent the mail knows its token, whatever the ledger has
    written down by now. A bounce can be faster than the worker, or come for a mail in doubt.
    """
    report = read_report(message)
    delivery = _find_delivery(session, vault, report)
    if delivery is None:
        return Outcome(report)
    if report.kind is ReportKind.IGNORED or not _is_worse(report.kind, delivery.returned):
        return Outcome(report, delivery.id)
    delivery.returned = f"{report.kind} {report.status}" if report.status else report.kind.value
    subscription = _find_subscription(session, delivery)
    fingerprint = _find_fingerprint(session, delivery, subscription)
    if fingerprint is not None and report.kind is ReportKind.PERMANENT:
        suppress(session, fingerprint, SuppressionReason.BOUNCED, now=now)
    elif fingerprint is not None and report.kind is ReportKind.COMPLAINT:
        suppress(session, fingerprint, SuppressionReason.COMPLAINED, now=now)
    if subscription is not None and report.kind is ReportKind.TEMPORARY:
        subscription.soft_bounces += 1
    elif subscription is not None and report.kind is ReportKind.COMPLAINT:
        end_subscription(session, subscription, now=now)
    session.flush()
    if report.kind is ReportKind.COMPLAINT and delivery.edition_id is not None and subscription is not None:
        edition = session.get_one(Edition, delivery.edition_id, with_for_update=True)
        weigh_complaints(session, edition, now=now)
    return Outcome(report, delivery.id, counts=True)


def note_refusal(session: Session, delivery: Delivery, status: str | None, *, now: datetime) -> None:
    """Suppress the address where a server's “never” says that it is gone; 5.7.x or a bare 550 does not say that.

    ``status`` is an enhanced status code, or a reason that holds one, as ``recipient: 550 5.1.1``.
    """
    fingerprint = _find_fingerprint(session, delivery, _find_subscription(session, delivery))
    if fingerprint is not None and is_gone(find_status(status or "")):
        suppress(session, fingerprint, SuppressionReason.BOUNCED, now=now)


def read_mailbox(
    sessions: sessionmaker[Session], vault: Vault, url: str, *, now: datetime, most: int | None = None
) -> Counter[ReportKind]:
    """Take back what is in the mailbox at ``url``, ``most`` messages at most, and empty it of them.

    A message is removed when what it says is committed: a crash in between repeats it, which changes nothing. Gives
    how many of each kind there were. Raises MailboxUnreachable; what was read until then is done.
    """
    tally: Counter[ReportKind] = Counter()
    with open_mailbox(url) as mailbox:
        for key in mailbox.list_keys()[:most]:
            message = mailbox.read(key)
            if message is None:
                continue
            with sessions.begin() as session:
                outcome = take_back(session, vault, message, now=now)
            mailbox.remove(key)
            tally[outcome.report.kind] += 1
    return tally


def _find_delivery(session: Session, vault: Vault, report: Report) -> Delivery | None:
    if report.token is None:
        return None
    try:
        return session.get(Delivery, vault.read_mail_token(report.token), with_for_update=True)
    except LinkUnknown:
        return None


def _is_worse(kind: ReportKind, returned: str | None) -> bool:
    known = ReportKind(returned.split(" ")[0]) if returned else None
    return known is None or _GRAVITY.index(kind) > _GRAVITY.index(known)


def _find_subscription(session: Session, delivery: Delivery) -> Subscription | None:
    if delivery.subscription_id is None:
        return None
    return session.get(Subscription, delivery.subscription_id, with_for_update=True)


def _find_fingerprint(session: Session, delivery: Delivery, subscription: Subscription | None) -> bytes | None:
    """By what the mail's address is recognised; None where the reader has left, or never was one."""
    if subscription is not None:
        return subscription.fingerprint
    signature = session.get(Signature, delivery.signature_id) if delivery.signature_id is not None else None
    return signature.fingerprint if signature is not None else None
