"""Mailboxes of what comes back: real ones are read, emptied one message at a time, and left alone when out of reach."""

import mailbox
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign.mail.returned.mailboxes import MailboxUnreachable, open_mailbox
from campaign.mail.returned.reports import MAX_BYTES
from tests.servers.imap import ImapServer
from tests.servers.missing import or_skip

ONE, TWO, THREE = (f"Subject: {name}\n\n{name}\n".encode() for name in ("one", "two", "three"))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("", id="all that Dovecot can", marks=pytest.mark.machine),
        pytest.param("IMAP4rev1", id="nothing but IMAP4rev1", marks=pytest.mark.machine),
    ],
)
def server(request: pytest.FixtureRequest) -> Iterator[ImapServer]:
    with or_skip(), ImapServer(request.param) as server:
        yield server


@pytest.fixture
def trusted(server: ImapServer, monkeypatch: pytest.MonkeyPatch) -> ImapServer:
    """The server, with its certificate among those that are trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    return server


@pytest.fixture
def maildir(tmp_path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(tmp_path / "Maildir", create=True)


def read_all(url: str) -> list[bytes]:
    """Everything in a mailbox, each message removed after it was read."""
    found = []
    with open_mailbox(url) as opened:
        for key in opened.list_keys():
            message = opened.read(key)
            assert message is not None
            found.append(message.replace(b"\r\n", b"\n"))
            opened.remove(key)
            opened.remove(key)
    return found


def test_a_maildir_is_read_and_emptied_whether_its_messages_are_new_or_seen(
    maildir: mailbox.Maildir, tmp_path: Path
) -> None:
    maildir.add(ONE)
    seen = mailbox.MaildirMessage(TWO)
    seen.set_subdir("cur")
    seen.set_flags("S")
    maildir.add(seen)
    assert sorted(read_all(f"maildir://{tmp_path}/Maildir")) == [ONE, TWO]
    assert read_all(f"maildir://{tmp_path}/Maildir") == []
    assert list(maildir.keys()) == []


def test_of_a_huge_message_the_beginning_is_read(maildir: mailbox.Maildir, tmp_path: Path) -> None:
    maildir.add(ONE + b"x" * (2 * MAX_BYTES))
    (read,) = read_all(f"maildir://{tmp_path}/Maildir")
    assert read == (ONE + b"x" * MAX_BYTES)[:MAX_BYTES]


def test_a_message_that_somebody_else_took_is_no_error(maildir: mailbox.Maildir, tmp_path: Path) -> None:
    key = maildir.add(ONE)
    with open_mailbox(f"maildir://{tmp_path}/Maildir") as opened:
        assert opened.list_keys() == [key]
        maildir.remove(key)
        assert opened.read(key) is None
        opened.remove(key)


def test_a_message_that_cannot_be_read_holds_up_no_other(
    maildir: mailbox.Maildir, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = maildir.add(ONE), maildir.add(TWO)
    path = tmp_path / "Maildir" / "new" / bad
    path.unlink()
    path.symlink_to("/proc/self/mem")  # what even root cannot read from its beginning
    with open_mailbox(f"maildir://{tmp_path}/Maildir") as opened:
        read = {key: opened.read(key) for key in (bad, good)}
    assert read == {bad: None, good: TWO}
    assert [record.message for record in caplog.records] == [
        "A message in the Maildir for returned mail cannot be read"
    ]
    assert bad not in caplog.text


@pytest.mark.parametrize(
    ("folder", "said"),
    [("missing", "contains no mailbox"), ("file", "cannot be read now"), ("empty", "cannot be read now")],
)
def test_a_path_that_is_no_maildir_is_said_in_one_sentence(tmp_path: Path, folder: str, said: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MailboxUnreachable, match=said):
        read_all(f"maildir://{tmp_path}/{folder}")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("url", ["url", "starttls_url"])
def test_an_imap_mailbox_is_read_and_emptied(trusted: ImapServer, url: str) -> None:
    for message in (ONE, TWO, THREE):
        trusted.deliver(message)
    assert read_all(getattr(trusted, url)) == [ONE, TWO, THREE]
    assert trusted.count() == 0
    assert read_all(getattr(trusted, url)) == []


def test_of_a_huge_message_on_a_server_the_beginning_is_fetched(trusted: ImapServer) -> None:
    trusted.deliver(ONE + b"x" * (2 * MAX_BYTES))
    (read,) = read_all(trusted.url)
    assert 0 < len(read) <= MAX_BYTES
    assert read.startswith(ONE)


def test_what_was_not_removed_stays(trusted: ImapServer) -> None:
    for message in (ONE, TWO):
        trusted.deliver(message)
    with open_mailbox(trusted.url) as opened:
        first, second = opened.list_keys()
        assert opened.read(first) is not None
        opened.remove(first)
        assert opened.read(first) is None
        assert opened.read(second) is not None
    assert read_all(trusted.url) == [TWO]


def test_a_server_whose_certificate_nobody_vouches_for_is_not_told_the_password(server: ImapServer) -> None:
    for url in (server.url, server.starttls_url):
        with pytest.raises(MailboxUnreachable, match="SSLCertVerificationError"):
            read_all(url)


def test_a_wrong_password_a_missing_folder_and_a_server_that_is_away_are_said_without_the_url(
    trusted: ImapServer,
) -> None:
    wrong = trusted.url.replace("open", "closed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        away = f"imaps://u:home@127.0.0.1:{taken.getsockname()[1]}"
    for url in (wrong, trusted.url + "/Nowhere", trusted.url + '/"', away, "imaps://u:пароль@127.0.0.1:1"):
        with pytest.raises(MailboxUnreachable, match="cannot be read now") as caught:
            read_all(url)
        assert "127.0.0.1" not in caught.value.sentence
        assert "home" not in caught.value.sentence


def test_an_address_of_another_kind_is_told_how_to_read(tmp_path: Path) -> None:
    with pytest.raises(MailboxUnreachable, match="maildir:///path"):
        read_all(f"mbox://{tmp_path}")
