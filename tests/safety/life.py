"""The lives of a thousand people on one installation, in steps that follow each other.

All that they say, and what they come with, begins with a canary.
"""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, DeliveryState, Role, Signature
from campaign.services.bounces.intake import take_back
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures.erase import erase_person
from campaign.services.signatures.sign import sign
from campaign.worker import work_once
from tests.conftest import SLUG, Clock, quick_app
from tests.safety.canaries import CYRILLIC, LATIN, NETWORK
from tests.scenes.challenges import right, token_in, turn
from tests.scenes.organizing import SIGN_IN, invite, send_form
from tests.scenes.people import confirm_all, disown, get_signature, list_deliveries, typed
from tests.scenes.returned import sample
from tests.scenes.reviewing import CHOICE, REVIEW, press
from tests.scenes.second_factors import ACCOUNT, SECOND, code_of, set_up_app
from tests.scenes.suspects import suspect
from tests.scenes.visiting import FROM_HERE, code_in, links_in, own_path, page_of, read
from tests.servers.smtp import Mailbox, Received

PEOPLE = 1000
# How many do all of it by the pages; the others do the same by the services behind them, many in one transaction.
BY_HAND = 20
TICKED = {"country": "KZ", "updates": "y", "consent": "y"}


class Said(TypedDict):
    name: str
    comment: str


def tag(number: int) -> str:
    return f"{LATIN}{number:04d}"


def address(number: int) -> str:
    return f"{tag(number)}@{LATIN}.example.org"


def said(number: int) -> Said:
    """What a person types, beside the address."""
    return {"name": f"{CYRILLIC.title()} {tag(number).title()}", "comment": f"{CYRILLIC} said {tag(number)}."}


def filled_in(number: int) -> dict[str, str]:
    """The form, as a browser sends it."""
    words = said(number)
    return {"email": address(number), **TICKED, "name": words["name"], "comment": words["comment"]}


def coming_from(number: int) -> dict[str, str]:
    return {**FROM_HERE, "X-Forwarded-For": f"{NETWORK}::{number:x}", "User-Agent": f"{tag(number)}/1.0"}


def answer_to(recipient: str) -> str | None:
    """Servers that quote the address back, as many do."""
    if recipient.startswith(tag(7)):
        return f"550 5.1.1 <{recipient}>: {CYRILLIC}: user unknown"
    return f"450 4.2.1 <{recipient}> try later" if recipient.startswith(tag(8)) else None


def text_of(received: Received) -> str:
    body = received.parsed.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


class Life:
    """The steps of it, on one installation."""

    def __init__(self, installation: Installation, mailbox: Mailbox, clock: Clock, run: Callable[..., None]) -> None:
        self._installation, self._mailbox, self._clock, self._run = installation, mailbox, clock, run
        self._app: Flask = quick_app(installation)
        # What organizers know and keep to themselves; it is in no file either.
        self.secrets: list[bytes] = []

    def _get(self, path: str, number: int) -> TestResponse:
        return self._app.test_client().get(path, headers=coming_from(number))

    def _post(self, path: str, number: int, **fields: str) -> TestResponse:
        return self._app.test_client().post(path, data=fields, headers=coming_from(number))

    def _mails_to(self, number: int) -> list[Received]:
        return [mail for mail in self._mailbox.messages if mail.recipients[0].lower() == address(number)]

    def _find(self, numbers: range) -> list[int]:
        return [get_signature(self._installation, address(number)).id for number in numbers]

    def sign(self) -> None:
        """The form, mistakes in it, the same address in other spellings, and everybody else."""
        for number in range(BY_HAND):
            fields = filled_in(number)
            assert self._post(page_of(), number, **fields).status_code == 303
            assert self._post(page_of(), number, **{**fields, "email": address(number).upper()}).status_code == 303
            for wrong in ({"email": f"{tag(number)} at home"}, {"comment": tag(number) * 200}, {"consent": ""}):
                kept = self._post(page_of(), number, **{**fields, **wrong})
                assert kept.status_code == 422
                assert tag(number) in kept.get_data(as_text=True).lower()
        self._answer_questions()
        installation = self._installation
        with installation.database.sessions.begin() as session:
            petition = get_petition(session, SLUG)
            version = get_text_version(session, petition, "en")
            for number in range(BY_HAND, PEOPLE):
                form = typed(address(number), **said(number), updates=number % 10 == 0)
                sign(session, installation.vault, petition, version, form, now=installation.now())

    def _answer_questions(self) -> None:
        """The petition is flooded, and asks everybody; a form filled in by a machine comes too."""
        turn(self._installation, on=True)
        for number in range(PEOPLE, PEOPLE + 3):
            fields = filled_in(number)
            token = token_in(read(self._get(page_of(), number)))
            assert self._post(page_of(), number, **fields, question=token, answer=tag(number)).status_code == 422
            token = token_in(read(self._get(page_of(), number)))
            answer = right(self._installation, token)
            assert self._post(page_of(), number, **fields, question=token, answer=answer).status_code == 303
        turn(self._installation, on=False)
        assert (
            self._post(page_of(), 2000, email=address(2000), **TICKED, **said(2000), reference=tag(2000)).status_code
            == 303
        )

    def confirm(self) -> None:
        """From the mails; the last ones never do."""
        work_once(self._installation)
        for number in range(BY_HAND - 5):
            for text in map(text_of, self._mails_to(number)[:1]):  # to some none is delivered
                path = next(path for path in links_in(text) if path.startswith("/confirm/"))
                assert self._get(path, number).status_code == 200
                assert self._post(path, number, code="WRONG1").status_code == 422
                done = self._post(path, number, code=code_in(text), action="not-me" if number == 0 else "confirm")
                assert done.status_code == 200
        ids = self._find(range(900, 920))
        with self._installation.database.sessions.begin() as session:
            for signature in session.scalars(select(Signature).where(Signature.id.in_(ids))):
                signature.expires_at = self._installation.now()
        work_once(self._installation)
        confirm_all(self._installation)

    def send_digest(self) -> None:
        self._clock.turn(timedelta(days=7))
        work_once(self._installation)
        for number in range(1, 10):
            for digest in self._mails_to(number)[1:]:
                path = re.sub(r"^<https?://[^/]+|>.*$", "", digest.parsed["List-Unsubscribe"])
                assert self._get(path, number).status_code == 200
                assert self._post(path, number, **{"List-Unsubscribe": "One-Click"}).status_code == 200

    def visit_own_pages(self) -> None:
        """See, take along, change with the code from the mail, ask for a lost link, withdraw."""
        visitors = range(20, 30)
        mails = {number: text_of(self._mails_to(number)[0]) for number in visitors}
        codes = {address(number): code_in(mail) for number, mail in mails.items()}
        for number in visitors:
            path, code = own_path(self._installation, address(number)), codes[address(number)]
            assert tag(number).title() in self._get(path, number).get_data(as_text=True)
            assert tag(number) in self._get(f"{path}/data.json", number).get_data(as_text=True)
            changed = {"name": f"{CYRILLIC} {tag(number)}", "comment": tag(number), "display": "name", "language": "kk"}
            assert self._post(f"{path}/details", number, **changed, code=tag(number)).status_code == 422
            assert self._post(f"{path}/details", number, **changed, code=code).status_code == 303
            assert self._post(f"{path}/updates", number, email=address(number), code=code).status_code == 303
            assert self._post(f"{page_of()}/my-link", number, email=address(number)).status_code == 303
            assert self._post(f"{page_of()}/my-link", number, email=f"{tag(number)} at home").status_code == 422
            if number < 25:
                assert self._post(f"{path}/withdraw", number, code=code).status_code == 303
        assert self._post(f"{page_of()}/my-link", 3000, email=address(3000)).status_code == 303, "who never signed"
        work_once(self._installation)

    def take_back(self) -> None:
        """Bounces and complaints that quote the person's address and the mail."""
        accepted = [
            item
            for item in list_deliveries(self._installation)
            if item.kind is DeliveryKind.DIGEST and item.state is DeliveryState.ACCEPTED
        ]
        with self._installation.database.sessions.begin() as session:
            for number, name in enumerate(("postfix-unknown", "postfix-mailbox-full", "arf-abuse")):
                returned = sample(name, self._installation.vault.mail_token(accepted[-1 - number].id))
                returned = re.sub(rb"[\w.]+@example\.(org|com|net)", address(500 + number).encode(), returned)
                take_back(session, self._installation.vault, returned, now=self._installation.now())

    def _sign_in(self) -> FlaskClient:
        """An owner whose words are canaries: a password, mistakes in it, an app, and a recovery code."""
        password = f"{CYRILLIC} {tag(3)} and more"
        link, client = invite(self._installation, Role.OWNER, "o@example.org"), self._app.test_client()
        assert send_form(client, link, password=password, again=password).status_code == 303
        secret, recovery = set_up_app(client, self._clock)
        typed = base64.b32encode(secret)  # noqa: TID251 (whatever our own module makes of it)
        self.secrets += [secret, typed, secret.hex().encode(), *(code.encode() for code in recovery)]
        client = self._app.test_client()
        for email in (address(3), "o@example.org"):
            assert send_form(client, SIGN_IN, email=email, password=f"{CYRILLIC} {tag(3)}").status_code == 422
        assert send_form(client, SIGN_IN, email="o@example.org", password=password).location == SECOND
        assert send_form(client, SECOND, code=tag(3)).status_code == 422
        self._clock.turn(timedelta(minutes=1))
        assert send_form(client, SECOND, code=code_of(secret, self._clock)).status_code == 303
        assert client.get(ACCOUNT).status_code == 200
        return client

    def organize(self) -> None:
        """Somebody reviews what looks suspicious, as the owner; people are erased."""
        client = self._sign_in()
        suspect(self._installation, *map(address, range(400, 410)))
        assert LATIN in client.get(REVIEW).get_data(as_text=True).lower()
        shown = client.get(f"{CHOICE}?state=confirmed&kind=source&group=g1")
        assert tag(409) in shown.get_data(as_text=True).lower()
        assert press(client, shown, "invalidate").status_code == 200
        assert send_form(client, REVIEW, f"{REVIEW}/undo", number=1).status_code == 303
        disown(self._installation, address(600))
        ids = self._find(range(800, 820))
        with self._installation.database.sessions.begin() as session:
            erase_person(session, ids, now=self._installation.now())

    def keep(self, outside: Path) -> None:
        """Rotate the key, back up, restore, and go on."""
        for words in (["--format", "csv"], ["--format", "jsonl"], ["--subscribers"]):
            self._run("export", SLUG, "--output", str(outside / f"list{len(words)}{words[-1]}"), *words)
        self._run("keyring", "rotate")
        backup = str(self._installation.settings.data_dir / "backup")
        self._run("backup", backup)
        disown(self._installation, address(700))
        work_once(self._installation)
        self._run("restore", "--yes", backup)
        work_once(self._installation)
