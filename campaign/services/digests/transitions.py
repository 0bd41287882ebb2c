"""An edition from its making to its end: approved, started, paused, resumed, held outside its hours, cancelled."""

from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.models import (
    AuditAction,
    AuditDetails,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    Petition,
    Schedule,
)
from campaign.models.edition import EDITION_TRANSITIONS
from campaign.services.audit_log import record
from campaign.services.digests.enqueue import owe_deliveries
from campaign.services.petitions.schedule import is_window_open, next_opening

N_ = str  # marks a sentence for the translators; the page translates it

UNDER_WAY = (EditionState.DRAFT, EditionState.SCHEDULED, EditionState.SENDING, EditionState.PAUSED)
CANCELLED = N_("the edition was cancelled")


def move_edition(edition: Edition, state: EditionState) -> None:
    """The one place where an edition that was made changes its state. Raises NotPossible."""
    if state not in EDITION_TRANSITIONS[edition.state]:
        raise NotPossible(f"Edition {edition.number} is {edition.state}: it cannot be {state} now.")
    edition.state = state


def _in_states(petition_id: int, states: tuple[EditionState, ...]) -> Select[Edition]:
    return select(Edition).where(Edition.petition_id == petition_id, Edition.state.in_(states)).order_by(Edition.id)


def list_under_way(session: Session, petition_id: int, *states: EditionState) -> list[Edition]:
    """The editions that have not come to their end, or are in one of ``states``, oldest first."""
    return list(session.scalars(_in_states(petition_id, states or UNDER_WAY)))


def list_for_change(session: Session, petition_id: int, *states: EditionState) -> list[Edition]:
    """The same, locked until the end of the transaction."""
    return list(session.scalars(_in_states(petition_id, states).with_for_update()))


def find_waiting(session: Session, petition_id: int) -> Edition | None:
    """The edition that somebody or the clock has yet to let go, if there is one; no other is made beside it.

    One that was begun and waits for its window to open again is none: of it a few mails may be left for days.
    """
    return next(
        (
            edition
            for edition in list_under_way(session, petition_id)
            if edition.state in (EditionState.DRAFT, EditionState.PAUSED)
            or (edition.state is EditionState.SCHEDULED and not edition.starts)
        ),
        None,
    )


def get_for_change(session: Session, petition_id: int, number: int) -> Edition:
    """The petition's edition of this number, locked until the end of the transaction. Raises NotFound."""
    found = session.scalars(
        select(Edition)
        .where(Edition.petition_id == petition_id, Edition.number == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is no edition {number} of this petition.")
    return found


def list_steps(edition: Edition, actor: str) -> set[str]:
    """The steps of an edition under way that ``actor`` may take: approve, pause, resume, cancel."""
    return {
        EditionState.DRAFT: {"cancel"} if actor == edition.made_by else {"approve", "cancel"},
        EditionState.SCHEDULED: {"pause", "cancel"},
        EditionState.SENDING: {"pause", "cancel"},
        EditionState.PAUSED: {"resume", "cancel"},
    }[edition.state]


def start_edition(session: Session, edition: Edition, now: datetime) -> None:
    """Begin to send, or go on. The deliveries are owed once, at the first start."""
    move_edition(edition, EditionState.SENDING)
    edition.send_at = None
    if not edition.starts:
        edition.candidates = owe_deliveries(session, session.get_one(Petition, edition.petition_id), edition, now)
    edition.starts += 1


def _release(session: Session, edition: Edition, *, now: datetime, not_before: datetime) -> None:
    """Start the edition if its time has come, else say when that will be."""
    petition = session.get_one(Petition, edition.petition_id)
    schedule = session.get(Schedule, edition.petition_id)
    edition.send_at = next_opening(schedule, petition.timezone, after=max(now, not_before))
    if edition.send_at <= now:
        start_edition(session, edition, now)
    elif edition.state is not EditionState.SCHEDULED:
        move_edition(edition, EditionState.SCHEDULED)


def _after_cool_down(session: Session, edition: Edition, now: datetime) -> datetime:
    schedule = session.get(Schedule, edition.petition_id)
    return now + timedelta(minutes=schedule.cool_down_minutes if schedule else 0)


def release_made(session: Session, edition: Edition, *, now: datetime) -> None:
    """Let an edition go that was just made, unless a second person has to."""
    schedule = session.get(Schedule, edition.petition_id)
    if schedule is None or not schedule.needs_approval:
        _release(session, edition, now=now, not_before=_after_cool_down(session, edition, now))


def approve_edition(session: Session, edition: Edition, actor: str, now: datetime) -> None:
    """Let a draft go, as a second person: raises Forbidden for the one who made it, NotPossible if it is no draft."""
    if edition.state is not EditionState.DRAFT:
        raise NotPossible(f"Edition {edition.number} is {edition.state}: it does not wait for approval.")
    if actor == edition.made_by:
        raise Forbidden(f"You made edition {edition.number}: a second person approves it.")
    edition.approved_by = actor
    _release(session, edition, now=now, not_before=_after_cool_down(session, edition, now))
    record(session, actor, AuditAction.EDITION_APPROVED, edition.petition_id, now=now, edition=edition.number)


def pause_edition(session: Session, edition: Edition, actor: str, now: datetime) -> None:
    """Claim no further mail of it until it is resumed; those claimed already end by their own outcome."""
    move_edition(edition, EditionState.PAUSED)
    record(session, actor, AuditAction.EDITION_PAUSED, edition.petition_id, now=now, edition=edition.number)


def resume_edition(session: Session, edition: Edition, actor: str, now: datetime) -> None:
    """Go on, now or when its time has come."""
    if edition.state is not EditionState.PAUSED:
        raise NotPossible(f"Edition {edition.number} is {edition.state}: it is not paused.")
    edition.reason = None
    _release(session, edition, now=now, not_before=edition.send_at or now)
    record(session, actor, AuditAction.EDITION_RESUMED, edition.petition_id, now=now, edition=edition.number)


def cancel_edition(session: Session, edition: Edition, actor: str, now: datetime) -> None:
    """Send no further mail of it, for good. Its news is told by the next edition."""
    move_edition(edition, EditionState.CANCELLED)
    edition.send_at = None
    _suppress_waiting(session, [edition.id])
    told = select(func.count()).where(
        Delivery.edition_id == edition.id,
        Delivery.kind == DeliveryKind.DIGEST,
        Delivery.state.in_((DeliveryState.ACCEPTED, DeliveryState.SENDING, DeliveryState.IN_DOUBT)),
    )
    sent = session.scalars(told).one()
    details: AuditDetails = {"edition": edition.number, "sent": sent, "readers": edition.candidates}
    record(session, actor, AuditAction.EDITION_CANCELLED, edition.petition_id, now=now, **details)


def _suppress_waiting(session: Session, edition_ids: list[int]) -> None:
    session.execute(
        update(Delivery)
        .where(
            Delivery.edition_id.in_(edition_ids),
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)),
        )
        .values(state=DeliveryState.SUPPRESSED, reason=CANCELLED)
        .execution_options(synchronize_session=False)
    )


def sweep_cancelled(session: Session) -> None:
    """Suppress what came back to the queue after its edition was cancelled: it was being sent at that moment."""
    back = (
        select(Edition.id)
        .join(Delivery, Delivery.edition_id == Edition.id)
        .where(
            Edition.state == EditionState.CANCELLED,
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)),
        )
    )
    if ids := list(session.scalars(back.distinct())):
        _suppress_waiting(session, ids)


def start_due_editions(session: Session, now: datetime) -> list[Edition]:
    """Start the scheduled editions whose time has come; the caller has their mails sent."""
    due = (
        select(Edition)
        .where(Edition.state == EditionState.SCHEDULED, Edition.send_at <= now)
        .with_for_update(skip_locked=True)
    )
    editions = list(session.scalars(due))
    for edition in editions:
        _release(session, edition, now=now, not_before=now)
    return editions


def hold_editions(session: Session, now: datetime) -> None:
    """Put editions whose window has closed back to wait for its next opening, when the clock starts them again."""
    sending = select(Edition).where(Edition.state == EditionState.SENDING).order_by(Edition.id).with_for_update()
    for edition in session.scalars(sending):
        petition = session.get_one(Petition, edition.petition_id)
        opening = next_opening(session.get(Schedule, edition.petition_id), petition.timezone, after=now)
        if opening > now:
            move_edition(edition, EditionState.SCHEDULED)
            edition.send_at = opening


def list_sendable(session: Session, now: datetime) -> list[int]:
    """The ids of the editions that are being sent and whose window is open."""
    sending = (
        select(Edition.id, Petition.timezone, Schedule)
        .join(Petition, Petition.id == Edition.petition_id)
        .outerjoin(Schedule, Schedule.petition_id == Edition.petition_id)
        .where(Edition.state == EditionState.SENDING)
    )
    return [found for found, timezone, schedule in session.execute(sending) if is_window_open(schedule, timezone, now)]


def may_send_now(session: Session, edition_id: int, now: datetime) -> bool:
    """Whether mails of the edition may be claimed: asked at each batch, so that a pause or a cancellation is exact."""
    return edition_id in list_sendable(session, now)
