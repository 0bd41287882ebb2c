"""The code of a line on a paper sheet: ten random characters, and an eleventh that shows a slip of the pen.

The characters are numbers of the field with 32 elements. Each place has a weight of its own, and the eleventh character
makes the weighted sum zero. One wrong character, or two characters that changed places, make another sum, so every such
slip is found.
"""

from campaign.crypto.base32 import ALPHABET, group, normalize
from campaign.crypto.randomness import random_below
from campaign.errors import InvalidInput

_RANDOM = 10
_FIELD = 0b100101  # x⁵ + x² + 1, of which x is a primitive element
N_ = str  # marks a sentence for the translators; the page translates it


def _twice(number: int) -> int:
    """A number of the field, multiplied by x."""
    return number << 1 ^ (_FIELD if number & 16 else 0)


def _weigh(characters: str) -> int:
    sum_ = 0
    for character in characters:
        sum_ = _twice(sum_) ^ ALPHABET.index(character)
    return sum_


def new_code() -> str:
    """A code that nobody can guess: fifty random bits, and the eleventh character."""
    drawn = "".join(ALPHABET[random_below(len(ALPHABET))] for _ in range(_RANDOM))
    return drawn + ALPHABET[_twice(_weigh(drawn))]


def spell(code: str) -> str:
    """The code as it is printed, in groups of four characters."""
    return group(code, 4)


def read_code(typed: str) -> str:
    """The code that was typed from paper, however it is spelled. Raises InvalidInput for the field ``code``."""
    code = normalize(typed.strip())
    if len(code) != _RANDOM + 1 or set(code) - set(ALPHABET) or _weigh(code):
        raise InvalidInput(
            "code",
            N_("This is not a code from a sheet: one of its eleven characters is wrong or missing. Please compare it."),
        )
    return code
