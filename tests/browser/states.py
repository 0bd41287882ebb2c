"""Every page in every state that a person can meet, and the way to it in a browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from playwright.sync_api import Locator, Page

from campaign.models import PetitionState
from tests.browser.served import Served
from tests.browser.test_organizing import set_password
from tests.conftest import SLUG
from tests.services.people import confirm, make_digest, sign, unsubscribe
from tests.services.suspects import quarantine
from tests.web.visiting import confirm_path, me_path, own_path, unsubscribe_path

Lead = Callable[[Served, Page, str], Any]
ORGANIZE = f"/organize/p/{SLUG}"


def _at(path: str) -> Lead:
    return lambda served, page, lang: page.goto(served.base_url + path.format(lang=lang, slug=SLUG))


def _press(button: Locator) -> None:
    with button.page.expect_navigation():
        button.click()


def _fill_in(served: Served, page: Page, lang: str, *, email: str, name: str = "Aigerim Serikova") -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}")
    page.locator("#name").fill(name)
    page.locator("#email").fill(email)
    page.locator("#consent").check()
    _press(page.locator("form#sign button[type=submit]").last)


def _sent(email: str, name: str = "Aigerim Serikova") -> Lead:
    return lambda served, page, lang: _fill_in(served, page, lang, email=email, name=name)


def _errors(served: Served, page: Page, lang: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}")
    _press(page.locator("form#sign button[type=submit]"))


def _signed(served: Served, page: Page, lang: str) -> str:
    address = served.address()
    _fill_in(served, page, lang, email=address)
    return address


def _confirm(served: Served, page: Page, lang: str, *, press: str = "") -> None:
    page.goto(served.base_url + confirm_path(served.campaign, _signed(served, page, lang)))
    if press:
        _press(page.locator(f"button[value={press}]"))


def _confirm_elsewhere(served: Served, page: Page, lang: str, *, code: str = "") -> None:
    page.goto(served.base_url + confirm_path(served.campaign, served.signer(lang, confirmed=False)))
    if code:
        page.locator("#code").fill(code)
        _press(page.locator("button[value=confirm]"))


def _too_late(served: Served, page: Page, lang: str) -> None:
    address = served.signer(lang, confirmed=False)
    path = confirm_path(served.campaign, address)
    served.expire(address)
    page.goto(served.base_url + path)


def _used(served: Served, page: Page, lang: str) -> None:
    page.goto(served.base_url + confirm_path(served.campaign, served.signer(lang)))


def _own(served: Served, page: Page, lang: str, *, below: str = "", press: bool = False) -> None:
    page.goto(served.base_url + own_path(served.campaign, served.signer(lang)) + below)
    if press:
        _press(page.locator("main form button[type=submit]").last)


def _own_changed(served: Served, page: Page, lang: str) -> None:
    _own(served, page, lang)
    page.locator("#details #name").fill("")
    _press(page.locator("#details button[type=submit]"))


def _reader(served: Served, page: Page, lang: str) -> None:
    page.goto(served.base_url + me_path(served.campaign, served.signer(lang, updates=True)))


def _withdrawn(served: Served, page: Page, lang: str) -> None:
    address = served.signer(lang)
    page.goto(served.base_url + own_path(served.campaign, address) + "/withdraw")
    page.locator("#code").fill(served.code(address))
    _press(page.locator("main form button[type=submit]"))


def _own_withdrawn(served: Served, page: Page, lang: str) -> None:
    _withdrawn(served, page, lang)
    page.goto(page.url.removesuffix("/receipt"))


def _unsubscribe(served: Served, page: Page, lang: str, *, press: bool = False) -> None:
    page.goto(served.base_url + unsubscribe_path(served.campaign, served.signer(lang, updates=True)))
    if press:
        _press(page.locator("main button"))


def _stopped(served: Served, page: Page, lang: str) -> None:
    address = served.signer(lang, updates=True)
    path = me_path(served.campaign, address)
    unsubscribe(served.campaign, address)
    page.goto(served.base_url + path)


def _lost_link(served: Served, page: Page, lang: str, *, typed: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}/my-link")
    page.locator("#email").fill(typed)
    _press(page.locator("main form button[type=submit]"))


def _digest(served: Served, page: Page, lang: str) -> None:
    """Its own page lets no script run, not even one that looks at it."""
    answer = page.request.get(f"{served.base_url}/{lang}/p/{SLUG}/digest/1")
    assert answer.ok
    page.set_content(answer.text())


PUBLIC: dict[str, Lead] = {
    "front page": _at("/"),
    "petition": _at("/{lang}/p/{slug}"),
    "petition, form with errors": _errors,
    "petition, a slip in the address": _sent("aigerim@gmial.com"),
    "petition, a slip and an error": _sent("aigerim@gmial.com", name=""),
    "petition, challenge": _at("/{lang}/p/{slug}"),
    "petition, closed": _at("/{lang}/p/{slug}"),
    "check your mail": _signed,
    "updates": _at("/{lang}/p/{slug}/updates"),
    "digest in the browser": _digest,
    "lost link": _at("/{lang}/p/{slug}/my-link"),
    "lost link, error": lambda served, page, lang: _lost_link(served, page, lang, typed="no address"),
    "lost link, asked": lambda served, page, lang: _lost_link(served, page, lang, typed=served.address()),
    "confirm": _confirm,
    "confirm, another browser": _confirm_elsewhere,
    "confirm, wrong code": lambda served, page, lang: _confirm_elsewhere(served, page, lang, code="123456"),
    "confirmed": lambda served, page, lang: _confirm(served, page, lang, press="confirm"),
    "confirm, used": _used,
    "confirm, too late": _too_late,
    "disowned": lambda served, page, lang: _confirm(served, page, lang, press="not-me"),
    "own page, signer": _own,
    "own page, change refused": _own_changed,
    "own page, reader": _reader,
    "own page, updates stopped": _stopped,
    "own page, withdrawn": _own_withdrawn,
    "get updates": lambda served, page, lang: _own(served, page, lang, below="/updates"),
    "get updates, error": lambda served, page, lang: _own(served, page, lang, below="/updates", press=True),
    "withdraw": lambda served, page, lang: _own(served, page, lang, below="/withdraw"),
    "withdraw, no code": lambda served, page, lang: _own(served, page, lang, below="/withdraw", press=True),
    "receipt": _withdrawn,
    "unsubscribe": _unsubscribe,
    "unsubscribed": lambda served, page, lang: _unsubscribe(served, page, lang, press=True),
    "outbox": _at("/outbox"),
    "error 404": _at("/{lang}/p/no-such-petition"),
    "error 404, a link from a mail": _at("/me/no-such-link"),
    "error 405": _at("/organize/sign-out"),
    "sign in": _at("/organize/sign-in"),
}


def _sign_in_wrongly(served: Served, page: Page, _lang: str) -> None:
    page.goto(f"{served.base_url}/organize/sign-in")
    page.locator("#email").fill("nobody@example.org")
    page.locator("#password").fill("wrong wrong wrong")
    _press(page.get_by_role("button", name="Sign in", exact=True))


def _sign_in(served: Served, page: Page) -> None:
    """Once for all pages: it takes a second."""
    if served.owner:
        page.context.add_cookies(served.owner)
        return
    set_password(page, served.organizer())
    page.wait_for_url("**/organize/")
    served.owner = list(page.context.cookies())


def _within(path: str) -> Lead:
    def lead(served: Served, page: Page, _lang: str) -> None:
        _sign_in(served, page)
        page.goto(served.base_url + path)

    return lead


def _review_choice(served: Served, page: Page, lang: str) -> None:
    _within(f"{ORGANIZE}/review")(served, page, lang)
    _press(page.locator("main form button").first)


ORGANIZERS: dict[str, Lead] = {
    "sign in, wrong password": _sign_in_wrongly,
    "welcome": lambda served, page, _lang: page.goto(served.organizer()),
    "home": _within("/organize/"),
    "numbers": _within(ORGANIZE),
    "digest": _within(f"{ORGANIZE}/digest"),
    "export": _within(f"{ORGANIZE}/export"),
    "review": _within(f"{ORGANIZE}/review"),
    "review, a choice": _review_choice,
    "account": _within("/organize/account"),
    "account, app for codes": _within("/organize/account/app"),
    "account, passkeys": _within("/organize/account/passkeys"),
    "prove": _within("/organize/prove?next=/organize/account"),
    "error 404, signed in": _within("/organize/p/no-such-petition"),
}


def furnish(served: Served) -> None:
    """Somebody at every place: signers by links and by none, an edition, signatures that wait for a review."""
    for source in ("telegram", "telegram", "radio", "other", None):
        address = served.address()
        sign(served.campaign, address, source=source)
        confirm(served.campaign, address)
    served.signer("en", updates=True)
    make_digest(served.campaign)
    quarantine(served.campaign, served.address(), served.address())


@contextmanager
def shown(served: Served, page: Page, name: str, lang: str) -> Iterator[None]:
    """Lead ``page`` to the state that is called so."""
    petition: Any = nullcontext()
    if name == "petition, challenge":
        petition = served.petition(challenge=True)
    if name == "petition, closed":
        petition = served.petition(state=PetitionState.CLOSED, closed_on=served.clock().date())
    with petition:
        {**PUBLIC, **ORGANIZERS}[name](served, page, lang)
        yield
