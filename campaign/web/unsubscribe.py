"""The unsubscribe link of a digest: a page with a button, and the one click of RFC 8058."""

from flask import Blueprint, render_template

from campaign.models import Petition, SubscriptionState
from campaign.services.subscribing import end_subscription, get_followed
from campaign.web.context import campaign, texts_of, use_language
from campaign.web.security import Entry, entry

blueprint = Blueprint("unsubscribe", __name__)


@blueprint.get("/unsubscribe/<token>")
@entry(Entry.LINK)
def show(token: str) -> str:
    with campaign().database.snapshots() as session:
        subscription = get_followed(session, campaign().vault, token)
        petition = session.get_one(Petition, subscription.petition_id)
        use_language(subscription.language)
        ended = subscription.state is SubscriptionState.ENDED
        return render_template(
            "unsubscribe/done.html" if ended else "unsubscribe/show.html", petition=petition, texts=texts_of(petition)
        )


@blueprint.post("/unsubscribe/<token>")
@entry(Entry.LINK)
def unsubscribe(token: str) -> str:
    """No cookie, no form token, no redirect, whatever the body: mail programs send it, maybe twice (RFC 8058 §3.2)."""
    with campaign().database.sessions.begin() as session:
        subscription = get_followed(session, campaign().vault, token, for_update=True)
        petition = session.get_one(Petition, subscription.petition_id)
        use_language(subscription.language)
        end_subscription(subscription)
        return render_template("unsubscribe/done.html", petition=petition, texts=texts_of(petition))
