"""What an organizer's role lets them do with a petition, asked before every view."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from campaign.errors import Forbidden, NotFound
from campaign.models import Petition
from campaign.services.organizing import Permission, check_permission
from campaign.services.petitions import get_petition
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.security import Entry, entry
from campaign.web.signing_in import signed_in

PetitionView = Callable[..., Any]


def _get_permitted(slug: str, permission: Permission) -> Petition:
    """Raises NotFound where the organizer has no role: nobody learns here which other petitions exist."""
    organizer_id = current_organizer().id
    with campaign().database.snapshots() as session:
        petition = get_petition(session, slug)
        try:
            check_permission(session, organizer_id, petition, Permission.VIEW)
        except Forbidden:
            raise NotFound(f"There is no petition “{slug}” here.") from None
        check_permission(session, organizer_id, petition, permission)
    return petition


def needs(permission: Permission) -> Callable[[PetitionView], PetitionView]:
    """Let a view in for the petition ``slug`` only with ``permission``; it is given the petition instead.

    The permission can be read from the view, so that a test compares every route with every role.
    """

    def declare(view: PetitionView) -> PetitionView:
        @entry(Entry.ORGANIZER)
        @signed_in
        @wraps(view)
        def permitted(slug: str, **values: Any) -> Any:
            return view(_get_permitted(slug, permission), **values)

        cast("Any", permitted).permission = permission
        return cast("PetitionView", permitted)

    return declare
