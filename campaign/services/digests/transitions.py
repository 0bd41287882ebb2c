"""An edition from its making to its end: approved, started, paused, resumed, held outside its hours, cancelled."""

from collections.abc import Callable
from dataclasses import dataclass
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
from campaign.services.audit_log import WORKER, record
from campaign.services.digests.enqueue import enqueue_deliveries
from campaign.services.digests.restore_guard import RestoreGuard, Start
from campaign.services.petitions.schedule import next_opening

N_ = str  # marks a sentence for the translators; the page translates it

UNDER_WAY = (EditionState.DRAFT, EditionState.SCHEDULED, EditionState.SENDING, EditionState.PAUSED)
CANCELLED = N_("the edition was cancelled")
STARTED_BEFORE = N_("one of this number was sent before: was the database restored from a backup?")
COMPLAINTS = N_("too many readers complained")


@dataclass(frozen=True)
class Dispatch:
    """What the start of an edition needs beside the database: the restore guard, and the jobs that send the mails.

    ``enqueue`` adds the jobs of an edition that has just started, in the transaction of the session.
    """

    guard: RestoreGuard
    enqueue: Callable[[Session, Edition], None]


def move_edition(edition: Edition, state: EditionState) -> None:
    """Change the state of an edition; no other code does. Raises NotPossible."""
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


def _start(session: Session, dispatch: Dispatch, edition: Edition, now: datetime) -> None:
    """Begin to send the edition, or go on: no edition is being sent that did not pass here.

    The deliveries are added at the first start. If the restore guard knows this start, the edition is paused instead:
    the two changes of its state are committed together, so that no sender sees the first.
    """
    move_edition(edition, EditionState.SENDING)
    edition.send_at = None
    if not edition.starts:
        petition = session.get_one(Petition, edition.petition_id)
        edition.candidates = enqueue_deliveries(session, petition, edition, now)
    edition.starts += 1
    if dispatch.guard.record_start(session, last_start(session, edition)):
        dispatch.enqueue(session, edition)
    else:
        _pause_restored(session, dispatch.guard, edition, now)


def last_start(session: Session, edition: Edition) -> Start:
    """The latest start of the edition, as the database knows it."""
    assert edition.number is not None  # only a run that was skipped has none
    slug = session.get_one(Petition, edition.petition_id).slug
    return Start(slug, edition.number, edition.made_at, edition.starts)


def _pause_restored(session: Session, guard: RestoreGuard, edition: Edition, now: datetime) -> None:
    """Have a person decide: the restore guard knows more of the edition than the database.

    Its starts continue after those that the guard knows, so that the decision to resume is not asked for twice.
    """
    start = last_start(session, edition)
    edition.starts = max(edition.starts, guard.count_starts(start.slug, start.number))
    move_edition(edition, EditionState.PAUSED)
    edition.reason = STARTED_BEFORE
    record(session, WORKER, AuditAction.EDITION_PAUSED, edition.petition_id, now=now, edition=edition.number)


def _release(session: Session, dispatch: Dispatch, edition: Edition, *, now: datetime, not_before: datetime) -> None:
    """Start the edition if its time has come, else say when that will be."""
    petition = session.get_one(Petition, edition.petition_id)
    schedule = session.get(Schedule, edition.petition_id)
    edition.send_at = next_opening(schedule, petition.timezone, after=max(now, not_before))
    if edition.send_at <= now:
        _start(session, dispatch, edition, now)
    elif edition.state is not EditionState.SCHEDULED:
        move_edition(edition, EditionState.SCHEDULED)


def _after_cool_down(session: Session, edition: Edition, now: datetime) -> datetime:
    schedule = session.get(Schedule, edition.petition_id)
    return now + timedelta(minutes=schedule.cool_down_minutes if schedule else 0)


def release_made(session: Session, dispatch: Dispatch, edition: Edition, *, now: datetime) -> None:
    """Release an edition that was just made, unless a second person must approve it."""
    schedule = session.get(Schedule, edition.petition_id)
    if schedule is None or not schedule.needs_approval:
        _release(session, dispatch, edition, now=now, not_before=_after_cool_down(session, edition, now))


def approve_edition(session: Session, edition: Edition, actor: str, now: datetime, dispatch: Dispatch) -> None:
    """Release a draft, as a second person. Raises NotPossible if it is no draft, Forbidden if the actor made it."""
    if edition.state is not EditionState.DRAFT:
        raise NotPossible(f"Edition {edition.number} is {edition.state}: it does not wait for approval.")
    if actor == edition.made_by:
        raise Forbidden(f"You made edition {edition.number}: a second person approves it.")
    edition.approved_by = actor
    record(session, actor, AuditAction.EDITION_APPROVED, edition.petition_id, now=now, edition=edition.number)
    _release(session, dispatch, edition, now=now, not_before=_after_cool_down(session, edition, now))


def pause_edition(session: Session, edition: Edition, actor: str, now: datetime) -> None:
    """Claim no further mail of the edition until it is resumed. Mails that are claimed already end by their outcome."""
    move_edition(edition, EditionState.PAUSED)
    record(session, actor, AuditAction.EDITION_PAUSED, edition.petition_id, now=now, edition=edition.number)


def resume_edition(session: Session, edition: Edition, actor: str, now: datetime, dispatch: Dispatch) -> None:
    """Continue a paused edition, now or when its time comes. Raises NotPossible if it is not paused."""
    if edition.state is not EditionState.PAUSED:
        raise NotPossible(f"Edition {edition.number} is {edition.state}: it is not paused.")
    edition.reason = None
    record(session, actor, AuditAction.EDITION_RESUMED, edition.petition_id, now=now, edition=edition.number)
    _release(session, dispatch, edition, now=now, not_before=edition.send_at or now)


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


def pause_for_complaints(session: Session, petition_id: int) -> None:
    """Pause the editions of the petition that are being sent, because too many readers complained."""
    for edition in list_for_change(session, petition_id, EditionState.SENDING):
        move_edition(edition, EditionState.PAUSED)
        edition.reason = COMPLAINTS


def start_due_editions(session: Session, now: datetime, dispatch: Dispatch) -> None:
    """Start the scheduled editions whose time has come."""
    due = (
        select(Edition)
        .where(Edition.state == EditionState.SCHEDULED, Edition.send_at <= now)
        .with_for_update(skip_locked=True)
    )
    for edition in session.scalars(due).all():
        _release(session, dispatch, edition, now=now, not_before=now)


def finish_editions(session: Session, guard: RestoreGuard) -> None:
    """Move the editions that have no waiting mail any more to ``sent``."""
    waiting = (
        select(Delivery.id)
        .where(
            Delivery.edition_id == Edition.id,
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.state.in_((*DeliveryState.waiting(), DeliveryState.SENDING)),
        )
        .exists()
    )
    done = select(Edition).where(Edition.state == EditionState.SENDING, ~waiting).order_by(Edition.id)
    for edition in session.scalars(done.with_for_update()).all():
        move_edition(edition, EditionState.SENT)
        guard.record_sent(session, last_start(session, edition))


def hold_editions(session: Session, now: datetime, guard: RestoreGuard) -> None:
    """Take back the editions that are being sent and of which no mail may be claimed now.

    If the window has closed, the edition waits for its next opening, when the clock starts it again. If the restore
    guard knows more of it than the database, it is paused.
    """
    sending = select(Edition).where(Edition.state == EditionState.SENDING).order_by(Edition.id).with_for_update()
    for edition in session.scalars(sending).all():
        if not guard.admits(last_start(session, edition)):
            _pause_restored(session, guard, edition, now)
            continue
        petition = session.get_one(Petition, edition.petition_id)
        opening = next_opening(session.get(Schedule, edition.petition_id), petition.timezone, after=now)
        if opening > now:
            move_edition(edition, EditionState.SCHEDULED)
            edition.send_at = opening
