"""How a bug moves from one status to another. Nothing else writes `status`."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, update_one
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue
from bugintake.intake.models import Bug, News, Option, Question, Report, Status
from bugintake.intake.sentences import read_by
from bugintake.intake.wording import refuse_fixed
from bugintake.team.models import User
from bugintake.team.workspace import workspace
from bugintake.triage import looking
from bugintake.triage.moves import (
    UNDOABLE,
    Moved,
    answered_question,
    move_before,
    refuse_unseen,
    what_happened,
    written_since,
)
from bugintake.triage.moves import last_move as last_move

Words = Mapping[str, str]  # by language
PARTS = ["release", "owner", "decline_reason"]  # what a move may point elsewhere
NOTE_LENGTH = 4000
ENDS_A_SNOOZE = (Status.IN_PROGRESS, Status.FIXED, Status.DECLINED)  # whoever does this has not put it off

ALLOWED: Mapping[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.NEEDS_INFO, Status.ACCEPTED, Status.IN_PROGRESS, Status.FIXED, Status.DECLINED}),
    Status.NEEDS_INFO: frozenset({Status.NEW, Status.ACCEPTED, Status.IN_PROGRESS, Status.FIXED, Status.DECLINED}),
    Status.ACCEPTED: frozenset({Status.NEEDS_INFO, Status.IN_PROGRESS, Status.FIXED, Status.DECLINED}),
    Status.IN_PROGRESS: frozenset({Status.ACCEPTED, Status.NEEDS_INFO, Status.FIXED, Status.DECLINED}),
    Status.FIXED: frozenset({Status.IN_PROGRESS, Status.LIVE}),
    Status.LIVE: frozenset({Status.ACCEPTED, Status.FIXED}),
    Status.DECLINED: frozenset({Status.ACCEPTED}),
}

# What was told is taken back only by a verb that begins the next generation, and each has one outcome to take back.
TAKES_BACK: Mapping[EventKind, Status] = {
    EventKind.BUG_CAME_BACK: Status.LIVE,
    EventKind.BUG_UNRELEASED: Status.LIVE,
    EventKind.BUG_RECONSIDERED: Status.DECLINED,
}


def accept(bug: Bug, *, actor: User, owner: User | None = None, seen: Status | None = None) -> None:
    """Say that a bug is ours to fix, and by whom; the owner stays open where nobody is named. Records bug.accepted."""
    owned = {"owner_id": owner.id} if owner else {}
    _move(bug, Status.ACCEPTED, EventKind.BUG_ACCEPTED, actor, seen, **owned)


def start(bug: Bug, *, actor: User, seen: Status | None = None) -> None:
    """Begin to work on a bug; who begins owns it unless somebody does already. Records bug.started."""
    kind = EventKind.BUG_UNFIXED if bug.status == Status.FIXED else EventKind.BUG_STARTED
    owned = {"owner_id": actor.id} if bug.owner_id is None else {}
    _move(bug, Status.IN_PROGRESS, kind, actor, seen, **owned)


def stop(bug: Bug, *, actor: User, seen: Status | None = None) -> None:
    """Put work on a bug down again. Records bug.stopped."""
    _move(bug, Status.ACCEPTED, EventKind.BUG_STOPPED, actor, seen)


def ask(
    bug: Bug,
    report: Report,
    text: str,
    *,
    actor: User,
    missing: str = "",
    is_for_customer: bool = False,
    language: str = "en",
    wordings: Words | None = None,
    also: Sequence[Report] = (),
    seen: Status | None = None,
) -> Question:
    """Ask one question about a report and wait for its answer. Records bug.asked.

    `missing` says in a word what the form did not tell; `also` are the reports of others who are asked the same, and
    whoever answers first answers for all. A customer who reads another `language` is asked in theirs where `wordings`
    have it, else not before somebody has written it. Raises Invalid without a question or somebody to read it.
    """
    if not text:
        raise Invalid("Write the question.", "question")
    if len(missing := clean_line(missing)) > catalogue.LABEL_LENGTH:
        raise Invalid(f"Say what is missing in at most {catalogue.LABEL_LENGTH} characters.", "missing")
    if is_for_customer and not report.is_waiting:
        raise Invalid("Nobody who waits told us of this: ask whoever filed it.", "to")
    told = {"missing": missing, "is_for_customer": is_for_customer, "asked_by_id": actor.id}
    spoken = [read_by(each, language, wordings or {language: text}) for each in (report, *also)]
    asked = [Question(status_before=bug.status, **told, **words) for words in spoken]
    db.session.add_all(asked)
    db.session.flush()
    what = {"questions": [question.id for question in asked]}
    _move(bug, Status.NEEDS_INFO, EventKind.BUG_ASKED, actor, seen, what)
    return asked[0]


def answer(question: Question, text: str, *, actor: User | None) -> None:
    """Take the answer to a question down; the bug that waits for it goes back to where it was. Records bug.answered.

    One that was moved meanwhile, or needs the answer to another question, stays where it is, and records
    report.answered. Raises Invalid without an answer, Conflict where there is one already.
    """
    if not text:
        raise Invalid("Write the answer.", "answer")
    if question.answered_at is not None:
        raise Conflict("This question is answered already.")
    question.answer, question.answered_at = text, clock.now()
    bug = db.session.get_one(Bug, question.report.bug.canonical_id)
    if not go_on(bug, actor=actor):
        bug.changed_at = clock.now()
        events.record(EventKind.REPORT_ANSWERED, actor=actor, bug=bug, report=question.report)


def go_on(bug: Bug, *, actor: User | None) -> bool:
    """Let a bug whose question is answered go back to where it was, and tell whether it is. Records bug.answered."""
    question = answered_question(bug) if bug.status == Status.NEEDS_INFO else None
    if question is not None:
        news = {"news": News.ANSWERED, "news_at": clock.now()}
        _move(bug, question.status_before, EventKind.BUG_ANSWERED, actor, None, **news)
    return question is not None


def fix(bug: Bug, notes: Mapping[str, str], release: Option | None, *, actor: User, seen: Status | None = None) -> None:
    """Say that a bug is fixed, in which release, and what is different for the customer, by language.

    Becomes live at once where its release is live already, or where the workspace has no releases. Records bug.fixed.
    Raises Invalid without a note, or without a release where the workspace has them.
    """
    if release is None and not workspace().goes_live_at_once:
        raise Invalid("Say which version it is fixed in.", "version")
    _check_note(notes, "Say what is different for the customer.")
    columns = {"release_id": release.id if release else None, "customer_notes": dict(notes)}
    _move(bug, Status.FIXED, EventKind.BUG_FIXED, actor, seen, **columns)
    _go_live_with_its_release(bug, actor)


def _go_live_with_its_release(bug: Bug, actor: User | None) -> None:
    release = bug.release
    if release is not None:
        db.session.refresh(release, with_for_update={"read": True})  # a release going live at this moment is seen
    if workspace().goes_live_at_once or (release is not None and release.live_since_at is not None):
        go_live(bug, actor=actor)


def go_live(bug: Bug, *, actor: User | None) -> None:
    """Say that a fix has reached the customers. Records bug.live, which opens the announcement.

    Raises Conflict where its release is not live.
    """
    if not workspace().goes_live_at_once and (bug.release is None or bug.release.live_since_at is None):
        raise Conflict(f"{bug.ref} is live once its release is.")
    _move(bug, Status.LIVE, EventKind.BUG_LIVE, actor, None)


def decline(
    bug: Bug, reason: Option, notes: Words, workarounds: Words, *, actor: User, seen: Status | None = None
) -> None:
    """Close a bug without a fix, with the reason, an explanation and a way round that its customers will read.

    Without a workaround they read that there is none. Records bug.declined. Raises Invalid without an explanation, and
    for one that says it is fixed.
    """
    _check_note(notes, "Explain it in words that the customer can read.")
    refuse_fixed(notes)
    refuse_fixed(workarounds, "workaround")
    columns: dict[str, Any] = {"decline_reason_id": reason.id, "customer_notes": dict(notes)}
    columns |= {"workarounds": dict(workarounds), "has_no_workaround": not any(workarounds.values())}
    _move(bug, Status.DECLINED, EventKind.BUG_DECLINED, actor, seen, **columns)


def come_back(bug: Bug, *, actor: User | None, **why: int) -> None:
    """Reopen a live bug that still happens, as the next generation. Records bug.came_back, with what says so."""
    columns: dict[str, Any] = {"generation": bug.generation + 1, "came_back_at": clock.now()}
    columns |= {"news": News.CAME_BACK, "news_at": clock.now()}
    _move(bug, Status.ACCEPTED, EventKind.BUG_CAME_BACK, actor, None, why, **columns)


def unrelease(bug: Bug, *, actor: User | None) -> None:
    """Say that a live bug's release is withdrawn: it is fixed, not live, as the next generation.

    Records bug.unreleased.
    """
    _move(bug, Status.FIXED, EventKind.BUG_UNRELEASED, actor, None, generation=bug.generation + 1)


def reconsider(bug: Bug, *, actor: User, seen: Status | None = None) -> None:
    """Take a decline back because we changed our mind, as the next generation. Records bug.reconsidered."""
    columns: dict[str, Any] = {"generation": bug.generation + 1, "decline_reason_id": None}
    _move(bug, Status.ACCEPTED, EventKind.BUG_RECONSIDERED, actor, seen, **columns)


def undo(bug: Bug, *, actor: User, offered: int | None = None) -> None:
    """Take the last verdict back, within ten minutes and while nothing was sent. Records bug.undone.

    `offered` is the move that the person wants back. What somebody else wrote on the bug since then stays. Raises
    Conflict when another move came after it, and when it is too late; whoever sends mail refuses too, inside the same
    transaction.
    """
    hold(bug)
    _refuse_part(bug)
    last = last_move(bug)
    if offered is not None and (last is None or last.id != offered):
        raise Conflict(f"{what_happened(bug)} So your move cannot be undone any more.")
    if last is None or (last.kind not in UNDOABLE and last.kind != EventKind.BUG_LIVE):
        raise Conflict("There is nothing to undo.")
    if clock.now() - last.at > looking.UNDO_WITHIN:
        raise Conflict("That was more than ten minutes ago. Move the bug instead.")
    verdict = last
    if last.kind == EventKind.BUG_LIVE:
        fixed = move_before(last)
        if fixed is None or fixed.kind != EventKind.BUG_FIXED or clock.now() - fixed.at > looking.UNDO_WITHIN:
            raise Conflict("A release made this live. Say that the release is not live instead.")
        verdict = fixed
    stand_as_before(bug, verdict, last, actor=actor)


def stand_as_before(bug: Bug, verdict: Event, last: Event, *, actor: User | None) -> None:
    """Put a bug back to where it stood before a verdict that is, or led to, its `last` move. Records bug.undone."""
    newer = written_since(verdict)
    was = looking.read(last.details["was"] | verdict.details["was"])
    was = {name: value for name, value in was.items() if name not in newer}
    undone = Status(was["status"])
    if not undone.is_open:
        was["is_pinned"] = False
    change = sa.update(Bug).where(Bug.id == bug.id)
    values = {**was, "status": undone, "changed_at": clock.now()}
    db.session.execute(change.values(**values).execution_options(synchronize_session="fetch"))
    if last.kind == EventKind.BUG_ASKED:  # an older one that is still open stays
        for question in db.session.scalars(sa.select(Question).where(Question.id.in_(last.details["questions"]))):
            db.session.delete(question)
    db.session.expire(bug, PARTS)
    events.record(EventKind.BUG_UNDONE, bug=bug, actor=actor, before=last.after, after=undone, undone=last.id)
    if undone == Status.FIXED:
        _go_live_with_its_release(bug, actor)  # it may have gone live while the bug was said not to be fixed
    elif undone == Status.NEEDS_INFO:
        go_on(bug, actor=None)  # the answer may have come while the bug did not wait for it


def _move(
    bug: Bug,
    to: Status,
    kind: EventKind,
    actor: User | None,
    seen: Status | None,
    what: Mapping[str, Any] | None = None,
    /,
    **columns: Any,
) -> None:
    before = bug.status
    _refuse_part(bug, to)
    if bug.withdrawn_at is not None:
        raise Moved(bug, f"{bug.ref} was taken back.", to)
    outcome = before if before in (Status.LIVE, Status.DECLINED) else None
    may_follow = to in ALLOWED[before] and TAKES_BACK.get(kind) == outcome
    refuse_unseen(bug, seen, to, can_still=may_follow)
    if not may_follow:
        raise Moved(bug, f"A bug that is {before.label} cannot become {to.label}.", to)
    if kind not in (EventKind.BUG_ANSWERED, EventKind.BUG_CAME_BACK):
        columns |= looking.looked(bug, actor)
    if to in ENDS_A_SNOOZE and bug.snoozed_until is not None:
        columns["snoozed_until"] = None
    if bug.paused_at is not None:
        columns["paused_at"] = None
    if bug.is_pinned and not to.is_open:
        columns["is_pinned"] = False
    was = {name: getattr(bug, name) for name in (*columns, "status_since_at")}
    now = clock.now()
    change = sa.update(Bug).where(Bug.id == bug.id, Bug.status == before, Bug.merged_into_id.is_(None))
    if "owner_id" in was:
        change = change.where(Bug.owner_id.is_not_distinct_from(was["owner_id"]))
    values = {"status": to, "status_since_at": now, "changed_at": now, **columns}
    if not update_one(change.values(**values).execution_options(synchronize_session="fetch")):
        raise Conflict("Somebody else moved this bug first.")
    db.session.expire(bug, PARTS)
    was["status"] = before
    what = {**(what or {}), "generation": bug.generation, "was": looking.plain(was)}
    events.record(kind, bug=bug, actor=actor, before=before, after=to, **what)


def _refuse_part(bug: Bug, to: Status | None = None) -> None:
    if bug.merged_into_id is not None:
        raise Moved(bug, f"{bug.ref} is part of BUG-{bug.canonical_id}. Move that one.", to)


def _check_note(notes: Mapping[str, str], sentence: str) -> None:
    if not any(text.strip() for text in notes.values()):
        raise Invalid(sentence, "customer_note")
    if any(len(text) > NOTE_LENGTH for text in notes.values()):
        raise Invalid(f"A note has at most {NOTE_LENGTH:,} characters.", "customer_note")
