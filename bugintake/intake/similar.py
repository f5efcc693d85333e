"""Look-alikes: known bugs that may be the one somebody is about to file, and why each of them may be.

How much each sign counts was measured: `docs/look-alikes.md`.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from bugintake.core.db import db
from bugintake.core.templating import ago, day
from bugintake.intake import candidates
from bugintake.intake.candidates import Candidate, Wanted
from bugintake.intake.models import Bug, Option, Report, Status
from bugintake.intake.words import Frequencies, frequencies
from bugintake.team.models import User

SHOWN = 3
IN_TITLE, SATURATION = 5.0, 2.0
EVEN_TITLES, EVEN_TEXTS = 0.5, 0.75
SAME_AREA, SAME_SYMPTOM, NAMED = 3.0, 1.0, 1.0
COVERED, ALIKE = 6.0, 10.0
AGE = 1.2
MUCH_ALIKE = 0.4
LEAST_WORDS = 2


@dataclass(frozen=True)
class LookAlike:
    """A known bug, and why it may be the same one."""

    bug: Bug
    why: str
    score: float

    @property
    def status_label(self) -> str:
        """Where it stands, with the version it went live in."""
        if self.bug.status == Status.LIVE and self.bug.release is not None:
            return f"Live in {self.bug.release.label}"
        return self.bug.status.label

    @property
    def age(self) -> str:
        """How old it is, as short as a card needs."""
        return ago(self.bug.filed_at)


@dataclass(frozen=True)
class _Match:
    candidate: Candidate
    common: frozenset[str]
    alike: float
    score: float


def look_alikes(
    area: Option | None, symptom: Option | None, text: str, *, actor: User, limit: int = SHOWN
) -> list[LookAlike]:
    """Find the bugs that look most like what is being told, best first.

    Same area and symptom count before any word is typed, unless they are not listed; words find others from anywhere
    and rank them all. Open bugs are known, those that went live or were declined in the last 90 days, and for ever what
    works as intended; a merged one shows as its canonical bug; what the reader may not see is not there. Asks the
    database the same number of questions whatever it finds.
    """
    known = frequencies()
    wanted = candidates.wanted(area, symptom, text)
    scale = _Scale(wanted, known)
    best: dict[int, _Match] = {}
    for each in candidates.find(wanted, known, actor=actor):
        match = scale.match(each)
        if _is_worth_showing(match) and (each.id not in best or match.score > best[each.id].score):
            best[each.id] = match
    chosen = sorted(best.values(), key=lambda m: (-m.score, -m.candidate.waiting, -m.candidate.id))[:limit]
    ids = [match.candidate.id for match in chosen]
    bugs, versions = _bugs(ids), _versions(ids)
    return [
        LookAlike(bugs[key], _why(bugs[key], match, wanted, versions.get(key, [])), round(match.score, 3))
        for key, match in zip(ids, chosen, strict=True)
    ]


class _Scale:
    """How much each sign tells: words in the title and the texts (BM25F), trigrams of the title, choices, age."""

    def __init__(self, wanted: Wanted, known: Frequencies) -> None:
        self.words = {term: known.rarity(term) for term in wanted.words}
        self.trigrams = {each: known.rarity(each) for each in wanted.trigrams}
        self.all_trigrams = sum(self.trigrams.values()) or 1.0
        self.title_length, self.told_length = known.title_length, known.told_length

    def match(self, candidate: Candidate) -> _Match:
        """Weigh one candidate."""
        titled = Counter(filter(self.words.__contains__, candidate.title))
        told = Counter(filter(self.words.__contains__, candidate.told))
        in_title = IN_TITLE / (1 - EVEN_TITLES + EVEN_TITLES * len(candidate.title) / self.title_length)
        in_told = 1 / (1 - EVEN_TEXTS + EVEN_TEXTS * len(candidate.told) / self.told_length)
        common = titled.keys() | told.keys()
        score = 0.0
        for term in common:
            weight = in_title * titled[term] + in_told * told[term]
            score += self.words[term] * weight / (SATURATION + weight)
        shared = self.trigrams.keys() & candidate.trigrams
        alike = len(shared) / (len(self.trigrams) + len(candidate.trigrams) - len(shared) or 1)
        score += ALIKE * alike + COVERED * sum(self.trigrams[each] for each in shared) / self.all_trigrams
        score += SAME_AREA * candidate.has_area + SAME_SYMPTOM * candidate.has_symptom + NAMED * candidate.is_named
        score -= AGE * math.log1p(candidate.age / timedelta(days=1))
        return _Match(candidate, frozenset(common), alike, score)


def _is_worth_showing(match: _Match) -> bool:
    has_both = match.candidate.has_area and match.candidate.has_symptom
    return has_both or len(match.common) >= LEAST_WORDS or match.alike >= MUCH_ALIKE


def _bugs(ids: Sequence[int]) -> dict[int, Bug]:
    parts = (Bug.area, Bug.symptom, Bug.release, Bug.decline_reason)
    query = sa.select(Bug).where(Bug.id.in_(ids)).options(*(joinedload(part) for part in parts))
    return {bug.id: bug for bug in db.session.scalars(query)}


def _versions(ids: Sequence[int]) -> dict[int, list[tuple[str, bool, int]]]:
    """Count the reports under each bug by version: label, whether it says nobody knows, how many; most first."""
    part = aliased(Bug)
    count = sa.func.count(Report.id)
    query = (
        sa.select(part.canonical_id, Option.label, Option.is_unsure, count)
        .join(part, part.id == Report.bug_id)
        .join(Option, Option.id == Report.version_id)
        .where(part.canonical_id.in_(ids))
        .group_by(part.canonical_id, Option.id, Option.label, Option.is_unsure)
        .order_by(count.desc(), Option.id.desc())
    )
    found: dict[int, list[tuple[str, bool, int]]] = {}
    for bug_id, label, is_unsure, number in db.session.execute(query):
        found.setdefault(bug_id or 0, []).append((label, is_unsure, number))
    return found


def _why(bug: Bug, match: _Match, wanted: Wanted, versions: list[tuple[str, bool, int]]) -> str:
    parts = _reasons(match, wanted.words)
    total = sum(number for _, _, number in versions)
    known = next(((label, number) for label, is_unsure, number in versions if not is_unsure), None)
    if known is not None:
        parts.append(f"on {known[0]}" if total == 1 else f"{known[1]} of {total} on {known[0]}")
    sentence = ", ".join(parts) + "."
    return sentence[0].upper() + sentence[1:] + _what_became(bug)


def _reasons(match: _Match, words: Mapping[str, str]) -> list[str]:
    candidate = match.candidate
    if candidate.has_area and candidate.has_symptom:
        return ["same area and symptom"]
    chosen = (("same area", candidate.has_area), ("same symptom", candidate.has_symptom))
    parts = [reason for reason, holds in chosen if holds]
    if len(match.common) >= LEAST_WORDS:
        shown = sorted((words[term] for term in match.common), key=lambda word: (-len(word), word))[:3]
        return [*parts, f"same words: {', '.join(sorted(shown))}"]
    return [*parts, "a title spelt much like it"]


def _what_became(bug: Bug) -> str:
    if bug.status == Status.LIVE:
        return f" Live since {day(bug.status_since_at)}."
    if bug.status == Status.FIXED and bug.release is not None:
        return f" Fixed in {bug.release.label}, which is not live yet."
    if bug.status == Status.DECLINED and bug.decline_reason is not None:
        return f" Won't fix: {bug.decline_reason.label}."
    return ""
