"""An organizer with an app that shows codes."""

import base64

from flask.testing import FlaskClient

from campaign.crypto.totp import STEP, code_at
from tests.conftest import Clock
from tests.scenes.page import Page
from tests.scenes.visiting import read

ACCOUNT = "/organize/account"


APP = f"{ACCOUNT}/app"


SECOND = "/organize/sign-in/second"


def code_of(secret: bytes, clock: Clock, *, steps: int = 0) -> str:
    """What the app shows, so many steps from now."""
    return code_at(secret, int(clock.moment.timestamp()) // STEP + steps)


def shown_secret(page: Page) -> bytes:
    """The key as a person types it into the app."""
    return base64.b32decode(page.by_id("secret").text.replace(" ", ""))  # noqa: TID251 (as an app reads it)


def set_up_app(client: FlaskClient, clock: Clock) -> tuple[bytes, list[str]]:
    """Set an app up; its secret, and the recovery codes that were shown."""
    page = read(client.get(APP))
    secret = shown_secret(page)
    answer = client.post(APP, data={**page.filled_in(), "code": code_of(secret, clock)})
    assert answer.status_code == 200
    return secret, [code.text for code in read(answer).all("code")]
