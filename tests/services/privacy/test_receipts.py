"""Receipts: what they tell, however they are typed, and that those written by older versions are read for ever."""

from datetime import date

import pytest

from campaign.crypto.keyring import Keyring
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput
from campaign.services.privacy.receipts import Receipt, read_receipt, write_receipt

VAULT = Vault(Keyring(sealing={1: bytes(32)}, lookup=b"l" * 32, links=bytes(range(64)), sessions=b"s" * 32))
WRITTEN = {
    "000001-R9VVTS-D47GVA-94DFKG": Receipt(7, date(2026, 12, 1)),
    "000000-08J5TE-WSP4MN-HTZ0M0": Receipt(None, date(2026, 1, 2)),
}


@pytest.mark.parametrize(("code", "receipt"), WRITTEN.items())
def test_a_receipt_is_what_it_was_and_is_read_however_it_is_typed(code: str, receipt: Receipt) -> None:
    assert write_receipt(VAULT, receipt) == code
    confused = code.replace("0", "o").replace("1", "I")
    for typed in (code, code.lower(), code.replace("-", " "), f" {confused} ", confused.replace("I", "l")):
        assert read_receipt(VAULT, typed) == receipt


def test_a_receipt_with_one_other_character_is_refused() -> None:
    for code in WRITTEN:
        for place, character in enumerate(code):
            if character != "-":
                for other in set("0123456789ABCDEFGHJKMNPQRSTUVWXYZ*=") - {character}:
                    with pytest.raises(InvalidInput, match="has not written this receipt"):
                        read_receipt(VAULT, code[:place] + other + code[place + 1 :])
