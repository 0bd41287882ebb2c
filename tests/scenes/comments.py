"""Comments that signers want to be shown, and what organizers decide about them."""

from sqlalchemy import update

from campaign.installation.wiring import Installation
from campaign.models import CommentState, Signature
from campaign.services.moderation.comments import decide_comments, version_of
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.people import confirm, get_signature, sign


def offer(installation: Installation, email: str, **said: object) -> None:
    """Somebody signs, confirms, and wants the comment to be shown."""
    sign(installation, email, **said)  # type: ignore[arg-type]
    confirm(installation, email)
    with installation.database.sessions.begin() as session:
        row = get_signature(installation, email).id
        session.execute(update(Signature).where(Signature.id == row).values(comment_state=CommentState.OFFERED))


def decide(installation: Installation, state: CommentState, *emails: str) -> int:
    """Read these comments, and decide about them."""
    found = [get_signature(installation, email) for email in emails]
    seen = {signature.number or 0: version_of(signature) for signature in found}
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        return decide_comments(session, petition.id, seen, state, actor="dana@example.org", now=installation.now())
