"""What came back, on the organizer's page: numbers for each edition, and a warning in words where readers complain."""

from flask.testing import FlaskClient
from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryState
from campaign.services.bounces.intake import take_back
from tests.conftest import SLUG
from tests.scenes.deliveries import digests
from tests.scenes.organizing import read_table
from tests.scenes.people import add_readers, make_digest
from tests.scenes.returned import sample
from tests.scenes.visiting import read

NUMBERS = f"/organize/p/{SLUG}"
WARNING = "reported an edition as spam"


def come_back(installation: Installation, number: int, name: str) -> None:
    with installation.database.sessions.begin() as session:
        token = installation.vault.mail_token(digests(installation)[number].id)
        take_back(session, installation.vault, sample(name, token), now=installation.now())


def accepted_digest(installation: Installation) -> None:
    add_readers(installation, *(f"reader{number}@example.org" for number in range(4)))
    make_digest(installation)
    with installation.database.sessions.begin() as session:
        for delivery in session.scalars(select(Delivery)):
            delivery.state = DeliveryState.ACCEPTED


def test_before_the_first_digest_nothing_came_back(owner: FlaskClient) -> None:
    page = read(owner.get(NUMBERS))
    assert "No digest has been sent yet, so nothing came back." in page.text
    assert WARNING not in page.text


def test_failures_are_told_by_edition_without_a_warning(installation: Installation, owner: FlaskClient) -> None:
    accepted_digest(installation)
    come_back(installation, 0, "postfix-unknown")
    come_back(installation, 1, "postfix-mailbox-full")
    assert read_table(owner, NUMBERS, "returned") == [["1", "4", "1", "1", "0", "0.00%"]]
    assert WARNING not in read(owner.get(NUMBERS)).text


def test_complaints_are_told_with_their_share_in_words_and_in_the_records(
    installation: Installation, owner: FlaskClient
) -> None:
    accepted_digest(installation)
    come_back(installation, 0, "arf-abuse")
    assert read_table(owner, NUMBERS, "returned") == [["1", "4", "0", "0", "1", "25.00%, too many"]]
    page = read(owner.get(NUMBERS))
    assert WARNING in page.text
    assert "paused the digest: three readers in a thousand complained" in page.text
    assert "paused: too many readers complained" in page.text
