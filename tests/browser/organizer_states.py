"""What organizers meet: every page of theirs in every state, and the way to it in a browser."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from playwright.sync_api import Page
from sqlalchemy import delete

from campaign.crypto.totp import STEP, code_at
from campaign.models import Membership, Role
from campaign.services.organizers.second_factors import seal_new_secret
from tests.browser.leads import Lead, press
from tests.browser.organizers import PASSWORD, Authenticator, set_password
from tests.browser.served import Served
from tests.conftest import SLUG
from tests.scenes.comments import offer
from tests.scenes.organizing import OTHER, find_organizer
from tests.scenes.paper import print_sheet
from tests.scenes.suspects import quarantine

ORGANIZE = f"/organize/p/{SLUG}"
ACCOUNT = "/organize/account"


def _type_password(served: Served, page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto(f"{served.base_url}/organize/sign-in")
    page.locator("#email").fill(email)
    page.locator("#password").fill(password)
    press(page.get_by_role("button", name="Sign in", exact=True))


def _sign_in_too_often(served: Served, page: Page, _lang: str) -> None:
    for _ in range(6):
        _type_password(served, page, "somebody@example.org", "wrong wrong wrong")


def _enroll(served: Served, page: Page, role: Role = Role.OWNER) -> str:
    """The address of somebody new, who is signed in."""
    email = served.address()
    set_password(page, served.organizer(role, email=email))
    page.wait_for_url("**/organize/")
    return email


def _welcome_refused(served: Served, page: Page, _lang: str) -> None:
    page.goto(served.organizer())
    press(page.locator("main button[type=submit]"))


def _welcome_used(served: Served, page: Page, _lang: str) -> None:
    link = served.organizer()
    set_password(page, link)
    page.wait_for_url("**/organize/")
    page.goto(link)


def _second_step(served: Served, page: Page, _lang: str) -> None:
    """Of an organizer who has an app for codes, and whose password was right."""
    email = _enroll(served, page)
    with served.installation.database.sessions.begin() as session:
        organizer = find_organizer(session, email)
        organizer.sealed_totp = seal_new_secret(organizer.id, served.installation.vault)
    page.context.clear_cookies()
    _type_password(served, page, email)


def _second_step_failed(served: Served, page: Page, lang: str) -> None:
    _second_step(served, page, lang)
    page.locator("#code").fill("000000")
    press(page.locator("main button[type=submit]").last)


def _no_role(served: Served, page: Page, _lang: str) -> None:
    email = _enroll(served, page)
    with served.installation.database.sessions.begin() as session:
        session.execute(delete(Membership).where(Membership.organizer_id == find_organizer(session, email).id))
    page.goto(f"{served.base_url}/organize/")


def _viewer(served: Served, page: Page, _lang: str) -> None:
    _enroll(served, page, Role.VIEWER)
    page.goto(f"{served.base_url}{ORGANIZE}/export")


def _sign_in(served: Served, page: Page) -> None:
    """Once for all pages: it takes a second."""
    if served.owner:
        page.context.add_cookies(served.owner)
        return
    email = served.address()
    served.organizer(email=email, slug=OTHER)
    set_password(page, served.organizer(email=email))
    page.wait_for_url("**/organize/")
    served.owner = list(page.context.cookies())


def _within(path: str) -> Lead:
    def lead(served: Served, page: Page, _lang: str) -> None:
        _sign_in(served, page)
        page.goto(served.base_url + path)

    return lead


def _pressed(path: str, button: str, **typed: str) -> Lead:
    """What comes back from a form, in which each field is filled in that is named."""

    def lead(served: Served, page: Page, lang: str) -> None:
        _within(path)(served, page, lang)
        for name, value in typed.items():
            page.locator(f"#{name}").fill(value)
        press(page.locator(button).first)

    return lead


def _after(prepare: Lead, lead: Lead) -> Lead:
    def both(served: Served, page: Page, lang: str) -> None:
        prepare(served, page, lang)
        lead(served, page, lang)

    return both


def _suspect(served: Served, _page: Page, _lang: str) -> None:
    """Two more signatures that wait, in case another state has decided about those that did."""
    quarantine(served.installation, served.address(), served.address())


def _review_choice(served: Served, page: Page, lang: str) -> None:
    _suspect(served, page, lang)
    _pressed(f"{ORGANIZE}/review", "main form button")(served, page, lang)


def _review_decided(served: Served, page: Page, lang: str) -> None:
    _review_choice(served, page, lang)
    press(page.locator("main form[method=post] button").first)


def _offer(served: Served, _page: Page, _lang: str) -> None:
    offer(served.installation, served.address(), name="Waits", comment="I worked there for nine years.")


def _enter_line(served: Served, page: Page, lang: str) -> None:
    code = print_sheet(served.installation)[0]
    _pressed(f"{ORGANIZE}/paper", "#enter button[type=submit]", line_code=code, name="Dana")(served, page, lang)


def _app_added(served: Served, page: Page, _lang: str) -> None:
    _enroll(served, page)
    page.goto(f"{served.base_url}{ACCOUNT}/app")
    secret = base64.b32decode(page.locator("#secret").inner_text().replace(" ", ""))  # noqa: TID251 (as an app reads it)
    page.locator("#code").fill(code_at(secret, int(served.clock().timestamp()) // STEP))
    press(page.locator("main button[type=submit]"))


def _account_protected(served: Served, page: Page, lang: str) -> None:
    _app_added(served, page, lang)
    page.goto(f"{served.base_url}{ACCOUNT}")


def _passkeys(served: Served, page: Page, _lang: str, *, count: int) -> None:
    """Browsers make none for a number."""
    base_url = served.base_url.replace("127.0.0.1", "localhost")
    set_password(page, served.organizer().replace(served.base_url, base_url))
    page.wait_for_url("**/organize/")
    key = Authenticator(page)
    page.goto(f"{base_url}{ACCOUNT}/passkeys")
    for _ in range(count):
        page.locator("form[data-passkey=create] #name").fill("my phone")
        press(page.get_by_role("button", name="Make a passkey"))
        page.goto(f"{base_url}{ACCOUNT}/passkeys")
    key.put_away()


@contextmanager
def _minutes_later(served: Served, minutes: int) -> Iterator[None]:
    served.clock.turn(timedelta(minutes=minutes))
    try:
        yield
    finally:
        served.clock.turn(-timedelta(minutes=minutes))


def _asked_who_it_is(served: Served, page: Page, _lang: str, *, answers: bool = False) -> None:
    _enroll(served, page)
    page.goto(f"{served.base_url}{ORGANIZE}/export")
    page.locator("#reason").fill("To hand it over")
    with _minutes_later(served, 11):
        press(page.locator("form[action$=export] button[type=submit]"))
        if answers:
            page.locator("#password").fill(PASSWORD)
            press(page.get_by_role("button", name="It is me"))


ORGANIZERS: dict[str, Lead] = {
    "sign in, wrong password": lambda served, page, _: _type_password(served, page, "nobody@example.org", "wrong"),
    "sign in, too often": _sign_in_too_often,
    "welcome": lambda served, page, _lang: page.goto(served.organizer()),
    "welcome, no password": _welcome_refused,
    "welcome, used": _welcome_used,
    "second step": _second_step,
    "second step, wrong code": _second_step_failed,
    "home": _within("/organize/"),
    "home, no petition": _no_role,
    "home, a language without pages": _within("/organize/"),
    "numbers": _within(ORGANIZE),
    "numbers, nobody has signed": _within(f"/organize/p/{OTHER}"),
    "numbers, closed and sealed": _within(ORGANIZE),
    "digest": _within(f"{ORGANIZE}/digest"),
    "digest, nothing new": _within(f"/organize/p/{OTHER}/digest"),
    "digest, made": _within(f"{ORGANIZE}/digest?made=1"),
    "digest, to be approved": _within(f"{ORGANIZE}/digest"),
    "digest, being sent": _within(f"{ORGANIZE}/digest"),
    "digest, paused": _within(f"{ORGANIZE}/digest"),
    "digest, a test": _pressed(f"{ORGANIZE}/digest", "form[action$=test] button"),
    "export": _within(f"{ORGANIZE}/export"),
    "export, no reason": _pressed(f"{ORGANIZE}/export", "form[action$=export] button[type=submit]"),
    "export, sealed": _within(f"{ORGANIZE}/export"),
    "export, asked for": _pressed(
        f"{ORGANIZE}/export", "form[action$=export] button[type=submit]", reason="To hand it over"
    ),
    "review": _after(_suspect, _within(f"{ORGANIZE}/review")),
    "review, nothing to do": _within(f"/organize/p/{OTHER}/review"),
    "review, a choice": _review_choice,
    "review, none matches": _within(f"{ORGANIZE}/review/choice?state=quarantined&last=2000-01-01"),
    "review, no such criteria": _within(f"{ORGANIZE}/review/choice?state=x&kind=x&first=x&country=x"),
    "review, decided": _review_decided,
    "state": _within(f"{ORGANIZE}/state"),
    "state, a draft": _within(f"/organize/p/{OTHER}/state"),
    "state, paused": _within(f"{ORGANIZE}/state"),
    "state, burned": _within(f"{ORGANIZE}/state"),
    "state, no reason": _pressed(f"{ORGANIZE}/state", "button[name=to][value=paused]"),
    "offered comments": _after(_offer, _within(f"{ORGANIZE}/comments")),
    "offered comments, nothing chosen": _after(
        _offer, _pressed(f"{ORGANIZE}/comments", "button[name=show][value=chosen]")
    ),
    "offered comments, one is shown": _after(_offer, _pressed(f"{ORGANIZE}/comments", "article button[name=show]")),
    "shown comments": _within(f"{ORGANIZE}/comments?state=shown"),
    "refused comments, none": _within(f"/organize/p/{OTHER}/comments?state=refused"),
    "paper to enter": _within(f"{ORGANIZE}/paper"),
    "paper to enter, errors": _pressed(f"{ORGANIZE}/paper", "form[action*=lines] button[type=submit]"),
    "paper to enter, entered": _enter_line,
    "paper to enter, no sheet": _pressed(f"{ORGANIZE}/paper", "form[action*=sheets] button[type=submit]", lines="3"),
    "paper to enter, closed": _within(f"{ORGANIZE}/paper"),
    "account": _within(ACCOUNT),
    "account, refused": _pressed(ACCOUNT, "form[action$=password] button[type=submit]"),
    "account, with an app": _account_protected,
    "account, app for codes": _within(f"{ACCOUNT}/app"),
    "account, wrong digits": _pressed(f"{ACCOUNT}/app", "main button[type=submit]", code="000000"),
    "account, recovery codes": _app_added,
    "account, passkeys": _within(f"{ACCOUNT}/passkeys"),
    "account, the first passkey": lambda served, page, lang: _passkeys(served, page, lang, count=0),
    "account, a passkey": lambda served, page, lang: _passkeys(served, page, lang, count=1),
    "prove": _within(f"/organize/prove?next={ACCOUNT}"),
    "prove, wrong": _pressed(f"/organize/prove?next={ACCOUNT}", "main button[type=submit]", password="wrong"),
    "prove, a form is kept": _asked_who_it_is,
    "press again": lambda served, page, lang: _asked_who_it_is(served, page, lang, answers=True),
    "error 403, signed in": _viewer,
    "error 404, signed in": _within("/organize/p/no-such-petition"),
}
