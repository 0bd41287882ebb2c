"""A list as an age file: lines of JSON, of which the first says what the rows are. Organizers open it by their keys.

Opening needs no server: no settings, no keyring, no database.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from campaign.crypto.organizer_keys import OrganizerKey, PublicKeys
from campaign.crypto.recipient_sealing import Source, Target, decrypt_file, encrypt_file, open_sealed
from campaign.errors import InvalidFile, OrganizerKeyError
from campaign.services.exports.rows import COLUMNS, Format, Row, person_columns, write_rows
from campaign.services.signatures.sign import Person

_NO_LIST = "This file was encrypted to you, but is not a list made by campaign export."
_KIND = "campaign list, version 1"
_AT_ONCE = 1000
# Longer than any row: the longest name, place and comment, sealed to the largest number of keys.
_LONGEST_LINE = 64 * 1024


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


class _Lines:
    """Rows as a file that the encryption reads, some bytes at a time."""

    def __init__(self, head: Mapping[str, object], rows: Iterator[Row]) -> None:
        self._rows = rows
        self._ready = _line(head)

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._ready) < size:
            row = next(self._rows, None)
            if row is None:
                break
            self._ready += _line(row)
        end = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:end], self._ready[end:]
        return given


def encrypt_list(rows: Iterator[Row], head: Mapping[str, object], target: Target, to: Sequence[PublicKeys]) -> None:
    """Write the age file. ``head`` has the name of the ``list`` and the number of ``rows``."""
    encrypt_file(_Lines({"kind": _KIND, **head}, rows), target, to)


@dataclass
class Opening:
    """Turns the decrypted content of an age file into rows, and writes them.

    What it has written is a complete list only after ``finish`` has returned: until then the file may be damaged.
    ``began`` is called with the number of rows, ``came`` with the number of further rows that were written.
    """

    keys: Sequence[OrganizerKey]
    target: Target
    format: Format
    began: Callable[[int], object]
    came: Callable[[int], object]
    head: dict[str, Any] | None = None
    rows: int = 0
    sealed_to_others: int = 0
    _rest: bytes = b""
    _batch: list[Row] = field(default_factory=list)

    def write(self, piece: bytes) -> int:
        """Take a decrypted piece. Raises InvalidFile, OrganizerKeyError."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        try:
            for line in lines:
                self._take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InvalidFile(_NO_LIST) from None
        if len(self._rest) > _LONGEST_LINE:
            raise InvalidFile(_NO_LIST)
        return len(piece)

    def _take(self, row: dict[str, Any]) -> None:
        if self.head is None:
            if row["kind"] != _KIND:
                raise ValueError("another kind of file, or of a later version")
            self.head, self._columns = row, COLUMNS[row["list"]]
            self.began(int(row["rows"]))
            self._flush(headings=True)
            return
        if "sealed" in row:
            row.update(person_columns(self._open(row["sealed"], row["row"])))
        cells = {column: row[column] for column in self._columns}
        for cell in cells.values():
            if isinstance(cell, str):
                cell.encode()  # JSON can have surrogates, UTF-8 cannot
            elif cell is not None and not isinstance(cell, int):
                raise TypeError("a cell that no list has")
        self._batch.append(cells)
        if len(self._batch) == _AT_ONCE:
            self._flush()

    def _open(self, sealed: str, row: str) -> Person:
        plain = open_sealed(self.keys, base64.b64decode(sealed, validate=True), row=row)
        if plain is None:
            self.sealed_to_others += 1
            return Person(name="")
        return Person.from_json(plain)

    def _flush(self, *, headings: bool = False) -> None:
        for piece in write_rows(self._batch, self._columns, self.format, headings=headings):
            self.target.write(piece)
        self.rows += len(self._batch)
        self.came(len(self._batch))
        self._batch = []

    def finish(self) -> None:
        """Write the last rows. Raises InvalidFile."""
        if self.head is None or self._rest:
            raise InvalidFile(_NO_LIST)
        self._flush()


def open_list(source: Source, opening: Opening, *, partial: bool) -> None:
    """Decrypt a list and open every name in it.

    Raises InvalidFile; and OrganizerKeyError if a name was sealed to other keys, unless ``partial``: then the name is
    left empty.
    """
    decrypt_file(source, opening, opening.keys)
    opening.finish()
    if opening.sealed_to_others and not partial:
        raise OrganizerKeyError(
            f"{opening.sealed_to_others} of {opening.rows} names were sealed to other keys, before this one was in the "
            "petition file. Name a key of then too (--key several times), or leave those names empty with --partial."
        )
