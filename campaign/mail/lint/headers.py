"""The linter checks a message's headers: each occurs once, has the form of its RFC, and hides no second header."""

import re
from collections import Counter
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header

from campaign.mail.lint.problem import N_, Part, Problem, find_mark, find_unprintable

MAX_SUBJECT_LENGTH = 250
INVISIBLE = N_(
    "%(name)s holds an invisible character that ends a line or turns the direction of writing; type the text "
    "again by hand."
)
LONG_SUBJECT = N_("The subject has %(length)s characters, more than 250; shorten the title of the newest update.")

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_ONCE = ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type", "Auto-Submitted")
_ONCE_FOR_A_LIST = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Owner", "List-Archive")
_DATE = re.compile(  # RFC 5322 §3.3
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(?:0?[1-9]|[12]\d|3[01]) "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} [0-2]\d:[0-5]\d(?::[0-6]\d)? [+-]\d{4}"
)
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LIST_ID = re.compile(rf"(?:[^<>]*\s)?<({_ATOM}(?:\.{_ATOM})+)>")  # RFC 2919 §2, §3
_URIS = re.compile(r"<(?:https?://|mailto:)[!-;=?-~]+>(?:\s*,\s*<(?:https?://|mailto:)[!-;=?-~]+>)*")  # RFC 2369 §2
_WEB = re.compile(r"<(https://[!-;=?-~]+|http://(?:localhost|127\.0\.0\.1|\[::1\])[:/][!-;=?-~]*)>")


@dataclass(frozen=True, slots=True)
class Field:
    """One header as it is sent, its folded lines joined. ``line`` is the number of its first line, from 1."""

    name: str
    value: str
    line: int

    @property
    def shown(self) -> str:
        """The value as a mail program shows it. Raises ValueError if its encoding is broken."""
        try:
            return str(make_header(decode_header(self.value)))
        except (HeaderParseError, MessageError, LookupError, UnicodeError) as error:
            raise ValueError("an encoded word that cannot be read") from error


def read_fields(content: bytes) -> tuple[list[Field], list[Problem]]:
    """The headers of a message, and the problems of lines that are no header."""
    head = _END_OF_HEADERS.split(content, maxsplit=1)[0]
    fields: list[Field] = []
    problems = []
    for number, raw in enumerate(head.replace(b"\r\n", b"\n").split(b"\n"), 1):
        if not raw.isascii():
            problems.append(Problem(Part.HEADER, number, "The header is not ASCII; encode it (RFC 2047)."))
        text = raw.decode("ascii", "replace")
        if text[:1] in (" ", "\t") and fields:
            last = fields.pop()
            fields.append(Field(last.name, last.value + text, last.line))
            continue
        name, colon, value = text.partition(":")
        if not colon or not re.fullmatch(r"[!-9;-~]+", name):
            problems.append(Problem(Part.HEADER, number, "This is no header; each reads “Name: value”."))
            continue
        fields.append(Field(name, value.strip(), number))
    return fields, problems


def lint_headers(fields: list[Field], by_name: dict[str, Field], *, is_list: bool) -> list[Problem]:
    """The problems of the headers; ``by_name`` holds the first header of each name, by the name in lower case."""
    return [
        *_lint_counts(fields, [*_ONCE, *(_ONCE_FOR_A_LIST if is_list else ())]),
        *_lint_values(fields, by_name),
        *(_lint_list(by_name) if is_list else ()),
    ]


def _lint_counts(fields: list[Field], once: list[str]) -> list[Problem]:
    counts = Counter(field.name.lower() for field in fields)
    problems = []
    for name in once:
        if not counts[name.lower()]:
            problems.append(Problem(Part.HEADER, None, "The header %(name)s is missing; add it.", {"name": name}))
        elif counts[name.lower()] > 1:
            lines = [field.line for field in fields if field.name.lower() == name.lower()]
            problems.append(
                Problem(Part.HEADER, lines[1], "The header %(name)s stands twice; keep one.", {"name": name})
            )
    problems += [
        Problem(Part.HEADER, field.line, "A mail to one reader has no %(name)s; take it out.", {"name": field.name})
        for field in fields
        if field.name.lower() in ("cc", "bcc")
    ]
    return problems


def _lint_shown(field: Field) -> list[Problem]:
    """The problems of the decoded value: what a reader would see, and invisible characters that harm the reader."""
    problems = []
    try:
        shown = field.shown
    except ValueError:
        sentence = "%(name)s has an encoded word that cannot be read; encode it anew (RFC 2047)."
        return [Problem(Part.HEADER, field.line, sentence, {"name": field.name})]
    if find_unprintable(shown.replace("\t", " ")):
        problems.append(Problem(Part.HEADER, field.line, INVISIBLE, {"name": field.name}))
    if find_mark(shown):
        sentence = N_("A placeholder was left standing; fill it in or take it out.")
        problems.append(Problem(Part.HEADER, field.line, sentence))
    return problems


def _lint_values(fields: list[Field], by_name: dict[str, Field]) -> list[Problem]:
    problems = [problem for field in fields for problem in _lint_shown(field)]
    if field := by_name.get("subject"):
        problems += _lint_subject(field)
    if (field := by_name.get("date")) and not _DATE.fullmatch(field.value):
        problems.append(Problem(Part.HEADER, field.line, "Date must read like Mon, 23 Nov 2026 07:00:00 +0000."))
    if (field := by_name.get("message-id")) and not _MESSAGE_ID.fullmatch(field.value):
        problems.append(Problem(Part.HEADER, field.line, "Message-ID must read like <name@example.org>."))
    if (field := by_name.get("auto-submitted")) and field.value != "auto-generated":
        problems.append(Problem(Part.HEADER, field.line, "Auto-Submitted must be auto-generated (RFC 3834)."))
    return problems


def _lint_subject(field: Field) -> list[Problem]:
    try:
        shown = field.shown.strip()
    except ValueError:
        return []  # _lint_shown reports it
    if not shown:
        return [Problem(Part.HEADER, field.line, N_("The subject is empty; give the newest update a title."))]
    if len(shown) > MAX_SUBJECT_LENGTH:
        return [Problem(Part.HEADER, field.line, LONG_SUBJECT, {"length": len(shown)})]
    return []


def _lint_list(by_name: dict[str, Field]) -> list[Problem]:
    rules = {
        "List-Id": (_LIST_ID, "List-Id must read like <digest.example.org> (RFC 2919)."),
        "List-Unsubscribe": (
            _WEB,
            "List-Unsubscribe must be one https address between < and >, not encoded and not folded (RFC 8058).",
        ),
        "List-Unsubscribe-Post": (
            re.compile("List-Unsubscribe=One-Click"),
            "List-Unsubscribe-Post must be List-Unsubscribe=One-Click (RFC 8058).",
        ),
        **dict.fromkeys(
            ("List-Help", "List-Owner", "List-Archive"),
            (_URIS, "%(name)s must hold addresses between < and > (RFC 2369)."),
        ),
    }
    return [
        Problem(Part.HEADER, field.line, sentence, {"name": name} if "%(name)s" in sentence else {})
        for name, (form, sentence) in rules.items()
        if (field := by_name.get(name.lower())) and not form.fullmatch(field.value)
    ]


def find_unsubscribe(by_name: dict[str, Field]) -> str | None:
    """The address in List-Unsubscribe; None if there is none."""
    field = by_name.get("list-unsubscribe")
    found = _WEB.search(field.value) if field else None
    return found[1] if found else None
