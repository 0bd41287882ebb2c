"""Reads returned mail: which mail it is about, and what happened to that mail.

Anybody can send such a message, so every size that is read from it has a limit.
"""

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

# A message begins with the report, then come the headers of the returned mail: the rest need not be read.
MAX_BYTES = 256 * 1024
_MAX_LINES = 8000
_MAX_LINE_LENGTH = 500
_MAX_FOLDS = 8
_MAX_NESTED_PARTS = 40
_MAX_BYTES_TO_GUESS = 16 * 1024

_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
# It stands in Return-Path and Message-ID of the returned mail, and in Original-Mail-From of an ARF report.
_TOKEN = re.compile(r"[+<]([0-9a-f]{48})@", re.IGNORECASE)
_NESTING = re.compile(r"(?:multipart|message)/", re.IGNORECASE)
_ASCII = bytes(byte if 0 < byte < 128 else 63 for byte in range(256))
# Words of a bounce without a status code that mean: the address is right, and something else is wrong.
_NOT_THE_ADDRESS = re.compile(
    r"quota|\bfull\b|spam|block|black\s?list|policy|reputation|virus|too (?:large|big)|exceed", re.IGNORECASE
)
_AUTO_REPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")


class ReportKind(StrEnum):
    """What a report means for its reader.

    ``PERMANENT``: the address is suppressed. ``TEMPORARY``: the bounce is counted. ``COMPLAINT``: the address is
    suppressed and unsubscribed. ``IGNORED``: nothing happens.
    """

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    COMPLAINT = "complaint"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a returned mail: its kind, the enhanced status code, and the token of the mail that it is
    about."""

    kind: ReportKind
    status: str | None = None
    token: str | None = None


def read_report(message: bytes) -> Report:
    """Read a returned message. It never raises, for any bytes, and it reads only the first ``MAX_BYTES``.

    - A delivery status notification (RFC 3464; internationalised: RFC 6533). ``failed`` is permanent if its status says
      that the address is gone (``mail.returned.status_codes``). Otherwise it is temporary: the mail did not arrive, but
      for a reason that is not the reader's: a full mailbox, a policy, a spam filter, the content. ``delayed`` is
      ignored, since the relay still tries; so are ``relayed``, ``delivered`` and ``expanded``. Our mails have one
      recipient; if a report names several, they are the mailboxes behind one alias, and the mildest result counts.
    - A feedback report (RFC 5965). ``abuse``, ``fraud`` and ``opt-out`` (only in drafts of the RFC, but servers send
      it) are complaints: the reader wants no more mails. ``not-spam``, ``virus``, ``auth-failure`` and ``other`` are no
      request of a reader.
    - An automatic reply (RFC 3834), a receipt (RFC 8098) or a letter from a person is ignored.
    - Any other message is read by flufl.bounce, which knows the formats of old and unusual servers.
    """
    text = _cut(message)
    parsed = message_from_string(text)
    kind, status = _classify(parsed, text)
    return Report(kind, status, _find_token(parsed, text))


def _cut(message: bytes) -> str:
    """The message, cut so that it cannot keep a parser busy or exhaust its stack.

    The result is ASCII without NUL, with short lines, headers of a few lines, and few nested parts.
    """
    lines: list[bytes] = []
    folds = 0
    for line in message[:MAX_BYTES].translate(_ASCII).splitlines()[:_MAX_LINES]:
        folds = folds + 1 if line[:1] in (b" ", b"\t") else 0
        if folds <= _MAX_FOLDS:
            lines.append(line[:_MAX_LINE_LENGTH])
    text = b"\n".join(lines).decode("ascii")
    nested = [found.start() for found in _NESTING.finditer(text)]
    return text[: nested[_MAX_NESTED_PARTS]] if len(nested) > _MAX_NESTED_PARTS else text


def _find_token(parsed: Message, text: str) -> str | None:
    addresses = (str(value) for name in _TO for value in parsed.get_all(name, []))
    token = next((token for address in addresses if (token := find_token(address))), None)
    if token is None and (found := _TOKEN.search(text)):
        token = found[1]
    return token.lower() if token else None


def _list_parts(parsed: Message) -> Iterator[Message]:
    """The parts of a message, without the parts of a message that is attached to it."""
    if parsed.get_content_maintype() != "multipart" or not parsed.is_multipart():
        yield parsed
        return
    for part in parsed.get_payload():
        if isinstance(part, Message):
            yield from _list_parts(part)


def _classify(parsed: Message, text: str) -> tuple[ReportKind, str | None]:
    for part in _list_parts(parsed):
        match part.get_content_type():
            case "message/delivery-status" | "message/global-delivery-status":
                return _read_delivery_status(part)
            case "message/feedback-report":
                return _read_feedback(part)
    # Exim marks its bounces as automatic replies, but names the failed recipients.
    if parsed.get_content_type() == "multipart/report" or (
        _is_auto_reply(parsed) and "X-Failed-Recipients" not in parsed
    ):
        return ReportKind.IGNORED, None
    return _guess(text[:_MAX_BYTES_TO_GUESS])


def _field_groups(part: Message) -> Iterator[Message]:
    """The groups of fields in a report: first the group about the message, then one group for each recipient."""
    groups = part.get_payload()
    if not isinstance(groups, list):
        groups = [message_from_string(group) for group in str(groups).split("\n\n")]
    for group in groups:
        if isinstance(group, Message):
            yield group
            # The parser knows message/delivery-status. Of message/global-delivery-status it makes a message: the first
            # group becomes its headers, the other groups become its body.
            body = group.get_payload()
            if isinstance(body, str):
                yield from (message_from_string(other) for other in body.split("\n\n") if other.strip())


def _read_delivery_status(part: Message) -> tuple[ReportKind, str | None]:
    found: list[tuple[ReportKind, str | None]] = []
    for group in _field_groups(part):
        # Some servers write a comment after the keyword; OpenSMTPD writes “error” in place of “failed”.
        action = str(group.get("Action", "")).strip().lower()
        if action.startswith(("fail", "error")):
            status = find_status(str(group.get("Status", "")))
            if status is None or status[1:] == ".0.0" or status[0] == "2":
                # Exim writes 5.0.0 for every failure; the reply of the receiving server may say more.
                status = find_status(str(group.get("Diagnostic-Code", ""))) or status
            found.append((ReportKind.PERMANENT if is_gone(status) else ReportKind.TEMPORARY, status))
        elif action:
            found.append((ReportKind.IGNORED, find_status(str(group.get("Status", "")))))
    mildest = (ReportKind.IGNORED, ReportKind.TEMPORARY, ReportKind.PERMANENT)
    return min(found, key=lambda result: mildest.index(result[0]), default=(ReportKind.IGNORED, None))


def _read_feedback(part: Message) -> tuple[ReportKind, str | None]:
    types = {str(group.get("Feedback-Type", "")).strip().lower() for group in _field_groups(part)}
    return (ReportKind.COMPLAINT if types & {"abuse", "fraud", "opt-out"} else ReportKind.IGNORED), None


def _is_auto_reply(parsed: Message) -> bool:
    submitted = str(parsed.get("Auto-Submitted", "no")).strip().lower()
    precedence = str(parsed.get("Precedence", "")).strip().lower()
    return (
        not submitted.startswith("no")
        or precedence in {"auto_reply", "auto-reply", "bulk", "junk", "list"}
        or any(name in parsed for name in _AUTO_REPLY_HEADERS)
    )


def _guess(text: str) -> tuple[ReportKind, str | None]:
    """The result of flufl.bounce. Its “permanent” is believed only if the text does not say something else."""
    parsed = message_from_string(text)
    if not getaddresses([str(parsed.get("From", ""))]):
        # One detector of the library raises an error without a From address, before the other detectors have run.
        del parsed["From"]
        parsed["From"] = "MAILER-DAEMON@invalid"
    try:
        temporary, permanent = all_failures(parsed)
    except Exception:  # noqa: BLE001 (old heuristics over anybody's bytes: if one fails, the message tells nothing)
        return ReportKind.IGNORED, None
    if not temporary and not permanent:
        return ReportKind.IGNORED, None
    status = find_status(_body(text))
    if permanent and (is_gone(status) if status else not _NOT_THE_ADDRESS.search(_body(text))):
        return ReportKind.PERMANENT, status
    return ReportKind.TEMPORARY, status


def _body(text: str) -> str:
    """The first 2000 characters below the headers: the server's own words, which stand before the returned mail."""
    return text.partition("\n\n")[2][:2000]
