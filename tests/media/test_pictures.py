"""Pictures: known by what they are, and without what a camera wrote into them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.media.pictures import MOST_BYTES, read_picture
from tests.scenes.pictures import png, png_chunk

SECRET = b"GPS 43.3422, 52.8619; telephone of A. Serikova"


def segment(kind: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data


def jpeg(width: int, height: int) -> bytes:
    """The pieces of a JPEG in their order, with everything in it that a telephone writes."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    told = segment(0xE1, b"Exif\0\0" + SECRET) + segment(0xE2, b"MPF\0" + SECRET) + segment(0xED, SECRET)
    kept = segment(0xE0, b"JFIF\0") + segment(0xE2, b"ICC_PROFILE\0colours") + frame
    return b"\xff\xd8" + kept + told + segment(0xFE, SECRET) + b"\xff\xda\0\x02pixels\xff\xd9" + SECRET


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    pixels = chunk(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"pixels")
    body = b"WEBP" + chunk(b"VP8X", b"\x3c\0\0\0" + size) + pixels + chunk(b"EXIF", SECRET) + chunk(b"XMP ", SECRET)
    return b"RIFF" + struct.pack("<I", len(body)) + body


MADE = {
    "image/png": png(40, 30, png_chunk(b"tEXt", b"Author\0" + SECRET), png_chunk(b"eXIf", SECRET)) + SECRET,
    "image/jpeg": jpeg(40, 30),
    "image/webp": webp(40, 30),
}


@pytest.mark.parametrize("media_type", MADE)
def test_a_picture_keeps_its_size_and_loses_its_secrets(media_type: str) -> None:
    assert SECRET in MADE[media_type]
    picture = read_picture(MADE[media_type])
    assert (picture.media_type, picture.width, picture.height) == (media_type, 40, 30)
    assert SECRET not in picture.content
    assert read_picture(picture.content) == picture  # and it is still one


def test_a_plain_png_comes_out_byte_for_byte() -> None:
    assert read_picture(png(3, 2)).content == png(3, 2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither a PNG"),
        (b"<svg onload='x()'/>", "neither a PNG"),
        (b"GIF89a", "neither a PNG"),
        (b"\0" * (MOST_BYTES + 1), "larger than 200 KB"),
        (png(3, 2)[:40], "broken"),
        (jpeg(3, 2)[:30], "broken"),
        (webp(3, 2)[:30], "broken"),
        (png(4001, 2), "at most 4000"),
        (png(0, 2), "at most 4000"),
    ],
)
def test_what_is_none_is_refused_in_words(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_picture(content)


@given(st.sampled_from(sorted(MADE)), st.data())
def test_a_damaged_picture_is_read_or_refused(media_type: str, data: st.DataObject) -> None:
    content = bytearray(MADE[media_type])
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        read_picture(bytes(content[:cut]))
    except ValueError as refused:
        assert str(refused).startswith("is ")  # noqa: PT017 (it need not be refused)
