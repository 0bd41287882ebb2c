"""Keys that sign mails (RFC 6376, RFC 8463): how they are made and stored, and the DNS records for them.

A key is a file of mode 0600, ``<selector>.pem``. Only this module and ``campaign.crypto`` import ``cryptography``.
"""

import os
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from campaign.errors import DkimKeyError

_RSA_BITS = 2048  # RFC 8301 §3.2 asks for it; a longer key costs several times as much for each mail
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_TXT_STRING = 255  # bytes; a TXT record is a list of strings of at most this length (RFC 1035 §3.3.14)
_PADDING = PKCS1v15()
_SHA256 = SHA256()


class DnsRecord(NamedTuple):
    """A TXT record: its name, its value, and the value cut into the strings of the record."""

    name: str
    value: str
    strings: list[str]

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file (RFC 1035 §5.1)."""
        return f"{self.name}. 3600 IN TXT " + " ".join(f'"{each}"' for each in self.strings)


@dataclass(frozen=True)
class DkimKey:
    """A private key, and the selector under which its public key is published in the DNS."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @classmethod
    def from_pem(cls, pem: bytes, selector: str) -> Self:
        """Read a key made by ``new_key`` or by another program. Raises DkimKeyError if receivers would not accept it.

        RFC 8301 §3.2: signatures by RSA keys below 1024 bits are invalid, and signers should use 2048 bits.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise DkimKeyError(
                f"The DKIM key {selector} is not a private key in a PEM file without a password. "
                "Put its copy back, or make another with: campaign dkim new"
            ) from None
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise DkimKeyError(
                f"The DKIM key {selector} is neither RSA nor Ed25519, so no receiver can check its signatures. "
                "Make another with: campaign dkim new"
            )
        if isinstance(key, RSAPrivateKey) and key.key_size < _RSA_BITS:
            raise DkimKeyError(
                f"The DKIM key {selector} has only {key.key_size} bits; {_RSA_BITS} are needed. "
                "Make another with: campaign dkim new"
            )
        return cls(selector, key)

    @property
    def algorithm(self) -> str:
        """The value of the tag a= in the key's signatures."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def record(self, domain: str) -> DnsRecord:
        """The record that the DNS of ``domain`` must contain (RFC 6376 §3.6.1, RFC 8463 §4)."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            kind, point = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, point = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        value = f"v=DKIM1; k={kind}; p={b64encode(point).decode()}"
        strings = [value[start : start + _TXT_STRING] for start in range(0, len(value), _TXT_STRING)]
        return DnsRecord(f"{self.selector}._domainkey.{domain}", value, strings)

    def sign(self, text: bytes) -> bytes:
        """The signature of ``text``. Ed25519 signs the SHA-256 of the text, not the text itself (RFC 8463 §3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(text, _PADDING, _SHA256)
        return self.private.sign(sha256(text).digest())


def new_key(kind: Literal["rsa", "ed25519"]) -> bytes:
    """A new private key as PEM (PKCS #8)."""
    key = generate_private_key(65537, _RSA_BITS) if kind == "rsa" else Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def dns_record(pem: bytes, selector: str, domain: str) -> DnsRecord:
    """The record that the DNS of ``domain`` must contain for the key in ``pem``. Raises DkimKeyError."""
    return DkimKey.from_pem(pem, selector).record(domain)


def write_key(folder: Path, selector: str, pem: bytes) -> Path:
    """Write a key into ``folder``, readable by this user alone; returns the path of the file.

    Raises DkimKeyError if the file exists already or cannot be written.
    """
    path = _path(folder, selector)
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise DkimKeyError(
                f"The DKIM key {path} exists already; it is never overwritten. Choose another selector."
            ) from None
        raise DkimKeyError(f"The DKIM key {path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return path


def read_keys(folder: Path, selectors: Sequence[str]) -> list[DkimKey]:
    """The keys in ``folder`` with these selectors. Raises DkimKeyError; its sentence says what to do."""
    return [_read_key(_path(folder, selector), selector) for selector in selectors]


def _path(folder: Path, selector: str) -> Path:
    """The path of a key's file. A selector consists of DNS labels (RFC 6376 §3.1), so it is a safe file name."""
    if not _SELECTOR.fullmatch(selector):
        raise DkimKeyError(f"“{selector}” cannot be a selector: use letters, digits and hyphens, as in rsa2026.")
    return folder / f"{selector}.pem"


def _read_key(path: Path, selector: str) -> DkimKey:
    try:
        if path.stat().st_mode & 0o077:
            raise DkimKeyError(f"The DKIM key {path} can be read by other users of this machine; run: chmod 600 {path}")
        return DkimKey.from_pem(path.read_bytes(), selector)
    except FileNotFoundError:
        raise DkimKeyError(
            f"There is no DKIM key at {path}. Make it with: campaign dkim new {selector}, "
            "or remove the selector from CAMPAIGN_DKIM_SELECTORS."
        ) from None
    except OSError as error:
        raise DkimKeyError(f"The DKIM key {path} cannot be read: {error.strerror}.") from None
