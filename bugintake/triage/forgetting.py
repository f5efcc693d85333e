"""Links that name an erased person: where they lead goes, that there was one stays in the history."""

import re
from collections.abc import Collection, Sequence
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.events import EventKind
from bugintake.intake.customers import erasing
from bugintake.intake.models import Bug, Report
from bugintake.team.models import User
from bugintake.triage import elsewhere
from bugintake.triage.link_models import BugLink


def links_naming(records: Collection[int], called: Collection[str]) -> Sequence[BugLink]:
    """List the links of bugs that a person told of whose address or title has one of the words that they are called by.

    Also those that were removed. A word counts where it stands alone: 4711 is not in 47110.
    """
    if not called:
        return []
    part = aliased(Bug)
    told = sa.select(part.canonical_id).join(Report, Report.bug_id == part.id).where(Report.customer_id.in_(records))
    links = sa.select(BugLink).join(BugLink.bug).where(Bug.canonical_id.in_(told)).order_by(BugLink.id)
    named = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in called), re.IGNORECASE)
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


def listen() -> None:
    """Forget links with whoever is erased."""
    erasing.register(forget_links)
