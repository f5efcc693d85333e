"""Taking a GitHub form over: what each of its fields becomes here, and the form that asks what we ask."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue, further_lists
from bugintake.intake.catalogue import LABEL_LENGTH, key_of
from bugintake.intake.filing import ASKED
from bugintake.intake.further_lists import Terms
from bugintake.intake.github_forms import FormField, GitHubForm
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option, OptionList
from bugintake.team.models import User
from bugintake.team.workspace import workspace

LIST, OUT = "list", "out"
TEXTS = {
    "steps": "Steps to see it",
    "actual": "What happened",
    "expected": "What should have happened",
}
LISTS: dict[OptionList, str] = {
    OptionList.AREA: "Where",
    OptionList.SYMPTOM: "What goes wrong",
    OptionList.IMPACT: "How bad",
    OptionList.FREQUENCY: "How often",
    OptionList.PLATFORM: "Platform",
    OptionList.VERSION: "Version",
}
TARGETS: Mapping[str, str] = {
    **TEXTS,
    **{kind.value: label for kind, label in LISTS.items()},
    LIST: "A list of its own",
    OUT: "Left out",
}

# What people call our three texts, surest first. A label is asked before an id: ids are often left over from a copy.
_TEXT_WORDS = {
    "steps": (r"steps|reproduc|repro\b|schritte|nachstell|pasos|reproducir", r"what did you do|how to see|testcase"),
    "expected": (r"expect|should (have )?happen|desired|erwart|espera",),
    "actual": (
        r"actual|observed|current.*behaviou?r|what happen|went wrong|tatsachlich|passiert|ocurri",
        r"describ|description|beschreib|descripcion|problem|\bissue\b|\bbug\b|incorrect",
    ),
}
_OTHERS = (
    r"operating|\bos\b|browser|python|node|java|ruby|php|\bqt\b|database|dbapi|driver|kernel|known|firmware|device"
)
_LIST_WORDS = {
    OptionList.VERSION: rf"^(?!.*({_OTHERS})).*\bversion",
    OptionList.PLATFORM: r"^(?!.*version).*(operating system|\bos\b|platform|plattform|plataforma|\bbrowser)",
    OptionList.IMPACT: r"severity|impact|priority|how bad|urgency|schwere|gravedad",
    OptionList.FREQUENCY: r"frequency|how often|reproducibility|haufigkeit|frecuencia",
    OptionList.AREA: r"component|\barea|\bmodule\b|komponente|bereich|componente",
    OptionList.SYMPTOM: r"symptom|(type|kind) of (bug|problem|issue)|what goes wrong",
}
ONE_OF_SEVERAL = "On GitHub several can be chosen; here a report chooses one."
LONGEST = 1000  # characters of a label that are looked at: markup that never ends would take seconds
_LINK = re.compile(r"\[([^\]\[]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"\*\*|__|`|(?<!\w)_|_(?!\w)")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What becomes of one field: its target, and what has to be added for it."""

    number: int
    field: FormField
    target: str
    label: str
    further: FurtherList | None
    new_options: Sequence[str]

    @property
    def outcome(self) -> str:
        """What becomes of it, in words."""
        return f"{self._outcome} {ONE_OF_SEVERAL}" if self.loses_several else self._outcome

    @property
    def loses_several(self) -> bool:
        """Whether several of its choices can be taken on GitHub, while a list here takes one."""
        is_group = self.field.type == "checkboxes" and len(self.field.options) > 1
        return self.target not in TEXTS and self.target != OUT and (self.field.multiple or is_group)

    @property
    def _outcome(self) -> str:
        if self.target == OUT:
            return "Left out: the form has three texts, and this is none of them."
        if self.target in TEXTS:
            return f"Asked already, as “{TEXTS[self.target]}”."
        choices = f"{len(self.new_options)} new choice{'' if len(self.new_options) == 1 else 's'}"
        if self.target == LIST and self.further is None:
            grows = ", grows by what is not listed" if self.field.type == "input" else f", {choices}"
            return f"A new list, {'required' if _is_required(self.field) else 'optional'}{grows}."
        name = self.further.label if self.further else LISTS[OptionList(self.target)]
        if self.further is not None and self.further.retired_at is not None:
            return f"Known as “{name}”, which is retired and stays so."
        return f"Asked already, as “{name}”" + (f": {choices}." if self.new_options else ".")


def proposals(form: GitHubForm, wanted: Mapping[int, str] | None = None) -> list[Proposal]:
    """Say what each field becomes; `wanted` are the targets that a person chose, by number from 1.

    Raises Invalid for a number or a target that does not exist.
    """
    for number, target in (wanted or {}).items():
        if not 1 <= number <= len(form.fields) or target not in TARGETS:
            raise Invalid(f"Field {number} cannot become “{target[:40]}”: there are {', '.join(TARGETS)}.", "wanted")
    targets = _targets(form.fields) | dict(wanted or {})
    return [_proposal(number, each, targets[number]) for number, each in enumerate(form.fields, 1)]


def adopt(found: Sequence[Proposal], *, actor: User | None) -> None:
    """Add the lists and choices that a form needs; what is there already stays as it is, so that twice is as once.

    Records list.added and option.added.
    """
    for each in found:
        name = each.target
        if each.target == LIST:
            further = each.further or _list_called(each.label, each.field.id)
            if further is None:
                terms = Terms(label=each.label, is_required=_is_required(each.field), grows=each.field.type == "input")
                further = further_lists.add_list(terms, actor=actor, name=each.field.id)
            name = further.name
        for label in each.new_options:
            if catalogue.labelled(name, label) is None:  # another field of the form may have brought it
                catalogue.add_option(name, label, actor=actor)


def our_form() -> GitHubForm:
    """Say as a GitHub form what our own form asks: lists that grow are short inputs."""
    choices = catalogue.choices()
    fields = [
        FormField(type="dropdown", id=kind.value, label=LISTS[kind], required=True, options=_labels(choices, kind))
        for kind in ASKED
        if choices[kind]
    ]
    for each in further_lists.asked(choices):
        kind, options = ("input", []) if each.grows else ("dropdown", _labels(choices, each.name))
        fields.append(FormField(type=kind, id=each.name, label=each.label, required=each.is_required, options=options))
    fields += [FormField(type="textarea", id=name, label=label, required=True) for name, label in TEXTS.items()]
    return GitHubForm(name="Bug report", description=f"Tell {workspace().name} about a bug", fields=fields)


def plain(text: str) -> str:
    """Take the markup out of a label, and cut it to what its column holds."""
    words = clean_line(_EMPHASIS.sub("", _LINK.sub(r"\1", text[:LONGEST])))
    return words if len(words) <= LABEL_LENGTH else words[: LABEL_LENGTH - 1].rstrip() + "…"


def _labels(choices: Mapping[str, Sequence[Option]], name: str) -> list[str]:
    return [option.label for option in choices.get(name, ())]


def _proposal(number: int, field: FormField, target: str) -> Proposal:
    label = plain(field.label) or field.id or f"Field {number}"
    further = _list_called(label, field.id) if target == LIST else None
    name = further.name if further else target
    new = {key_of(option): option for option in map(plain, field.options) if option}
    if target in TEXTS or target == OUT:
        new = {}
    elif target != LIST or further:
        new = {key: option for key, option in new.items() if catalogue.labelled(name, option) is None}
    return Proposal(
        number=number, field=field, target=target, label=label, further=further, new_options=list(new.values())
    )


def _list_called(label: str, name: str | None) -> FurtherList | None:
    every = further_lists.lists(with_retired=True)
    same = [each for each in every if key_of(each.label) == key_of(label)]
    return next(iter(same + [each for each in every if each.name == name]), None)


def _is_required(field: FormField) -> bool:
    return field.required or bool(field.required_options)


def _targets(fields: Sequence[FormField]) -> dict[int, str]:
    found: dict[int, str] = {}
    areas = {number: each for number, each in enumerate(fields, 1) if each.type == "textarea"}
    for name, rounds in _TEXT_WORDS.items():
        for pattern in rounds:
            _take(found, areas, name, pattern)
    lists = {number: each for number, each in enumerate(fields, 1) if each.type in ("dropdown", "input")}
    for kind, pattern in _LIST_WORDS.items():
        _take(found, lists, kind.value, pattern)
    return {n: found.get(n, OUT if each.type == "textarea" else LIST) for n, each in enumerate(fields, 1)}


def _take(found: dict[int, str], fields: Mapping[int, FormField], target: str, pattern: str) -> None:
    """Give a target to the first field that is called so, by label and then by id, unless it is given already."""
    free = {number: each for number, each in fields.items() if number not in found}
    labels = [(number, plain(each.label)) for number, each in free.items()]
    ids = [(number, re.sub(r"[-_]", " ", (each.id or "")[:LONGEST])) for number, each in free.items()]
    for number, words in labels + ids:
        if target not in found.values() and re.search(pattern, key_of(words)):
            found[number] = target
