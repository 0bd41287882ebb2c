"""Passwords: how they are stored and compared, which of them are refused, and the forms in which one is chosen.

What is stored is argon2 of one Unicode form. Every attempt costs one hash, whether or not an account has this password.
"""

import unicodedata
from itertools import pairwise
from typing import cast

from flask import current_app
from flask_security import hash_password as hash_normalized
from wtforms import Field, PasswordField, ValidationError

from campaign.periods import LONGEST_PASSWORD, SHORTEST_PASSWORD
from campaign.text.email_address import list_spellings
from campaign.web.auth.session import OrganizerUser
from campaign.web.core.forms import OrganizerForm

N_ = str  # marks a sentence for the translators; the page translates it

# Characters; passlib refuses to hash more (PASSLIB_MAX_PASSWORD_SIZE).
_MOST = 4096


def _normalize(password: str) -> str:
    return cast("str", current_app.extensions["security"].password_util.normalize(password))


def hash_password(password: str) -> str:
    """The hash to be stored: argon2 of the Unicode form in which passwords are compared."""
    return hash_normalized(_normalize(password))


def password_matches(user: OrganizerUser | None, typed: str) -> bool:
    """Whether ``typed`` is the password of ``user``.

    A wrong password, no user, a user without a password, and a password of more characters than passlib takes (nobody
    can have chosen one) all cost the same time.
    """
    given = _normalize(typed)
    if user is None or not user.password or len(given) > _MOST:
        hash_normalized(given[:_MOST])
        return False
    return bool(user.verify_and_update_password(given))


# A password with fewer different characters is easy to guess.
_FEWEST_CHARACTERS = 5
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "йцукенгшщзхъфывапролджэячсмитьбю", "01234567890")
# Words in the stolen passwords of twelve characters and more that are used most, without the digits and signs around
# them. The shorter words appear there doubled, or with a year after them.
_COMMON = {
    *("password", "passwort", "passw", "letmein", "welcome", "iloveyou", "qwerty", "qazwsx", "zaqxsw", "admin"),
    *("administrator", "changeme", "monkey", "dragon", "football", "baseball", "superman", "sunshine", "princess"),
    *("trustno", "starwars", "whatever", "master", "secret", "unknown", "computer", "internet", "organizer"),
    *("petition", "campaign", "correcthorsebatterystaple", "pass", "word", "пароль", "привет", "любовь", "құпиясөз"),
}
_SUBSTITUTED = str.maketrans("@4310$5!7", "aaeiossit")


def find_weakness(password: str, owner: str) -> str | None:
    """Why the organizer with the address ``owner`` may not have this password; None if the password is good."""
    if len(password) < SHORTEST_PASSWORD:
        return N_("Please choose at least 12 characters; a few words in a row are easy to remember.")
    if len(password) > LONGEST_PASSWORD:
        return N_("This is too long. Please shorten it.")
    plain = unicodedata.normalize("NFKC", password).casefold()
    without_year = plain.strip("0123456789!.?")
    if any(own in plain or (without_year and without_year in own) for own in list_spellings(owner)):
        return N_("Please choose something that is not your own address.")
    if len(set(plain)) < _FEWEST_CHARACTERS or _is_row(plain) or _is_common(plain):
        return N_(
            "This is one of the first passwords that an attacker would try. Please choose a few words in a row instead."
        )
    return None


def _is_row(plain: str) -> bool:
    """Whether nearly every two characters are neighbours on a keyboard or in the alphabet, in either direction."""
    rows = [part for row in _ROWS for part in (row, row[::-1])]
    breaks = sum(not any(first + second in row for row in rows) for first, second in pairwise(plain))
    return breaks <= len(plain) // 6


def _is_common(plain: str) -> bool:
    for text in (plain, plain.translate(_SUBSTITUTED)):
        letters = "".join(character for character in text if character.isalpha())
        for word in sorted(_COMMON, key=len, reverse=True):
            letters = letters.replace(word, "")
        if len(letters) < 3:
            return True
    return False


class WelcomeForm(OrganizerForm):
    """The password that is chosen behind the one-time link."""

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
            raise ValidationError(N_("The two passwords are not the same. Please type the password again."))


class PasswordForm(WelcomeForm):
    """A new password, and the old one as a proof."""

    old = PasswordField()
