"""Whether what an organizer typed, or what the browser answered for a passkey, is right; codes are used up by it."""

from campaign.models import Organizer
from campaign.services.organizers.passkeys import PasskeyRefused
from campaign.services.organizers.second_factors import use_app_code, use_recovery_code
from campaign.web.auth.forms import CodeForm, ProofForm
from campaign.web.auth.passwords import password_matches
from campaign.web.auth.users import OrganizerUser
from campaign.web.auth.webauthn import accept
from campaign.web.core.context import campaign


def find_second_factor(organizer_id: int, form: CodeForm) -> str | None:
    """Which second factor the form shows rightly: ``passkey``, ``app`` or ``recovery code``; None for none."""
    if form.passkey.data:
        return "passkey" if _is_passkey(organizer_id, form) else None
    if _is_app_code(organizer_id, form):
        return "app"
    with campaign().database.sessions.begin() as session:
        organizer = session.get_one(Organizer, organizer_id, with_for_update=True)
        return "recovery code" if use_recovery_code(organizer, form.code.data or "") else None


def proves(organizer: Organizer, form: ProofForm) -> bool:
    """Whether somebody who is signed in shows anew who they are: by passkey, app or password, whichever was given.

    Recovery codes are for whoever has lost the others, so they are not taken here.
    """
    if form.passkey.data:
        return _is_passkey(organizer.id, form)
    if form.code.data:
        return _is_app_code(organizer.id, form)
    return password_matches(OrganizerUser.of(organizer), form.password.data or "")


def _is_passkey(organizer_id: int, form: CodeForm) -> bool:
    try:
        with campaign().database.sessions.begin() as session:
            accept(session, form, organizer_id)
    except PasskeyRefused:
        return False
    return True


def _is_app_code(organizer_id: int, form: CodeForm) -> bool:
    with campaign().database.sessions.begin() as session:
        organizer = session.get_one(Organizer, organizer_id, with_for_update=True)
        return use_app_code(organizer, campaign().vault, form.code.data or "", now=campaign().now())
