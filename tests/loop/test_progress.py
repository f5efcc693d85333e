"""Where a report stands, as its customer reads it: every sentence rests on a fact."""

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.loop import letters
from bugintake.loop.facts import Outcome
from bugintake.loop.links import Links
from bugintake.loop.models import Message, MessageState
from bugintake.team.models import LANGUAGES
from bugintake.team.workspace import workspace
from bugintake.triage import editing, transitions
from tests.factories import make_bug, make_customer, make_option, make_user, make_workspace
from tests.loop.reading import first_report, opened, page_of
from tests.loop.rows import one_message, owed

pytestmark = pytest.mark.long_on("postgres")

TOLD = "The VAT line is missing on the PDF. Only the total is there."


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def hana(app):
    return make_customer("Hana Kovač", email="hana@example.com", company="Brightline")


def test_a_new_report_is_only_with_us(app, hana):
    said = page_of(app, make_bug(waiting=[hana], actual=TOLD))

    assert said.startswith("Fakturo support, for Hana The VAT line is missing on the PDF")
    assert "We have your report (done) Tuesday 10 March, 09:00 We look into it We decide what to do about it" in said
    assert "We write to you English, to h•••@example.com" in said
    assert "saw it happen" not in said
    assert "It works for me now" in said


def test_we_saw_it_happen_only_where_somebody_ticked_it(app, clock, hana):
    bug = make_bug(Status.ACCEPTED, waiting=[hana])
    assert "We looked into it (done) Tuesday 10 March, 09:00 We are going to fix it Decided on" in page_of(app, bug)
    with transaction():
        db.session.get_one(Bug, bug.id).reproduced_at = clock.now()

    said = page_of(app, bug)
    assert "We saw it happen too (done)" in said
    assert "We looked into it" not in said


def test_how_many_wait_is_said_unless_the_bug_is_restricted(app, hana):
    bug = make_bug(Status.IN_PROGRESS, waiting=[hana, make_customer(), make_customer()])
    assert "We are fixing it Started on Tuesday 10 March. You are one of 3 people waiting." in page_of(app, bug)
    with transaction():
        db.session.get_one(Bug, bug.id).is_restricted = True

    assert "people waiting" not in page_of(app, bug)


def test_many_who_wait_are_counted_as_their_reader_writes_numbers(app, hana):
    bug = make_bug(Status.IN_PROGRESS, waiting=[hana])
    with transaction():
        db.session.get_one(Bug, bug.id).waiting_count = 1234

    assert "You are one of 1,234 people waiting." in page_of(app, bug)
    assert "Sie sind eine von 1.234 Personen, die warten." in page_of(app, bug, "de")
    assert "أنتم من بين 1,234 شخصًا ينتظرون." in page_of(app, bug, "ar")


def test_a_language_that_is_not_offered_is_named_where_it_is_read(app, hana):
    page = opened(app, first_report(make_bug(waiting=[hana])), "tr").get("/s/tr/report").text

    assert re.findall(r'lang="(\w+)"(?: hreflang="\w+")?>(\w+)</(?:a|span)>', page) == [
        ("en", "English"),
        ("de", "Deutsch"),
        ("es", "Español"),
        ("tr", "Türkçe"),
    ]


def test_a_fix_names_the_version_it_reaches_the_customer_with(app, hana):
    said = page_of(app, make_bug(Status.FIXED, waiting=[hana]))

    assert "The fix is ready It reaches you with version 4.13.0." in said
    assert "It works for everyone" not in said


def test_a_live_fix_says_since_when_and_asks_whether_it_works(app, hana):
    said = page_of(app, make_bug(Status.LIVE, waiting=[hana]))

    assert "We fixed it (done)" in said
    assert "It works for everyone (done) Since Tuesday 10 March, in version 4.13.0." in said
    assert "We wrote to you" not in said
    assert "What is different now The VAT line is back." in said
    assert "Does it work for you now? Yes, it works No, it still happens" in said


def test_we_wrote_only_when_the_mail_has_left(app, hana):
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        db.session.scalars(sa.select(Message)).one().state = MessageState.SENT

    assert "We wrote to you on Tuesday 10 March." in page_of(app, bug)


def test_a_decline_has_its_reason_explanation_and_way_round(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        reason = make_option(OptionList.DECLINE_REASON, labels={"de": "Funktioniert wie gedacht"})
        notes, ways = {"en": "It must show CHF."}, {"en": "Print it instead."}
        transitions.decline(bug, reason, notes, ways, actor=make_user())

    said = page_of(app, bug)
    assert "We are leaving it as it is Tuesday 10 March, 09:00" in said
    assert "The reason Works as intended It must show CHF. What you can do instead Print it instead." in said
    german = page_of(app, bug, "de")
    assert (
        "Der Grund Funktioniert wie gedacht Wir haben es bisher in einer anderen Sprache geschrieben: English" in german
    )
    assert "CHF" not in german


def test_a_decline_without_a_way_round_says_so(app, hana):
    said = page_of(app, make_bug(Status.DECLINED, waiting=[hana]))

    assert "There is no good way round it today, and I am sorry about that." in said


def test_a_way_round_written_after_a_decline_is_on_the_page_and_in_the_mail_that_has_not_left(app, hana):
    bug, mira = make_bug(Status.DECLINED, waiting=[hana]), make_user()
    with transaction():
        editing.set_workarounds(bug, {"en": "Choose Print."}, actor=mira)

    assert "What you can do instead Choose Print." in page_of(app, bug)
    assert "What you can do instead: Choose Print." in letters.text_of(
        Outcome(one_message(bug), Links("…", "…")), workspace()
    )
    with transaction():
        editing.set_workarounds(bug, {"de": "Drucken Sie."}, actor=mira)
    assert owed(bug) == [("hana@example.com", "held", "no_note")]
    assert "We have written it in another language so far." in page_of(app, bug)


def test_a_bug_that_came_back_says_so(app, hana):
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        transitions.come_back(bug, actor=None)

    assert "It came back, and we are going to fix it" in page_of(app, bug)


def test_the_way_round_is_shown_only_in_the_language_it_was_written_in(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        bug.workarounds = {"en": "Choose Print."}

    assert "Until then Choose Print." in page_of(app, bug)
    assert "Choose Print." not in page_of(app, bug, "es")


def test_a_report_under_a_merged_bug_shows_the_canonical_one(app, hana):
    bug, other = make_bug(Status.LIVE, waiting=[]), make_bug(waiting=[hana])
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id

    assert "It works for everyone" in page_of(app, other)


def test_without_words_the_title_is_made_of_the_choices_in_their_language(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        first_report(bug).actual = ""
        first_report(bug).area.labels = {"de": "Rechnungen › PDF"}
        first_report(bug).symptom.labels = {"de": "zeigt etwas Falsches"}

    assert "Rechnungen › PDF: zeigt etwas Falsches Ihre Meldung ist bei uns" in page_of(app, bug, "de")


def test_times_are_the_customers_own(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        hana.zone = "Asia/Tokyo"

    assert "Dienstag, 10. März, 18:00" in page_of(app, bug, "de")


def test_the_page_has_no_script_no_index_and_its_language(app, hana):
    page = opened(app, first_report(make_bug(waiting=[hana]))).get("/s/es/report")

    assert "<script" not in page.text
    assert '<html lang="es" dir="ltr">' in page.text
    assert '<meta name="robots" content="noindex, nofollow">' in page.text
    assert '<a href="/s/de/report" lang="de" hreflang="de">Deutsch</a>' in page.text
    assert page.text.count("<h1") == 1


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_english_is_left_over_in_any_status(app, hana, status, language):
    english = {"We", "the", "your", "It", "You", "report", "fix", "mail", "people", "Since", "with"}

    said = page_of(app, make_bug(status, waiting=[hana, make_customer()], actual="x", expected="y"), language)

    assert english & set(re.findall(r"[A-Za-z]+", said.replace("Fakturo support", ""))) == set()
    assert not {"ticket", "issue", "resolved", "inconvenience", "{", "}"} & set(said.lower().split())


def test_hostile_words_are_shown_as_words(app):
    hostile = "\"'><svg onload=alert(1)>{{7*7}}"
    page = opened(app, first_report(make_bug(waiting=[make_customer(hostile)], actual=hostile))).get("/s/en/report")

    assert "<svg onload" not in page.text
    assert "{{7*7}}" in page.text
