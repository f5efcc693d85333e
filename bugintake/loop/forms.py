"""What may be typed on the pages of the loop, and in which shape."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs do not know it yet
from wtforms.validators import DataRequired, Length

from bugintake.core.forms import Form, LineField, TextField
from bugintake.loop.announcements import NOTE_LENGTH
from bugintake.loop.messages import REASON_LENGTH
from bugintake.loop.replies import REMARK_LENGTH
from bugintake.team.models import LANGUAGES

LONG = f"That is longer than {NOTE_LENGTH:,} characters."


class NotesForm(Form):
    """What an announcement says, in each language, and for a decline the way round."""

    languages: Sequence[str] = ()
    has_ways = False

    def texts(self, prefix: str) -> dict[str, str]:
        """Return what is written, by language."""
        wanted = self.languages if prefix == "note" or self.has_ways else ()
        return {language: self[f"{prefix}_{language}"].data or "" for language in wanted}


def notes_form(
    languages: Sequence[str], notes: Mapping[str, str], ways: Mapping[str, str], *, has_ways: bool, **data: Any
) -> NotesForm:
    """Build the form for the words of an announcement in each language."""
    fields: dict[str, Any] = {"languages": tuple(languages), "has_ways": has_ways}
    fits = [Length(max=NOTE_LENGTH, message=LONG)]
    for language in languages:
        name = LANGUAGES.get(language, language)
        fields[f"note_{language}"] = TextField(name, validators=fits, default=notes.get(language, ""))
        if has_ways:
            label = f"{name}: what they can do instead"
            fields[f"workaround_{language}"] = TextField(label, validators=fits, default=ways.get(language, ""))
    form: NotesForm = type("NotesForm", (NotesForm,), fields)(**data)
    return form


class ReasonForm(Form):
    """Why somebody is not told."""

    reason = LineField(
        "Why are they not told?",
        validators=[
            DataRequired("Say why they are not told."),
            Length(max=REASON_LENGTH, message=f"A reason has at most {REASON_LENGTH} characters."),
        ],
    )


class ReleaseForm(Form):
    """Which version is live."""

    version = LineField(
        "Version",
        validators=[
            DataRequired("Say which version is live."),
            Length(max=120, message="A version has at most 120 characters."),
        ],
    )


class JudgementForm(Form):
    """What became of a mail whose fate nobody knew."""

    arrived = SelectField(
        "Did it arrive?", choices=[SelectChoice("yes", "It arrived"), SelectChoice("no", "Send it again")]
    )


class RemarkForm(Form):
    """What a customer adds to their report. The page words every sentence in their language."""

    text = TextField(validators=[DataRequired("missing"), Length(max=REMARK_LENGTH, message="long")])


class StillForm(Form):
    """What a customer sees that still happens; saying that it does is enough."""

    text = TextField(validators=[Length(max=REMARK_LENGTH, message="long")])
