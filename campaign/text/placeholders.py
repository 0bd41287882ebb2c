"""Placeholders in organizers' texts, like {count}: a list of allowed names, and no template language.

A text is checked when it is saved. Filling it in never fails: every part that is no placeholder stays as it is.
"""

import re
from collections.abc import Mapping

NAMES = ("count", "goal", "title", "petition_url", "updates_url")
# Only these may begin the address of a link, since their values are addresses.
ADDRESSES = ("petition_url", "updates_url")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# A frozen text has such marks in the places of each reader's own links (campaign.services.digests.content).
_RESERVED = re.compile(r"@@[a-z-]+@@")


def check_placeholders(text: str) -> None:
    """Raise ValueError for the first brace of ``text`` that belongs to no placeholder.

    Its text is the end of a sentence; the caller puts the name of the field before it.
    """
    for piece in _PIECE.finditer(text):
        if piece[0] in ("{{", "}}") or piece[1] in NAMES:
            continue
        if piece[1] is None:
            raise ValueError(f"has a single “{piece[0]}”; write “{piece[0] * 2}” for a brace")
        known = ", ".join(f"{{{name}}}" for name in NAMES)
        raise ValueError(f"has the unknown placeholder “{' '.join(piece[0].split())}”; those we have are {known}")


def check_unreserved(text: str) -> None:
    """Raise ValueError if ``text`` has the mark of a reader's own link; its text is the end of a sentence too."""
    if found := _RESERVED.search(text):
        raise ValueError(f"has “{found[0]}”, which is kept for each reader's own links")


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """``text`` with ``values`` in place of its placeholders, and with each double brace made single."""

    def filled(piece: re.Match[str]) -> str:
        if piece[0] in ("{{", "}}"):
            return piece[0][0]
        return values.get(piece[1], piece[0]) if piece[1] is not None else piece[0]

    return _PIECE.sub(filled, text)
