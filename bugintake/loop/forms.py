"""What may be typed on the pages of the loop, and in which shape."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs do not know it yet
from wtforms.validators import DataRequired, Length

from bugintake.core.forms import Form, KeptText, LineField, TextField
from bugintake.loop.announcements import NOTE_LENGTH
from bugintake.loop.messages import REASON_LENGTH
from bugintake.loop.models import AnnouncementKind
from bugintake.loop.replies import REMARK_LENGTH
from bugintake.team.models import LANGUAGES

PARTS: Mapping[AnnouncementKind, Sequence[str]] = {
    AnnouncementKind.DECLINED: ("note", "workaround"),
    AnnouncementKind.WORKAROUND: ("workaround",),
    AnnouncementKind.RECEIVED: (),
}
"""What of an announcement is written by somebody; of most a note alone."""
LONG = f"That is longer than {NOTE_LENGTH:,} characters."


class NotesForm(Form):
    """What an announcement says, in each language: a note, the way round, or both."""

    languages: Sequence[str] = ()
    parts: Sequence[str] = ()

    def texts(self, part: str) -> dict[str, str]:
        """Return what is written, by language."""
        wanted = self.languages if part in self.parts else ()
        return {language: self[f"{part}_{language}"].data or "" for language in wanted}


def notes_form(
    languages: Sequence[str], notes: Mapping[str, str], ways: Mapping[str, str], *, parts: Sequence[str], **data: Any
) -> NotesForm:
    """Build the form for the words of an announcement in each language; `parts` are of note and workaround."""
    fields: dict[str, Any] = {"languages": tuple(languages), "parts": tuple(parts)}
    fits = [Length(max=NOTE_LENGTH, message=LONG)]
    for language in languages:
        name = LANGUAGES.get(language, language)
        if "note" in parts:
            fields[f"note_{language}"] = TextField(name, validators=fits, default=notes.get(language, ""))
        if "workaround" in parts:
            label = f"{name}: what they can do instead"
            fields[f"workaround_{language}"] = TextField(label, validators=fits, default=ways.get(language, ""))
    form: NotesForm = type("NotesForm", (NotesForm,), fields)(**data)
    return form


class MailTextForm(Form):
    """What mails of a kind say in a language."""

    subject = LineField("Subject")
    body = TextField("What it says")


class ReasonForm(Form):
    """Why somebody is not told."""

    reason = LineField(
        "Why are they not told?",
        validators=[
            DataRequired("Say why they are not told."),
            Length(max=REASON_LENGTH, message=f"A reason has at most {REASON_LENGTH} characters."),
        ],
    )


class LineForm(Form):
    """What one person alone reads in their mail."""

    personal_line = KeptText("A personal line")


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
