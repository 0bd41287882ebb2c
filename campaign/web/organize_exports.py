"""A petition's lists: downloaded with a reason, and where the petition asks for it, approved by a second organizer."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms import IntegerField, StringField, TextAreaField, ValidationError
from wtforms.validators import AnyOf, InputRequired, NumberRange

from campaign.errors import Forbidden, InvalidInput, NotFound, NotPossible
from campaign.models import Petition, SignatureState
from campaign.organizer_keys import PublicKeys
from campaign.personal_text import clean_reason
from campaign.services import lists
from campaign.services.auditing import record
from campaign.services.export_requests import (
    approve_export,
    ask_for_export,
    refuse_export,
    take_export,
    wanted_by,
)
from campaign.services.lists import Wanted
from campaign.services.organizing import Permission
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.export_page import download, export_page
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs

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
    wanted, reason, actor, now = form.wanted(petition), str(form.reason.data), _actor(), campaign().now()
    try:
        with campaign().database.sessions.begin() as session:
            to = _check(session, petition, wanted)
            if petition.export_needs_approval:
                ask_for_export(session, petition, wanted, reason=reason, actor=actor, now=now)
            else:
                record(session, actor, "export", petition.id, now=now, **wanted.details, reason=reason)
    except (NotPossible, InvalidInput):
        return export_page(petition, filled_in=form, refused="sealed"), 422
    return _back(petition) if petition.export_needs_approval else download(petition, wanted, to)


def _actor() -> str:
    return current_organizer().email


def _check(session: Session, petition: Petition, wanted: Wanted) -> list[PublicKeys]:
    """To whom the list is encrypted. Raises NotPossible, InvalidInput where it cannot be made now."""
    lists.check_possible(session, petition, wanted)
    return lists.recipients_of(petition) if wanted.format == lists.AGE else []


def _back(petition: Petition) -> BaseResponse:
    return redirect(url_for("organize.exports.show", slug=petition.slug), 303)


def _answer(petition: Petition, step: Callable[..., None]) -> BaseResponse | Page:
    form = AnswerForm()
    form.require_valid()
    number = form.number.data or 0
    try:
        with campaign().database.sessions.begin() as session:
            step(session, petition.id, number, actor=_actor(), now=campaign().now())
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
        with campaign().database.sessions.begin() as session:
            taken = take_export(session, petition.id, form.number.data or 0, actor=_actor(), now=campaign().now())
            # The petition may have been sealed since.
            wanted = wanted_by(taken).of(petition)
            to = _check(session, petition, wanted)
    except Forbidden:
        return export_page(petition, refused="not-yours"), 403
    except InvalidInput:
        return export_page(petition, refused="sealed"), 422
    except (NotPossible, NotFound):
        return export_page(petition, refused="late"), 409
    return download(petition, wanted, to)
