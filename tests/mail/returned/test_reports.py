"""Mail that came back: each shape is read for what it says, and nothing that anybody sends is too much."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.mail.returned.reports import MAX_BYTES, ReportKind, read_report
from campaign.mail.returned.status_codes import find_status, is_gone
from tests.scenes.returned import NAMES, TOKEN, sample

PERMANENT, TEMPORARY, COMPLAINT, IGNORED = ReportKind

READ: dict[str, tuple[ReportKind, str | None]] = {
    "alias-both-unknown": (PERMANENT, "5.1.1"),
    "alias-full-and-unknown": (TEMPORARY, "5.2.2"),
    "alias-one-of-two-failed": (IGNORED, "2.0.0"),
    "arf-abuse": (COMPLAINT, None),
    "arf-auth-failure": (IGNORED, None),
    "arf-message-id-only": (COMPLAINT, None),
    "arf-not-spam": (IGNORED, None),
    "arf-opt-out": (COMPLAINT, None),
    "arf-redacted": (COMPLAINT, None),
    "autoreply-old": (IGNORED, None),
    "empty": (IGNORED, None),
    "exchange-policy": (TEMPORARY, "5.7.1"),
    "exim-old": (PERMANENT, None),
    "exim-old-blocked": (TEMPORARY, None),
    "exim-unknown": (PERMANENT, "5.1.1"),
    "gmail-disabled": (PERMANENT, "5.2.1"),
    "gmail-unknown": (PERMANENT, "5.1.1"),
    "international": (PERMANENT, "5.1.1"),
    "letter": (IGNORED, None),
    "m365-unknown": (PERMANENT, "5.1.10"),
    "not-ours": (PERMANENT, "5.1.1"),
    "out-of-office": (IGNORED, None),
    "postfix-bare-550": (TEMPORARY, "5.0.0"),
    "postfix-delayed": (IGNORED, "4.4.1"),
    "postfix-expired": (TEMPORARY, "4.4.1"),
    "postfix-mailbox-full": (TEMPORARY, "5.2.2"),
    "postfix-no-domain": (PERMANENT, "5.4.4"),
    "postfix-old-text": (PERMANENT, None),
    "postfix-relayed": (IGNORED, "2.0.0"),
    "postfix-sender-refused": (TEMPORARY, "5.1.8"),
    "postfix-unknown": (PERMANENT, "5.1.1"),
    "qmail-remote-blocked": (TEMPORARY, "5.7.1"),
    "qmail-unknown": (PERMANENT, "5.1.1"),
    "receipt": (IGNORED, None),
    "token-in-capitals": (PERMANENT, "5.1.1"),
    "token-in-returned-headers": (PERMANENT, "5.1.1"),
}
WITHOUT_TOKEN = {"empty", "not-ours"}


def test_every_sample_is_in_the_table() -> None:
    assert sorted(READ) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_read_for_what_it_says_and_of_which_mail(name: str) -> None:
    report = read_report(sample(name))
    assert (report.kind, report.status) == READ[name]
    assert report.token == (None if name in WITHOUT_TOKEN else TOKEN)


@pytest.mark.parametrize("name", NAMES)
def test_line_ends_of_the_wire_change_nothing(name: str) -> None:
    assert read_report(sample(name).replace(b"\n", b"\r\n")) == read_report(sample(name))


@pytest.mark.parametrize(
    ("status", "gone"),
    [
        *((status, True) for status in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4")),
        *((status, False) for status in ("5.0.0", "5.1.0", "5.1.7", "5.1.8", "5.2.0", "5.2.2", "5.2.3", "5.3.4")),
        *((status, False) for status in ("5.4.7", "5.5.0", "5.6.1", "5.7.1", "5.7.26", "4.1.1", "4.2.2", "2.1.5")),
        (None, False),
    ],
)
def test_only_what_is_about_the_address_itself_says_that_it_is_gone(status: str | None, *, gone: bool) -> None:
    assert is_gone(status) is gone


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("recipient: 550 5.1.1", "5.1.1"),
        ("smtp; 550-5.1.10 Nobody", "5.1.10"),
        ("no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("host mx.example.net[5.1.1.4] said: 550 No", None),
        ("host mx[203.5.1.1] said: 550 5.7.1 No", "5.7.1"),
        ("Exim 4.96.2, 550 No", None),
        ("550", None),
        ("", None),
    ],
)
def test_a_status_is_found_in_an_answer_and_no_address_of_a_machine_is_taken_for_one(
    text: str, status: str | None
) -> None:
    assert find_status(text) == status


def _nested() -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(5000))


# Each of these keeps a parser without limits busy for minutes, or runs it out of stack.
TOO_MUCH: dict[str, Callable[[], bytes]] = {
    "parts within parts": _nested,
    "messages within messages": lambda: b"Content-Type: message/rfc822\n\n" * 8000,
    "a great many parts": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 50_000,
    "an endless parameter": lambda: b'Content-Type: multipart/mixed; x="' + b";" * 300_000,
    "an endless header in lines": lambda: b'Content-Type: multipart/mixed; x="' + (b";" * 400 + b"\n ") * 900,
    "an endless word": lambda: b"To: x\n\nYour message could not be delivered\n" + b"a" * 300_000,
    "nothing but NUL": lambda: b"\0" * 300_000,
    "every byte": lambda: bytes(range(256)) * 2000,
    "empty lines": lambda: b"\n" * 300_000,
    "headers": lambda: b"a:b\n" * 70_000,
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_is_made_to_keep_us_busy_is_ignored(what: str) -> None:
    assert read_report(TOO_MUCH[what]()).kind is IGNORED


def test_a_report_is_read_however_much_is_behind_it() -> None:
    huge = sample("postfix-unknown").replace(b"\nNews.\n", b"\nNews.\n" + b"x" * 70 + b"\n" * (5 * MAX_BYTES))
    assert read_report(huge) == read_report(sample("postfix-unknown"))


def test_the_servers_own_letters_in_a_header_hinder_nothing() -> None:
    odd = sample("postfix-unknown").replace(b"Action: failed", b"Action: failed (\xff\xfe\x00)")
    assert read_report(odd).kind is PERMANENT


def test_a_bounce_without_a_sender_is_read_all_the_same() -> None:
    kept = [line for line in sample("qmail-unknown").splitlines(keepends=True) if not line.startswith(b"From: MAILER")]
    assert read_report(b"".join(kept)).kind is PERMANENT


@given(st.binary(max_size=4000))
def test_no_bytes_are_an_error(message: bytes) -> None:
    assert read_report(message).kind in ReportKind


@given(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 40), st.binary(max_size=30)), max_size=8),
)
def test_no_damaged_report_is_an_error(name: str, damage: list[tuple[int, int, bytes]]) -> None:
    message = sample(name)
    for at, lost, put in damage:
        message = message[:at] + put + message[at + lost :]
    report = read_report(message)
    assert report.kind in ReportKind
    assert report.token is None or len(report.token) == len(TOKEN)


HEADERS = [
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "Content-Type: multipart/mixed; boundary=b",
    "Content-Type: multipart/mixed",
    "Content-Type: message/delivery-status",
    "Content-Type: message/global-delivery-status",
    "Content-Type: message/feedback-report",
    "Content-Type: message/rfc822",
    "Content-Type: text/plain; charset=no-such-charset",
    "Content-Transfer-Encoding: base64",
    "X-Failed-Recipients: ,,<@",
    "From: ,",
    "Action: failed",
    "Status: 5.1.1",
    "Feedback-Type: abuse",
    "--b",
    "--b--",
    "",
    "<a@example.org>: unknown",
]


@given(st.lists(st.sampled_from(HEADERS), max_size=60))
def test_no_order_of_a_reports_lines_is_an_error(lines: list[str]) -> None:
    assert read_report("\n".join(lines).encode()).kind in ReportKind
