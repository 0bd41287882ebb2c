"""The keys of one installation, and the text in which the keyring's file keeps them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_in
from pathlib import Path
from typing import Self

from campaign.crypto.keyring_file import read_alone, replace, write_new
from campaign.crypto.randomness import random_bytes
from campaign.errors import KeyringError

_LAST_VERSION = 255


def _key(text: str, length: int) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != length:
        raise ValueError("a key with a wrong length")
    return key


@dataclass(frozen=True)
class Keyring:
    """The keys of one installation.

    ``sealing`` maps a version (1–255) to an AES-256 key: the highest version seals, every version opens. ``lookup``
    makes fingerprints, ``links`` makes the tokens in mails and the codes beside them, ``sessions`` signs organizers'
    cookies and forms.
    """

    sealing: Mapping[int, bytes]
    lookup: bytes
    links: bytes
    sessions: bytes

    def __post_init__(self) -> None:
        if not self.sealing or not all(0 < version <= _LAST_VERSION for version in self.sealing):
            raise ValueError("no sealing key, or a version that does not fit into a byte")

    @classmethod
    def fresh(cls) -> Self:
        """New keys for a new installation."""
        return cls(
            sealing={1: random_bytes(32)}, lookup=random_bytes(32), links=random_bytes(64), sessions=random_bytes(32)
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The keys kept in the file ``path``. Raises KeyringError; its sentence says what to do."""
        try:
            kept = json.loads(read_alone(path))
            return cls(
                sealing={int(version): _key(key, 32) for version, key in kept["sealing"].items()},
                lookup=_key(kept["lookup"], 32),
                links=_key(kept["links"], 64),
                sessions=_key(kept["sessions"], 32),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise KeyringError(f"The file {path} is not a keyring. Put the keyring's copy back.") from None

    def _text(self) -> str:
        kept = {
            "sealing": {str(version): base64.b64encode(key).decode() for version, key in self.sealing.items()},
            "lookup": base64.b64encode(self.lookup).decode(),
            "links": base64.b64encode(self.links).decode(),
            "sessions": base64.b64encode(self.sessions).decode(),
        }
        return json.dumps(kept, indent=1)

    def write(self, path: Path) -> None:
        """Write the keys to ``path``, readable by this user alone. Raises KeyringError if the file exists already."""
        write_new(path, self._text())

    def replace(self, path: Path) -> None:
        """Replace the keys in ``path`` by these. Raises KeyringError; then the old keys are still there."""
        try:
            replace(path, self._text())
        except OSError as error:
            raise KeyringError(f"The keyring {path} cannot be replaced: {error.strerror}.") from None

    @property
    def newest(self) -> int:
        """The version of the key that seals."""
        return max(self.sealing)

    def with_new_key(self) -> Self:
        """The same keyring with one more key, which seals from now on. Raises KeyringError if no version is left."""
        if self.newest == _LAST_VERSION:
            raise KeyringError(f"Sealing keys have {_LAST_VERSION} versions, and the last one is in use.")
        return replace_in(self, sealing={**self.sealing, self.newest + 1: random_bytes(32)})

    def with_newest_only(self) -> Self:
        """The same keyring with the newest sealing key alone."""
        return replace_in(self, sealing={self.newest: self.sealing[self.newest]})
