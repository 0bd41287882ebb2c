"""The forms of a review: the criteria that choose signatures, in an address or a form, and the decision."""

from datetime import date
from typing import Any

from flask import request
from wtforms import Field, IntegerField, StringField, ValidationError
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional, Regexp

from campaign.i18n import find_country
from campaign.models import Petition, ReviewAction, SignatureState, SuspicionKind
from campaign.services.moderation.review_queue import REVIEWED, Criteria
from campaign.web.core.forms import OrganizerForm

N_ = str  # marks a sentence for the translators; the page translates it


class CriteriaForm(OrganizerForm):
    """The criteria of the choice; an empty field allows all."""

    state = StringField(
        default=SignatureState.QUARANTINED.value,
        validators=[AnyOf([*REVIEWED], message=N_("Please choose which signatures."))],
    )
    kind = StringField(
        validators=[Optional(), AnyOf([*SuspicionKind], message=N_("Please choose a reason from the list."))]
    )
    group = StringField(
        validators=[Optional(), Regexp(r"\A[A-Za-z0-9_-]{1,20}\Z", message=N_("There is no such group."))]
    )
    first = StringField()
    last = StringField()
    language = StringField()
    country = StringField()

    def __init__(self, petition: Petition, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._languages = petition.languages

    @classmethod
    def asked(cls, petition: Petition) -> "CriteriaForm":
        """The form from the page's address; it changes nothing, so it needs no token."""
        return cls(petition, formdata=request.args, meta={"csrf": False})

    def validate_group(self, field: Field) -> None:
        if field.data and not self.kind.data:
            raise ValidationError(N_("There is no such group."))

    def validate_first(self, field: Field) -> None:
        _read_day(field)

    def validate_last(self, field: Field) -> None:
        last = _read_day(field)
        first = _day_or_none(self.first.data)
        if last and first and last < first:
            raise ValidationError(N_("The last day is before the first one."))

    def validate_language(self, field: Field) -> None:
        if field.data and field.data not in self._languages:
            raise ValidationError(N_("Please choose a language of this petition."))

    def validate_country(self, field: Field) -> None:
        if (field.data or "").strip() and find_country(field.data) is None:
            raise ValidationError(N_("Please choose a country from the list."))

    def criteria(self) -> Criteria:
        """The criteria in the checked form."""
        return Criteria(
            SignatureState(str(self.state.data)),
            SuspicionKind(self.kind.data) if self.kind.data else None,
            self.group.data or None,
            _day_or_none(self.first.data),
            _day_or_none(self.last.data),
            self.language.data or None,
            find_country(str(self.country.data)) if (self.country.data or "").strip() else None,
        )


def _day_or_none(typed: str | None) -> date | None:
    try:
        return date.fromisoformat((typed or "").strip())
    except ValueError:
        return None


def _read_day(field: Field) -> date | None:
    day = _day_or_none(field.data)
    if (field.data or "").strip() and day is None:
        raise ValidationError(N_("Please write the day like 2026-11-25."))
    return day


class DecisionForm(CriteriaForm):
    """The decision; ``seen`` names the signatures that the page showed."""

    seen = StringField(validators=[InputRequired(), Length(max=64)])
    action = StringField(validators=[InputRequired(), AnyOf([*ReviewAction])])

    def decision(self) -> ReviewAction:
        return ReviewAction(str(self.action.data))


class TakeBackForm(OrganizerForm):
    number = IntegerField(validators=[InputRequired(), NumberRange(1, 2**31 - 1)])
