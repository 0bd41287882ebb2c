"""Steps that a person takes from a page or a command: with one edition, or with the whole digest of a petition."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from campaign.errors import NotPossible
from campaign.models import AuditAction, Edition, EditionState, Petition, Schedule
from campaign.services.audit_log import record
from campaign.services.digests.transitions import (
    Dispatch,
    get_for_change,
    list_for_change,
    list_under_way,
    pause_edition,
    resume_edition,
)

Step = Callable[[Session, Edition, str, datetime], None]


def take_step(session: Session, petition: Petition, number: int, step: Step, *, actor: str, now: datetime) -> Edition:
    """Approve, pause, resume or cancel the edition of this number. Raises NotFound, NotPossible, Forbidden."""
    edition = get_for_change(session, petition.id, number)
    step(session, edition, actor, now)
    return edition


def choose_number(session: Session, petition: Petition, *states: EditionState) -> int:
    """The number of the only unfinished edition, in these states if any are given.

    Raises NotPossible if there is none, or if there are several.
    """
    found = list_under_way(session, petition.id, *states)
    if not found:
        raise NotPossible(f"No edition of this petition is {' or '.join(states) or 'unfinished'}.")
    if len(found) > 1:
        numbers = ", ".join(str(edition.number) for edition in found)
        raise NotPossible(f"The editions {numbers} are unfinished. Choose one with --edition.")
    assert found[0].number is not None  # only skipped runs have none
    return found[0].number


def pause_digest(session: Session, petition: Petition, *, actor: str, now: datetime) -> list[Edition]:
    """Make no edition by schedule until resumed, and pause those that are being sent or wait for their time.

    Returns the editions that were paused.
    """
    session.get_one(Schedule, petition.id).paused = True
    record(session, actor, AuditAction.DIGEST_PAUSED, petition.id, now=now)
    editions = list_for_change(session, petition.id, EditionState.SENDING, EditionState.SCHEDULED)
    for edition in editions:
        pause_edition(session, edition, actor, now)
    return editions


def resume_digest(
    session: Session, petition: Petition, dispatch: Dispatch, *, actor: str, now: datetime
) -> list[Edition]:
    """Make editions by schedule again, missed ones become one, and go on with those that were paused.

    Returns these editions: each is resumed, unless the restore guard paused it again.
    """
    session.get_one(Schedule, petition.id).paused = False
    record(session, actor, AuditAction.DIGEST_RESUMED, petition.id, now=now)
    editions = list_for_change(session, petition.id, EditionState.PAUSED)
    for edition in editions:
        resume_edition(session, edition, actor, now, dispatch)
    return editions
