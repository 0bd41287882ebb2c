"""PDF and PNG made by typst from our own documents in ``templates/pdf``; no other module knows typst.

What people wrote is passed as data and never as markup. No network, no packages, no font of this machine: Libertinus
Serif and DejaVu Sans Mono, which the library brings along, have the letters of Latin, Greek and every Cyrillic script.
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
    """A PNG has one pixel for each point of its document."""

    PDF = "pdf"
    PNG = "png"


@dataclass(frozen=True)
class Printed:
    """A finished file; ``digest`` changes when it does."""

    content: bytes
    digest: str


# One at a time: a process that answers requests must not be kept busy by pictures.
_press = Lock()


def typeset(document: str, kind: Format, data: Mapping[str, Any]) -> bytes:
    """The document ``templates/pdf/<document>.typ``, set with ``data``."""
    return _typeset(document, kind, _write(data))


def _write(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def _typeset(document: str, kind: Format, data: str) -> bytes:
    # Only those who print pay for the library.
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
    assert isinstance(made, bytes)  # a list only where a picture has several pages
    return made


class PrintCache:
    """What was printed lately, by what it shows, so that nothing is set twice while it stays the same."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._printed: OrderedDict[tuple[str, str, str], Printed] = OrderedDict()
        self._lock = Lock()

    def get(self, document: str, kind: Format, data: Mapping[str, Any]) -> Printed:
        """The file as ``typeset`` makes it; of many who ask at once one has it made, and the others wait."""
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
