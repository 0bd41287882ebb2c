"""What the doctor says of a mail server: reached, encrypted, signed in to, and whose senders it takes."""

import socket
import ssl
from pathlib import Path

import pytest

from campaign.doctor.check import Check, Colour
from campaign.doctor.smtp import check_mail_server
from campaign.mail.returned.verp import find_token
from tests.servers.scripted_smtp import FALL_SILENT, GREETING, HANG_UP, ScriptedServer
from tests.servers.secure_smtp import Certificate, SecureServer
from tests.servers.smtp import Mailbox

SENDER = "petition@example.org"
USER = "us:p%40ss%20word"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


def look(url: str, tls: ssl.SSLContext | None = None, *, verp: bool = True, timeout: float = 10) -> dict[str, Check]:
    """What is said in the end, by what it is about."""
    checks = check_mail_server(
        url, timeout=timeout, sender=SENDER, verp=verp, ehlo_name="petition.example.org", tls=tls
    )
    return {check.name: check for check in checks}


def colours(found: dict[str, Check]) -> dict[str, Colour]:
    assert all(bool(check.fix) is (check.colour is not Colour.GREEN) for check in found.values())
    return {name: check.colour for name, check in found.items()}


@pytest.mark.parametrize(("scheme", "at_once"), [("smtp+starttls", False), ("smtps", True)])
def test_a_server_with_tls_and_our_user_is_green_and_gets_no_mail(
    certificate: Certificate, scheme: str, at_once: bool
) -> None:
    with SecureServer(certificate, at_once=at_once) as server:
        found = look(f"{scheme}://{USER}@localhost:{server.port}", certificate.for_client)
    said = {
        "Mail server": Colour.GREEN,
        "Encryption": Colour.GREEN,
        "Signing in": Colour.GREEN,
        "What the server can do": Colour.YELLOW,
        "Sender": Colour.GREEN,
    }
    assert colours(found) == said
    assert "not PIPELINING" in found["What the server can do"].sentence
    (sender,) = server.senders
    assert find_token(sender) is not None
    assert server.mails == 0


def test_what_the_server_offers_is_told() -> None:
    with Mailbox() as mailbox:
        found = look(mailbox.url)
    assert set(colours(found).values()) == {Colour.GREEN}
    assert "PIPELINING, SIZE, 8BITMIME, SMTPUTF8" in found["What the server can do"].sentence
    assert "on this machine" in found["Encryption"].sentence
    with Mailbox(smtputf8=False) as mailbox:
        found = look(mailbox.url)
    assert "not SMTPUTF8, which we can do without" in found["What the server can do"].sentence
    assert mailbox.messages == []


@pytest.mark.parametrize(("scheme", "at_once"), [("smtp+starttls", False), ("smtps", True)])
def test_a_certificate_of_another_name_is_red_and_no_password_is_sent(
    tmp_path: Path, scheme: str, at_once: bool
) -> None:
    other = Certificate(tmp_path, "other.example")
    with SecureServer(other, at_once=at_once) as server:
        found = look(f"{scheme}://{USER}@localhost:{server.port}", other.for_client)
    assert colours(found)["Encryption"] is Colour.RED
    assert "does not prove that it is localhost" in found["Encryption"].sentence
    assert "Signing in" not in found


def test_a_certificate_that_nobody_vouches_for_is_red(certificate: Certificate) -> None:
    with SecureServer(certificate) as server:
        found = look(f"smtp+starttls://localhost:{server.port}")
    assert found["Encryption"].colour is Colour.RED


def test_starttls_that_is_not_offered_is_red_and_ends_it() -> None:
    with Mailbox() as mailbox:
        found = look(f"smtp+starttls://{USER}@127.0.0.1:{mailbox.port}")
    assert colours(found) == {"Mail server": Colour.GREEN, "Encryption": Colour.RED}
    assert "does not offer STARTTLS" in found["Encryption"].sentence


def test_tls_spoken_to_a_server_without_it_is_told_with_the_port() -> None:
    with Mailbox() as mailbox:
        found = look(f"smtps://127.0.0.1:{mailbox.port}")
    assert colours(found) == {"Encryption": Colour.RED}
    assert "587" in found["Encryption"].fix


@pytest.mark.parametrize("user", ["us:wrong", "nobody:p%40ss%20word"])
def test_a_wrong_password_is_red_and_not_printed(certificate: Certificate, user: str) -> None:
    with SecureServer(certificate) as server:
        found = look(f"smtp+starttls://{user}@localhost:{server.port}", certificate.for_client)
    assert colours(found)["Signing in"] is Colour.RED
    assert "535" in found["Signing in"].sentence
    assert "Sender" not in found
    assert not any(user.partition(":")[2] in check.sentence + check.fix for check in found.values())


def test_auth_that_is_not_offered_is_red() -> None:
    with ScriptedServer() as server:
        found = look(f"smtp://us:word@127.0.0.1:{server.port}")
    assert colours(found)["Signing in"] is Colour.RED


def test_a_server_that_takes_our_address_but_not_one_for_each_mail_is_red(certificate: Certificate) -> None:
    with SecureServer(certificate, refused="+") as server:
        url = f"smtp+starttls://{USER}@localhost:{server.port}"
        refused = look(url, certificate.for_client)["Sender"]
        plain = look(url, certificate.for_client, verp=False)["Sender"]
    assert (refused.colour, "it says 550" in refused.sentence) == (Colour.RED, True)
    assert "petition+…@example.org" in refused.sentence
    assert "CAMPAIGN_VERP=false" in refused.fix
    assert plain.colour is Colour.GREEN


def test_nothing_is_said_after_the_recipient_but_goodbye() -> None:
    with ScriptedServer() as server:
        look(server.url)
        verbs = [command.split()[0].partition(":")[0].upper() for command in server.commands]
    assert verbs == ["EHLO", "MAIL", "RCPT", "RSET", "QUIT"]


def test_a_server_that_is_not_there_is_red() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = look(f"smtp://127.0.0.1:{port}")
    assert colours(found) == {"Mail server": Colour.RED}
    assert "cannot be reached" in found["Mail server"].sentence


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({GREETING: HANG_UP}, "cannot be reached"),
        ({GREETING: "554 No service"}, "it says 554"),
        ({"EHLO": HANG_UP}, "cannot be reached"),
        ({"MAIL": HANG_UP}, "ended the connection"),
        ({"RSET": HANG_UP}, "ended the connection"),
    ],
)
def test_a_server_that_breaks_off_is_told_in_words(answers: dict[str, str], says: str) -> None:
    with ScriptedServer(answers) as server:
        found = look(server.url)
    assert found["Mail server"].colour is Colour.RED
    assert says in found["Mail server"].sentence


def test_a_server_that_says_nothing_is_told_after_the_timeout() -> None:
    with ScriptedServer({GREETING: FALL_SILENT}) as server:
        found = look(server.url, timeout=0.2)
    assert colours(found) == {"Mail server": Colour.RED}


@pytest.mark.parametrize(
    ("says", "meaning", "mend"),
    [
        ("504 5.5.2 <node1>: Helo command rejected: need fully-qualified hostname", "introduces", "CAMPAIGN_EHLO_NAME"),
        ("553 5.7.1 <petition@example.org>: Sender address rejected: not owned by user", "sender", "CAMPAIGN_VERP"),
        ("554 5.7.1 <petition@example.org>: Relay access denied", "passes on no mails", "CAMPAIGN_SMTP_URL"),
        ("550 5.4.5 Daily user sending limit exceeded", "quota", "CAMPAIGN_SMTP_RATE"),
    ],
)
def test_a_refusal_of_us_that_comes_only_at_rcpt_is_red_and_says_what_to_do(says: str, meaning: str, mend: str) -> None:
    with ScriptedServer({"RCPT": says}) as server:
        found = look(server.url)["Sender"]
        assert (found.colour, server.messages) == (Colour.RED, [])
    assert meaning in found.sentence
    assert f"it says {says[:3]}" in found.sentence
    assert mend in found.fix


def test_a_mailbox_of_returned_mails_that_is_not_there_yet_is_not_about_the_sender() -> None:
    with ScriptedServer({"RCPT": "550 5.1.1 Nobody"}) as server:
        assert look(server.url)["Sender"].colour is Colour.GREEN


def test_the_doctor_introduces_itself_as_the_sender_does() -> None:
    with ScriptedServer() as server:
        look(server.url)
        assert server.commands[0] == "ehlo petition.example.org"
