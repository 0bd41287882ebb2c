"""A petition's colour, and those shades of it that people can read (WCAG 2.2: a contrast of at least 4.5 to 1)."""

import re
from collections.abc import Mapping
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass
from typing import Self

AA = 4.5
PAPER, NIGHT, WHITE = "#fffdfa", "#161412", "#ffffff"
DEFAULT, DARK = "#8f1d2c", "#111111"
_STEP = 0.01


@dataclass(frozen=True)
class Colour:
    """Red, green and blue (sRGB), each from 0 to 1."""

    red: float
    green: float
    blue: float

    @classmethod
    def read(cls, written: str) -> Self:
        """The colour written as ``#rrggbb``. Raises ValueError if the text has another form."""
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", written):
            raise ValueError("is not a colour like #8f1d2c")
        return cls(*(int(written[place : place + 2], 16) / 255 for place in (1, 3, 5)))

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in (self.red, self.green, self.blue))

    @property
    def luminance(self) -> float:
        """Relative luminance, as WCAG 2.2 defines it."""
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (self.red, self.green, self.blue)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: "Colour") -> float:
        """The contrast (WCAG 2.2): from 1, for equal colours, to 21, for black and white."""
        dark, light = sorted((self.luminance, other.luminance))
        return (light + 0.05) / (dark + 0.05)

    def readable_on(self, ground: str) -> "Colour":
        """The nearest shade of the same hue that people can read on the background ``ground``."""
        behind = Colour.read(ground)
        step = _STEP if behind.luminance < 0.18 else -_STEP
        hue, lightness, saturation = rgb_to_hls(self.red, self.green, self.blue)
        shade = self
        while Colour.read(str(shade)).contrast(behind) < AA and 0 <= lightness + step <= 1:
            lightness += step
            shade = Colour(*hls_to_rgb(hue, lightness, saturation))
        return Colour.read(str(shade))


@dataclass(frozen=True)
class Palette:
    """Three shades of one colour.

    ``ink`` is for words and links on a light page, ``night_ink`` for those on a dark page, ``button`` is the ground of
    white words.
    """

    ink: str
    night_ink: str
    button: str

    @classmethod
    def of(cls, written: str) -> Self:
        """The palette of the colour written as ``#rrggbb``. Raises ValueError if the text is no colour."""
        colour = Colour.read(written)
        return cls(str(colour.readable_on(PAPER)), str(colour.readable_on(NIGHT)), str(colour.readable_on(WHITE)))


def colour_of(look: Mapping[str, str]) -> str:
    """The colour that a petition's look names, as #rrggbb; the program's own if it names none."""
    return look.get("colour", DEFAULT)


def ink_on(colour: str) -> str:
    """Black or white: the one with the greater contrast to ``colour``, which is at least 4.5 to 1."""
    ground = Colour.read(colour)
    return max((WHITE, DARK), key=lambda ink: ground.contrast(Colour.read(ink)))
