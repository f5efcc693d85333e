"""Proposals: words that are not listed, used at once, until a lead decides what becomes of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue, option_merging
from bugintake.intake.catalogue import LABEL_LENGTH, key_of
from bugintake.intake.models import Bug, Option, OptionList, Report
from bugintake.intake.option_models import OptionMerge
from bugintake.team.models import User

# How bad it is decides the deadline, and a decline is read by customers: both are chosen from what a lead wrote.
WELCOME = frozenset(OptionList) - {OptionList.IMPACT, OptionList.DECLINE_REASON}
_TAG = re.compile(r"^[vV](?=\d)")
FEW, MANY = 3, 50  # uses of a word: in the list, on its own page


def known(kind: str, word: str, *, called: str | None = None) -> Option | None:
    """Find what a word stands for, also where it is only proposed; nothing for a word that nobody used so far.

    Raises Invalid, naming the list, for a choice that is no longer offered.
    """
    found = catalogue.labelled(kind, word)
    if found is None or found.proposed_at is not None:
        return found
    return catalogue.choose(kind, found.id, called=called)


def propose(kind: str, word: str, *, called: str | None = None) -> Option:
    """Return what a word stands for; one that nobody used so far carries its reports until a lead decides about it.

    Whoever files with it calls note_use. Raises Invalid, naming the list, as known, and for a word that is too long.
    """
    one_at_a_time(f"option {kind}")  # somebody may have typed the same just now
    found = known(kind, word, called=called)
    if found is not None:
        return found
    label = clean_line(word)
    if len(label) > LABEL_LENGTH:
        raise Invalid(f"A choice has at most {LABEL_LENGTH} characters.", kind)
    return catalogue.append(kind, label, proposed_at=clock.now(), retired_at=clock.now())


def note_use(chosen: Iterable[Option], report: Report, bug: Bug, *, actor: User) -> None:
    """Write down, for each word of a report that is only proposed, who used it where. Records option.proposed."""
    for option in chosen:
        if option.proposed_at is not None:
            events.record(
                EventKind.OPTION_PROPOSED,
                actor=actor,
                bug=bug,
                report=report,
                option=option,
                after=option.label,
                list=option.list,
            )


def version_named(label: str, *, actor: User | None) -> Option:
    """Find a version by label or alias; one that is unknown so far is made on the spot, not live.

    Whoever fixes a bug in it or says that it is live knows that there is such a version: where it is only proposed, it
    is accepted. An id is not looked for: "12" is a version's name. Raises Invalid for a retired one, and for none.
    """
    found = version_called(label)
    if found is None:
        one_at_a_time(f"option {OptionList.VERSION}")  # somebody may have typed the same just now
        found = version_called(label)
    if found is None:
        return catalogue.add_option(OptionList.VERSION, _TAG.sub("", label.strip()), actor=actor)
    if found.proposed_at is not None:
        accept(found, found.label, actor=actor)
    return catalogue.choose(OptionList.VERSION, found.id)


def version_called(label: str) -> Option | None:
    """Find a version by label or alias, as a tag too: "v4.12.2" means 4.12.2 where nothing else is called so."""
    found = catalogue.labelled(OptionList.VERSION, label)
    return found or catalogue.labelled(OptionList.VERSION, _TAG.sub("", label.strip()))


def accept(option: Option, label: str, *, actor: User | None) -> None:
    """Put a proposed word on its list, as it was typed or better said; then what was typed still finds it.

    Records option.accepted. Raises Invalid and Conflict as add_option, Conflict where somebody else decided first.
    """
    word, label = option.label, clean_line(label)
    _check_undecided(option)
    catalogue.check_words(option.list, option, label, "", {}, None)
    option.label, option.label_key = label, key_of(label)
    option.aliases = [] if key_of(word) == option.label_key else [key_of(word)]
    option.proposed_at = option.retired_at = None
    events.record(EventKind.OPTION_ACCEPTED, actor=actor, option=option, before=word, after=label)


def make_alias(option: Option, into: Option, *, actor: User) -> OptionMerge:
    """Say that a proposed word is another name of a choice: reports follow, and it is found by it from now on.

    Records option.merged. Raises Conflict where somebody else decided first, and as merging does.
    """
    _check_undecided(option)
    return option_merging.merge(option, into, actor=actor)


def decline(option: Option, into: Option | None, *, actor: User) -> OptionMerge | None:
    """Turn a proposed word down: its reports get another choice, "Not sure" where none is named and the list has it.

    Where there is neither they keep the word, and nobody is offered it. Records option.declined. Raises as make_alias.
    """
    _check_undecided(option)
    into = into or catalogue.not_sure(option.list)
    if into is not None:
        return option_merging.merge(option, into, actor=actor, keeps_word=False)
    option.proposed_at = None
    events.record(EventKind.OPTION_DECLINED, actor=actor, option=option, before=option.label)
    return None


def _check_undecided(option: Option) -> None:
    one_at_a_time(f"option {option.list}")
    db.session.refresh(option)
    _check_waits(option)


def _check_waits(option: Option) -> None:
    if option.merged_into_id is not None or option.proposed_at is None:
        raise Conflict(f"Somebody decided about {option.label} already.")


# --- What waits for a decision -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """One report that was filed with a proposed word."""

    bug_ref: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Proposal:
    """A proposed word, its first uses, and how many there are."""

    option: Option
    uses: Sequence[Use]
    use_count: int


_UNDECIDED = (Option.proposed_at.is_not(None), Option.merged_into_id.is_(None))


def count() -> int:
    """Count the words that wait for a decision."""
    return db.session.scalar(sa.select(sa.func.count(Option.id)).where(*_UNDECIDED)) or 0


def waiting(*, start: int, size: int) -> list[Proposal]:
    """List the words that wait for a decision, the oldest first."""
    query = sa.select(Option).where(*_UNDECIDED).order_by(Option.proposed_at, Option.id)
    return _with_uses(db.session.scalars(query.offset(start).limit(size)).all(), FEW)


def proposal_or_404(option_id: int) -> Proposal:
    """Load a word that waits for a decision. Raises NotFound, and Conflict where somebody decided already."""
    option = db.session.get(Option, option_id) if 0 < option_id < 2**31 else None
    if option is None:
        raise NotFound()
    _check_waits(option)
    return _with_uses([option], MANY)[0]


def _with_uses(options: Sequence[Option], most: int) -> list[Proposal]:
    place = sa.func.row_number().over(partition_by=Event.option_id, order_by=Event.id).label("place")
    total = sa.func.count().over(partition_by=Event.option_id).label("total")
    is_one = Event.option_id.in_([option.id for option in options])
    each = sa.select(Event.option_id, Event.bug_id, Event.at, Event.actor_id, place, total)
    use = each.where(Event.kind == EventKind.OPTION_PROPOSED, is_one).subquery()
    query = sa.select(use.c.option_id, use.c.bug_id, User.name, use.c.at, use.c.total)
    query = query.outerjoin(User, User.id == use.c.actor_id).where(use.c.place <= most).order_by(use.c.place)
    uses: dict[int, list[Use]] = {}
    totals: dict[int, int] = {}
    for option_id, bug_id, name, at, total in db.session.execute(query):
        uses.setdefault(option_id, []).append(Use(f"BUG-{bug_id}", name or "bugintake", at))
        totals[option_id] = total
    return [Proposal(option, uses.get(option.id, []), totals.get(option.id, 0)) for option in options]
