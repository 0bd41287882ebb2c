"""The organizers' forms: their proof of origin, signing in, choosing a password."""

from flask import abort
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, PasswordField, StringField, ValidationError

SHORTEST_PASSWORD = 12
N_ = str  # marks a sentence for the translators; the page translates it


class OrganizerForm(FlaskForm):  # type: ignore[misc]
    """A form of the organizers' pages, with a token tied to the session."""

    def require_token(self) -> None:
        """End the request, once the form was validated, if it does not come from our own page in this session."""
        if "csrf_token" in self.errors:
            abort(400)

    def require_valid(self) -> None:
        """End the request unless the form is as our own page sends it; for forms in which nothing is typed."""
        if not self.validate():
            abort(400)


class SignInForm(OrganizerForm):
    """Whatever is typed is looked up and compared: what is no address is nobody's."""

    email = StringField()
    password = PasswordField()
    next = HiddenField()


class ProofForm(OrganizerForm):
    """``kept`` is the form that waits for the proof, ``next`` the page that does."""

    password = PasswordField()
    kept = HiddenField()
    next = HiddenField()


class WelcomeForm(OrganizerForm):
    password = PasswordField()
    again = PasswordField()

    def validate_password(self, field: Field) -> None:
        if len(field.data or "") < SHORTEST_PASSWORD:
            raise ValidationError(N_("Please choose at least 12 characters; a few words in a row are easy to keep."))

    def validate_again(self, field: Field) -> None:
        if field.data != self.password.data:
            raise ValidationError(N_("The two are not the same. Please type the password again."))
