"""The preview says whether the digest was checked, and where to mend it; a digest that must be mended is not sent."""

from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from tests.conftest import SLUG
from tests.scenes.commands import Command, refused
from tests.scenes.long_updates import LONG, publish
from tests.scenes.organizing import list_made, send_form, token_of
from tests.scenes.people import add_readers
from tests.scenes.visiting import read

TURNED = "News \u202etxt.exe"
DIGEST = f"/organize/p/{SLUG}/digest"


def test_a_digest_without_problems_was_checked(owner: FlaskClient, installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    assert "Checked: no problems." in read(owner.get(DIGEST)).text


def test_problems_are_listed_with_their_place_and_nothing_can_be_sent(
    owner: FlaskClient, installation: Installation
) -> None:
    add_readers(installation, "a@example.org")
    token = token_of(owner, DIGEST)
    publish(installation, title=TURNED, ru=LONG)
    page = read(owner.get(DIGEST))
    assert "Русский, HTML: The HTML has" in page.text
    assert "Қазақ тілі, headers, line " in page.text
    assert "Subject holds an invisible character" in page.text
    assert "Checked: no problems." not in page.text
    assert "Send now" not in page.text
    answer = owner.post(f"{DIGEST}/send", data={"csrf_token": token, "after": 0})
    assert answer.status_code == 422
    assert "These problems must be solved before it can be sent" in read(answer).text
    assert list_made(installation) == []
    publish(installation)
    assert send_form(owner, DIGEST, f"{DIGEST}/send", after=0).status_code == 303


def test_the_command_prints_what_is_to_be_mended_and_does_not_send(command: Command, installed: Installation) -> None:
    add_readers(installed, "a@example.org")
    assert command("digest", "preview", SLUG).err == ""
    publish(installed, title=TURNED, ru=LONG)
    everything = command("digest", "preview", SLUG)
    assert everything.status == 0
    assert everything.err.startswith("To mend: ")
    assert ("kk, header, line " in everything.err, "ru, HTML: " in everything.err) == (True, True)
    assert "ru, " not in command("digest", "preview", SLUG, "--language", "kk").err
    refused(command("digest", "send", SLUG), "The edition was not made. In ")
