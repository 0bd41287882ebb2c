"""Permissions: what each role may do with a petition, and who has which role."""

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import Forbidden
from campaign.models import Membership, Organizer, Petition, Role


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
    """The addresses of the organizers who have ``permission`` for the petition."""
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
    """The organizer's role with the petition. Raises Forbidden if it does not allow ``permission``."""
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
