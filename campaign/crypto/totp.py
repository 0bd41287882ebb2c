"""One-time passwords of an authenticator app (TOTP, RFC 6238).

Six digits, thirty seconds and SHA-1, since all apps support these.
"""

import hmac
import unicodedata
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from campaign.crypto.base32 import encode_rfc4648, group
from campaign.crypto.randomness import random_bytes
from campaign.text.invisible import without_invisible

STEP = 30
DIGITS = 6
_SECRET = 20  # RFC 4226 §4: as long as the hash


def new_secret() -> bytes:
    """A new secret, to be shared with an app."""
    return random_bytes(_SECRET)


def _passwords(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP)  # noqa: S303 (RFC 6238's own hash)


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step. Steps are counted from 1970 (RFC 6238 §4.2)."""
    return _passwords(secret).generate(step * STEP).decode()


def normalize_digits(typed: str) -> str:
    """The digits that were typed, in ASCII, however they are grouped and from whichever script. The rest stays."""
    plain = "".join(without_invisible(unicodedata.normalize("NFKC", typed)).split()).strip(".")
    return "".join(str(unicodedata.decimal(character, character)) for character in plain)


def find_step(secret: bytes, typed: str, *, now: datetime, after: int | None) -> int | None:
    """The time step of the typed code: the present one, the one before or the one after it (RFC 6238 §5.2).

    None if the code belongs to none of them, or to a step that is not later than ``after``.
    """
    current = int(now.timestamp()) // STEP
    digits = normalize_digits(typed)
    found = None
    for step in (current - 1, current, current + 1):
        is_same = hmac.compare_digest(code_at(secret, step).encode(), digits.encode("utf-8", "replace"))
        if is_same and (after is None or step > after):
            found = step
    return found


def spell_secret(secret: bytes) -> str:
    """The secret as a person types it into an app: groups of four characters."""
    return group(encode_rfc4648(secret), 4, by=" ")


def app_link(secret: bytes, *, account: str, server: str) -> str:
    """The link that opens an app on the same device (``otpauth``, the Key URI Format)."""
    return _passwords(secret).get_provisioning_uri(account, server)
