"""Days away from a calendar: which days count, what is refused, and that silence changes nothing."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bugintake.core import outside
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.outside import Answer, Refused, Unreachable
from bugintake.duty import absence_calendars, absences, queries
from bugintake.duty.calendar_days import days_away, ranges
from bugintake.duty.models import Absence, AbsenceCalendar
from bugintake.loop import worker
from bugintake.team import people
from bugintake.team.models import User
from tests.duty.calendars import a_calendar, an_event
from tests.duty.test_views import text_of

TODAY = date(2026, 3, 10)
BERLIN = ZoneInfo("Europe/Berlin")
URL = "https://calendar.example/ana/5ecret.ics"


def whole(first, last, uid="1"):
    start, end = date(2026, 3, first), date(2026, 3, last) + timedelta(days=1)
    return an_event(f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}", uid=uid)


def read(*events):
    return [(first.day, last.day) for first, last in ranges(days_away(a_calendar(*events), TODAY, BERLIN))]


def test_whole_days_count_and_hours_do_not():
    assert read(whole(11, 13), whole(14, 14, uid="2"), whole(18, 18, uid="3")) == [(11, 14), (18, 18)]
    assert read(an_event("DTSTART;VALUE=DATE:20260311")) == [(11, 11)]
    assert read(an_event("DTSTART:20260311T090000Z", "DTEND:20260311T170000Z")) == []
    assert read(an_event("DTSTART:20260311T120000Z", "DTEND:20260314T120000Z")) == [(12, 13)]
    assert read(an_event("DTSTART:20260310T230000Z", "DTEND:20260311T230000Z")) == [(11, 11)]  # a day in Berlin
    assert read(an_event("DTSTART;VALUE=DATE:20260311", "STATUS:CANCELLED")) == []


def test_what_repeats_for_ever_is_read_for_a_year():
    weekly = a_calendar(an_event("DTSTART;VALUE=DATE:20260306", "RRULE:FREQ=WEEKLY"))
    found = days_away(weekly, TODAY, BERLIN)

    assert (min(found), len(found), max(found)) == (date(2026, 3, 6), 53, date(2027, 3, 5))
    longest = a_calendar(an_event("DTSTART;VALUE=DATE:20260311", "DTEND;VALUE=DATE:21260311"))
    assert ranges(days_away(longest, TODAY, BERLIN)) == [(date(2026, 3, 11), date(2027, 3, 11))]
    daily = a_calendar(an_event("DTSTART;VALUE=DATE:20000101", "RRULE:FREQ=DAILY"))
    assert all((last - first).days < 366 for first, last in ranges(days_away(daily, TODAY, BERLIN)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"<html>Sign in</html>", "cannot be read as a calendar"),
        (b"", "cannot be read as a calendar"),
        (b"\xff\xfe\x00", "cannot be read as a calendar"),
        (an_event("DTSTART;VALUE=DATE:20260311").encode(), "cannot be read as a calendar"),
        (a_calendar(an_event("DTSTART:soon")), "cannot be read as a calendar"),
        (a_calendar(an_event("DTSTART;VALUE=DATE:20260311", "RRULE:FREQ=SECONDLY")), "repeats within a day"),
        (a_calendar(an_event("DTSTART:20260311T090000Z", "RRULE:FREQ=MINUTELY;COUNT=9")), "repeats within a day"),
        (a_calendar(*(whole(11, 11, uid=str(n)) for n in range(2001))), "more than 2,000 events"),
        (
            a_calendar(*(an_event("DTSTART;VALUE=DATE:19700101", "RRULE:FREQ=DAILY", uid=str(n)) for n in range(61))),
            "more than 60 that repeat",
        ),
    ],
)
def test_what_is_no_calendar_and_what_is_a_bomb_is_refused_in_words(text, sentence):
    with pytest.raises(Invalid, match=sentence):
        days_away(text, TODAY, BERLIN)


@pytest.fixture
def answers(monkeypatch):
    """Let the server outside answer in turn, and collect what it is asked."""
    left, asked = [], []

    def fetch(url, headers=None):
        asked.append(url)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(200, answer)

    monkeypatch.setattr(outside, "fetch", fetch)
    return left, asked


@pytest.fixture
def followed(rotation, ana, answers, clock):
    """Ana's days away follow a calendar; each call lets an hour pass and reads it as the worker does."""
    with transaction():
        absence_calendars.follow(ana, URL, actor=ana)
    left, asked = answers

    def read_again(answer):
        left.append(answer)
        assert absence_calendars.read_one() is True
        assert absence_calendars.read_one() is False
        clock.advance(timedelta(hours=1))
        return noted()

    read_again.asked = asked
    return read_again


def noted():
    return [(a.user.first_name, a.first_on.day, a.last_on.day) for a in queries.coming_absences()]


def test_days_away_follow_the_calendar_and_nothing_of_it_but_days_is_kept(followed, ana):
    secret = an_event("DTSTART;VALUE=DATE:20260311", "SUMMARY:Surgery", uid="2")
    assert followed(a_calendar(secret, whole(16, 17))) == [("Ana", 11, 11), ("Ana", 16, 17)]
    first = [a.id for a in queries.coming_absences()]
    assert followed(a_calendar(secret, whole(16, 17))) == [("Ana", 11, 11), ("Ana", 16, 17)]
    assert [a.id for a in queries.coming_absences()] == first
    assert followed(a_calendar(whole(16, 18))) == [("Ana", 16, 18)]
    assert followed(a_calendar()) == []
    assert followed.asked == [URL] * 4
    assert {a.word for a in db.session.scalars(sa.select(Absence))} == {""}


def test_an_absence_that_runs_is_prolonged_and_ends_when_the_calendar_says_so(followed, ana, clock):
    clock.set(datetime(2026, 3, 11, 12, tzinfo=UTC))
    assert followed(a_calendar(whole(9, 12))) == [("Ana", 9, 12)]
    [running] = queries.coming_absences()
    assert running.starts_at == datetime(2026, 3, 11, 12, tzinfo=UTC)
    assert followed(a_calendar(whole(9, 13))) == [("Ana", 9, 13)]
    assert [a.id for a in queries.coming_absences()] == [running.id]
    assert followed(a_calendar()) == []
    assert running.ends_at == datetime(2026, 3, 11, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Unreachable("calendar.example does not answer."), "calendar.example does not answer."),
        (Refused("calendar.example leads into this network, so it is not asked."), "leads into this network"),
        (Answer(404, b""), "calendar.example answers 404."),
        (b"<html>", "cannot be read as a calendar"),
    ],
)
def test_while_it_cannot_be_read_what_was_read_last_holds_and_the_page_says_so(
    followed, ana, as_user, answer, sentence
):
    followed(a_calendar(whole(16, 17)))
    assert followed(answer) == [("Ana", 16, 17)]
    page = text_of(as_user(ana).get("/duty/me"))

    assert sentence in page
    assert "Last read Tue 10 Mar 05:00." in page  # in New York
    assert "What was read last holds." in page
    followed(a_calendar(whole(16, 17)))
    assert sentence not in text_of(as_user(ana).get("/duty/me"))


def test_days_that_are_noted_otherwise_stay_as_they_are(followed, ana):
    with transaction():
        absences.note_absence(ana, date(2026, 3, 17), date(2026, 3, 18), actor=ana)

    assert followed(a_calendar(whole(16, 20))) == [("Ana", 16, 16), ("Ana", 17, 18), ("Ana", 19, 20)]
    assert followed(a_calendar()) == [("Ana", 17, 18)]


def test_what_the_calendar_gave_is_changed_there_and_taken_back_with_it(followed, ana, petra):
    followed(a_calendar(whole(16, 17)))
    [absence] = queries.coming_absences()
    for forbidden in (
        lambda: absences.take_back(absence, actor=ana),
        lambda: absences.change_absence(absence, TODAY, TODAY, actor=petra),
    ):
        with pytest.raises(Conflict, match="This is from a calendar"), transaction():
            forbidden()
    with transaction():
        absence_calendars.stop(ana, actor=ana)
    assert (noted(), absence_calendars.calendar_of(ana), absence_calendars.read_one()) == ([], None, False)
    with pytest.raises(NotFound), transaction():
        absence_calendars.stop(ana, actor=ana)


def test_the_calendar_of_somebody_who_left_is_asked_no_more(followed, ana, clock):
    followed(a_calendar())
    with transaction():
        people.disable(ana, actor=None)

    assert absence_calendars.read_one() is False


def test_one_follows_and_stops_on_ones_page_where_nobody_else_reads_the_address(rotation, ana, petra, as_user, answers):
    browser = as_user(ana)
    for url in ("", "calendar.example/x.ics", "ftp://calendar.example/x", "https://a:b@calendar.example/", "https://["):
        refused = browser.post("/duty/calendar", {"url": url})
        assert (refused.status_code, f'value="{url}"' in refused.text) == (422, True)
        assert text_of(refused).count("Enter an address that begins with https:// or http://.") == 2
    assert browser.post("/duty/calendar", {"url": f"https://calendar.example/{'x' * 1000}"}).status_code == 422
    assert browser.post("/duty/calendar", {"url": URL.replace("https", "webcal")}).status_code == 302
    assert (answers[1], db.session.scalars(sa.select(AbsenceCalendar.url)).all()) == ([], [URL])
    page = browser.get("/duty/me")
    assert "follow a calendar at calendar.example. It was not read yet." in text_of(page)
    assert "5ecret" not in page.text + as_user(petra).get("/duty/me").text
    assert browser.post("/duty/calendar/removal").status_code == 302
    assert db.session.scalar(sa.select(sa.func.count(AbsenceCalendar.id))) == 0


def test_followed_twice_at_once_it_is_followed_once(rotation, ana, together):
    person_id = ana.id

    def follow(number):
        with transaction():
            person = db.session.get_one(User, person_id)
            absence_calendars.follow(person, f"https://calendar.example.com/{number}.ics", actor=person)

    assert set(together(follow)) == {None}
    assert absence_calendars.calendar_of(ana) is not None


def test_the_worker_reads_calendars_beside_the_mail(app, rotation, ana, answers):
    class Once:
        """Let one round pass."""

        rounds = iter((False, True))

        def wait(self, _seconds):
            return next(self.rounds)

        def is_set(self):
            return False

    with transaction():
        absence_calendars.follow(ana, URL, actor=ana)
    answers[0].append(a_calendar(whole(16, 17)))
    worker._look_elsewhere(app, Once(), worker.ELSEWHERE[0])
    db.session.rollback()

    assert noted() == [("Ana", 16, 17)]
