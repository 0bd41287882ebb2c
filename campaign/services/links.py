"""The addresses of our own pages, as mails and exports name them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.vault import Vault
from campaign.models import Organizer
from campaign.services.organizers.members import welcome_token
from campaign.services.subscribers import subscriptions


@dataclass(frozen=True)
class PublicLinks:
    """Links under ``base_url`` that say nothing of anybody, and need no key."""

    base_url: str

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or "localhost"

    def petition(self, language: str, slug: str) -> str:
        return f"{self.base_url}/{language}/p/{slug}"

    def updates(self, language: str, slug: str) -> str:
        return f"{self.base_url}/{language}/p/{slug}/updates"

    def feed(self, language: str, slug: str) -> str:
        return f"{self.base_url}/{language}/p/{slug}/feed.xml"

    def paper(self, language: str, slug: str) -> str:
        """Where whoever signed on paper looks at the entry."""
        return f"{self.petition(language, slug)}/paper"

    def edition(self, language: str, slug: str, number: int) -> str:
        return f"{self.base_url}/{language}/p/{slug}/digest/{number}"


@dataclass(frozen=True)
class Links(PublicLinks):
    """Those about a person too, made anew each time; the organizers' are under ``organize_url``."""

    organize_url: str
    vault: Vault

    def before_token(self, purpose: str) -> str:
        """What stands before the token in a personal link; its path is called like its purpose."""
        return f"{self.base_url}/{purpose}/"

    def _personal(self, purpose: str, row_id: int) -> str:
        return self.before_token(purpose) + self.vault.token(purpose, row_id)

    def confirm(self, signature_id: int) -> str:
        return self._personal(LinkPurpose.CONFIRM, signature_id)

    def welcome(self, organizer: Organizer) -> str:
        return f"{self.organize_url}/organize/welcome/{organizer.id}/{welcome_token(self.vault, organizer)}"

    def unsubscribe(self, *subscription_ids: int) -> str:
        """Ends all of them with one click: a mail that tells of several petitions has one such link too."""
        tokens = (self.vault.token(LinkPurpose.UNSUBSCRIBE, row_id) for row_id in subscription_ids)
        return self.before_token(LinkPurpose.UNSUBSCRIBE) + subscriptions.SEPARATOR.join(tokens)

    def me(self, subscription_id: int) -> str:
        return self._personal(LinkPurpose.READER, subscription_id)

    def own_page(self, signature_id: int) -> str:
        """The signer's own page. The link of a digest, which stands for the subscription, leads there too."""
        return self.before_token(LinkPurpose.READER) + self.vault.token(LinkPurpose.SIGNER, signature_id)
