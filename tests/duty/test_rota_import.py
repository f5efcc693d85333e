"""A rota from elsewhere: shown shift by shift, then brought in whole; twice changes nothing."""

from datetime import UTC, date, datetime
from io import BytesIO

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.duty import absences, overrides, queries, rota_import
from bugintake.duty.models import Override, Rotation
from bugintake.duty.rota_reading import Names, read
from bugintake.team.models import User
from tests.counting import asked
from tests.duty.calendars import a_calendar, an_event
from tests.duty.conftest import make_rotation
from tests.duty.test_views import text_of

pytestmark = pytest.mark.long_on("postgres")

ADDRESS = "/duty/rotations/{}/import"


@pytest.fixture
def ask(rotation, petra, as_user):
    """Show a rota to the page, and let it hold where asked to."""
    browser = as_user(petra)

    def ask(text, **more):
        return browser.post(ADDRESS.format(rotation.id), {"text": text, **more})

    def confirm(text, **more):
        seen = proposed(rotation, text).seen
        return ask(text, **{"confirmed": "1", "seen": seen, **more})

    ask.confirm, ask.browser = confirm, browser
    return ask


def proposed(rotation, text):
    """Ask what a rota would change."""
    return rota_import.propose(rotation, rota_import.entries_of(text), {})


def hours(first=date(2026, 3, 9), last=date(2026, 3, 20)):
    """Tell who has which hours of the two weeks from Monday 9 March."""
    found = queries.planned_shifts(
        datetime.combine(first, datetime.min.time(), UTC), datetime.combine(last, datetime.max.time(), UTC)
    )
    return [(f"{p.start:%d %H}-{p.end:%H}", p.person.first_name if p.person else None) for p in found]


def names():
    return " ".join(name[0] if name else "-" for _, name in hours())


def test_each_shift_is_shown_and_then_all_of_it_holds(ask, mira, ana):
    assert names() == "M T A M T A M T A M"
    text = f"who;from;to\n{ana.email};2026-03-12;2026-03-13\nMira;2026-03-16\nTin Horvat;2026-03-20;2026-03-20\n"
    shown = text_of(ask(text))
    assert "4 to change hands, 0 as they are already" in shown
    assert "Thu 12 Mar 09:00–17:00 Mira Kovač Ana Lončar" in shown
    assert "Mon 16 Mar 09:00–17:00 Ana Lončar Mira Kovač" in shown
    assert names() == "M T A M T A M T A M"

    answer = ask.confirm(text)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/duty/schedule?rotation=1")
    assert names() == "M T A A A M M T A T"
    assert "0 to change hands, 4 as they are already" in text_of(ask(text))
    before = db.session.scalar(sa.select(sa.func.count(Override.id)))
    assert ask.confirm(text).status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(Override.id))) == before


def test_a_calendar_is_read_with_what_repeats_and_what_was_cancelled(ask, ana, mira):
    rota = a_calendar(
        an_event("DTSTART;VALUE=DATE:20260311", "DTEND;VALUE=DATE:20260314", "SUMMARY:On call: Mira Kovac", uid="1"),
        an_event("DTSTART:20260316T080000Z", "DTEND:20260316T120000Z", f"ATTENDEE:mailto:{mira.email}", uid="2"),
        an_event("DTSTART;VALUE=DATE:20260303", "RRULE:FREQ=WEEKLY;INTERVAL=2", "SUMMARY:Ana on duty", uid="3"),
        an_event("DTSTART;VALUE=DATE:20260319", "SUMMARY:Ana on duty", "STATUS:CANCELLED", uid="4"),
    ).decode()
    answer = ask.confirm(rota)
    assert answer.status_code == 303
    assert hours() == [
        ("09 09-17", "Mira"),
        ("10 09-17", "Tin"),
        ("11 09-17", "Mira"),
        ("12 09-17", "Mira"),
        ("13 09-17", "Mira"),
        ("16 09-13", "Mira"),
        ("16 13-17", "Ana"),
        ("17 09-17", "Ana"),
        ("18 09-17", "Tin"),
        ("19 09-17", "Ana"),
        ("20 09-17", "Mira"),
    ]
    fortnight = [name for at, name in hours(date(2026, 3, 31), date(2026, 4, 14)) if at[:2] in ("31", "14")]
    assert fortnight == ["Ana", "Ana"]


def test_what_runs_goes_on_from_now_and_what_is_over_stays(ask, ana, clock):
    clock.set(datetime(2026, 3, 10, 12, tzinfo=UTC))  # 13:00 in Berlin, and Tin is on duty
    assert ask.confirm("Ana;2026-03-09;2026-03-11").status_code == 303
    assert hours()[:4] == [("09 09-17", "Mira"), ("10 09-13", "Tin"), ("10 13-17", "Ana"), ("11 09-17", "Ana")]
    assert "0 to change hands, 0 as they are already, 1 over" in text_of(ask("Mira;2026-03-09"))


def test_a_name_that_says_nothing_is_asked_about_and_can_be_left_out(ask, ana):
    text = "mk;2026-03-11\nTin;2026-03-12\nold colleague;2026-03-13\n"
    answer = ask(text)
    assert "Whom do these names mean?" in text_of(answer)
    assert "1 to change hands" in text_of(answer) and "2 that cannot be" in text_of(answer)
    refused = ask.confirm(text)
    assert (refused.status_code, names()) == (409, "M T A M T A M T A M")
    assert "Some lines cannot be brought in, so nothing was." in text_of(refused)

    said = {"called": ["mk", "old colleague"], "means": [str(queries.candidates()[1].id), "out"]}
    shown = text_of(ask(text, **said))
    assert "2 to change hands" in shown and "1 left out, 0 that cannot be" in shown
    with_rest = ask.confirm(text, leave_out="1")
    assert (with_rest.status_code, names()) == (303, "M T A T T A M T A M")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Ana;2026-03-14;2026-03-15", "There is no duty in that time."),
        ("Ana;2026-03-11 18:00;2026-03-11 20:00", "There is no duty in that time."),
        ("Ana;2026-03-13;2026-03-12", "The end lies before the start."),
        ("Ana;11.3.2026", "“11.3.2026” is no day."),
        ("Ana;2026-03-11;2026-03-11 12:00", "Give both a time of day, or neither."),
        ("Ana;2026-03-11 09:00Z;2026-03-11 12:00", "Give both times in a zone, or neither."),
        ("Ana;2028-03-13", "Plan at most a year ahead."),
        ("Ana;2026-03-11;2028-03-13", "Plan at most a year ahead."),
        ("Ana;2026-03-11;2526-03-11", "Choose a day between 1980 and 2150."),
        ("Ana;0001-01-01;9999-12-31", "Choose a day between 1980 and 2150."),
        ("Ana;2026-03-30;2026-04-03", "Wed 1 Apr: Ana Lončar is not free then."),
        (";2026-03-11", "A line says who, and from when to when."),
        ("Lea;2026-03-11", "Nobody who takes duty is called that, or more than one."),
        ("Mira or Tin;2026-03-11", "Nobody who takes duty is called that, or more than one."),
        ("Tin;2026-03-12;2026-03-12\nAna;2026-03-12", "Line 1 gives these hours to Tin Horvat."),
    ],
)
def test_a_line_that_cannot_be_is_named_and_nothing_is_brought_in(ask, ana, lea, line, sentence):
    with transaction():
        absences.note_absence(ana, date(2026, 4, 1), date(2026, 4, 2), actor=ana)
    answer = ask.confirm(line)
    assert (answer.status_code, names()) == (409, "M T A M T A M T A M")
    assert sentence in text_of(answer)
    assert line.splitlines()[-1] in answer.text


def test_who_is_away_or_on_duty_elsewhere_cannot_have_it(ask, rotation, mira, tin, ana, petra):
    make_rotation([tin], actor=petra, name="Payments", days=[3])
    with transaction():
        absences.note_absence(ana, date(2026, 3, 12), date(2026, 3, 12), actor=ana)
    for who in ("Ana", "Tin"):
        assert f"Thu 12 Mar: {who}" in text_of(ask(f"{who};2026-03-12"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"text": " \n"}, "Paste at least one line."),
        ({"text": "who;from;to\n"}, "Paste at least one line."),
        ({"text": "Ana;2026-03-11\n" * 1001}, "Bring in at most 1,000 lines at once."),
        ({"text": 'Ana;"2026-03-11'}, "That cannot be read as CSV."),
        ({"text": "BEGIN:VCALENDAR\nnonsense"}, "That cannot be read as a calendar (iCalendar)."),
        ({"text": a_calendar().decode()}, "The calendar has no event from 09 Mar 2026 to 10 Mar 2027."),
        (
            {"text": a_calendar(an_event("DTSTART:20260311T090000Z", "RRULE:FREQ=SECONDLY")).decode()},
            "repeats within a day",
        ),
        (
            {"text": a_calendar(an_event("DTSTART:00010101T000000", "DTEND:99991231T000000", "SUMMARY:X")).decode()},
            "That cannot be read as a calendar (iCalendar).",
        ),
        (
            {"text": a_calendar(*(an_event("DTSTART;VALUE=DATE:20260301", uid=str(n)) for n in range(2001))).decode()},
            "more than 2,000 events",
        ),
        (
            {
                "text": a_calendar(
                    *(an_event("DTSTART;VALUE=DATE:20260301", "RRULE:FREQ=DAILY", uid=str(n)) for n in range(3))
                ).decode()
            },
            "Bring in at most 1,000 events at once.",
        ),
        ({"file": b"\xff\xfe\x00"}, "The file is not in UTF-8."),
        ({"file": b"a" * 1_000_001}, "Bring in at most 1 MB at once."),
    ],
)
def test_what_is_no_rota_and_what_is_a_bomb_is_refused_in_words(rotation, petra, as_user, given, sentence):
    if "file" in given:
        given = {"file": (BytesIO(given["file"]), "rota.csv")}
    answer = as_user(petra).post(ADDRESS.format(rotation.id), given)
    assert answer.status_code == 422
    assert sentence in text_of(answer)


def test_what_would_happen_is_shown_again_when_somebody_was_faster(ask, rotation, tin, petra):
    text = "Ana;2026-03-12"
    seen = proposed(rotation, text).seen
    with transaction():
        overrides.stand_in(
            rotation, tin, datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC), actor=petra
        )
    answer = ask(text, confirmed="1", seen=seen)
    assert (answer.status_code, names()) == (409, "M T A T T A M T A M")
    assert "The schedule or the lines have changed since you looked." in text_of(answer)
    assert "Thu 12 Mar 09:00–17:00 Tin Horvat Ana Lončar" in text_of(answer)


def test_bringing_somebody_back_leaves_no_layer_behind(ask, rotation):
    ask.confirm("Ana;2026-03-12")
    ask.confirm("Mira;2026-03-12")
    assert names() == "M T A M T A M T A M"
    assert not db.session.scalars(sa.select(Override).where(Override.taken_back_at.is_(None))).all()


def test_a_thousand_lines_ask_the_database_as_often_as_one(ask, rotation):
    with asked() as one:
        proposed(rotation, "Ana;2026-03-12")
    db.session.rollback()
    with asked() as many:
        proposed(rotation, "Ana;2026-03-12\nTin;2026-03-13;2026-06-01\n" * 200)
    assert len(many) == len(one)


def test_names_are_told_by_address_whole_name_and_first_name(mira, tin, ana):
    names = Names([mira, tin, ana], {"The boss": None})
    assert names.find(f"Duty ({mira.email})") == mira
    assert names.find("ON CALL: MIRA KOVAC") == mira
    assert names.find("tin") == tin
    assert names.find("Martina") is None
    assert names.find("Tin and Ana") is None
    assert names.find("The boss") is None and names.is_given("the boss")


def test_columns_are_found_by_the_first_line_in_any_order():
    [entry] = read("Date,Note,Engineer\n2026-03-11,first one,Ana\n", date(2026, 3, 9), date(2027, 3, 9))
    assert (entry.number, entry.who, entry.first, entry.last) == (2, "Ana", date(2026, 3, 11), date(2026, 3, 11))


def test_nobody_is_given_hours_of_several_rotations_at_once(rotation, mira, tin, petra, together):
    others = [make_rotation([mira, tin], actor=petra, name=f"Evenings {number}").id for number in range(5)]
    numbers, lead_id, lines = [rotation.id, *others], petra.id, rota_import.entries_of("Ana;2026-03-12")
    seen = [proposed(db.session.get_one(Rotation, each), "Ana;2026-03-12").seen for each in numbers]
    db.session.rollback()

    def bring(number):
        with transaction():
            found, lead = db.session.get_one(Rotation, numbers[number]), db.session.get_one(User, lead_id)
            return rota_import.bring_in(found, lines, {}, seen=seen[number], leaves_out=False, actor=lead)

    answers = together(bring)

    assert [answer for answer in answers if not isinstance(answer, Exception)] == [1]
    assert {type(answer) for answer in answers if answer != 1} == {Conflict}
