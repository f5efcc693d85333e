"""Comments of the team on a bug: written, changed for ten minutes, and read by whom they mention."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.intake.catalogue import key_of
from bugintake.intake.models import Bug
from bugintake.intake.queries import is_visible
from bugintake.intake.reports import canonical
from bugintake.team.models import User
from bugintake.team.people import LONGEST_NAME
from bugintake.triage import looking
from bugintake.triage.comment_models import Comment
from bugintake.triage.history import Entry
from bugintake.triage.queries import colleagues

LENGTH = 10_000
CHANGE_WITHIN = timedelta(minutes=10)
_AT = re.compile(r"(?<![\w@.])@(?=\w)")


def write(bug: Bug, text: str, *, actor: User) -> Comment:
    """Tell the team something about a bug, or about the one it is part of; whoever is mentioned hears of it.

    Records bug.commented. Raises Invalid for an empty or overlong text, and for names as `mentioned_in` says; Conflict
    where the bug becomes a part of another at this moment.
    """
    bug = canonical(bug)
    hold(bug)
    if bug.merged_into_id is not None:
        raise Conflict(f"{bug.ref} became part of BUG-{bug.canonical_id} a moment ago. Write it there.")
    comment = add(bug, text, actor=actor)
    looking.touch(bug, actor)
    events.record(EventKind.BUG_COMMENTED, actor=actor, bug=bug, comment=comment.id)
    return comment


def add(bug: Bug, text: str, *, actor: User, new_owner: User | None = None) -> Comment:
    """Put a comment on a bug as a part of what somebody does with it, who records that. Raises Invalid as write()."""
    mentioned = _checked(bug, text, actor, new_owner)
    comment = Comment(bug=bug, author_id=actor.id, text=text, mentioned=mentioned)
    db.session.add(comment)
    db.session.flush()
    return comment


def edit(comment: Comment, text: str, *, actor: User) -> None:
    """Write one's own comment anew within ten minutes; who is mentioned by now and was not before hears of it.

    Records comment.edited. Raises as write(), NotPermitted for a colleague's, Conflict when it is too late.
    """
    hold(comment.bug)
    _check_may_change(comment, actor)
    mentioned = _checked(comment.bug, text, actor)
    if text != comment.text:
        comment.text, comment.mentioned, comment.edited_at = text, mentioned, clock.now()
        comment.bug.changed_at = clock.now()
        events.record(EventKind.COMMENT_EDITED, actor=actor, bug=comment.bug, comment=comment.id)


def remove(comment: Comment, *, actor: User) -> None:
    """Take one's own comment away within ten minutes. Records comment.removed. Raises as edit()."""
    hold(comment.bug)
    _check_may_change(comment, actor)
    comment.text, comment.mentioned, comment.removed_at = "", [], clock.now()
    comment.bug.changed_at = clock.now()
    events.record(EventKind.COMMENT_REMOVED, actor=actor, bug=comment.bug, comment=comment.id)


def may_change(comment: Comment, actor: User) -> bool:
    """Whether somebody may still write a comment anew or take it away."""
    is_fresh = clock.now() - comment.written_at <= CHANGE_WITHIN
    return comment.author_id == actor.id and comment.removed_at is None and is_fresh


def comment_or_404(bug: Bug, comment_id: int) -> Comment:
    """Load a comment on a bug. Raises NotFound."""
    comment = db.session.get(Comment, comment_id) if 0 < comment_id < 2**31 else None
    if comment is None or comment.bug_id != bug.id:
        raise NotFound()
    return comment


def told_in(entries: Iterable[Entry]) -> Mapping[int, Comment]:
    """Read the comments that lines of a bug's history name; asks nothing where none does."""
    ids = [entry.comment for entry in entries if entry.comment is not None]
    found = db.session.scalars(sa.select(Comment).where(Comment.id.in_(ids))) if ids else ()
    return {comment.id: comment for comment in found}


def may_be_mentioned(bug: Bug) -> list[User]:
    """List who works here and may see a bug, by name."""
    return [person for person in colleagues() if is_visible(bug, person)]


def mentioned_in(text: str, people: Sequence[User]) -> list[User]:
    """Find whom a text mentions: @ and a whole name, or a first name that only one person has.

    Case and accents do not matter. Words that are nobody's name stay words. Raises Invalid for a first name of several.
    """
    found: dict[int, User] = {}
    for at in _AT.finditer(text):
        rest = key_of(text[at.end() : at.end() + 2 * LONGEST_NAME], LONGEST_NAME)
        whole = [person for person in people if _begins(rest, person.name)]
        longest = max((len(person.name) for person in whole), default=0)
        meant = [person for person in whole if len(person.name) == longest]
        if not meant:
            meant = [person for person in people if _begins(rest, person.first_name)]
            if len(meant) > 1:
                names = " or ".join(person.name for person in meant)
                raise Invalid(f"@{meant[0].first_name} could be {names}. Write the whole name.", "text")
        found |= {person.id: person for person in meant}
    return list(found.values())


def _begins(rest: str, name: str) -> bool:
    key = key_of(name, LONGEST_NAME)
    return bool(key) and rest.startswith(key) and not rest[len(key) : len(key) + 1].isalnum()


def _checked(bug: Bug, text: str, actor: User, new_owner: User | None = None) -> list[int]:
    if not text:
        raise Invalid("Write the comment.", "text")
    if len(text) > LENGTH:
        raise Invalid(f"A comment has at most {LENGTH:,} characters.", "text")
    people = mentioned_in(text, colleagues()) if "@" in text else []
    blind = [person.name for person in people if person is not new_owner and not is_visible(bug, person)]
    if blind:
        names = " and ".join(blind)
        raise Invalid(
            f"{names} may not see {bug.ref}, so they cannot be told. Leave the name out, or ask a lead.", "text"
        )
    return [person.id for person in people if person.id != actor.id]


def _check_may_change(comment: Comment, actor: User) -> None:
    db.session.refresh(comment)
    if comment.author_id != actor.id:
        raise NotPermitted(f"Only {comment.author.name} can change this comment.")
    if comment.removed_at is not None:
        raise Conflict("This comment was removed.")
    if not may_change(comment, actor):
        raise Conflict("That was more than ten minutes ago: colleagues may have read it. Write another comment.")
