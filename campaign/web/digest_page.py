"""The page of a petition's digest: what is under way, and the waiting or the next edition as readers will see it."""

from dataclasses import dataclass

from flask import render_template
from sqlalchemy.orm import Session

from campaign.mail.message import Content
from campaign.models import Audience, DeliveryState, Edition, EditionState, Petition, Schedule
from campaign.services.delivering import audit_ledger
from campaign.services.digesting import UNSUBSCRIBE_MARK, find_last_number, gather_news, preview_digest
from campaign.services.rehearsing import find_last_test
from campaign.services.steering import find_waiting, list_under_way
from campaign.services.subscribing import count_active
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.local_time import local_time

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)


@dataclass(frozen=True)
class UnderWay:
    """An edition, how far it has come by the ledger, and what the organizer who looks at it may do with it."""

    edition: Edition
    accepted: int
    settled: int
    own: bool

    @property
    def can(self) -> set[str]:
        return {
            EditionState.DRAFT: {"cancel"} if self.own else {"approve", "cancel"},
            EditionState.SCHEDULED: {"pause", "cancel"},
            EditionState.SENDING: {"pause", "cancel"},
            EditionState.PAUSED: {"resume", "cancel"},
        }[self.edition.state]


def _describe_under_way(session: Session, petition: Petition) -> list[UnderWay]:
    """Newest first."""
    editions = list_under_way(session, petition.id)
    accounts = {account.edition: account.states for account in audit_ledger(session, petition)} if editions else {}
    described = []
    for edition in reversed(editions):
        states = accounts[edition.number]
        settled = states.total() - sum(states[state] for state in _OPEN)
        own = edition.made_by == current_organizer().email
        described.append(UnderWay(edition, states[DeliveryState.ACCEPTED], settled, own))
    return described


def _without_link(content: Content) -> Content:
    """Each reader's own link is made when the mail is sent; a preview has none to follow."""
    return Content(
        content.subject,
        content.text.replace(UNSUBSCRIBE_MARK, "…"),
        content.html.replace(f'href="{UNSUBSCRIBE_MARK}"', "").replace(UNSUBSCRIBE_MARK, "…"),
    )


def list_contents(session: Session, petition: Petition) -> dict[str, Content]:
    """What readers will see, by language: the waiting edition as it is frozen, else the next as it would be now."""
    waiting = find_waiting(session, petition.id)
    if waiting is None:
        contents = preview_digest(session, petition, campaign().links)
    else:
        each = (text for text in waiting.texts if text.audience is Audience.EACH)
        contents = {text.language: Content(text.subject, text.text, text.html) for text in each}
    return {code: _without_link(content) for code, content in contents.items()}


def digest_page(petition: Petition, *, made: int | None = None, skipped: bool = False, refused: str = "") -> str:
    """The page. ``refused`` says which step was not taken: “made” by somebody else, “late”, or “unsure”."""
    organizer_id = current_organizer().id
    with campaign().database.snapshots() as session:
        return render_template(
            "organize/digest.html",
            petition=petition,
            contents=list_contents(session, petition),
            news=gather_news(session, petition),
            readers=count_active(session, petition.id),
            after=find_last_number(session, petition.id) or 0,
            schedule=session.get(Schedule, petition.id),
            under_way=_describe_under_way(session, petition),
            waiting=find_waiting(session, petition.id),
            last_test=find_last_test(session, petition.id, organizer_id),
            local=local_time(petition),
            made=made,
            skipped=skipped,
            refused=refused,
        )
