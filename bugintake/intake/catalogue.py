"""The catalogue: the lists that a report is chosen from, as data."""

import unicodedata
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import EventKind
from bugintake.core.forms import clean_line
from bugintake.intake.models import Option, OptionList
from bugintake.team.models import User

LABEL_LENGTH = 120


def key_of(label: str) -> str:
    """Fold a label to what people type: no case, no accents, single spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", clean_line(label)) if not unicodedata.combining(c))
    return plain.casefold()


def add_option(
    kind: OptionList,
    label: str,
    *,
    actor: User | None,
    aliases: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    hint: str = "",
    deadline_minutes: int | None = None,
    owner: User | None = None,
) -> Option:
    """Add a choice at the end of a list.

    `labels` are what customers read, by language; `deadline_minutes` are working minutes until somebody looks.
    Records option.added. Raises Invalid for an empty or overlong label, Conflict where the list has it already.
    """
    label = clean_line(label)
    if not label:
        raise Invalid("Give the choice a name.", "label")
    if len(label) > LABEL_LENGTH:
        raise Invalid(f"A name has at most {LABEL_LENGTH} characters.", "label")
    if option_labelled(kind, label) is not None:
        raise Conflict(f"The list already has {label}.")
    last = db.session.scalar(sa.select(sa.func.max(Option.position)).where(Option.list == kind))
    option = Option(
        list=kind,
        label=label,
        label_key=key_of(label),
        hint=hint,
        aliases=list(aliases),
        labels=dict(labels or {}),
        position=(last or 0) + 1,
        deadline_minutes=deadline_minutes,
        owner_id=owner.id if owner else None,
    )
    db.session.add(option)
    db.session.flush()
    events.record(EventKind.OPTION_ADDED, actor=actor, option=option, after=label)
    return option


def retire(option: Option, *, actor: User) -> None:
    """Hide a choice from new reports; old ones keep it. Records option.retired."""
    option.retired_at = clock.now()
    events.record(EventKind.OPTION_RETIRED, actor=actor, option=option, before=option.label)


def option_labelled(kind: OptionList, label: str) -> Option | None:
    """Find a choice by its label, whatever its case and accents."""
    return db.session.scalar(sa.select(Option).where(Option.list == kind, Option.label_key == key_of(label)))


def options_of(kind: OptionList, *, with_retired: bool = False) -> Sequence[Option]:
    """List the choices of a list in order."""
    query = sa.select(Option).where(Option.list == kind).order_by(Option.position, Option.id)
    return db.session.scalars(query if with_retired else query.where(Option.retired_at.is_(None))).all()


def choices() -> dict[OptionList, list[Option]]:
    """Read all lists at once, in order and without the retired."""
    query = sa.select(Option).where(Option.retired_at.is_(None)).order_by(Option.list, Option.position, Option.id)
    found: dict[OptionList, list[Option]] = {kind: [] for kind in OptionList}
    for option in db.session.scalars(query):
        found[option.list].append(option)
    return found


def choose(kind: OptionList, given: int | str) -> Option:
    """Find a choice by id, label or alias, as programs and forms give it.

    Raises Invalid, naming the list, for one that is unknown, retired or of another list.
    """
    word = kind.value.replace("_", " ")
    option = _by_id(kind, given) if isinstance(given, int) or (given.isascii() and given.isdigit()) else None
    if option is None and isinstance(given, str):
        option = option_labelled(kind, given) or _by_alias(kind, given)
    if option is None:
        raise Invalid(f"The list of {word} choices has no {str(given)[:60]!r}.", kind.value)
    if option.retired_at is not None:
        raise Invalid(f"{option.label} is no longer offered as {word}.", kind.value)
    return option


def version_named(given: str, *, actor: User) -> Option | None:
    """Find a version by id, label or alias; one that is unknown so far is made on the spot, not live.

    Returns None where nothing was given. Raises Invalid for a retired one.
    """
    if not given:
        return None
    known = _by_id(OptionList.VERSION, given) if given.isascii() and given.isdigit() else None
    if known or option_labelled(OptionList.VERSION, given) or _by_alias(OptionList.VERSION, given):
        return choose(OptionList.VERSION, given)
    return add_option(OptionList.VERSION, given, actor=actor)


def _by_id(kind: OptionList, given: int | str) -> Option | None:
    number = int(given)
    if not 0 < number < 2**31:
        return None
    option = db.session.get(Option, number)
    return option if option is not None and option.list == kind else None


def _by_alias(kind: OptionList, given: str) -> Option | None:
    key = key_of(given)
    return next((o for o in options_of(kind) if any(key_of(alias) == key for alias in o.aliases)), None)
