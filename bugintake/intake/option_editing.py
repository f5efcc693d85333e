"""Changing a choice: each field for itself, so that two people who edit it both hear of the other; and its place."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, one_at_a_time, update_all
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen, clean_line
from bugintake.core.templating import ago_in_words
from bugintake.intake import catalogue, intended
from bugintake.intake.models import Bug, Option, OptionList
from bugintake.team.models import LANGUAGES, User

LABEL_IN = "label_"


def shown(option: Option) -> dict[str, Any]:
    """Say what a page shows of a choice, by the names of its fields, as somebody would type it."""
    return {
        "label": option.label,
        "aliases": ", ".join(option.aliases),
        "hint": option.hint,
        "deadline_minutes": str(option.deadline_minutes or ""),
        "owner": db.session.get(User, option.owner_id) if option.owner_id else None,
        "intended": option.intended,
        "is_intended": option.is_intended,
        **{f"{LABEL_IN}{language}": option.labels.get(language, "") for language in LANGUAGES},
    }


def edit(option: Option, typed: Mapping[str, Any], seen: Seen, *, actor: User) -> None:
    """Change what a page shows of a choice; reports keep the choice and show its new words.

    `typed` has the fields of `shown` that were sent. Records option.changed with what they were and are. Raises Stale
    where somebody else changed one of them since it was `seen`, Invalid and Conflict as check_words and check_stands.
    """
    one_at_a_time(f"option {option.list}")
    db.session.refresh(option)
    catalogue.check_stands(option)
    changes = seen.changes(shown(option), typed, partial(who_changed, option))
    columns: dict[str, Any] = {
        name: changes[name] for name in ("label", "hint", "intended", "is_intended") if name in changes
    }
    if "aliases" in changes:
        columns["aliases"] = aliases_in(changes["aliases"])
    if "deadline_minutes" in changes:
        columns["deadline_minutes"] = int(changes["deadline_minutes"]) if changes["deadline_minutes"] else None
    if "owner" in changes:
        columns["owner_id"] = changes["owner"].id if changes["owner"] else None
    spoken = {name.removeprefix(LABEL_IN): words for name, words in changes.items() if name.startswith(LABEL_IN)}
    if spoken:
        columns["labels"] = {each: words for each, words in {**option.labels, **spoken}.items() if words}
    label = columns["label"] = clean_line(columns.get("label", option.label))
    after = {name: columns.get(name, getattr(option, name)) for name in ("hint", "labels", "deadline_minutes")}
    catalogue.check_words(option.list, option, label, after["hint"], after["labels"], after["deadline_minutes"])
    intended.check(columns.get("intended", ""))
    catalogue.write(option, columns, actor=actor)


def aliases_in(text: str) -> list[str]:
    """Read the other names of a choice, separated by commas, as they are kept."""
    return [key for key in dict.fromkeys(catalogue.key_of(alias) for alias in text.split(",")) if key]


def who_changed(option: Option, name: str) -> str:
    """Say in a sentence who changed a field of a choice last, and when."""
    column = "labels" if name.startswith(LABEL_IN) else {"owner": "owner_id"}.get(name, name)
    query = sa.select(Event).where(Event.option_id == option.id, Event.kind == EventKind.OPTION_CHANGED)
    for event in db.session.scalars(query.order_by(Event.id.desc())):
        if column in event.details["changed"]:
            user = db.session.get(User, event.actor_id) if event.actor_id else None
            return f"{user.first_name if user else 'bugintake'} changed it {ago_in_words(event.at)}."
    return ""


def place(option: Option, to: int, *, actor: User) -> None:
    """Put a choice at a place of its list, counted from 1; "Not sure" stands last anyway.

    The order of versions is theirs, and bugs are ordered by their impact, so these follow. Records option.changed with
    the places. Raises Invalid for a place that the list does not have, Conflict as check_stands.
    """
    one_at_a_time(f"option {option.list}")
    catalogue.check_stands(option)
    stand = [each for each in catalogue.options_of(option.list) if each.is_unsure == option.is_unsure]
    if option not in stand or not 1 <= to <= len(stand):
        raise Invalid(f"Give a place from 1 to {len(stand)}.", "to")
    before = stand.index(option) + 1
    if before == to:
        return
    positions = sorted(each.position for each in stand)
    stand.insert(to - 1, stand.pop(before - 1))
    moved = [each for each, position in zip(stand, positions, strict=True) if each.position != position]
    for each, position in zip(stand, positions, strict=True):
        each.position = position
    db.session.flush()
    if option.list == OptionList.IMPACT:
        _rank(moved)
    words: dict[str, Any] = {"changed": ["position"], "was": {"position": before}, "now": {"position": to}}
    kind = EventKind.OPTION_CHANGED
    events.record(kind, actor=actor, option=option, before=option.label, after=option.label, **words)


def _rank(impacts: Sequence[Option]) -> None:
    position = sa.select(Option.position).where(Option.id == Bug.impact_id).scalar_subquery()
    update_all(sa.update(Bug).where(Bug.impact_id.in_([each.id for each in impacts])).values(impact_rank=position))
