"""What is asked before signing, in a browser: its script solves the puzzle; without a script a person answers."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from campaign.web.public.questions import ANIMALS, COLOURS, NUMBERS
from tests.browser.installation import RunningServer
from tests.browser.organizers import set_password
from tests.browser.visitor import SLUG, Visit, Visitor


@pytest.fixture(scope="module")
def asking(running: RunningServer, browser: Browser) -> RunningServer:
    """A petition whose owner has switched it on."""
    added = running.command("organizer", "add", "owner@example.org", "--petition", SLUG, "--role", "owner")
    page = browser.new_page()
    page.set_default_timeout(15_000)
    set_password(page, added.stdout.strip())
    page.goto(f"{running.base_url}/organize/p/{SLUG}/review")
    page.locator("#challenge button").click()
    expect(page.locator("#challenge button")).to_have_text("Switch it off")
    page.close()
    return running


def fill_in(visitor: Visitor, address: str) -> Page:
    visitor.open()
    page = visitor.page
    page.locator("#name").fill("Aigerim Serikova")
    page.locator("#email").fill(address)
    page.locator("#consent").check()
    return page


def press(page: Page) -> None:
    page.locator("form#sign button[type=submit]").click()


def answer_of(asked: str) -> str:
    """What a person answers who reads the question."""
    words = re.findall(r"\w+", asked)
    if "plus" in words:
        return str(sum(NUMBERS.index(word) + 1 for word in words if word in NUMBERS))
    (only,) = {*words} & {*COLOURS, *ANIMALS}
    return str(only).upper()


def done(page: Page, running: RunningServer) -> None:
    expect(page).to_have_url(f"{running.base_url}/en/p/{SLUG}/check-your-mail#content")


def test_the_script_solves_the_puzzle_while_the_form_is_filled_in(asking: RunningServer, visit: Visit) -> None:
    """The question is not seen; nothing is asked of the server before somebody begins."""
    visitor = visit()
    fetched: list[str] = []
    visitor.page.on("request", lambda request: fetched.append(request.url))
    visitor.open()
    expect(visitor.page.locator("#answer")).to_be_hidden()
    assert not [url for url in fetched if url.endswith("challenge.json")]
    page = fill_in(visitor, "script@example.org")
    expect(page.locator("#told > p")).to_contain_text("you can sign")
    press(page)
    done(page, asking)
    assert asking.mails_to("script@example.org")


def test_who_is_faster_than_the_puzzle_presses_once_and_it_goes_out_by_itself(
    asking: RunningServer, visit: Visit
) -> None:
    visitor = visit()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visitor.page.route("**/challenge.json", hold)
    page = fill_in(visitor, "fast@example.org")
    press(page)
    press(page)
    expect(page.locator("#told > p")).to_contain_text("solving a small puzzle")
    assert len(held) == 1
    held[0].continue_()
    done(page, asking)


def test_a_mistake_elsewhere_does_not_cost_another_puzzle(asking: RunningServer, visit: Visit) -> None:
    visitor = visit(expected="422")
    page = fill_in(visitor, "not an address")
    expect(page.locator("#told > p")).to_contain_text("you can sign")
    press(page)
    expect(page.locator("#email-error")).to_be_visible()
    expect(page.locator("#told > p")).to_contain_text("you can sign")
    expect(page.locator("#answer")).to_be_hidden()
    page.locator("#email").fill("corrected@example.org")
    press(page)
    done(page, asking)


def test_where_the_puzzle_cannot_be_had_the_question_comes_back(asking: RunningServer, visit: Visit) -> None:
    visitor = visit(expected="500")
    visitor.page.route("**/challenge.json", lambda route: route.fulfill(status=500))
    page = fill_in(visitor, "question@example.org")
    expect(page.locator("#answer")).to_be_visible()
    expect(page.locator("#told")).to_be_hidden()
    page.locator("#answer").fill(answer_of(page.locator("label[for=answer]").inner_text()))
    press(page)
    done(page, asking)


@pytest.mark.parametrize("javascript", [False, True], ids=["without JavaScript", "without crypto.subtle"])
def test_without_a_script_a_person_answers(asking: RunningServer, visit: Visit, javascript: bool) -> None:
    visitor = visit(java_script_enabled=javascript, expected="422")
    if javascript:
        visitor.page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page = fill_in(visitor, f"person-{javascript}@example.org".lower())
    asked = page.locator("label[for=answer]").inner_text()
    page.locator("#answer").fill("I do not know")
    press(page)
    expect(page.locator("#answer-error")).to_be_visible()
    expect(page.locator("label[for=answer]")).to_have_text(asked)
    expect(page.locator("#name")).to_have_value("Aigerim Serikova")
    page.locator("#answer").fill(answer_of(asked))
    press(page)
    done(page, asking)


def test_a_form_that_is_sent_once_more_is_refused_and_a_person_may_answer(asking: RunningServer, visit: Visit) -> None:
    """As after going back: what the browser has solved was used up with the first signature."""
    visitor = visit(expected="422")
    page = fill_in(visitor, "first@example.org")
    expect(page.locator("#told > p")).to_contain_text("you can sign")
    solved = page.locator("#puzzle").input_value()
    press(page)
    done(page, asking)
    page = fill_in(visitor, "second@example.org")
    expect(page.locator("#told > p")).to_contain_text("you can sign")
    page.locator("#puzzle").evaluate("(field, solved) => { field.value = solved; }", solved)
    press(page)
    expect(page.locator("#answer-error")).to_be_visible()
    expect(page.locator("#answer")).to_be_visible()
    expect(page.locator("#email")).to_have_value("second@example.org")
    page.locator("#answer").fill(answer_of(page.locator("label[for=answer]").inner_text()))
    press(page)
    done(page, asking)
