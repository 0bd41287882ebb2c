"""What a review found at the doors: what is confirmed was seen, another site posts nothing, a start changes nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.models import PetitionState, SignatureState
from campaign.run import supervisor
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import close_petition
from campaign.services.petitions.store import load_petition
from tests.conftest import Clock
from tests.scenes.page import Page
from tests.scenes.people import confirm_by_id, count, find_petition, get_signature, sign
from tests.scenes.visiting import (
    ADDRESS,
    FILLED_IN,
    code_in,
    confirm_path,
    dump,
    mails,
    other_browser,
    page_of,
    post,
    read,
)

CHANGED = "The form was filled in again for your address after this page was opened. Please look at it once more."
AGAIN = {"name": "AIGERIM SERIKOVA", "comment": "Other words.", "country": "DE"}
ROUNDS, POSTERS = 10, 8


def typed_on(page: Page) -> list[str]:
    return [entry.text for entry in page.all("dd")][:3]


@pytest.mark.parametrize("with_code", [False, True], ids=["in the browser that signed", "with the code"])
def test_what_was_posted_after_the_page_was_opened_is_shown_before_it_is_confirmed(
    app: Flask, installation: Installation, with_code: bool
) -> None:
    browser = app.test_client()
    post(browser)
    (mail,) = mails(installation)
    path = confirm_path(installation)
    proof = {"code": code_in(mail)} if with_code else {}
    if with_code:
        browser = other_browser(app)
    opened = read(browser.get(path))
    assert typed_on(opened) == ["Aigerim Serikova", "Kazakhstan", "From the mine."]
    post(other_browser(app), **AGAIN)

    answer = browser.post(path, data={**opened.filled_in(), "action": "confirm", **proof})
    page = read(answer)
    assert answer.status_code == 422
    assert CHANGED in page.text
    assert typed_on(page) == ["AIGERIM SERIKOVA", "Germany", "Other words."]
    assert "Aigerim Serikova" not in page.text
    assert get_signature(installation, ADDRESS).state is SignatureState.PENDING
    assert count(installation) == 0

    assert page.filled_in()["seen"] != opened.filled_in()["seen"]
    assert browser.post(path, data={**page.filled_in(), "action": "confirm", **proof}).status_code == 200
    assert get_signature(installation, ADDRESS).state is SignatureState.CONFIRMED
    assert count(installation) == 1


def test_another_site_is_refused_with_a_token_that_it_took_from_our_page(
    app: Flask, installation: Installation
) -> None:
    client = app.test_client()
    token = read(client.get(page_of())).one("input", name="csrf_token")["value"]
    data = {**FILLED_IN, "csrf_token": token}
    before = dump(installation)
    answer = client.post(page_of(), data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 422
    assert "The form could not be checked" in read(answer).one("div", role="alert").text
    assert dump(installation) == before
    # It was the site, not the token.
    assert client.post(page_of(), data=data).status_code == 303


def test_starting_leaves_a_petition_that_was_loaded_with_other_texts_as_it_is(installation: Installation) -> None:
    file = read_petition_file(supervisor.BUILT_IN)
    own = file.model_copy(update={"goal": file.goal + 1, "milestones": [file.goal]})
    with installation.database.sessions.begin() as session:
        close_petition(
            session,
            load_petition(session, own, actor=COMMAND_LINE, now=installation.now()),
            actor=COMMAND_LINE,
            now=installation.now(),
        )
    before = dump(installation)
    petition, _ = supervisor._load_built_in(installation)
    assert (petition.goal, petition.state) == (file.goal + 1, PetitionState.CLOSED)
    assert find_petition(installation).goal == file.goal + 1
    after = dump(installation)
    changed = {name.rpartition(".")[2] for name in after if after[name] != before[name]}
    assert changed <= {"organizer", "membership", "audit_entry"}


def test_posting_and_confirming_one_address_at_the_same_time_block_each_other_in_no_order(
    installation: Installation, clock: Clock
) -> None:
    """Posts that queue another mail take the same locks as confirming: signature, allowance, counter."""
    start = Barrier(POSTERS + 1)

    def together(act: Callable[[], None]) -> None:
        start.wait(20)
        act()

    with ThreadPoolExecutor(POSTERS + 1) as threads:
        for number in range(1, ROUNDS + 1):
            email = f"reader{number}@example.org"
            sign(installation, email)
            signature_id = get_signature(installation, email).id
            clock.turn(timedelta(hours=25))  # so that each post may queue the next mail
            acts = [lambda: sign(installation, email, name="Dana")] * POSTERS  # noqa: B023 (done before the next round)
            acts.append(lambda: confirm_by_id(installation, signature_id))  # noqa: B023
            for future in [threads.submit(together, act) for act in acts]:
                future.result(60)
            signed = get_signature(installation, email)
            assert (signed.id, signed.number) == (signature_id, number)
            assert count(installation) == number
