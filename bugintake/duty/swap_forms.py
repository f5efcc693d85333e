"""What people may type to ask for a swap, hand hours over, or offer a trade."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from wtforms import (  # type: ignore[attr-defined]  # the stubs know no SelectChoice yet
    DateTimeLocalField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
)
from wtforms.validators import InputRequired, Length

from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, KeptLine, worded
from bugintake.core.templating import day
from bugintake.duty.handing_over import LONGEST, Stretch
from bugintake.duty.overrides import REASON_LENGTH
from bugintake.duty.plans import PlannedShift
from bugintake.duty.wall_clock import instant
from bugintake.team.models import User

EVERYONE, NAMED = "everyone", "named"
A_TIME = "Write the day and time like 2026-09-14 09:00."
OUTSIDE = "Choose hours inside the shift."


class HoursForm(Form):
    """Hours inside a stretch, on its rotation's clock, and why; each form of a page has its own prefix."""

    start = DateTimeLocalField("From", [InputRequired(A_TIME)], **worded(invalid_value_message=A_TIME))
    end = DateTimeLocalField("Until", [InputRequired(A_TIME)], **worded(invalid_value_message=A_TIME))
    reason = KeptLine("Why", [Length(max=REASON_LENGTH, message=f"Use at most {REASON_LENGTH} characters.")])

    def __init__(self, found: Stretch, people: Sequence[tuple[User, str]], prefix: str, **given: Any) -> None:
        self.zone = found.zone
        self.start_at, self.end_at = found.start, found.end
        super().__init__(prefix=prefix, start=self._wall(found.start), end=self._wall(found.end), **given)
        holder = found.holder
        others = [(each, why) for each, why in people if holder is None or each.id != holder.id]
        self.people = {each.id: each for each, _ in others}
        self.offered = [SelectChoice(str(each.id), f"{each.name} {why}".rstrip(" .")) for each, why in others]

    @property
    def hours(self) -> tuple[datetime, datetime]:
        """From when to when, once they are valid. Raises Invalid for hours outside the stretch."""
        start, end = self._at(self.start, self.start_at), self._at(self.end, self.end_at)
        if start < self.start_at or end > self.end_at:
            raise Invalid(OUTSIDE, "start" if start < self.start_at else "end")
        return start, end

    def _wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def _at(self, field: DateTimeLocalField, known: datetime) -> datetime:
        """Read a time of day; one left alone is the instant it stands for, also where it comes twice that day."""
        wall = field.data
        if wall is None or wall == self._wall(known):
            return known
        if abs(wall - self._wall(known)) > LONGEST:
            raise Invalid(OUTSIDE, field.short_name)
        return instant(wall, self.zone)


class HandOverForm(HoursForm):
    """To whom hours go."""

    person = SelectField(
        "To", [InputRequired("Choose a person.")], coerce=str, **worded(invalid_choice_message="Choose a person.")
    )

    def __init__(self, found: Stretch, people: Sequence[tuple[User, str]], **given: Any) -> None:
        super().__init__(found, people, "hand", **given)
        self.person.choices = [SelectChoice("", "Choose"), *self.offered]


class AskForm(HoursForm):
    """Who is asked to take hours."""

    whom = RadioField(
        "Whom do you ask?",
        choices=[SelectChoice(EVERYONE, "Everyone who is free then"), SelectChoice(NAMED, "Only the people ticked")],
        default=EVERYONE,
        **worded(invalid_choice_message="Choose whom you ask."),
    )
    named = SelectMultipleField("People", coerce=str, **worded(invalid_choice_message="Choose people of the list."))

    def __init__(self, found: Stretch, people: Sequence[tuple[User, str]], **given: Any) -> None:
        super().__init__(found, people, "ask", **given)
        self.named.choices = self.offered

    @property
    def asked(self) -> list[User] | None:
        """Whom to ask; None for everybody who is free. Raises Invalid where nobody is ticked."""
        if self.whom.data == EVERYONE:
            return None
        if not self.named.data:
            raise Invalid("Tick at least one person.", "named")
        return [self.people[int(key)] for key in self.named.data]


class TradeForm(Form):
    """Which of one's own hours are offered."""

    shift = SelectField(
        "One of your shifts",
        [InputRequired("Choose one of your shifts.")],
        **worded(invalid_choice_message="Choose one of your shifts."),
    )

    def __init__(self, mine: Sequence[PlannedShift], **given: Any) -> None:
        super().__init__(**given)
        self.mine = {f"{each.rotation.id}.{each.shift.start:%Y%m%d%H%M}": each for each in mine}
        choices = [SelectChoice(key, _in_words(each)) for key, each in self.mine.items()]
        self.shift.choices = [SelectChoice("", "Choose"), *choices]


def _in_words(planned: PlannedShift) -> str:
    return (
        f"{day(planned.start, planned.zone.key)}, {planned.start:%H:%M}–{planned.end:%H:%M} ({planned.rotation.name})"
    )
