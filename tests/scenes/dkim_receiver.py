"""A receiver that checks DKIM signatures with dkimpy, which shares no code with ours."""

from base64 import b64decode
from types import SimpleNamespace

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class _BadSignature(Exception):
    pass


class _VerifyKey:
    """The one thing that dkimpy needs from PyNaCl: check 64 bytes against 32 bytes (RFC 8032)."""

    def __init__(self, key: bytes, *, encoder: object) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(key))

    def verify(self, text: bytes, signature: bytes) -> None:
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            raise _BadSignature from None


if not hasattr(dkim, "nacl"):
    # dkimpy reads the message and the key itself; only the arithmetic of Ed25519 it leaves to PyNaCl, a package that
    # nothing else here needs. That this stands in for it rightly is shown on the example of RFC 8463.
    dkim.nacl = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=_VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(BadSignatureError=_BadSignature, ValueError=ValueError),
    )


def check(message: bytes, dns: dict[str, str]) -> list[bool]:
    """Whether each signature of ``message``, from the top, is good by the keys in ``dns`` (name to TXT value)."""

    def look_up(name: bytes, timeout: int) -> bytes:
        return dns.get(name.decode().removesuffix("."), "").encode()

    def is_good(place: int) -> bool:
        try:
            return bool(dkim.DKIM(message).verify(idx=place, dnsfunc=look_up))
        except dkim.DKIMException:
            return False

    count = sum(line.lower().startswith(b"dkim-signature:") for line in message.split(b"\r\n\r\n")[0].split(b"\r\n"))
    good = [is_good(place) for place in range(count)]
    if count:
        assert dkim.verify(message, dnsfunc=look_up) is good[0]
    return good
