"""Merged mails: the editions that are due for a reader of several petitions are claimed together and sent as one mail.

The ledger keeps a row for each edition. All rows of a mail have the same outcome. Everything else is as for other
mails, in ``claims`` and ``send``.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from campaign.mail.message import Message
from campaign.models import Delivery, DeliveryKind, DeliveryState, Petition, Subscription
from campaign.services.delivery.claims import Batch, Claimer, Sender
from campaign.services.delivery.eligibility import select_due
from campaign.services.delivery.journal import Rows
from campaign.services.delivery.merged_content import write_merged
from campaign.services.delivery.send import send_claimed
from campaign.services.delivery.writer import TROUBLE, Draft, Prepared
from campaign.services.digests.restore_guard import RestoreGuard

# The link that ends all of them contains a token of 33 characters for each, in a header line of at most 998 characters.
MOST_SECTIONS = 20


def send_merged(
    sender: Sender,
    *,
    stopping: Callable[[], bool] = lambda: False,
    most: int | None = None,
    patience: timedelta | None = None,
) -> Counter[DeliveryState]:
    """Send one mail with all due editions to each reader who wants one mail for all petitions, to ``most`` at most.

    Returns how many rows reached which state. Ends if the server cannot be used, or if the next turn is further off
    than ``patience``.
    """
    return send_claimed(sender, _MergedClaimer(sender, most), stopping=stopping, patience=patience)


def _select_due(session: Session, guard: RestoreGuard, now: datetime) -> Select[Any]:
    due = select_due(session, guard, DeliveryKind.DIGEST, now=now, merged=True)
    return due.where(Delivery.state.in_(DeliveryState.waiting()))


def list_readers_due(session: Session, guard: RestoreGuard, *, now: datetime, most: int | None = None) -> list[bytes]:
    """The readers, by fingerprint, who want one mail for all petitions and for whom an edition is due."""
    readers = _select_due(session, guard, now).with_only_columns(Subscription.fingerprint).distinct().limit(most)
    return [fingerprint for fingerprint in session.scalars(readers) if fingerprint is not None]


class _MergedClaimer(Claimer):
    """Claims all due editions of a reader together, as one mail; ``most`` counts mails."""

    # A merged mail is composed in the transaction that claims it, which must not keep others waiting for long.
    most_at_once = 16

    def __init__(self, sender: Sender, most: int | None) -> None:
        super().__init__(sender, Batch(DeliveryKind.DIGEST), most)
        self._readers: dict[int, bytes] = {}

    def _lock_next(self, session: Session, now: datetime, count: int) -> Sequence[Sequence[Any]]:
        guard = self._sender.guard
        readers = list_readers_due(session, guard, now=now, most=count)
        if not readers:
            return []
        # Two workers that come for one reader go one after the other, so that neither takes a part of the mail. The
        # index begins with the petition.
        session.scalars(
            select(Subscription.id)
            .where(Subscription.petition_id.in_(select(Petition.id)), Subscription.fingerprint.in_(readers))
            .order_by(Subscription.id)
            .with_for_update()
        ).all()
        due = (
            _select_due(session, guard, now)
            .add_columns(Subscription.fingerprint)
            .where(Subscription.fingerprint.in_(readers))
            .order_by(Delivery.id)
            .with_for_update(of=Delivery, skip_locked=True)
        )
        sections: Counter[bytes] = Counter()
        rows: list[Sequence[Any]] = []
        self._readers.clear()
        for row in session.connection().execute(due):
            reader = row[-1]
            if sections[reader] < MOST_SECTIONS:
                sections[reader] += 1
                self._readers[row[0]] = reader
                rows.append(row[:-1])
        if self._left is not None:
            self._left -= len(sections)
        return rows

    def _make_drafts(
        self, session: Session, rows: Sequence[Sequence[Any]], now: datetime, tally: Counter[DeliveryState]
    ) -> list[tuple[Rows, Prepared]]:
        """One draft for each reader, of the rows that are eligible."""
        mails: dict[bytes, list[Draft]] = defaultdict(list)
        for number, draft in self._list_eligible(session, rows, now, tally):
            assert isinstance(draft, Draft)  # only tests are written at once
            mails[self._readers[number]].append(draft)
        eligible: list[tuple[Rows, Prepared]] = []
        refused: list[tuple[Rows, Exception]] = []
        for drafts in mails.values():
            ids = tuple(draft.delivery_id for draft in drafts)
            try:
                eligible.append((ids, drafts[0] if len(drafts) == 1 else self._write(session, drafts)))
            except TROUBLE as error:
                refused.append((ids, error))
        self._settle(session, refused, now, tally)
        return eligible

    def _write(self, session: Session, drafts: Sequence[Draft]) -> Message:
        identity = self._sender.identity
        deliveries = [session.get_one(Delivery, draft.delivery_id) for draft in drafts]
        address = identity.vault.open(drafts[0].sealed_address, row=drafts[0].row).decode()
        return write_merged(session, identity, deliveries, address)
