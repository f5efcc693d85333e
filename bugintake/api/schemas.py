"""Shapes of what the API takes and gives. Every field is named: what is not listed is not published."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from bugintake.core.forms import clean_line, clean_text
from bugintake.intake.models import OptionList, Status
from bugintake.loop.models import AnnouncementKind, MessageState
from bugintake.team.models import LANGUAGES

LONGEST = 20_000
LANGUAGE = validate.OneOf(sorted(LANGUAGES))


class Line(fields.String):
    """One line of text, cleaned."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return clean_line(str(super()._deserialize(value, attr, data, **kwargs)))


class Text(fields.String):
    """Several lines of text, cleaned."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return clean_text(str(super()._deserialize(value, attr, data, **kwargs)))


class Choice(fields.Field[int | str]):
    """An option of the catalogue, by its id, its label or an alias."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | str:
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, str))
            or (isinstance(value, str) and len(value) > 200)
        ):
            raise ValidationError("Give an option's id, label or alias.")
        return value


class Note(fields.Field[dict[str, str]]):
    """Words for customers: a string in the workspace's language, or an object of strings by language."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        given = {"": value} if isinstance(value, str) else value
        if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
            raise ValidationError("Give a text, or an object of texts by language.")
        unknown = set(given) - {"", *LANGUAGES}
        if unknown:
            raise ValidationError(f"Languages are {', '.join(sorted(LANGUAGES))}.")
        return {language: clean_text(text) for language, text in given.items()}


class OptionSchema(Schema):
    """One choice of a list."""

    id = fields.Integer()
    label = fields.String()
    aliases = fields.List(fields.String())


class CatalogueSchema(Schema):
    """Every list with the choices that new reports may use, in order."""

    area = fields.List(fields.Nested(OptionSchema))
    symptom = fields.List(fields.Nested(OptionSchema))
    impact = fields.List(fields.Nested(OptionSchema))
    frequency = fields.List(fields.Nested(OptionSchema))
    platform = fields.List(fields.Nested(OptionSchema))
    version = fields.List(fields.Nested(OptionSchema))
    decline_reason = fields.List(fields.Nested(OptionSchema))


class CustomerArgs(Schema):
    """Who told us. An address that is known already names the customer there is."""

    email = Line(required=True, validate=validate.Length(min=3, max=254))
    name = Line(validate=validate.Length(max=200), load_default="")
    language = fields.String(validate=LANGUAGE, load_default=None, allow_none=True)
    account = Line(validate=validate.Length(max=200), load_default="")


class ReportArgs(Schema):
    """A report to file; with `bug` the customer is attached to that one."""

    customer = fields.Nested(CustomerArgs, required=True, allow_none=True)
    area = Choice(required=True)
    symptom = Choice(required=True)
    impact = Choice(required=True)
    frequency = Choice(required=True)
    platform = Choice(required=True)
    version = Choice(required=True)
    steps = Text(required=True, validate=validate.Length(min=1, max=LONGEST))
    actual = Text(required=True, validate=validate.Length(min=1, max=LONGEST))
    expected = Text(required=True, validate=validate.Length(min=1, max=LONGEST))
    bug = fields.String(load_default=None, allow_none=True)


class PersonSchema(Schema):
    """Somebody who works here."""

    name = fields.String()
    email = fields.String()


class BugInReportSchema(Schema):
    """The bug that a report is about."""

    ref = fields.String()
    url = fields.String()
    status = fields.Enum(Status, by_value=True)
    title = fields.String()
    people_waiting = fields.Integer()


class ReportSchema(Schema):
    """A report that was filed."""

    id = fields.Integer()
    bug = fields.Nested(BugInReportSchema)


class EventSchema(Schema):
    """One thing that happened to a bug."""

    kind = fields.String()
    at = fields.DateTime(format="iso")
    actor = fields.String(allow_none=True)
    before = fields.String(allow_none=True)
    after = fields.String(allow_none=True)


class BugRowSchema(BugInReportSchema):
    """A bug in a list."""

    area = fields.String()
    impact = fields.String()
    owner = fields.String(allow_none=True)
    version = fields.String(allow_none=True)
    is_restricted = fields.Boolean()
    filed_at = fields.String()
    changed_at = fields.String()


class BugSchema(BugRowSchema):
    """A bug with what was reported first and what happened since; no field names a customer."""

    symptom = fields.String()
    generation = fields.Integer()
    steps = fields.String()
    actual = fields.String()
    expected = fields.String()
    customer_note = fields.Dict(keys=fields.String(), values=fields.String())
    workaround = fields.Dict(keys=fields.String(), values=fields.String())
    history = fields.List(fields.Nested(EventSchema))


class PageArgs(Schema):
    """Which part of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=2**31 - 1))


class BugsArgs(PageArgs):
    """Which bugs to list."""

    status = fields.Enum(Status, by_value=True, load_default=None)
    area = fields.String(load_default=None, validate=validate.Length(max=200))
    owner = fields.String(load_default=None, validate=validate.Length(max=254))
    q = Line(load_default="", validate=validate.Length(max=100))


class BugsSchema(Schema):
    """One part of a list of bugs, and the cursor of the next."""

    items = fields.List(fields.Nested(BugRowSchema))
    next = fields.String(allow_none=True)


class TransitionArgs(Schema):
    """Where a bug goes, and the words that this needs."""

    to = fields.Enum(Status, by_value=True, required=True)
    version = Choice(load_default=None)
    customer_note = Note(load_default=None)
    reason = Choice(load_default=None)
    workaround = Note(load_default=None, allow_none=True)
    question = Text(load_default="", validate=validate.Length(max=4000))


class ShiftSchema(Schema):
    """A stretch of duty."""

    start = fields.String()
    end = fields.String()


class DutyArgs(Schema):
    """Which instant, and which rotation."""

    at = fields.AwareDateTime(format="iso", load_default=None)
    rotation = fields.Integer(load_default=None, validate=validate.Range(min=1, max=2**31 - 1))


class DutySchema(Schema):
    """Who is on duty."""

    person = fields.Nested(PersonSchema, allow_none=True)
    shift = fields.Nested(ShiftSchema, allow_none=True)


class ShiftsArgs(Schema):
    """Which days, and which rotation."""

    since = fields.Date(required=True, data_key="from")
    to = fields.Date(required=True)
    rotation = fields.Integer(load_default=None, validate=validate.Range(min=1, max=2**31 - 1))


class ShiftsSchema(Schema):
    """Who is on duty when."""

    items = fields.List(fields.Nested(DutySchema))


class ReleaseArgs(Schema):
    """A version that is live, now or from a time on that has passed."""

    version = Line(required=True, validate=validate.Length(min=1, max=120))
    live_at = fields.AwareDateTime(format="iso", load_default=None, allow_none=True)


class ReleaseSchema(Schema):
    """A release and the bugs that went live with it."""

    version = fields.String()
    live_at = fields.String()
    bugs = fields.List(fields.String())


class AnnouncementsArgs(PageArgs):
    """Which announcements."""

    state = fields.String(load_default=None, validate=validate.OneOf(["open", "held", "sent", "cancelled"]))


class AnnouncementSchema(Schema):
    """One thing to be told, and how many people stand where."""

    id = fields.Integer()
    kind = fields.Enum(AnnouncementKind, by_value=True)
    bug = fields.String()
    state = fields.String()
    due_at = fields.String(allow_none=True)
    people = fields.Dict(keys=fields.String(), values=fields.Integer())


class AnnouncementsSchema(Schema):
    """One part of the announcements, the newest first."""

    items = fields.List(fields.Nested(AnnouncementSchema))
    next = fields.String(allow_none=True)


class MessagesArgs(PageArgs):
    """Which messages."""

    state = fields.Enum(MessageState, by_value=True, load_default=None)


class MessageSchema(Schema):
    """What one person is owed, and where that stands."""

    id = fields.Integer()
    kind = fields.Enum(AnnouncementKind, by_value=True)
    bug = fields.String()
    state = fields.Enum(MessageState, by_value=True)
    recipient = fields.String()
    language = fields.String()
    attempts = fields.Integer()
    last_error = fields.String()


class MessagesSchema(Schema):
    """One part of the outbox, the newest first."""

    items = fields.List(fields.Nested(MessageSchema))
    next = fields.String(allow_none=True)


class LookAlikeSchema(Schema):
    """A known bug, and why it may be the same one."""

    bug = fields.Nested(BugInReportSchema)
    why = fields.String()
    score = fields.Float()


class SimilarSchema(Schema):
    """Known bugs that may be the same one, the likeliest first."""

    items = fields.List(fields.Nested(LookAlikeSchema))


class SimilarArgs(Schema):
    """What a report is about so far."""

    area = Choice(required=True)
    symptom = Choice(load_default=None)
    text = Text(load_default="", validate=validate.Length(max=LONGEST))


def options(found: dict[OptionList, Any]) -> dict[str, Any]:
    """Name the lists of the catalogue as the API does."""
    return {kind.value: choices for kind, choices in found.items()}
