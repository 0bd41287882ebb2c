"""Base 32: what was encoded is decoded, however it was typed; codes that were given out before still read the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.crypto.base32 import (
    ALPHABET,
    decode,
    decode_rfc4648,
    encode,
    encode_number,
    encode_rfc4648,
    group,
    normalize,
)


@given(st.binary(max_size=40))
def test_a_code_is_decoded_however_it_is_typed(data: bytes) -> None:
    code = encode(data)
    assert set(code) <= set(ALPHABET)
    confused = code.replace("0", "O").replace("1", "l")
    for typed in (code, code.lower(), group(code, 4), f" {group(code, 6, by=' ')} ", confused, confused.lower()):
        assert decode(typed) == data
    standard = encode_rfc4648(data)
    assert "=" not in standard
    assert decode_rfc4648(standard) == decode_rfc4648(standard.lower()) == data


@given(st.integers(0, 2**60 - 1))
def test_a_number_is_written_with_its_lowest_bits_first(number: int) -> None:
    code = encode_number(number, 12)
    assert sum(ALPHABET.index(character) << (5 * place) for place, character in enumerate(code)) == number


@pytest.mark.parametrize(
    ("data", "crockford", "standard"),
    [
        # RFC 4648 §10, and the same bits in Crockford's alphabet.
        (b"", "", ""),
        (b"f", "CR", "MY"),
        (b"fo", "CSQG", "MZXQ"),
        (b"foo", "CSQPY", "MZXW6"),
        (b"foob", "CSQPYRG", "MZXW6YQ"),
        (b"fooba", "CSQPYRK1", "MZXW6YTB"),
        (b"foobar", "CSQPYRK1E8", "MZXW6YTBOI"),
    ],
)
def test_the_alphabets_are_those_that_others_write(data: bytes, crockford: str, standard: str) -> None:
    assert (encode(data), encode_rfc4648(data)) == (crockford, standard)


@pytest.mark.parametrize("typed", ["U", "CU", "C*", "ключ", "C\0", "CSQPYRK1E8=", "CR======", "C", "\udc80"])
def test_text_that_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(typed)


@pytest.mark.parametrize("typed", ["M1", "M", "MZ!Q", "ключ", "\udc80"])
def test_text_that_is_no_code_of_the_standard_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_rfc4648(typed)


def test_what_is_typed_is_read_as_it_is_printed() -> None:
    assert normalize("o i-l u+") == "011U+"
    for typed in (
        "036РЕХ",
        "036рех",
        "０３６ＰＥＸ",
        "036\u00a0pex.",
        "«036—PEX»",
        "\u200e036\u00adPEX\ufeff",
        "ОЗ6 ΡΕΧ",
    ):
        assert normalize(typed) == "036PEX"
    assert group("ABCDEFGHIJK", 4) == "ABCD-EFGH-IJK"
