"""WebAuthn: the question of a page to a browser's passkeys, and the answer in a form. Each question works once."""

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from flask import g, request, session
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session
from wtforms import HiddenField

from campaign.crypto.randomness import random_name
from campaign.models import Organizer
from campaign.periods import PASSKEY_ANSWERED_WITHIN, seconds
from campaign.services.abuse.challenges import spend
from campaign.services.organizers.passkeys import (
    PasskeyRefused,
    Question,
    add_passkey,
    ask_to_register,
    ask_to_sign_in,
    new_handle,
    use_passkey,
)
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm


class PasskeyForm(OrganizerForm):
    """``passkey`` is the browser's answer to ``challenge``, as JSON; a script fills it in."""

    passkey = HiddenField()
    challenge = HiddenField()
    next = HiddenField()


@dataclass(frozen=True)
class Asked:
    """A question in a page: ``options`` for the script, ``challenge`` for the form."""

    options: str
    challenge: str


def passkeys_work_here() -> bool:
    """Whether the page's host is a name: browsers make no passkey for an IP address."""
    return not _host().replace(".", "").isdigit() and ":" not in _host()


def _host() -> str:
    return urlsplit(request.host_url).hostname or ""


def _signer(purpose: str) -> URLSafeTimedSerializer:
    # Tied to this browser's session, so that no other browser can answer the question.
    generate_csrf()
    return URLSafeTimedSerializer(
        installation().vault.session_secret, salt=f"passkey {purpose} {session['csrf_token']}"
    )


def _question(challenge: str) -> Question:
    origins = {request.host_url.rstrip("/"), installation().settings.organize_url}
    return Question(_host(), [each for each in origins if urlsplit(each).hostname == _host()], challenge.encode())


def ask_for_new(organizer: Organizer) -> Asked | None:
    """The question that makes a new passkey; None if no passkey can be made here."""
    if not passkeys_work_here():
        return None
    g.has_script = True
    handle = new_handle(organizer)
    challenge = _signer(f"new {organizer.id}").dumps([random_name(), handle])
    return Asked(ask_to_register(_question(challenge), organizer, handle), challenge)


def ask_for_passkey(organizer: Organizer | None) -> Asked | None:
    """The question for one of the organizer's passkeys, or for anybody's; None if there can be no answer."""
    if not passkeys_work_here() or (organizer is not None and not organizer.passkeys):
        return None
    g.has_script = True
    challenge = _signer("use").dumps([random_name(), None])
    return Asked(ask_to_sign_in(_question(challenge), organizer), challenge)


def _spend(writing: Session, purpose: str, challenge: str) -> str:
    """Use the challenge up; the handle in it. Raises PasskeyRefused if it is not ours, too old, or already used."""
    try:
        _, handle = _signer(purpose).loads(challenge, max_age=seconds(PASSKEY_ANSWERED_WITHIN))
    except BadSignature:
        raise PasskeyRefused from None
    if not spend(writing, sha256(challenge.encode()).digest(), installation().now() + PASSKEY_ANSWERED_WITHIN):
        raise PasskeyRefused
    return str(handle)


def keep_new(writing: Session, organizer: Organizer, form: PasskeyForm, name: str) -> list[str]:
    """Store the passkey that the browser has made; see ``add_passkey``. Raises PasskeyRefused."""
    challenge = form.challenge.data or ""
    handle = _spend(writing, f"new {organizer.id}", challenge)
    answer, now = form.passkey.data or "", installation().now()
    return add_passkey(writing, _question(challenge), organizer, answer, handle=handle, name=name, now=now)


def accept(writing: Session, form: PasskeyForm, organizer_id: int | None) -> Organizer:
    """The organizer whose passkey answered; see ``use_passkey``. Raises PasskeyRefused."""
    challenge = form.challenge.data or ""
    _spend(writing, "use", challenge)
    answer, now = form.passkey.data or "", installation().now()
    return use_passkey(writing, _question(challenge), answer, organizer_id=organizer_id, now=now)
