"""Organizers: invite, welcome with a one-time link, and what each role may do."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.randomness import random_name
from campaign.crypto.vault import Vault
from campaign.errors import Forbidden, LinkExpired, NotFound, NotPossible
from campaign.models import Membership, Organizer, Petition, Role
from campaign.periods import INVITATION_LASTS
from campaign.text.email_address import comparable_spelling, parse_email_address


class Permission(StrEnum):
    """Something a person does with one petition."""

    VIEW = "view the numbers"
    EXPORT = "export lists"
    SEND = "send the digest"
    REVIEW = "review signatures"
    STATE = "change its state"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.EDITOR: frozenset({Permission.VIEW, Permission.SEND}),
    Role.EXPORTER: frozenset({Permission.VIEW, Permission.EXPORT}),
    Role.VIEWER: frozenset({Permission.VIEW}),
}


def find_organizer(session: Session, email: str) -> Organizer | None:
    """The organizer who signs in with this address, however it is spelled. Text that is no address is nobody's."""
    address = comparable_spelling(email)
    # The database does not compare them: a server may log the values of a statement, and an address typed by someone
    # who is no organizer must not be stored. There are few organizers.
    return next((each for each in session.scalars(select(Organizer)) if each.email == address), None)


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
    return session.get_one(Organizer, organizer.id, with_for_update=True)


def list_organizers(session: Session) -> list[tuple[Organizer, dict[str, Role]]]:
    """Every organizer by address, with a role for each petition's slug."""
    roles: dict[int, dict[str, Role]] = {}
    joined = select(Membership, Petition.slug).join(Petition, Membership.petition_id == Petition.id)
    for membership, slug in session.execute(joined.order_by(Petition.slug)):
        roles.setdefault(membership.organizer_id, {})[slug] = membership.role
    organizers = session.scalars(select(Organizer).order_by(Organizer.email))
    return [(organizer, roles.get(organizer.id, {})) for organizer in organizers]


def remove_role(session: Session, organizer: Organizer, petition: Petition) -> bool:
    """Take the role with the petition away; sessions end. Whether it was the last: then the account is switched off.

    Raises NotFound where there is none.
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
    """Nothing that was known or held signs in any more: no password, app, passkey or recovery code, no session."""
    organizer.password_hash = organizer.sealed_totp = organizer.totp_step = organizer.invited_until = None
    organizer.recovery_codes = []
    organizer.passkeys.clear()
    end_sessions(organizer)


def reset_account(organizer: Organizer, *, now: datetime) -> None:
    """Begin anew with a one-time link: for whoever has lost the password or the second factor, or was locked out.

    Raises NotPossible where the account is switched off.
    """
    if not organizer.active:
        raise NotPossible(f"{organizer.email} has no role any more; campaign organizer add gives one, and a link.")
    forget_proofs(organizer)
    organizer.failed_sign_ins, organizer.failed_at = 0, None
    organizer.invited_until = now + INVITATION_LASTS


def _purpose(organizer: Organizer) -> str:
    return f"welcome:{organizer.session_key}"


def welcome_token(vault: Vault, organizer: Organizer) -> str:
    """What the one-time sign-in link of an invited organizer carries."""
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
    """Every session, every link and every mark of a known browser made before ends."""
    organizer.session_key = random_name()


def set_password(organizer: Organizer, password_hash: str) -> None:
    """Use the invitation up; every session and every link made before ends."""
    organizer.password_hash = password_hash
    end_sessions(organizer)
    organizer.invited_until = None


def list_petitions_of(session: Session, organizer_id: int) -> list[tuple[Petition, Role]]:
    """The petitions in which the organizer has a role, by slug."""
    rows = session.execute(
        select(Petition, Membership.role)
        .join(Membership, Membership.petition_id == Petition.id)
        .where(Membership.organizer_id == organizer_id)
        .order_by(Petition.slug)
    )
    return [(petition, role) for petition, role in rows]


def list_permitted(session: Session, petition_id: int, permission: Permission) -> list[str]:
    """The addresses of the organizers who may do it with the petition."""
    roles = [role for role in Role if permission in PERMISSIONS[role]]
    return list(
        session.scalars(
            select(Organizer.email)
            .join(Membership, Membership.organizer_id == Organizer.id)
            .where(Membership.petition_id == petition_id, Membership.role.in_(roles), Organizer.active)
            .order_by(Organizer.email)
        )
    )


def check_permission(session: Session, organizer_id: int, petition: Petition, permission: Permission) -> Role:
    """The organizer's role with the petition. Raises Forbidden where it does not allow ``permission``."""
    membership = session.get(Membership, (organizer_id, petition.id))
    organizer = session.get(Organizer, organizer_id)
    if (
        organizer is None
        or not organizer.active
        or membership is None
        or permission not in PERMISSIONS[membership.role]
    ):
        raise Forbidden(f"Your role with this petition does not let you {permission}.")
    return membership.role
