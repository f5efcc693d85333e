"""The form that files a bug, and the form of one choice in the catalogue."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField

from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, LineField, TextField
from bugintake.intake import catalogue
from bugintake.intake.catalogue import choose
from bugintake.intake.customers import COUNTRIES
from bugintake.intake.filing import ASKED, NOBODY, NOT_CHOSEN, Draft
from bugintake.intake.models import Option, OptionList
from bugintake.intake.queries import language_name
from bugintake.intake.reports import NEEDED, SOURCE_LENGTH, TEXT_LENGTH
from bugintake.team.models import LANGUAGES

Choices = Mapping[OptionList, Sequence[Option]]
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")


def kept(field: Field) -> str:
    """Return what was typed as it was typed: a refused form gives it back."""
    given = field.raw_data[0] if field.raw_data else field.data
    return _UNPRINTABLE.sub("", str(given or ""))


class KeptLine(LineField):
    """One line of text; a refused form shows it as it was typed."""

    def _value(self) -> str:
        return kept(self)


class KeptText(TextField):
    """Several lines of text; a refused form shows them as they were typed."""

    def _value(self) -> str:
        return kept(self)


class Chosen:
    """A choice from one list of the catalogue, whatever its widget."""

    kind: OptionList
    rows: Sequence[tuple[str, str, dict[str, Any]]] = ()

    def offer(self, rows: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        """Say which choices there are: value, label, attributes."""
        self.rows = rows


class OptionField(Chosen, SelectField):
    """A choice from a list of the catalogue. What was sent and is not in it stays visible in a refused form."""

    def __init__(self, label: str, kind: OptionList, **settings: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, default="", **settings)
        self.kind = kind

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        """List the choices, with what was sent among them."""
        given = kept(self)
        yield ("", "Choose", not given, {})
        for value, label, attributes in self.rows:
            yield (value, label, value == given, attributes)
        if given and given not in {value for value, _, _ in self.rows}:
            yield (given, given, True, {})


class ImpactField(Chosen, RadioField):
    """How bad it is: a few cards, none of them chosen beforehand."""

    def __init__(self, label: str, kind: OptionList, **settings: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, default="", **settings)
        self.kind = kind

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        """List the cards."""
        for value, label, attributes in self.rows:
            yield (value, label, value == kept(self), attributes)


class ReportForm(Form):
    """Everything an agent says about one report; attaching to a known bug needs only the customer."""

    customer = KeptLine("Customer")
    customer_id = HiddenField()
    found_by_us = BooleanField("We found it ourselves, nobody waits")
    new_name = KeptLine("Name")
    new_company = KeptLine("Company")
    new_language = SelectField("Writes in", choices=[], validate_choice=False, default="")
    area = OptionField("Where", OptionList.AREA)
    symptom = OptionField("What goes wrong", OptionList.SYMPTOM)
    impact = ImpactField("How bad is it for the customer?", OptionList.IMPACT)
    frequency = OptionField("How often", OptionList.FREQUENCY)
    platform = OptionField("Platform", OptionList.PLATFORM)
    version = OptionField("Version", OptionList.VERSION)
    steps = KeptText("Steps to see it")
    actual = KeptText("What happened")
    expected = KeptText("What should have happened")
    source = HiddenField()
    key = HiddenField()

    PREFILLED = ("customer", "new_name", "new_company", "new_language", "steps", "actual", "expected")
    is_attaching = False
    form_errors: list[str]

    def offer(self, choices: Choices, used: Mapping[int, int], languages: Sequence[str]) -> None:
        """Fill the lists: where it happens by how often it was chosen lately, versions from the newest."""
        spoken = [(each, language_name(each), {"data-countries": " ".join(COUNTRIES[each])}) for each in languages]
        self.new_language.choices = [("", "As the address says"), *spoken]
        for kind in ASKED:
            self.field_of(kind).offer([_row(each, used) for each in _ordered(kind, choices[kind], used)])

    def field_of(self, kind: OptionList) -> Any:
        """Return the field of a list."""
        return self[kind.value]

    def validate(self, extra_validators: Any = None) -> bool:
        """Check what needs no look at the customers: every refusal is a sentence at its field."""
        is_fine = super().validate(extra_validators)
        for kind in ASKED:
            self._check_choice(kind)
        for name, sentence in NEEDED.items():
            if not self[name].data and not self.is_attaching:
                self.refuse(sentence, name)
            elif len(self[name].data or "") > TEXT_LENGTH:
                self.refuse(f"That is longer than {TEXT_LENGTH:,} characters. Keep what shows the bug.", name)
        is_named = bool(self.customer.data or self.new_name.data)
        if self.is_attaching:
            if not is_named:
                self.refuse("Choose the customer who waits for it.", "customer")
        elif self.found_by_us.data and self.customer.data:
            self.refuse("Choose one of the two: a customer, or that we found it ourselves.", "customer")
        elif not (self.found_by_us.data or is_named):
            self.refuse(NOBODY, "customer")
        if len(self.source.data or "") > SOURCE_LENGTH:
            self.refuse(f"The link to where it came from has more than {SOURCE_LENGTH} characters.")
        return is_fine and not self.errors

    def refuse(self, sentence: str, name: str | None = None) -> None:
        """Put a sentence at a field, or at the top where it belongs to none."""
        name = {"email": "customer", "name": "new_name", "company": "new_company", "language": "new_language"}.get(
            name or "", name
        )
        if name in self:
            field = self[name]
            field.errors = [*field.errors, sentence]
        else:
            self.form_errors = [*self.form_errors, sentence]

    def draft(self) -> Draft:
        """Return what was typed, cleaned."""
        return Draft(
            customer=self.customer.data or "",
            customer_id=self.customer_id.data or "",
            new_name=self.new_name.data or "",
            new_company=self.new_company.data or "",
            new_language=self.new_language.data or "",
            is_found_by_us=bool(self.found_by_us.data),
            choices={kind: self.field_of(kind).data or "" for kind in ASKED},
            steps=self.steps.data or "",
            actual=self.actual.data or "",
            expected=self.expected.data or "",
            source=_UNPRINTABLE.sub("", self.source.data or "").strip(),
        )

    def _check_choice(self, kind: OptionList) -> None:
        field = self.field_of(kind)
        given = field.data or ""
        if not given:
            if not self.is_attaching:
                self.refuse(NOT_CHOSEN[kind], kind.value)
        elif given not in {value for value, _, _ in field.rows}:
            try:
                choose(kind, given)
            except Invalid as refusal:
                self.refuse(f"{NOT_CHOSEN[kind]} {refusal.sentence}", kind.value)


class OptionForm(Form):
    """One choice of the catalogue, as a lead writes it."""

    label = KeptLine("Name")
    aliases = KeptLine("Also found by", description="Other words people type, separated by commas.")
    hint = KeptLine("In a few words")
    deadline_minutes = KeptLine("Look at it within", description="In working minutes.")
    label_en = KeptLine("Customers read, in English")
    label_de = KeptLine("In German")
    label_es = KeptLine("In Spanish")

    form_errors: list[str]

    def values(self) -> dict[str, Any]:
        """Return what was typed as the catalogue takes it. Raises Invalid for a deadline that is no number."""
        deadline = self.deadline_minutes.data or ""
        if deadline and not re.fullmatch(r"[0-9]{1,6}", deadline):
            raise Invalid("A deadline is a whole number of working minutes.", "deadline_minutes")
        words = {language: self[f"label_{language}"].data or "" for language in LANGUAGES}
        aliases = [catalogue.key_of(alias) for alias in (self.aliases.data or "").split(",")]
        return {
            "label": self.label.data or "",
            "aliases": list(dict.fromkeys(alias for alias in aliases if alias)),
            "labels": {language: label for language, label in words.items() if label},
            "hint": self.hint.data or "",
            "deadline_minutes": int(deadline) if deadline else None,
        }

    def show(self, option: Option) -> None:
        """Fill in what the choice has now."""
        self.label.data = option.label
        self.aliases.data = ", ".join(option.aliases)
        self.hint.data = option.hint
        self.deadline_minutes.data = str(option.deadline_minutes or "")
        for language in LANGUAGES:
            self[f"label_{language}"].data = option.labels.get(language, "")

    def refuse(self, sentence: str, name: str | None = None) -> None:
        """Put a sentence at a field, or at the top where it belongs to none."""
        if name in self:
            self[name].errors = [*self[name].errors, sentence]
        else:
            self.form_errors = [*self.form_errors, sentence]


def _ordered(kind: OptionList, options: Sequence[Option], used: Mapping[int, int]) -> list[Option]:
    if kind == OptionList.AREA:
        return sorted(options, key=lambda each: (each.is_unsure, -used.get(each.id, 0)))
    if kind == OptionList.VERSION:
        return sorted(options, key=lambda each: (each.is_unsure, -each.position))
    return list(options)


def _row(option: Option, used: Mapping[int, int]) -> tuple[str, str, dict[str, Any]]:
    attributes: dict[str, Any] = {}
    if option.list == OptionList.IMPACT:
        attributes = {"data-rank": min(option.position, 4), "data-d": option.hint}
    elif option.aliases:
        attributes = {"data-a": ",".join(option.aliases)}
    if used.get(option.id):
        attributes["data-k"] = f"{used[option.id]} lately"
    return (str(option.id), option.label, attributes)
