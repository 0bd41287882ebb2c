"""Codes of lines on paper: read however they are typed, and every slip of the pen is found."""

from itertools import combinations

import pytest

from campaign.crypto.base32 import ALPHABET
from campaign.crypto.paper_codes import new_code, read_code, spell
from campaign.errors import InvalidInput


def is_code(typed: str) -> bool:
    try:
        read_code(typed)
    except InvalidInput as refused:
        return refused.field != "code"
    return True


def test_a_code_is_read_however_it_is_typed() -> None:
    for code in (new_code() for _ in range(200)):
        assert len(code) == 11
        confused = code.replace("0", "O").replace("1", "l")
        assert {read_code(typed) for typed in (code, spell(code), f" {spell(code).lower()} ", confused)} == {code}


def test_every_wrong_character_and_every_two_that_changed_places_are_found() -> None:
    for code in (new_code() for _ in range(20)):
        for place in range(11):
            for other in set(ALPHABET) - {code[place]}:
                assert not is_code(code[:place] + other + code[place + 1 :])
        for one, two in combinations(range(11), 2):
            swapped = list(code)
            swapped[one], swapped[two] = code[two], code[one]
            assert is_code("".join(swapped)) is (code[one] == code[two])


@pytest.mark.parametrize("typed", ["", " ", "7K2M", "0" * 10, "0" * 12, "U" * 11, "ключ", "\x00" * 11, "7K2M-9QXW-4P*"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert not is_code(typed)


def test_codes_are_not_given_twice() -> None:
    assert len({new_code() for _ in range(5000)}) == 5000
