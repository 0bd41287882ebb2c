"""Every address of the site, with something real behind each."""

from flask import Flask, url_for
from sqlalchemy import select
from werkzeug.routing import Rule

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
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


def furnish(installation: Installation) -> None:
    """Make something that can be seen at every address."""
    add_readers(installation, READER)
    sign(installation, SIGNER)
    mails(installation)
    make_digest(installation)
    add_readers(installation, "second@example.org", NO_READER, GONE)
    unsubscribe(installation, NO_READER)
    withdraw(installation, GONE)
    with installation.database.sessions.begin() as session:
        add_picture(session, find_petition(installation).id, PICTURE)
        record(session, COMMAND_LINE, AuditAction.EXPORTED, find_petition(installation).id, now=installation.now())


def _find_withdrawn(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return session.scalars(select(Signature.id).where(Signature.state == SignatureState.WITHDRAWN)).one()


def values_for(installation: Installation, rule: Rule) -> dict[str, object]:
    """Something real for every argument of the route."""
    known: dict[str, object] = {"lang": "ru", "slug": SLUG, "number": 1, "filename": "campaign.css", "passkey_id": 1}
    known |= {"colour": "8f1d2c", "kind": "logo", "digest": PICTURE.digest, "ending": "png"}
    match rule.endpoint.partition(".")[0]:
        case "confirm":
            known["token"] = confirm_path(installation, SIGNER).rpartition("/")[2]
        case "unsubscribe":
            known["token"] = unsubscribe_path(installation, READER).rpartition("/")[2]
        case "petition" if rule.endpoint == "petition.preview":
            known["token"] = installation.vault.token(PREVIEW, find_petition(installation).id)
        case "me":
            known["token"] = me_path(installation, READER).rpartition("/")[2]
        case "me_changes" | "withdrawing":
            if "receipt" in rule.rule:
                known["token"] = installation.vault.token(LinkPurpose.SIGNER, _find_withdrawn(installation))
            else:
                known["token"] = own_path(installation, NO_READER).rpartition("/")[2]
        case "sign_in":
            *_, known["organizer_id"], known["token"] = invite(installation, Role.VIEWER, "new@example.org").split("/")
    if rule.endpoint == "embedding.oembed":  # of no address it tells nothing
        return {"url": installation.public_links.petition("ru", SLUG)}
    assert rule.arguments <= set(known), f"say in this test what {rule} is asked with"
    return {name: known[name] for name in rule.arguments}


def list_addresses(app: Flask, installation: Installation) -> list[tuple[str, str]]:
    """Every address that answers GET, with its endpoint."""
    with app.test_request_context():
        return [
            (rule.endpoint, url_for(rule.endpoint, **values_for(installation, rule)))  # type: ignore[arg-type]
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ())
        ]
