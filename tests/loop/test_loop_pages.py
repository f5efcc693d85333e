"""The Loop page, an announcement's page and the releases, as the team uses them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Option, Report, Status
from bugintake.loop import replies
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import (
    Announcement,
    Circuit,
    Delivery,
    DeliveryState,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_user, make_version, make_workspace
from tests.visitors import visit

HANA = {"name": "Hana Kovač", "email": "hana@example.com", "company": "Brightline"}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def lea(app):
    return visit(app, make_user(Role.AGENT, "Lea"))


def announcement_of(bug):
    return db.session.scalars(sa.select(Announcement).where(Announcement.bug_id == bug.id)).one()


def first_message():
    return db.session.scalars(sa.select(Message).order_by(Message.id)).first()


def put(message, state, **values):
    with transaction():
        message.state = state
        for name, value in values.items():
            setattr(message, name, value)


def words_of(page):
    """What a page says, without markup and in one line."""
    main = re.sub(r"(?s)<(script|svg).*?</\1>", " ", page.text.split('<main id="main"')[1].split("</main>")[0])
    return " ".join(re.sub(r"<[^>]+>", " ", main.partition(">")[2]).split())


# --- The list ------------------------------------------------------------------------------------------------------


def test_an_empty_loop_says_that_everybody_was_told(lea):
    page = lea.get("/loop")

    assert page.status_code == 200
    assert "Everyone who waits for an outcome has been told." in words_of(page)


def test_what_is_to_be_sent_shows_its_people_languages_and_time(lea):
    make_bug(Status.LIVE, waiting=[make_customer(**HANA), make_customer(language="de"), make_customer(email="")])

    said = words_of(lea.get("/loop"))

    assert "The VAT line is missing" in said
    assert "Leaves by itself Tue 10 Mar 09:30 3 people To be sent 2 Held 1 English 2 German 1" in said
    assert "Send 2 BUG-1 Hold BUG-1" in said


def test_a_language_without_a_note_is_named(lea):
    bug = make_bug(waiting=[make_customer(language="de")])
    with transaction():
        transitions.fix(bug, {"en": "Back."}, make_version(live_since=bug.filed_at), actor=make_user())

    assert "German needs text" in words_of(lea.get("/loop"))


@pytest.mark.parametrize(
    ("state", "tab"),
    [
        (MessageState.HELD, "send"),
        (MessageState.PENDING, "waiting"),
        (MessageState.SENT, "sent"),
        (MessageState.TOLD_BY_HAND, "sent"),
        (MessageState.SUPPRESSED, "sent"),
        (MessageState.FAILED, "failed"),
        (MessageState.UNCERTAIN, "failed"),
    ],
)
def test_every_state_of_a_released_message_is_in_a_tab(lea, clock, state, tab):
    make_bug(Status.LIVE)
    clock.advance(timedelta(minutes=30))
    with transaction():
        open_due()
    put(first_message(), state)

    tabs = ("send", "waiting", "sent", "failed")
    assert [name for name in tabs if "BUG-1" in words_of(lea.get(f"/loop?tab={name}"))] == [tab]


def test_what_was_taken_back_is_in_no_tab(lea):
    bug = make_bug(Status.DECLINED, actor=make_user(name="Mira"))
    with transaction():
        transitions.undo(bug, actor=make_user())

    assert ["BUG-1" in lea.get(f"/loop?tab={name}").text for name in ("send", "waiting", "sent", "failed")] == [
        False
    ] * 4


def test_without_a_mail_server_the_page_says_so(lea, app):
    assert "No mail server is set up, so mail stays here" in words_of(lea.get("/loop"))
    settings = app.extensions["bugintake"]
    app.extensions["bugintake"] = replace(settings, smtp_url="smtp://127.0.0.1:25")
    assert "No mail server" not in words_of(lea.get("/loop"))


def test_a_mail_server_that_refuses_is_shown_with_its_reason(lea, app, clock):
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url="smtp://127.0.0.1:25")
    with transaction():
        db.session.add(Circuit(channel="mail", reason="auth: 535 the password is wrong", since_at=clock.now()))

    said = words_of(lea.get("/loop"))
    assert "The mail server takes no mail since Tue 10 Mar 09:00" in said
    assert "auth: 535 the password is wrong" in said


def test_the_sample_company_says_that_nothing_leaves(lea):
    make_workspace(is_sample=True)

    assert "mail is written and stays here, none leaves" in words_of(lea.get("/loop"))


def test_after_a_restore_everything_held_is_let_go_at_once(lea):
    make_bug(Status.LIVE)
    put(first_message(), MessageState.HELD, held_because=HeldBecause.RESTORED)
    assert "A backup was restored. 1 message is held" in words_of(lea.get("/loop"))

    lea.post("/loop/restored/release")

    assert first_message().state == "pending"
    assert "A backup was restored" not in words_of(lea.get("/loop"))


def test_a_restricted_bug_is_in_the_loop_of_nobody_who_may_not_see_it(lea, app):
    bug = make_bug(Status.LIVE)
    with transaction():
        bug.is_restricted = True

    assert "BUG-1" not in lea.get("/loop").text
    assert lea.get(f"/loop/{announcement_of(bug).id}").status_code == 404
    assert lea.post(f"/loop/{announcement_of(bug).id}/sending").status_code == 404
    assert lea.post(f"/loop/messages/{first_message().id}/telling").status_code == 404
    assert lea.get("/loop/999999999999999999").status_code == 404
    assert "BUG-1" in visit(app, make_user(Role.LEAD)).get("/loop").text


def test_the_top_bar_counts_what_waits_for_somebody(lea):
    assert 'Loop<span class="n">' not in lea.get("/loop").text
    make_bug(Status.LIVE, waiting=[make_customer(), make_customer(email=""), make_customer()])
    put(first_message(), MessageState.FAILED)

    # One announcement to send, one person held, one failed.
    assert 'Loop<span class="n"><span class="vh">, </span>3' in lea.get("/loop").text


def test_a_long_list_takes_as_many_questions_as_a_short_one_and_has_pages(lea):
    make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    with asked() as one:
        lea.get("/loop")
    for _ in range(26):
        make_bug(Status.LIVE)
    with asked() as many:
        page = lea.get("/loop")

    assert len(one) == len(many)
    assert page.text.count('<li class="panel">') == 25
    assert lea.get("/loop?page=2").text.count('<li class="panel">') == 2
    assert lea.get("/loop?page=99999999999999999999").status_code == 200
    assert lea.get("/loop?page=-1&tab=nonsense").status_code == 200


# --- One announcement -----------------------------------------------------------------------------------------------


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

    assert announcement_of(bug).workarounds["en"] == "Print it."
    assert "What you can do instead: Print it." in words_of(lea.get(url))


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
    put(first_message(), MessageState(state))

    answer = lea.post(f"/loop/messages/{first_message().id}/{action}", given)

    assert (answer.status_code, answer.location) == (302, f"/loop/{announcement_of(bug).id}")
    assert first_message().state == after


def test_not_telling_without_a_reason_is_refused_at_the_field(lea):
    make_bug(Status.LIVE)

    page = lea.post(f"/loop/messages/{first_message().id}/suppression", {"reason": " "})

    assert page.status_code == 422
    assert 'href="#f-reason"' in page.text
    assert 'id="f-reason"' in page.text
    assert first_message().state == "pending"


def test_many_people_take_as_many_questions_as_one_and_have_pages(lea):
    few, many = make_bug(Status.LIVE), make_bug(Status.LIVE, waiting=[make_customer() for _ in range(51)])
    short, long = f"/loop/{announcement_of(few).id}", f"/loop/{announcement_of(many).id}"
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
    put(first_message(), MessageState.SENT, text="It is fixed since 10 March.\n\nThe VAT line is back.")

    assert "What they read" in words_of(lea.get(f"/loop/{announcement_of(bug).id}"))
    assert "It is fixed since 10 March." in lea.get(f"/loop/{announcement_of(bug).id}").text


# --- On the bug's page ----------------------------------------------------------------------------------------------


def test_a_bug_says_who_was_told_and_what_customers_said_since(lea):
    bug = make_bug(Status.LIVE, waiting=[make_customer(**HANA), make_customer("Otto", email="")])
    with transaction():
        replies.add_remark(db.session.scalars(sa.select(Report)).first(), "Also on the phone.")

    said = words_of(lea.get(f"/bugs/{bug.ref}"))

    assert "What customers said since Hana Kovač, Brightline Tue 10 Mar 09:00 Also on the phone." in said
    assert "Otto Held Tue 10 Mar 09:00. There is no address: tell them by phone or in the help desk." in said


def test_a_bug_about_which_nothing_was_said_has_no_such_part(lea):
    make_bug()

    assert "Who was told" not in lea.get("/bugs/BUG-1").text


# --- Releases -------------------------------------------------------------------------------------------------------


def test_a_release_goes_live_from_its_page(app):
    bug = make_bug(Status.FIXED, waiting=[make_customer(), make_customer()])
    mira = visit(app, make_user(Role.ENGINEER, "Mira"))
    assert "4.13.0 Not live yet 1 2 It is live 4.13.0" in words_of(mira.get("/releases"))

    answer = mira.post("/releases", {"version": "4.13.0"})

    assert answer.location == "/loop"
    assert "4.13.0 is live. 1 bug went live with it." in mira.get("/loop").text
    assert db.session.get_one(Bug, bug.id).status == "live"
    assert "Live since Tue 10 Mar 09:00" in words_of(mira.get("/releases"))


def test_a_release_is_withdrawn_from_its_page(app):
    make_bug(Status.FIXED)
    mira = visit(app, make_user(Role.ENGINEER, "Mira"))
    mira.post("/releases", {"version": "4.13.0"})
    version = db.session.scalars(sa.select(Option).where(Option.label == "4.13.0")).one()

    mira.post(f"/releases/{version.id}/withdrawal")

    assert db.session.get_one(Bug, 1).status == "fixed"
    assert mira.post(f"/releases/{version.id}/withdrawal").status_code == 409
    assert mira.post("/releases/99999999999/withdrawal").status_code == 404
    area = db.session.scalars(sa.select(Option).where(Option.list == "area")).first()
    assert mira.post(f"/releases/{area.id}/withdrawal").status_code == 404


@pytest.mark.parametrize("version", ["", "   ", "x" * 121, "\x00"])
def test_a_release_without_a_usable_name_is_refused(app, version):
    page = visit(app, make_user(Role.ENGINEER)).post("/releases", {"version": version})

    assert page.status_code == 422
    assert "There is a problem" in words_of(page)


def test_agents_read_releases_and_do_not_make_them_live(lea):
    assert lea.get("/releases").status_code == 200
    assert "It is live" not in words_of(lea.get("/releases"))
    assert lea.post("/releases", {"version": "4.13.0"}).status_code == 403
