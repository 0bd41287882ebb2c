"""Placeholders in organizers' texts, like {count}: a list of allowed names and no template language.

A text that was saved is filled in however it is written: what is not a placeholder stays as it stands. Whether it is
written well is checked when it is saved.
"""

import re
from collections.abc import Mapping

NAMES = ("count", "goal", "title", "petition_url", "updates_url")
# Only these may begin the address of a link: they alone are addresses.
ADDRESSES = ("petition_url", "updates_url")
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# Stand in a frozen text where each reader's own links will be (campaign.services.digests.content).
_RESERVED = re.compile(r"@@[a-z-]+@@")


def check_placeholders(text: str) -> None:
    """Raise ValueError, with half a sentence, for the first brace of ``text`` that is no placeholder of ours."""
    for piece in _PIECE.finditer(text):
        if piece[0] in ("{{", "}}") or piece[1] in NAMES:
            continue
        if piece[1] is None:
            raise ValueError(f"has a single “{piece[0]}”; write “{piece[0] * 2}” for a brace")
        known = ", ".join(f"{{{name}}}" for name in NAMES)
        raise ValueError(f"has the unknown placeholder “{' '.join(piece[0].split())}”; those we have are {known}")


def check_unreserved(text: str) -> None:
    """Raise ValueError, with half a sentence, where ``text`` has what stands for a reader's own link."""
    if found := _RESERVED.search(text):
        raise ValueError(f"has “{found[0]}”, which is kept for each reader's own links")


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """``text`` with ``values`` for its placeholders, and with braces that were doubled made single."""

    def filled(piece: re.Match[str]) -> str:
        if piece[0] in ("{{", "}}"):
            return piece[0][0]
        return values.get(piece[1], piece[0]) if piece[1] is not None else piece[0]

    return _PIECE.sub(filled, text)
