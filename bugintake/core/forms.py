"""Forms: text is cleaned on the way in, and a refused form keeps every value."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from babel.support import Translations
from flask_babel import get_locale
from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.i18n import messages_path

from bugintake.core.errors import Clash, Stale

_LINE_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x85]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def clean_text(text: str) -> str:
    """Make a text storable: one kind of line break, no control characters, no half characters, no outer blanks."""
    text = _LINE_BREAKS.sub("\n", text)
    text = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    return unicodedata.normalize("NFC", text).strip()


def clean_line(text: str) -> str:
    """Make a name or label storable: as clean_text, and on one line."""
    return _SPACES.sub(" ", clean_text(text))


def fingerprint(value: Any) -> str:
    """Say shortly what a page shows of a value: a row of a table is its key, nothing is empty."""
    if value is None or hasattr(value, "id"):
        return str(value.id) if value is not None else ""
    plain = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:12]


@dataclass(frozen=True)
class Seen:
    """What a page showed when it was opened: its form carries the fingerprint of each field as `seen_<field>`.

    `keeps` names the fields that are to stay as somebody else wrote them.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    keeps: Set[str] = frozenset()

    @classmethod
    def on(cls, form: Mapping[str, str]) -> "Seen":
        """Read it from what was sent."""
        fields = {name.removeprefix("seen_"): value for name, value in form.items() if name.startswith("seen_")}
        return cls(fields, frozenset(form.get("keep", "").split()))

    def changes(
        self, now: Mapping[str, Any], typed: Mapping[str, Any], who: Callable[[str], str] = lambda _name: ""
    ) -> dict[str, Any]:
        """Pick from what was typed the fields that were really changed; call it with their row locked.

        So edits of different fields both survive. A field that the page did not say it showed is taken as typed.
        Raises Stale with the fields that hold neither what was typed nor what the page showed; `who` says who changed
        one of them.
        """
        stands = {name: fingerprint(now[name]) for name in typed}
        untouched = {name for name, mine in typed.items() if fingerprint(mine) in (stands[name], self.fields.get(name))}
        mine = {name: value for name, value in typed.items() if name not in untouched | self.keeps}
        lost = [name for name in mine if self.fields.get(name, stands[name]) != stands[name]]
        if lost:
            raise Stale([Clash(each, now[each], mine[each], who(each), stands[each]) for each in lost])
        return mine


translations_of = cache(lambda locale: Translations.load(messages_path(), [locale], domain="wtforms"))


class Form(FlaskForm):
    """A form of the house. Forgery is refused before the view, so the form itself does not check it again."""

    class Meta(FlaskForm.Meta):
        """Leave the token to core.security, which checks every unsafe request, and keep what WTForms says itself."""

        csrf = False

        def get_translations(self, _form: FlaskForm) -> Any:
            """Return WTForms' own sentences in the reader's language, which Flask-WTF would load for each request."""
            return translations_of(str(get_locale()))

    form_errors: list[str]

    def refuse(self, sentence: str, name: str | None = None) -> None:
        """Put a sentence at a field, or at the top where it belongs to none."""
        if name in self:
            self[name].errors = [*self[name].errors, sentence]
        else:
            self.form_errors = [*self.form_errors, sentence]


def worded(**sentences: str) -> Any:
    """Say it in the house's words; the stubs of WTForms do not know these options yet."""
    return sentences


class LineField(StringField):
    """One line of text."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Clean what was typed."""
        if valuelist:
            self.data = clean_line(str(valuelist[0]))


class TextField(TextAreaField):
    """Several lines of text."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Clean what was typed."""
        if valuelist:
            self.data = clean_text(str(valuelist[0]))


def printable(text: str) -> str:
    """Take out what no page can hold, and leave the rest as it is."""
    return _UNPRINTABLE.sub("", text)


def kept(field: Field) -> str:
    """Return what was typed as it was typed: a refused form gives it back."""
    given = field.raw_data[0] if field.raw_data else field.data
    return printable(str(given or ""))


class KeptLine(LineField):
    """One line of text; a refused form shows it as it was typed."""

    def _value(self) -> str:
        return kept(self)


class KeptText(TextField):
    """Several lines of text; a refused form shows them as they were typed."""

    def _value(self) -> str:
        return kept(self)


class Zone:
    """Validator: a time zone that exists."""

    def __call__(self, form: Any, field: Field) -> None:
        """Raise ValidationError for a zone that nobody knows."""
        if not is_zone(field.data):
            raise ValidationError(f"There is no time zone named {field.data}.")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks the disk: 10 ms


def is_zone(name: str | None) -> bool:
    """Whether a time zone of this name exists."""
    return bool(name) and name in _zones()


def zone_or_utc(name: str | None) -> ZoneInfo:
    """Open a zone by name; one that no longer exists reads as UTC."""
    return ZoneInfo(name) if name and is_zone(name) else ZoneInfo("UTC")


def zone_names() -> list[str]:
    """List the zones a person can choose, in alphabetical order."""
    return [*sorted(name for name in _zones() if "/" in name and not name.startswith("Etc/")), "UTC"]
