"""The organizers' forms: their proof of origin, signing in, choosing a password."""

from flask import abort
from flask_security import LoginForm
from flask_wtf import FlaskForm
from wtforms import EmailField, Field, PasswordField, ValidationError

SHORTEST_PASSWORD = 12
N_ = str  # marks a sentence for the translators; the page translates it


class _OwnForm(FlaskForm):  # type: ignore[misc]
    def require_token(self) -> None:
        """End the request, once the form was validated, if it does not come from our own page in this session."""
        if "csrf_token" in self.errors:
            abort(400)


class OrganizerForm(_OwnForm):
    """A form of a signed-in page, with a token tied to the session."""

    def require_valid(self) -> None:
        """End the request unless the form is as our own page sends it; for forms in which nothing is typed."""
        if not self.validate():
            abort(400)


class SignInForm(_OwnForm, LoginForm):
    """The library's form. It hashes a password for an unknown address too, so that both answers take as long."""

    email = EmailField(validators=[])  # whatever is typed is looked up: what is no address is nobody's
    remember = None  # type: ignore[assignment]  # else a posted field would make a cookie that lasts for a year
    submit = None  # type: ignore[assignment]

    def validate_next(self, _field: Field) -> None:
        """Nothing to refuse: an address that is not ours is not followed."""


class WelcomeForm(OrganizerForm):
    password = PasswordField()
    again = PasswordField()

    def validate_password(self, field: Field) -> None:
        if len(field.data or "") < SHORTEST_PASSWORD:
            raise ValidationError(N_("Please choose at least 12 characters; a few words in a row are easy to keep."))

    def validate_again(self, field: Field) -> None:
        if field.data != self.password.data:
            raise ValidationError(N_("The two are not the same. Please type the password again."))
