"""The tables: one module for each subject. Each class says what one row is, and who may read it.

Organizers read rows by their role (``services.organizers.members.PERMISSIONS``). The operator of the server can read
every row, but not what is sealed without the keyring, which is never in the database.
"""

from campaign.models.delivery import Delivery, DeliveryKind, DeliveryState, Heartbeat, SendingPace
from campaign.models.edition import Audience, Edition, EditionState, EditionText, Schedule
from campaign.models.moderation import Review, ReviewAction, SpentChallenge, Suspicion, SuspicionKind
from campaign.models.organizer import Membership, Organizer, Passkey, Role
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
    Update,
)
from campaign.models.records import AuditAction, AuditDetails, AuditEntry, Erased, ExportRequest, ServerLock, Tombstone
from campaign.models.signature import (
    CommentState,
    ConfirmationAllowance,
    Display,
    LinkRequest,
    PaperLine,
    PaperSheet,
    Signature,
    SignatureState,
)
from campaign.models.subscription import (
    ReaderFrequency,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)

__all__ = [
    "Audience",
    "AuditAction",
    "AuditDetails",
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
