"""One-time passwords of an authenticator app (TOTP, RFC 6238): six digits, thirty seconds, SHA-1, as all apps know."""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from campaign.crypto.randomness import random_bytes

STEP = 30
DIGITS = 6
_SECRET = 20  # RFC 4226 §4: as long as the hash


def new_secret() -> bytes:
    """A secret to be shared with an app."""
    return random_bytes(_SECRET)


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step, counted from 1970."""
    return TOTP(secret, DIGITS, SHA1(), STEP).generate(step * STEP).decode()  # noqa: S303 (RFC 6238's own hash)


def find_step(secret: bytes, typed: str, *, now: datetime, after: int | None) -> int | None:
    """The time step whose code was typed: this one, the last or the next (§5.2), if it is later than ``after``."""
    current = int(now.timestamp()) // STEP
    digits = "".join(typed.split())
    found = None
    for step in (current - 1, current, current + 1):
        is_same = hmac.compare_digest(code_at(secret, step).encode(), digits.encode("utf-8", "replace"))
        if is_same and (after is None or step > after):
            found = step
    return found


def written(secret: bytes) -> str:
    """The secret as it is typed into an app: base 32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def app_link(secret: bytes, *, account: str, server: str) -> str:
    """The link that opens an app on the same device (the Key URI Format)."""
    label = f"{quote(server, safe='')}:{quote(account, safe='@')}"
    values = {"secret": base64.b32encode(secret).decode(), "issuer": server}
    return f"otpauth://totp/{label}?{urlencode(values, quote_via=quote)}"
