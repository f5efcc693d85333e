"""The forms of the catalogue: one choice of a list, and one of the further lists."""

import re
from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, SelectMultipleField

from bugintake.core.errors import Invalid
from bugintake.core.forms import Form, KeptLine, KeptText
from bugintake.intake import catalogue
from bugintake.intake.catalogue import Choice
from bugintake.intake.further_lists import Terms
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option
from bugintake.intake.option_fields import OptionField
from bugintake.team.models import LANGUAGES


class OptionForm(Form):
    """One choice of the catalogue, as a lead writes it."""

    label = KeptLine("Name")
    aliases = KeptLine("Also found by", description="Other words people type, separated by commas.")
    hint = KeptLine("In a few words")
    deadline_minutes = KeptLine("Look at it within", description="In working minutes.")
    label_en = KeptLine("Customers read, in English")
    label_de = KeptLine("In German")
    label_es = KeptLine("In Spanish")
    intended = KeptText(
        "How it is meant to behave",
        description="Stands beside the form of whoever files a bug here: what often surprises, and is right.",
    )
    is_intended = BooleanField(
        "What is declined for this reason works as intended",
        description="It stands beside the form and among the known bugs for ever, not only for 90 days.",
    )

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
        self.intended.data, self.is_intended.data = option.intended, option.is_intended


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


class ListForm(Form):
    """A further list."""

    label = KeptLine("Name", description="What the form asks, in a few words.")
    label_en = KeptLine("Customers read, in English")
    label_de = KeptLine("In German")
    label_es = KeptLine("In Spanish")
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
        words = {language: self[f"label_{language}"].data or "" for language in LANGUAGES}
        return Terms(
            label=self.label.data or "",
            labels={language: label for language, label in words.items() if label},
            is_required=bool(self.is_required.data),
            grows=bool(self.grows.data),
            areas=[by_id[each] for each in given],
        )

    def show(self, found: FurtherList) -> None:
        """Fill in what the list is now."""
        self.label.data = found.label
        self.is_required.data, self.grows.data = found.is_required, found.grows
        self.areas.data = [str(area_id) for area_id in found.area_ids]
        for language in LANGUAGES:
            self[f"label_{language}"].data = found.labels.get(language, "")
