"""What is stored: one module for each noun."""

from campaign.models.audit import AuditEntry
from campaign.models.delivery import Delivery, DeliveryKind, DeliveryState
from campaign.models.digest import Edition, EditionState, EditionText, Schedule
from campaign.models.organizer import Membership, Organizer, Role
from campaign.models.petition import DailyCount, Demand, Petition, PetitionCounter, PetitionState, TextVersion
from campaign.models.signature import ConfirmationAllowance, Display, Signature, SignatureState
from campaign.models.subscription import Subscription, SubscriptionState
from campaign.models.suppression import Suppression, SuppressionReason
from campaign.models.update import Update

__all__ = [
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
    "Membership",
    "Organizer",
    "Petition",
    "PetitionCounter",
    "PetitionState",
    "Role",
    "Schedule",
    "Signature",
    "SignatureState",
    "Subscription",
    "SubscriptionState",
    "Suppression",
    "SuppressionReason",
    "TextVersion",
    "Update",
]
