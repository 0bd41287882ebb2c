"""What stands in the PDF files and pictures that we make, read back without the library that made them."""

import re
import struct
import zlib
from dataclasses import dataclass

Pixel = tuple[int, int, int]
_OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)\s*endobj", re.DOTALL)
# In a string, brackets that match may stand as they are: here, one pair within another.
_PLAIN = rb"\\.|[^\\()]"
_INNER = rb"(?:" + _PLAIN + rb"|\((?:" + _PLAIN + rb")*\))*"
_STRING = re.compile(
    rb"/(f\d+)\s[^\n]*?Tf|<([0-9A-Fa-f]+)>|\(((?:" + _PLAIN + rb"|\(" + _INNER + rb"\))*)\)", re.DOTALL
)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True)
class Pdf:
    """A file of PDF 1.7 whose objects are not packed (ISO 32000-1): the text of each page, in the order of drawing."""

    pages: list[str]

    @property
    def text(self) -> str:
        """All of it, without spaces and line ends: a line breaks wherever the words end."""
        return squeeze("".join(self.pages))


def squeeze(text: str) -> str:
    """Words as ``Pdf.text`` has them."""
    return re.sub(r"[\s\u200b\u00ad]", "", text).replace("\u2011", "-")


def read_pdf(content: bytes) -> Pdf:
    assert content.startswith(b"%PDF-1."), content[:8]
    assert content.rstrip().endswith(b"%%EOF")
    objects = {int(number): body for number, body in _OBJECT.findall(content)}
    kids = next(body for body in objects.values() if b"/Type/Pages" in body)
    named = re.search(rb"/Kids\[([^]]*)\]", kids)
    assert named
    numbers = [int(number) for number in re.findall(rb"(\d+) 0 R", named[1])]
    return Pdf([_read_page(objects, objects[number]) for number in numbers])


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream")
    length = re.search(rb"/Length (\d+)", head)
    assert length
    return zlib.decompress(rest.lstrip(b"\r\n")[: int(length[1])])


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb"\s*\[?\s*(\d+) 0 R", body)
    assert found, (name, body[:200])
    return int(found[1])


def _read_page(objects: dict[int, bytes], page: bytes) -> str:
    fonts = re.search(rb"/Font\s*<<(.*?)>>", objects[_reference(page, b"Resources")], re.DOTALL)
    maps = {
        name: _read_map(_stream(objects[_reference(objects[int(number)], b"ToUnicode")]))
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", fonts[1] if fonts else b"")
    }
    text, current = "", b""
    drawn = b"\n".join(re.findall(rb"BT\s(.*?)\sET\b", _stream(objects[_reference(page, b"Contents")]), re.DOTALL))
    for font, hexadecimal, literal in _STRING.findall(drawn):
        if font:
            current = font
        elif current in maps:
            written = bytes.fromhex(hexadecimal.decode()) if hexadecimal else _unescape(literal)
            pairs = struct.unpack(f">{len(written) // 2}H", written[: len(written) // 2 * 2])
            text += "".join(maps[current].get(glyph, "\ufffd") for glyph in pairs)
    return text


def _unescape(literal: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        return bytes([int(found[1], 8) & 255]) if found[1].isdigit() else _ESCAPES.get(found[1], found[1])

    return re.sub(rb"\\([0-7]{1,3}|.)", plain, literal, flags=re.DOTALL)


def _read_map(cmap: bytes) -> dict[int, str]:
    """Glyph → characters, from a font's ToUnicode."""
    return {
        int(glyph, 16): bytes.fromhex(characters.decode()).decode("utf-16-be")
        for glyph, characters in re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>\n", cmap)
    }


@dataclass(frozen=True)
class Picture:
    """A PNG: its size, and each of its pixels."""

    width: int
    height: int
    pixels: list[list[Pixel]]


def read_png(content: bytes) -> Picture:
    """A PNG of eight bits a channel, with or without transparency, not interlaced (ISO/IEC 15948)."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    packed, place = b"", 8
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        if kind == b"IHDR":
            width, height, depth, colours, *_, interlaced = struct.unpack(">IIBBBBB", content[place + 8 : place + 21])
            assert (depth, interlaced) == (8, 0)
            size = {2: 3, 6: 4}[colours]
        elif kind == b"IDAT":
            packed += content[place + 8 : place + 8 + length]
        place += 12 + length
    raw = zlib.decompress(packed)
    rows: list[list[Pixel]] = []
    above = bytearray(width * size)
    for number in range(height):
        start = number * (width * size + 1)
        row = _unfilter(raw[start], bytearray(raw[start + 1 : start + 1 + width * size]), above, size)
        rows.append([(row[at], row[at + 1], row[at + 2]) for at in range(0, len(row), size)])
        above = row
    return Picture(width, height, rows)


def _unfilter(kind: int, row: bytearray, above: bytearray, size: int) -> bytearray:
    if kind == 0:
        return row
    for at in range(len(row)):
        left, corner = (row[at - size], above[at - size]) if at >= size else (0, 0)
        row[at] = (row[at] + _expected(kind, left, above[at], corner)) & 255
    return row


def _expected(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    estimate = left + up - corner
    return min((left, up, corner), key=lambda each: abs(estimate - each))
