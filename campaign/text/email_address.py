"""E-mail addresses: read what a person typed, compare two spellings.

Every comparison of addresses is made here, for signers and for organizers, so that each spelling of an
address finds the same person everywhere.
"""

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, EmailUndeliverableError, validate_email

from campaign.errors import InvalidInput
from campaign.text.invisible import without_invisible

N_ = str  # marks a sentence for the translators; the page translates it

# An address has at most 254 characters (RFC 5321 §4.5.3.1.3), and each may be typed as several. Longer text is refused
# before it is read, so that it costs nothing.
_LONGEST_TYPED = 2000
_NO_ADDRESS = N_("This does not look like an e-mail address. It should read like name@example.org.")
# What stands around an address where it was copied from: quotes, brackets, the stop of a sentence. No domain ends so.
_AROUND = " \t\r\n\"'`«»“”„‘’()[]<>,;:!?"
_BEHIND = _AROUND + ".…。"
_IN_ANGLES = re.compile(r"[^<>@]*<([^<>]*)>\W*")


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """One mailbox, as mail is sent to it.

    ``local_part`` keeps the typed case, since only the receiving host knows whether case matters (RFC 5321 §2.4);
    ``domain`` is in ASCII (A-labels, RFC 5890), as SMTP without SMTPUTF8 needs it.
    """

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @property
    def comparable(self) -> str:
        """The spelling for comparing: two addresses with the same one belong to one person. Never send to it."""
        return str(self).casefold()


def _mend(typed: str) -> str:
    """The address in what was typed or pasted: without invisible characters, ``mailto:``, the name before an address in
    angle brackets, and marks around it. What has no single address in it stays what it is, and is refused later."""
    text = without_invisible(typed).strip("\u200c\u200d").strip()
    wide = unicodedata.normalize("NFKC", text)
    # Full-width letters become plain ones; an address in another script keeps its letters.
    text = wide if wide.isascii() else text.replace("＠", "@").replace("﹫", "@")
    if found := _IN_ANGLES.fullmatch(text):
        text = found[1]
    text = text.lstrip(_AROUND)
    if text[:7].casefold() == "mailto:":
        text = text[7:].partition("?")[0]
    return re.sub(r"[ \t\xa0]*@[ \t\xa0]*", "@", text.lstrip(_AROUND).rstrip(_BEHIND))


def parse_email_address(typed: str, *, check_dns: bool = False, allow_smtputf8: bool = False) -> EmailAddress:
    """Read an address as a person types or pastes it: in any case, with a domain in any script, with spaces or marks
    around it, as ``Ivan <ivan@example.org>`` or ``mailto:ivan@example.org``.

    ``check_dns`` also asks the DNS whether the domain takes mail. ``allow_smtputf8`` accepts letters beyond ASCII
    before the @, which only a relay with SMTPUTF8 (RFC 6531) can deliver.

    Raises InvalidInput for the field ``email``.
    """
    if len(typed.strip()) > _LONGEST_TYPED:
        raise InvalidInput("email", _NO_ADDRESS)
    text = _mend(typed)
    if not text:
        raise InvalidInput("email", N_("Please type your e-mail address."))
    try:
        parts = validate_email(text, check_deliverability=check_dns, allow_smtputf8=True)
    except EmailUndeliverableError as error:
        raise InvalidInput(
            "email", N_("The part after the @ does not seem to receive mail. Please check it.")
        ) from error
    except EmailNotValidError as error:
        raise InvalidInput("email", _NO_ADDRESS) from error
    if parts.ascii_email is None and not allow_smtputf8:
        raise InvalidInput(
            "email",
            N_("The part before the @ has letters that our mail server cannot deliver to. Please use another address."),
        )
    return EmailAddress(local_part=parts.local_part or "", domain=parts.ascii_domain)


def comparable_spelling(typed: str) -> str:
    """The spelling under which ``typed`` is compared with an address that is kept (``EmailAddress.comparable``).

    It raises nothing: text that is no address comes back without case and surrounding blanks, so that it can be counted
    like an address that nobody has. ``parse_email_address`` says what is an address.
    """
    try:
        return parse_email_address(typed, allow_smtputf8=True).comparable
    except InvalidInput:
        return typed.strip().casefold()


def list_spellings(comparable: str) -> tuple[str, str]:
    """A comparable address as it is kept, and with the domain in its own script, as its owner types it."""
    return comparable, validate_email(comparable, check_deliverability=False).normalized.casefold()
