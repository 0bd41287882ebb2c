"""Names, comments and notes that people type: which text is kept, and which is refused with a sentence.

Names in every script are accepted, also names of one word. Text is mended before it is judged: invisible characters,
which come along when text is copied, are removed, and with them the direction marks that change how a line reads
(Unicode TR 36). Two kinds of text are refused, since they have no place in a name and do harm elsewhere: line ends and
control characters (they forge mail headers and table rows), and addresses of web pages (they make the petition an
advertisement).
"""

import re
import unicodedata
from collections.abc import Iterator

from campaign.errors import InvalidInput
from campaign.text.invisible import has_unprintable, without_invisible

N_ = str  # marks a sentence for the translators; the page translates it

NAME_LENGTH = 100
COMMENT_LENGTH = 1000
REASON_LENGTHS = (3, 500)
NOTE_LENGTH = 2000

# No living orthography writes so many marks on one letter ("Zalgo").
_TOO_MANY_MARKS = 6
_VIRAMA = 9  # the combining class of the marks that join two letters of an Indic script into one
# A full stop inside a name is common ("J.R.R.", "Md.Rahman"), so only the usual endings of web addresses are refused.
_WEB_ADDRESS = re.compile(
    r"://|\bwww\.|\b(?P<before>[\w-]+)\.(?P<ending>com|net|org|info|biz|edu|gov|io|co|me|tv|cc|xyz|top|site|online|shop|club|link|live|app"
    r"|dev|page|blog|news|space|website|store|pro|click|vip|win|ru|su|рф|kz|қаз|ua|by|uz|kg|de|uk|us|eu|fr|cn|tk|ml|ga"
    r"|cf|gq)\b(?!\.\w)|\b[\w-]+\.\w{2,}/",
    re.IGNORECASE,
)
# Endings that are also words of names, as in "U.Win Tin", "S.Dev", "Dr.Pro".
_ALSO_NAMES = {"by", "co", "de", "dev", "ga", "link", "live", "page", "pro", "su", "top", "us", "win"}
_LONGEST_TITLE = 4


def _mend(typed: str) -> str:
    """The text composed (NFC), without invisible characters, with ``\n`` for each kind of line end."""
    seen = without_invisible(unicodedata.normalize("NFC", typed))
    return re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", seen).strip()


def _refuse_unprintable(field: str, text: str, *, allowed: str = "") -> None:
    if has_unprintable(text, allowed=allowed):
        raise InvalidInput(
            field,
            N_("This contains unreadable characters. Please type it again by hand, without copying."),
        )
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks > _TOO_MANY_MARKS:
            raise InvalidInput(field, N_("One of the letters carries too many accents. Please type it more simply."))


def clean_name(typed: str) -> str:
    """The name to keep: NFC, single spaces. Raises InvalidInput for the field ``name``."""
    name = _mend(typed)
    _refuse_unprintable("name", name, allowed="\t")
    name = " ".join(name.split())
    if len(name) > NAME_LENGTH:
        raise InvalidInput("name", N_("This is too long. Please shorten it."))
    if any(not _is_of_a_name(found) for found in _WEB_ADDRESS.finditer(name)):
        raise InvalidInput(
            "name", N_("A web address cannot stand here. If it is none, please put a space after the full stop.")
        )
    if not name:
        raise InvalidInput("name", N_("Please type your name."))
    if not any(unicodedata.category(character).startswith("L") for character in name):
        raise InvalidInput("name", N_("A name has at least one letter. Please type your name."))
    return name


def _is_of_a_name(found: re.Match[str]) -> bool:
    """Whether the text that looks like a web address is an initial or a title with the word behind it, written without
    a space: “U.Win”, “Dr.Pro”, “J.de Boer”."""
    before, ending = found["before"] or "", found["ending"] or ""
    if not before.isalpha() or ending.casefold() not in _ALSO_NAMES:
        return False
    if len(before) == 1 and ending == "de":
        return found.string[found.end() :].startswith(" ")
    return len(before) <= _LONGEST_TITLE and ending[0].isupper()


def initials_of(name: str) -> str:
    """The first letter of each word of a cleaned name, with its marks, in any script: “J.-L. P.”."""
    words = ("-".join(_initials(part)) for part in name.split())
    return " ".join(word for word in words if word)


def _initials(word: str) -> Iterator[str]:
    for part in re.split(r"[-\u2010\u2011]", word):
        start = next((at for at, character in enumerate(part) if unicodedata.category(character).startswith("L")), None)
        if start is not None:
            yield f"{_first_letter(part[start:])}."


def _first_letter(word: str) -> str:
    """The first letter of ``word`` as readers see it: with its marks, and with the letter that a virama joins to it."""
    end = 1
    while end < len(word):
        joined = unicodedata.combining(word[end - 1]) == _VIRAMA and unicodedata.category(word[end]).startswith("L")
        if not joined and not unicodedata.category(word[end]).startswith("M"):
            break
        end += 1
    # Title case and not upper case: Georgian has upper case for whole lines only. One letter may also become two.
    first = word[0].title()
    return (first if len(first) == 1 else word[0]) + word[1:end]


def clean_comment(typed: str) -> str | None:
    """The comment to keep, or None if nothing was typed. Line ends become ``\\n``.

    Raises InvalidInput for the field ``comment``.
    """
    text = _mend(typed)
    _refuse_unprintable("comment", text, allowed="\n\t")
    if len(text) > COMMENT_LENGTH:
        raise InvalidInput("comment", N_("The comment is too long. Please keep it under 1,000 characters."))
    return text or None


def clean_reason(typed: str) -> str:
    """The reason for which an organizer takes a list, as one line. Raises InvalidInput for the field ``reason``."""
    reason = " ".join(_mend(typed).split())
    _refuse_unprintable("reason", reason)
    shortest, longest = REASON_LENGTHS
    if len(reason) < shortest:
        raise InvalidInput("reason", N_("Please say in a few words what the list is for."))
    if len(reason) > longest:
        raise InvalidInput("reason", N_("The reason is too long. Please keep it under 500 characters."))
    return reason


def clean_note(typed: str) -> str:
    """The organizers' note on the state of the petition. Line ends become ``\\n``.

    Raises InvalidInput for the field ``note``.
    """
    note = _mend(typed)
    _refuse_unprintable("note", note, allowed="\n\t")
    if len(note) > NOTE_LENGTH:
        raise InvalidInput("note", N_("This is too long. Please keep it under 2,000 characters."))
    return note
