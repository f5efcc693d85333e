"""One announcement, as the team reads it and decides about it."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Status
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Delivery, DeliveryState, Message, MessageState
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import words_of
from tests.loop.rows import announcement_of, one_message, put
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

HANA = {"name": "Hana Kovač", "email": "hana@example.com", "company": "Brightline"}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def lea(app):
    return visit(app, make_user(Role.AGENT, "Lea"))


def test_the_page_shows_the_true_mail_in_each_language(lea):
    bug = make_bug(
        Status.LIVE, waiting=[make_customer(**HANA), make_customer("Urs", language="de", email="urs@x.test")]
    )

    page = lea.get(f"/loop/{announcement_of(bug).id}")

    said = words_of(page)
    assert "Fixed: The VAT line is missing To Hana Kovač, Brightline hana@example.com Hello Hana," in said
    assert "Die Steuerzeile ist wieder da." in said
    assert "[their private link]" in said
    assert page.text.count('<article class="mail"') == 2


def test_each_preview_is_in_its_own_direction_and_a_language_that_is_not_offered_can_be_written(lea):
    amal = make_customer("أمل", email="amal@x.test", language="ar")
    bug = make_bug(Status.LIVE, waiting=[make_customer(**HANA), amal])

    page = lea.get(f"/loop/{announcement_of(bug).id}")

    assert re.findall(r'<article class="mail" lang="(\w+)" dir="(\w+)">', page.text) == [("en", "ltr"), ("ar", "rtl")]
    assert re.findall(r'<textarea id="f-note_(\w+)"', page.text) == ["en", "de", "es", "ar"]
    assert re.search(r'<textarea id="f-note_ar"[^>]* lang="ar" dir="rtl">', page.text)
    assert "Nobody has written it in Arabic yet, so it is held." in words_of(page)


def test_another_reader_can_be_picked_for_the_preview(lea):
    bug = make_bug(Status.LIVE, waiting=[make_customer(**HANA), make_customer("Sam", email="sam@x.test")])
    sam = db.session.scalars(sa.select(Message).order_by(Message.id.desc())).first()

    assert "Hello Sam," in words_of(lea.get(f"/loop/{announcement_of(bug).id}?person={sam.id}"))
    assert "Hello Hana," in words_of(lea.get(f"/loop/{announcement_of(bug).id}?person=nobody"))


def test_engineers_see_a_masked_address(app):
    bug = make_bug(Status.LIVE, waiting=[make_customer(**HANA)])

    page = visit(app, make_user(Role.ENGINEER)).get(f"/loop/{announcement_of(bug).id}")

    assert "h•••@example.com" in page.text
    assert "hana@example.com" not in page.text


def test_sending_can_be_undone_from_the_message_it_leaves(lea, clock):
    bug = make_bug(Status.LIVE)
    url = f"/loop/{announcement_of(bug).id}"

    assert lea.post(f"{url}/sending").location == url
    page = lea.get(url)
    assert f'action="{url}/sending/undoing" data-undo' in page.text
    assert "Lea sends it at 09:01" in words_of(page)

    lea.post(f"{url}/sending/undoing")

    assert announcement_of(bug).sent_by_id is None
    assert "Leaves by itself Tue 10 Mar 09:30" in words_of(lea.get(url))


def test_it_is_held_and_goes_on(lea):
    bug = make_bug(Status.LIVE)
    url = f"/loop/{announcement_of(bug).id}"

    lea.post(f"{url}/hold")
    assert "Held since Tue 10 Mar 09:00" in words_of(lea.get(url))
    lea.post(f"{url}/resumption")

    assert announcement_of(bug).held_at is None
    assert lea.post(f"{url}/resumption").status_code == 409


def test_the_words_are_changed_for_each_language(lea):
    bug = make_bug(Status.LIVE)
    url = f"/loop/{announcement_of(bug).id}"

    lea.post(f"{url}/notes", {"note_en": "It is back.\r\nReload the page.", "note_de": "Da.", "note_es": ""})

    assert announcement_of(bug).notes == {"en": "It is back.\nReload the page.", "de": "Da.", "es": ""}
    assert bug.customer_notes["en"] == "The VAT line is back."


def test_words_that_are_too_long_are_refused_and_kept(lea):
    bug = make_bug(Status.LIVE)
    text = "x" * 4001

    page = lea.post(f"/loop/{announcement_of(bug).id}/notes", {"note_en": text, "note_de": "Da.", "note_es": "Ya."})

    assert page.status_code == 422
    assert "There is a problem" in words_of(page)
    assert text in page.text
    assert announcement_of(bug).notes["en"] == "The VAT line is back."


def test_a_decline_shows_and_changes_its_way_round_too(lea):
    bug = make_bug(Status.DECLINED, waiting=[make_customer()])

    url = f"/loop/{announcement_of(bug).id}"
    lea.post(f"{url}/notes", {"note_en": "By rule.", "workaround_en": "Print it."})

    assert db.session.get_one(Bug, bug.id, populate_existing=True).workarounds["en"] == "Print it."
    assert "What you can do instead: Print it." in words_of(lea.get(url))


def seen_on(page):
    """What the form carries of the words it shows."""
    return dict(re.findall(r'name="(seen_\w+)" value="([^"]*)"', page.text))


def test_a_36_of_two_people_who_change_the_same_words_the_second_sees_both_and_keeps_theirs(lea, app):
    bug = make_bug(Status.DECLINED)
    url = f"/loop/{announcement_of(bug).id}"
    seen = seen_on(lea.get(url))
    other = visit(app, make_user(Role.AGENT, "Jonas"))
    other.post(f"{url}/notes", {**seen, "note_en": "By rule.", "workaround_de": "Drucken Sie es."})

    answer = lea.post(f"{url}/notes", {**seen, "note_en": "By law.", "workaround_en": "Print it."})

    assert answer.status_code == 409
    assert "Jonas changed it 1 s ago." in words_of(answer)
    assert "By rule." in answer.text
    assert ">\nBy law.</textarea>" in answer.text
    assert announcement_of(bug).notes["en"] == "By rule."
    again = {**seen, **seen_on(answer), "note_en": "By law.", "workaround_en": "Print it."}
    assert lea.post(f"{url}/notes", again).status_code == 302
    assert announcement_of(bug).notes["en"] == "By law."
    ways = db.session.get_one(Bug, bug.id, populate_existing=True).workarounds
    assert ways == {"de": "Drucken Sie es.", "en": "Print it."}


def test_a_refused_form_still_says_what_it_showed_at_first(lea):
    bug = make_bug(Status.LIVE)
    url = f"/loop/{announcement_of(bug).id}"
    seen = seen_on(lea.get(url))
    lea.post(f"{url}/notes", {"note_en": "Somebody was faster."})

    page = lea.post(f"{url}/notes", {**seen, "note_en": "x" * 4001})

    assert (page.status_code, seen_on(page)) == (422, seen)


def test_hostile_words_are_shown_as_words(lea):
    hostile = "\"'><svg onload=alert(1)>{{7*7}}"
    bug = make_bug(Status.LIVE, waiting=[make_customer(hostile, email="hana@example.com")], actual=hostile)
    url = f"/loop/{announcement_of(bug).id}"
    lea.post(f"{url}/notes", {"note_en": hostile})

    for page in (lea.get(url), lea.get("/loop"), lea.get("/bugs/BUG-1")):
        assert page.status_code == 200
        assert "<svg onload" not in page.text
        assert "{{7*7}}" in page.text


@pytest.mark.parametrize(
    ("state", "action", "given", "after"),
    [
        ("held", "telling", {}, "told_by_hand"),
        ("pending", "telling", {}, "told_by_hand"),
        ("failed", "suppression", {"reason": "Left the company."}, "suppressed"),
        ("held", "release", {}, "pending"),
        ("held", "release", {"language": "de"}, "pending"),
        ("failed", "repeat", {}, "pending"),
        ("uncertain", "judgement", {"arrived": "yes"}, "sent"),
        ("uncertain", "judgement", {"arrived": "no"}, "pending"),
    ],
)
def test_a_person_decides_about_one_message(lea, clock, state, action, given, after):
    bug = make_bug(Status.LIVE)
    clock.advance(timedelta(minutes=30))
    with transaction():
        open_due()
    if state in ("failed", "uncertain"):
        with transaction():
            db.session.scalars(sa.select(Delivery)).one().state = DeliveryState(state)
    put(one_message(), MessageState(state))

    answer = lea.post(f"/loop/messages/{one_message().id}/{action}", given)

    assert (answer.status_code, answer.location) == (302, f"/loop/{announcement_of(bug).id}")
    assert one_message().state == after


def test_not_telling_without_a_reason_is_refused_at_the_field(lea):
    make_bug(Status.LIVE)

    page = lea.post(f"/loop/messages/{one_message().id}/suppression", {"reason": " "})

    assert page.status_code == 422
    assert 'href="#f-reason"' in page.text
    assert 'id="f-reason"' in page.text
    assert one_message().state == "pending"


def test_many_people_take_as_many_questions_as_one_and_have_pages(lea):
    few, many = make_bug(Status.LIVE), make_bug(Status.LIVE, waiting=[make_customer() for _ in range(51)])
    short, long = f"/loop/{announcement_of(few).id}", f"/loop/{announcement_of(many).id}"
    lea.get(short)
    with asked() as one:
        lea.get(short)
    with asked() as fifty:
        page = lea.get(long)

    assert len(one) == len(fifty)
    assert page.text.count("/telling") == 50
    assert lea.get(f"{long}?page=2").text.count("/telling") == 1


def test_people_are_filtered_by_state(lea):
    bug = make_bug(Status.LIVE, waiting=[make_customer("Hana"), make_customer("Otto", email="")])

    said = words_of(lea.get(f"/loop/{announcement_of(bug).id}?state=held")).partition("Everybody it concerns")[2]

    assert "Otto" in said
    assert "Hana" not in said


def test_what_somebody_read_stays_readable(lea):
    bug = make_bug(Status.LIVE)
    put(one_message(), MessageState.SENT, text="It has been fixed since 10 March.\n\nThe VAT line is back.")

    assert "What they read" in words_of(lea.get(f"/loop/{announcement_of(bug).id}"))
    assert "It has been fixed since 10 March." in lea.get(f"/loop/{announcement_of(bug).id}").text


@pytest.mark.parametrize("state", [state for state in MessageState if state != MessageState.SENT])
def test_what_was_written_and_not_sent_is_nowhere_shown_as_read(lea, state):
    bug = make_bug(Status.LIVE)
    put(message := one_message(), state, text="Never on its way.")

    for page in (f"/loop/{announcement_of(bug).id}", f"/customers/{message.customer_id}"):
        assert "Never on its way." not in lea.get(page).text
