"""From rows of the ledger to the messages they stand for: frames made once, filled at the moment of sending."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jinja2 import TemplateError
from sqlalchemy import Row, select
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
    NotWanted,
    check_choices,
    check_state,
    check_suppression,
    select_owed,
)
from campaign.services.delivery.envelope import Moment, Post, address_message, fill_frame
from campaign.services.delivery.frames import confirmation_frame, digest_frame, link_frame
from campaign.services.digests.audiences import Offer, audience_of, find_offer
from campaign.services.digests.send_test import write_test
from campaign.services.organizers.permissions import Permission, check_permission
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import parse_email_address

# What can be wrong with one mail, none of which may hold up those behind it.
_TROUBLE = (CampaignError, ValueError, LookupError, TemplateError)


class Draft(NamedTuple):
    """A mail that is wanted: a frame, and what goes into it for one reader; ``row`` is what the address is part of."""

    delivery_id: int
    queued_at: datetime
    owner_id: int
    sealed_address: bytes
    row: str
    frame: Frame
    kind: DeliveryKind


# A test is for one organizer: it is written at once.
Prepared = Draft | Message


class Writer:
    """Writes messages, and keeps the frame of each edition or petition and language for as long as it lives."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._domain = post.domain
        self._moment = Moment.of(datetime.min.replace(tzinfo=UTC))
        self._frames: dict[tuple[DeliveryKind, int, int | None, str, Audience | None], Frame] = {}
        self._offers: dict[int, Offer] = {}
        # What became of circumstances that were met before: thousands of readers share a few.
        self._known: dict[tuple[Any, ...], Frame | NotWanted] = {}

    def list_drafts(
        self, session: Session, kind: DeliveryKind, rows: Iterable[Row[Any]], *, now: datetime
    ) -> Iterator[tuple[int, Prepared | Exception]]:
        """For each row of ``select_owed(kind)`` its draft, or why it has none: NotWanted, or our own trouble.

        Consent and suppression are looked at now.
        """
        if kind is DeliveryKind.TEST:
            yield from self._tests(session, [row.id for row in rows])
            return
        confirms = kind is DeliveryKind.CONFIRMATION
        gone = NotWanted(EXPIRED if confirms else NOT_ASKED if kind is DeliveryKind.LINK else ENDED)
        known = self._known
        for row in rows:
            number, queued_at, owner_id, sealed_address, expires_at, fingerprint = row[:OWN_COLUMNS]
            shared = row[OWN_COLUMNS:]
            verdict: Frame | Exception
            try:
                verdict = known.get(shared) or self._weigh(session, Circumstances(*shared))
            except _TROUBLE as error:
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
                yield delivery.id, _write_test(session, self._post, delivery)
            except (NotWanted, *_TROUBLE) as error:
                yield delivery.id, error

    def _weigh(self, session: Session, shared: Circumstances) -> "Frame | NotWanted":
        """The frame for mails in these circumstances, or why they are not wanted."""
        verdict: Frame | NotWanted
        try:
            check_state(shared.kind, shared.state)
            check_suppression(shared.suppressed)
            if shared.edition_id is not None and shared.frequency is not None:
                offer = self._offer(session, shared.petition_id, shared.edition_id)
                check_choices(offer, shared.frequency, paused=bool(shared.paused))
            verdict = self._frame(session, shared)
        except NotWanted as refusal:
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
                self._frames[key] = make(self._post, petition, shared.language)
            else:
                frozen = session.get_one(EditionText, (shared.edition_id, shared.language, audience))
                content = Content(frozen.subject, frozen.text, frozen.html)
                self._frames[key] = digest_frame(self._post, petition, shared.language, content)
        return self._frames[key]

    def write(self, draft: Prepared) -> Message:
        """The message of a draft. Raises CampaignError where its address cannot be opened.

        Several threads may write at once.
        """
        if isinstance(draft, Message):
            return draft
        number, queued_at, owner, sealed_address, row, frame, kind = draft
        moment = self._moment
        if queued_at != moment.at:  # those of an edition were queued together
            moment = self._moment = Moment.of(queued_at)
        vault = self._post.vault
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
        return fill_frame(self._post, frame, values, token, moment)


def _write_test(session: Session, post: Post, delivery: Delivery) -> Message:
    petition = session.get_one(Petition, delivery.petition_id)
    organizer = session.get_one(Organizer, delivery.organizer_id)
    try:
        check_permission(session, organizer.id, petition, Permission.SEND)
    except Forbidden:
        raise NotWanted("the organizer may no longer send the digest") from None
    suppression = find_suppression(session, post.vault.fingerprint(parse_email_address(organizer.email)))
    check_suppression(suppression.reason if suppression else None)
    content = write_test(session, post.links, petition, delivery)
    language = str(delivery.language)
    return address_message(post, petition, delivery, content, language=language, address=organizer.email, headers=None)


def write_message(session: Session, post: Post, delivery: Delivery, *, now: datetime) -> Message:
    """The one message that ``delivery`` owes. Raises NotWanted, and what is wrong where it cannot be written."""
    writer = Writer(post)
    rows = session.execute(select_owed(delivery.kind).where(Delivery.id == delivery.id))
    ((_, draft),) = writer.list_drafts(session, delivery.kind, rows, now=now)
    if isinstance(draft, Exception):
        raise draft
    return writer.write(draft)
