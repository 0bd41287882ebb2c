"""Every address of the site, with something real behind each."""

from flask import Flask, url_for
from sqlalchemy import select
from werkzeug.routing import Rule

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Campaign
from campaign.media.pictures import read_picture
from campaign.models import AuditAction, Role, Signature, SignatureState
from campaign.services.audit_log import COMMAND_LINE, record
from campaign.web.public.petition_page import PREVIEW
from tests.conftest import SLUG
from tests.scenes.organizing import invite
from tests.scenes.people import add_readers, find_petition, make_digest, sign, unsubscribe, withdraw
from tests.scenes.pictures import add_picture, png
from tests.scenes.visiting import confirm_path, mails, me_path, own_path, unsubscribe_path

PICTURE = read_picture(png(3, 2))
SIGNER, READER = "signer@example.org", "reader@example.org"
NO_READER, GONE = "no-reader@example.org", "gone@example.org"


def furnish(campaign: Campaign) -> None:
    """Make something that can be seen at every address."""
    add_readers(campaign, READER)
    sign(campaign, SIGNER)
    mails(campaign)
    make_digest(campaign)
    add_readers(campaign, "second@example.org", NO_READER, GONE)
    unsubscribe(campaign, NO_READER)
    withdraw(campaign, GONE)
    with campaign.database.sessions.begin() as session:
        add_picture(session, find_petition(campaign).id, PICTURE)
        record(session, COMMAND_LINE, AuditAction.EXPORTED, find_petition(campaign).id, now=campaign.now())


def _find_withdrawn(campaign: Campaign) -> int:
    with campaign.database.snapshots() as session:
        return session.scalars(select(Signature.id).where(Signature.state == SignatureState.WITHDRAWN)).one()


def values_for(campaign: Campaign, rule: Rule) -> dict[str, object]:
    """Something real for every argument of the route."""
    known: dict[str, object] = {"lang": "ru", "slug": SLUG, "number": 1, "filename": "campaign.css", "passkey_id": 1}
    known |= {"colour": "8f1d2c", "kind": "logo", "digest": PICTURE.digest, "ending": "png"}
    match rule.endpoint.partition(".")[0]:
        case "confirm":
            known["token"] = confirm_path(campaign, SIGNER).rpartition("/")[2]
        case "unsubscribe":
            known["token"] = unsubscribe_path(campaign, READER).rpartition("/")[2]
        case "petition" if rule.endpoint == "petition.preview":
            known["token"] = campaign.vault.token(PREVIEW, find_petition(campaign).id)
        case "me":
            known["token"] = me_path(campaign, READER).rpartition("/")[2]
        case "me_changes" | "withdrawing":
            if "receipt" in rule.rule:
                known["token"] = campaign.vault.token(LinkPurpose.SIGNER, _find_withdrawn(campaign))
            else:
                known["token"] = own_path(campaign, NO_READER).rpartition("/")[2]
        case "sign_in":
            *_, known["organizer_id"], known["token"] = invite(campaign, Role.VIEWER, "new@example.org").split("/")
    if rule.endpoint == "embedding.oembed":  # of no address it tells nothing
        return {"url": campaign.public_links.petition("ru", SLUG)}
    assert rule.arguments <= set(known), f"say in this test what {rule} is asked with"
    return {name: known[name] for name in rule.arguments}


def list_addresses(app: Flask, campaign: Campaign) -> list[tuple[str, str]]:
    """Every address that answers GET, with its endpoint."""
    with app.test_request_context():
        return [
            (rule.endpoint, url_for(rule.endpoint, **values_for(campaign, rule)))  # type: ignore[arg-type]
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ())
        ]
