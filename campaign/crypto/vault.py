"""Stored personal data: seal it, open it, recognise an address without storing it.

The keys are in the keyring, a file of mode 0600 that is never in the database and never in a backup of it. A person who
has the database alone can read no name and no address, recognise nobody, and make no link that this server accepts.
"""

import base64
import hmac
import logging
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from campaign.crypto.base32 import encode_number, normalize
from campaign.crypto.keyring import Keyring
from campaign.crypto.keyring_file import Stamp, stamp
from campaign.crypto.randomness import random_bytes
from campaign.errors import KeyringError, LinkUnknown
from campaign.text.email_address import EmailAddress

_log = logging.getLogger(__name__)

_NONCE = 12
_ID = 8
CODE_LENGTH = 6
_ENCODED = 32  # characters of base64 for the 24 bytes of a token
_LAST = "e"  # mail programs cut "-" and "_" off the end of a link, but no letter
TOKEN_LENGTH = _ENCODED + len(_LAST)


class Vault:
    """Seals and opens with the keys of one keyring."""

    def __init__(self, keyring: Keyring) -> None:
        self._take_up(keyring)
        self._lookup = keyring.lookup
        self._links = AESSIV(keyring.links)
        self._codes = sha256(b"codes" + keyring.links).digest()
        self._paper = sha256(b"paper" + keyring.lookup).digest()
        self.session_secret = keyring.sessions
        self.challenge_key = sha256(b"challenge" + keyring.sessions).digest()
        self._file: Path | None = None
        self._stamp: Stamp | None = None

    @classmethod
    def watching(cls, path: Path) -> Self:
        """A vault with the keyring at ``path``, which also reads later sealing keys from it. Raises KeyringError."""
        before = stamp(path)
        vault = cls(Keyring.read(path))
        vault._file, vault._stamp = path, before
        return vault

    def _take_up(self, keyring: Keyring) -> None:
        # One assignment, since other threads seal and open meanwhile.
        self._sealing = keyring.newest, {version: AESGCM(key) for version, key in keyring.sealing.items()}

    def _look_again(self) -> None:
        """Read the sealing keys again if the keyring was replaced. A keyring that is gone or broken changes nothing."""
        if self._file is None or (now := stamp(self._file)) in (None, self._stamp):
            return
        try:
            keyring = Keyring.read(self._file)
        except KeyringError:
            _log.error("The file that replaced the keyring is no keyring; the keys that were read before stay in use")
        else:
            if keyring.lookup == self._lookup:  # else it is the keyring of another installation
                self._take_up(keyring)
        self._stamp = now

    def seal(self, plain: bytes, *, row: str) -> bytes:
        """Encrypt ``plain`` so that it opens only as part of ``row`` (``sealed_rows`` makes its identity).

        AES-256-GCM (NIST SP 800-38D). The row's identity is associated data: a sealed name moved to another row does
        not open there. The newest key of the file seals, also if it was added a moment ago. A rotation relies on this,
        and on a second rule: the caller stores a sealed value in the transaction that was open when it was sealed.
        """
        self._look_again()
        newest, sealers = self._sealing
        nonce = random_bytes(_NONCE)
        return bytes([newest]) + nonce + sealers[newest].encrypt(nonce, plain, row.encode())

    def open(self, sealed: bytes, *, row: str) -> bytes:
        """The plain value. Raises KeyringError if it was sealed with other keys or for another row."""
        if sealed and sealed[0] not in self._sealing[1]:
            self._look_again()
        try:
            sealer = self._sealing[1][sealed[0]]
            return sealer.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], row.encode())
        except (InvalidTag, KeyError, IndexError, ValueError):
            raise KeyringError(f"The data of {row} cannot be opened: it was sealed with another keyring.") from None

    @property
    def mark(self) -> str:
        """A name of the keyring that differs between installations and tells no key. Sealing keys do not change it."""
        return hmac.digest(self._lookup, b"keyring", "sha256").hex()  # every address has an @

    def fingerprint(self, address: EmailAddress) -> bytes:
        """32 bytes by which an address is recognised: the HMAC-SHA-256 of its comparable spelling."""
        return hmac.digest(self._lookup, address.comparable.encode(), "sha256")

    def paper_fingerprint(self, code: str) -> bytes:
        """32 bytes by which the code of a line on paper is recognised; the code itself is stored nowhere."""
        return hmac.digest(self._paper, code.encode(), "sha256")

    def token(self, purpose: str, row_id: int) -> str:
        """The token in a link for the row ``row_id``: 33 characters, opaque, the same each time. It ends in a letter.

        AES-SIV (RFC 5297) both hides and authenticates the id; ``purpose`` keeps a link for one thing from opening
        another.
        """
        sealed = self._links.encrypt(row_id.to_bytes(_ID), [purpose.encode()])
        return base64.urlsafe_b64encode(sealed).decode() + _LAST

    def read_token(self, purpose: str, token: str) -> int:
        """The row for which a token was made. Raises LinkUnknown.

        Older mails have tokens without the last letter. If such a token ended in “-” or “_”, some mail programs cut
        this character off. It is tried again, and no other: the row is still authenticated by all 16 bytes of AES-SIV.
        """
        if len(token) == TOKEN_LENGTH and token.endswith(_LAST):
            spellings: tuple[str, ...] = (token[:_ENCODED],)
        elif len(token) == _ENCODED - 1:
            spellings = (token + "-", token + "_")
        else:
            spellings = (token,)
        for spelling in spellings:
            try:
                sealed = base64.b64decode(spelling, altchars=b"-_", validate=True)
                return int.from_bytes(self._links.decrypt(sealed, [purpose.encode()]))
            except (InvalidTag, ValueError):
                continue
        raise LinkUnknown("This link is not complete. Please copy the whole link from the mail.")

    def mail_token(self, delivery_id: int) -> str:
        """The token of a mail in its Message-ID and envelope sender: 48 characters whose case does not matter.

        It is opaque and authenticated like ``token``: a person can report only a mail that they got.
        """
        sealed = self._links.encrypt(delivery_id.to_bytes(_ID), [b"mail"])
        return sealed.hex()

    def read_mail_token(self, token: str) -> int:
        """The delivery for which a mail token was made, in any case. Raises LinkUnknown."""
        try:
            return int.from_bytes(self._links.decrypt(bytes.fromhex(token), [b"mail"]))
        except (InvalidTag, ValueError):
            raise LinkUnknown("This is not the name of a mail that was sent from here.") from None

    def code(self, row_id: int) -> str:
        """The six characters that stand in the mail beside the link. The link does not contain them."""
        number = int.from_bytes(hmac.digest(self._codes, row_id.to_bytes(_ID), "sha256")[:4])
        return encode_number(number, CODE_LENGTH)

    def code_matches(self, row_id: int, typed: str) -> bool:
        """Whether ``typed`` is the row's code, in any case, with spaces or hyphens, O for 0 and I or L for 1."""
        return hmac.compare_digest(self.code(row_id), normalize(typed).encode("ascii", "replace").decode())

    def browser_mark(self, petition_id: int, fingerprint: bytes) -> str:
        """The mark of the browser in which a signature was posted: its owner needs no code to confirm.

        It depends on the address alone, so it is the same whether that address is new, pending or has signed.
        """
        return hmac.digest(self._codes, petition_id.to_bytes(_ID) + fingerprint, "sha256")[:16].hex()

    def own_mark(self, signature_id: int) -> str:
        """The mark of a browser in which the code from the mail was typed, or the signature was confirmed."""
        return hmac.digest(self._codes, b"own" + signature_id.to_bytes(_ID), "sha256")[:16].hex()

    def mark_receipt(self, told: bytes) -> bytes:
        """The nine bytes with which only this installation can mark the content of a receipt."""
        return hmac.digest(self._codes, b"receipt" + told, "sha256")[:9]
