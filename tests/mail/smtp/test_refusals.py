"""What a refusal is about is told by its code and words: the answers below were given by real servers."""

import pytest

from campaign.mail.smtp.refusals import Refusal, is_enough_for_connection, judge_refusal, judge_sender_refusal

R, U = Refusal.RECIPIENT, Refusal.UNCLEAR
HELO, SENDER, RELAY, LOGIN, QUOTA, REPUTATION, PROTOCOL, SERVER = list(Refusal)[2:10]

ANSWERS = [
    # Postfix
    ("504 5.5.2 <node1>: Helo command rejected: need fully-qualified hostname", HELO),
    ("554 5.7.1 <node1>: Helo command rejected: Access denied", HELO),
    ("450 4.7.1 <node1>: Helo command rejected: Host not found", HELO),
    ("553 5.7.1 <bounces+a@example.org>: Sender address rejected: not owned by user anna", SENDER),
    ("450 4.1.8 <bounces@example.org>: Sender address rejected: Domain not found", SENDER),
    ("550 5.1.7 <bounces@example.org>: Sender address rejected: undeliverable address", SENDER),
    ("554 5.7.1 <reader@example.net>: Relay access denied", RELAY),
    ("454 4.7.1 <reader@example.net>: Relay access denied", RELAY),
    ("530 5.7.0 Must issue a STARTTLS command first", LOGIN),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org", REPUTATION),
    ("450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", REPUTATION),
    ("550 5.1.1 <reader@example.net>: Recipient address rejected: User unknown in local recipient table", R),
    ("450 4.1.1 <reader@example.net>: Recipient address rejected: unverified address: relay access denied", R),
    ("550 5.1.1 <r@example.net>: Recipient address rejected: host mx said: 550 5.7.1 Relaying denied", R),
    ("554 5.7.1 <reader@example.net>: Recipient address rejected: Access denied", U),
    ("450 4.7.1 <reader@example.net>: Recipient address rejected: Greylisted", U),
    ("451 4.3.0 <reader@example.net>: Temporary lookup failure", U),
    ("452 4.3.1 Insufficient system storage", U),
    ("552 5.3.4 Message size exceeds fixed limit", U),
    ("501 5.1.3 Bad recipient address syntax", R),
    # sendmail
    ("451 4.1.8 Domain of sender address bounces@example.org does not resolve", SENDER),
    ("553 5.1.8 <bounces@example.org>... Domain of sender address bounces@example.org does not exist", SENDER),
    ("550 5.7.1 <reader@example.net>... Relaying denied", RELAY),
    ("550 5.7.1 <reader@example.net>... Relaying denied. Proper authentication required.", RELAY),
    ("550 5.1.1 <reader@example.net>... User unknown", R),
    # Exim, mostly without an enhanced code
    ("550 relay not permitted", RELAY),
    ("550 Sender verify failed", SENDER),
    ("550 Unrouteable address", R),
    ("501 <reader>: recipient address must contain a domain", U),
    ("550 Domain example.org has exceeded the max emails per hour (100/100 (100%)) allowed.", QUOTA),
    ("550 Administrative prohibition", U),
    # OpenSMTPD
    ("550 Invalid recipient: <reader@example.net>", R),
    ("500 5.5.1 Invalid command: Pipelining not supported", PROTOCOL),
    # Haraka
    ("503 Bad sequence of commands - pipelined after end of DATA", PROTOCOL),
    # Large providers
    ("550 5.4.5 Daily user sending limit exceeded. For more information visit the help pages", QUOTA),
    ("454 Throttling failure: Maximum sending rate exceeded.", QUOTA),
    ("550 5.1.8 Access denied, bad outbound sender AS(42004)", SENDER),
    ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", SENDER),
    ("554 5.2.252 SendAsDenied; anna@example.org not allowed to send as bounces@example.org", SENDER),
    ("550 5.7.26 This mail has been blocked because the sender is unauthenticated.", REPUTATION),
    ("550 5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for relay", RELAY),
    ("550 5.2.1 The email account that you tried to reach is disabled", R),
    ("452 4.2.2 The recipient's inbox is out of storage space", R),
    ("552 5.2.2 <reader@example.net> user quota exceeded", R),
    # Bare codes, and words of the recipient's own
    ("550 5.7.1 Go away", U),
    ("550 No", U),
    ("554 5.5.1 Error: no valid commands", PROTOCOL),
    ("504 Command parameter not implemented", PROTOCOL),
    ("535 5.7.8 No", LOGIN),
    ("556 The domain accepts no mail", R),
    ("550 5.1.10 Domain has a null MX", R),
    ("550 <relay.access.denied@helo.example.org>: No", U),
    ("550 550 5.7.1 Relay access denied", U),
]


@pytest.mark.parametrize(("answer", "refusal"), ANSWERS, ids=[answer[:60] for answer, _ in ANSWERS])
def test_an_answer_is_judged_by_what_it_means(answer: str, refusal: Refusal) -> None:
    assert judge_refusal(int(answer[:3]), answer[4:]) is refusal


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("550 5.7.1 Go away", SENDER),
        ("451 4.3.0 Later", SERVER),
        ("452 4.3.1 Insufficient system storage", SERVER),
        ("552 5.3.4 Message size exceeds fixed limit", U),
        ("552 Too big", U),
        ("530 5.7.0 Authentication required", LOGIN),
        ("503 Bad sequence of commands", PROTOCOL),
        ("550 5.1.1 <bounces@example.org>: unknown", SENDER),
        ("550 5.4.5 Daily sending quota exceeded", QUOTA),
    ],
)
def test_a_refusal_of_the_sender_is_about_us_but_for_the_size(answer: str, refusal: Refusal) -> None:
    assert judge_sender_refusal(int(answer[:3]), answer[4:]) is refusal


@pytest.mark.parametrize(
    ("text", "is_enough"),
    [
        ("4.5.3 Too many recipients: Too many messages sent", True),
        ("too many messages in this connection", True),
        ("4.7.1 Too many messages from you today", False),
        ("5.7.1 Go away", False),
    ],
)
def test_enough_for_a_connection(text: str, is_enough: bool) -> None:
    assert is_enough_for_connection(text) is is_enough
