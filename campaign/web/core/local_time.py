"""Times on the organizers' pages: in the petition's timezone and the reader's language."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from campaign.models import Petition
from campaign.web.core.context import reader_language


def local_time(petition: Petition) -> Callable[[datetime], str]:
    """A function that writes a moment in the petition's timezone."""

    def local(moment: datetime) -> str:
        there = moment.astimezone(ZoneInfo(petition.timezone))
        return f"{reader_language().date(there.date())}, {there:%H:%M}"

    return local
