"""Signatures on paper: sheets with a code for each line, lines that organizers enter, entries that signers can see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.crypto.paper_codes import new_code
from campaign.crypto.randomness import random_id
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput, NotOpen
from campaign.models import (
    AuditAction,
    PaperLine,
    PaperSheet,
    Petition,
    PetitionState,
    Signature,
    SignatureState,
    TextVersion,
)
from campaign.services.audit_log import record, record_line
from campaign.services.petitions.counts import take_number
from campaign.services.petitions.lifecycle import today_in
from campaign.services.signatures.sign import Person

MIN_LINES, MAX_LINES = 10, 200
# While a petition is paused, organizers can still enter lines that were signed on paper before.
_TAKEN = (PetitionState.OPEN, PetitionState.PAUSED)
N_ = str  # marks a sentence for the translators; the page translates it


@dataclass(frozen=True)
class SheetCount:
    """A sheet, the number of its entered lines, and of all its lines. A withdrawn signature's line is not counted."""

    sheet: PaperSheet
    language: str
    entered: int
    lines: int


@dataclass(frozen=True)
class Line:
    """The content of a line: its code, the person, and the country as an ISO 3166 code."""

    code: str
    person: Person
    country: str | None = None


def takes_paper(petition: Petition) -> bool:
    """Whether sheets can be made and entered now: while the petition is open or paused."""
    return petition.state in _TAKEN


def _check_taken(petition: Petition) -> None:
    if not takes_paper(petition):
        raise NotOpen("This petition accepts no signatures on paper now.")


def make_sheet(
    session: Session, vault: Vault, petition: Petition, version: TextVersion, lines: int, *, actor: str, now: datetime
) -> tuple[PaperSheet, Sequence[str]]:
    """Make a sheet with the demands of ``version``; returns it with the codes of its lines, which are not stored.

    Raises NotOpen.
    """
    _check_taken(petition)
    sheet = PaperSheet(
        petition_id=petition.id, text_version_id=version.id, made_on=today_in(petition, now), made_by=actor
    )
    session.add(sheet)
    session.flush()
    codes = [new_code() for _ in range(lines)]
    session.add_all(
        PaperLine(sheet_id=sheet.id, position=position, fingerprint=vault.paper_fingerprint(code))
        for position, code in enumerate(codes, 1)
    )
    record(session, actor, AuditAction.PAPER_MADE, petition.id, now=now, sheet=sheet.id, lines=lines)
    session.flush()
    return sheet, codes


def enter_line(
    session: Session, vault: Vault, petition_id: int, line: Line, *, actor: str, now: datetime
) -> tuple[Signature, SheetCount]:
    """Count a line of a sheet as a signature of the demands that are printed on the sheet.

    The signature is hidden and has no address: only the data on the line is stored. Raises NotOpen; raises InvalidInput
    if no sheet has the code, or if the line was entered already.
    """
    # Locked until the end, so that nobody closes or burns the petition meanwhile; others may still enter and sign.
    petition = session.get_one(Petition, petition_id, with_for_update={"read": True})
    _check_taken(petition)
    found = _find_line(session, vault, petition_id, line.code, for_update=True)
    if found is None:
        raise InvalidInput(
            "code",
            N_("No sheet of this petition has a line with this code, or the signature on that line was withdrawn."),
        )
    if found.signature_id is not None:
        raise InvalidInput("code", N_("The line with this code was entered already."))
    sheet = session.get_one(PaperSheet, found.sheet_id, with_for_update=True)
    version = session.get_one(TextVersion, sheet.text_version_id)
    signature = _sign(vault, petition, version, line)
    signature.signed_on = today_in(petition, now)
    signature.number = take_number(session, petition.id, signature.signed_on)
    session.add(signature)
    session.flush()
    found.signature_id = signature.id
    session.flush()
    record_line(session, actor, petition_id, sheet=sheet.id, now=now)
    return signature, _count_lines(session, sheet, version.language)


def _find_line(
    session: Session, vault: Vault, petition_id: int, code: str, *, for_update: bool = False
) -> PaperLine | None:
    wanted = (
        select(PaperLine)
        .join(PaperSheet, PaperSheet.id == PaperLine.sheet_id)
        .where(PaperLine.fingerprint == vault.paper_fingerprint(code), PaperSheet.petition_id == petition_id)
    )
    return session.scalars(wanted.with_for_update(of=PaperLine) if for_update else wanted).one_or_none()


def _sign(vault: Vault, petition: Petition, version: TextVersion, line: Line) -> Signature:
    signature_id = random_id()
    return Signature(
        id=signature_id,
        petition_id=petition.id,
        text_version_id=version.id,
        state=SignatureState.CONFIRMED,
        language=version.language,
        sealed_person=line.person.seal(vault, signature_id, sealed_to=petition.sealed_to),
        country=line.country,
    )


def find_entry(session: Session, vault: Vault, petition_id: int, code: str) -> Signature | None:
    """The signature that was entered from the line with this code; None if there is none."""
    line = _find_line(session, vault, petition_id, code)
    return session.get(Signature, line.signature_id) if line is not None and line.signature_id is not None else None


def is_from_paper(session: Session, signature_id: int) -> bool:
    """Whether the signature was entered from a sheet. The line is deleted with the signer's personal data."""
    return session.scalar(select(PaperLine.sheet_id).where(PaperLine.signature_id == signature_id)) is not None


def _count_lines(session: Session, sheet: PaperSheet, language: str) -> SheetCount:
    counted = select(func.count(PaperLine.signature_id), func.count()).where(PaperLine.sheet_id == sheet.id)
    entered, lines = session.execute(counted).one()
    return SheetCount(sheet, language, entered, lines)


def list_sheets(session: Session, petition_id: int) -> list[SheetCount]:
    """The petition's sheets, newest first."""
    found = session.execute(
        select(PaperSheet, TextVersion.language)
        .join(TextVersion, TextVersion.id == PaperSheet.text_version_id)
        .where(PaperSheet.petition_id == petition_id)
        .order_by(PaperSheet.id.desc())
    ).all()
    return [_count_lines(session, sheet, language) for sheet, language in found]
