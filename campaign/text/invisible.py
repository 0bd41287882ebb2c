"""Characters that nobody sees and nobody typed: they come along when text is copied, and are removed.

The list is a table of this module and not a category of Python's ``unicodedata``: that one is as old as Python, and
some characters of its category “format” are visible, such as the Arabic number sign.
"""

import re
import unicodedata

# The characters of Unicode's property Default_Ignorable_Code_Point (DerivedCoreProperties.txt, 16.0), and the marks of
# annotations and of pictures that were left out (U+FFF9 to U+FFFC). Not among them: the two joiners, which Persian,
# Hindi and families of emoji need; selectors of a letter's form, which are marks; and tags.
_REMOVED = (
    "\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# Tags after a black flag make the flag of a region (UTS 51, ED-14a). Any other tag is invisible.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_JOINERS = "\u200c\u200d"
_UNSEEN = re.compile(f"({_FLAG})|[{_REMOVED}]")
# A joiner joins nothing if no character stands before it.
_LOOSE_JOINERS = re.compile(rf"(?:(?<=[\s{_JOINERS}])|^)[{_JOINERS}]+")
# These 66 code points are never characters (Unicode, chapter 23.7). Any other unassigned one may be next year's emoji.
_NONCHARACTERS = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)) + "]"
)


def without_invisible(text: str) -> str:
    """``text`` without the characters that nobody sees. Direction marks are among them, so no line of it is turned."""
    return _LOOSE_JOINERS.sub("", _UNSEEN.sub(lambda found: found[1] or "", text))


def has_unprintable(text: str, *, allowed: str = "") -> bool:
    """Whether ``text`` has a character that no page can show: a control character, a surrogate, a separator of lines,
    a character of private use, one that could not be decoded, or a code point that is no character."""
    kinds = {"Cc", "Cs", "Co", "Zl", "Zp"}
    return (
        "\ufffd" in text
        or _NONCHARACTERS.search(text) is not None
        or any(unicodedata.category(character) in kinds and character not in allowed for character in text)
    )
