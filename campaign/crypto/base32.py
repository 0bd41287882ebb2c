"""Base 32, five bits a character: the only place that knows its alphabets.

Crockford's alphabet is for codes that people read from paper or a mail and type. It has no letter that looks like a
digit, so a person may type O for 0, I or L for 1, any case, spaces and hyphens, and a Cyrillic or Greek letter for the
Latin one that looks the same. The alphabet of RFC 4648 §6 is for text that programs read: the secret of an
authenticator app, an organizer's key line.
"""

import base64
import unicodedata

from campaign.text.invisible import without_invisible

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC_4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_CROCKFORD = str.maketrans(_RFC_4648, ALPHABET)
_FROM_CROCKFORD = str.maketrans(ALPHABET, _RFC_4648)
_LOOKALIKES = str.maketrans(
    # Latin, then Cyrillic, then Greek capitals, above the character of a code that looks the same.
    "OIL" "АВЕЗКМНОРСТУҮХЅІӀЈԚԜҺ" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "011" "ABE3KMH0PCTYYXS11JQWH" "ABEZH1KMN0PTYX",
)  # fmt: skip


def normalize(typed: str) -> str:
    """The code that was typed, as it is printed but without groups.

    Spaces, punctuation and invisible characters are left out, and characters of full width become plain ones. Any other
    character that is in no code stays as it is.
    """
    plain = unicodedata.normalize("NFKC", without_invisible(typed)).upper().translate(_LOOKALIKES)
    return "".join(
        character for character in plain if unicodedata.category(character)[0] not in "ZP" and not character.isspace()
    )


def group(code: str, size: int, *, by: str = "-") -> str:
    """The code in groups of ``size`` characters, which the eye can hold; the last one may be shorter."""
    return by.join(code[start : start + size] for start in range(0, len(code), size))


def encode(data: bytes) -> str:
    """``data`` in Crockford's alphabet, without padding."""
    return encode_rfc4648(data).translate(_TO_CROCKFORD)


def decode(typed: str) -> bytes:
    """The bytes of a code, however a person typed it. Raises ValueError for another character or a wrong length."""
    code = normalize(typed)
    if set(code) - set(ALPHABET):
        raise ValueError("a character that is in no code")
    return decode_rfc4648(code.translate(_FROM_CROCKFORD))


def encode_number(number: int, length: int) -> str:
    """The lowest ``length`` times five bits of ``number`` in Crockford's alphabet, the lowest bits first."""
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in range(length))


def encode_rfc4648(data: bytes) -> str:
    """``data`` in the alphabet of RFC 4648 §6, in capitals and without padding."""
    return base64.b32encode(data).decode().rstrip("=")


def decode_rfc4648(code: str) -> bytes:
    """The bytes of a code in the alphabet of RFC 4648 §6, in capitals or not. Raises ValueError if it is none."""
    return base64.b32decode(code + "=" * (-len(code) % 8), casefold=True)
