"""Exports: whole, in order, readable by machines, harmless in a spreadsheet, and never with a signer's address."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.installation.wiring import Installation
from campaign.models import Display, SignatureState
from campaign.services.exports.rows import (
    SIGNATURE_COLUMNS,
    SUBSCRIBER_COLUMNS,
    Format,
    Row,
    count_signatures,
    list_signatures,
    list_subscribers,
    safe_cell,
    write_rows,
)
from campaign.services.petitions.store import get_text_version
from tests.scenes.people import (
    add_readers,
    confirm,
    confirm_all,
    disown,
    find_petition,
    sign,
    unsubscribe,
)


def rows_of(installation: Installation, state: SignatureState = SignatureState.CONFIRMED) -> list[Row]:
    with installation.database.snapshots() as session:
        petition = find_petition(installation)
        rows = list(list_signatures(session, installation.vault, petition, state))
        assert count_signatures(session, petition, state) == len(rows)
    return rows


def parse(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def unguarded(cell: str) -> str:
    return cell.removeprefix("'")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", " =", "\u00a0=", "  @"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    ("value", "cell"), [("Aigerim", "Aigerim"), ("Anna-Maria", "Anna-Maria"), (None, ""), (17, "17"), ("a=b", "a=b")]
)
def test_what_is_no_formula_stays_as_it_is(value: str | int | None, cell: str) -> None:
    assert safe_cell(value) == cell


# What a checked form can hold: no NUL and no lone carriage return (they are refused, `clean_comment`).
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=30)


@given(st.lists(st.tuples(texts, texts)))
def test_csv_parses_back_to_the_same_but_for_the_guard(pairs: list[tuple[str, str]]) -> None:
    rows: list[Row] = [{"one": one, "two": two} for one, two in pairs]
    parsed = parse(b"".join(write_rows(rows, ("one", "two"), Format.CSV)))
    assert [(row["one"], row["two"]) for row in parsed] == [(safe_cell(one), safe_cell(two)) for one, two in pairs]
    assert not any(
        cell.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠"))
        for row in parsed
        for cell in row.values()
    )


@given(st.lists(st.fixed_dictionaries({"one": texts, "two": st.none() | st.integers() | texts})))
def test_jsonl_parses_back_to_the_same(rows: list[dict[str, Any]]) -> None:
    lines = b"".join(write_rows(rows, ("one", "two"), Format.JSONL)).split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == rows


def test_a_long_list_is_written_piece_by_piece_and_whole() -> None:
    def rows() -> Iterator[Row]:
        for number in range(5000):
            yield {"one": number, "two": "Қ" * 50}

    pieces = list(write_rows(rows(), ("one", "two"), Format.CSV))
    assert len(pieces) > 2
    assert [int(row["one"]) for row in parse(b"".join(pieces))] == list(range(5000))


def test_the_list_has_what_was_signed_and_no_address(installation: Installation) -> None:
    sign(
        installation,
        "secret@hidden.example.org",
        name="=Aigerim",
        place="Aktau",
        comment='Two\nlines, "quoted"',
        country="KZ",
        language="kk",
        display=Display.INITIALS,
        updates=True,
    )
    confirm(installation, "secret@hidden.example.org")
    with installation.database.snapshots() as session:
        version = get_text_version(session, find_petition(installation), "kk")
    expected = {
        "number": "1",
        "name": "=Aigerim",
        "country": "KZ",
        "place": "Aktau",
        "comment": 'Two\nlines, "quoted"',
        "language": "kk",
        "day": "2026-11-23",
        "text_version": version.short_digest,
        "display": "initials",
    }
    as_csv = b"".join(write_rows(rows_of(installation), SIGNATURE_COLUMNS, Format.CSV))
    as_jsonl = b"".join(write_rows(rows_of(installation), SIGNATURE_COLUMNS, Format.JSONL))
    (row,) = parse(as_csv)
    assert {key: unguarded(value) for key, value in row.items()} == expected
    assert row["name"] == "'=Aigerim"
    assert json.loads(as_jsonl) == {**expected, "number": 1}
    assert not any(word in content for content in (as_csv, as_jsonl) for word in (b"secret", b"hidden.example"))


def test_numbers_run_from_one_without_a_gap_in_the_order_of_confirming(installation: Installation) -> None:
    for number in range(5):
        sign(installation, f"p{number}@example.org", name=f"P{number}")
    for number in (3, 1, 4):
        confirm(installation, f"p{number}@example.org")
    confirm_all(installation)
    rows = rows_of(installation)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["name"] for row in rows] == ["P3", "P1", "P4", "P0", "P2"]


def test_each_state_has_its_own_list_and_the_erased_have_no_name(installation: Installation) -> None:
    for name in ("pending", "confirmed", "withdrawn", "expired"):
        sign(installation, f"{name}@example.org", name=name, country="KZ", comment=name)
        if name in {"confirmed", "withdrawn"}:
            confirm(installation, f"{name}@example.org")
        if name in {"withdrawn", "expired"}:
            disown(installation, f"{name}@example.org")
    lists = {state: [(row["number"], row["name"]) for row in rows_of(installation, state)] for state in SignatureState}
    assert lists == {
        SignatureState.PENDING: [(None, "pending")],
        SignatureState.CONFIRMED: [(1, "confirmed")],
        SignatureState.WITHDRAWN: [(2, "")],
        SignatureState.EXPIRED: [(None, "")],
        SignatureState.INVALIDATED: [],
        SignatureState.QUARANTINED: [],
    }
    assert rows_of(installation, SignatureState.WITHDRAWN)[0]["comment"] is None


def test_subscribers_are_listed_with_their_address_until_they_leave(installation: Installation) -> None:
    add_readers(installation, "Stays@example.org", "leaves@example.org")
    add_readers(installation, "kk@example.org", language="kk")
    sign(installation, "pending@example.org", updates=True)
    unsubscribe(installation, "leaves@example.org")
    with installation.database.snapshots() as session:
        rows = list(list_subscribers(session, installation.vault, find_petition(installation)))
    assert sorted(tuple(row[column] for column in SUBSCRIBER_COLUMNS) for row in rows) == [
        ("Stays@example.org", "en", "2026-11-23"),
        ("kk@example.org", "kk", "2026-11-23"),
    ]


def test_a_csv_begins_with_the_mark_by_which_a_spreadsheet_knows_its_letters() -> None:
    row: Row = {"name": "Әйгерім"}
    with_headings = b"".join(write_rows([row], ("name",), Format.CSV))
    assert with_headings == b"\xef\xbb\xbf" + "name\r\nӘйгерім\r\n".encode()
    assert b"".join(write_rows([row], ("name",), Format.CSV, headings=False)) == "Әйгерім\r\n".encode()
    assert b"".join(write_rows([row], ("name",), Format.JSONL)).startswith(b"{")
