"""A message with gaps: it is encoded once, then filled for each reader by joining bytes.

The ``email`` package takes milliseconds to build a message; joining pieces takes microseconds. A gap in the body has a
fixed length and is filled with letters, digits, hyphens and underscores: quoted-printable does not change them, and in
base64 only the few lines around the gap are encoded again.
"""

import binascii
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from email.quoprimime import body_encode

from campaign.mail.dkim import BodyHash

_LINE = 57  # bytes that make a base64 line of 76 characters (RFC 2045 §6.8)
Values = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Gap:
    """A place to fill: ``mark`` in the text is replaced by ``before`` and then the value called ``name``.

    ``length`` is the length of the value in characters; 0 means any length, for a gap that occurs only in headers.
    """

    mark: str
    name: str
    length: int = 0
    before: str = ""


class Pieces:
    """Bytes with gaps between them."""

    def __init__(self) -> None:
        self._constant: list[bytes] = [b""]
        # Pieces to fill, by their position: with a slice of a value, or with base64 lines around values.
        self._filled: list[tuple[int, str, slice]] = []
        self._encoded: list[tuple[int, list[bytes | str]]] = []

    @property
    def first(self) -> bytes:
        """The bytes before the first gap."""
        return self._constant[0]

    def add(self, constant: bytes) -> None:
        """Append bytes that are the same for every reader."""
        self._constant[-1] += constant

    def add_value(self, name: str, part: slice = slice(None)) -> None:
        """Append a gap for the value ``name``, or for a part of the value."""
        self._filled.append((len(self._constant), name, part))
        self._constant += [b"", b""]

    def add_base64(self, plain: list[bytes | str]) -> None:
        """Append base64 lines of ``plain``, a list of bytes and of names (str) that stand for values.

        All lines are full, except perhaps the last line.
        """
        self._encoded.append((len(self._constant), plain))
        self._constant += [b"", b""]

    def fill(self, values: Values) -> list[bytes]:
        """The pieces in order, filled; the first piece is the same for every reader."""
        pieces = self._constant.copy()
        for position, name, part in self._filled:
            pieces[position] = values[name][part]
        for position, plain in self._encoded:
            pieces[position] = _base64_lines(b"".join([values[p] if isinstance(p, str) else p for p in plain]))
        return pieces


def _base64_lines(plain: bytes) -> bytes:
    lines = [binascii.b2a_base64(plain[start : start + _LINE], newline=False) for start in range(0, len(plain), _LINE)]
    return b"\r\n".join([*lines, b""])


class Frame:
    """A message with gaps, encoded. ``head`` are the headers by name in order, ``text`` and ``html`` its two parts."""

    def __init__(self, head: Sequence[tuple[str, str]], text: str, html: str, gaps: Sequence[Gap]) -> None:
        self._sentinels: dict[Gap, str] = {}
        for gap in (gap for gap in gaps if gap.length):
            self._sentinels[gap] = _sentinel(gap.length, text + html, self._sentinels.values())
        boundary = "=_" + hashlib.sha256((text + html).encode()).hexdigest()[:32]  # neither encoding produces "=_"
        self._body = Pieces()
        for kind, content in (("plain", text), ("html", html)):
            self._add_part(boundary, kind, content)
        self._body.add(f"--{boundary}--\r\n".encode())
        fields = [
            *head,
            ("MIME-Version", "1.0"),
            ("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
        ]
        self._head = Pieces()
        self._add_head("".join(f"{name}: {value}\r\n" for name, value in fields), gaps)
        self._body_hash = BodyHash(self._body.first)

    def _add_head(self, head: str, gaps: Sequence[Gap]) -> None:
        named = {gap.mark: gap for gap in gaps}
        marks = "|".join(map(re.escape, named)) or r"(?!)"
        end = 0
        for found in re.finditer(marks, head):
            gap = named[found[0]]
            self._head.add((head[end : found.start()] + gap.before).encode("ascii"))
            self._head.add_value(gap.name)
            end = found.end()
        self._head.add(head[end:].encode("ascii"))

    def _add_part(self, boundary: str, kind: str, content: str) -> None:
        for gap, sentinel in self._sentinels.items():
            content = content.replace(gap.mark, gap.before + sentinel)
        plain = content.replace("\r\n", "\n")
        mostly_ascii = sum(map(str.isascii, plain)) * 2 > len(plain)
        encoding = "quoted-printable" if mostly_ascii else "base64"
        self._body.add(
            f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        )
        if mostly_ascii:
            # The encoder takes bytes as characters. A dot at the start of a line is encoded too, so that sending does
            # not have to search each mail for such dots (RFC 5321 §4.5.2). The line then has two characters more,
            # which still fit into 76.
            encoded = body_encode(plain.encode().decode("latin-1"), maxlinelen=74, eol="\r\n")
            self._add_quoted(f"\r\n{encoded}".replace("\r\n.", "\r\n=2E").encode("ascii")[2:])
        else:
            self._add_base64(plain.replace("\n", "\r\n").encode())

    def _add_quoted(self, encoded: bytes) -> None:
        """Add quoted-printable bytes. A soft line break within a gap stays at its place for every value."""
        by_sentinel = {sentinel.encode(): gap.name for gap, sentinel in self._sentinels.items()}
        broken = [b"(?:=\r\n)?".join(bytes([letter]) for letter in sentinel) for sentinel in by_sentinel]
        end = 0
        for found in re.finditer(b"|".join(broken) or rb"(?!)", encoded):
            self._body.add(encoded[end : found.start()])
            runs = found[0].split(b"=\r\n")
            name, start = by_sentinel[b"".join(runs)], 0
            for number, run in enumerate(runs):
                self._body.add(b"=\r\n" if number else b"")
                self._body.add_value(name, slice(start, start + len(run)))
                start += len(run)
            end = found.end()
        self._body.add(encoded[end:] + b"\r\n")

    def _add_base64(self, plain: bytes) -> None:
        by_sentinel = {sentinel.encode(): gap.name for gap, sentinel in self._sentinels.items()}
        window: list[bytes | str] = []
        done = 0  # the bytes before this position are in the pieces or in the window
        for found in re.finditer(b"|".join(by_sentinel) or rb"(?!)", plain):
            line = found.start() - found.start() % _LINE
            if line > done:  # the gap lies on a later line than the window, so the window ends here
                lines_end = min(line, done + -done % _LINE)
                window.append(plain[done:lines_end])
                self._close(window)
                self._body.add(_base64_lines(plain[lines_end:line]))
                done = line
            window += [plain[done : found.start()], by_sentinel[found[0]]]
            done = found.end()
        lines_end = min(len(plain), done + -done % _LINE)
        window.append(plain[done:lines_end])
        self._close(window)
        self._body.add(_base64_lines(plain[lines_end:]))

    def _close(self, window: list[bytes | str]) -> None:
        if any(isinstance(part, str) for part in window):
            self._body.add_base64(window.copy())
        else:
            self._body.add(_base64_lines(b"".join(part for part in window if isinstance(part, bytes))))
        window.clear()

    def fill(self, values: Values) -> tuple[bytes, list[bytes]]:
        """The header block without the empty line, and the pieces of the body, to be joined; the body ends in CRLF."""
        return b"".join(self._head.fill(values)), self._body.fill(values)

    def hash_body(self, body: list[bytes]) -> bytes:
        """The DKIM hash of a filled body (RFC 6376 §3.7). The bytes before the first gap were hashed once for all."""
        return self._body_hash.digest(b"".join(body[1:]))


def _sentinel(length: int, taken: str, others: Collection[str]) -> str:
    """Letters and digits that mark one gap while the text is encoded. Raises ValueError if none can be found.

    They do not occur in ``taken``, so that no text is mistaken for a gap, and overlap with none of ``others``.
    """
    for number in range(36**3):
        digits = "".join("0123456789abcdefghijklmnopqrstuvwxyz"[number // 36**place % 36] for place in range(3))
        sentinel = (digits + "Zq" * length)[:length]
        if sentinel not in taken and not any(other in sentinel or sentinel in other for other in others):
            return sentinel
    raise ValueError("The text contains every marker that could stand for a gap.")
