"""The page of a petition's digest: editions under way, and the waiting or next edition as readers will see it."""

from collections import Counter
from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy.orm import Session

from campaign.errors import NotFound
from campaign.models import DeliveryState, Edition, EditionState, Petition, ReaderFrequency
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.archive import Preview, list_public_editions, preview_digest
from campaign.services.digests.content import find_last_edition, find_last_number
from campaign.services.digests.lint_check import Finding, check_next_edition
from campaign.services.digests.send_test import find_last_test
from campaign.services.digests.transitions import find_waiting, list_steps, list_under_way
from campaign.services.petitions.schedule import find_schedule
from campaign.services.subscribers.subscriptions import count_active
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation, reader_language
from campaign.web.core.labels import FREQUENCIES
from campaign.web.core.local_time import local_time

_Accounts = dict[int | None, Counter[DeliveryState]]
_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)


@dataclass(frozen=True)
class UnderWay:
    """An edition, its progress by the ledger, and the steps that this organizer may take."""

    edition: Edition
    accepted: int
    settled: int
    own: bool
    can: set[str]


@dataclass(frozen=True)
class LastSent:
    """The newest edition that was sent, the number of its accepted mails, and the language of its page.

    ``language`` is None if it has no page, because it was for the readers of one mail a month alone.
    """

    edition: Edition
    accepted: int
    language: str | None


def _describe_last_sent(session: Session, petition: Petition, accounts: _Accounts) -> LastSent | None:
    edition = find_last_edition(session, petition.id)
    if edition is None or edition.state is not EditionState.SENT:
        return None
    mine = reader_language().code
    language = mine if mine in petition.languages else petition.languages[0]
    is_shown = any(shown.number == edition.number for shown in list_public_editions(session, petition.id, language))
    return LastSent(edition, accounts[edition.number][DeliveryState.ACCEPTED], language if is_shown else None)


def _describe_under_way(session: Session, petition: Petition, accounts: _Accounts) -> list[UnderWay]:
    """The editions under way, newest first."""
    editions = list_under_way(session, petition.id)
    described = []
    for edition in reversed(editions):
        states = accounts[edition.number]
        settled = states.total() - sum(states[state] for state in _OPEN)
        me = current_organizer().email
        steps = list_steps(edition, me)
        described.append(
            UnderWay(edition, states[DeliveryState.ACCEPTED], settled, own=edition.made_by == me, can=steps)
        )
    return described


def preview_as_asked(session: Session, petition: Petition, language: str) -> Preview:
    """The mail for the sample reader that the address asks for; an empty ``language`` means all. Raises NotFound."""
    if language not in ("", *petition.languages):
        raise NotFound("The digest is not written in this language.")
    frequency = request.args.get("frequency", ReaderFrequency.EACH, type=ReaderFrequency)
    languages = [language] if language else petition.languages
    now = installation().now()
    return preview_digest(session, petition, installation().links, now=now, languages=languages, frequency=frequency)


def _told(finding: Finding) -> str:
    """The problem in the organizer's language, as plain text, since it may quote tags."""
    return reader_language().gettext(finding.problem.sentence) % finding.problem.values


def digest_page(petition: Petition, *, made: int | None = None, skipped: bool = False, refused: str = "") -> str:
    """The page. ``refused`` says why a step was not taken: “made” by somebody else, “late”, or “unsure”."""
    organizer_id = current_organizer().id
    language = request.args.get("language", "")
    with installation().database.snapshots() as session:
        accounts = {account.edition: account.states for account in audit_ledger(session, petition)}
        return render_template(
            "organizers/digest.html",
            petition=petition,
            sample=(sample := preview_as_asked(session, petition, language)),
            news=sample.news,
            sample_language=language,
            frequencies=FREQUENCIES,
            findings=[
                (finding, _told(finding)) for finding in check_next_edition(session, petition, installation().links)
            ],
            readers=count_active(session, petition.id),
            after=find_last_number(session, petition.id) or 0,
            schedule=find_schedule(session, petition.id),
            under_way=_describe_under_way(session, petition, accounts),
            last_sent=_describe_last_sent(session, petition, accounts),
            waiting=find_waiting(session, petition.id),
            last_test=find_last_test(session, petition.id, organizer_id),
            local=local_time(petition),
            made=made,
            skipped=skipped,
            refused=refused,
        )
