"""The load of a shift: what came, what was dealt with, since when it is quiet; and who decides in the queue."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from playwright.sync_api import expect

from bugintake.core.db import transaction
from bugintake.intake import reports
from bugintake.intake.models import Status
from bugintake.intake.queries import open_question
from bugintake.team.models import Role
from bugintake.triage import editing, looking, shift_load, snoozing, transitions
from tests.counting import fewest, plans
from tests.duty.conftest import make_rotation
from tests.factories import make_bug, make_report, make_user
from tests.loop.reading import first_report
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")
MORNING = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def tin(app):
    return make_user(name="Tin Horvat")


@pytest.fixture
def rotation(mira, tin):
    """Mira's shift began at 9, a minute ago; Tin's is tomorrow."""
    return make_rotation([tin, mira], zone="UTC")


def load_of(person):
    found = shift_load.load(person)
    return found.came, found.done


def words_of(page):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_what_came_before_the_shift_does_not_count_but_dealing_with_it_does(app, clock, rotation, mira):
    clock.set(MORNING - timedelta(hours=15))
    old = make_bug()
    clock.set(MORNING + timedelta(minutes=30))
    make_bug()
    assert load_of(mira) == (1, 0)

    with transaction():
        transitions.start(old, actor=mira)

    assert load_of(mira) == (1, 1)
    assert shift_load.load(mira).since == MORNING
    assert shift_load.load(mira).last_came_at == MORNING + timedelta(minutes=30)


def test_a_bug_counts_once_and_is_done_only_once_it_waits_no_more(app, rotation, mira):
    bug = make_bug()
    with transaction():
        transitions.accept(bug, actor=mira)
    assert load_of(mira) == (1, 0)  # nobody has it, so it is still in the queue

    with transaction():
        editing.assign(bug, mira, actor=mira)
    with transaction():
        transitions.start(bug, actor=mira)
    assert load_of(mira) == (1, 1)

    with transaction():
        transitions.undo(bug, actor=mira, offered=transitions.last_move(bug).id)
        editing.assign(bug, None, actor=mira)
    assert load_of(mira) == (1, 0)


def test_what_was_answered_or_came_back_came_too_and_stays_counted_when_it_is_looked_at(app, clock, rotation, mira):
    clock.set(MORNING - timedelta(hours=15))
    asked, live = make_bug(Status.NEEDS_INFO, actor=mira), make_bug(Status.LIVE, actor=mira)
    clock.set(MORNING + timedelta(hours=1))
    with transaction():
        transitions.answer(open_question(asked), "Firefox", actor=mira)
        transitions.come_back(live, actor=mira)
    assert load_of(mira)[0] == 2

    with transaction():
        looking.look(asked, actor=mira)
        editing.assign(live, mira, actor=mira)
    assert load_of(mira)[0] == 2


def test_a_bug_that_sleeps_or_was_taken_back_waits_no_more(app, clock, rotation, mira):
    bug, wrong = make_bug(), make_bug(waiting=[])
    with transaction():
        snoozing.snooze(bug, (MORNING + timedelta(days=2)).date(), actor=mira)
    assert load_of(mira) == (2, 1)

    with transaction():
        reports.withdraw(first_report(wrong), actor=mira)
    assert load_of(mira) == (1, 1)


def test_nobody_counts_bugs_that_they_may_not_see(app, rotation, mira, tin):
    bug = make_bug(actor=tin)
    with transaction():
        editing.restrict(bug, True, actor=tin)

    assert [load_of(each)[0] for each in (mira, tin, make_user(Role.LEAD))] == [0, 1, 1]


def test_outside_duty_hours_the_day_counts_from_midnight(app, clock, rotation, mira):
    clock.set(datetime(2026, 3, 10, 20, tzinfo=UTC))

    assert shift_load.load(mira).since == datetime(2026, 3, 10, tzinfo=UTC)


def test_the_page_says_it_and_an_empty_queue_says_how_many_were_looked_at(app, clock, rotation, mira):
    browser = visit(app, mira)
    assert "0 done, 0 came since 09:00" in words_of(browser.get("/duty").text)
    assert "All clear. The next report comes here by itself." in words_of(browser.get("/duty").text)

    bug = make_bug()
    clock.advance(timedelta(minutes=36))
    page = words_of(browser.get("/duty").text)
    assert "0 done, 1 came since 09:00 · quiet since 09:00" in page

    with transaction():
        transitions.start(bug, actor=mira)
    page = words_of(browser.get("/duty/queue").text)
    assert "1 done, 1 came since 09:00 · quiet since 09:00" in page
    assert "All clear. 1 looked at since 09:00. The next report comes here by itself." in page


def test_one_statement_reads_the_shift_from_its_own_index(app, rotation, mira):
    make_bug()
    once = fewest(lambda: shift_load.load(mira))
    for _ in range(3):
        make_report(bug=make_bug())

    assert fewest(lambda: shift_load.load(mira)) == once


@pytest.mark.only_on("sqlite")
def test_what_did_not_happen_in_the_shift_is_not_read(app, rotation, mira):
    make_bug()
    shift_load.load(mira)

    with plans("events") as found:
        shift_load.load(mira)

    assert [step for plan in found for step in plan if "events" in step] == [
        "SEARCH events USING INDEX ix_events_kind_at (kind=? AND at>?)"
    ]


@pytest.mark.parametrize(
    ("who", "is_offered"), [("mira", True), ("tin", False), ("lead", False), ("agent", False)], ids=str
)
def test_while_it_is_somebodys_turn_only_they_decide_in_the_queue(app, rotation, mira, tin, who, is_offered):
    make_bug()
    people = {"mira": mira, "tin": tin, "lead": make_user(Role.LEAD), "agent": make_user(Role.AGENT)}
    browser = visit(app, people[who])

    for address in ("/duty", "/duty/queue"):
        page = browser.get(address).text
        assert ('action="/bugs/{ref}/acceptance"' in page, 'class="keys"' in page) == (is_offered, is_offered)
        assert ("A colleague decides here now." in page) == (who in ("tin", "lead"))
        assert "/bugs/{ref}/raise" in page  # as on every list, for everybody


def test_after_taking_over_one_decides_and_while_nobody_is_on_duty_everybody_does(app, clock, rotation, mira, tin):
    make_bug()
    browser = visit(app, tin)
    browser.post("/duty/overrides", {"rotation": rotation.id, "seen": mira.id})
    assert "/acceptance" in browser.get("/duty").text

    clock.set(datetime(2026, 3, 10, 20, tzinfo=UTC))
    assert "/acceptance" in visit(app, make_user()).get("/duty").text


def test_a_gap_now_is_a_red_bar_with_the_button_that_ends_it(app, clock, rotation, mira, tin):
    with transaction():
        for person in (mira, tin):
            person.disabled_at = clock.now() - timedelta(hours=3)

    page = visit(app, make_user()).get("/duty").text
    bar = page.split('<div class="bar bad box"')[1].split("</div>")[0]

    assert "Nobody is on duty, although these are duty hours." in bar
    assert 'action="/duty/overrides"' in bar
    assert page.count('action="/duty/overrides"') == 1
    assert "/duty/overrides" not in visit(app, make_user(Role.AGENT)).get("/duty").text


@pytest.mark.browser
@pytest.mark.only_on("sqlite")
def test_a_verdict_goes_on_to_the_next_in_the_queue(page, desk, rotation):
    refs = [make_bug().ref for _ in range(3)]
    page.goto(f"{desk}/duty")
    page.keyboard.press("j")

    for done, following in zip(refs, [*refs[1:], None], strict=True):
        expect(page.locator(f"[data-ref='{done}'] .tt")).to_be_focused()
        page.keyboard.press("s")
        expect(page.locator(f"[data-ref='{done}']")).to_have_count(0)
        if following:
            expect(page.locator(f"[data-ref='{following}'] .tt")).to_be_focused()

    expect(page.get_by_text("All clear. 3 looked at since 09:00.")).to_be_visible()
