"""Everything a person may be told has gone wrong: one class for each, one sentence in each.

The sentence is written for the reader of the page or the terminal. The web door looks the status up by type
(``campaign.web.core.errors``), the command line exits 1 with the sentence (``campaign.cli``).
"""


class CampaignError(Exception):
    """A refusal with a sentence for the person who asked."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InvalidInput(CampaignError):
    """Something typed cannot be accepted. ``field`` names where it was typed, in the words of the form."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class InvalidFile(CampaignError):
    """A file given to a command cannot be used; the sentence names the place in it."""


class InvalidSettings(CampaignError):
    """The environment does not describe a server that can be started; the sentence lists every problem."""


class KeyringError(CampaignError):
    """The keyring is missing, unreadable, open to other users, or not the one the data was sealed with."""


class OrganizerKeyError(CampaignError):
    """An organizer's key is missing, damaged, or not one that what was sealed to organizers opens with."""


class DkimKeyError(CampaignError):
    """A key that signs mails is missing, unreadable, open to other users, or not one that receivers accept."""


class NotFound(CampaignError):
    """What was asked for does not exist here."""


class Forbidden(CampaignError):
    """The organizer who asked has no role that allows it."""


class NotOpen(CampaignError):
    """The petition does not take signatures now."""


class NotPossible(CampaignError):
    """What was asked for does not fit the state that the thing is in: there is nothing to pause, say."""


class LinkExpired(CampaignError):
    """The link in a mail was followed too late, or what it stood for has been erased."""


class LinkUnknown(CampaignError):
    """The link was never made by this server, or only part of it arrived."""


class ProofNeeded(CampaignError):
    """A click alone does not confirm: neither the signer's browser nor the code from the mail came with it."""


class DatabaseError(CampaignError):
    """The database is missing, too old, too new, or out of reach."""


class ServerLocked(CampaignError):
    """The keys are not to be read: whoever runs the server has locked it."""


class AlreadyRunning(CampaignError):
    """Another process of this machine does this work already."""
