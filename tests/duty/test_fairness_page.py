"""The page of how duty is spread, and the lines about it on others."""

from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest

from bugintake.core.db import transaction
from bugintake.duty import fairness, overrides, queries
from bugintake.duty.plans import load_plan
from tests.counting import fewest
from tests.duty.conftest import make_rotation
from tests.duty.test_views import text_of


def test_the_page_shows_days_shares_balances_and_months(rotation, tin, ana, petra, lea, as_user, clock):
    afternoon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with transaction():
        overrides.stand_in(rotation, ana, afternoon, afternoon + timedelta(hours=4), actor=petra)
    page = text_of(as_user(lea).get("/duty/fairness"))

    assert "Wed 10 Dec 2025 to Mon 6 Apr 2026" in page
    assert "Ana Lončar 7.5 7.5 7 0.5 days ahead 2 1.5 2 1 1 0" in page
    assert "Tin Horvat 6.5 6 7 0.5 days behind 1 1.5 1 1 2 0" in page
    assert "Tin Horvat 5.5 of a fair share of 5.7 in Mar 2026 1 of a fair share of 1.3 in Apr 2026" in page


def test_the_address_names_the_period_and_the_rotation(rotation, mira, lea, as_user):
    make_rotation([mira], name="Mobile", days=[5])
    page = text_of(as_user(lea).get("/duty/fairness?from=2026-03-09&to=2026-03-10"))
    assert "Ana Lončar 0 0 0.7 0.7 days behind 0 0 0 Mira Kovač 1 0 0.7 0.3 days ahead 1 0 0" in page

    other = queries.rotations()[1]
    page = text_of(as_user(lea).get(f"/duty/fairness?rotation={other.id}&from=2026-03-09&to=2026-03-14"))
    assert "Mira Kovač 1 1 1 even 1 0" in page
    assert "Ana" not in page
    before = as_user(lea).get("/duty/fairness?from=2025-01-01&to=2025-01-31")
    assert "There was no duty in that time." in text_of(before)


def test_a_quarter_and_a_year_are_one_press_away(rotation, lea, as_user):
    page = unescape(as_user(lea).get("/duty/fairness").text)

    assert f"/duty/fairness?rotation={rotation.id}&from=2026-01-01&to=2026-03-31" in page
    assert f"/duty/fairness?rotation={rotation.id}&from=2026-01-01&to=2026-12-31" in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-02-30", "Write the day like 2026-09-14."),
        ("to=9999-12-31", "Choose a day between 1980 and 2150."),
        ("from=2026-03-10&to=2026-03-09", "The last day lies before the first."),
        ("from=2024-03-10&to=2026-03-12", "That is more than two years at once. Ask for a shorter time."),
    ],
)
def test_a_period_that_cannot_be_is_refused_in_words_and_kept(rotation, lea, as_user, query, sentence):
    answer = as_user(lea).get(f"/duty/fairness?{query}")

    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert sentence in text_of(answer)
    for name, typed in (part.split("=") for part in query.split("&")):
        assert f'name="{name}" value="{typed}"' in answer.text


def test_the_schedule_and_ones_own_page_say_how_the_last_days_were(rotation, mira, lea, as_user, clock):
    later = make_rotation([mira], name="Mobile", start_on=date(2026, 3, 16))
    page = text_of(as_user(lea).get(f"/duty/schedule?rotation={later.id}"))
    assert "Nobody had duty in the last 90 days." in page

    clock.advance(timedelta(days=4))
    for address in ("/duty/schedule", "/duty/schedule?from=2027-01-01", "/duty/schedule?from=1999-01-01"):
        assert "Last 90 days: Ana 1, Mira 2, Tin 2; Fridays 0/0/1." in text_of(as_user(lea).get(address))
    assert "Last 90 days: 2 (team 1–2)" in text_of(as_user(mira).get("/duty/me"))
    assert "Last 90 days" not in text_of(as_user(lea).get("/duty/me"))


def test_what_was_before_the_plans_horizon_is_remembered(rotation, mira, tin, as_user, clock):
    tuesday = datetime(2026, 3, 10, 8, tzinfo=UTC)
    with transaction():
        overrides.stand_in(rotation, mira, tuesday, tuesday + timedelta(hours=8), actor=mira)
    clock.advance(timedelta(days=88))

    spread = fairness.lately(load_plan(clock.now() - queries.REMEMBERED, clock.now(), rotation), clock.now())
    assert f"Last 90 days: {fairness.amount(spread.of(tin).total)} (" in text_of(as_user(tin).get("/duty/me"))
    assert spread.of(tin).days[date(2026, 3, 10)] == 0


def test_the_page_takes_the_same_queries_for_one_rotation_and_for_three(rotation, mira, lea, as_user):
    browser = as_user(lea)
    addresses = ("/duty/fairness", "/duty/me")
    one = [fewest(lambda address=address: browser.get(address)) for address in addresses]
    for name in ("Mobile", "Payments"):
        make_rotation([mira], name=name)

    assert [fewest(lambda address=address: browser.get(address)) for address in addresses] == one
