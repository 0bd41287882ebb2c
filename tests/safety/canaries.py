"""Canaries: words that no text of ours has, and a scanner that finds them in any file, however they were written."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

# Every canary begins with one of them: two scripts, since an encoding may leave the letters of one as they are.
LATIN = "qzxvora"
CYRILLIC = "жщъыцэф"
# Where the canaries come from: an IPv6 network, by its first three groups.
NETWORK = "2001:db8:5afe"

_CHARSETS = ("utf-8", "utf-16-le", "utf-16-be")
_SPELLINGS = (str.lower, str.upper, str.title)


def _base64(data: bytes) -> Iterator[bytes]:
    """What base64 makes of ``data`` whatever stands before and after it: one form for each of three alignments."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)
        yield encoded[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]


def _quoted(data: bytes) -> bytes:
    """Every byte as quoted-printable writes those that it has to."""
    return b"".join(b"=%02x" % byte for byte in data)


def _escaped(text: str) -> Iterator[bytes]:
    """As JSON and Python's ``repr`` of ASCII write letters that are not."""
    if not text.isascii():
        yield "".join(f"\\u{ord(letter):04x}" for letter in text).encode()


def list_forms() -> tuple[frozenset[bytes], frozenset[bytes]]:
    """All that a canary may look like: what is searched for as it stands, and what whatever its case."""
    exact: set[bytes] = set()
    any_case: set[bytes] = set()
    for word, spell, charset in product((LATIN, CYRILLIC, NETWORK), _SPELLINGS, _CHARSETS):
        data = spell(word).encode(charset)
        exact.update(_base64(data))
        forms = [data, binascii.hexlify(data), _quoted(data), *_escaped(spell(word))]
        # Letters of ASCII are seldom percent-encoded, others always; twice where a link is within a link.
        percent = b"".join(b"%%%02x" % byte for byte in data)
        forms += [percent, percent.replace(b"%", b"%25"), quote_from_bytes(data).encode()]
        forms.append(quote(quote_from_bytes(data)).encode())
        any_case.update(form.lower() for form in forms)
    packed = bytes.fromhex("20010db85afe")
    exact.update([packed, *_base64(packed)])
    any_case.add(binascii.hexlify(packed))
    return frozenset(exact), frozenset(any_case)


def find_canaries(files: Iterable[Path], *, secrets: Iterable[bytes] = ()) -> list[tuple[str, bytes]]:
    """Each file that holds a canary, with the form in which it does; long lines may be broken as mails break them.

    ``secrets`` are looked for as they stand, beside the canaries. A file that is gone when its turn comes holds
    nothing: a database server that runs makes such files and deletes them.
    """
    exact, any_case = list_forms()
    exact = exact.union(secrets)
    hits = []
    for path in files:
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            continue
        joined = raw.replace(b"=\r\n", b"").replace(b"=\n", b"").replace(b"\r\n", b"").replace(b"\n", b"")
        for held in (raw, joined) if joined != raw else (raw,):
            hits += [(path.name, form) for form in exact if form in held]
            lowered = held.lower()
            hits += [(path.name, form) for form in any_case if form in lowered]
    return hits


def list_files(folder: Path) -> list[Path]:
    """Every file below ``folder``."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
