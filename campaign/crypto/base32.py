"""Crockford's base 32, for codes that people read from paper or a mail and type: five bits a character.

No letter of it is read as a digit: what is typed may have O for 0, I or L for 1, any case, spaces and hyphens.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011", " -")


def normalize(typed: str) -> str:
    """What was typed, as it is printed; a character that is in no code stays as it is."""
    return typed.upper().translate(_LOOKALIKES)
