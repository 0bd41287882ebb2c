"""Frames of the kinds of mail that go to many: what is the same for all of them, encoded once."""

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.vault import CODE_LENGTH, TOKEN_LENGTH
from campaign.mail.compose import compose
from campaign.mail.frame import Frame, Gap
from campaign.mail.message import Content, header_fields
from campaign.models import Petition
from campaign.services.delivery.envelope import MailIdentity
from campaign.services.digests.content import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.digests.list_headers import list_headers
from campaign.services.signatures.confirmation_mail import write_confirmation

_CONFIRM_MARK, _CODE_MARK, _OWN_MARK = "@@confirm-url@@", "@@code@@", "@@own-url@@"
_TO, _DATE, _MESSAGE = (Gap(f"@@{name}@@", name) for name in ("to", "date", "message"))


def confirmation_frame(identity: MailIdentity, petition: Petition, language: str) -> Frame:
    """The mail that asks a signer to confirm, with gaps for the signer's link and code."""
    links = identity.links
    content = write_confirmation(
        petition, language, host=links.host, confirm_url=_CONFIRM_MARK, own_url=_OWN_MARK, code=_CODE_MARK
    )
    gaps = [
        Gap(_CONFIRM_MARK, "confirm", TOKEN_LENGTH, links.before_token(LinkPurpose.CONFIRM)),
        Gap(_CODE_MARK, "code", CODE_LENGTH),
        Gap(_OWN_MARK, "own", TOKEN_LENGTH, links.before_token(LinkPurpose.READER)),
    ]
    return _make_frame(identity, petition, language, content, gaps, headers={})


def link_frame(identity: MailIdentity, petition: Petition, language: str) -> Frame:
    """The mail that brings a signer the lost link to their own page, with gaps for it and the code."""
    links = identity.links
    content = compose("link", language, host=links.host, own_url=_OWN_MARK, code=_CODE_MARK)
    gaps = [
        Gap(_OWN_MARK, "own", TOKEN_LENGTH, links.before_token(LinkPurpose.READER)),
        Gap(_CODE_MARK, "code", CODE_LENGTH),
    ]
    return _make_frame(identity, petition, language, content, gaps, headers={})


def digest_frame(identity: MailIdentity, petition: Petition, language: str, content: Content) -> Frame:
    """An edition in one language, with gaps for the reader's links."""
    links = identity.links
    gaps = [
        Gap(UNSUBSCRIBE_MARK, "unsubscribe", TOKEN_LENGTH, links.before_token(LinkPurpose.UNSUBSCRIBE)),
        Gap(PREFERENCES_MARK, "me", TOKEN_LENGTH, links.before_token(LinkPurpose.READER)),
    ]
    return _make_frame(
        identity,
        petition,
        language,
        content,
        gaps,
        headers=list_headers(links, identity.mail_from, petition, language, unsubscribe=UNSUBSCRIBE_MARK),
    )


def _make_frame(
    identity: MailIdentity,
    petition: Petition,
    language: str,
    content: Content,
    gaps: list[Gap],
    *,
    headers: dict[str, str],
) -> Frame:
    head = header_fields(
        sender_name=petition.texts[language]["sender"],
        sender=identity.mail_from,
        recipient=_TO.mark,
        subject=content.subject,
        message_id=_MESSAGE.mark,
        date=_DATE.mark,
        language=language,
        list_headers=headers,
    )
    return Frame(head, content.text, content.html, [_TO, _DATE, _MESSAGE, *gaps])
