"""Updates as they are stored, with texts that a mail cannot carry well."""

from campaign.installation.wiring import Installation
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, publish_update
from tests.conftest import SLUG, STAGE, START

# Three updates of this length are more than a mail can carry; one may not be longer.
LONG = "Абзац, у которого нет конца. " * 680


def publish(installation: Installation, *, title: str = "News", **bodies: str) -> None:
    """Three updates in all languages, or corrections of them, with what ``bodies`` say for some languages."""
    titles = dict.fromkeys(("en", "ru", "kk"), title)
    texts = {**dict.fromkeys(("en", "ru", "kk"), "Short."), **bodies}
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        for key in ("one", "two", "three"):
            # Unchecked: what is refused today may have been stored before it was.
            update = UpdateTexts.model_construct(key=key, date=START.date(), title=titles, body=texts)
            publish_update(session, petition, update, actor=STAGE, now=START)
