"""Typing slips in e-mail addresses, such as gmial.com: the program asks about them, and refuses nothing."""

from itertools import product

# The providers of most mailboxes. Only slips in these names are looked for. Each further name makes more false alarms.
_PROVIDERS = (
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com",
    "me.com", "aol.com", "proton.me", "protonmail.com", "tutanota.com", "tuta.com", "riseup.net", "disroot.org",
    "mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "yandex.ru", "yandex.kz", "yandex.com", "ya.ru",
    "rambler.ru", "mail.kz", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "freenet.de",
    "t-online.de", "posteo.de", "mailbox.org", "ukr.net", "tut.by", "wp.pl", "seznam.cz", "free.fr", "orange.fr",
    "laposte.net", "libero.it",
)  # fmt: skip
# Real domains that look like a slip in one of the names above.
_OTHERS = {"mail.com", "email.com", "ymail.com", "gmail.ru", "hmail.com", "gail.com", "cloud.com", "ibox.ru"}
# Slips in the end of a domain, and what was meant. No key is a top-level domain (IANA's root zone, 2026).
_UNREAL_ENDS = {
    **dict.fromkeys(("con", "cmo", "ocm", "vom", "xom", "comm", "coom", "cpm", "cim", "clm", "conm", "som"), "com"),
    **dict.fromkeys(("ry", "ri", "ur", "tu", "ruu", "rru", "eru"), "ru"),
    **dict.fromkeys(("nte", "ner", "nett", "nrt"), "net"),
    **dict.fromkeys(("ogr", "rog", "orgg", "prg", "orh"), "org"),
    **dict.fromkeys(("zk", "kzz", "kx"), "kz"),
}
# Top-level domains that exist, but under which no provider with the same name has mailboxes.
_RARE_ENDS = {"co": "com", "cm": "com", "om": "com", "ne": "net"}
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_VOWELS = "aeiouy"


def suggest(address: str) -> str | None:
    """The address that was probably meant, or None if ``address`` has no slip.

    The answer depends on ``address`` alone: no other server is asked, and nobody learns which addresses are known.
    """
    local_part, _, domain = address.rpartition("@")
    meant = _find_meant(domain.casefold())
    return f"{local_part}@{meant}" if meant else None


def _find_meant(domain: str) -> str | None:
    if domain in _PROVIDERS or domain in _OTHERS:
        return None
    name, _, end = domain.rpartition(".")
    ended = f"{name}.{_UNREAL_ENDS.get(end, end)}"
    if ended in _PROVIDERS:
        return ended
    if (rare := f"{name}.{_RARE_ENDS.get(end, end)}") in _PROVIDERS:
        return rare
    meant = min((provider for provider in _PROVIDERS if _is_slip(ended, provider)), key=_PROVIDERS.index, default=None)
    return meant or (ended if ended != domain else None)


def _is_slip(typed: str, provider: str) -> bool:
    """Whether ``typed`` has the provider's end, and one slip in its name; in a long name two, in a very short one none.

    Most names that are similar to a short name are real domains. So in a short name, only letters that changed places
    or were typed twice are a slip.
    """
    (name, _, end), (wanted, _, wanted_end) = typed.partition("."), provider.partition(".")
    if end != wanted_end or name == wanted or len(wanted) < 3:
        return False
    if len(wanted) < 5:
        return sorted(name) == sorted(wanted) or (len(name) > len(wanted) and _once(name) == _once(wanted))
    return distance(name, wanted) <= (2 if len(wanted) > 7 else 1)


def _once(name: str) -> str:
    """The name without repetitions: a letter that comes twice in a row is written once."""
    return "".join(letter for place, letter in enumerate(name) if name[place - 1 : place] != letter)


def distance(typed: str, meant: str) -> int:
    """How many slips lie between the two (Damerau's distance, restricted: no place changes twice).

    One slip is: a letter too many or too few, two letters that changed places, a wrong letter that is a neighbour on
    the keyboard, or a vowel in place of another vowel. Any other wrong letter counts as two slips.
    """
    rows, columns = range(1, len(typed) + 1), range(1, len(meant) + 1)
    least = {(row, 0): row for row in range(len(typed) + 1)} | {(0, column): column for column in (0, *columns)}
    for row, column in product(rows, columns):
        left, right = typed[row - 1], meant[column - 1]
        least[row, column] = min(
            least[row - 1, column] + 1,
            least[row, column - 1] + 1,
            least[row - 1, column - 1] + _wrong_letter(left, right),
        )
        if row > 1 and column > 1 and typed[row - 2 : row] == right + meant[column - 2]:
            least[row, column] = min(least[row, column], least[row - 2, column - 2] + 1)
    return int(least[len(typed), len(meant)])


def _wrong_letter(typed: str, meant: str) -> int:
    if typed == meant:
        return 0
    return 1 if (typed in _VOWELS and meant in _VOWELS) or _are_neighbours(typed, meant) else 2


def _are_neighbours(one: str, other: str) -> bool:
    places = [(row, keys.index(letter)) for letter in (one, other) for row, keys in enumerate(_KEYS) if letter in keys]
    if len(places) != 2:
        return False
    (row, place), (other_row, other_place) = sorted(places)
    # Each lower row begins half a key further right.
    return place - other_place in ((1, -1) if row == other_row else (0, 1) if other_row - row == 1 else ())
