"""Words: what a text is made of, what each bug is found by, and how rare a word is among the bugs."""

import math
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from bugintake.core.db import db, rows
from bugintake.intake.catalogue import key_of
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.intake.word_index import BugWords, newest

READ = 1500
TOLD_REPORTS = 20
TOLD_TERMS = 400
SAMPLE = 3000
OLDER = 1000  # bugs
BATCH = 500
TEXTS = ("steps", "actual", "expected")
_WORD = re.compile(r"[^\W_]{2,40}")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DULL = frozenset(
    _WORD.findall(
        "an and are as at be but by can do for from had has have her his if in is it its no not now of on one or our "
        "out she so that the them then there they this to up was we when where which who will with you your "
        "al am auf das dem den der des die du ein eine einen er es im ist los mit nicht sich sie und von wird zu "
        "como con de del el en esta este la las le les lo mas para por que se sin su un una"
    )
)


def words_in(text: str) -> dict[str, str]:
    """Split the beginning of a text into the words worth comparing: each stem, and the first word that has it."""
    found: dict[str, str] = {}
    for word in _words(text):
        found.setdefault(stem(word), word)
    return found


def stems(text: str, read: int = READ) -> list[str]:
    """Split the beginning of a text into the stems of its words, in order."""
    return [stem(word) for word in _words(text, read)]


def begun(text: str) -> tuple[list[str], tuple[str, str]] | None:
    """Split what is being typed into the stems of its words but the last, and how that begins and its own stem.

    Nothing where there is no word yet that may find anything.
    """
    *whole, last = _words(text.lower()) or [""]
    return ([stem(word) for word in whole], (last, stem(last))) if last else None


def stems_of_key(key: str) -> set[str]:
    """Split what is folded already, as labels and aliases are kept, into the stems of its words."""
    return {stem(word) for word in _WORD.findall(key) if word not in _DULL}


def trigrams(terms: Iterable[str]) -> frozenset[str]:
    """Cut terms into overlapping parts of three letters, so that a misspelt word still shares most of its own.

    Each is marked with a dot in front, which no word has; further dots stand for the edges of the word.
    """
    return frozenset(f"·{edged[at : at + 3]}" for term in terms for edged in [f"·{term}·"] for at in range(len(term)))


def stem(word: str) -> str:
    """Take the commonest English endings off; in other languages little is lost by it, the same on both sides."""
    if len(word) > 4:
        if word.endswith("ies"):
            word = word[:-3] + "y"
        elif word.endswith("sses"):
            word = word[:-2]
        elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _words(text: str, read: int = READ) -> list[str]:
    """Split the beginning of a text; a name written like tableView counts whole and in its parts."""
    text = text[:read]
    parts = " ".join(_HUMP.sub(" ", each) for each in text.split() if _HUMP.search(each))
    return [word for word in _WORD.findall(key_of(f"{text} {parts}", 4 * read)) if word not in _DULL]


# --- What each bug is found by -----------------------------------------------------------------------------------


def learn(bug_ids: Collection[int]) -> None:
    """Write what some bugs are found by: their title, and what the first twenty reports filed there tell.

    Called before each commit for the bugs whose words changed through the models; whoever changes texts by a statement
    calls it. A report that was taken back no longer counts. Notes in the session of which bugs more is told than is
    read here, or something else is said: `triage.said` writes that anew.
    """
    ids = sorted(bug_ids)
    for start in range(0, len(ids), BATCH):
        _learn(ids[start : start + BATCH])


_PLACE = sa.func.row_number().over(partition_by=Report.bug_id, order_by=Report.id).label("place")
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_FIRST = (
    sa.select(Report.bug_id, _PLACE, *(sa.func.substr(getattr(Report, name), 1, READ).label(name) for name in TEXTS))
    .where(Report.bug_id.in_(_IDS))
    .where(Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN))
    .subquery()
)
_TOLD = (
    sa.select(Bug.id, Bug.title, sa.func.coalesce(BugWords.said, "") != "", *(_FIRST.c[name] for name in TEXTS))
    .outerjoin(_FIRST, sa.and_(_FIRST.c.bug_id == Bug.id, _FIRST.c.place <= TOLD_REPORTS))
    .outerjoin(BugWords, BugWords.bug_id == Bug.id)
    .where(Bug.id.in_(_IDS))
    .order_by(Bug.id, _FIRST.c.place)
)
_WRITE = sa.text(
    "INSERT INTO bug_words (bug_id, title, told, trigrams, said) VALUES (:bug_id, :title, :told, :trigrams, '')"
    " ON CONFLICT (bug_id) DO UPDATE SET title = excluded.title, told = excluded.told, trigrams = excluded.trigrams"
)


def _learn(ids: Sequence[int]) -> None:
    connection = db.session.connection()
    found, more = [], db.session.info.setdefault("more_told", set())
    rows_of = groupby(connection.execute(_TOLD, {"ids": ids}), key=itemgetter(0, 1, 2))
    for (bug_id, title, is_said), reports in rows_of:
        texts = [[text or "" for text in row[3:]] for row in reports]
        own, told = stems(title), [term for report in texts for text in report for term in stems(text)]
        is_cut = len(texts) == TOLD_REPORTS or any(len(text) == READ for report in texts for text in report)
        if is_said or is_cut or len(told) > TOLD_TERMS:
            more.add(bug_id)
        parts = {"title": own, "told": told[:TOLD_TERMS], "trigrams": sorted(trigrams(own))}
        found.append({"bug_id": bug_id, **{name: " ".join(terms) for name, terms in parts.items()}})
    if found:
        connection.execute(_WRITE, found)


@sa.event.listens_for(Session, "after_flush")
def _notice(session: Session, _context: Any) -> None:
    changed = session.info.setdefault("changed_words", set())
    for row in (*session.new, *session.dirty):
        if isinstance(row, Bug) and has_changed(row, "title"):
            changed.add(row.id)
        elif isinstance(row, Report) and has_changed(row, *TEXTS, "settled_by", "bug_id"):
            changed.update((row.bug_id, *get_history(row, "bug_id").deleted))


def has_changed(row: Bug | Report, *names: str) -> bool:
    """Whether what is being written changes some columns."""
    return any(get_history(row, name).has_changes() for name in names)


@sa.event.listens_for(Session, "before_commit")
def _learn_what_changed(session: Session) -> None:
    session.flush()
    changed = session.info.pop("changed_words", ())
    if changed:
        learn(changed)


@sa.event.listens_for(Session, "after_rollback")
def _forget_what_changed(session: Session) -> None:
    session.info.pop("changed_words", None)


# --- How rare a word is ------------------------------------------------------------------------------------------


_LATEST = sa.select(sa.func.max(BugWords.bug_id) - SAMPLE).scalar_subquery()
_NEWER = (
    sa.select(BugWords.bug_id, BugWords.title, BugWords.told, BugWords.trigrams)
    .where(BugWords.bug_id > sa.bindparam("last"), BugWords.bug_id > _LATEST)
    .order_by(BugWords.bug_id)
)
_SPREAD = sa.select(BugWords.title, BugWords.told, BugWords.trigrams)
_SPREAD = _SPREAD.where(BugWords.bug_id.in_(sa.bindparam("spread", expanding=True)))


class Frequencies:
    """How many of the latest bugs hold a term, counted by each process and kept up with what is filed.

    A sample tells rare words from common ones as well as a count of all bugs would, and no transaction waits for it.
    Some of all older bugs count too: what nobody says any more may stand in many of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last, self._has_older = 0, False
        self._older, self._before, self._counted = _Sample(), _Sample(), _Sample()

    def read_on(self) -> None:
        """Count the bugs filed since the last time among the latest three thousand, a few at once to hold little."""
        # Of this statement, not of the connection, whose later ones would be fetched a few at once too.
        few = {"yield_per": BATCH}
        older = self._older if self._has_older else self._read_older()
        found = db.session.connection().execute(_NEWER, {"last": self._last}, execution_options=few)
        with self._lock:
            self._older, self._has_older = older, True
            for bug_id, title, told, grams in found:
                if bug_id > self._last:
                    self._last = bug_id
                    self._counted.add(title.split(), told.split(), grams.split())
            if self._counted.bug_count >= SAMPLE:
                self._before, self._counted = self._counted, _Sample()

    def _read_older(self) -> "_Sample":
        end = newest() - SAMPLE
        found = _Sample()
        for title, told, grams in rows(_SPREAD, spread=range(1, end, max(1, end // OLDER))):
            found.add(title.split(), told.split(), grams.split())
        return found

    def rarity(self, term: str) -> float:
        """Weigh a term: the fewer bugs hold it, the more it tells (inverse document frequency as in BM25)."""
        holders = self._holders(term)
        return math.log(1 + (self._bug_count - holders + 0.5) / (holders + 0.5))

    def holders_of(self, term: str) -> float:
        """Estimate how many of all bugs hold a term."""
        return self._last * self._holders(term) / max(1, self._bug_count)

    def _holders(self, term: str) -> int:
        return sum(sample.holders[term] for sample in self._samples)

    @property
    def title_length(self) -> float:
        """How many words a title has on average."""
        return max(1.0, sum(sample.title_terms for sample in self._samples) / max(1, self._bug_count))

    @property
    def told_length(self) -> float:
        """How many words the reports of a bug have on average."""
        return max(1.0, sum(sample.told_terms for sample in self._samples) / max(1, self._bug_count))

    @property
    def _bug_count(self) -> int:
        return sum(sample.bug_count for sample in self._samples)

    @property
    def _samples(self) -> "tuple[_Sample, ...]":
        return self._older, self._before, self._counted


class _Sample:
    def __init__(self) -> None:
        self.holders: Counter[str] = Counter()
        self.bug_count = self.title_terms = self.told_terms = 0

    def add(self, title: list[str], told: list[str], grams: list[str]) -> None:
        self.bug_count += 1
        self.title_terms += len(title)
        self.told_terms += len(told)
        self.holders.update({*title, *told, *grams})


def frequencies() -> Frequencies:
    """Return the counts of this process, up to date."""
    found: Frequencies = current_app.extensions.setdefault("word_frequencies", Frequencies())
    found.read_on()
    return found
