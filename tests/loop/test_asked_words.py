"""Asking an agent to word what customers are told: it is held until somebody has changed the words."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.intake.models import Bug, Status
from bugintake.loop import announcements, asked_words, notice_letters
from bugintake.loop.models import Announcement, Delivery, DeliveryKind
from bugintake.team import people
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.rows import TUESDAY_9, announcement_of, kinds, release
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira Kos")


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea Sommer")


@pytest.fixture
def bug(app, lea):
    return make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])


def ask(bug, lea, mira):
    with transaction():
        asked_words.ask_to_word(announcement_of(bug), lea.id, actor=mira)
    return announcement_of(bug)


def letter(kind=DeliveryKind.WORDING):
    notice = db.session.scalars(sa.select(Delivery).where(Delivery.kind == kind)).one()
    return notice_letters.letter_of(notice)


def test_it_stays_until_anybody_changes_the_words_and_then_the_review_begins_anew(bug, lea, mira, clock):
    asked = ask(bug, lea, mira)
    clock.advance(timedelta(hours=3))
    assert (asked.due_at, release()) == (None, 0)

    with transaction():
        announcements.edit_notes(asked, {"en": "The VAT line is back on every invoice."}, {}, actor=mira)

    assert (asked.worder_id, asked.due_at) == (None, TUESDAY_9 + timedelta(hours=3) + HALF_AN_HOUR)
    assert kinds(bug)[-2:] == ["announcement.wording_asked", "announcement.edited"]


def test_saving_the_same_words_changes_nothing(bug, lea, mira):
    asked = ask(bug, lea, mira)

    with transaction():
        announcements.edit_notes(asked, dict(asked.notes), {}, actor=lea)

    assert asked.worder_id == lea.id


def test_a_way_round_that_is_written_on_the_page_of_the_bug_counts_too(lea, mira):
    bug = make_bug(Status.DECLINED)
    ask(bug, lea, mira)

    with transaction():
        editing.set_workarounds(bug, {"en": "Print it."}, actor=mira)

    assert announcement_of(bug).worder_id is None
    assert announcement_of(bug).due_at == TUESDAY_9 + HALF_AN_HOUR


def test_it_can_be_taken_back_once(bug, lea, mira):
    asked = ask(bug, lea, mira)

    with transaction():
        asked_words.take_back(asked, actor=mira)

    assert (asked.worder_id, asked.due_at) == (None, TUESDAY_9 + HALF_AN_HOUR)
    with pytest.raises(Conflict, match="Nobody is asked"), transaction():
        asked_words.take_back(asked, actor=mira)


def test_whoever_sends_it_meanwhile_decides(bug, lea, mira, clock):
    asked = ask(bug, lea, mira)

    with transaction():
        announcements.send(asked, actor=mira)
    clock.advance(timedelta(seconds=60))

    assert (release(), asked.worder_id) == (1, None)


def test_holding_and_letting_go_on_does_not_send_it_before_its_words(bug, lea, mira):
    asked = ask(bug, lea, mira)

    with transaction():
        announcements.hold(asked, actor=mira)
    with transaction():
        announcements.resume(asked, actor=mira)

    assert (asked.worder_id, asked.due_at) == (lea.id, None)


def test_only_agents_who_work_here_can_be_asked(bug, lea, mira):
    gone, engineer = make_user(Role.AGENT, "Gone"), make_user(name="Tin")
    with transaction():
        people.disable(gone, actor=None)

    assert asked_words.who_may_word(announcement_of(bug), mira) == [lea]
    for person in (gone, engineer, mira):
        with pytest.raises(Invalid, match="Choose an agent"):
            asked_words.ask_to_word(announcement_of(bug), person.id, actor=mira)
    assert asked_words.who_may_word(announcement_of(bug), lea) == []


def test_what_left_or_leaves_at_once_is_worded_by_nobody(bug, lea, mira, clock):
    clock.advance(HALF_AN_HOUR)
    release()

    with pytest.raises(Conflict, match="It has left"), transaction():
        asked_words.ask_to_word(announcement_of(bug), lea.id, actor=mira)


def test_a_restricted_bug_is_worded_by_its_filer_alone_and_only_its_number_leaves_the_house(lea, mira):
    other = make_user(Role.AGENT, "Tom Agent")
    bug = make_bug(Status.LIVE, actor=lea, actual="Everybody reads the salaries.")
    with transaction():
        editing.restrict(db.session.get_one(Bug, bug.id), True, actor=make_user(Role.LEAD))
    lead = make_user(Role.LEAD)

    assert asked_words.who_may_word(announcement_of(bug), lead) == [lea]
    ask(bug, lea, lead)
    assert [line.text for line in letter().lines][1:] == [
        f"{lead.first_name} asks you to word what customers are told. Nothing leaves until then:"
    ]
    assert asked_words.to_word(other) == []


def test_whoever_is_asked_is_mailed_while_it_is_so(bug, lea, mira):
    asked = ask(bug, lea, mira)

    written = letter()
    assert (written.recipient, written.subject) == (lea.email, f"Word what customers are told about {bug.ref}")
    assert [line.text for line in written.lines][1:] == [
        "Mira asks you to word what customers are told. Nothing leaves until then:",
        bug.title,
    ]
    with transaction():
        asked_words.take_back(asked, actor=mira)
    assert letter() is None


def test_it_stands_on_their_page_and_on_that_of_the_announcement(app, bug, lea, mira):
    visitor, hers = visit(app, mira), visit(app, lea)
    address = f"/loop/{announcement_of(bug).id}"

    visitor.post(f"{address}/wording", {"person": str(lea.id)})

    assert "Held until Lea has worded it" in visitor.get("/loop").text
    assert "Mira asked Lea Sommer" in visitor.get(address).text
    assert f'href="{address}#words-h"' in hers.get("/mine").text
    assert f'href="{address}#words-h"' not in visitor.get("/mine").text
    hers.post(f"{address}/notes", {"note_en": "The VAT line is back on every invoice."})
    assert "To word" not in hers.get("/mine").text


def test_somebody_who_left_meanwhile_is_named_and_somebody_else_can_be_asked(app, bug, lea, mira):
    ask(bug, lea, mira)
    tom = make_user(Role.AGENT, "Tom Agent")
    with transaction():
        people.disable(lea, actor=None)

    page = visit(app, mira).get(f"/loop/{announcement_of(bug).id}").text

    assert "Lea does not work here any more" in page
    assert f'<option value="{tom.id}">Tom Agent</option>' in page


def test_nobody_words_what_is_so_no_more(bug, lea, mira):
    ask(bug, lea, mira)
    with transaction():
        db.session.get_one(Announcement, announcement_of(bug).id).cancelled_at = TUESDAY_9

    assert (asked_words.to_word(lea), letter()) == ([], None)


def test_any_number_of_them_takes_the_same_questions(app, lea, mira):
    ask(make_bug(Status.LIVE), lea, mira)
    visitor = visit(app, lea)
    one = fewest(lambda: visitor.get("/mine"))
    for _ in range(2):
        ask(make_bug(Status.LIVE), lea, mira)

    assert fewest(lambda: visitor.get("/mine")) == one
