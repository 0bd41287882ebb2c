"""Signatures on paper: a line counts once, under the demands that are printed on its sheet, and its code is nowhere."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.organizer_keys import OrganizerKey
from campaign.crypto.paper_codes import new_code
from campaign.errors import InvalidInput, NotOpen
from campaign.installation.wiring import Campaign
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


def count_lines(campaign: Campaign) -> int:
    with campaign.database.snapshots() as session:
        return session.scalar(select(func.count()).select_from(PaperLine)) or 0


def test_a_line_becomes_a_hidden_signature_of_what_is_printed_on_its_sheet(campaign: Campaign, clock: Clock) -> None:
    codes = print_sheet(campaign)
    assert len(set(codes)) == 10
    file = read_petition_file(BUILT_IN)
    changed = file.demands[0].model_copy(update={"text": dict.fromkeys(file.languages, "Another text.")})
    with campaign.database.sessions.begin() as session:
        printed = get_text_version(session, get_petition(session, SLUG), "kk").id
        load_petition(
            session,
            file.model_copy(update={"demands": [changed, *file.demands[1:]]}),
            actor=COMMAND_LINE,
            now=campaign.now(),
        )
        assert get_text_version(session, get_petition(session, SLUG), "kk").id != printed
    clock.turn(timedelta(days=3))
    signature_id, tally = enter(campaign, codes[4])
    signature = get_signature_by_id(campaign, signature_id)
    assert (signature.state, signature.number, signature.display) == (SignatureState.CONFIRMED, 1, Display.HIDDEN)
    assert (signature.text_version_id, signature.language, signature.country) == (printed, "kk", "KZ")
    assert signature.signed_on is not None
    assert signature.signed_on.isoformat() == "2026-11-26"
    assert open_person(campaign.vault, signature) == Person("Dana", comment="At the gate.")
    assert (signature.fingerprint, signature.sealed_address) == (None, None)
    assert (tally.entered, tally.lines, count(campaign)) == (1, 10, 1)


def test_a_line_counts_once_and_only_under_its_petition(campaign: Campaign) -> None:
    file = read_petition_file(BUILT_IN).model_copy(update={"slug": OTHER})
    with campaign.database.sessions.begin() as session:
        load_petition(session, file, actor=COMMAND_LINE, now=campaign.now()).state = PetitionState.OPEN
    codes = print_sheet(campaign)
    enter(campaign, codes[0])
    before = dump(campaign)
    for code, slug, told in (
        (codes[0], SLUG, "entered already"),
        (new_code(), SLUG, "No sheet"),
        (codes[1], OTHER, "No sheet"),
    ):
        with pytest.raises(InvalidInput, match=told) as refused:
            enter(campaign, code, slug=slug)
        assert refused.value.field == "code"
    assert dump(campaign) == before
    assert find_entered(campaign, codes[1]) is None


def test_no_code_is_in_the_database(campaign: Campaign) -> None:
    codes = print_sheet(campaign)
    enter(campaign, codes[0])
    rows = str(dump(campaign))
    assert not [code for code in codes if code in rows or code.encode().hex() in rows]
    assert "dana@example.org" in rows  # so rows are really looked at


@pytest.mark.parametrize("state", PetitionState)
def test_paper_is_made_and_entered_while_the_petition_is_open_or_paused(
    campaign: Campaign, state: PetitionState
) -> None:
    codes = print_sheet(campaign)
    set_state(campaign, state)
    if state in (PetitionState.OPEN, PetitionState.PAUSED):
        enter(campaign, codes[0])
        assert len(print_sheet(campaign)) == 10
        return
    before = dump(campaign)
    with pytest.raises(NotOpen):
        enter(campaign, codes[0])
    with pytest.raises(NotOpen):
        print_sheet(campaign)
    assert dump(campaign) == before


def test_all_organizers_see_who_made_and_entered_how_much(campaign: Campaign, clock: Clock) -> None:
    first, second = print_sheet(campaign), print_sheet(campaign, 12)
    for code in (*first[:3], *second[:2]):
        enter(campaign, code)
    clock.turn(timedelta(days=1))
    enter(campaign, first[3])
    told = [(action, details) for actor, action, details in list_audit(campaign) if actor == ACTOR]
    assert told == [
        ("paper made", {"sheet": 1, "lines": 10}),
        ("paper made", {"sheet": 2, "lines": 12}),
        ("paper entered", {"sheet": 1, "lines": 3}),
        ("paper entered", {"sheet": 2, "lines": 2}),
        ("paper entered", {"sheet": 1, "lines": 1}),
    ]
    with campaign.database.snapshots() as session:
        sheets = list_sheets(session, get_petition(session, SLUG).id)
    assert [(each.sheet.id, each.language, each.entered, each.lines) for each in sheets] == [
        (2, "kk", 2, 12),
        (1, "kk", 4, 10),
    ]


def test_the_code_finds_the_entry_until_it_is_withdrawn_and_then_enters_nothing(campaign: Campaign) -> None:
    codes = print_sheet(campaign)
    assert find_entered(campaign, codes[0]) is None
    signature_id, _ = enter(campaign, codes[0])
    found = find_entered(campaign, codes[0])
    assert found is not None
    assert found.id == signature_id
    token = campaign.vault.token(LinkPurpose.SIGNER, signature_id)
    with campaign.database.sessions.begin() as session:
        assert is_from_paper(session, signature_id)
        self_service.withdraw(
            session, self_service.get_personal_data(session, campaign.vault, token, for_update=True), now=campaign.now()
        )
    assert count(campaign) == 0
    assert find_entered(campaign, codes[0]) is None
    with pytest.raises(InvalidInput, match="withdrawn"):
        enter(campaign, codes[0])
    assert count_lines(campaign) == 9


def test_erasing_a_person_forgets_the_line_and_erasing_names_keeps_it_from_counting_twice(campaign: Campaign) -> None:
    codes = print_sheet(campaign)
    (erased, _), (nameless, _) = enter(campaign, codes[0]), enter(campaign, codes[1])
    with campaign.database.sessions.begin() as session:
        erase_person(session, [erased], now=campaign.now())
        erase_names(session, [nameless], now=campaign.now())
    with pytest.raises(InvalidInput, match="No sheet"):
        enter(campaign, codes[0])
    with pytest.raises(InvalidInput, match="already"):
        enter(campaign, codes[1])
    assert count(campaign) == 2


def test_burning_destroys_every_line_and_the_names_on_them(campaign: Campaign) -> None:
    codes = print_sheet(campaign)
    signature_id, _ = enter(campaign, codes[0])
    petition = find_petition(campaign)
    assert sum(burn(campaign.database.sessions, petition.id, actor="command line", now=campaign.now())) == 1
    signature = get_signature_by_id(campaign, signature_id)
    assert (signature.sealed_person, signature.country, signature.state) == (None, None, SignatureState.CONFIRMED)
    assert (count_lines(campaign), count(campaign)) == (0, 1)
    with campaign.database.snapshots() as session:
        assert session.scalar(select(func.count()).select_from(PaperSheet)) == 1
        assert session.get(Tombstone, (Erased.PERSON, signature_id)) is not None
    with pytest.raises(NotOpen):
        enter(campaign, codes[1])


def test_a_sealed_petition_seals_paper_too(campaign: Campaign) -> None:
    seal_petition(campaign, OrganizerKey.fresh())
    signature_id, _ = enter(campaign, print_sheet(campaign)[0], name="Zhanargul Qx")
    signature = get_signature_by_id(campaign, signature_id)
    assert open_person(campaign.vault, signature) is None
    assert signature.sealed_person is not None


def test_a_list_has_paper_among_the_others(campaign: Campaign) -> None:
    sign(campaign, "other@example.org")
    enter(campaign, print_sheet(campaign)[0])
    with campaign.database.snapshots() as session:
        petition = session.scalars(select(Petition).where(Petition.slug == SLUG)).one()
        rows = list(list_signatures(session, campaign.vault, petition, SignatureState.CONFIRMED))
    assert [(row["number"], row["name"], row["country"], row["display"]) for row in rows] == [
        (1, "Dana", "KZ", "hidden")
    ]
    assert Counter(row["comment"] for row in rows) == {"At the gate.": 1}
