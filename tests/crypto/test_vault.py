"""The vault: what is sealed opens only in its place with its keys, and a link is nobody's to make but ours."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from campaign.crypto.keyring import Keyring
from campaign.crypto.vault import CODE_LENGTH, TOKEN_LENGTH, Vault
from campaign.errors import KeyringError, LinkUnknown
from campaign.text.email_address import parse_email_address

KEYS = Keyring.fresh()
VAULT = Vault(KEYS)
OTHER = Vault(Keyring.fresh())
ids = st.integers(1, 2**63 - 1)
rows = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
purposes = st.sampled_from(["confirm", "unsubscribe", "message", "welcome:abc"])


@given(st.binary(max_size=2000), rows)
def test_what_was_sealed_opens(plain: bytes, row: str) -> None:
    sealed = VAULT.seal(plain, row=row)
    assert VAULT.open(sealed, row=row) == plain
    assert VAULT.seal(plain, row=row) != sealed


@given(st.binary(max_size=100), rows, rows)
def test_what_was_sealed_opens_in_no_other_row(plain: bytes, row: str, other: str) -> None:
    assume(row != other)
    with pytest.raises(KeyringError):
        VAULT.open(VAULT.seal(plain, row=row), row=other)


@given(st.binary(max_size=100), st.data())
def test_a_changed_byte_or_another_keyring_opens_nothing(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(plain, row="signature:1"))
    with pytest.raises(KeyringError, match="signature:1"):
        OTHER.open(bytes(sealed), row="signature:1")
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeyringError):
        VAULT.open(bytes(sealed), row="signature:1")


@given(st.binary(max_size=40))
def test_bytes_that_were_never_sealed_open_nothing(junk: bytes) -> None:
    with pytest.raises(KeyringError):
        VAULT.open(junk, row="signature:1")


def test_after_a_new_key_the_old_data_still_opens() -> None:
    sealed = VAULT.seal(b"Aigerim", row="signature:1")
    rotated = Vault(replace(KEYS, sealing={**KEYS.sealing, 2: Keyring.fresh().sealing[1]}))
    assert rotated.open(sealed, row="signature:1") == b"Aigerim"
    assert rotated.seal(b"Aigerim", row="signature:1")[0] == 2
    with pytest.raises(KeyringError):
        VAULT.open(rotated.seal(b"Aigerim", row="signature:1"), row="signature:1")


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("a@example.org", " A@EXAMPLE.ORG ", True),
        ("a@bücher.example.org", "a@xn--bcher-kva.example.org", True),
        ("a@example.org", "b@example.org", False),
        ("a@example.org", "a+b@example.org", False),
        ("a@example.org", "a@example.com", False),
    ],
)
def test_a_fingerprint_is_of_the_address_not_of_its_spelling(one: str, two: str, same: bool) -> None:
    first, second = (VAULT.fingerprint(parse_email_address(each)) for each in (one, two))
    assert (first == second) is same
    assert len(first) == 32
    assert first != OTHER.fingerprint(parse_email_address(one))


@given(ids, purposes)
def test_a_token_is_stable_opaque_and_leads_back(row_id: int, purpose: str) -> None:
    token = VAULT.token(purpose, row_id)
    assert token == VAULT.token(purpose, row_id)
    assert VAULT.read_token(purpose, token) == row_id
    assert len(token) == TOKEN_LENGTH == 33
    assert token[-1].isalpha()
    assert all(character.isascii() and (character.isalnum() or character in "-_") for character in token)


@given(ids, purposes, purposes)
def test_a_token_is_bound_to_its_purpose_and_keyring(row_id: int, purpose: str, other: str) -> None:
    with pytest.raises(LinkUnknown):
        OTHER.read_token(purpose, VAULT.token(purpose, row_id))
    assume(purpose != other)
    with pytest.raises(LinkUnknown):
        VAULT.read_token(other, VAULT.token(purpose, row_id))


@given(ids, st.integers(0, 32), st.characters())
def test_a_token_with_one_character_changed_is_unknown(row_id: int, place: int, character: str) -> None:
    token = VAULT.token("confirm", row_id)
    tampered = token[:place] + character + token[place + 1 :]
    assume(tampered != token)
    with pytest.raises(LinkUnknown):
        VAULT.read_token("confirm", tampered)


@given(ids)
def test_a_token_of_an_older_mail_is_read_without_its_last_letter(row_id: int) -> None:
    """Mails that were sent before tokens ended in a letter stay good; a bookmark may have either."""
    assert VAULT.read_token("confirm", VAULT.token("confirm", row_id)[:-1]) == row_id


@pytest.mark.parametrize("cut", ["-", "_"])
def test_an_older_token_is_read_that_a_mail_program_cut(cut: str) -> None:
    """Sylpheed, Evolution and Thunderbird leave a final “-” or “_” out of a link."""
    row_id = next(each for each in range(1, 9999) if VAULT.token("confirm", each)[:-1].endswith(cut))
    shortened = VAULT.token("confirm", row_id)[:-2]
    assert VAULT.read_token("confirm", shortened) == row_id
    for wrong in (shortened[:-1], shortened + "A", shortened + "=", shortened + cut + cut, shortened[:-1] + "A"):
        with pytest.raises(LinkUnknown):
            VAULT.read_token("confirm", wrong)


def test_no_other_character_is_guessed() -> None:
    """A token without its last character is read if this was “-” or “_”: 2 of 64, and no more."""
    rows = range(2000)
    assert [row for row in rows if _is_read(VAULT.token("confirm", row)[:31])] == [
        row for row in rows if VAULT.token("confirm", row)[31] in "-_"
    ]
    assert not any(_is_read(VAULT.token("confirm", row)[:30]) for row in rows)


def _is_read(token: str) -> bool:
    try:
        VAULT.read_token("confirm", token)
    except LinkUnknown:
        return False
    return True


@given(st.one_of(st.text(max_size=60), st.text("ABCab01-_=", min_size=28, max_size=36)))
def test_any_other_text_is_an_unknown_link(text: str) -> None:
    with pytest.raises(LinkUnknown):
        VAULT.read_token("confirm", text)


@given(ids)
def test_a_code_matches_itself_and_not_another(row_id: int) -> None:
    code = VAULT.code(row_id)
    assert len(code) == CODE_LENGTH == 6
    assert VAULT.code_matches(row_id, code)
    assert VAULT.code_matches(row_id, f"{code[:3]} - {code[3:]}".lower())
    assert not VAULT.code_matches(row_id, code[:-1])
    assert not VAULT.code_matches(row_id, code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert not any(letter in code for letter in "OIL")
    assert code not in VAULT.token("confirm", row_id)


@given(ids, st.text(max_size=12))
def test_any_text_can_be_compared_with_a_code(row_id: int, typed: str) -> None:
    if VAULT.code_matches(row_id, typed):
        assert len([character for character in typed if character not in " -"]) == CODE_LENGTH


def test_codes_that_stand_in_mails_stay_what_they_are() -> None:
    vault = Vault(Keyring(sealing={1: bytes(32)}, lookup=b"l" * 32, links=bytes(range(64)), sessions=b"s" * 32))
    assert (vault.code(1), vault.code(2**63 - 1)) == ("8ZTMDY", "5BAMBE")


def test_a_browser_mark_is_of_the_address_and_the_petition() -> None:
    one, two = (VAULT.fingerprint(parse_email_address(f"{name}@example.org")) for name in "ab")
    marks = {VAULT.browser_mark(petition, fingerprint) for petition in (1, 2) for fingerprint in (one, two)}
    assert len(marks) == 4
    assert VAULT.browser_mark(1, one) in marks


def test_a_keyring_is_kept_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    KEYS.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.read(path) == KEYS


def test_a_keyring_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    KEYS.write(path)
    with pytest.raises(KeyringError, match="never overwritten"):
        Keyring.fresh().write(path)
    assert Keyring.read(path) == KEYS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601])
def test_a_keyring_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keyring.json"
    KEYS.write(path)
    path.chmod(mode)
    with pytest.raises(KeyringError, match=f"chmod 600 {path}"):
        Keyring.read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"sealing": {"1": "AA=="}}',
        b'{"sealing": {}, "lookup": "AA==", "links": "AA==", "sessions": "AA=="}',
        b'{"sealing": {"1": "AA=="}, "lookup": "AA==", "links": "AA==", "sessions": "AA=="}',
        b'{"sealing": [], "lookup": "AA==", "links": "AA==", "sessions": "AA=="}',
    ],
)
def test_a_file_that_is_no_keyring_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keyring.json"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(KeyringError, match="copy back"):
        Vault(Keyring.read(path))


def test_a_keyring_that_is_missing_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="campaign init"):
        Keyring.read(tmp_path / "keyring.json")


def test_a_keyring_in_a_folder_where_others_could_replace_it_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    path = folder / "keyring.json"
    KEYS.write(path)
    for mode in (0o770, 0o702, 0o777):
        folder.chmod(mode)
        with pytest.raises(KeyringError, match=f"chmod go-w {folder}"):
            Keyring.read(path)
    for mode in (0o755, 0o1777):  # a sticky folder lets nobody replace what is another's
        folder.chmod(mode)
        assert Keyring.read(path) == KEYS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_keyring_that_belongs_to_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    KEYS.write(path)
    os.chown(path, 12345, -1)
    with pytest.raises(KeyringError, match="belongs to another user"):
        Keyring.read(path)


def test_a_folder_in_the_place_of_a_keyring_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="cannot be read: Is a directory"):
        Keyring.read(tmp_path)
    with pytest.raises(KeyringError, match="cannot be read: Not a directory"):
        Keyring.read(Path("/dev/null/keyring.json"))


def test_a_keyring_that_cannot_be_replaced_stays_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    KEYS.write(path)
    path.with_name("keyring.json.new").mkdir()
    with pytest.raises(KeyringError, match="cannot be replaced"):
        KEYS.with_new_key().replace(path)
    assert Keyring.read(path) == KEYS
