"""The only source of randomness: row ids, keys, nonces. (Tokens in links are derived, not random: see ``vault``.)"""

import secrets


def random_id() -> int:
    """An id for a row about a person: positive, of 63 bits. It does not tell when or in which order people came."""
    return secrets.randbits(63) or random_id()


def random_below(limit: int) -> int:
    """A number from 0 to ``limit`` - 1."""
    return secrets.randbelow(limit)


def random_bytes(count: int) -> bytes:
    """``count`` bytes for a key or a nonce."""
    return secrets.token_bytes(count)


def random_name() -> str:
    """An opaque name of 32 characters, for a session, a browser or a process."""
    return secrets.token_hex(16)
