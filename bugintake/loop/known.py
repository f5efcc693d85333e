"""Known problems: what an agent published of a bug for everybody, and what becomes of it."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.templating import say
from bugintake.intake.models import OPEN, Bug, Status
from bugintake.loop.known_models import KnownProblem
from bugintake.team.models import User

SENTENCE_LENGTH = 200
FIXED_FOR = timedelta(days=30)
MOST_SHOWN = 100


class Group(enum.StrEnum):
    """Where a known problem stands, for somebody outside."""

    KNOWN = "known"
    BEING_FIXED = "being_fixed"
    FIXED = "fixed"


GROUPS: Mapping[Status, Group] = {
    Status.NEW: Group.KNOWN,
    Status.NEEDS_INFO: Group.KNOWN,
    Status.ACCEPTED: Group.KNOWN,
    Status.IN_PROGRESS: Group.BEING_FIXED,
    Status.FIXED: Group.BEING_FIXED,
    Status.LIVE: Group.FIXED,
}


@dataclass(frozen=True)
class Shown:
    """One problem as everybody reads it, in one language."""

    number: int
    group: Group
    sentence: str
    workaround: str
    published_at: datetime
    status_since_at: datetime
    changed_at: datetime


def publish(bug: Bug, sentences: Mapping[str, str], *, actor: User) -> KnownProblem:
    """Put a bug on the public list with a sentence in each language, or change what is said of it there.

    A language without a sentence does not list it. Records bug.published. Raises Invalid without any sentence or for
    an overlong one, Conflict for a restricted bug, one that is over, and a part of another one.
    """
    hold(bug)
    said = {language: text.strip() for language, text in sentences.items() if text.strip()}
    if not said:
        raise Invalid(say("Write the sentence that everybody reads, in one language at least."), "sentence")
    if any(len(text) > SENTENCE_LENGTH for text in said.values()):
        raise Invalid(say("A sentence has at most %(most)d characters.", most=SENTENCE_LENGTH), "sentence")
    if bug.is_restricted:
        raise Conflict(say("%(ref)s is restricted, so nobody outside reads of it.", ref=bug.ref))
    if bug.merged_into_id is not None or bug.withdrawn_at is not None or bug.status not in OPEN:
        raise Conflict(say("Only a bug that is open and stands for itself can be published."))
    found = problem_of(bug)
    if found is None:
        found = KnownProblem(bug_id=bug.id, sentences=said, published_by_id=actor.id)
        db.session.add(found)
    else:
        found.sentences, found.changed_at, found.published_by_id = said, clock.now(), actor.id
    db.session.flush()
    events.record(EventKind.BUG_PUBLISHED, actor=actor, bug=bug, after=", ".join(sorted(said)))
    return found


def take_down(bug: Bug, *, actor: User | None) -> None:
    """Take a bug off the public list. Records bug.unpublished. Raises Conflict where it is not on it."""
    hold(bug)
    found = problem_of(bug)
    if found is None:
        raise Conflict(say("%(ref)s is not published.", ref=bug.ref))
    db.session.delete(found)
    db.session.flush()
    events.record(EventKind.BUG_UNPUBLISHED, actor=actor, bug=bug)


def problem_of(bug: Bug) -> KnownProblem | None:
    """Return what is published of a bug."""
    return db.session.scalar(sa.select(KnownProblem).where(KnownProblem.bug_id == bug.id))


def shown_in(language: str) -> list[Shown]:
    """List what is published in a language and not over for more than 30 days, the latest change of each group first.

    Never a restricted bug, a part of another one, or one that was taken back or declined.
    """
    changed, moved = KnownProblem.changed_at, Bug.status_since_at
    latest = sa.case((changed > moved, changed), else_=moved)
    is_recent = sa.or_(Bug.status != Status.LIVE, Bug.status_since_at > clock.now() - FIXED_FOR)
    stands = (Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), Bug.is_restricted.is_(False))
    found = db.session.execute(
        sa.select(KnownProblem, Bug)
        .join(KnownProblem.bug)
        .where(
            *stands, is_recent, Bug.status.in_(list(GROUPS)), KnownProblem.sentences[language].as_string().is_not(None)
        )
        .order_by(latest.desc(), KnownProblem.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        Shown(
            number=problem.id,
            group=GROUPS[bug.status],
            sentence=problem.sentences[language],
            workaround="" if bug.status is Status.LIVE else bug.workarounds.get(language, "").strip(),
            published_at=problem.published_at,
            status_since_at=bug.status_since_at,
            changed_at=max(problem.changed_at, bug.status_since_at),
        )
        for problem, bug in found
    ]


def grouped(shown: Sequence[Shown]) -> dict[Group, list[Shown]]:
    """Sort problems by where they stand; a group without any is left out."""
    groups = {group: [each for each in shown if each.group is group] for group in Group}
    return {group: problems for group, problems in groups.items() if problems}


def named(group: Group) -> str:
    """Name where a problem stands, in the reader's language."""
    names: dict[Group, str] = {
        Group.KNOWN: gettext("Known"),
        Group.BEING_FIXED: gettext("Being fixed"),
        Group.FIXED: gettext("Fixed in the last 30 days"),
    }
    return names[group]


def hide(event: Event) -> None:
    """Take a bug off the public list when it is restricted."""
    bug = db.session.get_one(Bug, event.bug_id)
    if problem_of(bug) is not None:
        take_down(bug, actor=None)


def listen() -> None:
    """Follow what may no longer be read by everybody."""
    events.subscribe(EventKind.BUG_RESTRICTED, hide)
