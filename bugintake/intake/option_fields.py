"""Fields that choose from a list of the catalogue."""

from collections.abc import Iterator, Sequence
from typing import Any

from wtforms import RadioField, SelectField

from bugintake.core.forms import kept
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option, OptionList

OTHER = "other"  # what static/combobox.js sends for words that are not listed


class Chosen:
    """A choice from one list of the catalogue, whatever its widget."""

    kind: str
    rows: Sequence[tuple[str, str, dict[str, Any]]] = ()

    def offer(self, rows: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        """Say which choices there are: value, label, attributes."""
        self.rows = rows


class OptionField(Chosen, SelectField):
    """A choice from a list of the catalogue. What was sent and is not in it stays visible in a refused form.

    Words that are not listed, where the list takes them, come as `<name>_other` with JavaScript, as `<name>_new`
    without.
    """

    words = ""

    def __init__(self, label: str, kind: str, **settings: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, default="", **settings)
        self.kind = kind

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        """List the choices, with what was sent among them; words that are not listed as they were typed."""
        given = kept(self)
        yield ("", "Choose", not given, {})
        for value, label, attributes in self.rows:
            yield (value, label, value == given, attributes)
        if given and given not in {value for value, _, _ in self.rows}:
            yield (given, self.words if given == OTHER and self.words else given, True, {})


class FurtherField(OptionField):
    """A choice from one of the further lists."""

    further: FurtherList


class ImpactField(Chosen, RadioField):
    """How bad it is: a few cards, none of them chosen beforehand."""

    def __init__(self, label: str, kind: OptionList, **settings: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, default="", **settings)
        self.kind = kind

    def iter_choices(self) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        """List the cards."""
        for value, label, attributes in self.rows:
            yield (value, label, value == kept(self), attributes)


def choices_of(options: Sequence[Option]) -> list[tuple[str, str, dict[str, str]]]:
    """List choices of the catalogue as a field offers them."""
    return [(str(o.id), o.label, {"data-a": ",".join(o.aliases)} if o.aliases else {}) for o in options]
