"""Messages as bytes: one of each header, short lines, encoded words, nothing smuggled in."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.mail.message import Content
from tests.scenes.mails import DATE, TEXT, build, header_lines, parse, part, read

ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=")


SUBJECTS = [
    "Please confirm your address",
    "Мекенжайыңызды растауыңызды сұраймыз",
    "Қ" * 150,
    "A very long subject in English " * 8,
    "Mixed қазақша and English " * 6,
    "العربية and עברית",
    "😀" * 40,
    "=?utf-8?q?looks_encoded?=",
    "Жеке бетіңіздің сілтемесі",
    "Ақтаудағы апелляциялық сот отырысты үшінші рет кейінге қалдырды – Қазақстан жұмысшыларына қолдау",
    "Апелляционный суд в Актау в третий раз перенёс заседание по делу рабочих",
    "aa" + "яa" * 60,  # no cut has a multiple of three bytes
]
TEXTS = [
    "Hello\n",
    "Қазақстан " * 2000 + "\n",
    "x" * 5000 + "\n",
    ".\n..\n.x\n",
    "From here\n",
    "a\n\n\nb  \n",
    "€\n" * 50,
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("subject", SUBJECTS[:3])
def test_every_line_is_short_and_ends_with_crlf(subject: str, text: str) -> None:
    message = build(Content(subject=subject, text=text, html=f"<p>{text}</p>"))
    assert b"\n" not in message.content.replace(b"\r\n", b"")
    assert b"\r" not in message.content.replace(b"\r\n", b"")
    assert message.content.endswith(b"\r\n")
    assert max(map(len, message.content.split(b"\r\n"))) <= 998
    assert message.content.isascii()


@pytest.mark.parametrize("text", TEXTS)
def test_both_parts_arrive_as_they_were_text_first(text: str) -> None:
    message = build(Content(subject="x", text=text, html=f"<p>{text}</p>"))
    assert [item.get_content_type() for item in parse(message).iter_parts()] == ["text/plain", "text/html"]
    assert {item.get_content_charset() for item in parse(message).iter_parts()} == {"utf-8"}
    assert parse(message).get_content_type() == "multipart/alternative"
    assert part(message, "text/plain") == text
    assert part(message, "text/html") == f"<p>{text}</p>"


def test_there_is_exactly_one_of_each_header() -> None:
    message = build(list_headers={"List-Id": "<x.example.org>"})
    names = [line.partition(":")[0].lower() for line in header_lines(message) if not line.startswith(" ")]
    assert sorted(names) == sorted(set(names))
    assert {"from", "to", "date", "message-id", "subject", "mime-version", "content-type", "list-id"} <= set(names)
    parsed = parse(message)
    assert parsed["Message-ID"] == "<abc123@example.org>"
    assert parsed["Date"].datetime == DATE
    assert (parsed["Auto-Submitted"], parsed["Content-Language"]) == ("auto-generated", "en")
    assert (message.sender, message.recipient) == ("petition@example.org", "aigul@example.org")


@pytest.mark.parametrize("subject", SUBJECTS, ids=ascii)
def test_a_subject_of_any_script_is_read_as_it_was_written(subject: str) -> None:
    message = build(Content(subject=subject, text="x", html="x"))
    assert read(message, "Subject").strip() == subject.strip()
    lines = header_lines(message)
    assert all(len(word) <= 75 for line in lines for word in ENCODED_WORD.findall(line))
    assert max(map(len, lines)) <= 78


@pytest.mark.parametrize(
    "name",
    [
        "Mailing service",
        "Служба рассылки",
        "Solidarity, Berlin",
        "J. Smith",
        'The "Free Them" campaign',
        "Campaign (Kazakhstan)",
        "Workers; unions: now",
        "back\\slash",
        "Қазақстан, жұмысшылар",
        "Қ" * 60,
    ],
)
def test_the_sender_is_one_address_with_its_name(name: str) -> None:
    raw = message_from_bytes(build(sender_name=name).content, policy=compat32)["From"]
    ((phrase, address),) = getaddresses([raw])
    assert (str(make_header(decode_header(phrase))), address) == (name, "petition@example.org")


def test_a_long_unsubscribe_link_stands_unencoded_in_one_line() -> None:
    link = f"<https://petition.example.org/unsubscribe/{'A-_b' * 220}>"
    headers = {"List-Unsubscribe": link, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    lines = header_lines(build(list_headers=headers))
    assert f"List-Unsubscribe: {link}" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_second_attempt_has_the_same_bytes() -> None:
    assert build().content == build().content


BREAKS = [
    "x\r\nBcc: v@example.org",
    "x\nBcc: v@example.org",
    "x\r\n\r\nBody",
    "x\r\n",
    "x\n",
    "x\r",
    "x\rBcc: v",
    "x\0",
]


def assert_nothing_smuggled(content: Content = TEXT, **changes: Any) -> None:
    """The value is refused as `build_message` says, or it arrives as one clean line of the header it belongs to."""
    try:
        message = build(content, **changes)
    except ValueError:
        return
    usual = build(list_headers={"List-Id": "x"} if "list_headers" in changes else None)
    assert parse(message).keys() == parse(usual).keys()
    assert part(message, "text/plain") == part(usual, "text/plain")
    lines = message.content.split(b"\r\n")
    assert not any(control in line for line in lines for control in (b"\r", b"\n", b"\0"))


@pytest.mark.parametrize("value", BREAKS)
@pytest.mark.parametrize("field", ["recipient", "sender", "sender_name", "message_id", "language"])
def test_no_value_breaks_out_of_its_header(field: str, value: str) -> None:
    changes: dict[str, Any] = {field: value}
    assert_nothing_smuggled(**changes)


@pytest.mark.parametrize("value", BREAKS)
def test_no_subject_breaks_out_of_its_header(value: str) -> None:
    assert_nothing_smuggled(Content(subject=value, text=TEXT.text, html=TEXT.html))


@pytest.mark.parametrize("value", BREAKS)
def test_no_list_header_breaks_out_of_its_line(value: str) -> None:
    assert_nothing_smuggled(list_headers={"List-Id": value})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_whatever_the_subject_no_header_and_no_line_is_added(subject: str) -> None:
    assert_nothing_smuggled(Content(subject=" ".join(subject.split()), text=TEXT.text, html=TEXT.html))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_only_the_last_encoded_word_is_padded(subject: str) -> None:
    """GMime 3.2 joins words before it decodes them: what stood behind a padded word was lost in Balsa."""
    head = "\n".join(header_lines(build(Content(subject=subject, text="x", html="x"))))
    line = head[head.index("Subject: ") : head.index("Date: ")]
    words = ENCODED_WORD.findall(line)
    assert not any(word.endswith("=?=") and "?b?" in word for word in words[:-1])
    assert all(len(word) <= 75 for word in words)
    for word in words:  # no letter is torn
        assert "\ufffd" not in str(make_header(decode_header(word)))
