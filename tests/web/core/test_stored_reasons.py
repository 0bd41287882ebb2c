"""What is stored of a failure, told in each language: our words are translated, codes and names stay as they are."""

import re
from pathlib import Path

import pytest

from campaign.i18n import Language
from campaign.mail.lint.problem import Part, Problem
from campaign.mail.message import Message
from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.transport import FileTransport, Transport
from campaign.services.digests.lint_check import Finding, LintRefused
from campaign.web.core.stored_reasons import tell_details, tell_reason
from tests.scenes.mails import deliver_one
from tests.servers.scripted_smtp import DOT, FALL_SILENT, GREETING, HANG_UP, ScriptedServer

RU, KK, EN = Language("ru"), Language("kk"), Language("en")
# Of exceptions the name, of a linter's sentence what it quotes.
_NAMES = re.compile(r"\b[A-Z]\w+|https?://\S+")


def reason_of(transport: Transport, recipient: str = "reader@example.org") -> str:
    message = Message(sender="petition@example.org", recipient=recipient, content=b"Subject: x\r\n\r\nHello\r\n")
    try:
        return deliver_one(transport, message).reason
    finally:
        transport.close()


def assert_told(reason: str) -> None:
    assert tell_reason(EN, reason) == reason
    for language in (RU, KK):
        told = tell_reason(language, reason)
        assert re.findall(r"[a-z]{2,}", _NAMES.sub("", told)) == [], told
        assert re.findall(r"\d+", told) == re.findall(r"\d+", reason)


@pytest.mark.parametrize(
    ("point", "says"),
    [
        (GREETING, HANG_UP),
        ("MAIL", "550 5.7.1 Go away"),
        ("MAIL", HANG_UP),
        ("MAIL", "not SMTP at all"),
        ("RCPT", "450 4.2.1 Later"),
        ("RCPT", HANG_UP),
        ("RCPT", FALL_SILENT),
        ("DATA", "554 5.5.1 No"),
        (DOT, "552 5.3.4 Too big"),
        (DOT, HANG_UP),
        (DOT, "421 4.3.2 Closing"),
    ],
)
def test_each_failure_of_the_mail_server_is_told_in_the_reader_s_language(point: str, says: str) -> None:
    with ScriptedServer({point: says}) as server:
        reason = reason_of(SmtpTransport(server.url, Limits(silence=0.5)))
        assert_told(reason)
        assert_told(f"given up after 72 hours; {reason}")


def test_what_fails_without_a_server_is_told_too(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        assert_told(reason_of(SmtpTransport(server.url, Limits(silence=5)), "ұлы@example.org"))
    assert_told(reason_of(SmtpTransport(server.url, Limits(silence=5))))
    (tmp_path / "outbox").touch()
    assert_told(reason_of(FileTransport(tmp_path / "outbox")))
    for what in ("the message cannot be written (KeyringError)", "what is sent cannot be noted (OSError)"):
        assert_told(what)


def test_a_skipped_edition_s_reason_is_told_with_language_part_and_line() -> None:
    problem = Problem(
        Part.HEADER,
        7,
        "The subject has %(length)s characters, more than 250; shorten the title of the newest update.",
        {"length": 251},
    )
    stored = LintRefused([Finding("kk", problem)] * 3).first
    assert tell_reason(EN, stored).startswith("The edition was not made. In Қазақ")
    assert tell_reason(RU, stored).startswith("Выпуск не подготовлен. Қазақ тілі, заголовки, строка 7: В теме 251")


@pytest.mark.parametrize("stored", ["100 % <b>of</b> it", "450 <a@b> %(why)s", "%s"])
def test_what_is_not_ours_stays_as_it_is(stored: str) -> None:
    for language in (EN, RU, KK):
        assert tell_reason(language, stored) == stored
        assert stored in tell_reason(language, f"given up after 72 hours; {stored} ")


def test_details_of_the_audit_trail_are_told_with_what_they_are() -> None:
    details = {"edition": 3, "readers": 12345, "reason": "nothing new since the last edition", "sent": None}
    assert tell_details(EN, details) == "edition: 3; readers: 12,345; reason: nothing new since the last edition"
    assert tell_details(RU, details) == "выпуск: 3; читатели: 12\xa0345; причина: с прошлого выпуска ничего нового"
    assert tell_details(RU, {"list": "signatures", "format": "csv", "state": "confirmed", "role": "owner"}) == (
        "список: подписи; формат: csv; какие: подтверждённые; роль: владелец: может всё"
    )
    assert tell_details(RU, {"unheard": "of"}) == "unheard: of"
