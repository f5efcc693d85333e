"""Public holidays: chosen with a rotation, kept as rows, struck and added by a lead, and never a turn."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.duty import public_holidays, queries, roster
from bugintake.duty.models import Holiday
from bugintake.duty.public_holidays import countries, known_holidays, regions
from bugintake.duty.reminders import due_reminders
from bugintake.duty.roster import Terms
from tests.counting import asked
from tests.duty.test_views import a_form, text_of

GOOD_FRIDAY, EASTER_MONDAY = date(2026, 4, 3), date(2026, 4, 6)


def terms_for(people, **changed):
    given = {"country": "DE", "region": "BY"} | changed
    return Terms("Europe/Berlin", date(2026, 3, 9), time(9), time(17), range(5), people, moves_published=True, **given)


@pytest.fixture
def bavaria(mira, tin, ana, petra):
    """Since Monday 9 March: Mira, Tin and Ana, one working day each, with the holidays of Bavaria."""
    with transaction():
        return roster.add_rotation("Bug duty", terms_for([mira, tin, ana]), actor=petra)


def plan(first, last, month=4):
    found = queries.planned_shifts(
        datetime(2026, month, first, tzinfo=UTC), datetime(2026, month, last, 23, tzinfo=UTC)
    )
    return [(s.on.day, s.person.first_name) for s in found]


def the(day):
    return db.session.scalars(sa.select(Holiday).where(Holiday.falls_on == day)).one()


def test_countries_and_their_regions_are_offered_by_name():
    assert ("DE", "Germany") in countries()
    assert len(countries()) > 200
    assert ("BY", "Bayern") in regions("DE")
    assert regions("") == regions("XX") == []


def test_a_region_has_holidays_that_its_country_has_not():
    spring = (date(2026, 1, 1), date(2026, 1, 31))

    assert known_holidays("DE", "", *spring) == {date(2026, 1, 1): "New Year's Day"}
    assert list(known_holidays("DE", "BY", *spring).values()) == ["New Year's Day", "Epiphany"]
    assert known_holidays("", "", *spring) == {}
    for country, region in (("XX", ""), ("DE", "XX")):
        with pytest.raises(Invalid):
            known_holidays(country, region, *spring)


def test_a_holiday_is_nobodys_and_uses_up_no_turn(bavaria):
    assert plan(1, 9) == [(1, "Ana"), (2, "Mira"), (7, "Tin"), (8, "Ana"), (9, "Mira")]
    assert queries.on_duty(datetime(2026, 4, 3, 10, tzinfo=UTC)) is None


def test_a_rotation_has_none_unless_a_country_is_chosen(rotation):
    assert db.session.scalar(sa.select(sa.func.count(Holiday.id))) == 0
    assert [day for day, _ in plan(1, 7)] == [1, 2, 3, 6, 7]


def test_the_days_are_rows_so_that_another_library_rewrites_nothing(bavaria, monkeypatch):
    before = plan(1, 30)
    monkeypatch.setattr("holidays.country_holidays", lambda *_, **__: {})

    assert plan(1, 30) == before
    assert the(EASTER_MONDAY).name == "Easter Monday"
    last = db.session.scalar(sa.select(sa.func.max(Holiday.falls_on)))
    assert last == date(2036, 12, 26)


def test_a_plan_with_holidays_is_read_in_one_query(bavaria, clock):
    db.session.rollback()
    with asked() as statements:
        queries.on_duty(clock.now())

    assert len(statements) == 1


def test_a_lead_strikes_a_holiday_and_puts_it_back(bavaria, petra):
    before = plan(1, 30)
    with transaction():
        public_holidays.strike(the(GOOD_FRIDAY), actor=petra)
    assert plan(1, 7) == [(1, "Ana"), (2, "Mira"), (3, "Tin"), (7, "Ana")]
    with pytest.raises(Conflict, match="done that already"), transaction():
        public_holidays.strike(the(GOOD_FRIDAY), actor=petra)
    with transaction():
        public_holidays.put_back(the(GOOD_FRIDAY), actor=petra)
    assert plan(1, 30) == before
    found = db.session.scalars(sa.select(Event).where(Event.kind.like("holiday.%")).order_by(Event.id)).all()
    assert [(e.kind, e.actor_id, e.after) for e in found] == [
        ("holiday.struck", petra.id, "2026-04-03"),
        ("holiday.added", petra.id, "2026-04-03"),
    ]


def test_a_lead_adds_a_day_of_the_companys_own(bavaria, petra):
    with transaction():
        public_holidays.add_holiday(bavaria, date(2026, 4, 8), "Company outing", actor=petra)

    assert plan(1, 9) == [(1, "Ana"), (2, "Mira"), (7, "Tin"), (9, "Ana")]
    for day, name, sentence in [
        (date(2026, 4, 8), "Again", "That day is on the list: Company outing."),
        (GOOD_FRIDAY, "Again", "That day is on the list: Good Friday."),
        (date(2026, 3, 10), "Today", "Holidays change from tomorrow on"),
        (date(2026, 3, 2), "Before", "The rotation starts later."),
        (date(2037, 3, 2), "Far", "Choose a day within 10 years."),
        (date(2026, 4, 9), " ", "Give the day a name"),
        (date(2026, 4, 11), "Saturday", "Nobody is on duty on that day of the week anyway."),
    ]:
        with pytest.raises(Invalid, match=sentence), transaction():
            public_holidays.add_holiday(bavaria, day, name, actor=petra)


def test_what_was_is_struck_by_nobody(bavaria, petra, clock):
    clock.set(datetime(2026, 4, 3, 10, tzinfo=UTC))
    with pytest.raises(Conflict, match="what was and what is promised"), transaction():
        public_holidays.strike(the(GOOD_FRIDAY), actor=petra)


def test_a_changed_rule_has_its_own_country_and_keeps_what_leads_decided(bavaria, mira, tin, petra):
    with transaction():
        public_holidays.strike(the(GOOD_FRIDAY), actor=petra)
        public_holidays.add_holiday(bavaria, date(2026, 4, 8), "Company outing", actor=petra)
    before = plan(10, 31, month=3)
    later = replace(terms_for([mira, tin]), start_on=date(2026, 4, 1))
    assert roster.preview(later, bavaria).holidays[date(2026, 4, 8)] == "Company outing"
    assert GOOD_FRIDAY not in roster.preview(later, bavaria).holidays
    with transaction():
        roster.change_rotation(bavaria, later, actor=petra)
    assert plan(1, 9) == [(1, "Mira"), (2, "Tin"), (3, "Mira"), (7, "Tin"), (9, "Mira")]
    assert plan(10, 31, month=3) == before
    with transaction():
        roster.change_rotation(bavaria, replace(later, country="", region=""), actor=petra)
    assert [day for day, _ in plan(1, 9)] == [1, 2, 3, 6, 7, 9]
    assert plan(10, 31, month=3) == before


def test_a_working_day_before_a_shift_is_no_holiday(bavaria):
    """Tin's Tuesday follows Good Friday and Easter Monday: he hears on Thursday at four in London."""
    found = [r for r in due_reminders(datetime(2026, 4, 2, 15, tzinfo=UTC)) if r.shift.on == date(2026, 4, 7)]

    assert [(r.person.first_name, r.due_at) for r in found] == [("Tin", datetime(2026, 4, 2, 15, tzinfo=UTC))]
    assert not [r for r in due_reminders(datetime(2026, 4, 2, 14, 59, tzinfo=UTC)) if r.shift.on == date(2026, 4, 7)]


def test_the_weeks_and_the_preview_name_the_holidays(bavaria, mira, petra, as_user):
    browser = as_user(petra)
    page = text_of(browser.get("/duty/schedule?from=2026-03-30"))
    assert "Fri 3 Apr Good Friday 6 Apr Mon 6 Apr Easter Monday" in page
    shown = text_of(browser.post("/duty/rotations", a_form([mira], name="New", country="AT", preview="y")))
    assert "Days without duty, which use up no turn Mon 6 Apr 2026 Easter Monday; Fri 1 May 2026 Labor Day; " in shown
    assert "15 Aug 2026" not in shown  # a Saturday
    assert "Burgenland" in shown


def test_a_lead_chooses_country_and_region_on_the_form(mira, petra, as_user):
    browser = as_user(petra)
    assert browser.post("/duty/rotations", a_form([mira], country="DE", region="BY")).status_code == 302
    rule = queries.default_rotation().rules[-1]
    assert (rule.country, rule.region) == ("DE", "BY")
    form = browser.get(f"/duty/rotations/{rule.rotation_id}/rule").text
    assert '<option value="DE" selected' in form
    assert '<option value="BY" selected' in form
    refused = browser.post("/duty/rotations", a_form([mira], name="Other", country="XX"))
    assert (refused.status_code, "Choose a country from the list." in text_of(refused)) == (422, True)
    # A region of another country is let go of, and only that.
    assert browser.post("/duty/rotations", a_form([mira], name="Other", country="AT", region="BY")).status_code == 302
    assert [r.rules[-1].region for r in queries.rotations()] == ["BY", ""]


def test_a_lead_decides_about_single_days_on_their_page(bavaria, petra, mira, as_user):
    browser, address = as_user(petra), f"/duty/rotations/{bavaria.id}/holidays"
    browser.post(f"/duty/holidays/{the(GOOD_FRIDAY).id}/removal")
    browser.post(address, {"day": "2026-04-08", "name": "Company outing"})
    page = text_of(browser.get(address))
    assert "Fri 3 Apr 2026 Good Friday struck Put back" in page
    assert "Wed 8 Apr 2026 Company outing your own Strike" in page
    assert "Sat 15 Aug 2026" not in page
    assert "All 109" in page
    assert text_of(browser.get(f"{address}?all=y")).count(" Strike") > 90
    browser.post(f"/duty/holidays/{the(GOOD_FRIDAY).id}/return")
    assert "Good Friday Strike" in text_of(browser.get(address))
    for given, sentence in [
        ({"day": "soon", "name": "X"}, "Enter the day like 2026-12-24."),
        ({"day": "2026-04-08", "name": "X"}, "That day is on the list: Company outing."),
        ({"day": "2026-04-09", "name": ""}, "Give the day a name."),
    ]:
        refused = browser.post(address, given)
        assert (refused.status_code, sentence in text_of(refused)) == (422, True)
    assert as_user(mira).get(address).status_code == 403


def test_the_libraries_of_calendars_are_loaded_by_nobody_who_does_not_need_them():
    known = "{'holidays', 'icalendar', 'recurring_ical_events'}"
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, bugintake.app; print({known} & set(sys.modules))"],
        capture_output=True,
        check=True,
        text=True,
    )

    assert told.stdout.strip() == "set()"
