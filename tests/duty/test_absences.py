"""Days away: who may note them, what is refused, and that the plan follows and comes back."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted
from bugintake.core.events import Event
from bugintake.duty import absences, overrides, queries
from bugintake.duty.models import Absence
from bugintake.duty.reminders import due_reminders
from bugintake.team.models import Role
from tests.counting import asked
from tests.duty.conftest import make_rotation
from tests.duty.test_views import pill_of, text_of
from tests.factories import make_user

TODAY = date(2026, 3, 10)


def note(person, first, last, *, actor=None, word=""):
    with transaction():
        return absences.note_absence(
            person, TODAY.replace(day=first), TODAY.replace(day=last), actor=actor or person, word=word
        )


def change(absence, first, last, *, actor, word=""):
    with transaction():
        absences.change_absence(absence, TODAY.replace(day=first), TODAY.replace(day=last), actor=actor, word=word)


def take_back(absence, actor):
    with transaction():
        absences.take_back(absence, actor=actor)


def plan(first=9, last=20):
    """Who is on duty on which day of March, and where only for a part of it, from when."""
    found = queries.planned_shifts(datetime(2026, 3, first, tzinfo=UTC), datetime(2026, 3, last, 23, tzinfo=UTC))
    return [
        (s.on.day, s.person.first_name if s.person else None) + ((f"{s.start:%H:%M}",) if s.start.hour != 9 else ())
        for s in found
    ]


def test_whoever_is_next_stands_in_and_taking_it_back_restores_the_plan(rotation, ana, mira, tin):
    before = plan()
    absence = note(ana, 11, 16)

    assert plan(11, 16) == [(11, "Mira"), (12, "Mira"), (13, "Tin"), (16, "Mira")]
    take_back(absence, ana)
    assert plan() == before


def test_a_day_away_is_that_day_where_the_person_is(rotation, ana):
    """In Berlin Ana's Wednesday begins at five in the morning and ends at five on Thursday."""
    absence = note(ana, 11, 11)

    assert absence.starts_at == datetime(2026, 3, 11, 4, tzinfo=UTC)
    assert absence.ends_at == datetime(2026, 3, 12, 4, tzinfo=UTC)
    with transaction():
        ana.zone = "Asia/Kathmandu"
        absences.change_absence(absence, date(2026, 3, 11), date(2026, 3, 12), actor=ana)
    assert absence.ends_at == datetime(2026, 3, 13, 4, tzinfo=UTC)


def test_when_everybody_is_away_the_gap_is_seen(rotation, mira, tin, ana):
    for person in (mira, tin, ana):
        note(person, 12, 12)

    assert plan(11, 13) == [(11, "Ana"), (12, None), (13, "Tin")]


def test_who_falls_ill_in_the_middle_of_a_shift_is_stood_in_for_from_then_on(rotation, tin, petra, clock):
    clock.set(datetime(2026, 3, 10, 11, 30, 40, tzinfo=UTC))
    absence = note(tin, 9, 11, actor=petra)

    assert plan(10, 11) == [(10, "Tin"), (10, "Ana", "12:30"), (11, "Ana")]
    assert queries.on_duty_now().person.first_name == "Ana"
    clock.advance(timedelta(hours=1))
    take_back(absence, petra)
    assert plan(10, 11) == [(10, "Tin"), (10, "Ana", "12:30"), (10, "Tin", "13:30"), (11, "Ana")]
    assert queries.on_duty_now().person == tin


def test_what_is_taken_back_before_it_began_never_was(rotation, ana):
    absence = note(ana, 11, 11)
    take_back(absence, ana)

    assert absence.taken_back_at is not None
    assert queries.coming_absences() == []
    with pytest.raises(Conflict):
        take_back(absence, ana)


def test_who_stands_in_does_not_while_they_are_away(rotation, ana, mira, tin, petra):
    with transaction():
        overrides.stand_in(rotation, mira, *whole(11), actor=petra)
    assert plan(11, 11) == [(11, "Mira")]
    absence = note(mira, 11, 11)
    assert plan(11, 11) == [(11, "Ana")]
    take_back(absence, mira)
    assert plan(11, 11) == [(11, "Mira")]


def whole(day):
    return datetime(2026, 3, day, 8, tzinfo=UTC), datetime(2026, 3, day, 16, tzinfo=UTC)


def test_nobody_is_put_on_duty_while_they_are_away(rotation, ana, mira, petra):
    note(mira, 10, 11)

    for arranged in (
        lambda: overrides.stand_in(rotation, mira, *whole(11), actor=petra),
        lambda: overrides.take_over(rotation, actor=mira),
    ):
        with pytest.raises(Conflict, match="Mira Kovač is away then"), transaction():
            arranged()


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (date(2026, 3, 12), date(2026, 3, 11), "The last day lies before the first."),
        (date(2026, 3, 12), date(2027, 3, 13), "That is more than a year."),
        (date(2026, 3, 8), date(2026, 3, 9), "Those days are over."),
        (date(2036, 3, 20), date(2036, 3, 21), "Choose days within ten years of today."),
        (date(1, 1, 1), date(1, 1, 1), "Choose days within ten years of today."),
        (date(9999, 12, 31), date(9999, 12, 31), "Choose days within ten years of today."),
        (date(2026, 3, 16), date(2026, 3, 18), "overlaps an absence noted already: 18 Mar 2026 to 20 Mar 2026."),
    ],
)
def test_days_that_cannot_be_are_refused_in_words(rotation, ana, first, last, sentence):
    note(ana, 18, 20)
    with pytest.raises(Invalid, match=sentence), transaction():
        absences.note_absence(ana, first, last, actor=ana)

    assert db.session.scalar(sa.select(sa.func.count(Absence.id))) == 1


def test_a_year_away_is_the_longest_and_days_beside_each_other_are_two(rotation, ana, mira):
    note(mira, 18, 20)
    note(ana, 18, 20)
    note(ana, 21, 21)
    with transaction():
        absences.note_absence(mira, date(2026, 3, 21), date(2027, 3, 21), actor=mira)

    assert len(queries.coming_absences()) == 4


def test_an_absence_is_moved_and_one_that_has_begun_keeps_its_first_day(rotation, ana, clock):
    absence = note(ana, 11, 11)
    change(absence, 16, 17, actor=ana, word="Moving house")
    assert plan(11, 17) == [(11, "Ana"), (12, "Mira"), (13, "Tin"), (16, "Mira"), (17, "Mira")]
    clock.set(datetime(2026, 3, 16, 12, tzinfo=UTC))
    with pytest.raises(Invalid, match="its first day stays"):
        change(absence, 17, 17, actor=ana)
    change(absence, 16, 19, actor=ana)
    assert (absence.starts_at.day, plan(16, 19)) == (16, [(16, "Mira"), (17, "Mira"), (18, "Tin"), (19, "Mira")])
    clock.set(datetime(2026, 3, 17, 12, tzinfo=UTC))
    with pytest.raises(Invalid, match="Those days are over"):
        change(absence, 16, 16, actor=ana)


def test_an_absence_that_overlaps_itself_may_be_moved_but_none_that_is_over(rotation, ana, clock):
    absence = note(ana, 11, 13)
    change(absence, 12, 14, actor=ana)
    clock.set(datetime(2026, 3, 16, 12, tzinfo=UTC))

    with pytest.raises(Conflict, match="over already"):
        change(absence, 12, 20, actor=ana)
    assert queries.coming_absences(ana) == []


def test_only_oneself_or_a_lead_says_that_somebody_is_away(rotation, ana, tin, petra):
    absence = note(ana, 11, 11, actor=petra)
    with pytest.raises(NotPermitted):
        note(ana, 18, 18, actor=tin)
    for forbidden in (lambda: change(absence, 12, 12, actor=tin), lambda: take_back(absence, tin)):
        with pytest.raises(NotPermitted):
            forbidden()
    with pytest.raises(NotFound):
        absences.absence_or_404(absence.id, tin)
    take_back(absence, ana)


def test_each_change_is_one_event_without_the_word(rotation, ana, petra):
    absence = note(ana, 11, 11, actor=petra, word="Surgery")
    change(absence, 12, 13, actor=ana, word="Surgery")
    take_back(absence, ana)
    found = db.session.scalars(sa.select(Event).where(Event.kind.like("absence.%")).order_by(Event.id)).all()

    assert [(e.kind, e.actor_id, e.user_id, e.before, e.after) for e in found] == [
        ("absence.noted", petra.id, ana.id, None, "2026-03-11/2026-03-11"),
        ("absence.changed", ana.id, ana.id, "2026-03-11/2026-03-11", "2026-03-12/2026-03-13"),
        ("absence.taken_back", ana.id, ana.id, "2026-03-12/2026-03-13", None),
    ]
    assert "Surgery" not in str([e.details for e in found])


def test_who_steps_in_for_a_turn_that_was_reminded_of_is_told_at_once(rotation, ana, mira, clock):
    clock.set(datetime(2026, 3, 10, 21, tzinfo=UTC))
    [told] = due_reminders(clock.now())
    note(ana, 11, 11)
    [instead] = due_reminders(clock.now())

    assert (told.person, instead.person, instead.shift.instead_of) == (ana, mira, ana)
    assert told.key != instead.key


def test_every_process_shows_an_absence_at_once(rotation, tin, ana, as_user):
    browser = as_user(ana)
    assert pill_of(browser.get("/board")).startswith("TH On duty: Tin")
    note(tin, 10, 10)

    assert pill_of(browser.get("/board")).startswith("AL On duty: Ana")
    assert (queries.is_away(tin), queries.is_away(ana)) == (True, False)


def test_one_says_on_ones_page_when_one_is_away_and_reads_who_stands_in(rotation, ana, as_user):
    browser = as_user(ana)
    answer = browser.post("/duty/absences", {"first_on": "2026-03-11", "last_on": "2026-03-16", "word": "At the sea"})

    assert (answer.status_code, answer.location) == (302, "/duty/me")
    page = text_of(browser.get("/duty/me"))
    assert "Wed 11 Mar to Mon 16 Mar At the sea Wed 11 Mar Mira, Mon 16 Mar Mira Change" in page
    [absence] = queries.coming_absences(ana)
    assert 'value="2026-03-16"' in browser.get(f"/duty/absences/{absence.id}").text
    given = {"first_on": "2026-03-12", "last_on": "2026-03-12"}
    assert browser.post(f"/duty/absences/{absence.id}", given).status_code == 302
    assert "Thu 12 Mar No shift falls on it." in text_of(browser.get("/duty/me"))
    browser.post(f"/duty/absences/{absence.id}/removal")
    assert "None noted." in text_of(browser.get("/duty/me"))


def test_a_gap_that_an_absence_leaves_stands_beside_it(mira, as_user):
    make_rotation([mira])
    note(mira, 11, 12)

    assert "Wed 11 Mar Nobody , Thu 12 Mar Nobody" in text_of(as_user(mira).get("/duty/me"))


def test_a_lead_notes_it_for_somebody_who_is_ill(rotation, ana, petra, as_user):
    browser = as_user(petra)
    given = {"person": str(ana.id), "first_on": "2026-03-11", "last_on": "2026-03-11"}
    assert browser.post("/duty/absences", given).status_code == 302

    assert "Who else is away Days away of others Days Who stands in What to do Ana Lončar, Wed 11 Mar" in (
        text_of(browser.get("/duty/me"))
    )
    for unknown in ("99999", "x", "9" * 30):
        assert browser.post("/duty/absences", given | {"person": unknown}).status_code == 422


def test_what_was_typed_stays_when_it_is_refused(rotation, ana, as_user):
    browser = as_user(ana)
    for given, sentence in [
        ({"first_on": "soon"}, "Enter the first day like 2026-09-14."),
        ({"last_on": ""}, "Enter the last day, like 2026-09-18."),
        ({"last_on": "2026-03-10"}, "The last day lies before the first."),
        ({"word": "x" * 81}, "Use at most 80 characters."),
    ]:
        answer = browser.post(
            "/duty/absences", {"first_on": "2026-03-11", "last_on": "2026-03-12", "word": "Sea"} | given
        )
        assert answer.status_code == 422
        assert "<title>Error: " in answer.text
        assert sentence in text_of(answer)
    assert db.session.scalar(sa.select(sa.func.count(Absence.id))) == 0


def test_an_engineer_and_an_agent_note_nobody_elses(rotation, ana, tin, lea, as_user):
    given = {"person": str(tin.id), "first_on": "2026-03-11", "last_on": "2026-03-11"}
    assert as_user(ana).post("/duty/absences", given).status_code == 422
    assert as_user(lea).post("/duty/absences", given).status_code == 422
    absence = note(tin, 11, 11, word="At the sea")
    page = as_user(ana).get("/duty/me")
    assert "Tin Horvat, Wed 11 Mar At the sea" in text_of(page)
    assert f"/duty/absences/{absence.id}" not in page.text
    assert "Tin Horvat" not in as_user(lea).get("/duty/me").text
    assert as_user(ana).get(f"/duty/absences/{absence.id}").status_code == 404
    assert as_user(ana).post(f"/duty/absences/{absence.id}/removal").status_code == 404


def test_the_page_asks_as_often_for_one_absence_as_for_three(rotation, petra, as_user):
    def queries_of():
        with asked() as statements:
            assert browser.get("/duty/me").status_code == 200
        return len(statements)

    browser = as_user(petra)
    note(make_user(Role.ENGINEER, "One More"), 12, 12)
    one = queries_of()
    for name in ("Two More", "Three More"):
        note(make_user(Role.ENGINEER, name), 12, 12)

    assert queries_of() == one


def test_a_day_that_a_zone_left_out_is_refused_in_words(company, clock):
    clock.set(datetime(2011, 12, 27, tzinfo=UTC))
    person = make_user(Role.ENGINEER, "Sina", zone="Pacific/Apia")

    with pytest.raises(Invalid, match="left out in Pacific/Apia"), transaction():
        absences.note_absence(person, date(2011, 12, 30), date(2011, 12, 30), actor=person)
