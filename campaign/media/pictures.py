"""Pictures that organizers put on a page: their format, their size, and their content without metadata.

A photo tells where and when it was taken, and with whose telephone. Nothing of that is kept: only those parts of a file
are copied from which a browser draws the picture.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
MOST_BYTES = 200_000
MOST_PIXELS = 4_000
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DRAWN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM", b"iCCP", b"sBIT"}
_WEBP_DRAWN = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"}
# JPEG (ITU-T T.81): comments, and all application segments but those of JFIF, the colour profile and Adobe's transform.
_JPEG_LEFT_OUT = {*range(0xE1, 0xF0), 0xFE} - {0xE2, 0xEE}
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Picture:
    """A picture as it is served; its size is in pixels."""

    media_type: str
    width: int
    height: int
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def read_picture(content: bytes) -> Picture:
    """The picture in a PNG, JPEG or WebP file. Raises ValueError; its text is the end of a sentence about the file."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES // 1000} KB, too much for a telephone: make it smaller")
    try:
        if content.startswith(_PNG):
            picture = _read_png(content)
        elif content.startswith(b"\xff\xd8"):
            picture = _read_jpeg(content)
        elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            picture = _read_webp(content)
        else:
            raise ValueError("is neither a PNG, nor a JPEG, nor a WebP picture")
    except (struct.error, IndexError):
        raise ValueError("is a broken picture") from None
    if not (0 < picture.width <= MOST_PIXELS and 0 < picture.height <= MOST_PIXELS):
        raise ValueError(f"is no picture of at most {MOST_PIXELS} × {MOST_PIXELS} pixels")
    return picture


def _read_png(content: bytes) -> Picture:
    kept, place, width, height = [_PNG], len(_PNG), 0, 0
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if end > len(content):
            raise ValueError("is a broken picture")
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", content, place + 8)
        if kind in _PNG_DRAWN:
            kept.append(content[place:end])
        place = end
        if kind == b"IEND":
            break
    if not kept[-1].startswith(b"\0\0\0\0IEND"):
        raise ValueError("is a broken picture")
    return Picture("image/png", width, height, b"".join(kept))


def _read_jpeg(content: bytes) -> Picture:
    kept, place, width, height = [content[:2]], 2, 0, 0
    while True:
        mark, kind = content[place], content[place + 1]
        if mark != 0xFF:
            raise ValueError("is a broken picture")
        if kind == 0xDA:  # the rest of the file is the drawn data
            end = content.rfind(b"\xff\xd9")
            if end < place:
                raise ValueError("is a broken picture")
            kept.append(content[place : end + 2])
            return Picture("image/jpeg", width, height, b"".join(kept))
        (length,) = struct.unpack_from(">H", content, place + 2)
        end = place + 2 + length
        if kind in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
        # The second application segment (APP2) may also hold further pictures.
        if kind not in _JPEG_LEFT_OUT and (kind != 0xE2 or content[place + 4 : place + 15] == b"ICC_PROFILE"):
            kept.append(content[place:end])
        place = end


def _read_webp(content: bytes) -> Picture:
    kept, width, height = [], 0, 0
    for kind, piece in _webp_chunks(content):
        if kind not in _WEBP_DRAWN:
            continue
        if kind == b"VP8X":
            width, height = (int.from_bytes(piece[at : at + 3], "little") + 1 for at in (12, 15))
            # The flags of colour profile and transparency stay; those of EXIF, XMP and animation are cleared.
            piece = piece[:8] + bytes([piece[8] & 0b00110000]) + piece[9:]  # noqa: PLW2901
        elif kind == b"VP8 " and not width:
            width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", piece, 14))
        elif kind == b"VP8L" and not width:
            bits = int.from_bytes(piece[9:13], "little")
            width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        kept.append(piece)
    if not any(piece.startswith((b"VP8 ", b"VP8L")) for piece in kept):
        raise ValueError("is a broken picture")
    body = b"WEBP" + b"".join(kept)
    return Picture("image/webp", width, height, b"RIFF" + struct.pack("<I", len(body)) + body)


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, place)
        end = place + 8 + length + length % 2
        if end > len(content):
            raise ValueError("is a broken picture")
        yield kind, content[place:end]
        place = end
