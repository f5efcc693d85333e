"""What is said about a bug besides its title and its first reports: found by a search, no sign of a look-alike."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Question, Remark, Report, SettledBy
from bugintake.intake.words import TEXTS as OF_REPORT
from bugintake.intake.words import has_changed, stems
from bugintake.triage.comment_models import Comment
from bugintake.triage.link_models import BugLink

REPORTS, TEXTS, TERMS, READ = 100, 200, 4000, 10_000
WORDED = frozenset((EventKind.BUG_FIXED, EventKind.BUG_DECLINED, EventKind.BUG_UNDONE))
"""What changes the words that customers read of a bug, as writing a workaround does."""

_BUG: sa.BindParameter[int] = sa.bindparam("bug", type_=sa.Integer)
_OF_BUG = (Report.bug_id == _BUG, Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN))
_LATEST_REPORTS = sa.select(Report.id).where(*_OF_BUG).order_by(Report.id.desc()).limit(REPORTS)
_PARTS = (
    sa.select(Comment.text.label("text"), Comment.written_at.label("at")).where(Comment.bug_id == _BUG),
    sa.select(BugLink.title, BugLink.added_at).where(BugLink.bug_id == _BUG, BugLink.removed_at.is_(None)),
    *(
        sa.select(text, at).join(Report, Report.id == key).where(*_OF_BUG)
        for text, at, key in (
            (Question.text, Question.asked_at, Question.report_id),
            (Question.answer, Question.asked_at, Question.report_id),
            (Remark.text, Remark.said_at, Remark.report_id),
        )
    ),
    *(sa.select(getattr(Report, name), Report.filed_at).where(Report.id.in_(_LATEST_REPORTS)) for name in OF_REPORT),
)
_LATEST = sa.union_all(*_PARTS).order_by(sa.desc("at")).limit(TEXTS)
_WORDED = sa.select(Bug.customer_notes, Bug.workarounds).where(Bug.id == _BUG)
_WRITE = sa.text("UPDATE bug_words SET said = :said WHERE bug_id = :bug AND said <> :said")


def learn(bug_ids: Collection[int]) -> None:
    """Write what is said about some bugs: the words that customers read, then comments, questions, answers and remarks.

    With them what its links are called, and the latest reports, as `intake.words` reads no more than the beginning of
    the first ones. The latest first, so that of much the latest is found. Called before each commit for the bugs where
    something of it changed through the models; whoever changes a text by a statement calls it.
    """
    connection = db.session.connection()
    for bug_id in sorted(bug_ids):
        words, ways = connection.execute(_WORDED, {"bug": bug_id}).one()
        texts = [*words.values(), *ways.values(), *connection.scalars(_LATEST, {"bug": bug_id})]
        connection.execute(_WRITE, {"bug": bug_id, "said": _joined(texts)})


def _joined(texts: list[str]) -> str:
    """Join the stems of texts by two spaces, so that no phrase is found across two of them."""
    found: list[str] = []
    left = TERMS
    for text in texts:
        terms = stems(text, READ)[:left]
        left -= len(terms)
        if terms:
            found.append(" ".join(terms))
    return "  ".join(found)


def listen() -> None:
    """Follow every change of what is said; after the title and reports of a bug are learnt."""
    for name, follow in (("after_flush", _notice), ("before_commit", _learn), ("after_rollback", _forget)):
        if not sa.event.contains(Session, name, follow):
            sa.event.listen(Session, name, follow)


def _notice(session: Session, _context: Any) -> None:
    bugs, reports = session.info.setdefault("said", (set(), set()))
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Comment | BugLink) or (isinstance(row, Event) and _is_worded(row)):
            bugs.add(row.bug_id)
        elif isinstance(row, Question | Remark):
            reports.add(row.report_id)
        elif isinstance(row, Report) and row not in session.new and has_changed(row, "settled_by", "bug_id"):
            bugs.update((row.bug_id, *get_history(row, "bug_id").deleted))


def _is_worded(event: Event) -> bool:
    is_workaround = event.kind == EventKind.BUG_EDITED and event.details.get("field") == "workaround"
    return is_workaround or event.kind in WORDED


def _learn(session: Session) -> None:
    bugs, reports = session.info.pop("said", (set(), ()))
    bugs.update(session.info.pop("more_told", ()))
    if reports:
        bugs.update(session.scalars(sa.select(Report.bug_id).where(Report.id.in_(reports))))
    if bugs:
        learn(bugs)


def _forget(session: Session) -> None:
    session.info.pop("said", None)
    session.info.pop("more_told", None)
