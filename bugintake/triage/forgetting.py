"""Links and saved views that name an erased person: their words go, that there was something stays in the history."""

import re
from collections.abc import Collection, Sequence
from urllib.parse import parse_qsl, unquote, urlencode

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.intake.customers import erasing
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report
from bugintake.team.models import User
from bugintake.triage import elsewhere, saved_views, search
from bugintake.triage.link_models import BugLink
from bugintake.triage.models import SavedView


def links_naming(records: Collection[int], called: Collection[str]) -> Sequence[BugLink]:
    """List the links of bugs that a person told of whose address or title has one of the words that they are called by.

    Also those that were removed. A word counts where it stands alone: 4711 is not in 47110.
    """
    part = aliased(Bug)
    told = sa.select(part.canonical_id).join(Report, Report.bug_id == part.id).where(Report.customer_id.in_(records))
    links = sa.select(BugLink).join(BugLink.bug).where(Bug.canonical_id.in_(told)).order_by(BugLink.id)
    named = _standing_alone(called)
    return [
        link
        for link in db.session.scalars(links)
        if any(named.search(text) for text in (link.url, unquote(link.url), link.title))
    ]


def forget_links(records: Collection[int], called: Collection[str], actor: User | None) -> None:
    """Remove these links for good, with all that was kept of them. Records bug.unlinked for each that was there."""
    for link in links_naming(records, called):
        kind, was_there = elsewhere.place_of(link.url).kind, link.removed_at is None
        link.url = link.title = link.state = link.trouble = ""
        link.removed_at, link.look_at = link.removed_at or clock.now(), None
        if was_there:
            link.bug.changed_at = clock.now()
            events.record(EventKind.BUG_UNLINKED, actor=actor, bug=link.bug, after=kind, link=link.id)


def views_naming(records: Collection[int], called: Collection[str]) -> Sequence[SavedView]:
    """List the saved views of anybody that search for a person's name or a word they are called by, or are named so."""
    named = _naming(records, called)
    return [
        view
        for view in db.session.scalars(sa.select(SavedView).order_by(SavedView.id))
        if any(named.search(text) for text in (view.name, _searched(view)))
    ]


def forget_views(records: Collection[int], called: Collection[str], actor: User | None) -> None:
    """Take these words out of saved views; one that asks for nothing else goes with them.

    Records view.changed, or view.removed.
    """
    named = _naming(records, called)
    for view in views_naming(records, called):
        asked = [(name, _without(named, value) if name == "q" else value) for name, value in parse_qsl(view.address)]
        left = [(name, value) for name, value in asked if value]
        if left != asked and dict(left).keys() <= {"sort"}:
            saved_views.remove(view, actor=actor)
            continue
        view.name, view.address = named.sub(erasing.ERASED, view.name)[: saved_views.NAME_LENGTH], urlencode(left)
        events.record(EventKind.VIEW_CHANGED, actor=actor, view=view.id)


def _without(named: re.Pattern[str], text: str) -> str:
    if not named.search(text):
        return text
    return " ".join(token.raw for token in search.tokens(named.sub(" ", text)) if token.value.strip())


def _searched(view: SavedView) -> str:
    return dict(parse_qsl(view.address)).get("q", "")


def _naming(records: Collection[int], called: Collection[str]) -> re.Pattern[str]:
    people = sa.select(Customer.name).where(Customer.id.in_(records), Customer.erased_at.is_(None))
    return _standing_alone([*called, *db.session.scalars(people)])


def _standing_alone(words: Collection[str]) -> re.Pattern[str]:
    """Find any of some words, and nothing where there is none."""
    each = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in words if word]
    return re.compile("|".join(each) or "(?!)", re.IGNORECASE)


def listen() -> None:
    """Forget links and words of saved views with whoever is erased."""
    erasing.register(forget_links)
    erasing.register(forget_views)
