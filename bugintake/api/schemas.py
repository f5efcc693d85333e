"""What the API gives. Every field is named: what is not listed is not published."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, fields, post_dump

from bugintake.intake.models import Status
from bugintake.loop.models import AnnouncementKind, MessageState


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

    class Meta:
        """Further lists come under their own names."""

        unknown = INCLUDE

    @post_dump(pass_original=True)
    def add_further(self, data: dict[str, Any], found: Mapping[str, Any], **_settings: Any) -> dict[str, Any]:
        """Name the further lists after the built-in ones."""
        further = {name: choices for name, choices in found.items() if name not in self.fields}
        return {**data, **{name: OptionSchema(many=True).dump(choices) for name, choices in further.items()}}


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


class LinkSchema(Schema):
    """A page of another system about a bug, with the title and state that it gives, where it gives any."""

    kind = fields.String()
    url = fields.String()
    title = fields.String()
    state = fields.String()


class BugRowSchema(BugInReportSchema):
    """A bug in a list."""

    area = fields.String()
    impact = fields.String()
    owner = fields.String(allow_none=True)
    version = fields.String(allow_none=True)
    is_restricted = fields.Boolean()
    is_pinned = fields.Boolean()
    filed_at = fields.String()
    changed_at = fields.String()


class BugSchema(BugRowSchema):
    """A bug with what was reported first and what happened since; no field names a customer."""

    symptom = fields.String()
    generation = fields.Integer()
    steps = fields.String()
    actual = fields.String()
    expected = fields.String()
    choices = fields.Dict(keys=fields.String(), values=fields.String())
    customer_note = fields.Dict(keys=fields.String(), values=fields.String())
    workaround = fields.Dict(keys=fields.String(), values=fields.String())
    links = fields.List(fields.Nested(LinkSchema))
    history = fields.List(fields.Nested(EventSchema))


class BugsSchema(Schema):
    """One part of a list of bugs, and the cursor of the next."""

    items = fields.List(fields.Nested(BugRowSchema))
    next = fields.String(allow_none=True)


class ShiftSchema(Schema):
    """A stretch of duty."""

    start = fields.String()
    end = fields.String()


class DutySchema(Schema):
    """Who is on duty."""

    person = fields.Nested(PersonSchema, allow_none=True)
    shift = fields.Nested(ShiftSchema, allow_none=True)


class ShiftsSchema(Schema):
    """Who is on duty when."""

    items = fields.List(fields.Nested(DutySchema))


class ReleaseSchema(Schema):
    """A release and the bugs that went live with it."""

    version = fields.String()
    live_at = fields.String()
    bugs = fields.List(fields.String())


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
