"""Taking a verdict back: only the one it was offered for, and never what a colleague did since."""

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotPermitted
from bugintake.intake.models import Bug, News, OptionList, Question, Status
from bugintake.intake.queries import reports_of
from bugintake.loop import releases
from bugintake.team.models import Role, User
from bugintake.triage import editing, pinning, transitions, undoing
from tests.conftest import AT_ONCE
from tests.factories import bring_to, make_bug, make_option, make_user
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def jonas(app):
    return make_user(name="Jonas Sommer")


def accepted(visitor, bug):
    """Accept a bug and return the address that takes it back."""
    visitor.post(f"/bugs/{bug.ref}/acceptance", {"seen": "new", "next": "/board"})
    return unescape(re.search(r'action="([^"]*/undo/[^"]*)"', visitor.get("/board").text)[1])


def test_the_undo_of_an_accept_takes_it_back_and_leads_to_where_one_was(app, mira):
    bug, visitor = make_bug(), visit(app, mira)

    answer = visitor.post(accepted(visitor, bug))

    assert (answer.location, bug.status) == ("/board", Status.NEW)


def test_after_an_undo_a_bug_stands_where_it_did_for_as_long_as_it_did(app, mira, clock):
    bug = make_bug(Status.DECLINED, actor=mira)
    since = bug.status_since_at
    clock.advance(timedelta(days=30))
    with transaction():
        transitions.reconsider(bug, actor=mira)
    clock.advance(timedelta(minutes=2))

    with transaction():
        transitions.undo(bug, actor=mira)

    assert (bug.status, bug.status_since_at) == (Status.DECLINED, since)


def test_a_pin_that_was_set_on_a_reopened_bug_ends_when_that_is_undone(app, mira):
    bug = make_bug(Status.DECLINED, actor=mira)
    with transaction():
        transitions.reconsider(bug, actor=mira)
        pinning.pin(bug, True, actor=make_user(Role.LEAD))

    with transaction():
        transitions.undo(bug, actor=mira)

    assert (bug.status, bug.is_pinned) == (Status.DECLINED, False)


def test_a_bug_whose_answer_came_meanwhile_waits_for_none_once_its_move_is_undone(app, mira):
    bug = make_bug(actor=mira)
    with transaction():
        question = transitions.ask(bug, reports_of(bug)[0], "Which browser?", actor=mira)
    with transaction():
        transitions.accept(bug, actor=mira)
        transitions.answer(question, "Firefox", actor=mira)

    with transaction():
        transitions.undo(bug, actor=mira)

    assert (bug.status, bug.news) == (Status.NEW, News.ANSWERED)


def test_an_older_offer_does_not_undo_what_a_colleague_did_since(app, mira, jonas, clock):
    bug, visitor = make_bug(), visit(app, mira)
    undo = accepted(visitor, bug)
    visit(app, jonas).post(f"/bugs/{bug.ref}/work", {"seen": "accepted"})
    clock.advance(timedelta(minutes=2))

    answer = visitor.post(undo)

    assert (answer.status_code, bug.status) == (409, Status.IN_PROGRESS)
    sentence = f"Jonas moved {bug.ref} to In progress 2 min ago. So your move cannot be undone any more."
    assert sentence in answer.text


def test_an_offer_is_good_once(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    undo = accepted(visitor, bug)
    visitor.post(undo)
    bring_to(bug, Status.ACCEPTED, actor=mira)

    assert (visitor.post(undo).status_code, bug.status) == (409, Status.ACCEPTED)


def test_an_offer_ends_after_ten_minutes(app, mira, clock):
    bug, visitor = make_bug(), visit(app, mira)
    undo = accepted(visitor, bug)
    clock.advance(timedelta(minutes=10, seconds=1))

    answer = visitor.post(undo)

    assert (answer.status_code, bug.status) == (409, Status.ACCEPTED)
    assert "more than ten minutes ago" in answer.text


@pytest.mark.parametrize("number", ["0", "1", "99999999999999999999"])
def test_the_number_of_another_event_undoes_nothing(app, mira, number):
    bug, visitor = make_bug(), visit(app, mira)
    accepted(visitor, bug)

    assert (visitor.post(f"/bugs/{bug.ref}/undo/{number}").status_code, bug.status) == (409, Status.ACCEPTED)


def test_undoing_leaves_the_owner_and_the_workaround_that_a_colleague_wrote_since(app, mira, jonas):
    bug, reason = make_bug(), make_option(OptionList.DECLINE_REASON)
    with transaction():
        transitions.accept(bug, actor=mira, owner=mira)
        editing.assign(bug, jonas, actor=jonas)
        transitions.undo(bug, actor=mira)
    with transaction():
        transitions.decline(bug, reason, {"en": "It must be so."}, {"en": "Print it."}, actor=mira)
        editing.set_workarounds(bug, {"en": "Save it."}, actor=jonas)
        transitions.undo(bug, actor=mira)

    assert (bug.status, bug.owner, bug.workarounds) == (Status.NEW, jonas, {"en": "Save it."})
    assert (bug.decline_reason, bug.customer_notes) == (None, {})


def test_of_several_who_undo_one_move_at_once_one_does(app, company, together):
    bug, actor_id = make_bug(Status.ACCEPTED), make_user().id
    bug_id, move_id = bug.id, transitions.last_move(bug).id

    def undo(_number):
        with transaction():
            actor = db.session.get_one(User, actor_id)
            transitions.undo(db.session.get_one(Bug, bug_id), actor=actor, offered=move_id)

    answers = together(undo)

    assert ([answer is None for answer in answers].count(True), db.session.get_one(Bug, bug_id).status) == (1, "new")
    assert {type(answer) for answer in answers} == {type(None), Conflict}
    assert len(answers) == AT_ONCE


def test_undoing_a_question_takes_back_that_one_alone(app, mira):
    bug = make_bug()
    report = reports_of(bug)[0]
    with transaction():
        earlier = transitions.ask(bug, report, "Which browser?", actor=mira)
    with transaction():
        transitions.accept(bug, actor=mira)
    with transaction():
        transitions.ask(bug, report, "Which version?", actor=mira)

    with transaction():
        transitions.undo(bug, actor=mira)

    assert (bug.status, db.session.scalars(sa.select(Question)).all()) == (Status.ACCEPTED, [earlier])


def test_a_fix_that_is_taken_up_again_goes_live_with_a_release_that_went_live_meanwhile(app, mira):
    bug = make_bug(Status.FIXED)
    with transaction():
        transitions.start(bug, actor=mira)
    with transaction():
        releases.release_live(bug.release, actor=mira)

    with transaction():
        transitions.undo(bug, actor=mira)

    assert bug.status == Status.LIVE


def offers(page):
    """The addresses to which the buttons of the key u send."""
    return [unescape(each) for each in re.findall(r'action="([^"]*)" data-undo', page.text)]


@pytest.mark.parametrize("place", ["/board", "/bugs", "/duty", "/bugs/{ref}"])
def test_every_page_offers_the_last_undo_for_ten_minutes(app, mira, clock, place):
    bug, visitor = make_bug(), visit(app, mira)
    visitor.post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})
    visitor.get("/snoozed")  # shows the message
    clock.advance(timedelta(minutes=10))

    [offer] = offers(visitor.get(place.format(ref=bug.ref)))
    answer = visitor.post(offer)

    assert (answer.location, bug.status) == (place.format(ref=bug.ref), Status.NEW)
    assert offers(visitor.get(place.format(ref=bug.ref))) == []


def test_later_than_that_nothing_is_offered_any_more(app, mira, clock):
    bug, visitor = make_bug(), visit(app, mira)
    visitor.post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})
    visitor.get("/snoozed")
    clock.advance(timedelta(minutes=10, seconds=1))

    assert offers(visitor.get("/board")) == []


def test_a_board_that_was_kept_offers_what_was_done_meanwhile(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    tag = visitor.get("/board").headers["ETag"]
    visitor.post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})
    visitor.get("/snoozed")

    page = visitor.get("/board", headers={"If-None-Match": tag})

    assert (page.status_code, len(offers(page))) == (200, 1)


DONE = {
    "acceptance": {},
    "assignment": {"owner": "me"},
    "snooze": {"until": "2026-03-16"},
    "raise": {"reason": "leaving"},
}


@pytest.mark.parametrize("verb", DONE)
def test_the_history_offers_to_take_back_what_one_did_oneself_just_now(app, mira, jonas, clock, verb):
    bug, visitor, colleague = make_bug(), visit(app, mira), visit(app, jonas)
    before = (bug.status, bug.owner, bug.snoozed_until, bug.raised_at)
    visitor.post(f"/bugs/{bug.ref}/{verb}", DONE[verb])

    def offered(to):
        timeline = to.get(f"/bugs/{bug.ref}").text.partition('class="timeline"')[2]
        return re.findall(r'action="(/bugs/[^"]*/undo/[0-9]+)"', timeline)

    [address], theirs = offered(visitor), offered(colleague)
    visitor.post(address)

    assert (bug.status, bug.owner, bug.snoozed_until, bug.raised_at) == before
    assert theirs == []
    visitor.post(f"/bugs/{bug.ref}/{verb}", DONE[verb])
    clock.advance(timedelta(minutes=10, seconds=1))
    assert offered(visitor) == []


def test_an_owner_is_not_taken_back_by_a_colleague_nor_once_another_was_chosen(app, mira, jonas):
    bug = make_bug()
    with transaction():
        first = editing.assign(bug, mira, actor=mira).id
    with pytest.raises(NotPermitted), transaction():
        undoing.take_back(bug, first, actor=jonas)
    with transaction():
        editing.assign(bug, jonas, actor=jonas)
        editing.assign(bug, mira, actor=jonas)

    with pytest.raises(Conflict, match="Jonas changed it"), transaction():
        undoing.take_back(bug, first, actor=mira)

    assert bug.owner == mira
