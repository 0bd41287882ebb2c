"""The unsubscribe link of a digest: a page with a button, and the one click of RFC 8058."""

from collections.abc import Sequence

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from campaign.models import Subscription, SubscriptionState
from campaign.services.petitions.store import get_petition_by_id
from campaign.services.signatures.erase import end_linked_subscriptions
from campaign.services.subscribers.subscriptions import list_linked_subscriptions
from campaign.web.core.context import installation, texts_of, use_language
from campaign.web.core.security import Entry, entry

blueprint = Blueprint("unsubscribe", __name__)


def _page(session: Session, followed: Sequence[Subscription]) -> str:
    petitions = [get_petition_by_id(session, subscription.petition_id) for subscription in followed]
    ended = all(subscription.state is SubscriptionState.ENDED for subscription in followed)
    return render_template(
        "public/unsubscribe/done.html" if ended else "public/unsubscribe/show.html",
        petition=petitions[0],
        titles=[texts_of(petition)["title"] for petition in petitions],
    )


@blueprint.get("/unsubscribe/<token>")
@entry(Entry.LINK)
def show(token: str) -> str:
    with installation().database.snapshots() as session:
        followed = list_linked_subscriptions(session, installation().vault, token)
        use_language(followed[0].language)
        return _page(session, followed)


@blueprint.post("/unsubscribe/<token>")
@entry(Entry.LINK)
def unsubscribe(token: str) -> str:
    """It needs no cookie, token or body, and does not redirect: mail programs send it, maybe twice (RFC 8058 §3.2)."""
    with installation().database.sessions.begin() as session:
        followed = end_linked_subscriptions(session, installation().vault, token, now=installation().now())
        use_language(followed[0].language)
        return _page(session, followed)
