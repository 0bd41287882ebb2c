"""A petition's colour, and whether black or white letters can be read on it."""

import re
from collections.abc import Mapping

DEFAULT = "#8f1d2c"
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
DARK, LIGHT = "#111111", "#ffffff"


def colour_of(look: Mapping[str, str]) -> str:
    """The colour that a petition's look names, as #rrggbb; ours where it names none."""
    named = look.get("colour", DEFAULT)
    return named if _COLOUR.fullmatch(named) else DEFAULT


def ink_on(colour: str) -> str:
    """Black or white, whichever stands out more on ``colour`` (WCAG 2.2, contrast ratio): at least 4.5 to 1."""
    luminance = _luminance(colour)
    return LIGHT if (1.05 / (luminance + 0.05)) >= ((luminance + 0.05) / (_luminance(DARK) + 0.05)) else DARK


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
