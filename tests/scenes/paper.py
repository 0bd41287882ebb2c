"""Signatures on paper: a sheet that is printed, and lines of it that are entered."""

from campaign.installation.wiring import Installation
from campaign.models import PetitionState, Signature
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures.paper import Line, SheetCount, enter_line, find_entry, make_sheet
from campaign.services.signatures.sign import Person
from tests.conftest import SLUG
from tests.scenes.people import find_petition

ACTOR = "dana@example.org"


def print_sheet(installation: Installation, lines: int = 10, language: str = "kk") -> list[str]:
    """Make a sheet; the codes on it."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        version = get_text_version(session, petition, language)
        _, codes = make_sheet(
            session, installation.vault, petition, version, lines, actor=ACTOR, now=installation.now()
        )
        return list(codes)


def enter(installation: Installation, code: str, name: str = "Dana", slug: str = SLUG) -> tuple[int, SheetCount]:
    """Enter a line; the signature's id, and how far its sheet is."""
    line = Line(code, Person(name, comment="At the gate."), "KZ")
    petition_id = find_petition(installation, slug).id
    with installation.database.sessions.begin() as session:
        signature, tally = enter_line(
            session, installation.vault, petition_id, line, actor=ACTOR, now=installation.now()
        )
        return signature.id, tally


def find_entered(installation: Installation, code: str) -> Signature | None:
    with installation.database.snapshots() as session:
        return find_entry(session, installation.vault, get_petition(session, SLUG).id, code)


def set_state(installation: Installation, state: PetitionState) -> None:
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).state = state
