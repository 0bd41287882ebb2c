"""A list as an age file: lines of JSON, the first of which says what the rows are; made here, opened by organizers.

Opening needs no server: neither settings nor keyring nor database.
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
# More than any row: a name, a place and a comment of the greatest length, sealed to as many as there can be.
_LONGEST_LINE = 64 * 1024


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


class _Lines:
    """Rows as the encryption reads them: some bytes at a time."""

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
    """Write the age file. ``head`` says which ``list`` it is and how many ``rows`` there are."""
    encrypt_file(_Lines({"kind": _KIND, **head}, rows), target, to)


@dataclass
class Opening:
    """An age file on its way to a list that can be read: takes what is decrypted, writes rows.

    What it has written is a list only once ``finish`` has returned: before that the file may turn out to be damaged.
    ``began`` is told how many rows there will be, ``came`` how many more have come.
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
        """Take what was decrypted. Raises InvalidFile, OrganizerKeyError."""
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
                cell.encode()  # JSON can spell what UTF-8 cannot
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

    Raises OrganizerKeyError, too, where a name was sealed to other keys, unless ``partial``: it is then left empty.
    """
    decrypt_file(source, opening, opening.keys)
    opening.finish()
    if opening.sealed_to_others and not partial:
        raise OrganizerKeyError(
            f"{opening.sealed_to_others} of {opening.rows} names were sealed to other keys, before this one was in the "
            "petition file. Name a key of then too (--key several times), or leave those names empty with --partial."
        )
