"""Signatures on paper, for organizers: print sheets with a code for each line, and enter the lines that come back."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Field, IntegerField, StringField, TextAreaField, ValidationError

from campaign.crypto.paper_codes import read_code
from campaign.errors import InvalidInput, NotOpen
from campaign.media.pdf import Format, typeset
from campaign.models import Petition
from campaign.services.organizers.permissions import Permission
from campaign.services.petitions.store import get_text_version
from campaign.services.signatures.paper import (
    MAX_LINES,
    MIN_LINES,
    Line,
    enter_line,
    list_sheets,
    make_sheet,
    takes_paper,
)
from campaign.services.signatures.sign import Person
from campaign.text.personal_text import clean_name
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation, reader_language, texts_of, use_language
from campaign.web.core.forms import OrganizerForm, PersonChecks, accepted
from campaign.web.public.printed import tell_sheet

blueprint = Blueprint("paper", __name__, url_prefix="/p/<slug>/paper")
Page = tuple[str, int]
N_ = str  # marks a sentence for the translators; the page translates it


class SheetForm(OrganizerForm):
    """The sheets to make."""

    language = StringField()
    lines = IntegerField()

    petition: Petition

    def validate_language(self, field: Field) -> None:
        if field.data not in self.petition.languages:
            raise ValidationError(N_("Please choose one of the languages."))

    def validate_lines(self, field: Field) -> None:
        if field.data is None or not MIN_LINES <= field.data <= MAX_LINES:
            field.errors = []  # the library's own message for text that is no number, which is in English only
            raise ValidationError(N_("Please type a number from 10 to 200."))


class LineForm(PersonChecks, OrganizerForm):
    """The contents of a line. Its code is in no field named ``code``: reauthentication does not keep such a field."""

    line_code = StringField()
    name = StringField()
    country = StringField()
    comment = TextAreaField()

    _line_code: str
    _name: str

    def validate_line_code(self, field: Field) -> None:
        self._line_code = accepted(read_code, field)

    def validate_name(self, field: Field) -> None:
        self._name = accepted(clean_name, field)

    def line(self) -> Line:
        """The line in the checked form."""
        return Line(self._line_code, Person(self._name, comment=self._comment), self._country)


def _page(petition: Petition, *, sheet: SheetForm | None = None, line: LineForm | None = None) -> str:
    with installation().database.snapshots() as session:
        sheets = list_sheets(session, petition.id)
    entered = request.args.get("sheet") if request.method != "POST" else None
    return render_template(
        "organizers/paper.html",
        petition=petition,
        texts=texts_of(petition),
        takes_paper=takes_paper(petition),
        sheets=sheets,
        entered=next((tally for tally in sheets if str(tally.sheet.id) == entered), None),
        number=request.args.get("number", type=int),
        sheet=sheet,
        line=line,
        fewest=MIN_LINES,
        most=MAX_LINES,
        countries=reader_language().countries(),
    )


@blueprint.get("")
@needs(Permission.EXPORT)
def show(petition: Petition) -> str:
    return _page(petition)


@blueprint.post("/sheets")
@needs(Permission.EXPORT, proven=False)
def make(petition: Petition) -> Response | Page:
    """Make sheets. The file has the only copy of the codes, so it is the answer to this request."""
    form, now = SheetForm(), installation().now()
    form.petition = petition
    valid = form.validate()
    form.require_token()
    if not valid:
        return _page(petition, sheet=form), 422
    language, actor = str(form.language.data), current_organizer().email
    try:
        with installation().database.sessions.begin() as session:
            version = get_text_version(session, petition, language)
            sheet, codes = make_sheet(
                session, installation().vault, petition, version, form.lines.data or 0, actor=actor, now=now
            )
    except NotOpen:
        return _page(petition), 409
    use_language(language)
    printed = typeset("sheet", Format.PDF, tell_sheet(petition, version, sheet, codes))
    answer = Response(printed, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{petition.slug}-{language}-sheet-{sheet.id}.pdf"'
    return answer


@blueprint.post("/lines")
@needs(Permission.EXPORT)
def enter(petition: Petition) -> BaseResponse | Page:
    form, now, actor = LineForm(), installation().now(), current_organizer().email
    valid = form.validate()
    form.require_token()
    if not valid:
        return _page(petition, line=form), 422
    try:
        with installation().database.sessions.begin() as session:
            signature, tally = enter_line(session, installation().vault, petition.id, form.line(), actor=actor, now=now)
    except InvalidInput as refused:
        form.line_code.errors = [refused.sentence]
        return _page(petition, line=form), 422
    except NotOpen:
        return _page(petition, line=form), 409
    to_next = url_for("organize.paper.show", slug=petition.slug, sheet=tally.sheet.id, number=signature.number)
    return redirect(f"{to_next}#enter", 303)
