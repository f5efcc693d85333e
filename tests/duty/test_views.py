"""The pages of duty: who gets in, what changes, what is shown."""

import re
from datetime import date, datetime, time, timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.duty import overrides, queries
from bugintake.duty.models import Override, Rotation, RotationRule
from tests.duty.conftest import make_rotation
from tests.visitors import text_of

pytestmark = pytest.mark.long_on("postgres")


def pill_of(answer):
    pill = answer.text.split('<a class="duty-pill" href="/duty">')[1].split("</a>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", pill)).split())


def a_form(people, **changed):
    given = {
        "name": "Bug duty",
        "zone": "Europe/Berlin",
        "start_on": "2026-03-16",
        "handoff": "09:00",
        "until": "17:00",
        "days": ["0", "1", "2", "3", "4"],
        "turn_length": "1",
        "turn_unit": "days",
    }
    places = {f"place-{person.id}": str(place) for place, person in enumerate(people, start=1)}
    return given | places | changed


def test_duty_today_says_who_until_when_and_who_comes_next(rotation, ana, as_user):
    page = text_of(as_user(ana).get("/duty"))

    assert "Tin is on duty until 17:00" in page
    assert "Then Ana (you), Wed 11 Mar from 09:00. Times are Europe/Berlin (your 04:00–12:00)." in page


def test_whoever_lives_in_the_rotations_zone_is_not_told_twice(rotation, mira, as_user):
    assert "(your" not in text_of(as_user(mira).get("/duty"))


def test_every_page_says_who_is_on_duty(rotation, lea, as_user, clock):
    browser = as_user(lea)
    assert pill_of(browser.get("/board")) == "TH On duty: Tin on duty until 17:00"

    clock.advance(timedelta(hours=8))
    assert pill_of(browser.get("/board")) == "– Nobody on duty, Ana from Wed 11 Mar 09:00"


def test_without_a_rotation_a_lead_is_offered_one_and_others_are_told_who_plans(company, petra, lea, as_user):
    assert "Plan the rotation" in text_of(as_user(petra).get("/duty"))
    for address in ("/duty", "/duty/schedule"):
        assert "Leads and admins can plan one." in text_of(as_user(lea).get(address))
    assert pill_of(as_user(lea).get("/board")) == "– Nobody on duty"


def test_a_gap_is_shown_and_can_be_taken(rotation, mira, tin, ana, petra, as_user, clock):
    with transaction():
        for person in (mira, tin, ana):
            person.disabled_at = clock.now() - timedelta(hours=3)
    browser = as_user(petra)

    assert "Nobody is on duty, although these are duty hours." in text_of(browser.get("/duty"))
    browser.post("/duty/overrides", {"rotation": rotation.id})
    assert "Petra (you) is on duty until 17:00" in text_of(browser.get("/duty"))


def test_taking_over_changes_every_page_and_can_be_undone(rotation, mira, tin, as_user):
    browser = as_user(mira)
    page = browser.get("/duty").text
    assert f'name="seen" value="{tin.id}"' in page

    answer = browser.post("/duty/overrides", {"rotation": rotation.id, "seen": tin.id})
    assert (answer.status_code, answer.location) == (302, "/duty")
    after = browser.get("/duty")
    assert "You are on duty until 17:00." in text_of(after)
    assert pill_of(after) == "MK On duty: Mira on duty until 17:00"
    assert queries.on_duty_now().person == mira

    [override] = db.session.scalars(sa.select(Override)).all()
    assert browser.post(f"/duty/overrides/{override.id}/removal").location == "/duty"
    assert queries.on_duty_now().person == tin


def test_whoever_comes_second_is_told_in_words(rotation, mira, tin, ana, as_user):
    as_user(mira).post("/duty/overrides", {"rotation": rotation.id, "seen": tin.id})
    answer = as_user(ana).post("/duty/overrides", {"rotation": rotation.id, "seen": tin.id})

    assert answer.status_code == 409
    assert "Mira Kovač has taken over in the meantime" in text_of(answer)


def test_taking_over_what_does_not_exist_is_not_found(rotation, mira, as_user):
    browser = as_user(mira)
    for given in ({"rotation": "99"}, {"rotation": "x" * 50}, {"rotation": "9" * 30}, {}):
        assert browser.post("/duty/overrides", given).status_code == 404
    assert browser.post(f"/duty/overrides/{'9' * 30}/removal").status_code == 404


def test_an_agent_sees_duty_but_takes_nothing_over(rotation, lea, as_user):
    browser = as_user(lea)
    assert "Take over" not in browser.get("/duty").text
    assert browser.post("/duty/overrides", {"rotation": rotation.id}).status_code == 403


def test_the_schedule_shows_stand_ins_gaps_and_weeks_from_the_address(rotation, mira, ana, petra, lea, as_user):
    with transaction():
        start = datetime(2026, 3, 12, 9, tzinfo=queries.current_plan().zone_at(queries.clock.now()))
        overrides.stand_in(rotation, ana, start, start.replace(hour=17), actor=petra)
    page = text_of(as_user(lea).get("/duty/schedule?from=2026-03-11"))

    assert "9 Mar Mon 9 Mar MK Mira Tue 10 Mar Tin · today Wed 11 Mar AL Ana" in page
    assert "Thu 12 Mar, standing in Ana Mira Fri 13 Mar TH Tin" in page
    assert text_of(as_user(lea).get("/duty/schedule?from=2026-03-09")) == page


def test_a_schedule_of_no_such_day_or_rotation_is_refused_in_words(rotation, lea, as_user):
    browser = as_user(lea)
    for query, status in [
        ("from=2026-02-30", 422),
        ("from=yesterday", 422),
        ("from=9999-12-31", 422),
        ("from=0001-01-01", 422),
        ("rotation=77", 404),
        ("rotation=x", 404),
    ]:
        assert browser.get(f"/duty/schedule?{query}").status_code == status


def test_the_schedule_takes_the_same_queries_for_one_rotation_and_for_three(rotation, mira, lea, as_user):
    def queries_of(address):
        asked = []
        listen = lambda _c, _cur, statement, *_: asked.append(statement)  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", listen)
        assert browser.get(address).status_code == 200
        sa.event.remove(db.engine, "before_cursor_execute", listen)
        return len(asked)

    browser = as_user(lea)
    one = queries_of("/duty/schedule")
    for name in ("Mobile", "Payments"):
        make_rotation([mira], name=name)

    assert queries_of("/duty/schedule") == one


def test_my_shifts_are_listed_with_the_reminder(rotation, tin, lea, as_user):
    page = text_of(as_user(tin).get("/duty/me"))

    assert "The next reminder goes out Thu 12 Mar 16:00." in page
    assert "Tue 10 Mar now 09:00–17:00 Europe/Berlin (your 08:00–16:00) Hand over Tue 10 Mar Fri 13 Mar" in page
    assert "(your 08:00–16:00) Ask for a swap Fri 13 Mar w Hand over Fri 13 Mar" in page
    assert "No shifts planned." in text_of(as_user(lea).get("/duty/me"))


def test_a_lead_sees_what_a_rotation_means_before_it_is_saved(mira, tin, petra, as_user):
    browser = as_user(petra)
    assert browser.get("/duty/rotations/new").status_code == 200
    answer = browser.post("/duty/rotations", a_form([tin, mira], preview="y"))

    assert answer.status_code == 200
    assert "What it would mean Nothing is saved yet." in text_of(answer)
    assert "16 Mar Mon 16 Mar TH Tin Tue 17 Mar MK Mira Wed 18 Mar TH Tin" in text_of(answer)
    assert db.session.scalar(sa.select(sa.func.count(Rotation.id))) == 0


def test_a_lead_plans_a_rotation(mira, tin, petra, as_user):
    answer = as_user(petra).post("/duty/rotations", a_form([tin, mira], turn_length="2", turn_unit="weeks"))

    assert answer.status_code == 302
    rule = db.session.scalars(sa.select(RotationRule)).one()
    assert [member.user_id for member in rule.members] == [tin.id, mira.id]
    assert (rule.turn_length, rule.turn_unit, rule.handoff, rule.start_on) == (2, "weeks", time(9), date(2026, 3, 16))


def test_a_change_says_whose_days_move_and_holds_from_its_day(rotation, mira, tin, ana, petra, as_user):
    browser = as_user(petra)
    address = f"/duty/rotations/{rotation.id}"
    filled = browser.get(f"{address}/rule")
    assert f'name="place-{mira.id}" value="1"' in filled.text
    change = a_form([tin, mira])
    refused = browser.post(f"{address}/rules", change)
    assert refused.status_code == 422
    assert "The weeks up to 05 Apr 2026 are published." in text_of(refused)
    assert f'name="place-{tin.id}" value="1"' in refused.text

    change["moves_published"] = "y"
    preview = text_of(browser.post(f"{address}/rules", change | {"preview": "y"}))
    assert "Ana Lončar no longer 16 Mar, 19 Mar, 24 Mar, 27 Mar, 1 Apr, 6 Apr and 14 more" in preview
    assert browser.post(f"{address}/rules", change).status_code == 302
    assert queries.on_duty(datetime(2026, 3, 16, 12, tzinfo=queries.ZoneInfo("Europe/Berlin"))).person == tin


def test_a_lead_who_did_not_see_the_latest_rule_is_told_and_loses_nothing(rotation, mira, tin, petra, as_user):
    browser, address = as_user(petra), f"/duty/rotations/{rotation.id}"
    seen = re.search(r'name="seen" value="(\d+)"', browser.get(f"{address}/rule").text)[1]
    first, second = (a_form([person], moves_published="y", seen=seen) for person in (mira, tin))
    assert browser.post(f"{address}/rules", first).status_code == 302
    answer = browser.post(f"{address}/rules", second)

    assert answer.status_code == 409
    assert "Petra Novak has changed the rotation in the meantime, from 16 Mar 2026 on." in text_of(answer)
    assert f'name="place-{tin.id}" value="1"' in answer.text
    assert queries.on_duty(datetime(2026, 3, 16, 12, tzinfo=queries.ZoneInfo("Europe/Berlin"))).person == mira
    again = second | {"seen": re.search(r'name="seen" value="(\d+)"', answer.text)[1]}
    assert browser.post(f"{address}/rules", again).status_code == 302


def test_a_refused_rotation_keeps_what_was_typed_and_says_why(mira, petra, as_user):
    browser = as_user(petra)
    for changed, sentence in [
        ({"name": ""}, "Give the rotation a name."),
        ({"name": "x" * 121}, "Use at most 120 characters."),
        ({"zone": "Mars/Olympus"}, "There is no time zone named Mars/Olympus."),
        ({"start_on": "soon"}, "Enter the first day like 2026-09-14."),
        ({"start_on": "2526-03-16"}, "Choose a first day within 10 years of today."),
        ({"start_on": "9999-12-31", "preview": "y"}, "Choose a first day within 10 years of today."),
        ({"until": "08:00"}, "The day ends before it begins. Say so if the hours run into the next day."),
        ({"handoff": "9 o'clock"}, "Enter a time like 09:00."),
        ({"days": []}, "Choose at least one working day."),
        ({"days": ["9"]}, "Choose days of the week."),
        ({"turn_length": "0"}, "A turn is 1 to 366 long."),
        ({"turn_length": "many"}, "Enter a whole number, like 1."),
        ({"turn_unit": "moons"}, "Choose what turns are counted in."),
    ]:
        answer = browser.post("/duty/rotations", a_form([mira]) | changed)
        assert answer.status_code == 422
        assert "<title>Error: " in answer.text
        assert sentence in text_of(answer)
        assert f'name="place-{mira.id}" value="1"' in answer.text
    assert db.session.scalar(sa.select(sa.func.count(Rotation.id))) == 0


def test_an_order_that_makes_no_sense_is_refused_by_name(mira, tin, petra, as_user):
    browser = as_user(petra)
    for places, sentence in [
        (("", ""), "Give at least one person a place, 1 for who begins."),
        (("1", "1"), "Mira Kovač and Tin Horvat have the same place."),
        (("first", ""), "The place of Mira Kovač is a number: 1 for who begins."),
        (("٣", ""), "The place of Mira Kovač is a number: 1 for who begins."),
    ]:
        given = a_form([]) | {f"place-{mira.id}": places[0], f"place-{tin.id}": places[1]}
        answer = browser.post("/duty/rotations", given)
        assert answer.status_code == 422
        assert text_of(answer).count(sentence) == 2


def test_only_leads_change_rotations(rotation, mira, as_user):
    browser = as_user(mira)
    for address in ("/duty/rotations/new", f"/duty/rotations/{rotation.id}/rule"):
        assert browser.get(address).status_code == 403
    for address in ("/duty/rotations", f"/duty/rotations/{rotation.id}/rules"):
        assert browser.post(address, a_form([mira])).status_code == 403


def test_reading_changes_nothing(rotation, petra, as_user):
    def rows():
        return [db.session.scalar(sa.select(sa.func.count(table.id))) for table in (Rotation, RotationRule, Override)]

    before, browser = rows(), as_user(petra)
    for address in (
        "/duty",
        "/duty/schedule",
        "/duty/me",
        "/duty/rotations/new",
        f"/duty/rotations/{rotation.id}/rule",
    ):
        assert browser.get(address).status_code == 200
    assert rows() == before
