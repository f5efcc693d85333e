"""What may be changed on a bug besides its status: title, choices, owner, workaround, restriction."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.core.templating import ago_in_words
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.wording import refuse_fixed
from bugintake.team.models import LANGUAGES, Role, User
from bugintake.triage import looking

TITLE_LENGTH = 200
WORKAROUND_LENGTH = 4000
CHOSEN = (OptionList.AREA, OptionList.SYMPTOM, OptionList.IMPACT)
WORKAROUND = "workaround_"
WRITES = {
    "owner": (EventKind.BUG_ASSIGNED, EventKind.BUG_ACCEPTED, EventKind.BUG_STARTED, EventKind.BUG_UNDONE),
    "note": (EventKind.ANNOUNCEMENT_EDITED,),
    "workaround": (EventKind.BUG_EDITED, EventKind.BUG_DECLINED, EventKind.BUG_UNDONE),
}


def change(bug: Bug, typed: Mapping[str, Any], seen: Seen, *, actor: User) -> None:
    """Change what a page shows of a bug, each field for itself: title, area, symptom, impact, owner, workaround_de.

    Records what the verbs below record, and raises as they do; raises Stale where somebody else changed one of these
    fields since it was `seen`.
    """
    hold(bug)
    now = {"title": bug.title, "owner": bug.owner, "area": bug.area, "symptom": bug.symptom, "impact": bug.impact}
    now |= {f"{WORKAROUND}{language}": bug.workarounds.get(language, "") for language in LANGUAGES}
    changes = seen.changes(now, typed, partial(who_changed, bug))
    if "title" in changes:
        rename(bug, changes["title"], actor=actor)
    if "owner" in changes:
        assign(bug, changes["owner"], actor=actor)
    for kind in CHOSEN:
        if kind.value in changes:
            choose(bug, changes[kind.value], actor=actor)
    ways = {name.removeprefix(WORKAROUND): text for name, text in changes.items() if name.startswith(WORKAROUND)}
    if ways:
        set_workarounds(bug, {**bug.workarounds, **ways}, actor=actor)


def who_changed(bug: Bug, name: str) -> str:
    """Say in a sentence who changed a field of a bug or of what its customers are told, and when."""
    field = name.partition("_")[0]
    kinds = WRITES.get(field, (EventKind.BUG_EDITED,))
    of_it = sa.or_(Event.kind != EventKind.BUG_EDITED, Event.details["field"].as_string() == field)
    written = sa.select(Event).where(Event.bug_id == bug.id, Event.kind.in_(kinds), of_it)
    event = db.session.scalars(written.order_by(Event.id.desc()).limit(1)).first()
    if event is None:
        return ""
    user = db.session.get(User, event.actor_id) if event.actor_id else None
    return f"{user.first_name if user else 'bugintake'} changed it {ago_in_words(event.at)}."


def assign(bug: Bug, owner: User | None, *, actor: User | None, **details: Any) -> Event:
    """Give a bug to somebody, or to whoever is on duty. Records bug.assigned, with the rule where one did it.

    Raises Conflict for a disabled person.
    """
    if owner is not None and not owner.is_active:
        raise Conflict(f"{owner.name} no longer works here.")
    before, was = bug.owner.name if bug.owner else None, bug.owner_id
    bug.owner = owner
    looking.touch(bug, actor)
    after = owner.name if owner else None
    details |= {"was": {"owner_id": was}, "owner_id": owner.id if owner else None}
    return events.record(EventKind.BUG_ASSIGNED, actor=actor, bug=bug, before=before, after=after, **details)


def rename(bug: Bug, title: str, *, actor: User) -> None:
    """Write the team's title of a bug; the customers' words stay as they were. Records bug.edited. Raises Invalid."""
    check_title(title)
    if title != bug.title:
        bug.title = title
        looking.touch(bug, actor)
        events.record(EventKind.BUG_EDITED, actor=actor, bug=bug, field="title")  # it began as a customer's words


def check_title(title: str) -> None:
    """Refuse what is no title for a bug. Raises Invalid."""
    if not title:
        raise Invalid("Give the bug a title.", "title")
    if len(title) > TITLE_LENGTH:
        raise Invalid(f"A title has at most {TITLE_LENGTH} characters.", "title")


def choose(bug: Bug, option: Option, *, actor: User | None, **details: Any) -> None:
    """Confirm or correct where a bug is, what goes wrong, or how bad it is.

    Records bug.edited, with the rule where one did it.
    """
    if option.list not in CHOSEN:
        raise Invalid("That choice belongs to a report, not to a bug.", option.list)
    before: Option = getattr(bug, option.list)
    if before.id == option.id:
        return
    setattr(bug, option.list, option)
    if option.list == OptionList.IMPACT:
        bug.impact_rank = option.position
    looking.touch(bug, actor)
    kind = EventKind.BUG_EDITED
    events.record(kind, actor=actor, bug=bug, before=before.label, after=option.label, field=option.list, **details)


def set_workarounds(bug: Bug, texts: Mapping[str, str], *, actor: User) -> None:
    """Write what customers can do until it is fixed, by language.

    Whoever takes the last one from a declined bug says that there is none: its customers read one or the other.
    Records bug.edited. Raises Invalid when too long, and where a declined bug would be said to be fixed.
    """
    if bug.status == Status.DECLINED:
        refuse_fixed(texts, "workaround_{language}")
    if any(len(text) > WORKAROUND_LENGTH for text in texts.values()):
        raise Invalid(f"A workaround has at most {WORKAROUND_LENGTH:,} characters.", "workaround")
    bug.workarounds = {language: text for language, text in texts.items() if text}
    bug.has_no_workaround = bug.status == Status.DECLINED and not bug.workarounds
    looking.touch(bug, actor)
    events.record(EventKind.BUG_EDITED, actor=actor, bug=bug, field="workaround", after=", ".join(bug.workarounds))


def reproduce(bug: Bug, *, actor: User) -> None:
    """Say that we saw it happen too: customers read it. Records bug.reproduced."""
    if bug.reproduced_at is None:
        bug.reproduced_at = clock.now()
        looking.touch(bug, actor)
        events.record(EventKind.BUG_REPRODUCED, actor=actor, bug=bug)


def restrict(bug: Bug, is_restricted: bool, *, actor: User) -> None:
    """Show a bug only to its filer, owner, leads and admins, or to everybody again, which a lead decides.

    Records bug.restricted or bug.unrestricted. Raises Conflict where an engineer would open a restricted bug, and for a
    part of another bug, which is as hidden as that one.
    """
    if bug.merged_into_id is not None:
        raise Conflict(f"{bug.ref} is part of BUG-{bug.canonical_id}. Restrict that one.")
    if not is_restricted and not actor.can(Role.LEAD):
        raise Conflict("A lead decides whether everybody may see this again.")
    if bug.is_restricted != is_restricted:
        bug.is_restricted = is_restricted
        looking.touch(bug, actor)
        kind = EventKind.BUG_RESTRICTED if is_restricted else EventKind.BUG_UNRESTRICTED
        events.record(kind, actor=actor, bug=bug)
