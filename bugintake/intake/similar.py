"""Look-alikes: known bugs that may be the one somebody is about to file, and why each of them may be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.templating import ago, day
from bugintake.intake.catalogue import key_of
from bugintake.intake.models import OPEN, Bug, Option, Report, Status
from bugintake.intake.queries import visible_to
from bugintake.team.models import User

SHOWN = 3
REMEMBERED = timedelta(days=90)
CONSIDERED = 200
WORDS_READ = 400
SAME_SYMPTOM = 1.0
_WORD = re.compile(r"\w{3,}")
_DULL = frozenset(
    _WORD.findall(
        "and are but can for from has have her his its not now one our out she that the them then there they this was "
        "when where which who will with you your der die das und ist nicht ein eine einen mit von auf wird dem den des "
        "sich los las una con del por que para esta este como mas"
    )
)


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
class _Candidate:
    id: int
    has_symptom: bool
    words: frozenset[str]
    waiting: int


def look_alikes(area: Option, symptom: Option | None, text: str, *, actor: User, limit: int = SHOWN) -> list[LookAlike]:
    """Find the bugs that look most like what is being told, best first.

    Same area and symptom count before any word is typed; the words rank them, and find others in the same area. Open
    bugs and those that went live or were declined in the last 90 days are known; a merged one shows as its canonical
    bug; what the reader may not see is not there. Asks the database the same number of questions whatever it finds.
    """
    wanted = words_in(text)
    scored = [(_score(each, wanted), each) for each in _candidates(area, symptom, actor)]
    best = sorted((each for each in scored if each[0] > 0), key=lambda pair: (-pair[0], -pair[1].waiting, -pair[1].id))
    chosen = best[:limit]
    bugs = _bugs([each.id for _, each in chosen])
    versions = _versions([each.id for _, each in chosen])
    return [
        LookAlike(bugs[each.id], _why(bugs[each.id], each, wanted, versions.get(each.id, [])), round(score, 3))
        for score, each in chosen
    ]


def words_in(text: str) -> frozenset[str]:
    """Split a text into the words worth comparing, without case and accents."""
    return frozenset(_WORD.findall(key_of(text[: 10 * WORDS_READ], 10 * WORDS_READ))) - _DULL


def _candidates(area: Option, symptom: Option | None, actor: User) -> list[_Candidate]:
    found = aliased(Bug, name="found")
    told = sa.select(sa.func.substr(Report.actual, 1, WORDS_READ)).where(Report.bug_id == found.id)
    has_symptom = found.symptom_id == symptom.id if symptom is not None else sa.false()
    known = sa.or_(Bug.status.in_(OPEN), Bug.status_since_at >= clock.now() - REMEMBERED)
    query = (
        sa.select(Bug.id, has_symptom, Bug.title, found.title, told.order_by(Report.id).limit(1).scalar_subquery())
        .add_columns(Bug.waiting_count)
        .join(found, found.canonical_id == Bug.id)
        .where(found.area_id == area.id, Bug.withdrawn_at.is_(None), found.withdrawn_at.is_(None))
        .where(known, visible_to(actor))
        .order_by(sa.case((has_symptom, 0), else_=1), found.changed_at.desc(), found.id.desc())
        .limit(CONSIDERED)
    )
    merged: dict[int, _Candidate] = {}
    for key, same, title, own_title, said, waiting in db.session.execute(query):
        words = words_in(f"{title} {own_title} {said or ''}")
        before = merged.get(key)
        if before is not None:
            same, words = same or before.has_symptom, words | before.words
        merged[key] = _Candidate(key, bool(same), words, waiting)
    return list(merged.values())


def _score(candidate: _Candidate, wanted: frozenset[str]) -> float:
    common = len(candidate.words & wanted)
    overlap = common / len(wanted | candidate.words) if common else 0.0
    return overlap + (SAME_SYMPTOM if candidate.has_symptom else 0) if candidate.has_symptom or common > 1 else 0.0


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


def _why(bug: Bug, candidate: _Candidate, wanted: frozenset[str], versions: list[tuple[str, bool, int]]) -> str:
    parts = ["Same area and symptom" if candidate.has_symptom else f"Same area, {_shared(candidate.words & wanted)}"]
    total = sum(number for _, _, number in versions)
    known = next(((label, number) for label, is_unsure, number in versions if not is_unsure), None)
    if known is not None:
        parts.append(f"on {known[0]}" if total == 1 else f"{known[1]} of {total} on {known[0]}")
    return ", ".join(parts) + "." + _what_became(bug)


def _shared(words: frozenset[str]) -> str:
    shown = sorted(words, key=lambda word: (-len(word), word))[:3]
    return f"same words: {', '.join(sorted(shown))}"


def _what_became(bug: Bug) -> str:
    if bug.status == Status.LIVE:
        return f" Live since {day(bug.status_since_at)}."
    if bug.status == Status.FIXED and bug.release is not None:
        return f" Fixed in {bug.release.label}, which is not live yet."
    if bug.status == Status.DECLINED and bug.decline_reason is not None:
        return f" Won't fix: {bug.decline_reason.label}."
    return ""
