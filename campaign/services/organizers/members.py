"""Organizers: invite, welcome with a one-time link, take roles and accounts away."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.randomness import random_name
from campaign.crypto.vault import Vault
from campaign.errors import LinkExpired, NotFound, NotPossible
from campaign.models import Membership, Organizer, Petition, Role
from campaign.periods import INVITATION_LASTS
from campaign.services.organizers.sign_in import find_organizer, lock_account
from campaign.text.email_address import parse_email_address


def add_organizer(session: Session, email: str, petition: Petition, role: Role, *, now: datetime) -> Organizer:
    """Give the person at ``email`` a role with the petition, and an invitation. Raises InvalidInput."""
    address = parse_email_address(email).comparable
    organizer = find_organizer(session, address)
    if organizer is None:
        organizer = Organizer(email=address, session_key=random_name())
        session.add(organizer)
    session.flush()
    membership = session.get(Membership, (organizer.id, petition.id))
    if membership is None:
        organizer.memberships.append(Membership(petition_id=petition.id, role=role))
    else:
        membership.role = role
    organizer.active = True
    organizer.invited_until = now + INVITATION_LASTS
    session.flush()
    return organizer


def get_organizer(session: Session, email: str) -> Organizer:
    """The organizer with this address, for a change. Raises NotFound."""
    if (organizer := find_organizer(session, email)) is None:
        raise NotFound(f"Nobody with the address “{email}” is an organizer here.")
    return lock_account(session, organizer.id)


def list_organizers(session: Session) -> list[tuple[Organizer, dict[str, Role]]]:
    """Every organizer by address, with a role for each petition's slug."""
    roles: dict[int, dict[str, Role]] = {}
    joined = select(Membership, Petition.slug).join(Petition, Membership.petition_id == Petition.id)
    for membership, slug in session.execute(joined.order_by(Petition.slug)):
        roles.setdefault(membership.organizer_id, {})[slug] = membership.role
    organizers = session.scalars(select(Organizer).order_by(Organizer.email))
    return [(organizer, roles.get(organizer.id, {})) for organizer in organizers]


def remove_role(session: Session, organizer: Organizer, petition: Petition) -> bool:
    """Take the role with the petition away, and end the sessions. Whether it was the last: then the account is off.

    Raises NotFound if there is no such role.
    """
    membership = session.get(Membership, (organizer.id, petition.id))
    if membership is None:
        raise NotFound(f"{organizer.email} has no role with “{petition.slug}”.")
    organizer.memberships.remove(membership)
    end_sessions(organizer)
    if organizer.memberships:
        return False
    organizer.active = False
    forget_proofs(organizer)
    return True


def forget_proofs(organizer: Organizer) -> None:
    """Erase everything that signs in: the password, the app, passkeys, recovery codes, and all sessions."""
    organizer.password_hash = organizer.sealed_totp = organizer.totp_step = organizer.invited_until = None
    organizer.recovery_codes = []
    organizer.passkeys.clear()
    end_sessions(organizer)


def reset_account(organizer: Organizer, *, now: datetime) -> None:
    """Reset the account to a one-time link, if its owner lost the password or second factor, or was locked out.

    Raises NotPossible if the account is switched off.
    """
    if not organizer.active:
        raise NotPossible(f"{organizer.email} has no role any more; campaign organizer add gives one, and a link.")
    forget_proofs(organizer)
    organizer.failed_sign_ins, organizer.failed_at = 0, None
    organizer.invited_until = now + INVITATION_LASTS


def _purpose(organizer: Organizer) -> str:
    return f"welcome:{organizer.session_key}"


def welcome_token(vault: Vault, organizer: Organizer) -> str:
    """The token in the one-time sign-in link of an invited organizer."""
    return vault.token(_purpose(organizer), organizer.id)


def get_welcomed(session: Session, vault: Vault, organizer_id: int, token: str, *, now: datetime) -> Organizer:
    """The organizer whose one-time link was followed. Raises LinkUnknown, LinkExpired."""
    organizer = session.get(Organizer, organizer_id)
    until = organizer.invited_until if organizer is not None and organizer.active else None
    if organizer is None or until is None or until <= now:
        raise LinkExpired(
            "This sign-in link was used already or is too old. Ask for a new one: campaign organizer reset."
        )
    vault.read_token(_purpose(organizer), token)
    return organizer


def end_sessions(organizer: Organizer) -> None:
    """End all sessions, one-time links and device cookies that were made before."""
    organizer.session_key = random_name()


def set_password(organizer: Organizer, password_hash: str) -> None:
    """Set the password and use the invitation up; all sessions and links that were made before end."""
    organizer.password_hash = password_hash
    end_sessions(organizer)
    organizer.invited_until = None
