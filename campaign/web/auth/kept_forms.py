"""A form that was sent and waits until its sender has proved who they are: signed, in their own page, not here."""

from dataclasses import dataclass

from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from campaign.periods import KEPT_FORM_LASTS, seconds
from campaign.web.core.context import campaign

_LONGEST = 40_000
# Never written into a page: what proves, and what is a secret.
_SECRETS = {"csrf_token", "password", "again", "old", "code", "passkey"}
# What people write; all other fields say what was chosen, in short names for machines. Notes have one per language.
_WRITTEN = ("reason", "name", "country", "comment", "line_code", "note")


@dataclass(frozen=True)
class KeptForm:
    """Where a form was to be sent, for which view, and what was filled in; files are not kept."""

    address: str
    endpoint: str
    fields: list[tuple[str, str]]

    @property
    def texts(self) -> list[str]:
        """What was written, to be read once more."""
        return [value for name, value in self.fields if value and name.partition("-")[0] in _WRITTEN]

    @property
    def page(self) -> str:
        """The petition's page, or the account's, to which the form belongs."""
        return "/".join(self.address.split("/")[:4])


def _signer(organizer_id: int) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(campaign().vault.session_secret, salt=f"form kept for {organizer_id}")


def keep_form(organizer_id: int) -> str:
    """The form of this request, as one hidden field; empty where that would be too long to be sent back."""
    fields = [pair for pair in request.form.items(multi=True) if pair[0] not in _SECRETS]
    kept = str(_signer(organizer_id).dumps([request.path, request.endpoint, fields]))
    return kept if len(kept) <= _LONGEST else ""


def find_kept_form(organizer_id: int, kept: str) -> KeptForm | None:
    """What ``keep_form`` was given, for the same organizer, within an hour."""
    try:
        address, endpoint, fields = _signer(organizer_id).loads(kept, max_age=seconds(KEPT_FORM_LASTS))
    except BadSignature:
        return None
    return KeptForm(address, endpoint, [(name, value) for name, value in fields])
