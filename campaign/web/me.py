"""A reader's own page, behind the link in each mail: what they get and why, and their choices."""

from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from campaign.models import Petition, ReaderFrequency, Subscription, SubscriptionState
from campaign.services import subscribing
from campaign.services.history import Event, tell_reading
from campaign.services.preferring import PURPOSE, prefer
from campaign.services.subscribing import get_followed, list_subscriptions
from campaign.web.context import campaign, texts_of, use_language
from campaign.web.me_form import ChoicesForm
from campaign.web.security import Entry, entry

blueprint = Blueprint("me", __name__)


def _page(petition: Petition, subscription: Subscription, events: list[Event], form: ChoicesForm | None) -> str:
    return render_template(
        "me/show.html",
        petition=petition,
        texts=texts_of(petition),
        subscription=subscription,
        events=events,
        zone=ZoneInfo(petition.timezone),
        form=form,
        frequencies=ReaderFrequency,
        unsubscribe_token=campaign().vault.token(subscribing.PURPOSE, subscription.id),
        saved="saved" in request.args and request.method != "POST",
    )


@blueprint.get("/me/<token>")
@entry(Entry.LINK)
def show(token: str) -> str:
    with campaign().database.snapshots() as session:
        subscription = get_followed(session, campaign().vault, token, purpose=PURPOSE)
        petition = session.get_one(Petition, subscription.petition_id)
        use_language(subscription.language)
        form = None
        if subscription.state is SubscriptionState.ACTIVE and subscription.fingerprint is not None:
            followed = list_subscriptions(session, subscription.fingerprint)
            form = ChoicesForm.of(petition, subscription, several=len(followed) > 1)
        return _page(petition, subscription, tell_reading(session, petition, subscription), form)


@blueprint.post("/me/<token>")
@entry(Entry.LINK)
def choose(token: str) -> Response | tuple[str, int]:
    """No cookie and no form token: whoever knows the link may choose, as with the link to unsubscribe."""
    with campaign().database.sessions.begin() as session:
        subscription = get_followed(session, campaign().vault, token, purpose=PURPOSE)
        petition = session.get_one(Petition, subscription.petition_id)
        use_language(subscription.language)
        events = tell_reading(session, petition, subscription)
        if subscription.state is not SubscriptionState.ACTIVE or subscription.fingerprint is None:
            return _page(petition, subscription, events, None), 410
        form = ChoicesForm.posted(petition, several=len(list_subscriptions(session, subscription.fingerprint)) > 1)
        if not form.validate():
            return _page(petition, subscription, events, form), 422
        prefer(session, petition, subscription, form.choices())
    return redirect(url_for("me.show", token=token, saved=1), 303)
