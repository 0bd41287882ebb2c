"""Who gets in where: every route, as every kind of person, for every kind of petition, with every method.

What is right follows from what a view declares: its Entry, its permission, and whether it asks for a fresh proof.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from campaign.installation.wiring import Installation
from campaign.models import Membership, Organizer, Role
from campaign.periods import PROOF_LASTS
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.organizers.permissions import PERMISSIONS, Permission
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import get_petition, load_petition
from campaign.web.auth.reauthenticate import asks_for_proof
from campaign.web.core.security import Entry, entry_of
from tests.conftest import SLUG

DRAFT, OTHER, MISSING = "draft-of-ours", "theirs", "missing"
OTHER_TITLE, OUR_TITLE = "A title that only its organizers see", "Stand with the workers of Kazakhstan"
METHODS = ("GET", "HEAD", "POST", "PUT")
_CSRF = "c" * 40


@dataclass(frozen=True)
class Person:
    """Somebody with a browser. ``role`` is theirs in ``slugs``; without one they are nobody here."""

    name: str
    role: Role | None = None
    slugs: tuple[str, ...] = (SLUG, DRAFT)
    active: bool = True
    proved: timedelta = timedelta(minutes=1)

    @property
    def is_fresh(self) -> bool:
        return self.proved < PROOF_LASTS

    @property
    def is_signed_in(self) -> bool:
        return self.role is not None and self.active


PEOPLE = [
    Person("stranger"),
    *(Person(str(role), role) for role in Role),
    Person("owner elsewhere", Role.OWNER, (OTHER,)),
    Person("switched off", Role.OWNER, active=False),
    *(Person(f"{role}, signed in a while ago", role, proved=PROOF_LASTS) for role in (Role.OWNER, Role.EXPORTER)),
]


def settle(installation: Installation) -> None:
    """Two more petitions, and everybody who has an account."""
    file = read_petition_file(BUILT_IN)
    with installation.database.sessions.begin() as session:
        for slug, title in ((DRAFT, "A draft of ours"), (OTHER, OTHER_TITLE)):
            texts = {"slug": slug, "title": dict.fromkeys(file.languages, title)}
            loaded = load_petition(session, file.model_copy(update=texts), actor=COMMAND_LINE, now=installation.now())
            if slug == OTHER:
                open_petition(session, loaded, actor=COMMAND_LINE, now=installation.now())
        for person in PEOPLE:
            if person.role is None:
                continue
            roles = [Membership(petition_id=get_petition(session, slug).id, role=person.role) for slug in person.slugs]
            address = f"{person.name.replace(' ', '-').replace(',', '')}@example.org"
            session.add(Organizer(email=address, session_key=person.name, active=person.active, memberships=roles))


def ask(
    app: Flask, installation: Installation, person: Person, path: str, method: str, *, token: bool = True
) -> TestResponse:
    """Send one request, in a session that was made for it; a POST with a token as our own pages have."""
    now = installation.now()
    kept: dict[str, Any] = {"csrf_token": _CSRF}
    if person.role is not None:
        moment = now.timestamp()
        proved = (now - person.proved).timestamp()
        kept |= {"_user_id": person.name, "_fresh": True, "began": proved, "seen": moment, "proved": proved}
    signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie = f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(kept)}"
    sent = URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps(_CSRF) if token else ""
    data = {"csrf_token": sent} if method == "POST" else None
    client = app.test_client(use_cookies=False)
    return client.open(path, method=method, data=data, headers={"Cookie": cookie}, buffered=True)


def expect(app: Flask, rule: Rule, method: str, person: Person, slug: str) -> str:
    """What should become of the request, by what the view declares."""
    view = app.view_functions[rule.endpoint]
    who = Entry.PUBLIC if rule.endpoint == "static" else entry_of(view)
    permission: Permission | None = getattr(view, "permission", None)
    is_about_one = "slug" in rule.arguments
    cases = [
        ("not this way", method not in (rule.methods or ())),
        ("in or absent", who in {Entry.PUBLIC, Entry.LINK, Entry.LOCAL}),
        ("a declaration", who is None or (is_about_one and permission is None)),
        ("asked to sign in", not person.is_signed_in),
        ("absent", is_about_one and slug not in person.slugs),
        ("forbidden", is_about_one and permission not in PERMISSIONS[person.role or Role.VIEWER]),
        ("asked for a proof", asks_for_proof(view, method) and not person.is_fresh),
        ("in" if is_about_one else "in or absent", True),
    ]
    return next(outcome for outcome, applies in cases if applies)


_BECAME = {401: "asked for a proof", 403: "forbidden", 404: "absent", 410: "absent", 405: "not this way"}
_LEADS = {"/organize/sign-in": "asked to sign in", "/organize/prove": "asked for a proof"}


def tell(answer: TestResponse) -> str:
    """What became of a request."""
    if answer.status_code >= 500:
        return "an error"
    if answer.status_code == 302:
        return _LEADS.get(urlsplit(answer.location).path, "in")
    return _BECAME.get(answer.status_code, "in")


def _leaks(rule: Rule, app: Flask, person: Person, answer: TestResponse) -> bool:
    """Whether an organizers' page names a petition in which they have no role, or tells who is not signed in any."""
    if entry_of(app.view_functions[rule.endpoint]) is not Entry.ORGANIZER:
        return False
    html = answer.get_data(as_text=True)
    ours = person.is_signed_in and SLUG in person.slugs
    theirs = person.is_signed_in and OTHER in person.slugs
    return (OTHER_TITLE in html and not theirs) or (OUR_TITLE in html and not ours)


def requests(app: Flask, path_of: Callable[[Rule, str], str], rules: list[Rule]) -> Iterator[tuple[Any, ...]]:
    """Every combination: rule, method, person, petition, path."""
    for rule in rules:
        slugs = (SLUG, OTHER, DRAFT, MISSING) if "slug" in rule.arguments else (SLUG,)
        is_organizers = str(rule).startswith("/organize")
        people = PEOPLE if is_organizers else [PEOPLE[0], PEOPLE[1]]
        for slug in slugs:
            path = path_of(rule, slug)
            for method in METHODS:
                # What answers no PUT is no matter of who asks; another method of the path is another rule's.
                asking = people if method in (rule.methods or ()) else people[:1] if method == "PUT" else []
                for person in asking:
                    yield rule, method, person, slug, path


def restore_sessions(installation: Installation) -> None:
    """Whatever was pressed: everybody is signed in again."""
    with installation.database.sessions.begin() as session:
        for person in PEOPLE:
            if person.role is not None:
                address = f"{person.name.replace(' ', '-').replace(',', '')}@example.org"
                session.execute(
                    update(Organizer)
                    .where(Organizer.email == address, Organizer.session_key != person.name)
                    .values(session_key=person.name, failed_sign_ins=0, failed_at=None)
                )


def run_matrix(
    app: Flask, installation: Installation, path_of: Callable[[Rule, str], str], rules: list[Rule]
) -> tuple[int, list[str]]:
    """How many requests were sent, and what was not as declared."""
    sent, wrong = 0, []
    for rule, method, person, slug, path in requests(app, path_of, rules):
        answer = ask(app, installation, person, path, method)
        sent += 1
        wanted, became = expect(app, rule, method, person, slug), tell(answer)
        if rule.endpoint == "second_factor.show" and became == "asked to sign in":
            became = "in"  # anybody is sent to the first step
        if became not in wanted.split(" or "):
            wrong.append(f"{method} {path} as {person.name}: {became} ({answer.status_code}), not {wanted}")
        if _leaks(rule, app, person, answer):
            wrong.append(f"{method} {path} as {person.name}: a petition of others is named")
        if method == "POST" and became == "in":
            restore_sessions(installation)
    return sent, wrong
