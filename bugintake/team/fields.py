"""The fields that this room's forms are made of."""

from collections.abc import Iterable
from typing import Any

from wtforms import (  # type: ignore[attr-defined]  # the stubs know no SelectChoice yet
    DateField,
    Field,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    TimeField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length

from bugintake.core.errors import Invalid
from bugintake.core.forms import LineField, Zone, zone_names
from bugintake.team import passwords, people
from bugintake.team.models import LANGUAGES


def choices(pairs: Iterable[tuple[Any, str]]) -> list[SelectChoice]:
    """Offer values with their words."""
    return [SelectChoice(value, words) for value, words in pairs]


def needed(sentence: str) -> InputRequired:
    """Ask for a field in words of its own."""
    return InputRequired(sentence)


class Address:
    """Validator: an e-mail address, kept in its one form."""

    def __call__(self, form: Any, field: Field) -> None:
        """Raise ValidationError for anything else."""
        try:
            field.data = people.clean_address(field.data or "")
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from None


class ZoneField(SelectField):
    """A time zone, chosen from all there are."""

    def __init__(self, label: str = "Time zone", **options: Any) -> None:
        super().__init__(
            label,
            [needed("Choose a time zone."), Zone()],
            choices=lambda: choices((name, name.replace("_", " ")) for name in zone_names()),
            validate_choice=False,
            **options,
        )


class InWords(Field):
    """A field that says in words of its own what it cannot read."""

    unreadable = ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed. Raises ValueError."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(self.unreadable) from None


class ClockField(InWords, TimeField):
    """A time of day."""

    unreadable = "Enter a time, like 09:00."


class DayField(InWords, DateField):
    """A day."""

    unreadable = "Enter a day, like 2026-09-14."


class MinutesField(InWords, IntegerField):
    """A number of minutes."""

    unreadable = "Enter a whole number of minutes, like 30."


class MonthsField(InWords, IntegerField):
    """A number of months."""

    unreadable = "Enter a whole number of months, like 24."


def whole(value: Any) -> int | None:
    """Read a whole number; anything else is no choice."""
    text = str(value if value is not None else "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def language_field(label: str, **options: Any) -> SelectField:
    """Offer the languages that are shipped."""
    return SelectField(label, choices=choices(LANGUAGES.items()), default="en", **options)


def name_field(label: str, sentence: str, **options: Any) -> LineField:
    """Ask for a name of at most 200 characters."""
    return LineField(label, [needed(sentence), Length(max=200, message="Use at most 200 characters.")], **options)


def password_field(label: str) -> PasswordField:
    """Ask for a password, with advice."""
    return PasswordField(label, [needed("Choose a password.")], description=passwords.ADVICE)
