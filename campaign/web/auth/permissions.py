"""What an organizer's role lets them do with a petition, asked before every view."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from flask import request

from campaign.errors import Forbidden, NotFound
from campaign.models import Petition
from campaign.services.organizers.permissions import Permission, check_permission
from campaign.services.petitions.store import get_petition
from campaign.web.auth.reauthenticate import ask_for_proof, declare_fresh
from campaign.web.auth.session import current_organizer, is_fresh, signed_in
from campaign.web.core.context import installation
from campaign.web.core.security import Entry, entry

PetitionView = Callable[..., Any]


def _get_permitted(slug: str, permission: Permission) -> Petition:
    """Raises NotFound if the organizer has no role in the petition: nobody learns here which other petitions exist."""
    organizer_id = current_organizer().id
    with installation().database.snapshots() as session:
        petition = get_petition(session, slug)
        try:
            check_permission(session, organizer_id, petition, Permission.VIEW)
        except Forbidden:
            raise NotFound(f"There is no petition “{slug}” here.") from None
        check_permission(session, organizer_id, petition, permission)
    return petition


def needs(
    permission: Permission, *, fresh: bool = False, proven: bool = True
) -> Callable[[PetitionView], PetitionView]:
    """Open a view only to organizers with ``permission`` for the petition ``slug``; the view gets the petition.

    A POST with a permission other than to view needs a proof of the last ten minutes, so that no view can forget to ask
    for it. ``fresh`` asks for the proof on GET too. With ``proven=False`` a POST needs none, because it takes no data
    away and shows none. All this can be read from the view, so that a test compares every route with every role.
    """
    asks = permission is not Permission.VIEW and proven
    fresh_for = frozenset({"GET", "HEAD", "POST"} if fresh else {"POST"} if asks else ())

    def declare(view: PetitionView) -> PetitionView:
        @entry(Entry.ORGANIZER)
        @signed_in
        @wraps(view)
        def permitted(slug: str, **values: Any) -> Any:
            petition = _get_permitted(slug, permission)
            if request.method in fresh_for and not is_fresh():
                return ask_for_proof()
            return view(petition, **values)

        cast("Any", permitted).permission = permission
        declare_fresh(permitted, fresh_for)
        return cast("PetitionView", permitted)

    return declare
