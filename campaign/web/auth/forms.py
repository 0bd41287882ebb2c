"""The organizers' forms: their proof of origin, signing in, choosing a password."""

from flask import abort
from wtforms import Field, HiddenField, PasswordField, StringField, ValidationError

from campaign.web.auth.passwords import find_weakness
from campaign.web.core.forms import CheckedForm

LONGEST_NAME = 80
N_ = str  # marks a sentence for the translators; the page translates it


class OrganizerForm(CheckedForm):
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


class PasskeyForm(OrganizerForm):
    """What the script fills in: the browser's answer to ``challenge``, as JSON."""

    passkey = HiddenField()
    challenge = HiddenField()
    next = HiddenField()


class CodeForm(PasskeyForm):
    """The second step of signing in: a code of the app or a recovery code, or a passkey."""

    code = StringField()


class ProofForm(CodeForm):
    """One of the three is enough. ``kept`` is the form that waits for the proof, ``next`` the page that does."""

    password = PasswordField()
    kept = HiddenField()


class AppForm(OrganizerForm):
    """``secret`` is the app's, sealed, until a code shows that the app has it."""

    secret = HiddenField()
    code = StringField()


class NameForm(PasskeyForm):
    """A passkey's name, by which its owner knows it again."""

    name = StringField(filters=[lambda typed: " ".join((typed or "").split())])

    def validate_name(self, field: Field) -> None:
        if not 0 < len(field.data) <= LONGEST_NAME or not field.data.isprintable():
            raise ValidationError(N_("Please give it a name of at most 80 characters, such as “my phone”."))


class WelcomeForm(OrganizerForm):
    password = PasswordField()
    again = PasswordField()

    def __init__(self, owner: str) -> None:
        super().__init__()
        self._owner = owner

    def validate_password(self, field: Field) -> None:
        if told := find_weakness(field.data or "", self._owner):
            raise ValidationError(told)

    def validate_again(self, field: Field) -> None:
        if field.data != self.password.data:
            raise ValidationError(N_("The two are not the same. Please type the password again."))


class PasswordForm(WelcomeForm):
    old = PasswordField()
