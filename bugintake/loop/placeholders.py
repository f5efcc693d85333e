"""Placeholders in a text: {{ name }}, and {{ name | what stands there otherwise }}. A text is never a program."""

import re
from collections.abc import Collection, Iterator, Mapping

from bugintake.core.errors import Invalid
from bugintake.core.templating import say

_PLACE = re.compile(r"\{\{[ \t]*([a-z_]+)[ \t]*(?:\|([^{}|\n]*))?\}\}")
_BROKEN = re.compile(r"\{+[^{}\n]{0,40}\}*|\}+")


def check(text: str, known: Collection[str], field: str) -> None:
    """Refuse a text with a name that is not known here, or a brace that belongs to no placeholder. Raises Invalid."""
    broken = _BROKEN.search(_PLACE.sub(" ", text))
    if broken:
        raise Invalid(
            say(
                "“%(it)s” is no placeholder. Write one as {{ first_name }} or {{ first_name | there }}.",
                it=broken.group().strip(),
            ),
            field,
        )
    for name, _ in _places(text):
        if name not in known:
            raise Invalid(
                say(
                    "There is no {{ %(name)s }} in this text. There are %(known)s.",
                    name=name,
                    known=", ".join(sorted(known)),
                ),
                field,
            )


def names_in(text: str) -> list[str]:
    """List the names that a text uses, each once."""
    return list(dict.fromkeys(name for name, _ in _places(text)))


def missing_in(text: str, values: Mapping[str, str]) -> list[str]:
    """List the names that a text uses with nothing behind them, and nothing to stand there otherwise."""
    return list(dict.fromkeys(name for name, other in _places(text) if other is None and not values.get(name)))


def replaced_in(text: str, values: Mapping[str, str]) -> list[str]:
    """List the names in whose place something else will stand."""
    return list(dict.fromkeys(name for name, other in _places(text) if other is not None and not values.get(name)))


def paragraphs(text: str) -> list[str]:
    """Part a text at its empty lines."""
    return re.split(r"\n[ \t]*\n\s*", text.strip()) if text.strip() else []


def alone(paragraph: str) -> str:
    """Return the name of the placeholder that a paragraph is, if it is nothing else."""
    found = _PLACE.fullmatch(paragraph.strip())
    return found[1] if found else ""


def fill(text: str, values: Mapping[str, str], around: str = "{}") -> str:
    """Write each value in its place, wrapped by `around`; a line of which nothing is left is left out.

    What is missing is an ellipsis: such a mail is shown to the team, and never leaves.
    """

    def value(found: re.Match[str]) -> str:
        name, other = found[1], found[2]
        if values.get(name):
            return around.format(values[name])
        return "…" if other is None else other.strip()

    lines = [_PLACE.sub(value, line) for line in text.split("\n")]
    return "\n".join(line for line in lines if line.strip())


def _places(text: str) -> Iterator[tuple[str, str | None]]:
    return ((found[1], found[2]) for found in _PLACE.finditer(text))
