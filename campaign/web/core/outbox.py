"""The outbox: mails that were written as files because there is no mail server yet. Only this machine can read it."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request

from campaign.web.core.context import installation
from campaign.web.core.mail_frame import mail_in_frame
from campaign.web.core.security import Entry, entry

blueprint = Blueprint("outbox", __name__)
_SPOKEN_FOR = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


@blueprint.before_request
def _only_here() -> None:
    # Behind a reverse proxy on this machine, every visitor would look local.
    if any(name in request.headers for name in _SPOKEN_FOR) or not ip_address(request.remote_addr or "::").is_loopback:
        abort(404)


def _read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def _get(number: int) -> Path:
    path = installation().settings.outbox / f"{number:06}.eml"
    if not path.exists():
        abort(404)
    return path


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return part.get_content() if part is not None else ""


@blueprint.get("/outbox")
@entry(Entry.LOCAL)
def index() -> str:
    files = sorted(installation().settings.outbox.glob("[0-9]*.eml"), reverse=True)[:200]
    return render_template("core/outbox/index.html", mails=[(int(path.stem), _read(path)) for path in files])


@blueprint.get("/outbox/<int:number>")
@entry(Entry.LOCAL)
def show(number: int) -> str:
    message = _read(_get(number))
    return render_template("core/outbox/show.html", number=number, message=message, text=_body(message, "plain"))


@blueprint.get("/outbox/<int:number>/html")
@entry(Entry.LOCAL)
def html(number: int) -> Response:
    return mail_in_frame(_body(_read(_get(number)), "html"))


@blueprint.get("/outbox/<int:number>.eml")
@entry(Entry.LOCAL)
def raw(number: int) -> Response:
    return Response(_get(number).read_bytes(), mimetype="message/rfc822")
