"""Writing mails: from rows of the ledger to messages. A frame is made once, and filled when a mail is sent."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from jinja2 import TemplateError
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.sealed_rows import address_row, link_request_row
from campaign.errors import CampaignError, Forbidden
from campaign.mail.frame import Frame
from campaign.mail.message import Content, Message
from campaign.models import Audience, Delivery, DeliveryKind, Edition, EditionText, Organizer, Petition
from campaign.services.delivery.eligibility import (
    ENDED,
    EXPIRED,
    NOT_ASKED,
    OWN_COLUMNS,
    Circumstances,
    NotEligible,
    check_choices,
    check_state,
    check_suppression,
)
from campaign.services.delivery.envelope import MailIdentity, Moment, address_message, fill_frame
from campaign.services.delivery.frames import confirmation_frame, digest_frame, link_frame
from campaign.services.digests.audiences import Offer, audience_of, find_offer
from campaign.services.digests.send_test import write_test
from campaign.services.organizers.permissions import Permission, check_permission
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import parse_email_address

# The errors that concern one mail. None of them may hold up the mails behind it.
TROUBLE = (CampaignError, ValueError, LookupError, TemplateError)


class Draft(NamedTuple):
    """A mail that may be sent: a frame, and what is put into it for one reader. The row ``row`` has the address."""

    delivery_id: int
    queued_at: datetime
    owner_id: int
    sealed_address: bytes
    row: str
    frame: Frame
    kind: DeliveryKind


# A test mail, and a mail about several petitions, is written when it is claimed.
Prepared = Draft | Message


class Writer:
    """Writes messages. It keeps the frames that it has made: one for each edition or petition, and language."""

    def __init__(self, identity: MailIdentity) -> None:
        self._identity = identity
        self._domain = identity.domain
        self._moment = Moment.of(datetime.min.replace(tzinfo=UTC))
        self._frames: dict[tuple[DeliveryKind, int, int | None, str, Audience | None], Frame] = {}
        self._offers: dict[int, Offer] = {}
        # The results for circumstances that were weighed before: thousands of readers share a few.
        self._known: dict[tuple[Any, ...], Frame | NotEligible] = {}

    def list_drafts(
        self, session: Session, kind: DeliveryKind, rows: Iterable[Sequence[Any]], *, now: datetime
    ) -> Iterator[tuple[int, Prepared | Exception]]:
        """For each row of ``select_mails(kind)`` its draft, or the reason for none: NotEligible, or an error of ours.

        Consent and suppression are checked now.
        """
        if kind is DeliveryKind.TEST:
            yield from self._tests(session, [row[0] for row in rows])
            return
        confirms = kind is DeliveryKind.CONFIRMATION
        gone = NotEligible(EXPIRED if confirms else NOT_ASKED if kind is DeliveryKind.LINK else ENDED)
        known = self._known
        for row in rows:
            number, queued_at, owner_id, sealed_address, expires_at, fingerprint = row[:OWN_COLUMNS]
            shared = tuple(row[OWN_COLUMNS:])
            verdict: Frame | Exception
            try:
                verdict = known.get(shared) or self._weigh(session, Circumstances(*shared))
            except TROUBLE as error:
                verdict = error
            if not isinstance(verdict, Frame):
                yield number, verdict
            elif not sealed_address or (confirms and not (expires_at and expires_at > now)):
                yield number, gone
            else:
                row_name = address_row(owner_id) if fingerprint is None else link_request_row(shared[1], fingerprint)
                yield number, Draft(number, queued_at, owner_id, sealed_address, row_name, verdict, kind)

    def _tests(self, session: Session, ids: Sequence[int]) -> Iterator[tuple[int, Prepared | Exception]]:
        for delivery in session.scalars(select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)):
            try:
                yield delivery.id, _write_test(session, self._identity, delivery)
            except (NotEligible, *TROUBLE) as error:
                yield delivery.id, error

    def _weigh(self, session: Session, shared: Circumstances) -> "Frame | NotEligible":
        """The frame for mails in these circumstances, or the reason for not sending them."""
        verdict: Frame | NotEligible
        try:
            check_state(shared.kind, shared.state)
            check_suppression(shared.suppressed)
            if shared.edition_id is not None and shared.frequency is not None:
                offer = self._offer(session, shared.petition_id, shared.edition_id)
                check_choices(offer, shared.frequency, paused=bool(shared.paused))
            verdict = self._frame(session, shared)
        except NotEligible as refusal:
            verdict = refusal
        self._known[shared] = verdict
        return verdict

    def _offer(self, session: Session, petition_id: int, edition_id: int) -> Offer:
        offer = self._offers.get(edition_id)
        if offer is None:
            petition, edition = session.get_one(Petition, petition_id), session.get_one(Edition, edition_id)
            offer = self._offers[edition_id] = find_offer(session, petition, edition)
        return offer

    def _frame(self, session: Session, shared: Circumstances) -> Frame:
        audience = None if shared.frequency is None else audience_of(shared.frequency)
        key = (shared.kind, shared.petition_id, shared.edition_id, shared.language, audience)
        if key not in self._frames:
            petition = session.get_one(Petition, shared.petition_id)
            if audience is None:
                make = link_frame if shared.kind is DeliveryKind.LINK else confirmation_frame
                self._frames[key] = make(self._identity, petition, shared.language)
            else:
                frozen = session.get_one(EditionText, (shared.edition_id, shared.language, audience))
                content = Content(frozen.subject, frozen.text, frozen.html)
                self._frames[key] = digest_frame(self._identity, petition, shared.language, content)
        return self._frames[key]

    def write(self, draft: Prepared) -> Message:
        """The message of a draft. Raises CampaignError if its address cannot be opened.

        Several threads may write at the same time.
        """
        if isinstance(draft, Message):
            return draft
        number, queued_at, owner, sealed_address, row, frame, kind = draft
        moment = self._moment
        if queued_at != moment.at:  # those of an edition were queued together
            moment = self._moment = Moment.of(queued_at)
        vault = self._identity.vault
        token = vault.mail_token(number)
        values = {
            "to": vault.open(sealed_address, row=row),
            "date": moment.date,
            "message": f"{token}@{self._domain}".encode(),
        }
        if kind is not DeliveryKind.DIGEST:
            values["own"] = vault.token(LinkPurpose.SIGNER, owner).encode()
            values["code"] = vault.code(owner).encode()
        if kind is DeliveryKind.CONFIRMATION:
            values["confirm"] = vault.token(LinkPurpose.CONFIRM, owner).encode()
        elif kind is DeliveryKind.DIGEST:
            values["unsubscribe"] = vault.token(LinkPurpose.UNSUBSCRIBE, owner).encode()
            values["me"] = vault.token(LinkPurpose.READER, owner).encode()
        return fill_frame(self._identity, frame, values, token, moment)


def _write_test(session: Session, identity: MailIdentity, delivery: Delivery) -> Message:
    petition = session.get_one(Petition, delivery.petition_id)
    organizer = session.get_one(Organizer, delivery.organizer_id)
    try:
        check_permission(session, organizer.id, petition, Permission.SEND)
    except Forbidden:
        raise NotEligible("the organizer may no longer send the digest") from None
    suppression = find_suppression(session, identity.vault.fingerprint(parse_email_address(organizer.email)))
    check_suppression(suppression.reason if suppression else None)
    content = write_test(session, identity.links, petition, delivery)
    language = str(delivery.language)
    return address_message(
        identity, petition, delivery, content, language=language, address=organizer.email, headers=None
    )


Written = Message | Exception
_BLOCK = 8  # handing over a single draft would cost as much as writing it
_BLOCKS_AHEAD = 12


def write_all(write: Callable[[Prepared], Message], drafts: Sequence[Prepared]) -> Iterator[Written]:
    """The messages of ``drafts`` in their order; instead of a message that cannot be written, the error."""
    for draft in drafts:
        try:
            yield write(draft)
        except Exception as error:  # noqa: BLE001 (no error may hold up the mails behind it)
            yield error


def open_pool() -> ThreadPoolExecutor:
    """The threads that write ahead: one for each processor."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="write")


def write_ahead(
    pool: ThreadPoolExecutor, write: Callable[[Prepared], Message], drafts: Sequence[Prepared]
) -> Iterator[Written]:
    """Like ``write_all``, but threads write some blocks ahead of the sender that takes the messages."""
    blocks = (drafts[start : start + _BLOCK] for start in range(0, len(drafts), _BLOCK))
    started: deque[Future[list[Written]]] = deque()

    def start_next(count: int) -> None:
        started.extend(
            pool.submit(lambda block: list(write_all(write, block)), block) for block in islice(blocks, count)
        )

    start_next(_BLOCKS_AHEAD)
    while started:
        written = started.popleft().result()
        start_next(1)
        yield from written
