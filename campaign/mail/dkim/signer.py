"""DKIM signatures for many mails (RFC 6376, RFC 8463), ``c=relaxed/simple``.

Every mail waits for its signature. The parts that mails have in common are therefore made only once, and for each mail
little is left but the signature itself.
"""

from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256

from campaign.mail.dkim.keys import DkimKey

_SIGNED = frozenset(
    (
        b"from",
        b"to",
        b"subject",
        b"date",
        b"message-id",
        b"mime-version",
        b"content-type",
        b"content-language",
        b"auto-submitted",
        b"list-id",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
    )
)
_LINE = 74  # characters of a folded line; with the tag before them it stays below 78 (RFC 5322 §2.1.1)


class BodyHash:
    """SHA-256 of bodies that begin with the same bytes, canonicalised “simple” (RFC 6376 §3.4.3).

    The common beginning is hashed only once; for each mail only the rest is hashed.
    """

    def __init__(self, start: bytes = b"") -> None:
        # Empty lines at the end of a body are not hashed, so they wait here until more text follows.
        kept = start.rstrip(b"\r\n")
        self._hash = sha256(kept)
        self._waiting = start[len(kept) :]

    def digest(self, rest: bytes) -> bytes:
        """The hash (32 bytes) of the body that consists of ``start`` and ``rest``."""
        end = self._waiting + rest
        while end.endswith(b"\r\n"):
            end = end[:-2]
        whole = self._hash.copy()
        whole.update(end)
        whole.update(b"\r\n")
        return whole.digest()


def body_hash(body: bytes) -> bytes:
    """The hash (32 bytes) of a whole body, as ``DkimSigner.sign`` takes it (RFC 6376 §3.4.3)."""
    return BodyHash().digest(body)


def _folded_names(names: Sequence[bytes]) -> bytes:
    """The tag h=: the names, separated by colons and folded after colons (RFC 6376 §3.5 allows white space there)."""
    lines = [b" h=" + names[0]]
    for name in names[1:]:
        if len(lines[-1]) + len(name) + 2 > _LINE:
            lines[-1] += b":"
            lines.append(b" " + name)
        else:
            lines[-1] += b":" + name
    return b"\r\n".join(lines)


class DkimSigner:
    """Signs mails of ``domain`` with each key. RSA comes first, since some receivers check only the first signature,
    and not all know Ed25519.

    Safe to share between threads. ``is_slow``: there is an RSA key; its signature takes longer than all other work for
    a mail.
    """

    def __init__(self, keys: Sequence[DkimKey], domain: str) -> None:
        self._keys = sorted(keys, key=lambda key: key.algorithm != "rsa-sha256")
        self.is_slow = any(key.algorithm == "rsa-sha256" for key in keys)
        self._tags = [
            f"v=1; a={key.algorithm}; c=relaxed/simple;\r\n d={domain}; s={key.selector};\r\n".encode("ascii")
            for key in self._keys
        ]
        # The fields up to t=, by the names that are signed. Few sets of names occur, so this stays small.
        self._beginnings: dict[tuple[bytes, ...], list[bytes]] = {}

    def sign(self, headers: bytes, body_hash: bytes, *, at: int) -> bytes:
        """One folded DKIM-Signature field for each key, each with its CRLF, to be put before ``headers``.

        ``headers`` are the header lines, each ending in CRLF, without the empty line; ``body_hash`` is a result of
        ``BodyHash`` or ``body_hash``; ``at`` is the time of signing in seconds since 1970 (UTC).
        """
        names, canonical = _canonical(headers)
        beginnings = self._beginnings.get(names)
        if beginnings is None:
            # From is listed once more than it occurs, so that nobody can add a second From (RFC 6376 §5.4.2, §8.15).
            listed = _folded_names([*names, b"from"])
            beginnings = self._beginnings[names] = [tags + listed + b";\r\n t=" for tags in self._tags]
        varying = b"%d;\r\n bh=%b;\r\n b=" % (at, b2a_base64(body_hash, newline=False))
        fields = []
        for key, beginning in zip(self._keys, beginnings, strict=True):
            field = beginning + varying
            # “Relaxed” unfolds lines (§3.4.2). Our folded lines begin with one space, so removing CRLF is enough.
            text = canonical + b"dkim-signature:" + field.replace(b"\r\n", b"")
            signature = b2a_base64(key.sign(text), newline=False)
            lines = [signature[start : start + _LINE] for start in range(0, len(signature), _LINE)]
            fields += [b"DKIM-Signature: ", field, b"\r\n ".join(lines), b"\r\n"]
        return b"".join(fields)


def _canonical(headers: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The names of the fields to sign, and these fields canonicalised “relaxed” (RFC 6376 §3.4.2), in the same order.

    The order is from the last field to the first: if a name occurs twice, a receiver takes the lower one first
    (§5.4.2).
    """
    text = headers.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    names = []
    fields = []
    for line in reversed(text.split(b"\r\n")):
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in _SIGNED:
            names.append(name)
            fields.append(name + b":" + value.strip(b" ") + b"\r\n")
    return tuple(names), b"".join(fields)
