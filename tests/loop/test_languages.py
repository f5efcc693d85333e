"""Every mail and page in every language: whole, without a word of another one, and in the right direction."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.languages import direction
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.intake.wording import refuse_fixed
from bugintake.loop import letters
from bugintake.loop.facts import Outcome
from bugintake.loop.links import Links
from bugintake.loop.mail import Sender, compose
from bugintake.loop.models import AnnouncementKind, HeldBecause, LinkPurpose
from bugintake.team.models import LANGUAGES
from bugintake.team.workspace import workspace
from tests.eyes import wrong_with
from tests.factories import make_bug, make_customer, make_option, make_user, make_workspace
from tests.loop.reading import first_report, link_to, opened, send, words_of
from tests.loop.rows import announcement_of, one_message, owed, release
from tests.visitors import served, visit

pytestmark = pytest.mark.long_on("postgres")

ENGLISH = {
    "We",
    "we",
    "the",
    "The",
    "your",
    "Your",
    "It",
    "it",
    "You",
    "you",
    "report",
    "fix",
    "fixed",
    "mail",
    "people",
}
ENGLISH |= {"Since", "since", "with", "and", "is", "of", "to", "us", "about", "Hello", "Thank", "days", "told", "what"}
BANNED = {"ticket", "issue", "resolved", "inconvenience", "{", "}"}
MARKS = "\u200e\u200f\u2066\u2067\u2068\u2069"
SENDER = Sender("support@fakturo.example", "Fakturo")
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
FILLED_IN = re.compile(
    r"https?://\S+|BUG-\d+|4\.13\.0|Fakturo|Lea|Hana|Kovač|X1|N1|W1|h•••@example\.com|English|Atom|[a-z]+>"
)


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(name="Fakturo", sender_name="Fakturo", has_public_list=True)


def told(kind, language):
    """A mail of one kind to Hana, as it is written and as it leaves."""
    hana = make_customer("Hana Kovač", email="hana@example.com", language=language)
    bug = make_bug(Status.LIVE, waiting=[hana], actor=make_user(name="Lea Kos"), actual="X1")
    with db.session.no_autoflush:
        message = one_message(bug)
        message.announcement.kind, message.announcement.notes = kind, {language: "N1"}
        message.announcement.bug.workarounds = {language: "W1"}
        links = Links("https://bugs.example.com/s/r/1", "https://bugs.example.com/s/u/1")
        letter = letters.outcome_letter([Outcome(message, links)], workspace())
        db.session.rollback()
    return message_from_bytes(compose(letter, SENDER, "<a@bugs.example.com>", AT), policy=policy.default)


def is_whole(said, language):
    """Nothing is left open, banned or, beyond what was filled in, of another language."""
    own = FILLED_IN.sub(" ", said)
    assert not BANNED & set(own.lower().split())
    assert not re.search(r"%\(|\{\w*\}", own)
    if language in ("ar", "zh"):
        assert re.findall("[A-Za-z]+", own) == []
    elif language != "en":
        assert ENGLISH & set(re.findall(r"\w+", own)) == set()
    return True


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", AnnouncementKind)
def test_a_mail_is_whole_in_every_language(kind, language):
    mail = told(kind, language)
    text, html = (part.get_content() for part in mail.iter_parts())

    assert is_whole(f"{mail['Subject']}\n{text}", language)
    assert mail["Content-Language"] == language
    assert html.count(f'lang="{language}" dir="{direction(language)}"') == 2
    assert not set(MARKS) & set(mail["Subject"])
    if kind is AnnouncementKind.DECLINED:
        refuse_fixed({language: text})


def test_a_row_of_a_right_to_left_mail_is_laid_out_from_the_right_and_its_links_are_bare():
    mail = told(AnnouncementKind.LIVE, "ar")
    rows = next(iter(mail.iter_parts())).get_content().splitlines()

    ours = [row for row in rows if row and not row.startswith(("http", ">", "-- "))]
    assert all(row.startswith("\u200f") for row in ours)
    assert "\u200fمرحبًا \u2068Hana Kovač\u2069،" in rows
    assert [row for row in rows if "http" in row and set(MARKS) & set(row)] == []
    assert "في الإصدار \u20684.13.0\u2069." in "".join(rows)


def test_a_mail_from_the_left_has_no_marks():
    mail = told(AnnouncementKind.LIVE, "tr")

    assert not [part for part in mail.iter_parts() if set(MARKS) & set(part.get_content())]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", Status)
def test_a_page_of_a_report_is_whole_in_every_language(app, status, language):
    hana = make_customer("Hana Kovač", email="hana@example.com")
    bug = make_bug(status, waiting=[hana, make_customer()], actual="X1")
    with transaction():
        found = db.session.get_one(Bug, bug.id)
        found.customer_notes, found.workarounds = {language: "N1"}, {language: "W1"}
        if (announcement := announcement_of(bug)) is not None:
            announcement.notes = {language: "N1"}
    page = opened(app, first_report(bug), language).get(f"/s/{language}/report")

    assert f'<html lang="{language}" dir="{direction(language)}">' in page.text
    assert is_whole(re.sub("Which browser\\?|Works as intended", "", words_of(page)), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_other_pages_are_whole_in_every_language(app, language):
    report = first_report(make_bug(waiting=[make_customer("Hana")], actual="X1"))
    browser, stop = visit(app), link_to(report, LinkPurpose.UNSUBSCRIBE, language)
    pages = [browser.get(f"/s/{language}"), browser.get(f"/s/{language}/r/x"), browser.get(stop)]
    browser.post(stop)
    mine = opened(app, report, language)
    refused = [send(mine, report, "remarks", language, text=text) for text in ("", "1" * 4001)]

    assert [page.status_code for page in refused] == [422, 422]
    for page in [*pages, browser.get(stop), *refused]:
        assert f'<html lang="{language}" dir="{direction(language)}">' in page.text
        assert is_whole(words_of(page), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_come_from_the_catalogue(app, language):
    area = make_option(OptionList.AREA, labels={language: "A1"})
    symptom = make_option(OptionList.SYMPTOM, labels={language: "S1"})
    bug = make_bug(waiting=[make_customer("Hana")], area=area, symptom=symptom)
    with transaction():
        first_report(bug).actual = ""

    assert "A1: S1" in words_of(opened(app, first_report(bug), language).get(f"/s/{language}/report"))


def test_who_reads_a_language_that_is_not_offered_waits_until_somebody_writes_it():
    bug = make_bug(Status.LIVE, waiting=[make_customer("أمل", email="amal@example.com", language="ar")])
    release()

    assert owed(bug) == [("amal@example.com", "held", HeldBecause.NO_NOTE)]


def test_the_pages_in_arabic_run_from_the_right_and_keep_nobody_out(app, page):
    report = first_report(make_bug(Status.LIVE, waiting=[make_customer("أمل الخطيب"), make_customer()]))
    mine, stop = link_to(report, language="ar"), link_to(report, LinkPurpose.UNSUBSCRIBE, "ar")

    with served(app) as address:
        page.goto(f"{address}{mine}")
        step = page.locator(".steps li").first
        sign, words = (step.locator(part).bounding_box() for part in (".dot", "b"))
        wrong = wrong_with(page)
        page.goto(f"{address}{stop}")
        wrong += wrong_with(page)

    assert wrong == []
    assert sign["x"] >= words["x"] + words["width"]
