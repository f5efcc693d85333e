"""What the page of a bug tells of its past."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.queries import reports_of
from bugintake.loop import replies
from bugintake.triage import history, transitions
from tests.factories import make_bug, make_customer, make_user

ROOMS = Path(history.__file__).parents[1]
ABOUT_BUGS = ("bug.", "report.", "announcement.", "message.", "delivery.", "customer.unsubscribed", "customer.resub")


def recorded() -> set[EventKind]:
    """Find every kind of event that the code of a room names."""
    files = [path for path in ROOMS.rglob("*.py") if path.name not in ("events.py", "history.py")]
    named = {name for path in files for name in re.findall(r"EventKind\.([A-Z_]+)", path.read_text(encoding="utf-8"))}
    return {EventKind[name] for name in named}


def test_everything_that_happens_to_a_bug_has_words():
    silent = [
        kind
        for kind in recorded()
        if kind.startswith(ABOUT_BUGS) and kind not in history.WORDS and kind not in history.TOLD_ELSEWHERE
    ]

    assert silent == []


def test_history_says_who_did_what(app):
    mira, hana = make_user(name="Mira Kovač"), make_customer("Hana Kovač")
    bug = make_bug(waiting=[hana])
    with transaction():
        transitions.accept(bug, actor=mira, owner=None)
        replies.works_now(reports_of(bug)[0])

    told = [(entry.who, entry.words) for entry in history.lines(bug)[0]]

    assert told[-2:] == [("Mira Kovač", "accepted it"), ("A customer", "says that it works now")]


def test_only_the_last_lines_are_read_until_somebody_asks_for_all(app):
    bug = make_bug()
    before = db.session.scalar(sa.select(sa.func.count()).where(Event.bug_id == bug.id))
    with transaction():
        for _ in range(history.SHOWN):
            events.record(EventKind.BUG_REPRODUCED, actor=None, bug=bug)

    shown, earlier = history.lines(bug)
    whole, none = history.lines(bug, whole=True)

    assert (len(shown), earlier) == (history.SHOWN, before)
    assert (len(whole), none) == (history.SHOWN + before, 0)
    assert whole[-history.SHOWN :] == shown


@pytest.mark.parametrize(("people", "words"), [(1, "one customer is"), (12, "12 customers are")])
def test_an_announcement_says_how_many_it_is_for(app, people, words):
    bug = make_bug()
    with transaction():
        events.record(EventKind.ANNOUNCEMENT_OPENED, actor=None, bug=bug, after="live", people=people, announcement=1)

    assert history.lines(bug)[0][-1].words == f"made ready what {words} told"
