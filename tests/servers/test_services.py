"""The services that other tests stand on are tested for real."""

import smtplib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.message import EmailMessage

import psycopg
import pytest
from sqlalchemy import create_engine, text

from .browser import chromium
from .missing import Missing, or_skip, skip_or_fail
from .postgresql import PrivateCluster
from .smtp import Mailbox, Received
from .smtp_sink import SmtpSink


def letter(subject: str = "Сәлем") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "petition@example.org"
    message["To"] = "aigul@example.org"
    message["Subject"] = subject
    message.set_content("One line.\n.A line with a dot first.\n")
    return message


@pytest.fixture(scope="module")
def cluster() -> Iterator[PrivateCluster]:
    with or_skip(), PrivateCluster() as running:
        yield running


def test_cluster_answers(cluster: PrivateCluster) -> None:
    engine = create_engine(cluster.create_database())
    with engine.connect() as connection:
        assert "PostgreSQL" in connection.execute(text("select version()")).scalar_one()
        assert connection.execute(text("select upper('қ')")).scalar_one() == "Қ"
        assert connection.execute(text("show listen_addresses")).scalar_one() == ""
    engine.dispose()


def test_cluster_copies_a_template_and_drops_it(cluster: PrivateCluster) -> None:
    template = cluster.create_database()
    engine = create_engine(template)
    with engine.begin() as connection:
        connection.execute(text("create table demand as select 1 as number"))
    engine.dispose()

    copy = cluster.create_database(template)
    with closing(psycopg.connect(copy.replace("+psycopg", ""))) as still_open:
        assert still_open.execute("select number from demand").fetchone() == (1,)
        cluster.drop_database(copy)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(copy.replace("+psycopg", ""))


def test_mailbox_keeps_envelope_and_content() -> None:
    with Mailbox() as mailbox, smtplib.SMTP("127.0.0.1", mailbox.port) as client:
        client.send_message(letter(), "bounces@example.org", ["aigul@example.org"])
        (received,) = mailbox.wait_for(1)
    assert received.sender == "bounces@example.org"
    assert received.recipients == ("aigul@example.org",)
    assert received.parsed["Subject"] == "Сәлем"
    assert b"\r\n.A line with a dot first.\r\n" in received.content


def test_mailbox_refuses_a_recipient_when_told() -> None:
    answers = {"busy@example.org": "450 4.2.1 Try later"}
    with (
        Mailbox(answer_to_rcpt=answers.get) as mailbox,
        smtplib.SMTP("127.0.0.1", mailbox.port) as client,
    ):
        refused = client.send_message(letter(), "bounces@example.org", ["busy@example.org", "aigul@example.org"])
        (received,) = mailbox.wait_for(1)
    assert refused == {"busy@example.org": (450, b"4.2.1 Try later")}
    assert received.recipients == ("aigul@example.org",)


def test_mailbox_refuses_a_message_when_told() -> None:
    def refuse(received: Received) -> str | None:
        return "554 5.7.1 No" if b"Refuse" in received.content else None

    with (
        Mailbox(answer_to_data=refuse) as mailbox,
        smtplib.SMTP("127.0.0.1", mailbox.port) as client,
    ):
        with pytest.raises(smtplib.SMTPDataError, match="554"):
            client.send_message(letter("Refuse"))
        client.send_message(letter("Accept"))
        assert [m.parsed["Subject"] for m in mailbox.wait_for(1)] == ["Accept"]


@pytest.mark.parametrize("on", [True, False])
def test_mailbox_announces_what_it_can(on: bool) -> None:
    with (
        Mailbox(smtputf8=on, pipelining=on) as mailbox,
        smtplib.SMTP("127.0.0.1", mailbox.port) as client,
    ):
        client.ehlo()
        assert client.has_extn("smtputf8") == on
        assert client.has_extn("pipelining") == on


def test_mailbox_stops_while_a_client_is_connected() -> None:
    with Mailbox() as mailbox:
        client = smtplib.SMTP("127.0.0.1", mailbox.port, timeout=10)
        client.ehlo()
    with closing(client), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", mailbox.port), 10)


def test_mailbox_says_how_many_came() -> None:
    with Mailbox() as mailbox, pytest.raises(AssertionError, match="0 of 1 messages"):
        mailbox.wait_for(1, seconds=0.01)


def test_sink_accepts_and_counts() -> None:
    with or_skip(), SmtpSink() as sink:
        assert sink.count == 0
        with smtplib.SMTP("127.0.0.1", sink.port) as client:
            for _ in range(3):
                client.send_message(letter())
        assert sink.wait_for(3) == 3


def _open_a_page() -> str:
    with chromium() as browser:
        page = browser.new_page()
        page.goto("data:text/html;charset=utf-8,<h1>Қазақстан</h1>")
        return page.inner_text("h1")


def test_browser_opens_a_page() -> None:
    # A thread of its own: in this one the browser of other tests may still be open, and playwright allows one.
    with or_skip(), ThreadPoolExecutor(1) as thread:
        assert thread.submit(_open_a_page).result() == "Қазақстан"


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_service_fails_in_ci_only(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="Chromium is not on this machine"):
        skip_or_fail(Missing("Chromium"))
