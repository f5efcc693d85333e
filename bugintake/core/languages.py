"""How languages differ: which way they are written, what stands between sentences, how a person is addressed."""

import re
from functools import cache

from babel import Locale

WHOLE_NAMES = frozenset({"ar", "zh"})
"""Readers who are addressed by their whole name: its first word may be the family's, or half of a given name."""
WITHOUT_GAPS = frozenset({"zh"})
"""What is written without blanks between words and sentences."""
_FAMILY_FIRST = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, Han, Hangul


@cache
def direction(language: str) -> str:
    """Say which way a language is written: "rtl" or "ltr"."""
    return str(Locale.parse(language).text_direction)


def sentences(language: str, *said: str) -> str:
    """Put sentences one after the other, with a gap between them where the language has one."""
    return ("" if language in WITHOUT_GAPS else " ").join(each for each in said if each)


def addressed(name: str, language: str) -> str:
    """Return the part of a name that a greeting takes; nothing where there is no name."""
    words = name.split()
    is_whole = language in WHOLE_NAMES or _FAMILY_FIRST.search(name)
    return " ".join(words if is_whole else words[:1])
