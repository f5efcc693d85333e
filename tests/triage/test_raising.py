"""Raising a bug to the top of today's queue, until an engineer has looked."""

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotPermitted
from bugintake.core.events import Event
from bugintake.intake.models import RaiseReason, Status
from bugintake.team.models import Role
from bugintake.triage import editing, looking, queue, raising, snoozing, transitions
from tests.factories import make_bug, make_option, make_user
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea Sommer")


def raised(status=Status.NEW, *, actor, **values):
    """A bug on top of today's queue."""
    bug = make_bug(status, **values)
    with transaction():
        raising.raise_bug(bug, RaiseReason.PROMISED, actor=actor)
    return bug


def ids(actor):
    """The bugs of somebody's queue, in order."""
    return [item.card.id for item in queue.queue(actor)[0]]


def undo_of(visitor):
    """The address that takes the last change back."""
    return unescape(re.search(r'action="([^"]*/undo/[^"]*)"', visitor.get("/board").text)[1])


def test_a_raised_bug_is_on_top_of_the_queue_whatever_its_deadline_status_and_owner(app, mira, lea, clock):
    make_option("impact", "Cannot work", deadline_minutes=30)
    make_option("impact", "Looks off", deadline_minutes=2400)
    urgent = make_bug(impact="Cannot work")
    bug = raised(Status.IN_PROGRESS, actor=lea, impact="Looks off")

    assert ids(mira) == [bug.id, urgent.id]


def test_the_queue_the_board_the_list_and_the_bug_say_who_raised_it_and_why(app, mira, lea):
    bug, visitor = raised(actor=lea), visit(app, mira)

    assert visitor.get("/duty").text.count("Lea Sommer: An answer is promised for today") == 1
    assert visitor.get("/board").text.count("Raised by Lea Sommer") == 1
    assert visitor.get("/bugs").text.count("Raised by Lea Sommer") == 1
    page = visitor.get(f"/bugs/{bug.ref}").text
    assert page.count("Raised by Lea Sommer: An answer is promised for today") == 1
    assert page.count("raised it: An answer is promised for today") == 1


def test_an_agent_raises_with_one_press_and_undoes_it(app, mira, lea):
    bug, visitor = make_bug(Status.IN_PROGRESS), visit(app, lea)

    answer = visitor.post(f"/bugs/{bug.ref}/raise", {"reason": "leaving", "next": "/board"})
    after = (answer.location, bug.raise_reason, bug.raised_by_id, ids(mira))
    visitor.post(undo_of(visitor))

    assert after == ("/board", RaiseReason.LEAVING, lea.id, [bug.id])
    assert (bug.raise_reason, bug.raised_by_id, bug.raised_at, ids(mira)) == (None, None, None, [])
    kinds = db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id).order_by(Event.id)).all()
    assert kinds[-2:] == ["bug.raised", "bug.taken_back"]


@pytest.mark.parametrize("reason", ["", "because"])
def test_a_reason_that_is_not_listed_is_refused(app, lea, reason):
    bug = make_bug()

    answer = visit(app, lea).post(f"/bugs/{bug.ref}/raise", {"reason": reason})

    assert (answer.status_code, bug.raised_at) == (422, None)


def test_i_have_looked_ends_it_and_can_be_undone(app, mira, lea):
    bug, visitor = raised(Status.IN_PROGRESS, actor=lea), visit(app, mira)

    visitor.post(f"/bugs/{bug.ref}/look", {"next": "/board"})
    after = (bug.raised_at, ids(mira))
    visitor.post(undo_of(visitor))

    assert after == (None, [])
    assert (bug.raise_reason, bug.raised_by_id, ids(mira)) == (RaiseReason.PROMISED, lea.id, [bug.id])


@pytest.mark.parametrize(
    "verb",
    [
        lambda bug, mira: transitions.accept(bug, actor=mira),
        lambda bug, mira: editing.assign(bug, mira, actor=mira),
        lambda bug, mira: editing.rename(bug, "A better title", actor=mira),
        lambda bug, mira: editing.reproduce(bug, actor=mira),
        lambda bug, mira: editing.set_workarounds(bug, {"en": "Print it."}, actor=mira),
        lambda bug, mira: snoozing.snooze(bug, looking.today_of(mira) + timedelta(days=1), actor=mira),
    ],
    ids=["accept", "assign", "rename", "reproduce", "workaround", "snooze"],
)
def test_any_verb_of_an_engineer_ends_it(app, mira, lea, verb):
    bug = raised(actor=lea)

    with transaction():
        verb(bug, mira)

    assert (bug.raised_at, bug.raised_by_id, bug.raise_reason) == (None, None, None)


def test_what_an_agent_does_does_not_end_it(app, lea):
    bug = raised(actor=lea)

    with transaction():
        editing.set_workarounds(bug, {"en": "Print it."}, actor=make_user(Role.AGENT))

    assert bug.raise_reason == RaiseReason.PROMISED


def test_undoing_a_verdict_raises_the_bug_again_but_keeps_what_was_raised_since(app, mira, lea):
    bug = raised(actor=lea)
    with transaction():
        transitions.accept(bug, actor=mira)
    accepted = bug.raised_at
    with transaction():
        transitions.undo(bug, actor=mira)
    undone = bug.raise_reason
    with transaction():
        transitions.accept(bug, actor=mira)
        raising.raise_bug(bug, RaiseReason.LEAVING, actor=lea)
        transitions.undo(bug, actor=mira)

    assert (accepted, undone, bug.raise_reason) == (None, RaiseReason.PROMISED, RaiseReason.LEAVING)


def test_raising_wakes_a_snoozed_bug_and_undo_lets_it_sleep_on(app, mira, lea):
    bug = make_bug()
    tomorrow = looking.today_of(mira) + timedelta(days=1)
    with transaction():
        snoozing.snooze(bug, tomorrow, actor=mira)
        event = raising.raise_bug(bug, RaiseReason.STOPPED, actor=lea)
    awake = (bug.snoozed_until, ids(mira))
    with transaction():
        raising.take_back(bug, event.id, actor=lea)

    assert (awake, bug.snoozed_until, ids(mira)) == ((None, [bug.id]), tomorrow, [])


def test_it_is_raised_once_and_not_when_closed(app, mira, lea):
    bug, closed = raised(actor=lea), make_bug(Status.DECLINED)

    with pytest.raises(Conflict, match="Lea raised it 1 s ago"), transaction():
        raising.raise_bug(bug, RaiseReason.LEAVING, actor=mira)
    with pytest.raises(Conflict, match="Won't fix by now"), transaction():
        raising.raise_bug(closed, RaiseReason.LEAVING, actor=mira)


def test_an_undo_is_ones_own_fresh_and_not_after_somebody_has_looked(app, mira, lea, clock):
    bug, looked_at, old = (make_bug() for _ in range(3))
    with transaction():
        events = [raising.raise_bug(each, RaiseReason.STOPPED, actor=lea) for each in (bug, looked_at, old)]
        editing.rename(looked_at, "A better title", actor=mira)

    with pytest.raises(NotPermitted), transaction():
        raising.take_back(bug, events[0].id, actor=mira)
    with pytest.raises(Conflict, match="has looked at"), transaction():
        raising.take_back(looked_at, events[1].id, actor=lea)
    clock.advance(timedelta(minutes=10, seconds=1))
    with pytest.raises(Conflict, match="more than ten minutes ago"), transaction():
        raising.take_back(old, events[2].id, actor=lea)


def test_looking_at_what_is_not_new_changes_nothing(app, mira):
    bug = make_bug()
    before = bug.changed_at

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/look", {"next": "/board"})

    assert (answer.status_code, bug.changed_at) == (302, before)


def test_an_agent_is_offered_to_raise_attach_and_comment_on_the_board_and_no_verdict(app, lea):
    make_bug()

    page = visit(app, lea).get("/board").text

    template = page.split('<template id="verbs">')[1].split("</template>")[0]
    assert re.findall(r'data-key="(\w)"', template) == ["t", "p", "c", "x"]
