"""Samples of mail that came back, written after the examples of the RFCs and the shapes that servers give them."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "mail" / "returned" / "bounces"
NAMES = sorted(path.stem for path in FOLDER.glob("*.eml"))
# The token of the mail that each sample is about.
TOKEN = "6d65726765647761737465726f666d61696c746f6b656e30"


def sample(name: str, token: str = TOKEN) -> bytes:
    """The sample, about the mail with this token."""
    return (FOLDER / f"{name}.eml").read_bytes().replace(TOKEN.encode(), token.encode())
