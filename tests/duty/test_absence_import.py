"""Days away from CSV: shown first, all or nothing, with the wrong line named."""

from datetime import date
from io import BytesIO

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.duty import absences, queries
from bugintake.duty.models import Absence
from tests.duty.test_views import text_of

ADDRESS = "/duty/absences/import"


def noted():
    return [(a.user.first_name, a.first_on.day, a.last_on.day, a.word) for a in queries.coming_absences()]


@pytest.fixture
def lines(ana, tin):
    first = f"{ana.email};2026-03-11;2026-03-12;At the sea"
    return f"e-mail;from;to;word\n{first}\n\n{tin.email.upper()};2026-03-16;2026-03-16\n"


def test_what_each_line_would_do_is_shown_and_then_done(rotation, lines, petra, as_user):
    browser = as_user(petra)
    shown = browser.post(ADDRESS, {"text": lines})
    assert "2 new, 0 noted already, 0 over, 0 wrong. Nothing is changed yet." in text_of(shown)
    assert (noted(), db.session.scalar(sa.select(sa.func.count(Event.id)).where(Event.kind == "absence.noted"))) == (
        [],
        0,
    )

    assert browser.post(ADDRESS, {"text": lines, "confirmed": "1"}).status_code == 303
    assert noted() == [("Ana", 11, 12, "At the sea"), ("Tin", 16, 16, "")]
    again = text_of(browser.post(ADDRESS, {"text": lines}))
    assert "0 new, 2 noted already, 0 over, 0 wrong." in again


def test_one_wrong_line_is_named_and_nothing_is_brought_in(rotation, lines, ana, lea, petra, as_user):
    browser = as_user(petra)
    for line, sentence in [
        (
            "nobody@example.com;2026-03-18;2026-03-18",
            "4 nobody@example.com wrong Nobody who takes duty has this address.",
        ),
        (f"{lea.email};2026-03-18;2026-03-18", "wrong Nobody who takes duty has this address."),
        (f"{ana.email};2026-03-19;2026-03-18", "4 Ana Lončar wrong The last day lies before the first."),
        (f"{ana.email};18.3.2026;2026-03-18", "wrong “18.3.2026” is no day. Write it like 2026-09-14."),
        (f"{ana.email};2026-03-18", "wrong A line has an address, a first day"),
        (f"{ana.email};2026-03-12;2026-03-13", "wrong That overlaps an absence noted already: 11 Mar 2026"),
        (f"{ana.email};2026-03-18;2026-03-18;{'x' * 81}", "wrong Use at most 80 characters."),
    ]:
        text = lines.replace("\n\n", "\n") + line
        answer = browser.post(ADDRESS, {"text": text, "confirmed": "1"})
        assert (answer.status_code, noted()) == (422, [])
        assert sentence in text_of(answer)
        assert line.split(";")[0] in answer.text


def test_days_that_are_over_are_left_out(rotation, ana, petra, as_user):
    text = f"{ana.email},2026-03-02,2026-03-03\n{ana.email},2026-03-11,2026-03-11"
    assert as_user(petra).post(ADDRESS, {"text": text, "confirmed": "1"}).status_code == 303

    assert noted() == [("Ana", 11, 11, "")]


def test_a_file_is_read_and_what_is_none_is_refused_in_words(rotation, lines, petra, as_user):
    browser = as_user(petra)
    shown = browser.post(ADDRESS, {"file": (BytesIO(b"\xef\xbb\xbf" + lines.encode()), "away.csv")})
    assert "2 new" in text_of(shown)
    for given, sentence in [
        ({"text": " \n"}, "Paste at least one line."),
        ({"text": "a@b.test,2026-03-11,2026-03-11\n" * 1001}, "Bring in at most 1,000 lines at once."),
        ({"file": (BytesIO(b"\xff\xfe\x00"), "away.csv")}, "The file is not in UTF-8."),
    ]:
        answer = browser.post(ADDRESS, given)
        assert (answer.status_code, sentence in text_of(answer)) == (422, True)


def test_only_leads_bring_in_what_others_do(rotation, lines, ana, as_user):
    assert as_user(ana).get(ADDRESS).status_code == 403
    assert as_user(ana).post(ADDRESS, {"text": lines, "confirmed": "1"}).status_code == 403
    with transaction():
        absences.note_absence(ana, date(2026, 3, 11), date(2026, 3, 11), actor=ana)
    assert db.session.scalar(sa.select(sa.func.count(Absence.id))) == 1


def test_a_quote_that_never_ends_is_refused_and_swallows_no_line(rotation, lines, petra, as_user):
    page = as_user(petra).post(ADDRESS, {"text": lines.replace("At the sea", '"At the sea')})

    assert "That cannot be read as CSV." in text_of(page)
    assert noted() == []
