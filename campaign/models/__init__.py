"""What is stored: one module for each noun."""

from campaign.models.audit import AuditEntry
from campaign.models.challenge import SpentChallenge
from campaign.models.delivery import Delivery, DeliveryKind, DeliveryState
from campaign.models.digest import Audience, Edition, EditionState, EditionText, Schedule
from campaign.models.export_request import ExportRequest
from campaign.models.link_request import LinkRequest
from campaign.models.organizer import Membership, Organizer, Passkey, Role
from campaign.models.pace import Heartbeat, SendingPace
from campaign.models.paper import PaperLine, PaperSheet
from campaign.models.petition import (
    CountryCount,
    DailyCount,
    Demand,
    Petition,
    PetitionCounter,
    PetitionPicture,
    PetitionState,
    PictureKind,
    SourceCount,
    TextVersion,
)
from campaign.models.review import Review, ReviewAction, Suspicion, SuspicionKind
from campaign.models.server_lock import ServerLock
from campaign.models.signature import CommentState, ConfirmationAllowance, Display, Signature, SignatureState
from campaign.models.subscription import ReaderFrequency, Subscription, SubscriptionState
from campaign.models.suppression import Suppression, SuppressionReason
from campaign.models.tombstone import Erased, Tombstone
from campaign.models.update import Update

__all__ = [
    "Audience",
    "AuditEntry",
    "CommentState",
    "ConfirmationAllowance",
    "CountryCount",
    "DailyCount",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Demand",
    "Display",
    "Edition",
    "EditionState",
    "EditionText",
    "Erased",
    "ExportRequest",
    "Heartbeat",
    "LinkRequest",
    "Membership",
    "Organizer",
    "PaperLine",
    "PaperSheet",
    "Passkey",
    "Petition",
    "PetitionCounter",
    "PetitionPicture",
    "PetitionState",
    "PictureKind",
    "ReaderFrequency",
    "Review",
    "ReviewAction",
    "Role",
    "Schedule",
    "SendingPace",
    "ServerLock",
    "Signature",
    "SignatureState",
    "SourceCount",
    "SpentChallenge",
    "Subscription",
    "SubscriptionState",
    "Suppression",
    "SuppressionReason",
    "Suspicion",
    "SuspicionKind",
    "TextVersion",
    "Tombstone",
    "Update",
]
