"""Mail that came back: what it says became of which mail. It is anybody's bytes, so what is read has limits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum

from flufl.bounce import all_failures

from campaign.mail.returned.status_codes import find_status, is_gone
from campaign.mail.returned.verp import find_token

# A report comes first in its message, then the headers of what it returns: the rest need not be read.
MOST_BYTES = 256 * 1024
_MOST_LINES = 8000
_LONGEST_LINE = 500
_MOST_FOLDS = 8
_MOST_PARTS_WITHIN = 40
_MOST_FOR_GUESSING = 16 * 1024

_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
# In what was returned: Return-Path and Message-ID; in an ARF report: Original-Mail-From.
_TOKEN = re.compile(r"[+<]([0-9a-f]{48})@", re.IGNORECASE)
_NESTING = re.compile(r"(?:multipart|message)/", re.IGNORECASE)
_ASCII = bytes(byte if 0 < byte < 128 else 63 for byte in range(256))
# What a bounce without a status code says where it is not the address that is wrong.
_NOT_THE_ADDRESS = re.compile(
    r"quota|\bfull\b|spam|block|black\s?list|policy|reputation|virus|too (?:large|big)|exceed", re.IGNORECASE
)
_AUTO_REPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")


class ReportKind(StrEnum):
    """What a report means for its reader: suppressed, counted, suppressed and unsubscribed, nothing."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    COMPLAINT = "complaint"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Report:
    """What came back: its kind, the enhanced status code, and the token of the mail that it is about."""

    kind: ReportKind
    status: str | None = None
    token: str | None = None


def read_report(message: bytes) -> Report:
    """What a message that came back says. Never raises, whatever it is given, and reads its beginning alone.

    - A delivery status notification (RFC 3464, in international form RFC 6533): ``failed`` is permanent where its
      status says that the address is gone (``mail.returned.status_codes``), else temporary: the mail did not arrive,
      but for a reason that a reader does not stand for: a full mailbox, a policy, a spam filter, the content.
      ``delayed`` is ignored, since the relay still tries; so are ``relayed``, ``delivered``, ``expanded``. Our mails
      have one recipient, so several are the mailboxes behind one alias: the mildest counts.
    - A feedback report (RFC 5965): ``abuse``, ``fraud`` and ``opt-out`` (of drafts, but sent) are complaints: the
      reader wants no more. ``not-spam``, ``virus``, ``auth-failure``, ``other`` are nothing that a reader asked for.
    - An automatic reply (RFC 3834), a receipt (RFC 8098) or a person's letter is ignored.
    - Anything else is shown to flufl.bounce, which knows the forms of old and odd servers.
    """
    tame = _tame(message)
    parsed = message_from_string(tame)
    kind, status = _classify(parsed, tame)
    return Report(kind, status, _find_token(parsed, tame))


def _tame(message: bytes) -> str:
    """The message so cut that no parser can be kept busy by it, or run out of stack: ASCII without NUL, short lines,
    headers of a few lines, few parts within parts."""
    lines: list[bytes] = []
    folds = 0
    for line in message[:MOST_BYTES].translate(_ASCII).splitlines()[:_MOST_LINES]:
        folds = folds + 1 if line[:1] in (b" ", b"\t") else 0
        if folds <= _MOST_FOLDS:
            lines.append(line[:_LONGEST_LINE])
    text = b"\n".join(lines).decode("ascii")
    nested = [found.start() for found in _NESTING.finditer(text)]
    return text[: nested[_MOST_PARTS_WITHIN]] if len(nested) > _MOST_PARTS_WITHIN else text


def _find_token(parsed: Message, tame: str) -> str | None:
    addresses = (str(value) for name in _TO for value in parsed.get_all(name, []))
    token = next((token for address in addresses if (token := find_token(address))), None)
    if token is None and (found := _TOKEN.search(tame)):
        token = found[1]
    return token.lower() if token else None


def _list_parts(parsed: Message) -> Iterator[Message]:
    """The parts of a message, not those of a message within it."""
    if parsed.get_content_maintype() != "multipart" or not parsed.is_multipart():
        yield parsed
        return
    for part in parsed.get_payload():
        if isinstance(part, Message):
            yield from _list_parts(part)


def _classify(parsed: Message, tame: str) -> tuple[ReportKind, str | None]:
    for part in _list_parts(parsed):
        match part.get_content_type():
            case "message/delivery-status" | "message/global-delivery-status":
                return _read_delivery_status(part)
            case "message/feedback-report":
                return _read_feedback(part)
    # Exim's bounces call themselves replies, and name who failed.
    if parsed.get_content_type() == "multipart/report" or (
        _is_auto_reply(parsed) and "X-Failed-Recipients" not in parsed
    ):
        return ReportKind.IGNORED, None
    return _guess(tame[:_MOST_FOR_GUESSING])


def _field_groups(part: Message) -> Iterator[Message]:
    """The groups of fields in a report: those of the whole, then those of each recipient."""
    groups = part.get_payload()
    if not isinstance(groups, list):
        groups = [message_from_string(group) for group in str(groups).split("\n\n")]
    for group in groups:
        if isinstance(group, Message):
            yield group
            # The parser knows message/delivery-status; of its international sister the first group becomes the headers
            # of a message and the others its body.
            body = group.get_payload()
            if isinstance(body, str):
                yield from (message_from_string(other) for other in body.split("\n\n") if other.strip())


def _read_delivery_status(part: Message) -> tuple[ReportKind, str | None]:
    found: list[tuple[ReportKind, str | None]] = []
    for group in _field_groups(part):
        # Some servers write a comment after the word; OpenSMTPD writes “error”.
        action = str(group.get("Action", "")).strip().lower()
        if action.startswith(("fail", "error")):
            status = find_status(str(group.get("Status", "")))
            if status is None or status[1:] == ".0.0" or status[0] == "2":
                # Exim writes 5.0.0 for everything; the other server's own answer may say more.
                status = find_status(str(group.get("Diagnostic-Code", ""))) or status
            found.append((ReportKind.PERMANENT if is_gone(status) else ReportKind.TEMPORARY, status))
        elif action:
            found.append((ReportKind.IGNORED, find_status(str(group.get("Status", "")))))
    mildest = (ReportKind.IGNORED, ReportKind.TEMPORARY, ReportKind.PERMANENT)
    return min(found, key=lambda said: mildest.index(said[0]), default=(ReportKind.IGNORED, None))


def _read_feedback(part: Message) -> tuple[ReportKind, str | None]:
    said = {str(group.get("Feedback-Type", "")).strip().lower() for group in _field_groups(part)}
    return (ReportKind.COMPLAINT if said & {"abuse", "fraud", "opt-out"} else ReportKind.IGNORED), None


def _is_auto_reply(parsed: Message) -> bool:
    submitted = str(parsed.get("Auto-Submitted", "no")).strip().lower()
    precedence = str(parsed.get("Precedence", "")).strip().lower()
    return (
        not submitted.startswith("no")
        or precedence in {"auto_reply", "auto-reply", "bulk", "junk", "list"}
        or any(name in parsed for name in _AUTO_REPLY_HEADERS)
    )


def _guess(text: str) -> tuple[ReportKind, str | None]:
    """What flufl.bounce makes of it. Its “permanent” is believed where the text has no better word for it."""
    parsed = message_from_string(text)
    if not getaddresses([str(parsed.get("From", ""))]):
        # One of the library's readers trips over that, before others have looked.
        del parsed["From"]
        parsed["From"] = "MAILER-DAEMON@invalid"
    try:
        temporary, permanent = all_failures(parsed)
    except Exception:  # noqa: BLE001 (heuristics of many years over anybody's bytes: one that trips says nothing)
        return ReportKind.IGNORED, None
    if not temporary and not permanent:
        return ReportKind.IGNORED, None
    status = find_status(_body(text))
    if permanent and (is_gone(status) if status else not _NOT_THE_ADDRESS.search(_body(text))):
        return ReportKind.PERMANENT, status
    return ReportKind.TEMPORARY, status


def _body(text: str) -> str:
    """The first words of a letter, before what it returns."""
    return text.partition("\n\n")[2][:2000]
