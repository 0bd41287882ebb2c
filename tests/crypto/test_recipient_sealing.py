"""What is sealed to organizers: each of them opens it, nobody else does, and no part of it can be moved or changed."""

import io
from contextlib import suppress

import pytest

from campaign.crypto.keyring import Keyring
from campaign.crypto.organizer_keys import OrganizerKey
from campaign.crypto.recipient_sealing import (
    decrypt_file,
    encrypt_file,
    is_sealed_to_organizers,
    open_sealed,
    seal_to,
)
from campaign.crypto.vault import Vault
from campaign.errors import KeyringError, OrganizerKeyError

KEYS = [OrganizerKey.fresh() for _ in range(3)]
ONE, OTHER, STRANGER = KEYS
TO = [ONE.public, OTHER.public]
PLAIN = "Айгерім".encode()


class Full:
    """A disk without room."""

    def write(self, piece: bytes, /) -> int:
        raise OSError(28, "No space left on device")


class Broken:
    """A list that cannot be read to its end."""

    def read(self, size: int = -1, /) -> bytes:
        raise LookupError("the database is gone")


def test_each_organizer_opens_it_and_a_third_does_not() -> None:
    sealed = seal_to(TO, PLAIN, row="signature:1")
    assert [open_sealed([key], sealed, row="signature:1") for key in KEYS] == [PLAIN, PLAIN, None]
    assert open_sealed([STRANGER, OTHER], sealed, row="signature:1") == PLAIN
    assert seal_to(TO, PLAIN, row="signature:1") != sealed


def test_the_keyring_does_not_open_it_and_what_the_keyring_seals_is_told_apart() -> None:
    vault = Vault(Keyring.fresh())
    sealed = seal_to(TO, PLAIN, row="signature:1")
    assert is_sealed_to_organizers(sealed)
    assert not is_sealed_to_organizers(vault.seal(PLAIN, row="signature:1"))
    assert not is_sealed_to_organizers(b"")
    with pytest.raises(KeyringError):
        vault.open(sealed, row="signature:1")
    with pytest.raises(OrganizerKeyError, match="not sealed to organizers"):
        open_sealed(KEYS, vault.seal(PLAIN, row="signature:1"), row="signature:1")


def test_in_another_row_or_changed_anywhere_it_does_not_open() -> None:
    sealed = seal_to([ONE.public], PLAIN, row="signature:1")
    with pytest.raises(OrganizerKeyError, match="another's place"):
        open_sealed([ONE], sealed, row="signature:2")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        for damaged in (bytes(changed), sealed[:place]):
            with suppress(OrganizerKeyError):
                assert open_sealed([ONE], damaged, row="signature:1") is None


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000])
def test_a_file_is_decrypted_by_each_of_those_it_is_for(size: int) -> None:
    plain, encrypted = bytes(range(256)) * (size // 256) + b"x" * (size % 256), io.BytesIO()
    encrypt_file(io.BytesIO(plain), encrypted, TO)
    assert encrypted.getvalue().startswith(b"age-encryption.org/v1\n")
    for keys in ([ONE], [OTHER], KEYS):
        decrypted = io.BytesIO()
        encrypted.seek(0)
        decrypt_file(encrypted, decrypted, keys)
        assert decrypted.getvalue() == plain
    encrypted.seek(0)
    with pytest.raises(OrganizerKeyError, match="not encrypted to this key"):
        decrypt_file(encrypted, io.BytesIO(), [STRANGER])


def test_a_damaged_or_truncated_file_is_noticed() -> None:
    file = io.BytesIO()
    encrypt_file(io.BytesIO(b"a" * 150_000), file, TO)
    whole = file.getvalue()
    damaged = [whole[:end] for end in (0, 10, 200, 70_000, len(whole) - 1)]
    damaged += [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in (5, 100, 80_000)]
    for content in [*damaged, whole + b"x", b"name,country\nAigerim,KZ\n"]:
        with pytest.raises(OrganizerKeyError):
            decrypt_file(io.BytesIO(content), io.BytesIO(), [ONE])


def test_trouble_of_the_reader_and_the_writer_comes_through_as_it_is() -> None:
    with pytest.raises(LookupError, match="database is gone"):
        encrypt_file(Broken(), io.BytesIO(), TO)
    with pytest.raises(OSError, match="No space left"):
        encrypt_file(io.BytesIO(b"a"), Full(), TO)
    file = io.BytesIO()
    encrypt_file(io.BytesIO(b"a"), file, TO)
    with pytest.raises(OSError, match="No space left"):
        decrypt_file(io.BytesIO(file.getvalue()), Full(), [ONE])
    with pytest.raises(LookupError, match="database is gone"):
        decrypt_file(Broken(), io.BytesIO(), [ONE])
