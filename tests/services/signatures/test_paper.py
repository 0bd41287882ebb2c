"""Signatures on paper: a line counts once, under the demands that are printed on its sheet, and its code is nowhere."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.organizer_keys import OrganizerKey
from campaign.crypto.paper_codes import new_code
from campaign.errors import InvalidInput, NotOpen
from campaign.installation.wiring import Installation
from campaign.models import (
    Display,
    Erased,
    PaperLine,
    PaperSheet,
    Petition,
    PetitionState,
    SignatureState,
    Tombstone,
)
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.exports.rows import list_signatures
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import get_petition, get_text_version, load_petition
from campaign.services.privacy.burn import burn
from campaign.services.signatures import self_service
from campaign.services.signatures.erase import erase_names, erase_person
from campaign.services.signatures.paper import (
    is_from_paper,
    list_sheets,
)
from campaign.services.signatures.sign import Person, open_person
from tests.conftest import SLUG, Clock
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.organizing import OTHER, list_audit
from tests.scenes.paper import ACTOR, enter, find_entered, print_sheet, set_state
from tests.scenes.people import count, find_petition, get_signature_by_id, sign
from tests.scenes.visiting import dump


def count_lines(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return session.scalar(select(func.count()).select_from(PaperLine)) or 0


def test_a_line_becomes_a_hidden_signature_of_what_is_printed_on_its_sheet(
    installation: Installation, clock: Clock
) -> None:
    codes = print_sheet(installation)
    assert len(set(codes)) == 10
    file = read_petition_file(BUILT_IN)
    changed = file.demands[0].model_copy(update={"text": dict.fromkeys(file.languages, "Another text.")})
    with installation.database.sessions.begin() as session:
        printed = get_text_version(session, get_petition(session, SLUG), "kk").id
        load_petition(
            session,
            file.model_copy(update={"demands": [changed, *file.demands[1:]]}),
            actor=COMMAND_LINE,
            now=installation.now(),
        )
        assert get_text_version(session, get_petition(session, SLUG), "kk").id != printed
    clock.turn(timedelta(days=3))
    signature_id, tally = enter(installation, codes[4])
    signature = get_signature_by_id(installation, signature_id)
    assert (signature.state, signature.number, signature.display) == (SignatureState.CONFIRMED, 1, Display.HIDDEN)
    assert (signature.text_version_id, signature.language, signature.country) == (printed, "kk", "KZ")
    assert signature.signed_on is not None
    assert signature.signed_on.isoformat() == "2026-11-26"
    assert open_person(installation.vault, signature) == Person("Dana", comment="At the gate.")
    assert (signature.fingerprint, signature.sealed_address) == (None, None)
    assert (tally.entered, tally.lines, count(installation)) == (1, 10, 1)


def test_a_line_counts_once_and_only_under_its_petition(installation: Installation) -> None:
    file = read_petition_file(BUILT_IN).model_copy(update={"slug": OTHER})
    with installation.database.sessions.begin() as session:
        load_petition(session, file, actor=COMMAND_LINE, now=installation.now()).state = PetitionState.OPEN
    codes = print_sheet(installation)
    enter(installation, codes[0])
    before = dump(installation)
    for code, slug, told in (
        (codes[0], SLUG, "entered already"),
        (new_code(), SLUG, "No sheet"),
        (codes[1], OTHER, "No sheet"),
    ):
        with pytest.raises(InvalidInput, match=told) as refused:
            enter(installation, code, slug=slug)
        assert refused.value.field == "code"
    assert dump(installation) == before
    assert find_entered(installation, codes[1]) is None


def test_no_code_is_in_the_database(installation: Installation) -> None:
    codes = print_sheet(installation)
    enter(installation, codes[0])
    rows = str(dump(installation))
    assert not [code for code in codes if code in rows or code.encode().hex() in rows]
    assert "dana@example.org" in rows  # so rows are really looked at


@pytest.mark.parametrize("state", PetitionState)
def test_paper_is_made_and_entered_while_the_petition_is_open_or_paused(
    installation: Installation, state: PetitionState
) -> None:
    codes = print_sheet(installation)
    set_state(installation, state)
    if state in (PetitionState.OPEN, PetitionState.PAUSED):
        enter(installation, codes[0])
        assert len(print_sheet(installation)) == 10
        return
    before = dump(installation)
    with pytest.raises(NotOpen):
        enter(installation, codes[0])
    with pytest.raises(NotOpen):
        print_sheet(installation)
    assert dump(installation) == before


def test_all_organizers_see_who_made_and_entered_how_much(installation: Installation, clock: Clock) -> None:
    first, second = print_sheet(installation), print_sheet(installation, 12)
    for code in (*first[:3], *second[:2]):
        enter(installation, code)
    clock.turn(timedelta(days=1))
    enter(installation, first[3])
    told = [(action, details) for actor, action, details in list_audit(installation) if actor == ACTOR]
    assert told == [
        ("paper made", {"sheet": 1, "lines": 10}),
        ("paper made", {"sheet": 2, "lines": 12}),
        ("paper entered", {"sheet": 1, "lines": 3}),
        ("paper entered", {"sheet": 2, "lines": 2}),
        ("paper entered", {"sheet": 1, "lines": 1}),
    ]
    with installation.database.snapshots() as session:
        sheets = list_sheets(session, get_petition(session, SLUG).id)
    assert [(each.sheet.id, each.language, each.entered, each.lines) for each in sheets] == [
        (2, "kk", 2, 12),
        (1, "kk", 4, 10),
    ]


def test_the_code_finds_the_entry_until_it_is_withdrawn_and_then_enters_nothing(installation: Installation) -> None:
    codes = print_sheet(installation)
    assert find_entered(installation, codes[0]) is None
    signature_id, _ = enter(installation, codes[0])
    found = find_entered(installation, codes[0])
    assert found is not None
    assert found.id == signature_id
    token = installation.vault.token(LinkPurpose.SIGNER, signature_id)
    with installation.database.sessions.begin() as session:
        assert is_from_paper(session, signature_id)
        self_service.withdraw(
            session,
            self_service.get_personal_data(session, installation.vault, token, for_update=True),
            now=installation.now(),
        )
    assert count(installation) == 0
    assert find_entered(installation, codes[0]) is None
    with pytest.raises(InvalidInput, match="withdrawn"):
        enter(installation, codes[0])
    assert count_lines(installation) == 9


def test_erasing_a_person_forgets_the_line_and_erasing_names_keeps_it_from_counting_twice(
    installation: Installation,
) -> None:
    codes = print_sheet(installation)
    (erased, _), (nameless, _) = enter(installation, codes[0]), enter(installation, codes[1])
    with installation.database.sessions.begin() as session:
        erase_person(session, [erased], now=installation.now())
        erase_names(session, [nameless], now=installation.now())
    with pytest.raises(InvalidInput, match="No sheet"):
        enter(installation, codes[0])
    with pytest.raises(InvalidInput, match="already"):
        enter(installation, codes[1])
    assert count(installation) == 2


def test_burning_destroys_every_line_and_the_names_on_them(installation: Installation) -> None:
    codes = print_sheet(installation)
    signature_id, _ = enter(installation, codes[0])
    petition = find_petition(installation)
    assert sum(burn(installation.database.sessions, petition.id, actor="command line", now=installation.now())) == 1
    signature = get_signature_by_id(installation, signature_id)
    assert (signature.sealed_person, signature.country, signature.state) == (None, None, SignatureState.CONFIRMED)
    assert (count_lines(installation), count(installation)) == (0, 1)
    with installation.database.snapshots() as session:
        assert session.scalar(select(func.count()).select_from(PaperSheet)) == 1
        assert session.get(Tombstone, (Erased.PERSON, signature_id)) is not None
    with pytest.raises(NotOpen):
        enter(installation, codes[1])


def test_a_sealed_petition_seals_paper_too(installation: Installation) -> None:
    seal_petition(installation, OrganizerKey.fresh())
    signature_id, _ = enter(installation, print_sheet(installation)[0], name="Zhanargul Qx")
    signature = get_signature_by_id(installation, signature_id)
    assert open_person(installation.vault, signature) is None
    assert signature.sealed_person is not None


def test_a_list_has_paper_among_the_others(installation: Installation) -> None:
    sign(installation, "other@example.org")
    enter(installation, print_sheet(installation)[0])
    with installation.database.snapshots() as session:
        petition = session.scalars(select(Petition).where(Petition.slug == SLUG)).one()
        rows = list(list_signatures(session, installation.vault, petition, SignatureState.CONFIRMED))
    assert [(row["number"], row["name"], row["country"], row["display"]) for row in rows] == [
        (1, "Dana", "KZ", "hidden")
    ]
    assert Counter(row["comment"] for row in rows) == {"At the gate.": 1}
