"""Whatever colour a petition chooses, what is written in it can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.media.colours import AA, NIGHT, PAPER, WHITE, Colour, Palette


@given(st.integers(0, 0xFFFFFF))
def test_every_shade_can_be_read(number: int) -> None:
    palette = Palette.of(f"#{number:06x}")
    for shade, ground in ((palette.ink, PAPER), (palette.night_ink, NIGHT), (palette.button, WHITE)):
        assert Colour.read(shade).contrast(Colour.read(ground)) >= AA


def test_a_colour_that_can_be_read_is_left_as_it_is() -> None:
    assert Palette.of("#8F1D2C").button == "#8f1d2c"


def test_contrast_is_that_of_wcag() -> None:
    """Known pairs: black on white is 21, #767676 on white is the lightest grey that passes, 4.54."""
    white = Colour.read("#ffffff")
    assert Colour.read("#000000").contrast(white) == pytest.approx(21)
    assert Colour.read("#767676").contrast(white) == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("written", ["", "red", "#fff", "#8f1d2", "#8f1d2cc", "#8f1d2g", "8f1d2c", "#8f1d2c\n"])
def test_what_is_no_colour_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a colour"):
        Colour.read(written)
