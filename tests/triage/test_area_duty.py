"""Areas with a rotation of their own: whose bugs they are, who sees them in the queue, and who may say so."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty import absences, roster
from bugintake.intake.models import OptionList, Status
from bugintake.team.models import Role
from bugintake.triage import area_duty, overlooked, owners, queue, snoozing
from bugintake.triage.overlooked import Lack
from tests.duty.test_views import text_of
from tests.factories import make_bug, make_option, make_user, make_workspace
from tests.visitors import visit


@pytest.fixture
def house(app, clock):
    """Tuesday 10 March 2026, 10:00 UTC: Mira has the default duty, Tin the one for phones, Petra leads."""
    make_workspace(zone="UTC")
    people = {
        "mira": make_user(Role.ENGINEER, "Mira Kos"),
        "tin": make_user(Role.ENGINEER, "Tin Horvat"),
        "petra": make_user(Role.LEAD, "Petra Lang"),
    }
    terms = {"zone": "UTC", "start_on": date(2026, 3, 9), "handoff": time(9), "days": [0, 1, 2, 3, 4], "actor": None}
    with transaction():
        first = roster.create_rotation(name="Bug duty", people=[people["mira"]], **terms)
        second = roster.create_rotation(name="Phones", people=[people["tin"]], **terms)
    phones, web = make_option(OptionList.AREA, "Phones"), make_option(OptionList.AREA, "Web")
    with transaction():
        area_duty.give(phones, second, actor=people["petra"])
    return {**people, "first": first, "second": second, "phones": phones, "web": web}


def away(person, day=10):
    with transaction():
        return absences.note_absence(person, date(2026, 3, day), date(2026, 3, day), actor=person)


def test_a_bug_that_nobody_took_is_with_whoever_is_on_duty_by_its_areas_rotation(house):
    on_phone, on_web = make_bug(area=house["phones"]), make_bug(area=house["web"])

    assert owners.effective_owner(on_phone) == house["tin"]
    assert owners.effective_owner(on_web) == house["mira"]
    assert owners.is_on_duty(house["tin"], on_phone)
    assert not owners.is_on_duty(house["tin"], on_web)
    assert owners.who_may_fix(on_phone, house["petra"])[:2] == [house["petra"], house["tin"]]


def test_where_nobody_is_on_duty_by_it_the_default_rotation_answers_and_then_the_fallback(house):
    bug = make_bug(area=house["phones"])
    away(house["tin"])
    by_default = owners.effective_owner(bug)
    away(house["mira"])
    make_workspace(zone="UTC", fallback_owner_id=house["petra"].id)

    assert (by_default, owners.effective_owner(bug)) == (house["mira"], house["petra"])


def test_a_retired_rotation_answers_for_nothing(house):
    bug = make_bug(area=house["phones"])
    with transaction():
        house["second"].retired_at = house["second"].created_at
        area_duty.give(house["web"], house["first"], actor=house["petra"])
        events.record(EventKind.ROTATION_CHANGED, actor=house["petra"], after="Phones")

    assert owners.effective_owner(bug) == house["mira"]


def refs(person):
    items, count = queue.queue(person)
    assert count == len(items)
    return {item.card.id for item in items}


def test_whoever_is_on_duty_sees_in_the_queue_what_they_are_on_duty_for(house):
    on_phone, on_web = make_bug(area=house["phones"]), make_bug(area=house["web"])

    assert refs(house["tin"]) == {on_phone.id}
    assert refs(house["mira"]) == {on_web.id}
    assert refs(house["petra"]) == {on_phone.id, on_web.id}


def test_nothing_is_in_no_queue_while_one_of_them_is_away(house):
    on_phone, on_web = make_bug(area=house["phones"]), make_bug(area=house["web"])
    away(house["tin"])

    assert refs(house["mira"]) == {on_phone.id, on_web.id}


def test_snoozed_bugs_that_nobody_took_are_with_whoever_is_on_duty_for_them(house):
    tomorrow = date(2026, 3, 11)
    on_phone, on_web = make_bug(area=house["phones"]), make_bug(area=house["web"])
    with transaction():
        for bug in (on_phone, on_web):
            snoozing.snooze(bug, tomorrow, actor=house["petra"])

    assert [card.id for card in queue.asleep(house["tin"], of_everybody=False, start=0)] == [on_phone.id]
    assert [card.id for card in queue.asleep(house["mira"], of_everybody=False, start=0)] == [on_web.id]
    assert queue.asleep(house["petra"], of_everybody=False, start=0) == []


def test_a_bug_is_nobodys_only_where_nobody_answers_for_its_area(house):
    covered = make_bug(Status.ACCEPTED, area=house["phones"])
    left = make_bug(Status.ACCEPTED, area=house["web"])
    away(house["mira"])

    assert [card.id for card in overlooked.listed(Lack.OWNER, house["petra"], start=0)] == [left.id]
    assert covered.owner_id is None


def test_a_lead_says_which_rotation_answers_for_an_area(house, app):
    browser, web, second = visit(app, house["petra"]), house["web"], house["second"]
    page = browser.get("/duty/areas")
    assert f'<option value="{second.id}" selected>Phones</option>' in page.text
    answer = browser.post("/duty/areas", {f"area-{web.id}": str(second.id)})

    assert answer.status_code == 302
    assert area_duty.own_rotations() == {house["phones"].id: second.id, web.id: second.id}
    event = db.session.scalars(sa.select(Event).where(Event.option_id == web.id).order_by(Event.id.desc())).first()
    assert (event.kind, event.before, event.after) == ("area.rotation_changed", "Bug duty", "Phones")
    assert "let “Phones” answer for its bugs" in text_of(browser.get(f"/admin/catalogue/areas/{web.id}/history"))


def test_saving_what_is_so_already_records_nothing(house, app):
    browser = visit(app, house["petra"])
    before = db.session.scalar(sa.select(sa.func.count(Event.id)))
    browser.post("/duty/areas", {f"area-{house['phones'].id}": str(house["second"].id)})

    assert db.session.scalar(sa.select(sa.func.count(Event.id))) == before


def test_a_rotation_that_is_none_is_refused_and_nothing_is_saved(house, app):
    given = {f"area-{house['phones'].id}": str(house["first"].id), f"area-{house['web'].id}": "999"}
    answer = visit(app, house["petra"]).post("/duty/areas", given)

    assert answer.status_code == 422
    assert "Choose a rotation from the list for Web." in text_of(answer)
    assert area_duty.own_rotations() == {house["phones"].id: house["second"].id}


def test_the_queue_is_the_next_ones_when_the_shift_ends(house, clock):
    on_phone = make_bug(area=house["phones"])
    clock.advance(timedelta(hours=12))

    assert refs(house["mira"]) == refs(house["tin"]) == {on_phone.id}
