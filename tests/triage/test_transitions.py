"""How a bug may move, and how it may not."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.intake.models import Bug, OptionList, Question, Status
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import bring_to, make_bug, make_option, make_user, make_version, make_workspace

NOTE = {"en": "The VAT line is back."}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


def kinds(bug):
    """What happened to a bug itself, without what the loop made of it."""
    found = db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id).order_by(Event.id))
    return [kind for kind in found if not kind.startswith("announcement.")]


ALLOWED = {
    ("new", "accepted"), ("new", "in_progress"), ("new", "fixed"), ("new", "declined"), ("new", "needs_info"),
    ("needs_info", "accepted"), ("needs_info", "in_progress"), ("needs_info", "fixed"), ("needs_info", "declined"),
    ("accepted", "in_progress"), ("accepted", "fixed"), ("accepted", "declined"), ("accepted", "needs_info"),
    ("in_progress", "fixed"), ("in_progress", "declined"), ("in_progress", "needs_info"),
    ("fixed", "in_progress"),
}  # fmt: skip


@pytest.mark.parametrize("to", ["accepted", "in_progress", "fixed", "declined", "needs_info"])
@pytest.mark.parametrize("start", [s.value for s in Status])
def test_a_bug_moves_only_where_the_table_says(app, start, to):
    bug = make_bug(Status(start))
    engineer = make_user()

    if (start, to) in ALLOWED:
        bring_to(bug, Status(to), actor=engineer)
        assert bug.status == to
    elif (start, to) in {("live", "accepted"), ("declined", "accepted")}:
        with pytest.raises(Conflict), transaction():
            transitions.start(bug, actor=engineer)
    elif (start, to) != ("in_progress", "accepted"):
        with pytest.raises(Conflict, match=r"cannot become"):
            bring_to(bug, Status(to), actor=engineer)


def test_putting_work_down_makes_it_accepted_again(app):
    bug = make_bug(Status.IN_PROGRESS)

    with transaction():
        transitions.stop(bug, actor=make_user())

    assert (bug.status, kinds(bug)[-1]) == (Status.ACCEPTED, "bug.stopped")


def test_declining_records_who_when_before_and_after(app, clock):
    bug, engineer = make_bug(), make_user()
    reason = make_option(OptionList.DECLINE_REASON)

    with transaction():
        transitions.decline(bug, reason, NOTE, {"en": "Choose Print."}, actor=engineer)

    event = db.session.scalars(sa.select(Event).where(Event.kind == "bug.declined")).one()
    assert (event.actor_id, event.at, event.before, event.after) == (engineer.id, clock.now(), "new", "declined")
    assert (bug.decline_reason_id, bug.workarounds, bug.has_no_workaround) == (
        reason.id,
        {"en": "Choose Print."},
        False,
    )


def test_a_decline_without_an_explanation_is_refused_and_changes_nothing(app):
    bug = make_bug()

    with pytest.raises(Invalid, match="Explain it"), transaction():
        transitions.decline(bug, make_option(OptionList.DECLINE_REASON), {"en": " "}, {}, actor=make_user())

    assert (bug.status, kinds(bug)) == (Status.NEW, ["report.filed"])


def test_a_fix_without_a_note_or_a_version_is_refused(app):
    bug, version = make_bug(), make_version()

    with pytest.raises(Invalid, match="what is different"), transaction():
        transitions.fix(bug, {}, version, actor=make_user())
    with pytest.raises(Invalid, match="which version"), transaction():
        transitions.fix(bug, NOTE, None, actor=make_user())


def test_a_fix_waits_for_its_release(app):
    bug = make_bug()

    with transaction():
        transitions.fix(bug, NOTE, make_version("4.13.0"), actor=make_user())
    assert bug.status == Status.FIXED
    with pytest.raises(Conflict, match="once its release is"), transaction():
        transitions.go_live(bug, actor=make_user())


def test_a_fix_in_a_release_that_is_live_is_live_at_once(app, clock):
    bug = make_bug()

    with transaction():
        transitions.fix(bug, NOTE, make_version(live_since=clock.now()), actor=make_user())

    assert (bug.status, kinds(bug)[-2:]) == (Status.LIVE, ["bug.fixed", "bug.live"])


def test_without_releases_a_fix_is_live_at_once(app):
    make_workspace(goes_live_at_once=True)
    bug = make_bug()

    with transaction():
        transitions.fix(bug, NOTE, None, actor=make_user())

    assert bug.status == Status.LIVE


def test_the_second_of_two_people_hears_who_was_faster_and_changes_nothing(app, clock):
    bug, jonas, mira = make_bug(), make_user(name="Jonas Sommer"), make_user(name="Mira Kos")
    with transaction():
        transitions.start(bug, actor=jonas)
    clock.advance(timedelta(minutes=3))

    with pytest.raises(Conflict, match=r"Jonas moved BUG-\d+ to In progress 3 min ago"), transaction():
        transitions.accept(bug, actor=mira, seen=Status.NEW)

    assert (bug.status, bug.owner_id) == (Status.IN_PROGRESS, jonas.id)


def test_coming_back_begins_the_next_generation(app, clock):
    bug = make_bug(Status.LIVE)

    with transaction():
        transitions.come_back(bug, actor=None)

    assert (bug.status, bug.generation, bug.came_back_at) == (Status.ACCEPTED, 2, clock.now())


def test_changing_our_mind_about_a_decline_begins_the_next_generation(app):
    bug = make_bug(Status.DECLINED)

    with transaction():
        transitions.reconsider(bug, actor=make_user())

    assert (bug.status, bug.generation, bug.decline_reason_id) == (Status.ACCEPTED, 2, None)


@pytest.mark.parametrize(
    ("outcome", "verb"),
    [
        (Status.DECLINED, lambda bug: transitions.come_back(bug, actor=None)),
        (Status.DECLINED, lambda bug: transitions.unrelease(bug, actor=make_user())),
        (Status.LIVE, lambda bug: transitions.reconsider(bug, actor=make_user())),
    ],
)
def test_each_outcome_is_taken_back_by_its_own_verb_alone(app, outcome, verb):
    bug = make_bug(outcome)

    with pytest.raises(Conflict), transaction():
        verb(bug)

    assert (bug.status, bug.generation) == (outcome, 1)


def test_an_answer_brings_a_bug_back_where_it_was(app):
    bug = make_bug(Status.ACCEPTED)
    bring_to(bug, Status.NEEDS_INFO, actor=make_user())
    question = db.session.scalars(sa.select(Question)).one()

    with transaction():
        transitions.answer(question, "Firefox 142", actor=make_user(Role.AGENT))

    assert (bug.status, question.answer) == (Status.ACCEPTED, "Firefox 142")
    with pytest.raises(Conflict, match="answered already"), transaction():
        transitions.answer(question, "Chrome", actor=None)


@pytest.mark.parametrize(
    "status", [Status.ACCEPTED, Status.IN_PROGRESS, Status.NEEDS_INFO, Status.FIXED, Status.DECLINED]
)
def test_undo_gives_back_what_was_there(app, status):
    bug = make_bug()
    before = (bug.status, bug.owner_id, bug.release_id, bug.decline_reason_id, bug.customer_notes, bug.workarounds)
    bring_to(bug, status, actor=make_user())

    with transaction():
        transitions.undo(bug, actor=make_user())

    after = (bug.status, bug.owner_id, bug.release_id, bug.decline_reason_id, bug.customer_notes, bug.workarounds)
    assert after == before


def test_undoing_a_question_takes_the_question_back(app):
    bug = make_bug(Status.NEEDS_INFO)

    with transaction():
        transitions.undo(bug, actor=make_user())

    assert (bug.status, db.session.scalars(sa.select(Question)).all()) == (Status.NEW, [])


def test_undo_after_ten_minutes_is_refused(app, clock):
    bug = make_bug(Status.ACCEPTED)
    clock.advance(timedelta(minutes=10, seconds=1))

    with pytest.raises(Conflict, match="more than ten minutes"), transaction():
        transitions.undo(bug, actor=make_user())


def test_undo_works_once(app):
    bug = make_bug(Status.ACCEPTED)
    with transaction():
        transitions.undo(bug, actor=make_user())

    with pytest.raises(Conflict, match="nothing to undo"), transaction():
        transitions.undo(bug, actor=make_user())


def test_a_merged_bug_is_moved_through_the_one_it_is_part_of(app):
    bug, other = make_bug(), make_bug()
    with transaction():
        bug.merged_into_id = bug.canonical_id = other.id

    with pytest.raises(Conflict, match=f"is part of BUG-{other.id}"), transaction():
        transitions.accept(bug, actor=make_user())


def test_the_database_itself_refuses_a_decline_without_a_reason(app):
    bug = make_bug()

    with pytest.raises(sa.exc.IntegrityError), transaction():
        db.session.execute(sa.update(Bug).where(Bug.id == bug.id).values({"status": "declined"}))
