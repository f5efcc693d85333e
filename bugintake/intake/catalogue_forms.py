"""The forms of the catalogue: one choice of a list, and one of the further lists."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wtforms import BooleanField, SelectField, SelectMultipleField

from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, KeptLine, KeptText
from bugintake.intake.catalogue import Choice
from bugintake.intake.further_lists import Terms
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option, OptionList
from bugintake.intake.option_editing import aliases_in
from bugintake.intake.option_fields import OptionField
from bugintake.team.models import LANGUAGES
from bugintake.team.people import Colleague
from bugintake.team.workspace import workspace


class _Worded(Form):
    """Something with a name, and what customers read for it in each language."""

    label = KeptLine("Name")
    label_en = KeptLine("Customers read, in English")
    label_de = KeptLine("In German")
    label_es = KeptLine("In Spanish")
    label_fr = KeptLine("In French")
    label_pt = KeptLine("In Portuguese")
    label_tr = KeptLine("In Turkish")
    label_zh = KeptLine("In Chinese (Simplified)")
    label_ar = KeptLine("In Arabic")

    def spoken_fields(self) -> list[tuple[str, Any]]:
        """List the workspace's languages, each with its field."""
        return [(language, self[f"label_{language}"]) for language in LANGUAGES if language in workspace().languages]

    def unoffered_fields(self) -> list[Any]:
        """List the fields of other languages in which something is written: it stays as it is."""
        fields = [self[f"label_{language}"] for language in LANGUAGES if language not in workspace().languages]
        return [field for field in fields if field.data]

    def spoken(self) -> dict[str, str]:
        """Return what customers read, by language."""
        words = {language: self[f"label_{language}"].data or "" for language in LANGUAGES}
        return {language: label for language, label in words.items() if label}

    def show_words(self, label: str, labels: Mapping[str, str]) -> None:
        """Fill in the name and what customers read."""
        self.label.data = label
        for language in LANGUAGES:
            self[f"label_{language}"].data = labels.get(language, "")


class OptionForm(_Worded):
    """One choice of the catalogue, as a lead writes it."""

    aliases = KeptLine("Also found by", description="Other words people type, separated by commas.")
    hint = KeptLine("In a few words")
    deadline_minutes = KeptLine("Look at it within", description="In working minutes.")
    owner = SelectField("Owner", description="Who knows it best.", validate_choice=False)
    intended = KeptText(
        "How it is meant to behave",
        description="Stands beside the form of whoever files a bug here: what often surprises, and is right.",
    )
    is_intended = BooleanField(
        "What is declined for this reason works as intended",
        description="It stands beside the form and among the known bugs for ever, not only for 90 days.",
    )

    def offer(self, people: Iterable[Colleague]) -> None:
        """Say who may own an area."""
        offered = [(str(each.id), each.name) for each in people if each.is_active or str(each.id) == self.owner.data]
        self.owner.choices = [("", "Whoever is on duty"), *offered]

    def values(self) -> dict[str, Any]:
        """Return what was typed as a new choice has it. Raises Invalid for a deadline that is no number."""
        deadline = self._deadline()
        return {
            "label": self.label.data or "",
            "aliases": aliases_in(self.aliases.data or ""),
            "labels": self.spoken(),
            "hint": self.hint.data or "",
            "deadline_minutes": int(deadline) if deadline else None,
        }

    def typed(self, option: Option, people: Mapping[int, Colleague]) -> dict[str, Any]:
        """Return the fields that were sent, as option_editing takes them.

        Raises Invalid for a deadline that is no number, and an owner who does not work here.
        """
        self._deadline()
        apart = ("aliases", "owner", "is_intended")
        found: dict[str, Any] = {
            each.name: each.data or "" for each in self if each.raw_data and each.name not in apart
        }
        if self.aliases.raw_data:
            found["aliases"] = ", ".join(aliases_in(self.aliases.data or ""))
        if self.owner.raw_data:
            found["owner"] = self._owner(option, people)
        if option.list == OptionList.DECLINE_REASON:
            found["is_intended"] = bool(self.is_intended.data)
        return found

    def show(self, option: Option) -> None:
        """Fill in what the choice has now."""
        self.show_words(option.label, option.labels)
        self.aliases.data = ", ".join(option.aliases)
        self.hint.data = option.hint
        self.deadline_minutes.data = str(option.deadline_minutes or "")
        self.owner.data = str(option.owner_id or "")
        self.intended.data, self.is_intended.data = option.intended, option.is_intended

    def _deadline(self) -> str:
        deadline = self.deadline_minutes.data or ""
        if deadline and not re.fullmatch(r"[0-9]{1,6}", deadline):
            raise Invalid("A deadline is a whole number of working minutes.", "deadline_minutes")
        return deadline

    def _owner(self, option: Option, people: Mapping[int, Colleague]) -> Colleague | None:
        given = self.owner.data or ""
        if not given:
            return None
        found = people.get(int(given)) if re.fullmatch(r"[0-9]{1,9}", given) else None
        if found is None or not (found.is_active or found.id == option.owner_id):
            raise Invalid("Choose somebody who works here.", "owner")
        return found


class MergeForm(Form):
    """What one choice is another name of."""

    into = OptionField("What the list has already", "")

    def offer(self, option: Option, choices: Sequence[Choice]) -> None:
        """List what may stand for a choice."""
        others = [each for each in choices if each.id != option.id]
        self.into.offer([(str(each.id), each.label, {"data-a": ",".join(each.aliases)}) for each in others])


class ProposalForm(MergeForm):
    """What becomes of a proposed word: a label to add it under, or the choice that stands for it."""

    label = KeptLine("Name")

    def offer(self, option: Option, choices: Sequence[Choice]) -> None:
        """Begin with the word as it was typed, and list what may stand for it."""
        if self.label.raw_data is None:
            self.label.data = option.label
        super().offer(option, choices)


class ListForm(_Worded):
    """A further list."""

    label = KeptLine("Name", description="What the form asks, in a few words.")
    is_required = BooleanField("Every report must choose from it")
    grows = BooleanField("Words that are not listed are welcome, and wait for a lead's decision")
    areas = SelectMultipleField("Asked for these areas only", validate_choice=False)

    def offer(self, areas: Sequence[Option]) -> None:
        """Say which areas there are."""
        self.areas.choices = [(str(each.id), each.label + (", retired" if each.retired_at else "")) for each in areas]

    def terms(self, areas: Sequence[Option]) -> Terms:
        """Return what was typed. Raises Invalid for an area that is not among these."""
        by_id = {str(each.id): each for each in areas}
        given = self.areas.data or []
        if any(each not in by_id for each in given):
            raise Invalid("Choose the areas from the list.", "areas")
        return Terms(
            label=self.label.data or "",
            labels=self.spoken(),
            is_required=bool(self.is_required.data),
            grows=bool(self.grows.data),
            areas=[by_id[each] for each in given],
        )

    def show(self, found: FurtherList) -> None:
        """Fill in what the list is now."""
        self.show_words(found.label, found.labels)
        self.is_required.data, self.grows.data = found.is_required, found.grows
        self.areas.data = [str(area_id) for area_id in found.area_ids]
