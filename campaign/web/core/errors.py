"""Error pages: one table of statuses, one template, and never a traceback."""

import logging
from collections.abc import Sequence

from flask import Flask, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from campaign.errors import (
    CampaignError,
    Forbidden,
    LinkExpired,
    LinkUnknown,
    NotFound,
    NotOpen,
    NotPossible,
    ProofNeeded,
    ServerLocked,
)
from campaign.models import Petition, PetitionState
from campaign.services.digests.lint_check import LintRefused
from campaign.services.petitions.store import list_petitions
from campaign.web.core.context import installation, reader_language, texts_of

_log = logging.getLogger(__name__)
N_ = str  # marks a sentence for the translators; the page translates it

STATUS: dict[type[CampaignError], int] = {
    NotFound: 404,
    Forbidden: 403,
    NotOpen: 409,
    NotPossible: 422,
    LinkExpired: 410,
    LinkUnknown: 404,
    ProofNeeded: 422,
    LintRefused: 422,
    ServerLocked: 503,
}

TITLES = {
    400: N_("This request could not be read"),
    403: N_("This is not for you to see"),
    404: N_("There is nothing here"),
    405: N_("This cannot be done here"),
    409: N_("This petition is closed"),
    410: N_("This link is no longer valid"),
    413: N_("This is too much at once"),
    422: N_("Something is missing"),
    429: N_("Too many at once"),
    500: N_("Something went wrong on our side"),
    503: N_("The server is busy for a moment"),
}

ADVICE = {
    400: N_("Please go back, reload the page and try again."),
    403: N_("Ask the person who invited you for the right role."),
    404: N_("If you followed a link from a mail, please copy the whole link: some programs break it in two."),
    405: N_("Please go back to the page before."),
    409: N_("It takes no more signatures. Its page still shows its demands and the number of signatures."),
    410: N_(
        "Links to confirm a signature work for three days. The data that you typed has been erased. "
        "If you still want to sign, please fill in the form again."
    ),
    413: N_("Please shorten what you typed."),
    422: N_("Please go back and try again."),
    429: N_("Many people sign from where you are. Please try again in an hour: nothing is wrong with your signature."),
    500: N_("You did nothing wrong. Please try again in a few minutes."),
    503: N_("Please try again in a minute. Nothing is lost."),
}

LOCKED_TITLE = N_("This is paused for now")
LOCKED_ADVICE = N_(
    "The people who run this server have locked it, to protect the people who signed. Nothing is lost. "
    "Please come back later. Until then you can read the petition and the number of signatures."
)
_ASK_AGAIN_AFTER = 3600  # seconds


def _page(status: int, petitions: Sequence[Petition] = ()) -> tuple[str, int]:
    """The page. It offers to send the lost links of ``petitions``."""
    known = status if status in TITLES else 500 if status >= 500 else 400
    _ = reader_language().gettext
    lost = [(petition, texts_of(petition)["title"]) for petition in petitions]
    return render_template("core/error.html", title=_(TITLES[known]), advice=_(ADVICE[known]), lost=lost), status


def _list_public() -> list[Petition]:
    with installation().database.snapshots() as session:
        return [petition for petition in list_petitions(session) if petition.state is not PetitionState.DRAFT]


def install(app: Flask) -> None:
    """Answer every error with a page in the reader's language."""

    @app.errorhandler(CampaignError)
    def _refused(error: CampaignError) -> tuple[str, int]:
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
        if status == 500:
            _log.error("A refusal without a status of its own", exc_info=error)
        return _page(status, _list_public() if isinstance(error, LinkExpired | LinkUnknown) else ())

    @app.errorhandler(ServerLocked)
    def _locked(_error: ServerLocked) -> tuple[str, int, dict[str, str]]:
        _ = reader_language().gettext
        page = render_template("core/error.html", title=_(LOCKED_TITLE), advice=_(LOCKED_ADVICE))
        return page, STATUS[ServerLocked], {"Retry-After": str(_ASK_AGAIN_AFTER)}

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
        if isinstance(request.routing_exception, SecurityError):
            # The request names a host that is not ours, so no page with links can be made.
            return "This server goes by another name.\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
        return _page(error.code or 500)

    @app.errorhandler(OperationalError)
    def _database(error: DBAPIError) -> tuple[str, int]:
        _log.error("The database cannot be used", exc_info=error)
        return _page(503)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> tuple[str, int]:
        _log.error("An unforeseen error ended a request", exc_info=error)
        return _page(500)
