"""Forms: typed values are checked by the same rules as everywhere, and errors are shown beside their fields."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict
from wtforms import BooleanField, Field, HiddenField, StringField, TextAreaField, ValidationError

from campaign.errors import InvalidInput
from campaign.i18n import find_country
from campaign.models import Display
from campaign.services.petitions.referrals import clean_source
from campaign.services.signatures.sign import Person, Submission
from campaign.text.address_typos import suggest
from campaign.text.email_address import EmailAddress, parse_email_address
from campaign.text.personal_text import clean_comment, clean_name
from campaign.web.core.context import installation
from campaign.web.core.security import SameOrigin, find_problem, form_age

N_ = str  # marks a sentence for the translators; the page translates it
Value = TypeVar("Value")


def accepted(check: Callable[[str], Value], field: Field) -> Value:
    """The value that ``check`` makes of a field. Raises ValidationError with the sentence of its refusal."""
    try:
        return check(field.data or "")
    except InvalidInput as error:
        raise ValidationError(error.sentence) from None


class TypedMeta(FlaskForm.Meta):  # type: ignore[misc]
    """Takes typed values alone: a file that is sent in place of text counts as an empty field."""

    def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
        """Leave out the files, which the library would put among the fields."""
        found = super().wrap_formdata(form, formdata)
        return request.form if isinstance(found, CombinedMultiDict) else found


class CheckedForm(FlaskForm):  # type: ignore[misc]
    """A form that is shown again with its errors."""

    class Meta(TypedMeta):
        pass

    def first_errors(self) -> dict[str, str]:
        """Field → its first error, in the order of the form."""
        return {
            name: str(errors[0]) for name, errors in self.errors.items() if name and name != "csrf_token" and errors
        }


class OrganizerForm(CheckedForm):
    """A form of the organizers' pages, with a token tied to the session."""

    def require_token(self) -> None:
        """Abort with 400 if a validated form does not come from our own page in this session."""
        if "csrf_token" in self.errors:
            abort(400)

    def require_valid(self) -> None:
        """Abort with 400 unless the form is as our own page sends it; for forms in which nothing is typed."""
        if not self.validate():
            abort(400)


class PublicForm(CheckedForm):
    """A form on a page that is the same for everybody: it needs no session and no cookie."""

    class Meta(TypedMeta):
        csrf = True
        csrf_class = SameOrigin

    @property
    def general_errors(self) -> list[str]:
        """The errors that belong to no single field."""
        return [str(error) for error in (*self.csrf_token.errors, *self.form_errors)]


class PersonChecks:
    """The checks of a person's details, for each form with these fields."""

    _comment: str | None = None
    _country: str | None = None
    _display: Display

    def validate_comment(self, field: Field) -> None:
        self._comment = accepted(clean_comment, field)

    def validate_country(self, field: Field) -> None:
        if (field.data or "").strip():
            self._country = find_country(field.data)
            if self._country is None:
                raise ValidationError(N_("Please choose a country from the list."))

    def validate_display(self, field: Field) -> None:
        try:
            self._display = Display(field.data or Display.HIDDEN)
        except ValueError:
            raise ValidationError(N_("Please choose how your name is shown.")) from None


class SignedAddress:
    """The address with which somebody signed, for each form that asks for it."""

    email = StringField()

    _address: EmailAddress

    def validate_email(self, field: Field) -> None:
        self._address = accepted(lambda typed: parse_email_address(typed, allow_smtputf8=True), field)

    def address(self) -> EmailAddress:
        """The address in the checked form."""
        return self._address


class SigningForm(PersonChecks, PublicForm):
    """The fields of the interface contract, and the version of the demands that the page showed."""

    TOO_MANY = N_(
        "Very many signatures came from where you are. Please send the form again in an hour: "
        "nothing is wrong with yours."
    )

    BUSY = N_(
        "Very many people sign at this moment, and some of them from where you are. Please send the form again in an "
        "hour: nothing is wrong with it."
    )

    name = StringField()
    email = StringField()
    country = StringField()
    comment = TextAreaField()
    comment_public = BooleanField()
    display = StringField(default=Display.HIDDEN.value)
    updates = BooleanField()
    consent = BooleanField()
    # The address that the page has asked about because it looks mistyped, and the suggested address if it was chosen.
    asked_about = HiddenField()
    meant = StringField()
    source = HiddenField()
    text_version = HiddenField()
    # People do not see this field; a machine that fills in every field fills it in.
    reference = StringField()
    puzzle = HiddenField()
    question = HiddenField()
    answer = StringField()

    suggestion: str | None = None
    _address: EmailAddress
    _name: str

    def validate_name(self, field: Field) -> None:
        self._name = accepted(clean_name, field)

    def validate_email(self, field: Field) -> None:
        """Also asks, once, about an address that looks mistyped. Only the typed text decides whether it asks."""
        typed = str(accepted(parse_email_address, field))
        suggestion = suggest(typed)
        if suggestion is not None and self.meant.data == suggestion:
            field.data = suggestion
        elif suggestion is not None and self.asked_about.data != typed:
            self.suggestion, self.asked_about.data = suggestion, typed
            return
        check_dns = installation().settings.check_dns
        self._address = accepted(lambda decided: parse_email_address(decided, check_dns=check_dns), field)

    def validate_consent(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(N_("Please tick this if you want to sign: without it we may not keep your name."))

    def check_whole(self, *, text_version: str) -> bool:
        """Check all fields, that the demands did not change since the page, and that there was time to read them."""
        valid: bool = self.validate()
        if self.text_version.data and self.text_version.data != text_version:
            self.form_errors.append(
                N_("The demands were changed while you were reading. Please read them once more, then sign.")
            )
        least = installation().settings.form_min_seconds
        if least and not self.csrf_token.errors:
            if (problem := find_problem(self.csrf_token.data)) is not None:
                self.form_errors.append(problem)
            elif (form_age(self.csrf_token.data) or 0) < least:
                self.form_errors.append(N_("That was very fast. Please wait a moment and press the button again."))
        return valid and not self.form_errors and self.suggestion is None

    def refuse_answer(self, sentence: str) -> None:
        """Show beside the question what is wrong with its answer; all typed text stays."""
        self.answer.errors = [sentence]

    @property
    def is_from_machine(self) -> bool:
        """Whether the field is filled in that people do not see."""
        return bool(self.reference.data)

    def submission(self, language: str) -> Submission:
        """The submission in the checked form."""
        return Submission(
            address=self._address,
            person=Person(name=self._name, comment=self._comment),
            language=language,
            country=self._country,
            display=self._display,
            wants_updates=bool(self.updates.data),
            offers_comment=bool(self.comment_public.data),
            source=clean_source(self.source.data or ""),
        )
