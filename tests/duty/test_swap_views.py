"""The pages of a shift and of swaps: what they offer to whom, and that nothing typed is lost."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.duty import absences, queries, swaps
from bugintake.duty.models import Override
from bugintake.duty.swap_models import Answer, Swap
from bugintake.duty.views.swaps import SHIFTS_OFFERED
from tests.counting import fewest
from tests.duty.conftest import make_rotation
from tests.duty.test_views import pill_of
from tests.visitors import text_of

pytestmark = pytest.mark.long_on("postgres")

THURSDAY = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC)


def address(rotation, what, hours=THURSDAY):
    words = urlencode({"from": hours[0].isoformat(), "to": hours[1].isoformat()})
    return f"/duty/rotations/{rotation.id}/{what}?{words}"


def form(kind, seen, **fields):
    whole = {f"{kind}-start": "2026-03-12T09:00", f"{kind}-end": "2026-03-12T17:00", f"{kind}-reason": ""}
    return whole | {"seen": seen.id} | {f"{kind}-{name}": value for name, value in fields.items()}


def on_thursday():
    shifts = queries.planned_shifts(*THURSDAY)
    return [(each.person.first_name, each.start.hour, each.end.hour) for each in shifts]


@pytest.fixture
def swap(rotation, mira):
    with transaction():
        return swaps.ask(rotation, *THURSDAY, None, actor=mira, seen_id=mira.id, reason="School play.")


def test_a_shift_on_the_schedule_offers_what_its_reader_may_do(rotation, mira, ana, petra, lea, as_user):
    offered = {
        person: {
            word: f'{word}<span class="vh">{comma} Thu 12 Mar' in as_user(person).get("/duty/schedule").text
            for word, comma in (
                ("Take it", ","),
                ("Ask for a swap", ","),
                ("Hand over to…", ""),
                ("Who was it before?", ""),
            )
        }
        for person in (mira, ana, petra, lea)
    }

    assert list(offered[mira].values()) == [False, True, True, True]
    assert list(offered[ana].values()) == [True, False, False, True]
    assert list(offered[petra].values()) == [True, True, True, True]
    assert list(offered[lea].values()) == [False, False, False, False]
    assert "Who was it before?" in text_of(as_user(lea).get(address(rotation, "shift")))


def test_every_offer_of_the_menu_leads_to_the_shift(rotation, mira, as_user):
    page = text_of(as_user(mira).get(address(rotation, "shift")))

    assert "Thu 12 Mar, 09:00–17:00 You are on duty then. Times are Europe/Berlin." in page
    for words in ("Ask for a swap", "Hand over to…", "Who was it before?", "Free then: Tin Horvat, Ana Lončar."):
        assert words in page


def test_taking_a_coming_shift_from_the_schedule(rotation, mira, ana, as_user):
    browser = as_user(ana)
    answer = browser.post(address(rotation, "takings"), {"seen": mira.id})

    assert (answer.status_code, answer.location) == (302, f"/duty/schedule?rotation={rotation.id}&from=2026-03-12")
    assert "Thu 12 Mar is yours." in text_of(browser.get(answer.location))
    [laid] = db.session.scalars(sa.select(Override)).all()
    assert browser.post(f"/duty/overrides/{laid.id}/removal").location == answer.location
    assert on_thursday() == [("Mira", 9, 17)]


def test_whoever_takes_what_was_taken_meanwhile_is_told_by_whom(rotation, mira, tin, ana, as_user):
    as_user(ana).post(address(rotation, "takings"), {"seen": mira.id})
    answer = as_user(tin).post(address(rotation, "takings"), {"seen": mira.id})

    assert (answer.status_code, "Ana took it 1 s ago." in text_of(answer)) == (409, True)


def test_who_is_not_free_is_offered_with_why(rotation, mira, tin, ana, as_user):
    with transaction():
        absences.note_absence(ana, date(2026, 3, 12), date(2026, 3, 12), actor=ana)
    page = as_user(mira).get(address(rotation, "shift")).text

    assert f'<option value="{ana.id}">Ana Lončar is away then, as noted</option>' in page
    assert f'<option value="{tin.id}">Tin Horvat</option>' in page
    assert "<span>Ana Lončar is away then, as noted</span>" in page


def test_a_shift_asks_the_same_beside_one_more_rotation_and_beside_three(rotation, mira, tin, petra, as_user):
    browser, page = as_user(mira), address(rotation, "shift")
    make_rotation([petra], actor=petra, name="Evenings")
    one = fewest(lambda: browser.get(page))
    for name in ("Nights", "Weekends"):
        make_rotation([tin], actor=petra, name=name)

    assert fewest(lambda: browser.get(page)) == one
    assert "Tin Horvat is on duty in Weekends then" in text_of(browser.get(page))


def test_handing_a_part_over_and_who_had_it_before(rotation, mira, ana, as_user):
    browser = as_user(mira)
    part = {"end": "2026-03-12T12:00", "person": ana.id, "reason": "Dentist"}
    browser.post(address(rotation, "handovers"), form("hand", mira, **part))

    assert on_thursday() == [("Ana", 9, 12), ("Mira", 12, 17)]
    page = text_of(browser.get(address(rotation, "shift")))
    assert "Not one person has all of these hours." in page
    assert "Ana Lončar Thu 12 Mar 09:00–12:00 Standing in, Tue 10 Mar 10:00, by Mira: “Dentist”" in page


@pytest.mark.parametrize(
    ("what", "kind", "wrong", "sentence"),
    [
        ("handovers", "hand", {"person": ""}, "Choose a person."),
        ("handovers", "hand", {"person": "99999"}, "Choose a person."),
        ("handovers", "hand", {"start": "yesterday"}, "Write the day and time like 2026-09-14 09:00."),
        ("handovers", "hand", {"end": "2026-03-12T19:00"}, "Choose hours inside the shift."),
        ("handovers", "hand", {"end": "2026-03-12T09:00"}, "The end lies before the start."),
        ("handovers", "hand", {"start": "0001-01-01T00:00"}, "Choose hours inside the shift."),
        ("handovers", "hand", {"end": "9999-12-31T23:59"}, "Choose hours inside the shift."),
        ("swaps", "ask", {"whom": "nobody"}, "Choose whom you ask."),
        ("swaps", "ask", {"whom": "named"}, "Tick at least one person."),
        ("swaps", "ask", {"start": ""}, "Write the day and time like 2026-09-14 09:00."),
        ("swaps", "ask", {"start": "2026-03-11T09:00"}, "Choose hours inside the shift."),
        ("swaps", "ask", {"whom": "named", "named": "99999"}, "Choose people of the list."),
    ],
)
def test_bad_input_is_refused_in_words_and_keeps_the_reason(rotation, mira, ana, as_user, what, kind, wrong, sentence):
    fields = form(kind, mira, **({"person": ana.id, "whom": "everyone", "reason": "My own words"} | wrong))
    answer = as_user(mira).post(address(rotation, what), fields)

    assert (answer.status_code, sentence in text_of(answer)) == (422, True)
    assert 'value="My own words"' in answer.text
    assert (on_thursday(), db.session.scalar(sa.select(sa.func.count(Swap.id)))) == ([("Mira", 9, 17)], 0)


@pytest.mark.parametrize("query", ["?from=x&to=y", "?from=2026-03-12T09:00&to=2026-03-12T17:00", "?to=2026-03-12"])
def test_an_address_without_hours_is_refused_in_words(rotation, mira, as_user, query):
    answer = as_user(mira).get(f"/duty/rotations/{rotation.id}/shift{query}")

    assert (answer.status_code, "2026-09-14T09:00Z" in text_of(answer)) == (422, True)


@pytest.mark.parametrize("far", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
@pytest.mark.parametrize("end", ["from", "to"])
def test_hours_in_years_that_nobody_plans_are_refused_in_words(rotation, mira, ana, as_user, far, end):
    words = urlencode({"from": THURSDAY[0].isoformat(), "to": THURSDAY[1].isoformat()} | {end: far})
    browser = as_user(ana)
    answers = [
        browser.get(f"/duty/rotations/{rotation.id}/shift?{words}"),
        browser.post(f"/duty/rotations/{rotation.id}/takings?{words}", {"seen": mira.id}),
    ]

    for answer in answers:
        assert (answer.status_code, "Choose days between 1980 and 2150." in text_of(answer)) == (422, True)


def test_asking_says_who_stays_on_duty_and_shows_it_to_those_asked(rotation, mira, tin, ana, as_user):
    browser = as_user(mira)
    answer = browser.post(
        address(rotation, "swaps"), form("ask", mira, whom="named", named=ana.id, reason="School play.")
    )
    page = text_of(browser.get(answer.location))

    assert "Asked. Mira stays on duty until somebody takes it." in page
    assert "Until then you stay on duty." in page
    for person, shown in ((mira, "You ask for"), (ana, "Mira asks for"), (tin, None)):
        mine = text_of(as_user(person).get("/duty/me"))
        assert ("Open swaps" in mine) is bool(shown)
        if shown:
            assert f"{shown} somebody to take Thu 12 Mar, 09:00–17:00" in mine
            assert "“School play.”" in mine
    assert "Mira asks for a swap" in text_of(as_user(tin).get("/duty/schedule"))


def test_the_page_of_duty_has_what_one_is_asked_and_the_way_to_ask(swap, mira, ana, petra, lea, as_user):
    pages = {person: text_of(as_user(person).get("/duty")) for person in (mira, ana, petra, lea)}

    assert [person for person, page in pages.items() if "Open swaps Mira asks for somebody to take" in page] == [ana]
    assert [person for person, page in pages.items() if "Ask for a swap Thu 12 Mar" in page] == [mira]
    assert [person for person, page in pages.items() if "Ask for a swap Wed 11 Mar" in page] == [ana]


def test_taking_a_swap_moves_the_shift_on_every_page(swap, rotation, mira, ana, as_user, clock):
    browser = as_user(ana)
    answer = browser.post(f"/duty/swaps/{swap.id}/acceptance")
    page = text_of(browser.get(answer.location))

    assert "It is yours. Mira and the leads are told." in page
    assert "Ana took it 1 s ago. Nothing for you to do." in page
    assert "Ana (you) Mira" in text_of(browser.get("/duty/schedule"))
    clock.set(THURSDAY[0] + timedelta(hours=1))
    assert pill_of(browser.get("/board")) == "AL On duty: Ana on duty until 17:00"


def test_saying_no_takes_it_off_ones_own_page(swap, ana, as_user):
    browser = as_user(ana)
    browser.post(f"/duty/swaps/{swap.id}/refusal")

    assert "Open swaps" not in text_of(browser.get("/duty/me"))
    assert "Ana Lončar says no" in text_of(browser.get(f"/duty/swaps/{swap.id}"))


def test_a_trade_is_offered_from_ones_own_shifts_and_agreed_to(swap, rotation, mira, ana, as_user):
    offering, asking = as_user(ana), as_user(mira)
    answer = offering.post(f"/duty/swaps/{swap.id}/trade", {"shift": ""})
    assert (answer.status_code, "Choose one of your shifts." in text_of(answer)) == (422, True)
    offering.post(f"/duty/swaps/{swap.id}/trade", {"shift": f"{rotation.id}.202603160800"})
    page = asking.get(f"/duty/swaps/{swap.id}")
    assert "Ana takes it if Mira takes Mon 16 Mar, 09:00–17:00" in text_of(page)

    asked = next(each for each in swap.asked if each.answer is Answer.TRADE)
    assert 'name="seen" value="2026-03-16T08:00:00+00:00"' in page.text
    asking.post(f"/duty/trades/{asked.id}/acceptance", {"seen": "2026-03-16T08:00:00+00:00"})
    assert on_thursday() == [("Ana", 9, 17)]
    assert "In return Mira took Mon 16 Mar, 09:00–17:00." in text_of(asking.get(f"/duty/swaps/{swap.id}"))


def test_declining_a_trade_lets_another_one_be_offered(swap, rotation, mira, ana, as_user):
    offering, asking = as_user(ana), as_user(mira)
    offering.post(f"/duty/swaps/{swap.id}/trade", {"shift": f"{rotation.id}.202603160800"})
    asked = next(each for each in swap.asked if each.answer is Answer.TRADE)
    asking.post(f"/duty/trades/{asked.id}/refusal", {"seen": "x"})
    assert "Ana takes it if Mira takes" in text_of(asking.get(f"/duty/swaps/{swap.id}"))
    asking.post(f"/duty/trades/{asked.id}/refusal", {"seen": "2026-03-16T08:00:00+00:00"})

    assert "Your offer was declined. You may offer other hours." in text_of(offering.get(f"/duty/swaps/{swap.id}"))


def test_a_trade_that_is_undone_tells_of_no_hours_in_return(swap, rotation, mira, ana, as_user):
    as_user(ana).post(f"/duty/swaps/{swap.id}/trade", {"shift": f"{rotation.id}.202603160800"})
    asked, browser = next(each for each in swap.asked if each.answer is Answer.TRADE), as_user(mira)
    assert "You have offered hours" in text_of(as_user(ana).get(f"/duty/swaps/{swap.id}"))
    browser.post(f"/duty/trades/{asked.id}/acceptance", {"seen": "2026-03-16T08:00:00+00:00"})
    page = f"/duty/swaps/{swap.id}"
    assert "In return Mira took Mon 16 Mar" in text_of(browser.get(page))

    laid = db.session.scalars(sa.select(Override)).first()
    assert browser.post(f"/duty/overrides/{laid.id}/removal").location == page
    after = text_of(browser.get(page))
    assert "It was taken and given back" in after
    assert "took it, and gave it back" in after
    assert "In return" not in after


def test_the_asker_takes_it_back(swap, mira, as_user):
    browser = as_user(mira)
    browser.post(f"/duty/swaps/{swap.id}/removal")

    assert "The request was taken back" in text_of(browser.get(f"/duty/swaps/{swap.id}"))
    assert "Open swaps" not in text_of(browser.get("/duty/me"))


def test_only_ones_next_shifts_are_offered(swap, rotation, ana, as_user):
    page = as_user(ana).get(f"/duty/swaps/{swap.id}").text

    assert page.count(f'<option value="{rotation.id}.') == SHIFTS_OFFERED
    assert f"{rotation.id}.202603120800" not in page


@pytest.mark.parametrize("page", ["/duty/me", "/duty/schedule", "/duty"])
def test_more_swaps_need_no_more_queries(rotation, mira, tin, ana, as_user, page):
    browser = as_user(ana)

    def ask(day, holder):
        hours = tuple(at.replace(day=day) for at in THURSDAY)
        with transaction():
            swaps.ask(rotation, *hours, [ana], actor=holder, seen_id=holder.id)

    ask(12, mira)
    one = fewest(lambda: browser.get(page))
    ask(13, tin)
    ask(17, mira)

    assert fewest(lambda: browser.get(page)) == one
