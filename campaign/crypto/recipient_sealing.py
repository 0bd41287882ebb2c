"""Sealing to organizers: names that this server cannot read back, and files that only they decrypt.

A sealed name has these parts, in this order:

- a zero byte; a value that the keyring sealed begins with its version, 1–255, instead;
- the number of recipients, one byte;
- for each recipient the first four bytes of the SHA-256 of the public key, by which a key finds its own part, and the
  content key, sealed to the recipient (HPKE base mode, RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM;
  80 bytes);
- a nonce;
- the name, encrypted with the content key (AES-256-GCM).

The row's identity is HPKE's ``info`` and the associated data, so that a name moved to another row does not open there.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pyrage import DecryptError, EncryptError, decrypt_io, encrypt_io

from campaign.crypto.organizer_keys import OrganizerKey, PublicKeys
from campaign.crypto.randomness import random_bytes
from campaign.errors import OrganizerKeyError

MOST_RECIPIENTS = 20
SEALED_MARK = b"\0"
_HINT = 4
_WRAPPED = 80
_NONCE = 12
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Target(Protocol):
    def write(self, piece: bytes, /) -> int: ...


def _hint(key: X25519PublicKey) -> bytes:
    return sha256(key.public_bytes_raw()).digest()[:_HINT]


def seal_to(recipients: Sequence[PublicKeys], plain: bytes, *, row: str) -> bytes:
    """Encrypt ``plain`` as part of ``row``: each of ``recipients`` can open it, and nobody else."""
    content_key, nonce = random_bytes(32), random_bytes(_NONCE)
    sealed = SEALED_MARK + bytes([len(recipients)])
    for keys in recipients:
        sealed += _hint(keys.names) + _SUITE.encrypt(content_key, keys.names, info=row.encode())
    return sealed + nonce + AESGCM(content_key).encrypt(nonce, plain, row.encode())


def is_sealed_to_organizers(sealed: bytes) -> bool:
    """Whether ``seal_to`` made the value. Then the keyring cannot open it."""
    return sealed[:1] == SEALED_MARK


def open_sealed(keys: Sequence[OrganizerKey], sealed: bytes, *, row: str) -> bytes | None:
    """The text that ``seal_to`` encrypted; None if it was sealed to none of ``keys``.

    Raises OrganizerKeyError if the value was changed after it was sealed, or belongs to another row.
    """
    if not is_sealed_to_organizers(sealed) or len(sealed) < 2:
        raise OrganizerKeyError("A name in the file was not sealed to organizers.")
    start = 2 + sealed[1] * (_HINT + _WRAPPED)
    parts = [sealed[place : place + _HINT + _WRAPPED] for place in range(2, start, _HINT + _WRAPPED)]
    for key in keys:
        hint = _hint(key.names.public_key())
        for part in parts:
            if part[:_HINT] == hint:
                try:
                    content_key = _SUITE.decrypt(part[_HINT:], key.names, info=row.encode())
                    nonce = sealed[start : start + _NONCE]
                    return AESGCM(content_key).decrypt(nonce, sealed[start + _NONCE :], row.encode())
                except (InvalidTag, ValueError):
                    raise OrganizerKeyError("A name in the file is damaged, or stands in another's place.") from None
    return None


def encrypt_file(source: Source, target: Target, recipients: Sequence[PublicKeys]) -> None:
    """Encrypt ``source`` to ``target`` as an age file, piece by piece. Errors of reading and writing are passed on."""
    watched = _Watched(source, target)
    try:
        encrypt_io(watched, watched, [keys.files for keys in recipients])
    except (EncryptError, OSError) as error:
        # The library turns the reader's error into an error of its own, with the name of ours in its text.
        raise watched.failure or error from None
    watched.check()


def decrypt_file(source: Source, target: Target, keys: Sequence[OrganizerKey]) -> None:
    """Decrypt an age file, piece by piece. Each written piece is genuine; the file is complete only at the end.

    Raises OrganizerKeyError if the file is no age file, is encrypted to other keys, or is damaged. Errors of reading
    and writing are passed on.
    """
    watched = _Watched(source, target)
    try:
        decrypt_io(watched, watched, [key.files for key in keys])
    except (DecryptError, OSError) as error:
        if watched.failure is not None:
            raise watched.failure from None
        if str(error).startswith("No matching keys"):
            raise OrganizerKeyError("This file was not encrypted to this key.") from None
        raise OrganizerKeyError(
            "This file is damaged, cut short, or not an encrypted list. Ask for it once more."
        ) from None
    watched.check()


class _Watched:
    """A source and a target that remember the error that they raised."""

    def __init__(self, source: Source, target: Target) -> None:
        self._source, self._target = source, target
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._source.read(size)
        except Exception as error:
            self.failure = error
            raise

    def write(self, piece: bytes) -> int:
        try:
            return self._target.write(piece)
        except Exception as error:
            self.failure = error
            raise

    def check(self) -> None:
        """Raise the remembered error: the library reports nothing if it cannot write the last pieces."""
        if self.failure is not None:
            raise self.failure

    def flush(self) -> None:
        """Do nothing: the library calls it, but the caller flushes the target."""
