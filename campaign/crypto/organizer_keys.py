"""Organizers' own keys: a key file that stays on their machine, and its public line for a petition file.

Each has two keys, so that one key is never used for two purposes: one opens names (HPKE, RFC 9180, over X25519,
RFC 7748), the other opens files (age, https://age-encryption.org/v1).
"""

import base64
import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pyrage import IdentityError, RecipientError, x25519

from campaign.crypto.base32 import decode_rfc4648, encode_rfc4648
from campaign.errors import OrganizerKeyError

_LINE = "campaign1-"
_AGE = "age1"
_KIND = "an organizer's key, version 1"
_CHECKSUM = 4


def _checksum(recipient: str, point: bytes) -> bytes:
    return sha256(recipient.encode() + point).digest()[:_CHECKSUM]


@dataclass(frozen=True)
class PublicKeys:
    """The public keys of one organizer: names are sealed to ``names`` (HPKE), files to ``files`` (age)."""

    names: X25519PublicKey
    files: x25519.Recipient

    @property
    def line(self) -> str:
        """One line of ASCII letters and digits. A checksum of four bytes in it shows damage."""
        recipient, point = str(self.files), self.names.public_bytes_raw()
        checked = encode_rfc4648(point + _checksum(recipient, point)).lower()
        return f"{_LINE}{recipient.removeprefix(_AGE)}-{checked}"

    @classmethod
    def read(cls, line: str) -> Self:
        """The keys in ``line``. Raises OrganizerKeyError if a letter of the line is missing or wrong."""
        typed = line.strip()
        try:
            _, recipient, checked = typed.split("-")
            point = decode_rfc4648(checked)[:-_CHECKSUM]
            keys = cls(X25519PublicKey.from_public_bytes(point), x25519.Recipient.from_str(_AGE + recipient))
        except (ValueError, RecipientError):
            keys = None
        # The line that these keys make must be equal to the typed one, so every changed letter is noticed.
        if keys is None or keys.line != typed:
            raise OrganizerKeyError(
                f"“{_shortened(typed)}” is not an organizer's public key: a part of the line is missing or damaged. "
                "Copy the whole line that begins with campaign1- and that campaign key new has printed."
            )
        return keys


def _shortened(line: str) -> str:
    shown = "".join(character for character in line if character.isprintable())
    return shown if len(shown) <= 40 else f"{shown[:24]}…{shown[-8:]}"


@dataclass(frozen=True)
class OrganizerKey:
    """The private keys of one organizer: ``names`` opens sealed names, ``files`` decrypts age files."""

    names: X25519PrivateKey
    files: x25519.Identity

    @classmethod
    def fresh(cls) -> Self:
        """New keys of one organizer."""
        return cls(X25519PrivateKey.generate(), x25519.Identity.generate())

    @property
    def public(self) -> PublicKeys:
        return PublicKeys(self.names.public_key(), self.files.to_public())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The keys kept in the file ``path``. Raises OrganizerKeyError; its sentence says what to do."""
        try:
            if path.is_dir():
                raise OrganizerKeyError(f"{path} is a folder, and a key is a file.")
            if path.stat().st_mode & 0o077:
                raise OrganizerKeyError(
                    f"The key {path} can be read by other users of this machine; run: chmod 600 {path}"
                )
            return cls._from_json(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            raise OrganizerKeyError(f"There is no key at {path}.") from None
        except OSError as error:
            raise OrganizerKeyError(f"The key {path} cannot be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, RecursionError, IdentityError):
            raise OrganizerKeyError(
                f"The file {path} is not an organizer's key, or is damaged. Put its copy back."
            ) from None

    @classmethod
    def _from_json(cls, text: str) -> Self:
        kept = json.loads(text)
        key = cls(
            X25519PrivateKey.from_private_bytes(base64.b64decode(kept["names"], validate=True)),
            x25519.Identity.from_str(kept["files"]),
        )
        if kept["kind"] != _KIND or kept["public"] != key.public.line:
            raise ValueError("keys that do not belong together")
        return key

    def write(self, path: Path) -> None:
        """Write the keys to ``path``, readable by this user alone. Raises OrganizerKeyError if the file exists."""
        kept = {
            "kind": _KIND,
            "public": self.public.line,
            "names": base64.b64encode(self.names.private_bytes_raw()).decode(),
            "files": str(self.files),
        }
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise OrganizerKeyError(
                f"The file {path} exists already; a key is never overwritten. Choose another name."
            ) from None
        except OSError as error:
            raise OrganizerKeyError(f"The key {path} cannot be written: {error.strerror}.") from None
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(kept, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
