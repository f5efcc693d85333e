"""The handoff note: it writes itself, is edited, sent and read, and what it names is left to the next person."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted, Stale
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.duty import handoffs, overrides
from bugintake.duty.handoff_models import Handoff
from bugintake.duty.queries import default_rotation
from bugintake.intake.models import OptionList, RaiseReason, Status
from bugintake.intake.queries import open_question
from bugintake.team.models import Role
from bugintake.triage import comments, editing, handing_over, raising, snoozing, transitions
from bugintake.triage.left_models import LeftBug
from tests.counting import asked, plans
from tests.duty.conftest import make_rotation
from tests.factories import bring_to, make_bug, make_customer, make_option, make_user, merge
from tests.visitors import served, visit

pytestmark = pytest.mark.long_on("postgres")

MORNING = datetime(2026, 3, 10, 9, tzinfo=UTC)
NOTHING = {"hot": "", "waiting": "", "watch": ""}


@pytest.fixture(autouse=True)
def impacts(company):
    """What is bad is to be looked at within two working hours, what looks off within five days."""
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=120)
    make_option(OptionList.IMPACT, "Looks off", deadline_minutes=2400)


@pytest.fixture
def tin(app):
    return make_user(name="Tin Horvat")


@pytest.fixture
def ana(app):
    return make_user(name="Ana Lončar")


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea Sommer")


@pytest.fixture
def rotation(tin, mira, ana):
    """On Monday it was Tin's turn, today it is Mira's from 9 to 17, tomorrow Ana's."""
    return make_rotation([tin, mira, ana], zone="UTC")


def lines_of(person):
    return [(line.part, line.text) for line in handing_over.draft(handoffs.turn_of(person))]


def write(person, known=(), seen=None, **texts):
    with transaction():
        turn = handoffs.turn_of(person)
        return handoffs.save(turn, {**NOTHING, **texts}, known, seen or Seen(), actor=person)


def sent(person, **texts):
    note = write(person, **texts)
    with transaction():
        handing_over.send(note, actor=person)
    return note


def left_of(person):
    return [each.bug_id for each in handing_over.left(person, default_rotation().id)]


def words_of(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def small(**values):
    return make_bug(impact="Looks off", **values)


def test_the_note_writes_itself_from_what_the_person_touched_and_what_is_late(app, clock, rotation, mira, tin, lea):
    asked_one, fixed, started = (small(actor=lea, waiting=[make_customer(), make_customer()]) for _ in range(3))
    snoozed, accepted, talked, others, closed = (small(actor=lea, waiting=[]) for _ in range(5))
    part = small(actor=lea, waiting=[])
    for bug, status in ((asked_one, Status.NEEDS_INFO), (fixed, Status.FIXED), (started, Status.IN_PROGRESS)):
        bring_to(bug, status, actor=mira)
    with transaction():
        snoozing.snooze(snoozed, (MORNING + timedelta(days=2)).date(), actor=mira)
        transitions.accept(accepted, actor=mira, owner=tin)
        comments.write(talked, "Seen this before.", actor=mira)
        transitions.start(others, actor=tin)
    bring_to(closed, Status.DECLINED, actor=mira)
    with transaction():
        editing.assign(part, mira, actor=mira)
    merge(part, started)
    bad = make_bug(impact="Cannot work", actor=lea)
    clock.advance(timedelta(hours=3))

    assert lines_of(mira) == [
        ("hot", f"{bad.ref} is past its deadline, 1 person waits"),
        ("waiting", f"{asked_one.ref} waits for Lea, asked Tue 10 Mar 09:00, 2 people wait"),
        ("watch", f"{fixed.ref} is fixed in 4.13.0, not live yet, 2 people to tell"),
        ("watch", f"{started.ref} is in progress, with Mira, 2 people wait"),
        ("watch", f"{snoozed.ref} sleeps until Thu 12 Mar"),
        ("watch", f"{accepted.ref} is accepted, with Tin"),
        ("watch", f"{talked.ref} is new, with whoever is on duty"),
    ]


def test_what_waits_in_the_queue_for_a_reason_is_hot_whoever_touched_it(app, clock, rotation, mira, tin, lea):
    raised, answered, back, calm = (small(waiting=[], actor=lea) for _ in range(4))
    bring_to(answered, Status.NEEDS_INFO, actor=tin)
    bring_to(back, Status.LIVE, actor=tin)
    with transaction():
        raising.raise_bug(raised, RaiseReason.PROMISED, actor=lea)
        transitions.answer(open_question(answered), "Firefox", actor=lea)
        transitions.come_back(back, actor=lea)
    soon = make_bug(impact="Cannot work", waiting=[], actor=lea)
    clock.advance(timedelta(minutes=70))

    assert lines_of(mira) == [
        ("hot", f"{raised.ref} is raised: an answer is promised for today"),
        ("hot", f"{soon.ref} is to be looked at by Tue 10 Mar 11:00"),
        ("hot", f"{answered.ref} is answered, nobody has looked yet"),
        ("hot", f"{back.ref} came back"),
    ]
    assert calm.ref not in str(lines_of(mira))


def test_what_is_still_hot_goes_before_what_was_merely_touched(app, clock, rotation, mira, lea):
    """Also where it was touched first, is no worse, or has the higher number; a bug that is both stands there once."""
    touched, both, late = (
        make_bug(impact=label, waiting=[], actor=lea) for label in ("Looks off", *["Cannot work"] * 2)
    )
    with transaction():
        comments.write(late, "Not mine.", actor=lea)
        comments.write(both, "Seen this before.", actor=mira)
        transitions.accept(touched, actor=mira, owner=mira)
    clock.advance(timedelta(hours=3))

    assert lines_of(mira) == [
        ("hot", f"{both.ref} is past its deadline"),
        ("hot", f"{late.ref} is past its deadline"),
        ("watch", f"{touched.ref} is accepted, with Mira"),
    ]
    texts = handing_over.texts_of(handing_over.draft(handoffs.turn_of(mira)))
    assert list(texts) == ["hot", "waiting", "watch"]
    assert texts["hot"].splitlines() == [f"{both.ref} is past its deadline", f"{late.ref} is past its deadline"]


def test_an_untouched_day_drafts_nothing_and_yesterday_counts_only_in_the_same_turn(app, clock, mira, tin):
    make_rotation([mira, tin], zone="UTC", turn_days=2)
    clock.set(MORNING - timedelta(hours=23))
    bug = small(waiting=[])
    with transaction():
        transitions.start(bug, actor=mira)
    clock.set(MORNING + timedelta(hours=1))
    assert lines_of(mira) == [("watch", f"{bug.ref} is in progress, with Mira")]

    clock.set(MORNING + timedelta(days=7, hours=1))  # Mira's turn after Tin's and hers, Tuesday
    assert handoffs.turn_of(mira).start.day != 9
    assert lines_of(mira) == []


def test_a_restricted_bug_is_drafted_by_number_for_whom_it_exists_and_for_nobody_else(app, rotation, mira, tin):
    seen, hidden = small(waiting=[]), small(waiting=[], actor=tin)
    with transaction():
        transitions.start(seen, actor=mira)
        transitions.start(hidden, actor=mira)
    with transaction():
        editing.assign(seen, mira, actor=mira)
        editing.assign(hidden, tin, actor=mira)
    with transaction():
        editing.restrict(seen, True, actor=mira)
        editing.restrict(hidden, True, actor=tin)

    assert lines_of(mira) == [("watch", f"{seen.ref} is in progress, with Mira")]
    assert seen.title not in str(lines_of(mira))


def test_a_line_about_a_bug_is_shown_to_whoever_may_see_it_and_to_nobody_else(app, rotation, mira, ana):
    bug = small(waiting=[], actor=mira)
    title = bug.title
    with transaction():
        editing.restrict(bug, True, actor=mira)
    sent(
        mira, hot=f"{bug.ref} is bad.\nAsk about {bug.ref} & <b>BUG-99999</b>\nBUG-99999 is none.", watch=f"- {bug.ref}"
    )

    for address in ("/duty", "/duty/handoffs"):
        mine, theirs = visit(app, mira).get(address).text, visit(app, ana).get(address).text
        assert f'<a class="link" href="/bugs/{bug.ref}">{bug.ref} {title}:</a> is bad.' in mine
        assert f'about <a class="link" href="/bugs/{bug.ref}">{bug.ref}</a> &amp; &lt;b&gt;BUG-99999&lt;/b&gt;' in mine
        assert ("BUG-99999 is none." in mine, "Watch" in mine) == (True, True)
        assert ("BUG-99999 is none." in theirs, "Watch" in theirs) == (True, False)
        assert (title in theirs, bug.ref in theirs) == (False, False)
    assert left_of(ana) == []
    assert left_of(mira) == [bug.id]


def test_what_was_typed_is_kept_and_what_happens_later_is_offered_once(app, rotation, mira):
    first, second = small(waiting=[]), small(waiting=[])
    with transaction():
        transitions.start(first, actor=mira)
    browser = visit(app, mira)
    page = browser.get("/duty/handoff")
    known = re.search(r'name="known" value="([^"]*)"', page.text)[1]
    assert known == f"{first.id}:in_progress"
    assert f"{first.ref} is in progress, with Mira</textarea>" in page.text

    browser.post("/duty/handoff", {"watch": "Nothing to watch, really.", "known": known, "do": "save"})
    with transaction():
        transitions.start(second, actor=mira)
    page = browser.get("/duty/handoff")
    assert "Nothing to watch, really.</textarea>" in page.text
    offered = words_of(page).split("Since you wrote this")[1].split("Add these lines")[0]
    assert (second.ref in offered, first.ref in offered) == (True, False)

    typed = {"watch": "Still typing", "hot": "", "waiting": "", "known": known, "do": "add"}
    browser.post("/duty/handoff", typed)
    db.session.rollback()
    note = db.session.scalars(sa.select(Handoff)).one()
    assert note.watch == f"Still typing\n{second.ref} is in progress, with Mira"
    assert "Since you wrote this" not in browser.get("/duty/handoff").text


def test_two_pages_of_one_person_do_not_overwrite_each_other(app, rotation, mira):
    shown = {part: Seen({part: "x"}) for part in NOTHING}
    write(mira, hot="Halden cannot sign in.")

    with pytest.raises(Stale):
        write(mira, seen=shown["hot"], hot="All quiet.")


def test_sending_hands_over_once_and_records_each_step(app, clock, rotation, mira, ana):
    clock.set(MORNING + timedelta(hours=7, minutes=50))
    browser = visit(app, mira)
    said = browser.post("/duty/handoff", {"hot": "Halden cannot sign in.", "do": "send"}, follow_redirects=True)

    assert "Sent. Ana is asked to read it." in words_of(said)
    note = handoffs.sent_notes(rotation)[0]
    with pytest.raises(Conflict, match="sent already"):
        write(mira, hot="More")
    assert handoffs.turn_of(mira) is not None
    assert [kind for kind in db.session.scalars(sa.select(Event.kind).order_by(Event.id)) if "handoff" in kind] == [
        "handoff.written",
        "handoff.sent",
    ]
    clock.advance(timedelta(hours=16))
    browser = visit(app, ana)
    assert "Handoff from Mira" in words_of(browser.get("/duty"))
    said = browser.post(f"/duty/handoffs/{note.id}/reading", follow_redirects=True)
    assert "Mira sees that you have read it." in words_of(said)
    assert "read by Ana 08:50" in words_of(said)
    assert "I have read this" not in words_of(browser.get("/duty"))


def test_only_the_next_person_confirms_reading_and_only_the_author_takes_back_until_then(app, rotation, mira, tin, ana):
    note = sent(mira, hot="Halden")
    with transaction(), pytest.raises(NotPermitted, match="Ana confirms it"):
        handoffs.confirm_reading(note, actor=tin)
    with transaction(), pytest.raises(NotPermitted, match="Only Mira Kos"):
        handing_over.put_back(note, actor=tin)

    with transaction():
        handing_over.put_back(note, actor=mira)
    assert handoffs.sent_notes(rotation) == []
    with transaction():
        handing_over.send(note, actor=mira)
        handoffs.confirm_reading(note, actor=ana)
    with transaction(), pytest.raises(Conflict, match="Ana has read it already"):
        handing_over.put_back(note, actor=mira)


def test_whoever_took_over_confirms_instead(app, clock, rotation, mira, tin, ana):
    note = sent(mira, hot="Halden")
    clock.set(MORNING + timedelta(days=1, hours=1))
    with transaction():
        overrides.take_over(rotation, actor=tin, seen_id=ana.id)

    assert handoffs.reader_of(note) == tin


def test_a_note_is_written_by_whose_turn_runs_or_ended_last_and_by_nobody_else(app, clock, rotation, mira, tin, ana):
    assert [handoffs.turn_of(each) is not None for each in (mira, tin, ana)] == [True, True, False]
    clock.set(MORNING + timedelta(hours=11))
    assert [handoffs.turn_of(each) is not None for each in (mira, tin, ana)] == [True, False, False]
    clock.set(MORNING + timedelta(days=1, hours=1))
    assert [handoffs.turn_of(each) is not None for each in (mira, tin, ana)] == [True, False, True]
    sent(mira, hot="Late, but here it is.")
    assert handoffs.turn_of(mira) is None

    browser = visit(app, tin)
    assert browser.get("/duty/handoff").headers["Location"] == "/duty/handoffs"
    assert browser.post("/duty/handoff", {"hot": "x", "do": "send"}).headers["Location"] == "/duty/handoffs"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Handoff)) == 1


def test_taking_over_cuts_a_turn_and_its_note_stays_what_was_typed(app, clock, rotation, mira, tin):
    note = write(mira, hot="Halden")
    clock.set(MORNING + timedelta(hours=3))
    with transaction():
        overrides.take_over(rotation, actor=tin, seen_id=mira.id)
    clock.advance(timedelta(minutes=5))

    assert handoffs.note_of(handoffs.turn_of(mira)).id == note.id
    assert handoffs.turn_of(mira).end == MORNING + timedelta(hours=3)
    assert handoffs.turn_of(tin).start == MORNING + timedelta(hours=3)


def test_a_quiet_day_is_one_click_unless_something_is_open_or_typed(app, rotation, mira, lea):
    browser = visit(app, mira)
    bug = small(waiting=[])
    with transaction():
        transitions.start(bug, actor=mira)
    answer = browser.post("/duty/handoff/quiet")
    assert (answer.status_code, f"{bug.ref} is in progress" in answer.text) == (422, True)
    assert "Not quite quiet" in answer.text

    with transaction():
        transitions.stop(bug, actor=mira)
        editing.assign(bug, lea, actor=mira)
    bring_to(bug, Status.DECLINED, actor=mira)
    assert "Quiet day: nothing open" in words_of(browser.get("/duty/handoff"))
    browser.post("/duty/handoff/quiet")
    assert handoffs.sent_notes(rotation)[0].is_quiet
    assert "Quiet day: nothing open." in words_of(browser.get("/duty"))


def test_a_quiet_day_does_not_throw_away_what_was_typed(app, rotation, mira):
    write(mira, hot="Halden")

    answer = visit(app, mira).post("/duty/handoff/quiet")

    assert (answer.status_code, "Halden</textarea>" in answer.text) == (422, True)


def test_nothing_and_too_much_are_refused_in_words_and_nothing_is_lost(app, rotation, mira):
    browser = visit(app, mira)
    answer = browser.post("/duty/handoff", {"do": "send"})
    assert (answer.status_code, "Write what the next person has to know" in answer.text) == (422, True)

    answer = browser.post("/duty/handoff", {"watch": "x" * 4001, "hot": "Halden", "do": "send"})
    assert answer.status_code == 422
    assert "Write at most 4,000 characters." in answer.text
    assert "x" * 4001 in answer.text
    assert "Halden</textarea>" in answer.text
    assert db.session.scalars(sa.select(Handoff)).all() == []
    with pytest.raises(Invalid):
        write(mira, hot="x" * 4001)


def test_what_a_note_names_is_left_until_it_is_touched_closed_or_ticked_off(app, clock, rotation, mira, ana, lea):
    touched, closed, ticked, kept, _unnamed, gone = (small(waiting=[], actor=lea) for _ in range(6))
    bring_to(gone, Status.DECLINED, actor=mira)
    sent(mira, hot=f"{touched.ref} {closed.ref}", watch=f"{ticked.ref}, {kept.ref}, {gone.ref}, BUG-99999")
    assert left_of(ana) == [touched.id, closed.id, ticked.id, kept.id]

    clock.set(MORNING + timedelta(days=1, hours=1))
    with transaction():
        comments.write(kept, "Is this ours?", actor=lea)
        transitions.start(touched, actor=ana)
    bring_to(closed, Status.DECLINED, actor=ana)
    browser = visit(app, ana)
    number = db.session.scalars(sa.select(LeftBug.id).where(LeftBug.bug_id == ticked.id)).one()
    said = browser.post(f"/duty/left/{number}/removal", follow_redirects=True)
    assert f"{ticked.ref} is off the list of what was left." in words_of(said)
    with transaction(), pytest.raises(Conflict):
        handing_over.tick_off(number, actor=ana)
    assert left_of(ana) == [kept.id]

    sent(ana, hot=f"{kept.ref} again")
    assert left_of(mira) == [kept.id]
    rows = db.session.execute(sa.select(LeftBug.bug_id, LeftBug.dealt_with_by_id, LeftBug.dealt_with_at.is_(None)))
    assert sorted(map(tuple, rows)) == sorted(
        [
            (touched.id, None, False),
            (closed.id, None, False),
            (ticked.id, ana.id, False),
            (kept.id, None, True),
            (kept.id, None, True),
        ]
    )


def test_what_is_hidden_can_neither_be_seen_nor_ticked_off(app, rotation, mira, ana):
    bug = small(waiting=[], actor=mira)
    with transaction():
        editing.restrict(bug, True, actor=mira)
    sent(mira, hot=bug.ref)
    number = db.session.scalars(sa.select(LeftBug.id)).one()

    with transaction(), pytest.raises(NotFound):
        handing_over.tick_off(number, actor=ana)


def test_a_note_that_is_taken_back_leaves_nothing(app, rotation, mira, ana):
    bug = small(waiting=[])
    note = sent(mira, hot=bug.ref)
    visit(app, mira).post(f"/duty/handoffs/{note.id}/removal")

    assert left_of(ana) == []


def test_the_page_and_the_history_ask_the_same_for_one_note_and_for_three(app, clock, rotation, mira, tin, ana):
    def counts():
        found = []
        for address in ("/duty", "/duty/handoffs", "/duty/handoff"):
            browser.get(address)
            with asked() as statements:
                browser.get(address)
            found.append(len(statements))
        return found

    def one_more(person):
        bug = small(waiting=[])
        with transaction():
            transitions.start(bug, actor=person)
        sent(person, hot=small(waiting=[]).ref, watch=bug.ref)

    one_more(tin)
    clock.advance(timedelta(minutes=1))
    first = small(waiting=[])
    with transaction():
        transitions.start(first, actor=mira)
    browser = visit(app, mira)
    before = counts()
    for day in (7, 8, 9):
        clock.set(MORNING + timedelta(days=day, hours=1))
        one_more(handoffs.queries.on_duty().person)
    clock.set(MORNING + timedelta(minutes=2))
    for _ in range(3):
        bug = small(waiting=[])
        with transaction():
            transitions.start(bug, actor=mira)

    assert counts() == before


@pytest.mark.only_on("sqlite")
def test_the_draft_reads_what_happened_in_the_turn_and_nothing_else(app, rotation, mira):
    bug = small(waiting=[])
    with transaction():
        transitions.start(bug, actor=mira)
    sent(mira, hot=bug.ref)

    with plans("events") as found:
        handing_over.draft(handoffs.turn_of(mira))
        handing_over.left(mira, rotation.id)

    steps = [step for plan in found for step in plan if re.search(r"\bevents\b", step)]
    of_the_state = ("ix_events_of_the_house", "SEARCH events")
    assert {step for step in steps if not step.endswith(of_the_state)} == {
        "SEARCH events USING INDEX ix_events_kind_at (kind=? AND at>?)",
        "SEARCH events USING INDEX ix_events_bug_id (bug_id=?)",
    }


def test_an_agent_reads_and_does_not_write(app, rotation, mira, lea):
    sent(mira, hot="Halden")
    browser = visit(app, lea)

    assert "Halden" in browser.get("/duty/handoffs").text
    assert "Read and send" not in browser.get("/duty").text
    assert browser.get("/duty/handoff").status_code == 403


@pytest.mark.browser
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_turn_is_handed_over_and_read(app, clock, rotation, mira, ana, browser, has_script):
    bug = small(waiting=[make_customer()])
    with transaction():
        transitions.start(bug, actor=mira)
    context = browser.new_context(java_script_enabled=has_script)
    page = context.new_page()
    page.set_default_timeout(5000)
    with served(app) as address:

        def arrive(person):
            cookie = visit(app, person).client.get_cookie("session")
            context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
            page.goto(f"{address}/duty")

        arrive(mira)
        page.get_by_role("link", name="Read and send").click()
        watch = page.get_by_label("Watch")
        expect(watch).to_have_value(f"{bug.ref} is in progress, with Mira, 1 person waits")
        page.get_by_label("Waiting for").fill("The SAML log from Halden, due today.")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Sent. Ana is asked to read it.").first).to_be_visible()

        clock.set(MORNING + timedelta(days=1, minutes=4))
        arrive(ana)
        note = page.get_by_role("region", name="Handoff from Mira")
        expect(note).to_contain_text("The SAML log from Halden, due today.")
        expect(page.get_by_role("region", name=re.compile("^Left from before"))).to_contain_text(bug.title)
        note.get_by_role("button", name="I have read this").click()
        expect(page.get_by_role("region", name="Handoff from Mira")).to_contain_text("read by Ana 09:04")
    context.close()


def test_its_pages_belong_to_duty_in_the_top_bar(app, rotation, mira):
    browser = visit(app, mira)

    for address in ("/duty", "/duty/handoff", "/duty/handoffs"):
        assert re.findall(r'aria-current="page">(\w+)', browser.get(address).text) == ["Duty"]
    assert re.findall(r'aria-current="page">(\w+)', browser.get(f"/bugs/{small().ref}").text) == ["Board"]
