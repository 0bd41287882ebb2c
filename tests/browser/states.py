"""Every page in every state that a person can meet, and the way to it in a browser."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Page

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.models import CommentState, Display, EditionState, PetitionState
from campaign.services.petitions.file_schema import PetitionFile
from campaign.web.core.errors import TITLES
from campaign.web.public.petition_page import PREVIEW
from campaign.worker import work_once
from tests.browser.leads import Lead, at, press
from tests.browser.organizer_states import ORGANIZERS
from tests.browser.served import Served, served
from tests.conftest import SLUG
from tests.scenes.comments import decide, offer
from tests.scenes.organizing import OTHER
from tests.scenes.paper import enter, print_sheet
from tests.scenes.people import confirm, confirm_all, find_petition, make_digest, sign, sign_within, unsubscribe
from tests.scenes.suspects import quarantine
from tests.scenes.visiting import confirm_path, me_path, own_path, unsubscribe_path


def _fill_in_fields(served: Served, page: Page, lang: str, *, email: str, name: str = "Aigerim Serikova") -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}")
    page.locator("#name").fill(name)
    page.locator("#email").fill(email)
    page.locator("#consent").check()


def _fill_in(served: Served, page: Page, lang: str, *, email: str, name: str = "Aigerim Serikova") -> None:
    _fill_in_fields(served, page, lang, email=email, name=name)
    press(page.locator("form#sign button[type=submit]").last)


def _sent(email: str, name: str = "Aigerim Serikova") -> Lead:
    return lambda served, page, lang: _fill_in(served, page, lang, email=email, name=name)


def _errors(served: Served, page: Page, lang: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}")
    press(page.locator("form#sign button[type=submit]"))


def _signed(served: Served, page: Page, lang: str) -> str:
    address = served.address()
    _fill_in(served, page, lang, email=address)
    return address


def _confirm(served: Served, page: Page, lang: str, *, answer: str = "") -> None:
    page.goto(served.base_url + confirm_path(served.installation, _signed(served, page, lang)))
    if answer:
        press(page.locator(f"button[value={answer}]"))


def _confirm_elsewhere(served: Served, page: Page, lang: str, *, code: str = "") -> None:
    page.goto(served.base_url + confirm_path(served.installation, served.signer(lang, confirmed=False)))
    if code:
        page.locator("#code").fill(code)
        press(page.locator("button[value=confirm]"))


def _too_late(served: Served, page: Page, lang: str) -> None:
    address = served.signer(lang, confirmed=False)
    path = confirm_path(served.installation, address)
    served.expire(address)
    page.goto(served.base_url + path)


def _used(served: Served, page: Page, lang: str) -> None:
    page.goto(served.base_url + confirm_path(served.installation, served.signer(lang)))


def _own(served: Served, page: Page, lang: str, *, below: str = "", sends: bool = False) -> None:
    page.goto(served.base_url + own_path(served.installation, served.signer(lang)) + below)
    if sends:
        press(page.locator("main form button[type=submit]").last)


def _own_changed(served: Served, page: Page, lang: str) -> None:
    _own(served, page, lang)
    page.locator("#details #name").fill("")
    press(page.locator("#details button[type=submit]"))


def _reader(served: Served, page: Page, lang: str) -> None:
    page.goto(served.base_url + me_path(served.installation, served.signer(lang, updates=True)))


def _withdrawn(served: Served, page: Page, lang: str) -> None:
    address = served.signer(lang)
    page.goto(served.base_url + own_path(served.installation, address) + "/withdraw")
    page.locator("#code").fill(served.code(address))
    press(page.locator("main form button[type=submit]"))


def _own_withdrawn(served: Served, page: Page, lang: str) -> None:
    _withdrawn(served, page, lang)
    page.goto(page.url.removesuffix("/receipt"))


def _unsubscribe(served: Served, page: Page, lang: str, *, sends: bool = False) -> None:
    page.goto(served.base_url + unsubscribe_path(served.installation, served.signer(lang, updates=True)))
    if sends:
        press(page.locator("main button"))


def _stopped(served: Served, page: Page, lang: str) -> None:
    address = served.signer(lang, updates=True)
    path = me_path(served.installation, address)
    unsubscribe(served.installation, address)
    page.goto(served.base_url + path)


def _lost_link(served: Served, page: Page, lang: str, *, typed: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}/my-link")
    page.locator("#email").fill(typed)
    press(page.locator("main form button[type=submit]"))


def _changed_meanwhile(served: Served, page: Page, lang: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}")
    page.evaluate("document.querySelector('[name=text_version]').value = 'of yesterday'")
    press(page.locator("form#sign button[type=submit]"))


def _wrong_answer(served: Served, page: Page, lang: str) -> None:
    """Of somebody for whose browser the puzzle is too much: what it sends is what is typed."""
    _fill_in_fields(served, page, lang, email=served.address())
    with page.expect_navigation():
        page.evaluate("document.querySelector('#answer').value = 'nothing'; document.querySelector('#sign').submit()")


def _closed_meanwhile(served: Served, page: Page, lang: str) -> None:
    _fill_in_fields(served, page, lang, email=served.address())
    with served.petition(state=PetitionState.CLOSED):
        press(page.locator("form#sign button[type=submit]"))


def _own_comment(state: CommentState) -> Lead:
    """The page of somebody whose comment may be shown, as far as organizers have read it."""

    def lead(served: Served, page: Page, lang: str) -> None:
        address = served.address()
        offer(served.installation, address, comment="Freedom!", language=lang)
        if state is not CommentState.OFFERED:
            decide(served.installation, state, address)
        page.goto(served.base_url + own_path(served.installation, address))

    return lead


def _show_mail(page: Page, html: str) -> None:
    """By itself: its own page lets no script run, not even one that looks at it; other pages allow no styles of its."""
    page.goto("about:blank")
    page.set_content(html)


def _digest(served: Served, page: Page, lang: str) -> None:
    answer = page.request.get(f"{served.base_url}/{lang}/p/{SLUG}/digest/1")
    assert answer.ok
    _show_mail(page, answer.text())


def _mail_to_confirm(served: Served, page: Page, lang: str) -> None:
    to = served.asked_to_confirm[lang]
    files = served.installation.settings.outbox.glob("*.eml")
    mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    (body,) = [mail.get_body(("html",)) for mail in mails if mail["To"] == to]
    assert body is not None
    _show_mail(page, body.get_content())


def _mail(served: Served, page: Page, lang: str) -> None:
    page.goto(f"{served.base_url}/outbox")
    press(page.locator("main table a").first)


def _preview(served: Served, page: Page, lang: str) -> None:
    token = served.installation.vault.token(PREVIEW, find_petition(served.installation).id)
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}/preview/{token}")


def _paper(served: Served, page: Page, lang: str, *, code: str) -> None:
    page.goto(f"{served.base_url}/{lang}/p/{SLUG}/paper")
    page.locator("#code").fill(code)
    press(page.locator("main form button[type=submit]"))


PUBLIC: dict[str, Lead] = {
    "front page": at("/"),
    "petition": at("/{lang}/p/{slug}"),
    "petition, form with errors": _errors,
    "petition, a slip in the address": _sent("aigerim@gmial.com"),
    "petition, a slip and an error": _sent("aigerim@gmial.com", name=""),
    "petition, challenge": at("/{lang}/p/{slug}"),
    "petition, a wrong answer": _wrong_answer,
    "petition, changed meanwhile": _changed_meanwhile,
    "petition, sealed": at("/{lang}/p/{slug}"),
    "petition, related ones": at("/{lang}/p/{slug}"),
    "petition, new, with pictures": at(f"/{{lang}}/p/{OTHER}"),
    "petition, locked": at("/{lang}/p/{slug}"),
    "petition, a copy": at("/{lang}/p/{slug}"),
    "petition, preview of a draft": _preview,
    "petition, paused": at("/{lang}/p/{slug}"),
    "petition, its time is over": at("/{lang}/p/{slug}"),
    "petition, closed": at("/{lang}/p/{slug}"),
    "petition, delivered": at("/{lang}/p/{slug}"),
    "petition, answered": at("/{lang}/p/{slug}"),
    "petition, won": at("/{lang}/p/{slug}"),
    "front page, nothing open": at("/"),
    "front page, two": at("/"),
    "front page, an earlier one": at("/"),
    "front page, a copy": at("/"),
    "check your mail": _signed,
    "updates": at("/{lang}/p/{slug}/updates"),
    "updates, none": at(f"/{{lang}}/p/{OTHER}/updates"),
    "digest in the browser": _digest,
    "names": at("/{lang}/p/{slug}/signatures"),
    "names, second page": at("/{lang}/p/{slug}/signatures?page=2"),
    "names, none yet": at(f"/{{lang}}/p/{OTHER}/signatures"),
    "names, none is shown": at("/{lang}/p/{slug}/signatures"),
    "comments": at("/{lang}/p/{slug}/signatures/comments"),
    "comments, none yet": at(f"/{{lang}}/p/{OTHER}/signatures/comments"),
    "public numbers": at("/{lang}/p/{slug}/numbers"),
    "public numbers, none yet": at(f"/{{lang}}/p/{OTHER}/numbers"),
    "mail to confirm": _mail_to_confirm,
    "spread": at("/{lang}/p/{slug}/spread"),
    "paper": at("/{lang}/p/{slug}/paper"),
    "paper, wrong code": lambda served, page, lang: _paper(served, page, lang, code="0000"),
    "paper, own page": lambda served, page, lang: _paper(served, page, lang, code=served.paper_code),
    "lost link": at("/{lang}/p/{slug}/my-link"),
    "lost link, error": lambda served, page, lang: _lost_link(served, page, lang, typed="no address"),
    "lost link, asked": lambda served, page, lang: _lost_link(served, page, lang, typed=served.address()),
    "confirm": _confirm,
    "confirm, another browser": _confirm_elsewhere,
    "confirm, wrong code": lambda served, page, lang: _confirm_elsewhere(served, page, lang, code="123456"),
    "confirmed": lambda served, page, lang: _confirm(served, page, lang, answer="confirm"),
    "confirm, used": _used,
    "confirm, too late": _too_late,
    "petition, closed meanwhile": _closed_meanwhile,
    "disowned": lambda served, page, lang: _confirm(served, page, lang, answer="not-me"),
    "own page, signer": _own,
    "own page, change refused": _own_changed,
    "own page, sealed": _own,
    "own page, comment offered": _own_comment(CommentState.OFFERED),
    "own page, comment shown": _own_comment(CommentState.SHOWN),
    "own page, comment refused": _own_comment(CommentState.REFUSED),
    "own page, reader": _reader,
    "own page, updates stopped": _stopped,
    "own page, withdrawn": _own_withdrawn,
    "get updates": lambda served, page, lang: _own(served, page, lang, below="/updates"),
    "get updates, error": lambda served, page, lang: _own(served, page, lang, below="/updates", sends=True),
    "withdraw": lambda served, page, lang: _own(served, page, lang, below="/withdraw"),
    "withdraw, no code": lambda served, page, lang: _own(served, page, lang, below="/withdraw", sends=True),
    "receipt": _withdrawn,
    "unsubscribe": _unsubscribe,
    "unsubscribed": lambda served, page, lang: _unsubscribe(served, page, lang, sends=True),
    "outbox": at("/outbox"),
    "outbox, a mail": _mail,
    "error 404": at("/{lang}/p/no-such-petition"),
    "error 404, a link from a mail": at("/me/no-such-link"),
    "error 405": at("/organize/sign-out"),
    "error 503, locked": at("/{lang}/p/{slug}/my-link"),
    **{f"error {code}": at(f"/error/{code}") for code in TITLES if code not in {404, 405}},
    "sign in": at("/organize/sign-in"),
}


def _sign_by_name(served: Served, count: int, country: str) -> None:
    """So many people, who want their names to be shown."""
    with served.installation.database.sessions.begin() as session:
        for _ in range(count):
            sign_within(session, served.installation, served.address(), display=Display.NAME, country=country)
    confirm_all(served.installation)


def furnish(served: Served) -> None:
    """Somebody at every place: signers by links and by none, of several countries and months, names and comments that
    are shown, wait and come from paper, an edition, signatures that wait for a review."""
    before = timedelta(days=120)
    served.clock.turn(-before)
    _sign_by_name(served, 60, country="KZ")
    served.clock.turn(before)
    _sign_by_name(served, 50, country="BA")  # one of the longest names
    for source in ("telegram", "telegram", "radio", "other", None):
        address = served.address()
        sign(served.installation, address, source=source)
        confirm(served.installation, address)
    served.signer("en", updates=True)
    make_digest(served.installation)
    quarantine(served.installation, served.address(), served.address())
    for shown_as, name in ((Display.NAME, "Дана Ахметова"), (Display.NAME, "ليلى حسن"), (Display.INITIALS, "Bo Lee")):
        address = served.address()
        offer(served.installation, address, name=name, display=shown_as, country="DE", comment=f"Freedom! {name}")
        decide(served.installation, CommentState.SHOWN, address)
    served.paper_code = print_sheet(served.installation, language="en")[0]
    enter(served.installation, served.paper_code)
    for language in find_petition(served.installation).languages:
        served.asked_to_confirm[language] = served.signer(language, confirmed=False)
    work_once(served.installation)  # mails get to the outbox, and countries are counted


@contextmanager
def furnished(folder: Path, file: PetitionFile) -> Iterator[Served]:
    """Serve a new installation with the petition of ``file``, and people in it."""
    with served(folder, file) as place:
        furnish(place)
        yield place


KEYLESS = {"petition, locked", "error 503, locked", "petition, a copy", "front page, a copy"}
OPEN, PAUSED, CLOSED = PetitionState.OPEN, PetitionState.PAUSED, PetitionState.CLOSED
# In which state the other petition is meanwhile, which is a draft else.
OTHERS = {
    "front page, two": PAUSED,
    "front page, an earlier one": PetitionState.WON,
    "petition, related ones": OPEN,
    "petition, new, with pictures": OPEN,
    "updates, none": OPEN,
    "names, none yet": OPEN,
    "comments, none yet": OPEN,
    "public numbers, none yet": OPEN,
    "numbers, nobody has signed": OPEN,
    "digest, nothing new": OPEN,
}
EDITIONS = {
    "digest, to be approved": EditionState.DRAFT,
    "digest, being sent": EditionState.SENDING,
    "digest, paused": EditionState.PAUSED,
}


def _values_of(served: Served, state: str) -> dict[str, object]:
    """What the petition has for a while that the state is about."""
    now, today = served.clock(), served.clock().date()
    languages = find_petition(served.installation).languages
    told = {lang: {"note": "We wait for the lawyers."} for lang in languages}
    sealed: dict[str, object] = {"sealed_to": [OrganizerKey.fresh().public.line]}
    over: dict[str, object] = {"state": CLOSED, "closed_on": today}
    values: dict[str, dict[str, object]] = {
        "petition, challenge": {"challenge": True},
        "petition, a wrong answer": {"challenge": True},
        "petition, sealed": sealed,
        "petition, related ones": {"related": [OTHER]},
        "petition, preview of a draft": {"state": PetitionState.DRAFT},
        "front page, nothing open": {"state": PetitionState.DRAFT},
        "petition, paused": {"state": PAUSED, "state_note": told},
        "petition, its time is over": {"closes_at": now - timedelta(minutes=1)},
        "petition, closed": over,
        "petition, delivered": {**over, "state": PetitionState.DELIVERED, "handed_over_on": today},
        "petition, answered": {"state": PetitionState.ANSWERED, "answered_on": today, "state_note": told},
        "petition, won": {"state": PetitionState.WON, "answered_on": today, "state_note": told},
        "names, none is shown": {"shows_names": False},
        "own page, sealed": sealed,
        "home, a language without pages": {"languages": [*languages, "tlh"]},
        "numbers, closed and sealed": {**sealed, **over, "export_needs_approval": True},
        "export, sealed": sealed,
        "export, asked for": {"export_needs_approval": True},
        "state, paused": {"state": PAUSED, "state_note": told, "closes_at": now + timedelta(days=9)},
        "state, burned": {**over, "burned_on": today},
        "paper to enter, closed": over,
    }
    return values.get(state, {})


@contextmanager
def shown(served: Served, page: Page, name: str, lang: str) -> Iterator[None]:
    """Lead ``page`` to the state that is called so."""
    with ExitStack() as stack:
        if name in KEYLESS:
            served = stack.enter_context(served.without_keys(frozen=name.endswith("a copy")))
        stack.enter_context(served.petition(SLUG, **_values_of(served, name)))
        if name in OTHERS:
            stack.enter_context(served.petition(OTHER, state=OTHERS[name]))
        if name in EDITIONS:
            stack.enter_context(served.edition(state=EDITIONS[name]))
        {**PUBLIC, **ORGANIZERS}[name](served, page, lang)
        yield


# By which state each page of the program is looked at. What is not a page: files, pictures, feeds, answers to scripts.
PAGES = {
    "petition.front": "front page",
    "petition.show": "petition",
    "check_mail.show": "check your mail",
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
    "sign_in.show": "sign in",
    "sign_in.welcome": "welcome",
    "second_factor.show": "second step",
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
    "organize.reauthenticate.show": "prove",
}
MAILS_IN_FRAMES = {"organize.digest.html", "organize.state.confirmation_html", "outbox.html"}
REDIRECTS = {"petition.choose_language"}
NOT_PAGES = (
    MAILS_IN_FRAMES
    | REDIRECTS
    | {
        "embedding.oembed",
        "embedding.script",
        "feed.show",
        "health.healthz",
        "look.picture",
        "look.style",
        "me.data",
        "outbox.raw",
        "challenge.puzzle",
        "petition.count",
        "spread.badge",
        "spread.picture",
        "spread.poster",
        "static",
        "withdrawing.receipt_file",
    }
)

# The pages, by their templates, that not everybody sees who asks an address: a form leads to them, or a refusal.
ANSWERS = {
    "public/confirm/show.html": "confirm",
    "public/confirm/confirmed.html": "confirmed",
    "public/confirm/disowned.html": "disowned",
    "core/error.html": "error 500",
    "organizers/codes.html": "account, recovery codes",
    "auth/press_again.html": "press again",
    "auth/second_factor.html": "second step",
    "public/petition/no_wall.html": "names, none is shown",
    "public/unsubscribe/done.html": "unsubscribed",
}
