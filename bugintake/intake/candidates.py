"""Candidates: the few hundred bugs worth comparing with what is being told, chosen in one statement."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.intake.models import OPEN, Bug, Option, OptionList
from bugintake.intake.queries import is_in_sight, visible_to
from bugintake.intake.reports import first_sentence
from bugintake.intake.word_index import BugWords, weigh
from bugintake.intake.words import Frequencies, stems, stems_of_key, trigrams, words_in
from bugintake.team.models import User

REMEMBERED = timedelta(days=90)
BY_WORDS, BY_CHOICES = 250, 100
MOST_TERMS = 12
HITS, HITS_OF_RAREST = 4000, 10_000
BEST_HITS = 2000
TRIGRAM = 0.3
AGE_STEPS = (1, 3, 7, 14, 30, 60, 120, 240, 480, 960)


@dataclass(frozen=True)
class Wanted:
    """What is being told: the choices, the stems with the words that have them, and the trigrams of its title."""

    area: Option | None
    symptom: Option | None
    words: Mapping[str, str]
    trigrams: frozenset[str]
    named: frozenset[int]


@dataclass(frozen=True)
class Candidate:
    """One filed bug to compare; `id` is that of its canonical bug, which is what shows."""

    id: int
    waiting: int
    has_area: bool
    has_symptom: bool
    is_named: bool
    age: timedelta
    title: list[str]
    told: list[str]
    trigrams: list[str]


def wanted(area: Option | None, symptom: Option | None, text: str) -> Wanted:
    """Read what is being told. Its title is what file_report would make of it: the first sentence."""
    words = words_in(text)
    return Wanted(area, symptom, words, trigrams(stems(first_sentence(text))), _named(words))


def find(wanted: Wanted, known: Frequencies, *, actor: User) -> list[Candidate]:
    """Select those with the same two choices, the latest first, and those that share the rarest terms."""
    now = clock.now()
    found, canonical = aliased(Bug, name="found"), Bug
    counts = (
        sa.or_(
            canonical.status.in_(OPEN),
            canonical.status_since_at >= now - REMEMBERED,
            canonical.decline_reason_id.in_(sa.select(Option.id).where(Option.is_intended)),
        ),
        canonical.withdrawn_at.is_(None),
        found.withdrawn_at.is_(None),
        visible_to(actor),
        is_in_sight(found, actor),
    )
    chosen = []
    if wanted.area is not None and wanted.symptom is not None:
        same = sa.select(found.id).join(canonical, canonical.id == found.canonical_id).where(*counts)
        same = same.where(found.area_id == wanted.area.id, found.symptom_id == wanted.symptom.id)
        chosen.append(same.order_by(found.changed_at.desc(), found.id.desc()).limit(BY_CHOICES))
    hits = _hits(wanted, known)
    if hits is not None:
        like = sa.select(found.id).join(hits, hits.c.bug_id == found.id)
        like = like.join(canonical, canonical.id == found.canonical_id).where(*counts)
        chosen.append(like.order_by((hits.c.weight - _ageing(found)).desc(), found.id.desc()).limit(BY_WORDS))
    if not chosen:
        return []
    picked = sa.union(*(sa.select(each.subquery().c.id) for each in chosen)).subquery()
    query = (
        sa.select(canonical.id, canonical.waiting_count, found.area_id, found.symptom_id, found.filed_at)
        .add_columns(BugWords.title, BugWords.told, BugWords.trigrams)
        .join(found, found.canonical_id == canonical.id)
        .join(BugWords, BugWords.bug_id == found.id)
        .join(picked, picked.c.id == found.id)
    )
    return [_candidate(row, wanted, now) for row in db.session.execute(query)]


def _candidate(row: sa.Row[*tuple[Any, ...]], wanted: Wanted, now: datetime) -> Candidate:
    key, waiting, area_id, symptom_id, filed_at, title, told, grams = row
    return Candidate(
        id=key,
        waiting=waiting,
        has_area=wanted.area is not None and area_id == wanted.area.id,
        has_symptom=wanted.symptom is not None and symptom_id == wanted.symptom.id,
        is_named=not wanted.named.isdisjoint((area_id, symptom_id)),
        age=max(timedelta(), now - filed_at),
        title=title.split(),
        told=told.split(),
        trigrams=grams.split(),
    )


def _hits(wanted: Wanted, known: Frequencies) -> sa.Subquery | None:
    """Add up, for each bug, how much the rarest terms it shares tell."""
    terms = {term: known.rarity(term) for term in _rarest(wanted.words, known)}
    terms |= {term: TRIGRAM * known.rarity(term) for term in _rarest(wanted.trigrams, known)}
    return weigh(terms, HITS_OF_RAREST, BEST_HITS) if terms else None


def _rarest(terms: Mapping[str, str] | frozenset[str], known: Frequencies) -> list[str]:
    """Choose the rarest terms whose holders together are few enough to add up quickly; common ones only rank."""
    chosen: list[str] = []
    hits = 0.0
    for holders, term in sorted((known.holders_of(term), term) for term in terms):
        hits += holders
        if hits > (HITS if chosen else HITS_OF_RAREST) or len(chosen) == MOST_TERMS:
            break
        chosen.append(term)
    return chosen


def _ageing(found: type[Bug]) -> sa.ColumnElement[float]:
    """Take off for age in steps what the comparison takes off smoothly, since not every SQLite has a logarithm."""
    now = clock.now()
    steps = [(found.filed_at > now - timedelta(days=days), math.log1p(days / 2)) for days in AGE_STEPS]
    return sa.case(*steps, else_=math.log1p(2 * AGE_STEPS[-1]))


def _named(words: Mapping[str, str]) -> frozenset[int]:
    """Find the areas and symptoms that are named in the text, by label or alias."""
    query = sa.select(Option.id, Option.label_key, Option.aliases)
    query = query.where(Option.list.in_((OptionList.AREA, OptionList.SYMPTOM)), Option.is_unsure.is_(False))
    query = query.where(Option.merged_into_id.is_(None))
    named = set()
    for key, label, aliases in db.session.execute(query):
        names = (stems_of_key(name) for name in (*label.split("›"), *aliases))
        if any(name and words.keys() >= name for name in names):
            named.add(key)
    return frozenset(named)
