"""The errors that are shown to a person: one class for each kind, one sentence in each error.

The sentence is written for the reader of the page or of the terminal. The web finds the HTTP status by the class
(``campaign.web.core.errors``); the command line prints the sentence and exits with status 1 (``campaign.cli``).
"""


class CampaignError(Exception):
    """A refusal, with a sentence for the person who made the request."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InvalidInput(CampaignError):
    """An input cannot be accepted. ``field`` is the name of the form's field with this input."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class InvalidFile(CampaignError):
    """A file given to a command cannot be used. If the problem is at one place in the file, the sentence names it."""


class InvalidSettings(CampaignError):
    """The settings do not describe a server that can be started. The sentence lists every problem."""


class KeyringError(CampaignError):
    """The keyring is missing, unreadable, open to other users, or not the one that the data was sealed with."""


class OrganizerKeyError(CampaignError):
    """An organizer's key is missing or damaged, or it does not open the data that was sealed to organizers."""


class DkimKeyError(CampaignError):
    """A key that signs mails is missing, unreadable, open to other users, or of a kind that receivers do not accept."""


class NotFound(CampaignError):
    """The requested thing does not exist on this server."""


class Forbidden(CampaignError):
    """The organizer has no role that allows the action."""


class NotOpen(CampaignError):
    """The petition accepts no signatures now."""


class NotPossible(CampaignError):
    """The action is not possible in the present state; for example, there is nothing to pause."""


class LinkExpired(CampaignError):
    """The link in a mail was used too late, or the data for which it was made has been erased."""


class LinkUnknown(CampaignError):
    """The link was not made by this server, or a part of it is missing."""


class ProofNeeded(CampaignError):
    """A click on a link is not enough to confirm: it came neither from the signer's browser nor with the mail's
    code."""


class DatabaseError(CampaignError):
    """The database is missing, too old, too new, or cannot be reached."""


class ServerLocked(CampaignError):
    """The keys must not be read, because the operator has locked the server."""


class AlreadyRunning(CampaignError):
    """Another process does this work already, or work that excludes it."""
