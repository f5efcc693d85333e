"""The second line: a bug is handed to whoever knows its area, with a note that they are mailed."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.duty import absences
from bugintake.intake.models import Bug, Status
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team.models import Role
from bugintake.triage import comments, editing, helping, undoing
from bugintake.triage.comment_models import Comment
from tests.factories import make_bug, make_user
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def tin(app):
    return make_user(name="Tin Horvat")


def with_area_of(person, **values):
    """A bug in an area that somebody looks after."""
    bug = make_bug(**values)
    with transaction():
        bug.area.owner_id = person.id if person is not None else None
    return bug


def asked(bug, helper, note, *, actor):
    with transaction():
        return helping.ask_for_help(bug, helper, note, actor=actor)


def mailed():
    owed = sa.select(Delivery).where(Delivery.kind == DeliveryKind.MENTION).order_by(Delivery.id)
    return [delivery.user.name for delivery in db.session.scalars(owed)]


def events_of(bug):
    return list(db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id).order_by(Event.id)))


def now(bug):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Bug, bug.id)


def test_the_areas_owner_gets_the_bug_a_note_and_a_mail_in_one_event(app, mira, tin):
    bug = with_area_of(tin)
    page = visit(app, mira).get(f"/bugs/{bug.ref}/help").text
    assert f"Tin looks after {bug.area.label}." in page
    assert f'<option value="{tin.id}" selected' in page

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/help", {"owner": tin.id, "note": "What does code 17 mean?"})

    assert answer.status_code == 302
    assert now(bug).owner_id == tin.id
    comment = db.session.scalars(sa.select(Comment)).one()
    assert (comment.text, comment.author_id, comment.mentioned) == (
        "@Tin Horvat What does code 17 mean?",
        mira.id,
        [tin.id],
    )
    assert mailed() == ["Tin Horvat"]
    assert [str(kind) for kind in events_of(bug)][-1:] == ["bug.assigned"]
    page = visit(app, tin).get(f"/bugs/{bug.ref}").text
    assert "asked Tin Horvat for help, and handed it over" in page
    assert page.count("What does code 17 mean?") == 1


def test_undoing_gives_the_bug_back_and_takes_the_note_away(app, clock, mira, tin):
    bug = with_area_of(tin)
    with transaction():
        editing.assign(bug, mira, actor=mira)
    event = asked(bug, tin, "What does code 17 mean?", actor=mira)
    clock.advance(timedelta(minutes=9))

    with transaction():
        undoing.take_back(bug, event.id, actor=mira)

    assert now(bug).owner_id == mira.id
    assert [(each.text, each.mentioned) for each in db.session.scalars(sa.select(Comment))] == [("", [])]


def test_after_ten_minutes_it_stands(app, clock, mira, tin):
    bug = with_area_of(tin)
    event = asked(bug, tin, "Code 17?", actor=mira)
    clock.advance(timedelta(minutes=11))

    with transaction(), pytest.raises(Conflict, match="ten minutes"):
        undoing.take_back(bug, event.id, actor=mira)


def test_undoing_after_the_note_was_removed_still_gives_the_bug_back(app, mira, tin):
    bug = with_area_of(tin)
    event = asked(bug, tin, "Code 17?", actor=mira)
    with transaction():
        comments.remove(db.session.scalars(sa.select(Comment)).one(), actor=mira)

    with transaction():
        undoing.take_back(bug, event.id, actor=mira)

    assert now(bug).owner_id is None


def test_where_nobody_or_oneself_looks_after_the_area_or_its_owner_is_away_one_chooses(app, mira, tin):
    nobodys, mine, aways = with_area_of(None), make_bug(area="Mine"), make_bug(area="Away")
    with transaction():
        mine.area.owner_id, aways.area.owner_id = mira.id, tin.id
        absences.note_absence(tin, date(2026, 3, 10), date(2026, 3, 12), actor=tin)
    browser = visit(app, mira)

    for bug, sentence in (
        (nobodys, f"Nobody looks after {nobodys.area.label}. Choose whom to ask."),
        (mine, "You look after Mine yourself. Choose whom to ask."),
        (aways, "Tin looks after Away and is away. Choose whom to ask."),
    ):
        page = browser.get(f"/bugs/{bug.ref}/help").text
        assert sentence in page
        assert re.search(r'<option value="\d+" selected', page) is None
        assert f'value="{mira.id}"' not in page.split('id="f-owner"')[1].split("</select>")[0]


def test_what_is_missing_is_said_and_nothing_is_lost(app, mira, tin):
    bug = with_area_of(None)
    browser = visit(app, mira)

    answer = browser.post(f"/bugs/{bug.ref}/help", {"owner": "", "note": "Code 17?"})
    assert (answer.status_code, "Choose whom to ask." in answer.text, "Code 17?</textarea>" in answer.text) == (
        422,
        True,
        True,
    )
    answer = browser.post(f"/bugs/{bug.ref}/help", {"owner": tin.id, "note": " "})
    assert (answer.status_code, "Write what you need, so that they can begin." in answer.text) == (422, True)
    assert f'<option value="{tin.id}" selected' in answer.text
    answer = browser.post(f"/bugs/{bug.ref}/help", {"owner": tin.id, "note": "x" * 10_001})
    assert (answer.status_code, "at most 10,000 characters" in answer.text) == (422, True)
    assert (now(bug).owner_id, db.session.scalars(sa.select(Comment)).all(), mailed()) == (None, [], [])


def test_nobody_is_asked_who_has_it_or_about_what_is_closed_nor_is_oneself(app, mira, tin):
    bug, closed = make_bug(), make_bug(Status.DECLINED)
    with transaction():
        editing.assign(bug, tin, actor=mira)

    with transaction(), pytest.raises(Conflict, match="is with Tin Horvat already"):
        helping.ask_for_help(bug, tin, "Code 17?", actor=mira)
    with transaction(), pytest.raises(Conflict, match="Won't fix"):
        helping.ask_for_help(closed, tin, "Code 17?", actor=mira)
    with transaction(), pytest.raises(Invalid, match="That is you"):
        helping.ask_for_help(bug, mira, "Code 17?", actor=mira)


def test_a_restricted_bug_is_seen_by_whoever_is_asked(app, mira, tin):
    bug = with_area_of(tin)
    with transaction():
        editing.assign(bug, mira, actor=mira)
        editing.restrict(bug, True, actor=mira)

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/help", {"owner": tin.id, "note": "Code 17?"})

    assert answer.headers["Location"] == "/board"
    assert visit(app, tin).get(f"/bugs/{bug.ref}").status_code == 200
    assert visit(app, make_user(Role.ENGINEER)).get(f"/bugs/{bug.ref}/help").status_code == 404
    assert mailed() == ["Tin Horvat"]


@pytest.mark.browser
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("start", ["/duty", "/board", "/bugs/{ref}"])
def test_by_keyboard_from_queue_board_and_page(page, desk, tin, start):
    bug = with_area_of(tin)
    page.goto(desk + start.format(ref=bug.ref))
    if "ref" not in start:
        page.locator(f"[data-ref='{bug.ref}'] :is(.t, .tt)").focus()

    page.keyboard.press("Shift+H")
    page.get_by_label("What you need").wait_for()
    page.keyboard.type("Code 17?")
    page.get_by_role("button", name="Ask, and hand it over").click()
    page.get_by_text(f"Tin Horvat is asked for help: {bug.ref} is theirs now.").first.wait_for()

    assert now(bug).owner_id == tin.id
