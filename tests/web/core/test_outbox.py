"""The outbox: a newcomer reads mails in the browser, on this machine alone and only while no mail server is set."""

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.web.app import create_app
from tests.conftest import MakeInstallation
from tests.scenes.people import add_readers, make_digest
from tests.scenes.visiting import ADDRESS, confirm_path, mails, page_of, post, read, unsubscribe_path

ADDRESSES = ["/outbox", "/outbox/1", "/outbox/1/html", "/outbox/1.eml"]


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    return sqlite_installation


def test_an_empty_outbox_says_how_a_mail_gets_there(app: Flask) -> None:
    page = read(app.test_client().get("/outbox"))
    assert "No mail yet" in page.text
    assert not page.all("table")


def test_who_signs_reads_the_mail_in_the_outbox(app: Flask, installation: Installation) -> None:
    """From the page after the form to the link in the mail, by links alone."""
    client = app.test_client()
    after = read(client.get(post(client).location))
    mails(installation)
    index = read(client.get(after.one("a", href="/outbox")["href"]))
    assert ADDRESS in index.one("table").text
    (mail,) = [link for link in index.all("a") if link["href"].startswith("/outbox/")]
    shown = read(client.get(mail["href"]))
    linked = [link["href"] for link in shown.all("a")]
    assert installation.settings.base_url + confirm_path(installation) in linked
    assert (
        installation.vault.code(int(installation.vault.read_token("confirm", confirm_path(installation)[9:])))
        in shown.text
    )


def test_the_newest_mail_stands_first(app: Flask, installation: Installation) -> None:
    for number in range(3):
        post(app.test_client(), email=f"signer{number}@example.org")
        mails(installation)
    cells = [row.text for row in read(app.test_client().get("/outbox")).all("tr")[1:]]
    assert ["signer2" in cells[0], "signer1" in cells[1], "signer0" in cells[2]] == [True] * 3


def test_a_digest_is_shown_as_its_readers_see_it(app: Flask, installation: Installation) -> None:
    """In a frame that runs nothing and takes nothing from anywhere; its links leave the frame."""
    add_readers(installation, ADDRESS)
    make_digest(installation)
    number = len(mails(installation))
    frame = read(app.test_client().get(f"/outbox/{number}")).one("iframe")
    assert frame["sandbox"] == "allow-top-navigation-by-user-activation"
    answer = app.test_client().get(frame["src"])
    assert unsubscribe_path(installation) in answer.get_data(as_text=True)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_the_whole_file_is_what_would_be_sent(app: Flask, installation: Installation) -> None:
    post(app.test_client())
    mails(installation)
    answer = app.test_client().get("/outbox/1.eml")
    assert answer.mimetype == "message/rfc822"
    assert answer.data == (installation.settings.outbox / "000001.eml").read_bytes()


@pytest.mark.parametrize("address", ["/outbox/0", "/outbox/99", "/outbox/99/html", "/outbox/99.eml", "/outbox/../x"])
def test_a_mail_that_is_not_there_is_not_found(app: Flask, address: str) -> None:
    assert app.test_client().get(address).status_code == 404


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("comes_from", "status"),
    [
        (("127.0.0.1", {}), 200),
        (("127.0.0.2", {}), 200),
        (("::1", {}), 200),
        (("192.0.2.1", {}), 404),
        (("10.0.0.1", {}), 404),
        (("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}), 404),
        (("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}), 404),
        (("127.0.0.1", {"Forwarded": "for=192.0.2.1"}), 404),
        (("127.0.0.1", {"X-Real-IP": "192.0.2.1"}), 404),
    ],
)
def test_only_this_machine_reads_it(
    app: Flask, installation: Installation, address: str, comes_from: tuple[str, dict[str, str]], status: int
) -> None:
    """A proxy on this machine speaks for others, whichever of the usual headers it sets."""
    post(app.test_client())
    mails(installation)
    source, headers = comes_from
    answer = app.test_client().get(address, headers=headers, environ_base={"REMOTE_ADDR": source})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "settings",
    [
        {"smtp_url": "smtp://127.0.0.1:25"},
        {"base_url": "https://petition.example.org"},
        {"host": "0.0.0.0"},
    ],
    ids=str,
)
def test_a_server_for_others_has_no_outbox(
    make_sqlite_installation: MakeInstallation, settings: dict[str, str]
) -> None:
    installation = make_sqlite_installation(**settings)
    client = create_app(installation).test_client()
    for address in ADDRESSES:
        assert client.get(address, base_url=installation.settings.base_url).status_code == 404
    assert "outbox" not in client.get(page_of() + "/check-your-mail", base_url=installation.settings.base_url).text
