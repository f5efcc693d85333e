"""Sentences to start from: what may stand in one, and how its gaps are filled in each language."""

import re
from collections.abc import Mapping
from typing import Any

from bugintake.core.errors import Invalid
from bugintake.intake.models import Option, OptionList, Report
from bugintake.intake.option_models import SentenceList
from bugintake.intake.wording import refuse_fixed
from bugintake.team.models import LANGUAGES

GAP = "…"
FILLED = ("area", "symptom", "platform", "version")  # what the catalogue knows in each language
ANY = ""  # the language of words that are the same in all
Words = Mapping[str, str]  # by language
Known = Mapping[str, Words]  # by what stands in braces
_BRACES = re.compile(r"\{\{ *([a-z]+) *\}\}")


def check(kind: str, label: str, labels: Words) -> None:
    """Refuse a sentence that could not be finished in each of its languages; other lists may say what they like.

    Raises Invalid for braces around what nobody fills in, for a gap that stands twice or not in every language, and
    for a decline that says it is fixed.
    """
    if kind not in set(SentenceList):
        return
    for name, text in {"label": label, **{f"label_{language}": text for language, text in labels.items()}}.items():
        unknown = re.search(r"[{}]+[^{}]*[{}]*", _BRACES.sub(_known_or_same, text))
        if unknown:
            known = ", ".join(f"{{{{ {each} }}}}" for each in FILLED)
            raise Invalid(f"Nobody fills in “{unknown[0]}”. There are: {known}.", name)
        if text.count(GAP) > 1:
            raise Invalid(f"A sentence has one gap, “{GAP}”, at most.", name)
        if text.count(GAP) != label.count(GAP):
            raise Invalid(f"The gap, “{GAP}”, stands in every language or in none.", name)
    if kind == SentenceList.DECLINED:
        refuse_fixed({"en": label}, "label")
        refuse_fixed(labels, "label_{language}")


def words_of(option: Option) -> dict[str, str]:
    """Say what a choice is called in each language that somebody wrote it in; a version is called the same in all."""
    own = {ANY: option.label} if option.list == OptionList.VERSION else {"en": option.label}
    return own | {language: words for language, words in option.labels.items() if words}


def said(texts: Words, language: str, known: Known) -> str:
    """Fill in a sentence in one language; nothing where it, or something in it, is not written in that language."""
    text = texts.get(language, "")
    found = {name: words.get(language) or words.get(ANY, "") for name, words in known.items()}
    if not all(found.get(name) for name in names_in(text)):
        return ""
    return _BRACES.sub(lambda braces: found[braces[1]], text)


def read_by(report: Report, language: str, written: Words) -> dict[str, Any]:
    """Ask about a report in what its customer reads, where it is written in that, else in `language`, which it is."""
    own = report.customer.language if report.customer is not None else language
    chosen = own if own in written else language
    return {"report_id": report.id, "text": written[chosen], "language": chosen}


def names_in(text: str) -> set[str]:
    """Name what is filled in."""
    return set(_BRACES.findall(text))


def texts_of(option: Option) -> dict[str, str]:
    """Return a sentence in each language it is written in."""
    return {language: text for language, text in words_of(option).items() if language in LANGUAGES}


def _known_or_same(braces: re.Match[str]) -> str:
    return "" if braces[1] in FILLED else braces[0]
