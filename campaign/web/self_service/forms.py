"""The forms of a person's own page: details, the address for updates, and choices about the digest."""

from typing import Any, Self

from wtforms import BooleanField, Field, StringField, TextAreaField, ValidationError

from campaign.models import CommentState, Display, Petition, ReaderFrequency, Subscription
from campaign.services.signatures.confirm import Proof
from campaign.services.signatures.self_service import Details, PersonalData
from campaign.services.subscribers.subscriptions import Choices
from campaign.text.personal_text import clean_name
from campaign.web.core.browser_marks import browser_marks
from campaign.web.core.forms import CheckedForm, PersonChecks, SignedAddress, TypedMeta, accepted

N_ = str  # marks a sentence for the translators; the page translates it


class OwnForm(CheckedForm):
    """A form on a person's own page; it asks for the code from the mail unless this browser has shown it."""

    class Meta(TypedMeta):
        csrf = False  # the address of the page is a secret, and the code is another one

    code = StringField()

    def proof(self) -> Proof:
        return Proof(browser_marks(), self.code.data or "")

    def refuse(self, field: str, sentence: str) -> None:
        """Show the refusal of a service beside a field."""
        self[field].errors = [*self[field].errors, sentence]


class DetailsForm(PersonChecks, OwnForm):
    """The signer's details."""

    name = StringField()
    country = StringField()
    comment = TextAreaField()
    comment_public = BooleanField()
    display = StringField(default=Display.HIDDEN.value)
    language = StringField()

    languages: list[str]
    is_readable: bool
    _name: str | None = None

    @classmethod
    def of(cls, kept: PersonalData) -> Self:
        """The form with the current details."""
        signature, person = kept.signature, kept.person
        assert signature is not None  # there is something to change
        filled = {
            "name": person.name if person else "",
            "comment": person.comment if person else "",
            "comment_public": signature.comment_state is not CommentState.PRIVATE,
            "country": signature.country,
            "display": signature.display.value,
            "language": signature.language,
        }
        return cls._for(kept, formdata=None, data=filled)

    @classmethod
    def posted(cls, kept: PersonalData) -> Self:
        """The form as it was sent."""
        return cls._for(kept)

    @classmethod
    def _for(cls, kept: PersonalData, **filled: object) -> Self:
        form = cls(**filled)
        # Readers choose their language with the rest of what they get.
        form.languages = kept.petition.languages if kept.reader is None else []
        form.is_readable = kept.person is not None
        return form

    def validate_name(self, field: Field) -> None:
        if self.is_readable or (field.data or "").strip():
            self._name = accepted(clean_name, field)

    def validate_language(self, field: Field) -> None:
        if self.languages and field.data not in self.languages:
            raise ValidationError(N_("Please choose one of the languages."))

    def details(self) -> Details:
        """The details in the checked form."""
        return Details(
            name=self._name,
            comment=self._comment,
            country=self._country,
            display=self._display,
            offers_comment=bool(self.comment_public.data),
            language=self.language.data if self.languages else None,
        )


class UpdatesForm(SignedAddress, OwnForm):
    """The address with which the person signed; it is not stored, so it is typed again."""


class ChoicesForm(CheckedForm):
    """The reader's choices. ``several`` says that the reader follows more than one petition here."""

    class Meta(TypedMeta):
        csrf = False  # the address of the page is a secret

    language = StringField()
    frequency = StringField()
    paused = BooleanField()
    merged = BooleanField()

    languages: list[str]
    several: bool

    @classmethod
    def of(cls, petition: Petition, subscription: Subscription, *, several: bool) -> Self:
        """The form with the current choices."""
        return cls._for(petition, several=several, formdata=None, obj=subscription)

    @classmethod
    def posted(cls, petition: Petition, *, several: bool) -> Self:
        """The form as it was sent."""
        return cls._for(petition, several=several)

    @classmethod
    def _for(cls, petition: Petition, *, several: bool, **filled: Any) -> Self:
        form = cls(**filled)
        form.languages, form.several = petition.languages, several
        return form

    def validate_language(self, field: Field) -> None:
        if field.data not in self.languages:
            raise ValidationError(N_("Please choose one of the languages."))

    def validate_frequency(self, field: Field) -> None:
        if field.data not in set(ReaderFrequency):
            raise ValidationError(N_("Please choose how often you want to get mail."))

    def choices(self) -> Choices:
        """What the checked form says."""
        assert self.language.data is not None  # both were checked
        return Choices(
            language=self.language.data,
            frequency=ReaderFrequency(self.frequency.data or ""),
            paused=self.paused.data,
            merged=self.merged.data if self.several else None,
        )
