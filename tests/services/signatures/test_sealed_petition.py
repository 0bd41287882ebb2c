"""A sealed petition: its names are for its organizers' keys; neither database nor keyring gives one away."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import inspect, text

from campaign.crypto.organizer_keys import OrganizerKey, PublicKeys
from campaign.crypto.recipient_sealing import open_sealed
from campaign.crypto.sealed_rows import person_row
from campaign.errors import InvalidFile, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import Display, Signature, SignatureState
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.exports.lists import check_possible, want
from campaign.services.exports.rows import count_sealed, list_signatures
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import load_petition
from campaign.services.signatures.sign import Person, open_person
from tests.scenes.campaign_files import write
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.people import confirm, find_petition, get_signature, sign

NAME, PLACE, COMMENT = "Zhanargul Serikkyzy-Qx", "Zhanaozen-Qx", "From the mine Qx"
SAID = [NAME, PLACE, COMMENT]
KEYS = [OrganizerKey.fresh() for _ in range(3)]


def opened_by(key: OrganizerKey, signature: Signature) -> Person | None:
    assert signature.sealed_person is not None
    plain = open_sealed([key], signature.sealed_person, row=person_row(signature.id))
    return None if plain is None else Person.from_json(plain)


def opened_with_keyring(installation: Installation) -> list[bytes]:
    """Every value of the database, and whatever the keyring opens of it as part of any row there is."""
    with installation.database.snapshots() as session:
        tables = inspect(session.connection()).get_table_names()
        rows = [row for table in tables for row in session.execute(text(f'SELECT * FROM "{table}"'))]
    values = [value for row in rows for value in row]
    ids = [value for value in values if isinstance(value, int)]
    found = [json.dumps(value, default=str, ensure_ascii=False).encode() for value in values]
    for value in values:
        if isinstance(value, bytes | memoryview):
            sealed = bytes(value)
            found += [sealed]
            for version, sealer in installation.vault._sealing[1].items():
                for part in (sealed, bytes([version]) + sealed, bytes([version]) + sealed[1:]):
                    for row in {f"{kind}:{row_id}" for kind in ("signature", "address") for row_id in ids}:
                        with suppress(InvalidTag, ValueError):
                            found.append(sealer.decrypt(part[1:13], part[13:], row.encode()))
    return found


@pytest.mark.parametrize("sealed_to", [KEYS[:2], []])
def test_the_database_and_its_keyring_give_no_name(installation: Installation, sealed_to: list[OrganizerKey]) -> None:
    """The same search finds each of them where the petition is not sealed."""
    seal_petition(installation, *sealed_to)
    sign(installation, "a@example.org", name=NAME, place=PLACE, comment=COMMENT, updates=True)
    sign(installation, "b@example.org", name=NAME, place=PLACE, comment=COMMENT)
    sign(installation, "b@example.org", name=NAME, place=PLACE, comment=COMMENT)
    confirm(installation, "a@example.org")
    everything = b"\n".join(opened_with_keyring(installation))
    assert b"a@example.org" in everything  # the reader's, which is needed to write to them
    assert [said.encode() in everything for said in SAID] == [not sealed_to] * 3


def test_each_organizer_opens_a_name_and_a_third_does_not(sqlite_installation: Installation) -> None:
    seal_petition(sqlite_installation, *KEYS[:2])
    sign(sqlite_installation, "a@example.org", name=NAME, place=PLACE, comment=COMMENT, display=Display.NAME)
    signature = get_signature(sqlite_installation, "a@example.org")
    person = Person(NAME, PLACE, COMMENT)
    assert [opened_by(key, signature) for key in KEYS] == [person, person, None]
    assert open_person(sqlite_installation.vault, signature) is None
    assert signature.display is Display.HIDDEN  # nobody here could show it


def test_a_name_of_an_unsealed_petition_and_an_erased_one(sqlite_installation: Installation) -> None:
    sign(sqlite_installation, "a@example.org", name=NAME)
    signature = get_signature(sqlite_installation, "a@example.org")
    assert open_person(sqlite_installation.vault, signature) == Person(NAME)
    signature.sealed_person = None
    assert open_person(sqlite_installation.vault, signature) is None


def test_signatures_stay_sealed_as_they_were_when_the_keys_change(installation: Installation) -> None:
    first, second, _ = KEYS
    sign(installation, "a@example.org", name="Before")
    for key, email in ((first, "b@example.org"), (second, "c@example.org")):
        seal_petition(installation, key)
        sign(installation, email, name=email)
    seal_petition(installation)
    sign(installation, "d@example.org", name="After")
    old, changed = get_signature(installation, "b@example.org"), get_signature(installation, "c@example.org")
    assert [opened_by(key, old) is None for key in (first, second)] == [False, True]
    assert [opened_by(key, changed) is None for key in (first, second)] == [True, False]
    with installation.database.snapshots() as session:
        petition = find_petition(installation)
        rows = list(list_signatures(session, installation.vault, petition, SignatureState.PENDING))
        assert sorted(str(row["name"]) for row in rows if "name" in row) == ["After", "Before"]
        assert count_sealed(session, petition, SignatureState.PENDING) == 2
        assert count_sealed(session, petition, SignatureState.CONFIRMED) == 0
        wanted = want(petition, "signatures", "csv", SignatureState.PENDING)
        with pytest.raises(NotPossible, match="sealed to organizers' keys"):
            check_possible(session, petition, wanted)
        check_possible(session, petition, want(petition, "signatures", "csv", SignatureState.CONFIRMED))
        check_possible(session, petition, want(petition, "signatures", "age", SignatureState.PENDING))


def test_a_petition_file_names_the_keys_and_asks_for_approval(
    sqlite_installation: Installation, tmp_path: Path
) -> None:
    lines = [key.public.line for key in KEYS[:2]]
    keys = f"sealed_to = {json.dumps(lines)}\nexport_needs_approval = true\n"
    for change, expected in (("goal", (lines, True)), ("", ([], False))):
        path = write(tmp_path, *([("goal", f"{keys}goal")] if change else []))
        with sqlite_installation.database.sessions.begin() as session:
            petition = load_petition(
                session, read_petition_file(path), actor=COMMAND_LINE, now=sqlite_installation.now()
            )
            assert (petition.sealed_to, petition.export_needs_approval) == expected


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([KEYS[0].public.line[:-1]], "sealed_to cannot be used: “campaign1-"),
        (["age1nothing"], "missing or damaged"),
        ([KEYS[0].public.line] * 2, "sealed_to names the same organizer's key twice"),
        ([OrganizerKey.fresh().public.line for _ in range(21)], "sealed_to"),
        ([7], "sealed_to[1]"),
        (
            [PublicKeys(X25519PublicKey.from_public_bytes(bytes(32)), KEYS[0].public.files).line],
            "nothing can be sealed",
        ),
    ],
)
def test_a_damaged_key_in_a_petition_file_is_refused(tmp_path: Path, lines: list[object], words: str) -> None:
    path = write(tmp_path, ("goal", f"sealed_to = {json.dumps(lines)}\ngoal"))
    with pytest.raises(InvalidFile) as refused:
        read_petition_file(path)
    assert words in refused.value.sentence
    assert refused.value.sentence.count("\n") == 0
