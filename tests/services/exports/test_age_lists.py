"""Lists as age files: whole again when they are opened, and refused with a sentence when they are anything else."""

import csv
import io
import json
from collections.abc import Sequence

import pytest

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.crypto.recipient_sealing import encrypt_file, seal_to
from campaign.errors import CampaignError, InvalidFile, OrganizerKeyError
from campaign.installation.wiring import Installation
from campaign.models import SignatureState
from campaign.services.exports import lists
from campaign.services.exports.age_lists import Opening, encrypt_list, open_list
from campaign.services.exports.rows import Format, Row
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.people import add_readers, confirm_all, find_petition, sign

ONE, OTHER, STRANGER = (OrganizerKey.fresh() for _ in range(3))
NAMES = ["=cmd|' /C calc'!A0", "Айгерім", 'Line\nend, "quoted"', "李"]
HEAD = {"kind": "campaign list, version 1", "list": "subscribers", "rows": 1}
READER = {"address": "a@example.org", "language": "en", "since": "2026-11-23"}


def exported(installation: Installation, chosen: str, to: Sequence[OrganizerKey]) -> bytes:
    file = io.BytesIO()
    petition = find_petition(installation)
    wanted = lists.want(petition, chosen, lists.AGE, SignatureState.CONFIRMED)
    with installation.database.snapshots() as session:
        rows = lists.list_wanted(session, installation.vault, petition, wanted)
        total = lists.count_list(session, petition, wanted)
        lists.write_encrypted(rows, total, wanted, file, to=[key.public for key in to])
    return file.getvalue()


def opened(content: bytes, *keys: OrganizerKey, kind: Format = Format.JSONL, partial: bool = False) -> str:
    """What comes out; ``began`` and ``came`` are told of every row."""
    target = io.BytesIO()
    began: list[int] = []
    came: list[int] = []
    opening = Opening(keys, target, kind, began.append, came.append)
    open_list(io.BytesIO(content), opening, partial=partial)
    assert began == [sum(came)] == [opening.rows]
    return target.getvalue().decode("utf-8-sig")


def encrypted(*lines: object) -> bytes:
    """An age file of anybody's making: to encrypt to a public key everybody can."""
    file = io.BytesIO()
    plain = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    encrypt_file(io.BytesIO(plain), file, [ONE.public])
    return file.getvalue()


@pytest.mark.parametrize("sealed", [True, False])
def test_a_list_opens_back_by_each_key_it_is_for(installation: Installation, sealed: bool) -> None:
    if sealed:
        seal_petition(installation, ONE, OTHER)
    for number, name in enumerate(NAMES):
        sign(installation, f"person{number}@example.org", name=name, place="Aktau", comment=name, country="KZ")
    confirm_all(installation)
    content = exported(installation, "signatures", [ONE, OTHER])
    for key in (ONE, OTHER):
        rows = [json.loads(line) for line in opened(content, key).splitlines()]
        assert [(row["number"], row["name"], row["place"], row["comment"]) for row in rows] == [
            (number, name, "Aktau", name) for number, name in enumerate(NAMES, 1)
        ]
        table = list(csv.DictReader(io.StringIO(opened(content, key, kind=Format.CSV), newline="")))
        assert [row["name"] for row in table] == ["'" + NAMES[0], *NAMES[1:]]
        assert {row["country"] for row in table} == {"KZ"}
        assert not set(table[0]) & {"sealed", "row"}
    with pytest.raises(OrganizerKeyError, match="not encrypted to this key"):
        opened(content, STRANGER)


def test_the_readers_of_a_sealed_petition_are_an_age_file_too(sqlite_installation: Installation) -> None:
    seal_petition(sqlite_installation, ONE)
    assert (
        lists.want(find_petition(sqlite_installation), "subscribers", "csv", SignatureState.CONFIRMED).format
        == lists.AGE
    )
    add_readers(sqlite_installation, "a@example.org", "b@example.org")
    rows = [json.loads(line) for line in opened(exported(sqlite_installation, "subscribers", [ONE]), ONE).splitlines()]
    assert sorted(row["address"] for row in rows) == ["a@example.org", "b@example.org"]


def test_an_empty_list_has_its_headings(sqlite_installation: Installation) -> None:
    assert opened(exported(sqlite_installation, "signatures", [ONE]), ONE, kind=Format.CSV).startswith("number,name,")


def test_names_that_were_sealed_to_a_key_of_before_need_that_key(sqlite_installation: Installation) -> None:
    for key, name in ((ONE, "First"), (OTHER, "Second")):
        seal_petition(sqlite_installation, key)
        sign(sqlite_installation, f"{name}@example.org", name=name)
        confirm_all(sqlite_installation)
    content = exported(sqlite_installation, "signatures", [OTHER])
    with pytest.raises(OrganizerKeyError, match="1 of 2 names were sealed to other keys"):
        opened(content, OTHER)
    for keys, partial, names in (((OTHER, ONE), False, ["First", "Second"]), ((OTHER,), True, ["", "Second"])):
        rows = [json.loads(line) for line in opened(content, *keys, partial=partial).splitlines()]
        assert [row["name"] for row in rows] == names


def test_many_rows_come_out_in_order_and_once() -> None:
    rows: list[Row] = [{**READER, "address": f"reader{number}@example.org"} for number in range(2500)]
    file = io.BytesIO()
    encrypt_list(iter(rows), {"list": "subscribers", "rows": len(rows)}, file, [ONE.public])
    out = opened(file.getvalue(), ONE, kind=Format.CSV)
    assert [row["address"] for row in csv.DictReader(io.StringIO(out))] == [row["address"] for row in rows]


SEALED = seal_to([ONE.public], b'{"name": "A", "rank": 1}', row="signature:1")


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("text",),
        (b"\xff\xfe\n",),
        ([HEAD],),
        ({"kind": HEAD["kind"]},),
        ({**HEAD, "kind": "campaign list, version 2"},),
        ({**HEAD, "list": "keys"},),
        ({**HEAD, "list": ["signatures"]},),
        ({**HEAD, "rows": "many"},),
        (HEAD, {}),
        (HEAD, None),
        (HEAD, {**READER, "address": {"a": 1}}),
        (HEAD, {**READER, "address": "\ud800"}),
        (HEAD, READER, b'{"address":'),
        (HEAD, b"[" * 100_000 + b"\n"),
        (HEAD, b"x" * 70_000),
        (HEAD, {**READER, "sealed": 1, "row": "r"}),
        (HEAD, {**READER, "sealed": "%%", "row": "r"}),
        (HEAD, {**READER, "sealed": SEALED.hex(), "row": "r"}),
        (HEAD, {**READER, "sealed": "AAA="}),
        (HEAD, {**READER, "sealed": "AQAA", "row": "signature:1"}),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_with_a_sentence(lines: tuple[object, ...]) -> None:
    with pytest.raises(CampaignError) as refused:
        opened(encrypted(*lines), ONE)
    assert isinstance(refused.value, InvalidFile | OrganizerKeyError)
