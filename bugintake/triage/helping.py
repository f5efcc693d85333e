"""The second line: whoever is on duty asks somebody who knows the area for help, and hands the bug over with a note."""

from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.duty.queries import is_away
from bugintake.intake.models import Bug
from bugintake.team.models import User
from bugintake.triage import comments, editing


def knows_the_area(bug: Bug) -> User | None:
    """Name who looks after a bug's area and works here."""
    owner = db.session.get(User, bug.area.owner_id) if bug.area.owner_id is not None else None
    return owner if owner is not None and owner.is_active else None


def whom_to_ask(bug: Bug, actor: User) -> tuple[User | None, str]:
    """Name who is asked for help unless somebody chooses another; where that is nobody, or they are away, say so."""
    owner, area = knows_the_area(bug), bug.area.label
    if owner is None:
        return None, f"Nobody looks after {area}. Choose whom to ask."
    if owner.id == actor.id:
        return None, f"You look after {area} yourself. Choose whom to ask."
    if is_away(owner):
        return None, f"{owner.first_name} looks after {area} and is away. Choose whom to ask."
    return owner, f"{owner.first_name} looks after {area}."


def ask_for_help(bug: Bug, helper: User, note: str, *, actor: User) -> Event:
    """Give a bug to somebody with a note that they are mailed; it stands among the comments and mentions them.

    Records bug.assigned, which names the comment. Raises Invalid without a note, or for oneself; Conflict where the
    bug is closed, or theirs already.
    """
    hold(bug)
    if not bug.is_open:
        raise Conflict(f"{bug.ref} is {bug.status.label} by now.")
    if helper.id == actor.id:
        raise Invalid("That is you. Choose a colleague.", "owner")
    if helper.id == bug.owner_id:
        raise Conflict(f"{bug.ref} is with {helper.name} already. Write a comment.")
    if not note:
        raise Invalid("Write what you need, so that they can begin.", "note")
    comment = comments.add(bug, f"@{helper.name} {note}", actor=actor, new_owner=helper)
    return editing.assign(bug, helper, actor=actor, comment=comment.id)
