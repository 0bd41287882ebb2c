"""Half of a proof opens nothing: the password without the app's code, the address without its mail, an old key."""

from flask import Flask
from flask.testing import FlaskClient

from campaign.crypto.keyring import Keyring
from campaign.crypto.vault import Vault
from campaign.installation.wiring import Installation
from tests.conftest import Clock
from tests.scenes.organizing import find_organizer, send_form, sign_in
from tests.scenes.people import count
from tests.scenes.second_factors import APP, SECOND, code_of, set_up_app, shown_secret
from tests.scenes.suspects import count_in
from tests.scenes.visiting import ADDRESS, confirm_path, other_browser, post, read


def test_the_password_in_a_known_browser_does_not_end_the_wait_for_codes(owner: FlaskClient, clock: Clock) -> None:
    set_up_app(owner, clock)
    send_form(owner, "/organize/account", "/organize/sign-out")
    statuses = []
    for _ in range(25):
        if sign_in(owner).status_code == 429:
            break
        statuses += [send_form(owner, SECOND, code="000000").status_code for _ in range(4)]
    assert len(statuses) < 100 or 429 in statuses


def test_a_counted_signature_is_disowned_by_its_mail_alone(app: Flask, installation: Installation) -> None:
    """Typing the address into the form again marks a browser as that of the new submission, not of the signer."""
    count_in(installation, ADDRESS)
    link, stranger = confirm_path(installation), other_browser(app)
    post(stranger)
    assert stranger.post(link, data={"action": "not-me"}).status_code == 422
    assert count(installation) == 1


def test_an_app_that_is_set_up_over_a_rotation_is_sealed_with_the_new_key(
    installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    page = read(owner.get(APP))
    secret, path = shown_secret(page), installation.settings.keyring
    Keyring.read(path).with_new_key().replace(path)
    Keyring.read(path).with_newest_only().replace(path)
    assert owner.post(APP, data={**page.filled_in(), "code": code_of(secret, clock)}).status_code == 200
    with installation.database.snapshots() as session:
        organizer = find_organizer(session)
        assert organizer.sealed_totp is not None
        assert Vault(Keyring.read(path)).open(organizer.sealed_totp, row=f"organizer:{organizer.id}")
