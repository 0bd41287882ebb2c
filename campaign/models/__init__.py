"""What is stored: one module for each noun."""

from campaign.models.audit import AuditEntry
from campaign.models.delivery import Delivery, DeliveryKind, DeliveryState
from campaign.models.digest import Audience, Edition, EditionState, EditionText, Schedule
from campaign.models.organizer import Membership, Organizer, Role
from campaign.models.pace import Heartbeat, SendingPace
from campaign.models.petition import DailyCount, Demand, Petition, PetitionCounter, PetitionState, TextVersion
from campaign.models.signature import ConfirmationAllowance, Display, Signature, SignatureState
from campaign.models.subscription import ReaderFrequency, Subscription, SubscriptionState
from campaign.models.suppression import Suppression, SuppressionReason
from campaign.models.update import Update

__all__ = [
    "Audience",
    "AuditEntry",
    "ConfirmationAllowance",
    "DailyCount",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Demand",
    "Display",
    "Edition",
    "EditionState",
    "EditionText",
    "Heartbeat",
    "Membership",
    "Organizer",
    "Petition",
    "PetitionCounter",
    "PetitionState",
    "ReaderFrequency",
    "Role",
    "Schedule",
    "SendingPace",
    "Signature",
    "SignatureState",
    "Subscription",
    "SubscriptionState",
    "Suppression",
    "SuppressionReason",
    "TextVersion",
    "Update",
]
