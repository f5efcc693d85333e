"""What may be typed at triage, and in which shape."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from wtforms import BooleanField, DateField, Field, HiddenField, SelectField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs do not know it yet
from wtforms.validators import DataRequired, InputRequired

from bugintake.core.forms import Form, KeptLine, KeptText, LineField, TextField
from bugintake.intake import catalogue, proposals
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.option_fields import choices_of
from bugintake.intake.option_models import SentenceList
from bugintake.intake.sentences import ANY, Known, words_of
from bugintake.team.models import LANGUAGES, User
from bugintake.team.workspace import workspace
from bugintake.triage.moves import Moved
from bugintake.triage.starting import Starting, known_of

NEW_VERSION = "other"
FILER, CUSTOMER = "filer", "customer"
EVERYBODY = "all"
MOST_LINES = 500
_LINE = re.compile(r"[0-9]{1,9}:[a-z_]{1,20}")


class MoveForm(Form):
    """A verb without words: which status the person saw, and whose the bug becomes."""

    seen = HiddenField()
    owner = HiddenField()
    moved: Moved | None = None

    def status_seen(self) -> Status | None:
        """Return the status that was on the screen; anything unreadable was not there."""
        return Status(self.seen.data) if self.seen.data in set(Status) else None


class ViewForm(Form):
    """The name of a view, and what it shows."""

    name = KeptLine("Name")
    for_team = BooleanField("For the whole team")
    page = HiddenField()
    address = HiddenField()


class _NotesForm(MoveForm):
    languages: Sequence[str] = ()

    def texts(self, prefix: str) -> dict[str, str]:
        """Return what was written, by language, without the empty ones."""
        fields = {language: self[f"{prefix}_{language}"].data for language in self.languages}
        return {language: text for language, text in fields.items() if text}


class MergeForm(MoveForm):
    """Which bug another one is the same as, and the status of both that the person saw."""

    into = LineField("Which bug is it the same as?")
    into_seen = HiddenField()

    def into_status_seen(self) -> Status | None:
        """Return the other bug's status that was on the screen."""
        return Status(self.into_seen.data) if self.into_seen.data in set(Status) else None


class SplitForm(Form):
    """What the bug is called that is made of a report."""

    title = KeptLine("Title for the team")


class _OutcomeForm(Starting, _NotesForm):
    def started(self) -> Mapping[str, Field]:
        """Return the note of each language."""
        return {language: self[f"note_{language}"] for language in self.languages}


class FixForm(_OutcomeForm):
    """Say that a bug is fixed: the version, and what is different for the customer in each language."""

    version = SelectField("Fixed in version", validators=[InputRequired("Say which version it is fixed in.")])
    version_new = LineField("New version")

    def known_now(self) -> Known:
        """Name the version as it was typed, where it is a new one."""
        typed = {"version": {ANY: self.version_new.data or ""}} if self.version.data == NEW_VERSION else {}
        return {**super().known_now(), **typed}

    def release(self, *, actor: User) -> Option:
        """Return the chosen version, or a new one of the name that was typed. Raises Invalid."""
        if self.version.data == NEW_VERSION:
            return proposals.version_named(self.version_new.data or "", actor=actor)
        return catalogue.choose(OptionList.VERSION, str(self.version.data))


class DeclineForm(_OutcomeForm):
    """Say no: the reason, the explanation and the way round, in each language."""

    reason = SelectField("Reason", validators=[InputRequired("Choose the reason.")])
    has_none = BooleanField("There is no good way round it")

    def validate_has_none(self, field: BooleanField) -> None:
        """Ask for a way round, or the word that there is none: not both, not neither."""
        if bool(self.texts("workaround")) == bool(field.data):
            raise ValidationError("Write what they can do instead, or tick that there is nothing.")


class AskForm(Starting, MoveForm):
    """One question about one report, or to everybody who waits."""

    report = SelectField("Ask about the report of", validators=[InputRequired("Choose whose report it is about.")])
    to = SelectField(
        "Who answers",
        choices=[SelectChoice(FILER, "Whoever filed it, and asks them"), SelectChoice(CUSTOMER, "The customer")],
        default=FILER,
    )
    language = SelectField("Written in")
    question = TextField("Question", validators=[DataRequired("Write the question.")])
    missing = LineField("What is missing?")

    def started(self) -> Mapping[str, Field]:
        """Return the question, in the language that it is written in."""
        return {str(self.language.data): self.question}


class SnoozeForm(Form):
    """Until which day a bug is put off: one that has a name, or any other, which is typed."""

    until = DateField("A day", validators=[InputRequired("Choose a day.")])
    next = HiddenField()


class AnswerForm(Form):
    """The answer to the open question."""

    answer = TextField("Answer", validators=[DataRequired("Write the answer.")])


class AssignForm(Form):
    """Whose a bug becomes."""

    owner = SelectField("Owner")


class HelpForm(Form):
    """Who is asked for help with a bug, and with what."""

    owner = SelectField("Who helps", validators=[InputRequired("Choose whom to ask.")])
    note = KeptText("What you need", validators=[DataRequired("Write what you need, so that they can begin.")])


class RaiseForm(Form):
    """Why a bug has to be looked at first."""

    reason = SelectField("Reason", validators=[InputRequired("Choose the reason.")])
    next = HiddenField()


class CommentForm(Form):
    """What the team tells each other about a bug."""

    text = KeptText("Comment for the team", validators=[DataRequired("Write the comment.")])


class HandoffForm(Form):
    """What one turn of duty leaves to the next, in three parts; and which lines of the draft were shown so far."""

    hot = KeptText("Still hot")
    waiting = KeptText("Waiting for")
    watch = KeptText("Watch")
    known = HiddenField()

    def lines_known(self) -> list[str]:
        """Return the lines of the draft that the person has seen, by their keys."""
        return [key for key in (self.known.data or "").split() if _LINE.fullmatch(key)][:MOST_LINES]


class LinkForm(Form):
    """Where another system speaks of a bug."""

    url = KeptText("Address", validators=[DataRequired("Paste the address.")])


class WorkaroundForm(_NotesForm):
    """What customers can do until it is fixed, in each language."""


@cache
def _with_texts(form: type[Any], languages: tuple[str, ...], **prefixes: str) -> type[Any]:
    fields = {
        f"{prefix}_{language}": TextField(f"{label}, in {LANGUAGES.get(language, language)}")
        for prefix, label in prefixes.items()
        for language in languages
    }
    return type(form.__name__, (form,), {"languages": languages, **fields})


def languages_for(waiting: Iterable[str]) -> list[str]:
    """List the languages in which an outcome has to be worded: those who wait read them, and the workspace's own."""
    return [*dict.fromkeys([*waiting, workspace().language])]


def ask_form(read: Iterable[str] = (), **data: Any) -> AskForm:
    """Build the form for a question, to be written in a language of the workspace or one that its readers read."""
    form = AskForm(**data)
    form.language.choices = [(each, LANGUAGES[each]) for each in dict.fromkeys([*workspace().languages, *read])]
    return form


def fix_form(languages: Sequence[str], bugs: Sequence[Bug], **data: Any) -> FixForm:
    """Build the form for a fix with a note in each language that is read by somebody who waits."""
    form: FixForm = _with_texts(FixForm, tuple(languages), note="What is different for the customer")(**data)
    versions = [option for option in catalogue.options_of(OptionList.VERSION) if not option.is_unsure]
    newest_first = choices_of(list(reversed(versions)))
    form.version.choices = [*newest_first, (NEW_VERSION, form.version_new.data or "A new version", {})]
    known = {name: words for name, words in known_of(bugs).items() if name != "version"}
    released = {str(option.id): {"version": words_of(option)} for option in versions}
    form.offer(SentenceList.FIXED, known, "version", **{NEW_VERSION: {"version": {}}}, **released)
    return form


def decline_form(languages: Sequence[str], bugs: Sequence[Bug], **data: Any) -> DeclineForm:
    """Build the form for a decline with its texts in each language that is read by somebody who waits."""
    prefixes = {"note": "Why, in words the customer can read", "workaround": "What they can do instead"}
    form: DeclineForm = _with_texts(DeclineForm, tuple(languages), **prefixes)(**data)
    form.reason.choices = choices_of(catalogue.options_of(OptionList.DECLINE_REASON))
    form.offer(SentenceList.DECLINED, known_of(bugs))
    return form


def workaround_form(languages: Sequence[str], texts: Mapping[str, str]) -> WorkaroundForm:
    """Build the form for a bug's workaround in each language of the workspace."""
    stored = {f"workaround_{language}": texts.get(language, "") for language in languages}
    form: WorkaroundForm = _with_texts(WorkaroundForm, tuple(languages), workaround="Until it is fixed")(data=stored)
    return form


def assign_form(people: Sequence[User], **data: Any) -> AssignForm:
    """Build the form that asks whose a bug becomes."""
    form = AssignForm(**data)
    form.owner.choices = [
        SelectChoice("duty", "Whoever is on duty"),
        *(SelectChoice(str(each.id), each.name) for each in people),
    ]
    return form


def help_form(people: Sequence[User], **data: Any) -> HelpForm:
    """Build the form that asks who helps."""
    form = HelpForm(**data)
    form.owner.choices = [SelectChoice(str(each.id), each.name) for each in people]
    return form
