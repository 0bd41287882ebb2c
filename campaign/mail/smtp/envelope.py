"""What follows from a server's answer to an envelope: for the message, for the connection, and for the next ones."""

from enum import Enum, auto

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.connection import Connection
from campaign.mail.smtp.held_refusals import refuse_us
from campaign.mail.smtp.protocol import CLOSING, Item, read_answer, text_of
from campaign.mail.smtp.refusals import Refusal, is_enough_for_connection, judge_refusal, judge_sender_refusal
from campaign.mail.smtp.transport import Answer, Outcome


class Next(Enum):
    """What to do with the connection: go on; replace it, and give its message to another; or end it."""

    GO_ON = auto()
    REPLACE = auto()
    END = auto()


def note_taken(item: Item, behaviour: Behaviour) -> None:
    """Learn from an accepted MAIL that the server takes an envelope that was sent with a final dot."""
    if item.behind_dot:
        behaviour.takes_envelope_with_dot = True


def take_sender_reply(connection: Connection, item: Item, code: int, line: bytes, behaviour: Behaviour) -> Next:
    """Take the answer to MAIL, if it is not 250.

    On a connection that has worked it means that this connection has carried enough, since the sender was good before.
    On another it means that the server refuses us.
    """
    if code == CLOSING and connection.used:
        return Next.GO_ON  # the server closes the connection after many messages; it does not refuse this one
    item.answered = True
    answer, refusal = read_answer("sender", code, line), judge_sender_refusal(code, text_of(line))
    if refusal is Refusal.UNCLEAR:
        item.answer, item.refusal = answer, refusal
        return Next.GO_ON
    if connection.used:
        if item.behind_dot and refusal is Refusal.PROTOCOL:
            behaviour.takes_envelope_with_dot = False
        _note_limit(connection, line, behaviour)
        return Next.REPLACE
    is_closing = answer.outcome is Outcome.BROKEN_OFF
    # It concerns every mail, so it is final for none.
    item.answer = Answer(Outcome.NOT_TRIED, answer.reason) if is_closing else refuse_us(refusal, answer.reason)
    return Next.END


def take_recipient_reply(connection: Connection, item: Item, code: int, line: bytes, behaviour: Behaviour) -> Next:
    """Take the answer to RCPT, if it is not 250."""
    if code == 251 or item.answer is not None:
        return Next.GO_ON
    if connection.used and code != CLOSING and _note_limit(connection, line, behaviour):
        return Next.REPLACE
    behaviour.note_recipient(refused=True)
    item.answer = read_answer("recipient", code, line)
    judge(item, code, line)
    return Next.GO_ON


def judge(item: Item, code: int, line: bytes) -> None:
    """Note with the message what a refusal of it is about."""
    if code >= 400:
        item.refusal = judge_refusal(code, text_of(line))


def _note_limit(connection: Connection, line: bytes, behaviour: Behaviour) -> bool:
    """Learn how many mails the server takes on a connection, if the answer says that it has carried enough."""
    is_enough = is_enough_for_connection(text_of(line))
    if is_enough:
        behaviour.note_limit(connection.envelopes - 1)
    return is_enough
