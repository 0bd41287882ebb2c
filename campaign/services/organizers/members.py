"""Organizers: invite, welcome with a one-time link, take roles and accounts away."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.randomness import random_name
from campaign.crypto.vault import Vault
from campaign.errors import LinkExpired, NotFound, NotPossible
from campaign.models import AuditAction, Membership, Organizer, Petition, Role
from campaign.periods import INVITATION_LASTS
from campaign.services.audit_log import record
from campaign.services.organizers.permissions import Permission, list_permitted
from campaign.services.organizers.sign_in import find_organizer, lock_account
from campaign.text.email_address import parse_email_address


def add_organizer(
    session: Session, email: str, petition: Petition, role: Role, *, actor: str, now: datetime
) -> Organizer:
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
    record(session, actor, AuditAction.ORGANIZER_ADDED, petition.id, now=now, role=role.value)
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


@dataclass(frozen=True)
class Removed:
    """What a removed role leaves: whether the account is switched off, and whether the petition still has an owner."""

    was_last_role: bool
    has_owner: bool


def remove_role(session: Session, organizer: Organizer, petition: Petition, *, actor: str, now: datetime) -> Removed:
    """Take the role with the petition away, and end the sessions. With the last role the account is switched off.

    It is recorded for the petition and for the account. Raises NotFound if there is no such role.
    """
    membership = session.get(Membership, (organizer.id, petition.id))
    if membership is None:
        raise NotFound(f"{organizer.email} has no role with “{petition.slug}”.")
    organizer.memberships.remove(membership)
    end_sessions(organizer)
    if not organizer.memberships:
        organizer.active = False
        forget_proofs(organizer)
    record(session, actor, AuditAction.ORGANIZER_REMOVED, petition.id, now=now, organizer=organizer.email)
    record(session, actor, AuditAction.ORGANIZER_REMOVED, None, organizer_id=organizer.id, now=now)
    session.flush()
    return Removed(
        was_last_role=not organizer.memberships,
        has_owner=bool(list_permitted(session, petition.id, Permission.REVIEW)),
    )


def sign_out(session: Session, organizer: Organizer, *, actor: str, now: datetime) -> None:
    """End every session of another organizer, and every link that was not used yet."""
    end_sessions(organizer)
    record(session, actor, AuditAction.ORGANIZER_SIGNED_OUT, None, organizer_id=organizer.id, now=now)


def forget_proofs(organizer: Organizer) -> None:
    """Erase everything that signs in: the password, the app, passkeys, recovery codes, and all sessions."""
    organizer.password_hash = organizer.sealed_totp = organizer.totp_step = organizer.invited_until = None
    organizer.recovery_codes = []
    organizer.passkeys.clear()
    end_sessions(organizer)


def reset_account(session: Session, organizer: Organizer, *, actor: str, now: datetime) -> None:
    """Reset the account to a one-time link, if its owner lost the password or second factor, or was locked out.

    It is recorded for the account, and for each of its petitions, so that the other organizers see it. Raises
    NotPossible if the account is switched off.
    """
    if not organizer.active:
        raise NotPossible(f"{organizer.email} has no role any more; campaign organizer add gives one, and a link.")
    forget_proofs(organizer)
    organizer.failed_sign_ins, organizer.failed_at = 0, None
    organizer.invited_until = now + INVITATION_LASTS
    record(session, actor, AuditAction.ORGANIZER_RESET, None, organizer_id=organizer.id, now=now)
    for membership in organizer.memberships:
        petition_id = membership.petition_id
        record(session, actor, AuditAction.ORGANIZER_RESET, petition_id, now=now, organizer=organizer.email)


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
