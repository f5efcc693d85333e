"""The page of duty follows the rotation that somebody is on duty in; colleagues look at another one's by its link."""

import re
from datetime import UTC, date, datetime, time, timedelta
from html import unescape

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.forms import Seen
from bugintake.duty import absences, handoffs, roster
from bugintake.intake.models import OptionList
from bugintake.loop import duty_letters, duty_notices, handoff_letters
from bugintake.loop.models import Delivery
from bugintake.team.models import Role
from bugintake.triage import area_duty, editing, handing_over, owners, queue, shift_load, transitions
from tests.counting import asked
from tests.factories import make_bug, make_option, make_user, make_workspace
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

MORNING = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def house(app, clock):
    """Tuesday 10 March 2026: Mira has the default duty since 9, Tin the one for phones since 8; Ana and Jo are next."""
    clock.set(MORNING)
    make_workspace(zone="UTC")
    names = ("Mira Kos", "Jo Lang", "Tin Horvat", "Ana Maric")
    people = {name.split()[0].lower(): make_user(Role.ENGINEER, name, zone="UTC") for name in names}
    people["petra"] = make_user(Role.LEAD, "Petra Lang")
    first = make_rotation("Bug duty", [people["jo"], people["mira"]], time(9))
    second = make_rotation("Phones", [people["ana"], people["tin"]], time(8))
    phones, web = make_option(OptionList.AREA, "Phones"), make_option(OptionList.AREA, "Web")
    with transaction():
        area_duty.give(phones, second, actor=people["petra"])
    return {**people, "first": first, "second": second, "phones": phones, "web": web}


def make_rotation(name, people, handoff):
    with transaction():
        return roster.create_rotation(
            name=name,
            people=people,
            zone="UTC",
            start_on=date(2026, 3, 9),
            handoff=handoff,
            until=time(17),
            days=range(5),
            actor=None,
        )


def refs(person, rotation=None):
    items, count = queue.queue(person, rotation and rotation.id)
    assert count == len(items)
    return {item.card.id for item in items}


def words_of(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def row_of(answer):
    """The links between rotations, the shown one in brackets."""
    [row] = re.findall(r'<nav class="filters" aria-label="Rotations">(.*?)</nav>', answer.text, re.S)
    links = re.findall(r'href="([^"]*)"( aria-current="page")?>([^<]*)</a>', row)
    return [(f"[{name}]" if is_current else name, address) for address, is_current, name in links]


def write(person, hot, rotation=None):
    turn = handoffs.turn_of(person, rotation and rotation.id)
    with transaction():
        return handoffs.save(turn, {"hot": hot, "waiting": "", "watch": ""}, (), Seen(), actor=person)


def sent(person, hot, rotation=None):
    note = write(person, hot, rotation)
    with transaction():
        handing_over.send(note, actor=person)
    return note


def test_anybody_may_look_at_what_a_rotation_answers_for(house):
    on_phone, on_web = make_bug(area=house["phones"]), make_bug(area=house["web"])

    for looking in ("petra", "mira", "tin"):
        assert refs(house[looking], house["second"]) == {on_phone.id}
        assert refs(house[looking], house["first"]) == {on_web.id}


def test_where_nobody_is_on_duty_the_default_rotation_answers_too(house):
    bug = make_bug(area=house["phones"])
    for person in ("tin", "ana"):
        with transaction():
            absences.note_absence(house[person], date(2026, 3, 10), date(2026, 3, 10), actor=house[person])

    assert refs(house["petra"], house["first"]) == refs(house["petra"], house["second"]) == {bug.id}


def test_nobody_sees_there_what_they_may_not(house, app):
    bug = make_bug(area=house["phones"], actor=house["tin"], actual="The canary sings")
    with transaction():
        editing.restrict(bug, True, actor=house["tin"])

    assert [refs(house[name], house["second"]) for name in ("mira", "tin", "petra")] == [set(), {bug.id}, {bug.id}]
    for address in ("/duty", "/duty/queue"):
        answer = visit(app, house["mira"]).get(f"{address}?rotation={house['second'].id}")
        assert (answer.status_code, "canary" in answer.text) == (200, False)


@pytest.mark.parametrize("named", ["999", "0", "-1", "x", "1e3", "99999999999999999999"])
def test_a_rotation_that_is_none_is_not_found(house, app, named):
    browser = visit(app, house["petra"])

    for address in ("/duty", "/duty/queue", "/duty/handoffs", "/duty/handoff"):
        assert browser.get(f"{address}?rotation={named}").status_code == 404


def test_the_page_is_about_the_rotation_that_somebody_is_on_duty_in(house, app):
    make_bug(area=house["phones"], actual="No sound")
    pages = {name: visit(app, house[name]).get("/duty") for name in ("tin", "mira", "petra")}

    first, second = (f"/duty?rotation={house[name].id}" for name in ("first", "second"))
    assert row_of(pages["tin"]) == [("[Mine]", "/duty"), ("Bug duty", first), ("Phones", second)]
    assert row_of(pages["petra"]) == [("[All]", "/duty"), ("Bug duty", first), ("Phones", second)]
    assert "Tin (you) is on duty until 17:00 Phones." in words_of(pages["tin"])
    assert "Mira (you) is on duty until 17:00 Bug duty." in words_of(pages["mira"])
    assert "Mira is on duty until 17:00 Bug duty." in words_of(pages["petra"])
    assert [len(re.findall('<li class="item"', page.text)) for page in pages.values()] == [1, 0, 1]


def test_a_lead_looks_at_another_rotation_and_stays_there(house, app):
    bug = make_bug(area=house["phones"])
    browser, here = visit(app, house["petra"]), f"/duty?rotation={house['second'].id}"
    page = browser.get(here)

    assert [name for name, _ in row_of(page)] == ["All", "Bug duty", "[Phones]"]
    assert "Tin is on duty until 17:00 Phones. Then Ana, Wed 11 Mar" in words_of(page)
    assert f'data-poll="/duty/queue?rotation={house["second"].id}"' in page.text
    assert f'name="next" value="{here}"' in page.text
    assert "A colleague decides here now." in page.text
    answer = browser.post(f"/bugs/{bug.ref}/acceptance", {"next": here})
    assert answer.headers["Location"] == here


def test_where_there_is_one_rotation_there_is_no_row(house, app):
    with transaction():
        house["second"].retired_at = MORNING

    assert 'aria-label="Rotations"' not in visit(app, house["petra"]).get("/duty").text


def test_who_decides_is_whoever_is_on_duty_in_that_rotation(house, clock):
    second, first = house["second"].id, house["first"].id
    on_second = [owners.decides_now(house[name], second) for name in ("tin", "mira", "jo", "petra")]
    on_first = [owners.decides_now(house[name], first) for name in ("tin", "mira", "jo", "petra")]
    assert (on_second, on_first) == ([True, False, False, False], [False, True, False, False])

    with transaction():
        for name in ("tin", "ana"):
            absences.note_absence(house[name], date(2026, 3, 10), date(2026, 3, 10), actor=house[name])
    assert [owners.decides_now(house[name], second) for name in ("tin", "mira", "jo")] == [False, True, False]
    clock.set(MORNING + timedelta(hours=12))
    assert owners.decides_now(house["jo"], second)


def test_taking_over_leads_back_to_the_rotation(house, app):
    browser, here = visit(app, house["mira"]), f"/duty?rotation={house['second'].id}"
    answer = browser.post("/duty/overrides", {"rotation": house["second"].id, "seen": house["tin"].id})
    assert answer.headers["Location"] == here

    number = re.search(r"/duty/overrides/(\d+)/removal", browser.get(here).text)[1]
    assert browser.post(f"/duty/overrides/{number}/removal").headers["Location"] == here


def test_the_load_is_that_of_the_shift_that_one_has_or_looks_at(house, clock):
    clock.set(MORNING - timedelta(minutes=30))
    make_bug(area=house["phones"])
    clock.set(MORNING + timedelta(hours=1))
    make_bug(area=house["phones"])
    make_bug(area=house["web"])

    def of(person, rotation=None):
        found = shift_load.load(house[person], rotation and house[rotation].id)
        return found.since.hour, found.came

    assert (of("tin"), of("mira"), of("petra")) == ((8, 2), (9, 1), (9, 2))
    assert (of("petra", "second"), of("petra", "first")) == ((8, 2), (9, 1))


def test_a_turn_of_any_rotation_leaves_a_note_to_the_next_of_that_one(house, app, clock):
    bug = make_bug(area=house["phones"], waiting=[], actor=house["petra"])
    with transaction():
        transitions.start(bug, actor=house["tin"])
    browser, second = visit(app, house["tin"]), house["second"]
    page = browser.get("/duty")
    assert f'href="/duty/handoff?rotation={second.id}"' in page.text
    page = browser.get(f"/duty/handoff?rotation={second.id}")
    assert ("For Ana." in words_of(page), bug.ref in page.text) == (True, True)
    answer = browser.post(f"/duty/handoff?rotation={second.id}", {"hot": f"{bug.ref} no sound", "do": "send"})
    assert answer.headers["Location"] == f"/duty?rotation={second.id}"

    [note] = handoffs.sent_notes(second)
    assert (note.author, handoffs.reader_of(note)) == (house["tin"], house["ana"])
    assert handoffs.sent_notes(house["first"]) == []
    assert [each.bug_id for each in handing_over.left(house["petra"], second.id)] == [bug.id]
    assert handing_over.left(house["petra"], house["first"].id) == []
    clock.advance(timedelta(days=1))
    browser = visit(app, house["ana"])
    assert "Handoff from Tin" in words_of(browser.get("/duty"))
    assert "Handoff from Tin" not in words_of(visit(app, house["mira"]).get("/duty"))
    answer = browser.post(f"/duty/handoffs/{note.id}/reading")
    assert answer.headers["Location"] == f"/duty?rotation={second.id}"
    assert "no sound" in words_of(browser.get(f"/duty/handoffs?rotation={second.id}"))
    assert "no sound" not in words_of(browser.get("/duty/handoffs"))


def test_what_is_hot_in_a_note_is_what_that_rotation_answers_for(house, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    on_phone = make_bug(area=house["phones"], impact="Cannot work", waiting=[])
    on_web = make_bug(area=house["web"], impact="Cannot work", waiting=[])
    clock.advance(timedelta(hours=2))

    drafted = {name: handing_over.draft(handoffs.turn_of(house[name])) for name in ("tin", "mira")}
    assert {name: [line.bug_id for line in lines] for name, lines in drafted.items()} == {
        "tin": [on_phone.id],
        "mira": [on_web.id],
    }


def test_of_turns_in_two_rotations_the_one_that_runs_is_ones_note_and_the_other_by_its_link(house, clock):
    """Jo had the default duty on Monday and forgot its note; on Tuesday Jo has the chat."""
    chat = make_rotation("Chat", [house["petra"], house["jo"]], time(10))
    clock.set(MORNING + timedelta(hours=2))
    jo = house["jo"]

    assert handoffs.turn_of(jo).rotation == chat
    assert handoffs.turn_of(jo, house["first"].id).start == MORNING - timedelta(days=1)
    assert handoffs.turn_of(jo, house["second"].id) is None
    sent(jo, "Late, but here it is.", house["first"])
    assert handoffs.turn_of(jo, house["first"].id) is None
    assert handoffs.turn_of(jo).rotation == chat


def test_every_rotation_reminds_of_its_note_before_its_turn_ends(house, clock):
    for name, area in (("tin", "phones"), ("mira", "web")):
        bug = make_bug(area=house[area], waiting=[])
        with transaction():
            transitions.start(bug, actor=house[name])
    clock.set(MORNING + timedelta(hours=7, minutes=50))

    assert [handoff_letters.queue_unsent(clock.now()) for _ in range(2)] == [2, 0]
    owed = {each.user: each for each in db.session.query(Delivery)}
    assert set(owed) == {house["tin"], house["mira"]}
    _, [line, _] = handoff_letters.unsent(owed[house["tin"]], house["tin"])
    assert line.text.startswith("Ana is on duty after you.")
    assert line.url.endswith(f"/duty/handoff?rotation={house['second'].id}")
    sent(house["tin"], "No sound")
    assert handoff_letters.unsent(owed[house["tin"]], house["tin"]) is None


def test_the_mail_before_a_turn_counts_what_that_rotation_answers_for(house, clock):
    make_bug(area=house["phones"])
    for _ in range(2):
        make_bug(area=house["web"])
    clock.set(MORNING + timedelta(hours=7))
    duty_notices.queue_reminders(clock.now())

    owed = {each.user: duty_letters.reminder(each, each.user) for each in db.session.query(Delivery)}
    assert {person: lines[0].text for person, (_, lines) in owed.items()} == {
        house["ana"]: "you take over from Tin. Right now there is 1 bug to look at. 1 of them: Hard to work.",
        house["jo"]: "you take over from Mira. Right now there are 2 bugs to look at. 2 of them: Hard to work.",
    }


def test_pages_ask_the_same_for_two_rotations_and_for_five(house, app):
    def counts():
        found = []
        for name in ("tin", "petra"):
            browser = visit(app, house[name])
            for address in ("/duty", "/duty/queue", "/duty/handoffs", "/board"):
                for named in ("", f"?rotation={house['second'].id}"):
                    browser.get(address + named)
                    with asked() as statements:
                        browser.get(address + named)
                    found.append(len(statements))
        return found

    make_bug(area=house["phones"])
    before = counts()
    for number in range(3):
        more = make_rotation(f"Desk {number}", [house["ana"], house["jo"]], time(9))
        area = make_option(OptionList.AREA, f"Area {number}")
        with transaction():
            area_duty.give(area, more, actor=house["petra"])
        make_bug(area=area)

    assert counts() == before
