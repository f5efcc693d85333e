"""Words that start from a sentence of the catalogue, in a real browser."""

import pytest
from playwright.sync_api import expect

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue
from bugintake.intake.models import Bug, OptionList
from bugintake.intake.option_models import SentenceList
from tests.factories import make_bug, make_customer, make_option, make_report, make_version

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


@pytest.fixture
def bug():
    area = make_option(OptionList.AREA, "Mail", labels={"de": "Post"})
    with transaction():
        for label, german in [("{{ area }} works.", "{{ area }} geht."), ("Open … once.", "Öffnen Sie … einmal.")]:
            catalogue.add_option(SentenceList.FIXED, label, actor=None, labels={"de": german})
        released = {"de": "Ab {{ version }}."}
        catalogue.add_option(SentenceList.FIXED, "From {{ version }} on.", actor=None, labels=released)
    make_version("4.14.0")
    return make_bug(waiting=[make_customer(language="de")], area=area)


def choose(page, label, words):
    field = page.get_by_label(label)
    field.fill(words)
    field.press("Enter")


def notes(page):
    return [page.locator(f"[name=note_{language}]").input_value() for language in ("de", "en")]


def test_a_sentence_fills_both_languages_and_leaves_what_was_typed(page, desk, bug):
    page.goto(f"{desk}/bugs/{bug.ref}/fix")
    choose(page, "Start from a sentence", "Mail")
    assert notes(page) == ["Post geht.", "Mail works."]

    page.locator("[name=note_en]").fill("Mail works now.")
    choose(page, "Start from a sentence", "once")
    assert notes(page) == ["Öffnen Sie … einmal.", "Mail works now."]


def test_the_words_for_the_gap_are_asked_for_only_where_there_is_one_and_stand_in_each_language(page, desk, bug):
    page.goto(f"{desk}/bugs/{bug.ref}/fix")
    expect(page.get_by_label("What stands for")).to_be_hidden()
    choose(page, "Start from a sentence", "once")
    page.get_by_label("What stands for").fill("Settings")
    assert notes(page) == ["Öffnen Sie Settings einmal.", "Open Settings once."]

    choose(page, "Fixed in version", "4.14")
    page.get_by_role("button", name="It is fixed").click()
    expect(page.get_by_text(f"{bug.ref} is fixed").first).to_be_visible()
    db.session.rollback()
    assert db.session.get_one(Bug, bug.id, populate_existing=True).customer_notes["de"] == "Öffnen Sie Settings einmal."


def test_a_sentence_waits_for_the_version_that_it_names(page, desk, bug):
    page.goto(f"{desk}/bugs/{bug.ref}/fix")
    choose(page, "Start from a sentence", "From")
    assert notes(page) == ["", ""]
    choose(page, "Fixed in version", "4.14")
    assert notes(page) == ["Ab 4.14.0.", "From 4.14.0 on."]
    page.get_by_label("Fixed in version").fill("5.0")
    page.keyboard.press("ArrowDown")  # a new version is never taken by itself
    page.keyboard.press("Enter")
    assert notes(page) == ["Ab 5.0.", "From 5.0 on."]


def test_a_question_follows_the_report_and_the_language(page, desk, bug):
    platform = make_option(OptionList.PLATFORM, "Safari", labels={"de": "Safari am Mac"})
    make_report(make_customer("Sam Ito"), bug=bug, platform=platform)
    with transaction():
        catalogue.add_option(
            SentenceList.ASKED, "Only on {{ platform }}?", actor=None, labels={"de": "Nur {{ platform }}?"}
        )
    page.goto(f"{desk}/bugs/{bug.ref}/question")

    choose(page, "Start from a sentence", "Only")
    expect(page.locator("[name=question]")).to_have_value("Only on Safari?")
    choose(page, "Written in", "German")
    expect(page.locator("[name=question]")).to_have_value("Nur Safari am Mac?")
