"""The form that files a bug."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from wtforms import BooleanField, HiddenField, MultipleFileField, SelectField

from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, KeptLine, KeptText, kept, printable
from bugintake.intake import further_lists, platforms, proposals
from bugintake.intake.catalogue import LABEL_LENGTH, Choice, choose
from bugintake.intake.customers.adding import COUNTRIES
from bugintake.intake.customers.queries import language_name
from bugintake.intake.filing import ASKED, NOBODY, NOT_CHOSEN, WHICH_VERSION, Typed
from bugintake.intake.hints import Hint, hints, masked
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import OptionList
from bugintake.intake.option_fields import OTHER, FurtherField, ImpactField, OptionField
from bugintake.intake.reports import NEEDED, SOURCE_LENGTH, TEXT_LENGTH

Choices = Mapping[str, Sequence[Choice]]


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
    area_other, area_new = KeptLine(), KeptLine("Where: not listed")
    symptom_other, symptom_new = KeptLine(), KeptLine("What goes wrong: not listed")
    frequency_other, frequency_new = KeptLine(), KeptLine("How often: not listed")
    platform_other, platform_new = KeptLine(), KeptLine("Platform: not listed")
    version_other, version_new = KeptLine(), KeptLine("Version: not listed")
    files = MultipleFileField("Files")
    source = HiddenField()
    key = HiddenField()
    revision = HiddenField()
    filled = HiddenField()  # the lists that the customer's last report filled in, and nobody chose
    another = HiddenField()  # what is filed next is for the same customer

    lists: Sequence[FurtherList] = ()
    offered: Choices = {}
    strays: Sequence[str] = ()
    PREFILLED = ("customer", "new_name", "new_company", "new_language", "steps", "actual", "expected")
    is_attaching = False
    asks_version = False  # of a live bug: it decides whether that came back
    refused_files: Sequence[str] = ()
    notes: Sequence[str] = ()
    hints: Sequence[Hint] = ()
    bug_ref: str | None = None

    def offer(self, used: Mapping[int, int], languages: Sequence[str]) -> None:
        """Fill the lists to be shown: where it happens by how often it was chosen lately, versions from the newest."""
        spoken = [(each, language_name(each), {"data-countries": " ".join(COUNTRIES[each])}) for each in languages]
        self.hints = self.found_hints()
        self.new_language.choices = [("", "As the address says"), *spoken]
        for kind in ASKED:
            self.field_of(kind).offer([_row(each, used) for each in _ordered(kind, self.offered[kind], used)])
        for further in self.lists:
            field = self.further_field(further)
            field.further = further
            field.offer([_row(each, used) for each in self.offered.get(further.name, ())])
        for name in self.words_for:
            self[name].words = kept(self[f"{name}_{OTHER}"])

    def found_hints(self) -> list[Hint]:
        """Say what may be wrong with the texts; whoever attaches may leave the steps out."""
        return hints(**{name: self[name].data or "" for name in NEEDED}, may_lack_steps=self.bug_ref is not None)

    def mask(self) -> dict[str, str]:
        """Put dots where the texts hold what looks like a secret, and return them."""
        for name in NEEDED:
            field = self[name]
            field.raw_data = [masked(kept(field))]
            field.process_formdata(field.raw_data)
        return {name: kept(self[name]) for name in NEEDED}

    def leave_open(self, name: str) -> None:
        """Empty a list that the customer's last report filled in: what they used then says nothing of now."""
        filled = (self.filled.data or "").split()
        if name in filled:
            self[name].data, self[name].raw_data = "", [""]
            self.filled.data = " ".join(each for each in filled if each != name)

    def field_of(self, kind: OptionList) -> Any:
        """Return the field of a list."""
        return self[kind.value]

    def further_field(self, further: FurtherList) -> Any:
        """Return the field of one of the further lists."""
        return self[f"list_{further.name}"]

    @property
    def further_fields(self) -> list[Any]:
        """List the fields of the further lists."""
        return [self.further_field(each) for each in self.lists]

    @property
    def words_for(self) -> list[str]:
        """Name the fields that take words which are not listed."""
        built_in = [kind.value for kind in ASKED if kind in proposals.WELCOME]
        return built_in + [f"list_{each.name}" for each in self.lists if each.grows]

    @property
    def word_names(self) -> list[str]:
        """Name the words that may be sent for the built-in lists."""
        return [f"{kind.value}_{ending}" for kind in ASKED if kind in proposals.WELCOME for ending in (OTHER, "new")]

    @property
    def further_names(self) -> list[str]:
        """Name everything that is sent for the further lists."""
        return [f"list_{each.name}{ending}" for each in self.lists for ending in ("", f"_{OTHER}", "_new")]

    def labels_of(self, area_ids: Sequence[int]) -> list[str]:
        """Name areas."""
        return [each.label for each in self.offered[OptionList.AREA] if each.id in area_ids]

    @property
    def area_id(self) -> int:
        """The area as it was chosen from the list; 0 while it was not."""
        given = kept(self.area)
        return int(given) if self._offers(OptionList.AREA, given) else 0

    def _offers(self, kind: OptionList, given: str) -> bool:
        return any(str(each.id) == given for each in self.offered[kind])

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
        for further in self.lists:
            self._check_further(further)
        for stray in self.strays:
            self.refuse(f"Nobody asks for the list “{stray}” any more: what was chosen from it is left out.")
        is_named = bool(self.customer.data or self.new_name.data)
        if self.is_attaching:
            if not is_named:
                self.refuse("Choose the customer who waits for it.", "customer")
        elif self.found_by_us.data and self.customer.data:
            self.refuse("Choose one of the two: a customer, or that we found it ourselves.", "customer")
        elif not (self.found_by_us.data or is_named):
            self.refuse(NOBODY, "customer")
        for sentence in self.refused_files:
            self.refuse(sentence, "files")
        if len(self.source.data or "") > SOURCE_LENGTH:
            self.refuse(f"The link to where it came from has more than {SOURCE_LENGTH} characters.")
        return is_fine and not self.errors

    def refuse(self, sentence: str, name: str | None = None) -> None:
        """Put a sentence at a field, or at the top where it belongs to none."""
        name = f"list_{name}" if name in {each.name for each in self.lists} else name
        name = {"email": "customer", "name": "new_name", "company": "new_company", "language": "new_language"}.get(
            name or "", name
        )
        super().refuse(sentence, name)

    def typed(self) -> Typed:
        """Return what was typed, cleaned."""
        return Typed(
            customer=self.customer.data or "",
            customer_id=self.customer_id.data or "",
            new_name=self.new_name.data or "",
            new_company=self.new_company.data or "",
            new_language=self.new_language.data or "",
            is_found_by_us=bool(self.found_by_us.data),
            choices={kind: self._choice(kind) for kind in ASKED},
            not_listed={kind: self._words(kind.value) for kind in ASKED if kind in proposals.WELCOME},
            further={each.name: self._given(each) for each in self.lists},
            steps=self.steps.data or "",
            actual=self.actual.data or "",
            expected=self.expected.data or "",
            source=printable(self.source.data or "").strip(),
        )

    def _check_choice(self, kind: OptionList) -> None:
        given, words = self._choice(kind), self._words(kind.value) if kind in proposals.WELCOME else ""
        if len(words) > LABEL_LENGTH:
            self.refuse(f"A choice has at most {LABEL_LENGTH} characters.", kind.value)
        elif words:
            self._check_words(kind, words)
        elif not given:
            if not self.is_attaching:
                self.refuse(NOT_CHOSEN[kind], kind.value)
            elif self.asks_version and kind == OptionList.VERSION:
                self.refuse(WHICH_VERSION, kind.value)
        elif not self._offers(kind, given):
            try:
                choose(kind, given)
            except Invalid as refusal:
                self.refuse(f"{NOT_CHOSEN[kind]} {refusal.sentence}", kind.value)

    def _check_words(self, kind: OptionList, words: str) -> None:
        try:
            proposals.known(kind, words)
        except Invalid as refusal:
            self.refuse(f"{NOT_CHOSEN[kind]} {refusal.sentence}", kind.value)

    def _choice(self, kind: OptionList) -> str:
        given = self.field_of(kind).data or ""
        if given in ("", OTHER) and kind == OptionList.PLATFORM:
            return self._platform_read()
        return "" if given == OTHER and kind in proposals.WELCOME else given

    def _platform_read(self) -> str:
        """Return the platform meant where somebody pasted what a browser says of itself, as no word of the list is."""
        for words in (self.platform_other.data or "", self.platform_new.data or ""):
            if platforms.is_agent(words):
                meant = platforms.meant_by(words, self.offered[OptionList.PLATFORM])
                return str(meant.id) if meant is not None else ""
        return ""

    def _words(self, name: str) -> str:
        """Return the words that are not listed; a choice from the list goes before them."""
        given = self[name].data or ""
        if given not in ("", OTHER) or (name == OptionList.PLATFORM and self._platform_read()):
            return ""
        return str(self[f"{name}_{'new' if given == '' else OTHER}"].data or "")

    def _check_further(self, further: FurtherList) -> None:
        given = self._given(further)
        if not self.area_id:
            return
        try:
            further_lists.check(further, given, self.area_id)
        except Invalid as refusal:
            self.refuse(refusal.sentence, further.name)
        if given == "" and not self.is_attaching and further_lists.is_owed(further, self.area_id):
            self.refuse(further_lists.missing(further), further.name)

    def _given(self, further: FurtherList) -> int | str:
        field = self.further_field(further)
        given = field.data or ""
        if further.grows and given in ("", OTHER):
            return self._words(field.name)
        return int(given) if re.fullmatch(r"[0-9]{1,10}", given) else given


def report_form(
    lists: Sequence[FurtherList], offered: Choices, given: Mapping[str, str] | None, values: Mapping[str, Any]
) -> ReportForm:
    """Make the form that asks for the further lists too, of what the catalogue offers, filled with what was given."""
    form = _asking_for(tuple((each.name, each.label) for each in lists))(formdata=given, data=values)
    form.lists, form.offered = lists, offered
    return form


@lru_cache(maxsize=16)
def _asking_for(lists: Sequence[tuple[str, str]]) -> type[ReportForm]:
    """Make the fields for further lists, by name and label; making a class of fields costs more than filling it in.

    Words that are not listed come as `list_<name>_other` with JavaScript, as `list_<name>_new` without.
    """
    fields: dict[str, Any] = {}
    for called, label in lists:
        name = f"list_{called}"
        fields[name] = FurtherField(label, called)
        fields |= {f"{name}_{OTHER}": KeptLine(), f"{name}_new": KeptLine(f"{label}: not listed")}
    return type("ReportForm", (ReportForm,), fields)


def _ordered(kind: OptionList, options: Sequence[Choice], used: Mapping[int, int]) -> list[Choice]:
    if kind == OptionList.AREA:
        return sorted(options, key=lambda each: (each.is_unsure, -used.get(each.id, 0)))
    if kind == OptionList.VERSION:
        return sorted(options, key=lambda each: (each.is_unsure, -each.position))
    return list(options)


def _row(option: Choice, used: Mapping[int, int]) -> tuple[str, str, dict[str, Any]]:
    attributes: dict[str, Any] = {}
    if option.list == OptionList.IMPACT:
        attributes = {"data-rank": min(option.position, 4), "data-d": option.hint}
    elif option.aliases:
        attributes = {"data-a": ",".join(option.aliases)}
    if used.get(option.id):
        attributes["data-k"] = f"{used[option.id]} lately"
    return (str(option.id), option.label, attributes)
