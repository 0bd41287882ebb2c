"""The content of the mail that asks a signer to confirm: neutral, or with the petition's name and a button."""

from campaign.crypto.link_purposes import LinkPurpose
from campaign.mail.compose import compose
from campaign.mail.message import Content
from campaign.models import Petition
from campaign.services.links import Links

_NOWHERE = "…"


def write_confirmation(
    petition: Petition, language: str, *, host: str, confirm_url: str, own_url: str, code: str
) -> Content:
    """The mail in ``language``. No text that the signer typed is in it, so that nobody can send words to a stranger.

    A neutral mail names no petition: who looks over a shoulder, or into the mailbox, does not learn what was signed.
    """
    texts = petition.texts[language]
    return compose(
        "confirmation",
        language,
        subject=texts["confirmation_subject"],
        petition_title=texts["title"] if petition.confirmation_names_petition else None,
        host=host,
        confirm_url=confirm_url,
        code=code,
        own_url=own_url,
    )


def preview_confirmation(petition: Petition, links: Links) -> dict[str, Content]:
    """Language → the mail as signers get it. Its links lead nowhere."""
    return {
        language: write_confirmation(
            petition,
            language,
            host=links.host,
            confirm_url=links.before_token(LinkPurpose.CONFIRM) + _NOWHERE,
            own_url=links.before_token(LinkPurpose.READER) + _NOWHERE,
            code="A1B2C3",
        )
        for language in petition.languages
    }
