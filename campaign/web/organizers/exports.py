"""A petition's lists: downloaded with a reason, and where the petition asks for it, approved by a second organizer."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms import IntegerField, StringField, TextAreaField, ValidationError
from wtforms.validators import AnyOf, InputRequired, NumberRange

from campaign.errors import Forbidden, InvalidInput, NotFound, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import ExportRequest, Petition, SignatureState
from campaign.services.exports import lists
from campaign.services.exports.approvals import approve_export, ends_at, list_open_requests, refuse_export
from campaign.services.exports.export import Export, list_pieces, request_list, take_list, write_list
from campaign.services.exports.lists import Wanted
from campaign.services.organizers.permissions import Permission, list_permitted
from campaign.services.petitions.lifecycle import today_in
from campaign.text.personal_text import clean_reason
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.local_time import local_time

blueprint = Blueprint("exports", __name__, url_prefix="/p/<slug>/export")
Page = tuple[str, int]


class ExportForm(OrganizerForm):
    choice = StringField(name="list", validators=[AnyOf(lists.LISTS)])
    format = StringField(validators=[AnyOf(lists.FORMATS)])
    state = StringField(default=SignatureState.CONFIRMED.value, validators=[AnyOf([*SignatureState])])
    reason = TextAreaField()

    def validate_reason(self, field: TextAreaField) -> None:
        try:
            field.data = clean_reason(field.data or "")
        except InvalidInput as error:
            raise ValidationError(error.sentence) from None

    def is_ours(self, petition: Petition) -> bool:
        """Whether our page sends such a form: all that is wrong with it, if anything, is what was typed."""
        return set(self.errors) <= {"reason"} and (self.format.data != lists.AGE or bool(petition.sealed_to))

    def wanted(self, petition: Petition) -> Wanted:
        return lists.want(petition, str(self.choice.data), str(self.format.data), SignatureState(str(self.state.data)))


class AnswerForm(OrganizerForm):
    number = IntegerField(validators=[InputRequired(), NumberRange(1, 2**31 - 1)])


@blueprint.get("")
@needs(Permission.EXPORT)
def show(petition: Petition) -> str:
    return export_page(petition)


@blueprint.post("")
@needs(Permission.EXPORT)
def export(petition: Petition) -> BaseResponse | Page:
    form = ExportForm()
    valid = form.validate()
    if not form.is_ours(petition):
        abort(400)
    if not valid:
        return export_page(petition, filled_in=form), 422
    wanted, reason, actor, now = form.wanted(petition), str(form.reason.data), _actor(), installation().now()
    try:
        with installation().database.sessions.begin() as session:
            made = request_list(session, petition, wanted, reason=reason, actor=actor, now=now)
    except (NotPossible, InvalidInput):
        return export_page(petition, filled_in=form, refused="sealed"), 422
    return _back(petition) if made is None else download(petition, made)


def _actor() -> str:
    return current_organizer().email


def _back(petition: Petition) -> BaseResponse:
    return redirect(url_for("organize.exports.show", slug=petition.slug), 303)


def _answer(petition: Petition, step: Callable[..., None]) -> BaseResponse | Page:
    form = AnswerForm()
    form.require_valid()
    number = form.number.data or 0
    try:
        with installation().database.sessions.begin() as session:
            step(session, petition.id, number, actor=_actor(), now=installation().now())
    except Forbidden:
        return export_page(petition, refused="own"), 403
    except (NotPossible, NotFound):
        return export_page(petition, refused="late"), 409
    return _back(petition)


@blueprint.post("/approve")
@needs(Permission.EXPORT)
def approve(petition: Petition) -> BaseResponse | Page:
    return _answer(petition, approve_export)


@blueprint.post("/refuse")
@needs(Permission.EXPORT)
def refuse(petition: Petition) -> BaseResponse | Page:
    return _answer(petition, refuse_export)


@blueprint.post("/take")
@needs(Permission.EXPORT)
def take(petition: Petition) -> Response | Page:
    form = AnswerForm()
    form.require_valid()
    try:
        with installation().database.sessions.begin() as session:
            made = take_list(session, petition, form.number.data or 0, actor=_actor(), now=installation().now())
    except Forbidden:
        return export_page(petition, refused="not-yours"), 403
    except InvalidInput:
        return export_page(petition, refused="sealed"), 422
    except (NotPossible, NotFound):
        return export_page(petition, refused="late"), 409
    return download(petition, made)


_CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "age": "application/octet-stream"}
_AT_ONCE = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A request, until when it stands, and whether the organizer who looks at it has made it."""

    request: ExportRequest
    until: datetime
    own: bool


def _list_asked(session: Session, petition: Petition) -> list[Asked]:
    me = current_organizer().email
    found = list_open_requests(session, petition.id, now=installation().now())
    return [Asked(request, ends_at(request), request.made_by == me) for request in found]


def export_page(petition: Petition, *, filled_in: OrganizerForm | None = None, refused: str = "") -> str:
    """The page. ``refused`` says which step was not taken: “sealed”, “own”, “not-yours” or “late”."""
    with installation().database.snapshots() as session:
        others = [one for one in list_permitted(session, petition.id, Permission.EXPORT) if not _is_me(one)]
        return render_template(
            "organizers/export.html",
            petition=petition,
            asked=_list_asked(session, petition),
            others=others,
            formats=lists.formats_of(petition),
            local=local_time(petition),
            form=filled_in,
            refused=refused,
        )


def _is_me(email: str) -> bool:
    return bool(email == current_organizer().email)


def download(petition: Petition, export: Export) -> Response:
    """The list as a file to be downloaded; encrypted if the export has recipients."""
    pieces = (_encrypted if export.recipients else _clear)(installation(), petition, export)
    answer = Response(pieces, content_type=_CONTENT_TYPES[export.wanted.format])
    today = today_in(petition, installation().now())
    name = f"{petition.slug}-{export.wanted.chosen}-{today.isoformat()}.{export.wanted.format}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _clear(installation: Installation, petition: Petition, export: Export) -> Iterator[bytes]:
    """The list piece by piece; all of it from one moment, however long the download takes."""
    with installation.database.snapshots() as session:
        yield from list_pieces(session, installation.vault, petition, export)


def _encrypted(installation: Installation, petition: Petition, export: Export) -> Iterator[bytes]:
    """The age file, complete before its first byte is sent; what is on the disk is encrypted."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the generator below closes it
    with installation.database.snapshots() as session:
        write_list(session, installation.vault, petition, export, file)
    file.seek(0)
    return _pieces_of(file)


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_AT_ONCE):
            yield piece
