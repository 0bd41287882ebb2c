"""The URLs of our own pages, for mails and exports."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.vault import Vault
from campaign.models import Organizer
from campaign.services.organizers.members import welcome_token
from campaign.services.subscribers import subscriptions


@dataclass(frozen=True)
class PublicLinks:
    """Links under ``base_url`` that contain no personal data and need no key."""

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
        """The page on which a person who signed on paper can see the entry."""
        return f"{self.petition(language, slug)}/paper"

    def edition(self, language: str, slug: str, number: int) -> str:
        return f"{self.base_url}/{language}/p/{slug}/digest/{number}"


@dataclass(frozen=True)
class Links(PublicLinks):
    """Public and personal links. Personal links are not stored but made each time; organizers' links are under
    ``organize_url``."""

    organize_url: str
    vault: Vault

    def before_token(self, purpose: str) -> str:
        """The part of a personal link before its token; the path has the name of the purpose."""
        return f"{self.base_url}/{purpose}/"

    def _personal(self, purpose: str, row_id: int) -> str:
        return self.before_token(purpose) + self.vault.token(purpose, row_id)

    def confirm(self, signature_id: int) -> str:
        return self._personal(LinkPurpose.CONFIRM, signature_id)

    def welcome(self, organizer: Organizer) -> str:
        return f"{self.organize_url}/organize/welcome/{organizer.id}/{welcome_token(self.vault, organizer)}"

    def unsubscribe(self, *subscription_ids: int) -> str:
        """The link that ends all these subscriptions with one click, for a mail about one or several petitions."""
        tokens = (self.vault.token(LinkPurpose.UNSUBSCRIBE, row_id) for row_id in subscription_ids)
        return self.before_token(LinkPurpose.UNSUBSCRIBE) + subscriptions.SEPARATOR.join(tokens)

    def me(self, subscription_id: int) -> str:
        return self._personal(LinkPurpose.READER, subscription_id)

    def own_page(self, signature_id: int) -> str:
        """The signer's own page. The link in a digest, which belongs to the subscription, leads to it too."""
        return self.before_token(LinkPurpose.READER) + self.vault.token(LinkPurpose.SIGNER, signature_id)
