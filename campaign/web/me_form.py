"""The form with a reader's choices."""

from typing import Any, Self

from wtforms import BooleanField, Field, StringField, ValidationError

from campaign.models import Petition, ReaderFrequency, Subscription
from campaign.services.preferring import Choices
from campaign.web.forms import CheckedForm, TypedMeta

N_ = str  # marks a sentence for the translators; the page translates it


class ChoicesForm(CheckedForm):
    """What the reader's page asks. ``several``: the reader follows more than one petition here."""

    class Meta(TypedMeta):
        csrf = False  # the address of the page is the secret

    language = StringField()
    frequency = StringField()
    paused = BooleanField()
    merged = BooleanField()

    languages: list[str]
    several: bool

    @classmethod
    def of(cls, petition: Petition, subscription: Subscription, *, several: bool) -> Self:
        """The form as the choices are now."""
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
