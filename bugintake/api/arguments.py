"""What the API takes: shape, length and choices of every field. An unknown field is refused."""

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from bugintake.core.forms import clean_line, clean_text
from bugintake.intake.catalogue import LABEL_LENGTH
from bugintake.intake.models import Status
from bugintake.loop.models import MessageState
from bugintake.team.models import LANGUAGES

LONGEST = 20_000
OR_WORD = {"description": 'An option\'s id, label or alias, or {"not_listed": "…"}: a word that a lead decides about.'}
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


@dataclass(frozen=True)
class NotListed:
    """A word that a list does not have, for a lead to decide about."""

    word: str


class ChoiceOrWord(Choice):
    """An option as Choice takes it, or `{"not_listed": "a word"}`, which a lead decides about later."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            return super()._deserialize(value, attr, data, **kwargs)
        word = value.get("not_listed")
        if value.keys() != {"not_listed"} or not isinstance(word, str) or not 0 < len(clean_line(word)) <= LABEL_LENGTH:
            raise ValidationError(f'Give {{"not_listed": "…"}} a word of at most {LABEL_LENGTH} characters.')
        return NotListed(word)


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


class CustomerArgs(Schema):
    """Who told us. An address that is known already names the customer there is; so does a name without an address."""

    email = Line(validate=validate.Length(min=3, max=254), load_default=None, allow_none=True)
    name = Line(validate=validate.Length(max=200), load_default="")
    language = fields.String(validate=LANGUAGE, load_default=None, allow_none=True)
    account = Line(validate=validate.Length(max=200), load_default="")


class ReportArgs(Schema):
    """A report to file; with `bug` the customer is attached to that one."""

    customer = fields.Nested(CustomerArgs, required=True, allow_none=True)
    area = ChoiceOrWord(required=True, metadata=OR_WORD)
    symptom = ChoiceOrWord(required=True, metadata=OR_WORD)
    impact = Choice(required=True)
    frequency = ChoiceOrWord(required=True, metadata=OR_WORD)
    platform = ChoiceOrWord(required=True, metadata=OR_WORD)
    version = ChoiceOrWord(required=True, metadata=OR_WORD)
    steps = Text(required=True, validate=validate.Length(min=1, max=LONGEST))
    actual = Text(required=True, validate=validate.Length(min=1, max=LONGEST))
    expected = Text(required=True, validate=validate.Length(min=1, max=LONGEST))
    choices = fields.Dict(keys=fields.String(), values=Choice(), load_default=dict)
    bug = fields.String(load_default=None, allow_none=True)


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


class TransitionArgs(Schema):
    """Where a bug goes, and the words that this needs."""

    to = fields.Enum(Status, by_value=True, required=True)
    version = Choice(load_default=None)
    customer_note = Note(load_default=None)
    reason = Choice(load_default=None)
    workaround = Note(load_default=None, allow_none=True)
    question = Text(load_default="", validate=validate.Length(max=4000))
    missing = Line(load_default="", validate=validate.Length(max=120))


class MergeArgs(Schema):
    """Which bug another one is the same as."""

    into = fields.String(required=True, validate=validate.Length(min=1, max=20), metadata={"example": "BUG-142"})


class DutyArgs(Schema):
    """Which instant, and which rotation."""

    at = fields.AwareDateTime(format="iso", load_default=None)
    rotation = fields.Integer(load_default=None, validate=validate.Range(min=1, max=2**31 - 1))


class ShiftsArgs(Schema):
    """Which days, and which rotation."""

    since = fields.Date(required=True, data_key="from")
    to = fields.Date(required=True)
    rotation = fields.Integer(load_default=None, validate=validate.Range(min=1, max=2**31 - 1))


class ReleaseArgs(Schema):
    """A version that is live, now or from a time on that has passed."""

    version = Line(required=True, validate=validate.Length(min=1, max=120))
    live_at = fields.AwareDateTime(format="iso", load_default=None, allow_none=True)


class AnnouncementsArgs(PageArgs):
    """Which announcements."""

    state = fields.String(load_default=None, validate=validate.OneOf(["open", "held", "sent", "cancelled"]))


class MessagesArgs(PageArgs):
    """Which messages."""

    state = fields.Enum(MessageState, by_value=True, load_default=None)


class SimilarArgs(Schema):
    """What a report is about so far."""

    area = Choice(required=True)
    symptom = Choice(load_default=None)
    text = Text(load_default="", validate=validate.Length(max=LONGEST))
