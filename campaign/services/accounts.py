"""The audit of the ledger: what was owed, counted when it was promised, against where each mail is now."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, Petition, PetitionCounter


@dataclass(frozen=True)
class Account:
    """One line of the audit: how many mails an edition owed (None: confirmations), and where each of them is."""

    edition: int | None
    owed: int
    states: Counter[DeliveryState] = field(default_factory=Counter)

    @property
    def balances(self) -> bool:
        return self.owed == self.states.total()


def audit_ledger(session: Session, petition: Petition) -> list[Account]:
    """The petition's accounts: its confirmation mails, then each edition, oldest first.

    What is owed was counted when it was promised, the states are counted now; the two are independent.
    """
    promised = session.scalars(
        select(PetitionCounter.confirmations).where(PetitionCounter.petition_id == petition.id)
    ).one()
    confirmations: Counter[DeliveryState] = Counter()
    for state, count in session.execute(
        select(Delivery.state, func.count())
        .where(
            Delivery.petition_id == petition.id,
            Delivery.edition_id.is_(None),
            Delivery.kind == DeliveryKind.CONFIRMATION,
        )
        .group_by(Delivery.state)
    ):
        confirmations[state] += count
    editions = session.scalars(
        select(Edition).where(Edition.petition_id == petition.id, Edition.number.is_not(None)).order_by(Edition.number)
    ).all()
    counts: dict[int, Counter[DeliveryState]] = {edition.id: Counter() for edition in editions}
    for edition_id, state, count in session.execute(
        select(Delivery.edition_id, Delivery.state, func.count())
        .where(Delivery.edition_id.in_(counts), Delivery.kind == DeliveryKind.DIGEST)
        .group_by(Delivery.edition_id, Delivery.state)
    ):
        assert edition_id is not None  # it is one of those asked for
        counts[edition_id][state] += count
    return [
        Account(None, promised, confirmations),
        *(Account(edition.number, edition.candidates, counts[edition.id]) for edition in editions),
    ]
