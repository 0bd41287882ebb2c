"""The linter: it checks one composed message, as bytes, by the rules for every mail (docs/mail.md)."""

import re
from email.utils import getaddresses

from campaign.mail.lint.addresses import find_address_problem
from campaign.mail.lint.headers import Field, find_unsubscribe, lint_headers, read_fields
from campaign.mail.lint.parts import lint_parts
from campaign.mail.lint.problem import Part, Problem

__all__ = ["Part", "Problem", "lint_message"]

MAX_OCTETS = 998  # RFC 5322 §2.1.1

_ALONE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


def lint_message(content: bytes, *, sender: str, recipient: str, is_list: bool) -> list[Problem]:
    """The problems of the message, in the order in which to correct them; empty if there are none.

    ``sender`` and ``recipient`` are those of the envelope. ``is_list``: the headers of a mailing list are required too.
    """
    fields, unread = read_fields(content)
    by_name = {field.name.lower(): field for field in reversed(fields)}
    return [
        *_lint_wire(content),
        *unread,
        *lint_headers(fields, by_name, is_list=is_list),
        *_lint_envelope(by_name, sender, recipient),
        *lint_parts(content, find_unsubscribe(by_name) if is_list else None),
    ]


def _lint_wire(content: bytes) -> list[Problem]:
    problems = []
    if alone := _ALONE.search(content):
        line = content.count(b"\n", 0, alone.start()) + 1
        problems.append(Problem(Part.WIRE, line, "A line ends in CR or LF alone; every line must end in CRLF."))
    if not content.endswith(b"\r\n"):
        problems.append(Problem(Part.WIRE, None, "The last line does not end in CRLF; end it."))
    for number, line_bytes in enumerate(content.split(b"\n"), 1):
        if len(line_bytes.rstrip(b"\r")) > MAX_OCTETS:
            problems.append(
                Problem(Part.WIRE, number, "The line is longer than 998 bytes; encode it, so that it is broken up.")
            )
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        problems.append(Problem(Part.WIRE, line, "There is a NUL byte; take it out."))
    return problems


def _lint_envelope(by_name: dict[str, Field], sender: str, recipient: str) -> list[Problem]:
    problems = []
    for role, address in (("sender", sender), ("recipient", recipient)):
        if sentence := find_address_problem(address):
            problems.append(Problem(Part.ENVELOPE, None, sentence, {"role": role}))
    if (field := by_name.get("from")) and len(getaddresses([field.value])) != 1:
        problems.append(Problem(Part.HEADER, field.line, "From must name one mailbox."))
    if (field := by_name.get("to")) and [address for _, address in getaddresses([field.value])] != [recipient]:
        problems.append(Problem(Part.HEADER, field.line, "To must name the recipient, and nobody else."))
    return problems
