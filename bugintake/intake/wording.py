"""What customers must not read: that a declined bug is fixed; and what they had better not: words of a trade."""

import re
from collections.abc import Mapping

from bugintake.core.errors import Invalid
from bugintake.core.languages import WITHOUT_GAPS

FIXED: Mapping[str, tuple[str, ...]] = {
    "en": ("fixed", "resolved", "solved"),
    "de": ("behoben", "gelöst", "repariert"),
    "es": ("arreglad[oa]s?", "resuelt[oa]s?", "solucionad[oa]s?"),
    "fr": ("corrigée?s?", "résolue?s?", "réparée?s?"),
    "pt": ("corrigid[oa]s?", "resolvid[oa]s?", "solucionad[oa]s?"),
    "tr": ("düzeltildi", "çözüldü", "giderildi"),
    "zh": ("已修复", "已解决"),
    "ar": ("تم الإصلاح", "تم إصلاح", "تم الحل", "تم حل"),
}
TRADE: Mapping[str, tuple[str, ...]] = {
    "en": ("tickets?", "issues?", "inconveniences?", "escalated", "backlog", "workaround"),
    "de": ("tickets?", "issues?", "unannehmlichkeiten", "eskaliert", "backlog", "workaround"),
    "es": ("tickets?", "incidencias?", "inconvenientes?", "escalad[oa]s?"),
    "fr": ("tickets?", "désagréments?", "incidents?"),
    "pt": ("tickets?", "chamados?", "inconvenientes?"),
}
EVERYWHERE = (r"BUG-\d+",)


def refuse_fixed(notes: Mapping[str, str], field: str = "customer_note") -> None:
    """Refuse to say in a decline that something is fixed. Raises Invalid with the word; `field` has its language."""
    for language, text in notes.items():
        said = _said(FIXED.get(language, ()), text, language)
        if said:
            raise Invalid(
                f"“{said[0]}” cannot stand in it: whoever waits would read that it works now. Say what stays as it is.",
                field.format(language=language),
            )


def trade_words(language: str, text: str) -> list[str]:
    """List the words of a text that its customers do not use, each once and as it stands there."""
    return _said((*TRADE.get(language, ()), *EVERYWHERE), text, language)


def _said(words: tuple[str, ...], text: str, language: str) -> list[str]:
    if not words:
        return []
    one = f"(?:{'|'.join(words)})"
    found = re.findall(one if language in WITHOUT_GAPS else rf"(?<!\w){one}(?!\w)", text, re.IGNORECASE)
    return list(dict.fromkeys(found))
