"""A reader's choices, made on the page behind the link in each mail: how often, in which language, one mail for all."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from campaign.errors import InvalidInput
from campaign.models import Petition, ReaderFrequency, Subscription
from campaign.services.subscribing import list_subscriptions

PURPOSE = "me"
N_ = str  # marks a sentence for the translators; the page translates it


@dataclass(frozen=True)
class Choices:
    """What a reader wants. ``merged`` holds for all petitions that they follow here; None leaves it as it is."""

    language: str
    frequency: ReaderFrequency
    paused: bool
    merged: bool | None = None


def prefer(session: Session, petition: Petition, subscription: Subscription, choices: Choices) -> None:
    """Keep a reader's choices. Mails that wait already are looked at by them too, when they are sent.

    Raises InvalidInput for a language that the petition is not in.
    """
    if choices.language not in petition.languages:
        raise InvalidInput("language", N_("Please choose one of the languages."))
    subscription.language = choices.language
    subscription.frequency = choices.frequency
    subscription.paused = choices.paused
    if choices.merged is not None and subscription.fingerprint is not None:
        for followed in list_subscriptions(session, subscription.fingerprint):
            followed.merged = choices.merged
