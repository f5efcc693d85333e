"""The catalogue: the lists that a report is chosen from, as data."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time, rows
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.core.kept import kept
from bugintake.intake import sentences
from bugintake.intake.models import Option, OptionList
from bugintake.intake.option_models import SentenceList
from bugintake.team.models import User

LABEL_LENGTH = 120
SENTENCE_LENGTH = 300
HINT_LENGTH = 200
LONGEST_DEADLINE = 100_000
NEEDED = frozenset(OptionList) - {OptionList.DECLINE_REASON}
_LETTERS = str.maketrans({"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def key_of(label: str, length: int = SENTENCE_LENGTH) -> str:
    """Fold a label to what people type: no case, no accents, single spaces; cut to what its column holds."""
    plain = clean_line(label)
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return plain.casefold().translate(_LETTERS)[:length]


def add_option(
    kind: str,
    label: str,
    *,
    actor: User | None,
    aliases: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    hint: str = "",
    deadline_minutes: int | None = None,
    owner: User | None = None,
    is_unsure: bool = False,
) -> Option:
    """Add a choice at the end of a list.

    `labels` are what customers read, by language; `deadline_minutes` are working minutes until somebody looks.
    Records option.added. Raises Invalid for an empty or overlong label, Conflict where the list has it already.
    """
    label = clean_line(label)
    one_at_a_time(f"option {kind}")
    check_words(kind, None, label, hint, labels or {}, deadline_minutes)
    option = append(
        kind,
        label,
        hint=hint,
        aliases=list(aliases),
        labels=dict(labels or {}),
        deadline_minutes=deadline_minutes,
        owner_id=owner.id if owner else None,
        is_unsure=is_unsure,
    )
    events.record(EventKind.OPTION_ADDED, actor=actor, option=option, after=label)
    return option


def append(kind: str, label: str, **columns: Any) -> Option:
    """Put a choice whose words were checked at the end of its list."""
    last = db.session.scalar(sa.select(sa.func.max(Option.position)).where(Option.list == kind))
    option = Option(list=kind, label=label, label_key=key_of(label), position=(last or 0) + 1, **columns)
    db.session.add(option)
    db.session.flush()
    return option


def write(option: Option, values: Mapping[str, Any], *, actor: User) -> None:
    """Write columns of a choice. Records option.changed with what they were and are, unless all is so already."""
    now = {name: value for name, value in values.items() if getattr(option, name) != value}
    if not now:
        return
    before, was = option.label, {name: getattr(option, name) for name in now}
    for name, value in now.items():
        setattr(option, name, value)
    option.label_key = key_of(option.label)
    what: dict[str, Any] = {"changed": list(now), "was": was, "now": now}
    kind = EventKind.OPTION_CHANGED
    events.record(kind, actor=actor, option=option, before=before, after=option.label, **what)


def retire(option: Option, *, actor: User) -> None:
    """Hide a choice from new reports; old ones keep it. Records option.retired.

    Raises Conflict for the last one of a list that every report needs one of.
    """
    if option.retired_at is not None:
        return
    one_at_a_time(f"option {option.list}")
    if option.list in NEEDED and len(options_of(option.list)) == 1:
        raise Conflict("This is the last choice of its list, and every report needs one. Add another one first.")
    option.retired_at = clock.now()
    events.record(EventKind.OPTION_RETIRED, actor=actor, option=option, before=option.label)


def offer_again(option: Option, *, actor: User) -> None:
    """Show a retired choice in new reports again. Records option.changed. Raises as check_stands."""
    check_stands(option)
    if option.retired_at is not None:
        option.retired_at = None
        events.record(EventKind.OPTION_CHANGED, actor=actor, option=option, after=option.label, changed=["retired_at"])


def option_labelled(kind: str, label: str) -> Option | None:
    """Find a choice by its label, whatever its case and accents; the retired and the proposed ones too."""
    same = (Option.list == kind, Option.label_key == key_of(label), Option.merged_into_id.is_(None))
    return db.session.scalar(sa.select(Option).where(*same))


def labelled(kind: str, words: str) -> Option | None:
    """Find a choice by its label, else by an alias; retired ones by their label."""
    return option_labelled(kind, words) or _by_alias(kind, words)


def options_of(kind: str, *, with_retired: bool = False) -> Sequence[Option]:
    """List the choices of a list in order, "Not sure" last; with the retired also what is only proposed."""
    query = sa.select(Option).where(Option.list == kind, Option.merged_into_id.is_(None))
    query = query.order_by(Option.is_unsure, Option.position, Option.id)
    return db.session.scalars(query if with_retired else query.where(Option.retired_at.is_(None))).all()


def choices() -> dict[str, list[Option]]:
    """Read all lists at once, in order, "Not sure" last, and without the retired: further lists only where filled."""
    order = (Option.list, Option.is_unsure, Option.position, Option.id)
    query = sa.select(Option).where(Option.retired_at.is_(None)).order_by(*order)
    found: dict[str, list[Option]] = {kind: [] for kind in OptionList}
    for option in db.session.scalars(query):
        found.setdefault(option.list, []).append(option)
    return found


class Choice(NamedTuple):
    """One choice of the catalogue as pages offer and name it."""

    id: int
    list: str
    label: str
    hint: str
    aliases: Sequence[str]
    position: int
    is_unsure: bool
    deadline_minutes: int | None
    is_retired: bool
    merged_into_id: int | None


@dataclass(frozen=True)
class Names:
    """The whole catalogue: what each list offers now, and every choice by its id, the retired ones too."""

    offered: Mapping[str, Sequence[Choice]]
    choices: Mapping[int, Choice]


_CHOICES = sa.select(
    Option.id,
    Option.list,
    Option.label,
    Option.hint,
    Option.aliases,
    Option.position,
    Option.is_unsure,
    Option.deadline_minutes,
    Option.retired_at.is_not(None),
    Option.merged_into_id,
).order_by(Option.list, Option.is_unsure, Option.position, Option.id)


@kept
def names() -> Names:
    """Read the whole catalogue, each list in order with "Not sure" last."""
    found = [Choice._make(row) for row in rows(_CHOICES)]
    offered: dict[str, list[Choice]] = {kind: [] for kind in OptionList}
    for choice in found:
        if not choice.is_retired:
            offered.setdefault(choice.list, []).append(choice)
    return Names(offered, {choice.id: choice for choice in found})


def meant(option_id: int) -> int:
    """Return the id of the choice that one means by now, as an old address may name one that was merged."""
    found = names().choices.get(option_id)
    return meant(found.merged_into_id) if found is not None and found.merged_into_id is not None else option_id


def not_sure(kind: str) -> Option | None:
    """Return the choice of a list that says nobody knows, if it has one."""
    query = sa.select(Option).where(Option.list == kind, Option.is_unsure, Option.retired_at.is_(None))
    return db.session.scalars(query.order_by(Option.position).limit(1)).first()


def choose(kind: str, given: int | str, *, called: str | None = None) -> Option:
    """Find a choice by id, label or alias, as programs and forms give it; one that was merged means the other one.

    Raises Invalid, naming the list, for one that is unknown, retired, only proposed, or of another list. `called` is
    its name in words.
    """
    word = called or kind.replace("_", " ")
    option = _by_id(kind, given) if isinstance(given, int) or (given.isascii() and given.isdigit()) else None
    if option is None and isinstance(given, str):
        option = labelled(kind, given)
    if option is None:
        raise Invalid(f"The list of {word} choices has no “{clean_line(str(given))[:60]}”.", str(kind))
    option = standing_for(option)
    if option.proposed_at is not None:
        raise Invalid(f"{option.label} was proposed as {word}, and is not on the list yet.", str(kind))
    if option.retired_at is not None:
        raise Invalid(f"{option.label} is no longer offered as {word}.", str(kind))
    return option


def standing_for(option: Option) -> Option:
    """Return the choice that one means by now: itself, or the one it was merged into."""
    while option.merged_into_id is not None:
        option = db.session.get_one(Option, option.merged_into_id)
    return option


def check_stands(option: Option) -> None:
    """Raise Conflict for a choice that was merged, or that a lead has yet to decide about."""
    if option.merged_into_id is not None:
        raise Conflict(f"{option.label} was merged into {standing_for(option).label}. Undo that first.")
    if option.proposed_at is not None:
        raise Conflict(f"{option.label} is only proposed. Decide about that first.")


def check_words(
    kind: str, option: Option | None, label: str, hint: str, labels: Mapping[str, str], deadline: int | None
) -> None:
    """Raise Invalid as check_lengths, Conflict where another choice of the list has the label."""
    check_lengths(kind, label, hint, labels, deadline)
    same = option_labelled(kind, label)
    if same is not None and same is not option:
        raise Conflict(f"The list already has {same.label}" + (", retired." if same.retired_at else "."))


def check_lengths(kind: str, label: str, hint: str, labels: Mapping[str, str], deadline: int | None) -> None:
    """Raise Invalid for words that a choice of a list cannot have, and as sentences.check."""
    longest = SENTENCE_LENGTH if kind in set(SentenceList) else LABEL_LENGTH
    if not label:
        raise Invalid("Give the choice a name.", "label")
    if len(label) > longest or any(len(words) > longest for words in labels.values()):
        raise Invalid(f"A name has at most {longest} characters.", "label")
    sentences.check(kind, label, labels)
    if len(hint) > HINT_LENGTH:
        raise Invalid(f"A hint has at most {HINT_LENGTH} characters.", "hint")
    if deadline is not None and not 0 < deadline <= LONGEST_DEADLINE:
        raise Invalid(f"A deadline is 1 to {LONGEST_DEADLINE:,} working minutes.", "deadline_minutes")


def _by_id(kind: str, given: int | str) -> Option | None:
    number = int(given) if len(str(given)) < 11 else 0
    if not 0 < number < 2**31:
        return None
    option = db.session.get(Option, number)
    return option if option is not None and option.list == kind else None


def _by_alias(kind: str, given: str) -> Option | None:
    key = key_of(given)
    query = sa.select(Option.id, Option.aliases).where(Option.list == kind, Option.retired_at.is_(None))
    for option_id, aliases in rows(query.order_by(Option.is_unsure, Option.position, Option.id)):
        if any(key_of(alias) == key for alias in aliases):
            return db.session.get(Option, option_id)
    return None
