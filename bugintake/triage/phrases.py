"""What is searched by in a text that somebody typed: words, and phrases in quotation marks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bugintake.intake.words import stems

MOST = 10


@dataclass(frozen=True)
class Phrases:
    """Words as their stems, each once, and phrases as the stems that follow one another."""

    single: tuple[str, ...]
    several: tuple[str, ...]
    has_more: bool = False

    @property
    def terms(self) -> list[str]:
        """Every stem, each once."""
        return list(dict.fromkeys(stem for words in (*self.several, *self.single) for stem in words.split()))

    @classmethod
    @lru_cache(500)
    def of(cls, text: str) -> "Phrases":
        """Read a text. Words that stand in nearly every sentence do not count, nor what follows the first ten."""
        single: list[str] = []
        several: list[str] = []
        left = MOST
        has_more = False
        for part, is_quoted in parts(text):
            every = stems(part.lower())
            found = every[:left]
            has_more = has_more or len(found) < len(every)
            left -= len(found)
            if is_quoted and len(found) > 1:
                several.append(" ".join(found))
            else:
                single += found
        return cls(tuple(dict.fromkeys(single)), tuple(dict.fromkeys(several)), has_more)


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text at its quotation marks; what follows one that is never closed counts as quoted."""
    for place, part in enumerate(text.split('"')):
        if part.strip():
            yield part, place % 2 == 1
