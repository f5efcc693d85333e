"""What becomes of the reports of somebody who is not there: a colleague signs, hears, and finds them on their page."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.forms import Seen
from bugintake.duty import absences
from bugintake.intake.models import Bug, Question, Status
from bugintake.intake.queries import reports_of
from bugintake.loop import asking, letters, mine, notice_letters
from bugintake.loop.links import Links
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team import people
from bugintake.team.models import Role
from bugintake.team.workspace import workspace
from bugintake.triage import editing, transitions
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import words_of
from tests.loop.rows import announcement_of, one_message
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(sender_name="Fakturo support")


@pytest.fixture
def lea(app):
    return make_user(Role.ENGINEER, "Lea Sommer")


@pytest.fixture
def tom(app):
    return make_user(Role.AGENT, "Tom Agent")


@pytest.fixture
def mira(app):
    return make_user(name="Mira Kos")


def stand_in(person, colleague):
    with transaction():
        people.name_stand_in(person, colleague, Seen(), actor=person)


def away(person):
    with transaction():
        absences.note_absence(person, date(2026, 3, 10), date(2026, 3, 10), actor=person)


def gone(person):
    with transaction():
        people.disable(person, actor=None)


def signed(message):
    letter = letters.outcome_letter([letters.Outcome(message, Links("…", "…"))], workspace())
    return next(line.text for line in letter.lines if line.text.startswith("Thank you,")).split("\n")[1:]


def ask(bug, actor, text="Which browser?"):
    with transaction():
        return transitions.ask(bug, reports_of(bug)[0], text, actor=actor)


def asked_of():
    """Who gets a mail with a question, and what it says besides."""
    notices = db.session.scalars(
        sa.select(Delivery).where(Delivery.kind == DeliveryKind.QUESTION).order_by(Delivery.id)
    )
    return [(each.user.first_name, notice_letters.letter_of(each)) for each in notices]


@pytest.mark.parametrize("leave", [away, gone], ids=["away", "disabled"])
def test_the_colleague_signs_for_whoever_is_not_there(lea, tom, leave):
    make_bug(Status.LIVE, actor=lea)
    stand_in(lea, tom)
    assert signed(one_message()) == ["Lea", "Fakturo support"]

    leave(lea)
    assert signed(one_message()) == ["Tom", "Fakturo support"]


def test_where_nobody_of_those_named_is_there_the_company_signs_alone(lea, tom, mira):
    bug = make_bug(Status.LIVE, actor=lea)
    stand_in(lea, tom)
    for person in (lea, tom):
        gone(person)
    with transaction():
        announcement_of(bug).sent_by = mira

    assert signed(one_message()) == ["Fakturo support"]


def test_a_question_to_whoever_filed_reaches_the_colleague_too(lea, tom, mira):
    bug = make_bug(actor=lea, waiting=[make_customer("Hana Kos")])
    stand_in(lea, tom)
    away(lea)

    ask(bug, mira)

    assert [name for name, _letter in asked_of()] == ["Lea", "Tom"]
    lines = {name: [line.text for line in letter.lines] for name, letter in asked_of()}
    assert lines["Tom"][-2:] == ["You stand in for Lea Sommer, who filed it.", "Answer here:"]
    assert "You stand in for Lea Sommer, who filed it." not in lines["Lea"]


def test_nobody_else_is_asked_while_the_filer_is_there_and_nobody_asks_themselves(lea, tom, mira):
    stand_in(lea, tom)
    stand_in(mira, lea)
    ask(make_bug(actor=lea), mira)
    assert [name for name, _letter in asked_of()] == ["Lea"]

    away(mira)
    ask(make_bug(actor=mira), lea)
    assert [name for name, _letter in asked_of()] == ["Lea", "Mira"]


def test_the_reminder_reaches_whoever_stands_in_by_then(lea, tom, mira, clock):
    ask(make_bug(actor=lea), mira)
    stand_in(lea, tom)
    gone(lea)
    clock.advance(timedelta(days=4))

    asking.follow_up(clock.now())

    assert [(name, letter and letter.subject[:5]) for name, letter in asked_of()] == [
        ("Lea", None),
        ("Lea", None),
        ("Tom", "Still"),
    ]


def test_a_restricted_bug_is_not_shown_to_whoever_stands_in(lea, tom, mira):
    bug = make_bug(actor=lea)
    stand_in(lea, tom)
    away(lea)
    with transaction():
        editing.restrict(db.session.get_one(Bug, bug.id), True, actor=make_user(Role.LEAD))
    ask(bug, make_user(Role.LEAD))

    assert [(name, letter is None) for name, letter in asked_of()] == [("Lea", False), ("Tom", True)]
    assert mine.filed_by(tom, start=0) == mine.asked_back(tom) == []


def test_their_page_lists_the_reports_with_whose_they_are(app, lea, tom, mira):
    theirs, own = make_bug(actor=lea), make_bug(actor=tom)
    asked = make_bug(actor=lea)
    ask(asked, mira, "Which browser is it?")
    stand_in(lea, tom)
    assert [row.ref for row in mine.filed_by(tom, start=0)] == [own.ref]

    away(lea)
    assert [(row.ref, row.filer) for row in mine.filed_by(tom, start=0)] == [(own.ref, ""), (theirs.ref, "Lea")]
    assert [(row.ref, row.filer) for row in mine.asked_back(tom)] == [(asked.ref, "Lea")]
    assert words_of(visit(app, tom).get("/mine")).count("for Lea") == 2
    assert [row.filer for row in mine.filed_by(lea, start=0)] == [""]


def test_any_number_of_people_to_stand_in_for_takes_the_same_questions(app, lea, tom, mira):
    def absent(person):
        make_bug(actor=person)
        stand_in(person, tom)
        away(person)

    absent(lea)
    visitor = visit(app, tom)
    one = fewest(lambda: visitor.get("/mine"))
    for _ in range(2):
        absent(make_user())

    assert fewest(lambda: visitor.get("/mine")) == one


def test_leads_are_asked_who_stands_in_while_customers_wait_and_nobody_does(lea, tom):
    luka, petra = make_user(Role.LEAD, "Luka Lead"), make_user(Role.ADMIN, "Petra Admin")
    make_bug(actor=lea)
    with transaction():
        people.disable(lea, actor=petra)

    notice = db.session.scalars(sa.select(Delivery).where(Delivery.kind == DeliveryKind.STAND_IN)).one()
    letter = notice_letters.letter_of(notice)
    assert (notice.user, letter.subject) == (luka, "Who stands in for Lea Sommer?")
    assert letter.lines[1].url.endswith(f"/admin/stand-ins#u-{lea.id}")

    stand_in(lea, tom)
    assert notice_letters.letter_of(notice) is None


def test_nobody_is_asked_about_somebody_for_whom_nobody_waits(lea):
    make_user(Role.LEAD, "Luka Lead")
    with transaction():
        people.disable(lea, actor=None)

    notice = db.session.scalars(sa.select(Delivery).where(Delivery.kind == DeliveryKind.STAND_IN)).one()
    assert notice_letters.letter_of(notice) is None


def test_whoever_stands_in_is_told_that_it_is_paused(lea, tom, mira, clock):
    question = ask(make_bug(actor=lea), mira)
    stand_in(lea, tom)
    gone(lea)
    clock.advance(timedelta(days=5))
    asking.follow_up(clock.now())
    clock.advance(timedelta(days=5))
    asking.follow_up(clock.now())

    paused = sa.select(Delivery).where(Delivery.kind == DeliveryKind.PAUSED).order_by(Delivery.user_id)
    told = {each.user.first_name: notice_letters.letter_of(each) is not None for each in db.session.scalars(paused)}
    assert told == {"Lea": False, "Tom": True, "Mira": True}
    assert db.session.get_one(Question, question.id).reminded_at is not None
