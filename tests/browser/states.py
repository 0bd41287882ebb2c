"""Every page in every state that a person can meet, and the way to it in a browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page

from campaign.models import CommentState, Display, PetitionState
from campaign.services.second_factors import seal_new_secret
from campaign.web.petition_page import PREVIEW
from campaign.worker import work_once
from tests.browser.served import Served
from tests.browser.test_organizing import PASSWORD, set_password
from tests.conftest import SLUG
from tests.services.people import confirm, find_petition, make_digest, sign, unsubscribe
from tests.services.suspects import quarantine
from tests.services.test_paper import enter, print_sheet
from tests.services.test_wall import decide, offer
from tests.web.organizing import find_organizer
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


def _mail(served: Served, page: Page, lang: str) -> None:
    page.goto(f"{served.base_url}/outbox")
    _press(page.locator("main table a").first)


def _preview(served: Served, page: Page, lang: str) -> None:
    token = served.campaign.vault.token(PREVIEW, find_petition(served.campaign).id)
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}/preview/{token}")


def _paper(served: Served, page: Page, lang: str, *, code: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}/paper")
    page.locator("#code").fill(code)
    _press(page.locator("main form button[type=submit]"))


PUBLIC: dict[str, Lead] = {
    "front page": _at("/"),
    "petition": _at("/{lang}/p/{slug}"),
    "petition, form with errors": _errors,
    "petition, a slip in the address": _sent("aigerim@gmial.com"),
    "petition, a slip and an error": _sent("aigerim@gmial.com", name=""),
    "petition, challenge": _at("/{lang}/p/{slug}"),
    "petition, preview of a draft": _preview,
    "petition, paused": _at("/{lang}/p/{slug}"),
    "petition, closed": _at("/{lang}/p/{slug}"),
    "petition, delivered": _at("/{lang}/p/{slug}"),
    "petition, answered": _at("/{lang}/p/{slug}"),
    "petition, won": _at("/{lang}/p/{slug}"),
    "front page, nothing open": _at("/"),
    "check your mail": _signed,
    "updates": _at("/{lang}/p/{slug}/updates"),
    "digest in the browser": _digest,
    "names": _at("/{lang}/p/{slug}/signatures"),
    "names, none is shown": _at("/{lang}/p/{slug}/signatures"),
    "comments": _at("/{lang}/p/{slug}/signatures/comments"),
    "public numbers": _at("/{lang}/p/{slug}/numbers"),
    "spread": _at("/{lang}/p/{slug}/spread"),
    "paper": _at("/{lang}/p/{slug}/paper"),
    "paper, wrong code": lambda served, page, lang: _paper(served, page, lang, code="0000"),
    "paper, own page": lambda served, page, lang: _paper(served, page, lang, code=served.paper_code),
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
    "outbox, a mail": _mail,
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


def _second_step(served: Served, page: Page, _lang: str) -> None:
    """Of an organizer who has an app for codes, and whose password was right."""
    email = served.address()
    set_password(page, served.organizer(email=email))
    page.wait_for_url("**/organize/")
    with served.campaign.database.sessions.begin() as session:
        organizer = find_organizer(session, email)
        organizer.sealed_totp = seal_new_secret(organizer.id, served.campaign.vault)
    page.context.clear_cookies()
    page.goto(f"{served.base_url}/organize/sign-in")
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
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


def _refused(path: str, button: str) -> Lead:
    """A form that comes back, with what is wrong with it."""

    def lead(served: Served, page: Page, lang: str) -> None:
        _within(path)(served, page, lang)
        _press(page.locator(button))

    return lead


ORGANIZERS: dict[str, Lead] = {
    "sign in, wrong password": _sign_in_wrongly,
    "welcome": lambda served, page, _lang: page.goto(served.organizer()),
    "second step": _second_step,
    "home": _within("/organize/"),
    "numbers": _within(ORGANIZE),
    "digest": _within(f"{ORGANIZE}/digest"),
    "export": _within(f"{ORGANIZE}/export"),
    "review": _within(f"{ORGANIZE}/review"),
    "review, a choice": _review_choice,
    "state": _within(f"{ORGANIZE}/state"),
    "state, no reason": _refused(f"{ORGANIZE}/state", "button[name=to][value=paused]"),
    "offered comments": _within(f"{ORGANIZE}/comments"),
    "refused comments, none": _within(f"{ORGANIZE}/comments?which=refused"),
    "paper to enter": _within(f"{ORGANIZE}/paper"),
    "paper to enter, errors": _refused(f"{ORGANIZE}/paper", "form[action$=lines] button[type=submit]"),
    "account": _within("/organize/account"),
    "account, app for codes": _within("/organize/account/app"),
    "account, passkeys": _within("/organize/account/passkeys"),
    "prove": _within("/organize/prove?next=/organize/account"),
    "error 404, signed in": _within("/organize/p/no-such-petition"),
}


def furnish(served: Served) -> None:
    """Somebody at every place: signers by links and by none, names and comments that are shown, wait and come from
    paper, an edition, signatures that wait for a review."""
    for source in ("telegram", "telegram", "radio", "other", None):
        address = served.address()
        sign(served.campaign, address, source=source)
        confirm(served.campaign, address)
    served.signer("en", updates=True)
    make_digest(served.campaign)
    quarantine(served.campaign, served.address(), served.address())
    for shown_as, name in ((Display.NAME, "Дана Ахметова"), (Display.NAME, "ليلى حسن"), (Display.INITIALS, "Bo Lee")):
        address = served.address()
        offer(served.campaign, address, name=name, display=shown_as, country="DE", comment=f"Freedom! {name}")
        decide(served.campaign, CommentState.SHOWN, address)
    offer(served.campaign, served.address(), name="Waits", comment="I worked there for nine years.")
    served.paper_code = print_sheet(served.campaign, language="en")[0]
    enter(served.campaign, served.paper_code)
    work_once(served.campaign)  # mails get to the outbox


def _values_of(served: Served, state: str) -> dict[str, object]:
    """What the petition has for a while that the state is about."""
    today = served.clock().date()
    told = {lang: {"note": "We wait for the lawyers."} for lang in find_petition(served.campaign).languages}
    values: dict[str, dict[str, object]] = {
        "petition, challenge": {"challenge": True},
        "petition, preview of a draft": {"state": PetitionState.DRAFT},
        "front page, nothing open": {"state": PetitionState.DRAFT},
        "petition, paused": {"state": PetitionState.PAUSED, "state_note": told},
        "petition, closed": {"state": PetitionState.CLOSED, "closed_on": today},
        "petition, delivered": {"state": PetitionState.DELIVERED, "closed_on": today, "handed_over_on": today},
        "petition, answered": {"state": PetitionState.ANSWERED, "answered_on": today, "state_note": told},
        "petition, won": {"state": PetitionState.WON, "answered_on": today, "state_note": told},
        "names, none is shown": {"shows_names": False},
    }
    return values.get(state, {})


@contextmanager
def shown(served: Served, page: Page, name: str, lang: str) -> Iterator[None]:
    """Lead ``page`` to the state that is called so."""
    with served.petition(**_values_of(served, name)):
        {**PUBLIC, **ORGANIZERS}[name](served, page, lang)
        yield


# By which state each page of the program is looked at. What is not a page: files, pictures, feeds, answers to scripts.
PAGES = {
    "petition.front": "front page",
    "petition.show": "petition",
    "petition.check_mail": "check your mail",
    "petition.edition": "digest in the browser",
    "petition.preview": "petition, preview of a draft",
    "petition.updates": "updates",
    "lost_link.ask": "lost link",
    "numbers.show": "public numbers",
    "paper.ask": "paper",
    "wall.names": "names",
    "wall.comments": "comments",
    "spread.show": "spread",
    "confirm.show": "confirm",
    "me.show": "own page, signer",
    "me_changes.ask_address": "get updates",
    "withdrawing.ask": "withdraw",
    "withdrawing.receipt": "receipt",
    "unsubscribe.show": "unsubscribe",
    "outbox.index": "outbox",
    "outbox.show": "outbox, a mail",
    "signing_in.show": "sign in",
    "signing_in.welcome": "welcome",
    "second_step.show": "second step",
    "organize.index": "home",
    "organize.numbers": "numbers",
    "organize.digest.preview": "digest",
    "organize.exports.show": "export",
    "organize.review.show": "review",
    "organize.review.choose": "review, a choice",
    "organize.state.show": "state",
    "organize.comments.show": "offered comments",
    "organize.paper.show": "paper to enter",
    "organize.account.show": "account",
    "organize.account.app.show": "account, app for codes",
    "organize.account.passkeys.show": "account, passkeys",
    "organize.proving.show": "prove",
}
NOT_PAGES = {
    "embedding.oembed",
    "embedding.script",
    "feed.show",
    "health.healthz",
    "look.picture",
    "look.style",
    "me.data",
    "organize.digest.html",  # the mail in the frame of its page
    "outbox.html",
    "outbox.raw",
    "challenge.puzzle",
    "petition.count",
    "spread.badge",
    "spread.picture",
    "spread.poster",
    "static",
    "withdrawing.receipt_file",
}
