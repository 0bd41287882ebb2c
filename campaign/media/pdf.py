"""PDF and PNG made by typst from our own documents in ``templates/pdf``; no other module knows typst.

Texts of people are passed as data and never as markup. Typst uses no network, no packages and no font of this machine:
Libertinus Serif and DejaVu Sans Mono come with the library. They have the letters of Latin, Greek and every Cyrillic
script.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from threading import Lock
from typing import Any

from campaign.i18n import TEMPLATES

DOCUMENTS = TEMPLATES / "pdf"


class Format(StrEnum):
    """A file format. A PNG has one pixel for each point of its document."""

    PDF = "pdf"
    PNG = "png"


@dataclass(frozen=True)
class Printed:
    """A finished file. ``digest`` is part of the SHA-256 of ``content``, for an entity tag."""

    content: bytes
    digest: str


# One document at a time: pictures must not keep all threads of a process from answering requests.
_press = Lock()


def typeset(document: str, kind: Format, data: Mapping[str, Any]) -> bytes:
    """The document ``templates/pdf/<document>.typ``, filled with ``data``, as a file."""
    return _typeset(document, kind, _write(data))


def _write(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def _typeset(document: str, kind: Format, data: str) -> bytes:
    # Imported here, since only processes that print need the memory and the time for it.
    import typst  # noqa: PLC0415

    with _press:
        made = typst.compile(
            str(DOCUMENTS / f"{document}.typ"),
            root=str(DOCUMENTS),
            ignore_system_fonts=True,
            format=kind.value,
            ppi=72 if kind is Format.PNG else None,
            sys_inputs={"data": data},
        )
    assert isinstance(made, bytes)  # typst gives a list only for a picture with several pages
    return made


class PrintCache:
    """The files that were printed last, by their data: a document is not printed again while its data stay the same."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._printed: OrderedDict[tuple[str, str, str], Printed] = OrderedDict()
        self._lock = Lock()

    def get(self, document: str, kind: Format, data: Mapping[str, Any]) -> Printed:
        """The file as ``typeset`` makes it. If many threads ask at once, one of them makes it and the others wait."""
        key = (document, kind.value, _write(data))
        with self._lock:
            found = self._printed.get(key)
            if found is None:
                content = _typeset(*key[:1], kind, key[2])
                found = self._printed[key] = Printed(content, sha256(content).hexdigest()[:32])
                while len(self._printed) > self._most:
                    self._printed.popitem(last=False)
            self._printed.move_to_end(key)
        return found
