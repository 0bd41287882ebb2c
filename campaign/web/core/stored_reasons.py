"""What is stored of a mail's or an edition's trouble, in the reader's language: our words, around a server's codes.

Stored is the English sentence, filled in, so that the command line and a person at the database read it as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

from campaign.i18n import Language
from campaign.mail.lint.headers import INVISIBLE, LONG_SUBJECT
from campaign.mail.lint.html import BAD_LINK, TOO_LARGE
from campaign.mail.lint.message import Part
from campaign.mail.lint.parts import HTML_ALONE, TEXT_ALONE
from campaign.web.core.labels import DETAILS, LISTS, MAIL_PARTS, ROLES, SIGNATURE_STATES, WAYS

N_ = str  # marks a sentence for the translators; `tell_reason` translates it

# What the ledger, the transport and the schedule put together; of several that fit the first counts.
_COMPOSED = (
    N_("given up after 72 hours; %(why)s"),
    N_("the message cannot be written (%(why)s)"),
    N_("the mail server cannot be used (%(why)s)"),
    N_("the mail server refuses this server's mails (%(why)s)"),
    N_("what is sent cannot be noted (%(why)s)"),
    N_("the outbox cannot be written (%(why)s)"),
    N_("the connection broke before the server's answer (%(why)s)"),
    N_("the connection broke before the message was complete (%(why)s)"),
    N_("sender: %(why)s"),
    N_("recipient: %(why)s"),
    N_("message: %(why)s"),
    N_("The edition was not made. In %(language)s, %(part)s, line %(line)s: %(why)s"),
    N_("The edition was not made. In %(language)s, %(part)s: %(why)s"),
    *(INVISIBLE, LONG_SUBJECT, BAD_LINK, TOO_LARGE, HTML_ALONE, TEXT_ALONE),
    # What stands in brackets or behind a colon.
    N_("the server hung up"),
    N_("the server is closing"),
    N_("the mail server is closing"),
    N_("the server does not speak SMTP"),
    N_("the server's answer has no end"),
    N_("the mail server has no SMTPUTF8"),
)


def _read(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"%\((\w+)\)s", pattern)
    return re.compile(
        "".join(f"(?P<{piece}>.+?)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)),
        re.DOTALL,
    )


_PATTERNS = [(pattern, _read(pattern)) for pattern in _COMPOSED]


def tell_reason(language: Language, stored: str) -> str:
    """The stored sentence in ``language``; what is not ours stays as it is. It is text, never markup or a format."""
    for pattern, reading in _PATTERNS:
        if found := reading.fullmatch(stored):
            values = {name: _tell_value(language, name, value) for name, value in found.groupdict().items()}
            return language.gettext(pattern) % values
    return language.gettext(stored)


def _tell_value(language: Language, name: str, value: str) -> str:
    if name == "why":
        return tell_reason(language, value)
    if name == "language":
        return Language(value).own_name
    return language.gettext(MAIL_PARTS[Part(value)]) if name == "part" and value in set(Part) else value


def tell_details(language: Language, details: Mapping[str, object]) -> str:
    """The details of an entry of the audit trail: numbers and choices, with what each one is."""
    told = []
    for name, value in details.items():
        if value is not None:
            what = language.gettext(DETAILS[name]) if name in DETAILS else name
            told.append(f"{what}: {_tell_detail(language, name, value)}")
    return "; ".join(told)


def _tell_detail(language: Language, name: str, value: object) -> str:
    if isinstance(value, int):
        return language.number(value)
    if name == "way":
        return " + ".join(language.gettext(WAYS.get(part, part)) for part in str(value).split(" + "))
    choices: dict[str, Mapping[Any, str]] = {"role": ROLES, "state": SIGNATURE_STATES, "list": LISTS}
    chosen = choices.get(name, {}).get(value)
    return tell_reason(language, str(value)) if chosen is None else language.gettext(chosen)
