"""What people may type about rotations and days away, and in which shape."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import request
from wtforms import (  # type: ignore[attr-defined]  # the stubs know no SelectChoice yet
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    TimeField,
)
from wtforms.validators import InputRequired, Length, NumberRange

from bugintake.core.chats import Chat
from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, KeptLine, LineField, Zone, worded, zone_names
from bugintake.duty.absences import WORD_LENGTH
from bugintake.duty.improvement_models import ImprovementKind
from bugintake.duty.models import LONGEST_TURN
from bugintake.duty.public_holidays import NAME_LENGTH as HOLIDAY_LENGTH
from bugintake.duty.public_holidays import countries, regions
from bugintake.duty.roster import NAME_LENGTH, Terms
from bugintake.duty.turns import TurnUnit
from bugintake.team import people
from bugintake.team.models import Role, User

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
UNITS = {
    TurnUnit.HOURS: "hours of duty",
    TurnUnit.DAYS: "working days",
    TurnUnit.WEEKS: "weeks",
    TurnUnit.MONTHS: "months",
}
PLACE = "place-"


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _weekday(value: Any) -> int | None:
    text = str(value)
    return int(text) if text in "0123456" and len(text) == 1 else None


class AbsenceForm(Form):
    """From when to when somebody is away. Whoever leads may say it of somebody else."""

    person = SelectField("Who", coerce=_number, default=0)
    first_on = DateField(
        "First day away",
        [InputRequired("Enter the first day, like 2026-09-14.")],
        **worded(invalid_value_message="Enter the first day like 2026-09-14."),
    )
    last_on = DateField(
        "Last day away",
        [InputRequired("Enter the last day, like 2026-09-18.")],
        **worded(invalid_value_message="Enter the last day like 2026-09-18."),
    )
    word = KeptLine("A word for the team", [Length(max=WORD_LENGTH, message=f"Use at most {WORD_LENGTH} characters.")])

    def __init__(self, user: User, **given: Any) -> None:
        super().__init__(**given)
        others = [person for person in people.working_here() if person.id != user.id] if user.can(Role.LEAD) else []
        self.person.choices = [SelectChoice(0, "Me"), *(SelectChoice(each.id, each.name) for each in others)]

    @property
    def days(self) -> tuple[date, date]:
        """The days, once they are valid."""
        return self.first_on.data or date.min, self.last_on.data or date.min


class ImprovementForm(Form):
    """What would have saved time."""

    kind = SelectField(
        "What it takes",
        choices=[SelectChoice(kind.value, kind.words) for kind in ImprovementKind],
        **worded(invalid_choice_message="Choose what it takes."),
    )
    text = KeptLine("What would have saved you time", [InputRequired("Write what would have saved you time.")])

    @property
    def chosen(self) -> ImprovementKind:
        """The kind, once it is valid."""
        return ImprovementKind(self.kind.data)


class AddressForm(Form):
    """The address of a calendar."""

    url = KeptLine("Its address")


class ChannelForm(AddressForm):
    """Where a team talks."""

    chat = RadioField(
        "Where does the team talk?",
        choices=[
            SelectChoice(Chat.SLACK.value, "Slack", {"data-d": " or what takes its words, such as Mattermost"}),
            SelectChoice(Chat.TEAMS.value, "Microsoft Teams", {"data-d": " by a workflow"}),
        ],
        default=Chat.SLACK.value,
    )


class HolidayForm(Form):
    """A day without duty of one's own."""

    day = DateField(
        "Day",
        [InputRequired("Enter the day, like 2026-12-24.")],
        **worded(invalid_value_message="Enter the day like 2026-12-24."),
    )
    name = KeptLine(
        "Name",
        [
            InputRequired("Give the day a name."),
            Length(max=HOLIDAY_LENGTH, message=f"Use at most {HOLIDAY_LENGTH} characters."),
        ],
    )


class RotationForm(Form):
    """One rule of a rotation. The places of people come as place-<id>: a number each, empty for no turn."""

    name = LineField(
        "Name",
        [InputRequired("Give the rotation a name."), Length(max=NAME_LENGTH, message="Use at most 120 characters.")],
    )
    zone = SelectField(
        "Time zone",
        [InputRequired("Choose a time zone."), Zone()],
        choices=lambda: [SelectChoice(name, name.replace("_", " ")) for name in zone_names()],
        validate_choice=False,
    )
    start_on = DateField(
        "First day",
        [InputRequired("Enter the first day, like 2026-09-14.")],
        **worded(invalid_value_message="Enter the first day like 2026-09-14."),
    )
    handoff = TimeField(
        "From",
        [InputRequired("Enter when duty begins, like 09:00.")],
        **worded(invalid_value_message="Enter a time like 09:00."),
    )
    until = TimeField(
        "Until",
        [InputRequired("Enter when duty ends, like 17:00.")],
        **worded(invalid_value_message="Enter a time like 17:00."),
    )
    runs_overnight = BooleanField("The hours run into the next day")
    days = SelectMultipleField(
        "Working days",
        [InputRequired("Choose at least one working day.")],
        choices=[SelectChoice(number, name) for number, name in enumerate(WEEKDAYS)],
        coerce=_weekday,
        **worded(invalid_choice_message="Choose days of the week."),
    )
    turn_length = IntegerField(
        "Each person's turn",
        [
            InputRequired("Enter how long a turn is, like 1."),
            NumberRange(1, LONGEST_TURN, message=f"A turn is 1 to {LONGEST_TURN} long."),
        ],
        **worded(invalid_value_message="Enter a whole number, like 1."),
    )
    turn_unit = SelectField(
        "Counted in",
        choices=[SelectChoice(unit.value, label) for unit, label in UNITS.items()],
        **worded(invalid_choice_message="Choose what turns are counted in."),
    )

    country = SelectField(
        "Public holidays of",
        choices=lambda: [SelectChoice("", "No country"), *(SelectChoice(*each) for each in countries())],
        default="",
        **worded(invalid_choice_message="Choose a country from the list."),
    )
    region = SelectField("Region", default="", validate_choice=False)
    moves_published = BooleanField("The published weeks move too")

    def __init__(self, candidates: Sequence[User], **given: Any) -> None:
        super().__init__(**given)
        self.offer_regions()
        self.candidates = candidates
        self.people: list[User] = []
        self.people_error = ""
        self.places = {person.id: "" for person in candidates}
        if request.method == "POST":
            self.places = {person.id: request.form.get(f"{PLACE}{person.id}", "").strip() for person in candidates}

    def offer_regions(self) -> None:
        """Offer the regions of the country chosen; one of another country is let go of."""
        found = regions(self.country.data or "")
        self.region.choices = [SelectChoice("", "The whole country"), *(SelectChoice(*each) for each in found)]
        if self.region.data not in dict(found):
            self.region.data = ""

    def place(self, people: Sequence[User]) -> None:
        """Show people in this order."""
        for position, person in enumerate(people, start=1):
            self.places[person.id] = str(position)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the shape of everything, the order of people included."""
        is_valid = super().validate(extra_validators)
        try:
            self.people = self._in_order()
        except Invalid as refusal:
            self.people_error = refusal.sentence
        return is_valid and not self.people_error

    def refuse(self, sentence: str, name: str | None = None) -> None:
        """Show what the rules refused at the field it is about, else at the people."""
        if name == "people" or name not in self:
            self.people_error = sentence
        else:
            super().refuse(sentence, name)

    def terms(self) -> Terms:
        """Return what was typed, once it is valid."""
        return Terms(
            zone=self.zone.data,
            start_on=self.start_on.data or date.min,
            handoff=self.handoff.data,  # type: ignore[arg-type]  # InputRequired has seen to it
            until=self.until.data,  # type: ignore[arg-type]
            days=tuple(self.days.data or ()),
            people=self.people,
            turn_length=self.turn_length.data or 0,
            turn_unit=TurnUnit(self.turn_unit.data),
            runs_overnight=self.runs_overnight.data,
            country=self.country.data or "",
            region=self.region.data or "",
            moves_published=self.moves_published.data,
        )

    def _in_order(self) -> list[User]:
        placed: dict[int, User] = {}
        for person in self.candidates:
            text = self.places[person.id]
            if not text:
                continue
            if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 4):
                raise Invalid(f"The place of {person.name} is a number: 1 for who begins.")
            if (place := int(text)) in placed:
                raise Invalid(f"{placed[place].name} and {person.name} have the same place.")
            placed[place] = person
        if not placed:
            raise Invalid("Give at least one person a place, 1 for who begins.")
        return [placed[place] for place in sorted(placed)]
