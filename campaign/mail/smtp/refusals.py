"""Judges what a server's refusal is about: the recipient, or us, who send. The first digit of its code does not say it.

Postfix and sendmail answer a check of the sender, of our name in EHLO or of the right to relay only after RCPT, and a
quota is often told after the final dot. So the command that was refused says nothing either. The enhanced code (RFC
3463, IANA registry) and the words of the server say it.
"""

import re
from enum import StrEnum

from campaign.mail.returned.status_codes import GONE


class Refusal(StrEnum):
    """What a refusal is about.

    ``RECIPIENT``: this recipient; another mail may go. ``UNCLEAR``: the answer does not say. All others are about us.
    ``HELO``: our name in EHLO. ``SENDER``: our envelope sender. ``RELAY``: the server passes on no mail of ours.
    ``LOGIN``: it wants a login or encryption. ``QUOTA``: we may send no more for now. ``REPUTATION``: it distrusts our
    address, domain or mails. ``PROTOCOL``: it does not understand a command. ``SERVER``: it has trouble of its own.
    ``EVERYBODY``: it gives several recipients over several domains the same answer, whatever the answer means.
    """

    RECIPIENT = "recipient"
    UNCLEAR = "unclear"
    HELO = "helo"
    SENDER = "sender"
    RELAY = "relay"
    LOGIN = "login"
    QUOTA = "quota"
    REPUTATION = "reputation"
    PROTOCOL = "protocol"
    SERVER = "server"
    EVERYBODY = "everybody"

    @property
    def is_ours(self) -> bool:
        """Whether it is about us, so that no other mail would fare better."""
        return self not in (Refusal.RECIPIENT, Refusal.UNCLEAR)


# Addresses and names are the recipient's own words: `<relay.denied@example.org>` says nothing about a relay.
_QUOTED = re.compile(r"<[^>]*>|\S*@\S*")
_STATUS = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})(?!\S)")
# An answer of another server, which ours passes on, is about the recipient's side: its words are not our server's.
_PASSED_ON = re.compile(r"[245]\d\d[ -]|.*\bsaid:")

# What servers say about us, in lower case. The first that fits counts.
_OURS = (
    (Refusal.HELO, re.compile(r"\b(helo|ehlo)\b")),
    (
        Refusal.RELAY,
        re.compile(
            r"\brelay(ing)?( access| is)? (denied|prohibited|refused|not (permitted|allowed))|"
            r"(unable|permitted|allowed) to relay|(do not|don't) relay"
        ),
    ),
    (
        Refusal.QUOTA,
        re.compile(
            r"(sending|send|rate|submission)[ -]?(limit|quota)|(daily|hourly|monthly)\b.{0,40}\b(limit|quota)|"
            r"(limit|quota) (for|of) (sending|outgoing)|exceeded (the )?max|too many (messages|e?-?mails)|throttl|"
            r"submissionquota|sending rate|\bcredits\b"
        ),
    ),
    (
        Refusal.SENDER,
        re.compile(
            r"sender (address|login|identity|domain|verif|is |not )|domain of sender|from address|return-?path|"
            r"envelope from|send ?as\b|sendasdenied|(allowed|permitted|authori[sz]ed) to send|outbound sender"
        ),
    ),
    (
        Refusal.LOGIN,
        re.compile(
            r"unauthenticated|authentication (is )?(required|needed|failed)|must (issue|use) (a )?starttls|"
            r"log ?in first"
        ),
    ),
    (
        Refusal.REPUTATION,
        re.compile(
            r"block ?list|black ?list|\bblocked\b|\blisted\b|\bdnsbl\b|\brbl\b|spamhaus|reputation|client host|"
            r"(reverse|ptr)\b.{0,20}\b(dns|hostname|record|name)|\b(spf|dkim|dmarc)\b|your (ip|host|server)\b"
        ),
    ),
)
# What servers say about a recipient, where no code says it.
_THEIRS = re.compile(
    r"(user|recipient|mailbox|address|account) (is )?(unknown|unavailable|not (found|known)|disabled|inactive|full)|"
    r"(unknown|no such|invalid) (local )?(user|recipient|mailbox|address|account|person)|(does not|doesn't) exist|"
    r"unrouteable|over ?quota|no mailbox"
)
# By subject and detail: x.SUBJECT.DETAIL. The registry has the first; Microsoft's numbers are those from 7.57 on.
_BY_STATUS = {
    (1, 7): Refusal.SENDER,
    (1, 8): Refusal.SENDER,
    (4, 5): Refusal.QUOTA,
    (7, 2): Refusal.RECIPIENT,
    (7, 17): Refusal.RECIPIENT,
    (7, 18): Refusal.RECIPIENT,
    **{(7, detail): Refusal.LOGIN for detail in (7, 8, 9, 10, 11, 12, 13, 14, 57)},
    **{(7, detail): Refusal.REPUTATION for detail in range(20, 30)},
    (7, 60): Refusal.SENDER,
    (7, 64): Refusal.RELAY,
    (7, 705): Refusal.QUOTA,
    (7, 708): Refusal.REPUTATION,
}
_BY_SUBJECT = {2: Refusal.RECIPIENT, 5: Refusal.PROTOCOL}
# By the code alone (RFC 5321, 4954). 501 is not here: Exim says it of a recipient's address.
_BY_CODE = {
    **dict.fromkeys((500, 502, 503, 504, 555), Refusal.PROTOCOL),
    **dict.fromkeys((530, 534, 535, 538), Refusal.LOGIN),
    556: Refusal.RECIPIENT,  # the domain accepts no mail (RFC 7504)
}
_TOO_BIG = (3, 4)
_ENOUGH = re.compile(r"4\.5\.3\b|.*too many (messages|e?-?mails|transactions)\b.*\b(connection|session)\b")


def judge_refusal(code: int, text: str) -> Refusal:
    """What a refusal of a recipient or of a message is about.

    ``text`` is the reply behind its code. An enhanced code with one meaning decides. Beside the others the words of the
    server count more, because 5.7.1 and 5.2.0 are used for everything.
    """
    status = _STATUS.match(text)
    numbers = (int(status[1]), int(status[2])) if status is not None else None
    if numbers is not None and status is not None:
        if (found := _BY_STATUS.get(numbers)) is not None:
            return found
        if status[0] in GONE or (numbers[0] == 1 and numbers[1] > 0):
            return Refusal.RECIPIENT
    words = _QUOTED.sub(" ", text[status.end() if status else 0 :].strip()).lower().strip()
    if not _PASSED_ON.match(words):
        for refusal, pattern in _OURS:
            if pattern.search(words):
                return refusal
    found = _BY_CODE.get(code) if numbers is None else _BY_SUBJECT.get(numbers[0])
    if found is not None:
        return found
    return Refusal.RECIPIENT if _THEIRS.search(words) else Refusal.UNCLEAR


def judge_sender_refusal(code: int, text: str) -> Refusal:
    """What a refusal of MAIL is about: us, except where the message is too big for the server, which is unclear."""
    status = _STATUS.match(text)
    numbers = (int(status[1]), int(status[2])) if status is not None else (0, 0)
    if code == 552 or numbers == _TOO_BIG:
        return Refusal.UNCLEAR
    if numbers[0] == 3:
        return Refusal.SERVER
    found = judge_refusal(code, text)
    return found if found.is_ours else Refusal.SENDER


def is_enough_for_connection(text: str) -> bool:
    """Whether a refusal says that this connection has carried enough mails, as OpenSMTPD's ``452 4.5.3`` does."""
    return _ENOUGH.match(text.lower()) is not None
