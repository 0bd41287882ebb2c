"""The audit of the ledger: what was owed, counted when it was promised, against where each mail is now."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, Petition, PetitionCounter


@dataclass(frozen=True)
class Account:
    """One line of the audit: how many mails of a kind, or of an edition, were owed, and where each of them is."""

    kind: DeliveryKind
    edition: int | None
    owed: int
    states: Counter[DeliveryState] = field(default_factory=Counter)

    @property
    def balances(self) -> bool:
        return self.owed == self.states.total()

    @property
    def waiting(self) -> int:
        """How many of the mails are still to be sent."""
        return sum(count for state, count in self.states.items() if state.is_waiting)


def audit_ledger(session: Session, petition: Petition) -> list[Account]:
    """The petition's accounts: its confirmation mails, lost links where there were any, each edition, oldest first.

    What is owed was counted when it was promised, the states are counted now; the two are independent.
    """
    promised = session.execute(
        select(PetitionCounter.confirmations, PetitionCounter.links).where(PetitionCounter.petition_id == petition.id)
    ).one()
    single = {DeliveryKind.CONFIRMATION: Counter[DeliveryState](), DeliveryKind.LINK: Counter[DeliveryState]()}
    for kind, state, count in session.execute(
        select(Delivery.kind, Delivery.state, func.count())
        .where(Delivery.petition_id == petition.id, Delivery.edition_id.is_(None), Delivery.kind.in_(single))
        .group_by(Delivery.kind, Delivery.state)
    ):
        single[kind][state] += count
    accounts = [Account(kind, None, owed, single[kind]) for kind, owed in zip(single, promised, strict=True)]
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
        *(account for account in accounts if account.kind is not DeliveryKind.LINK or account.owed or account.states),
        *(Account(DeliveryKind.DIGEST, edition.number, edition.candidates, counts[edition.id]) for edition in editions),
    ]
