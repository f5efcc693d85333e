"""Words that start from a sentence of the catalogue, without JavaScript: the server fills what is empty."""

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue
from bugintake.intake.models import OptionList, Question, Status
from bugintake.intake.option_models import SentenceList
from bugintake.triage.starting import known_of
from tests.factories import make_bug, make_customer, make_option, make_report, make_version
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


def sentence(kind, label, **labels):
    with transaction():
        return str(catalogue.add_option(kind, label, actor=None, labels=labels).id)


def waiting(*languages):
    """A bug in an area that has a German name, for which somebody waits in each language."""
    area = make_option(OptionList.AREA, "Mail", labels={"de": "Post"})
    return make_bug(waiting=[make_customer(language=each) for each in languages], area=area)


def offered(page):
    return re.findall(
        r'<option value="\d+" data-words[^>]*>([^<]*)<', page.split('name="sentence"')[-1].split("</select>")[0]
    )


def fix(app, mira, bug, **words):
    version = make_version("4.14.0")
    return visit(app, mira).post(f"/bugs/{bug.ref}/fix", {"seen": "new", "version": str(version.id), **words})


def test_a_sentence_fills_every_note_that_it_has_and_that_is_empty(app, mira):
    bug = waiting("de", "es", "fr")
    chosen = sentence(SentenceList.FIXED, "{{ area }} works.", de="{{ area }} geht.", es="Ya funciona.")

    fix(app, mira, bug, sentence=chosen, note_es="Funciona otra vez.")

    notes = {"en": "Mail works.", "de": "Post geht.", "es": "Funciona otra vez."}
    assert (bug.status, bug.customer_notes) == (Status.FIXED, notes)


def test_the_version_of_a_fix_is_the_one_that_carries_it_also_a_new_one(app, mira):
    chosen = sentence(SentenceList.FIXED, "It works from {{ version }} on.", de="Es geht ab {{ version }}.")
    known, new = waiting("de"), waiting("de")

    fix(app, mira, known, sentence=chosen)
    fix(app, mira, new, sentence=chosen, version="other", version_new="5.0.0")

    assert known.customer_notes["de"] == "Es geht ab 4.14.0."
    assert new.customer_notes["de"] == "Es geht ab 5.0.0."


def test_the_words_for_the_gap_are_typed_once_and_stand_in_every_language(app, mira):
    bug = waiting("de")
    chosen = sentence(SentenceList.FIXED, "Open … once.", de="Öffnen Sie … einmal.")

    fix(app, mira, bug, sentence=chosen, gap="Settings › Mail")

    assert bug.customer_notes == {"en": "Open Settings › Mail once.", "de": "Öffnen Sie Settings › Mail einmal."}


@pytest.mark.parametrize("note", ["", "Öffnen Sie … einmal."], ids=["nothing filled in", "filled in by the page"])
def test_a_gap_that_nobody_filled_is_asked_for_and_nothing_is_sent(app, mira, note):
    bug = waiting("de")
    chosen = sentence(SentenceList.FIXED, "Open … once.", de="Öffnen Sie … einmal.")

    answer = fix(app, mira, bug, sentence=chosen, note_de=note)

    assert (answer.status_code, bug.status) == (422, Status.NEW)
    assert "Write what stands for “…” in the sentence." in answer.text


def test_a_gap_that_somebody_typed_themselves_is_theirs(app, mira):
    bug = waiting("en")
    chosen = sentence(SentenceList.FIXED, "Open … once.")

    fix(app, mira, bug, sentence=chosen, note_en="Choose Print… again.")

    assert bug.customer_notes == {"en": "Choose Print… again."}


def test_a_sentence_never_says_what_the_catalogue_has_not_in_that_language(app, mira):
    bug = waiting("es")
    chosen = sentence(SentenceList.FIXED, "{{ area }} works.", es="{{ area }} funciona.")

    fix(app, mira, bug, sentence=chosen)

    assert bug.customer_notes == {"en": "Mail works."}


def test_declining_starts_from_its_own_sentences(app, mira):
    bug, reason = waiting("de"), make_option(OptionList.DECLINE_REASON)
    chosen = sentence(SentenceList.DECLINED, "{{ area }} is meant so.", de="{{ area }} ist so gedacht.")
    words = {"seen": "new", "reason": str(reason.id), "has_none": "y", "sentence": chosen}

    visit(app, mira).post(f"/bugs/{bug.ref}/decline", words)

    assert bug.customer_notes == {"en": "Mail is meant so.", "de": "Post ist so gedacht."}
    assert "is meant so" not in visit(app, mira).get(f"/bugs/{waiting('de').ref}/fix").text


def test_a_question_is_filled_in_with_what_the_chosen_report_says(app, mira):
    bug = make_bug(platform="Firefox", waiting=[])
    platforms = [make_option(OptionList.PLATFORM, name, labels={"de": name}) for name in ("Safari", "Edge")]
    first, _other = (make_report(make_customer(language="de"), bug=bug, platform=each) for each in platforms)
    chosen = sentence(SentenceList.ASKED, "Only on {{ platform }}?", de="Nur mit {{ platform }}?")
    words = {"seen": "new", "report": str(first.id), "to": "customer", "language": "de", "sentence": chosen}

    visit(app, mira).post(f"/bugs/{bug.ref}/question", words)

    assert db.session.scalars(sa.select(Question.text)).all() == ["Nur mit Safari?"]


def test_only_sentences_that_can_be_filled_in_are_offered(app, mira):
    one = waiting("en")
    many = make_bug(waiting=[])
    make_report(bug=many, platform="Safari")
    for label in ("Not ours.", "Not on {{ platform }}."):
        sentence(SentenceList.DECLINED, label)

    assert offered(visit(app, mira).get(f"/bugs/{one.ref}/decline").text) == ["Not ours.", "Not on Chrome on Windows."]
    assert offered(visit(app, mira).get(f"/bugs/{many.ref}/decline").text) == ["Not ours."]


def test_what_nobody_is_sure_of_is_no_word_for_customers(app):
    with transaction():
        unsure = catalogue.add_option(OptionList.PLATFORM, "Not sure", actor=None, is_unsure=True)

    assert sorted(known_of([make_bug(platform=unsure)])) == ["area", "symptom", "version"]


def test_several_bugs_start_from_what_is_the_same_of_all(app, mira):
    bugs = [waiting("de"), waiting("de")]
    chosen = sentence(SentenceList.FIXED, "{{ area }} works.", de="{{ area }} geht.")
    words = {"asked": "1", "version": str(make_version().id), "sentence": chosen}

    visit(app, mira).post("/bugs/many/fix", {**words, "bug": [f"{bug.ref} new" for bug in bugs]})

    assert [bug.customer_notes["de"] for bug in bugs] == ["Post geht."] * 2


def test_without_sentences_nothing_is_offered(app, mira):
    assert 'name="sentence"' not in visit(app, mira).get(f"/bugs/{waiting('en').ref}/fix").text


def test_a_sentence_that_was_retired_fills_nothing(app, mira):
    bug, chosen = waiting("en"), sentence(SentenceList.FIXED, "It works.")
    visitor = visit(app, mira)
    with transaction():
        catalogue.retire(catalogue.choose(SentenceList.FIXED, int(chosen)), actor=mira)

    answer = visitor.post(
        f"/bugs/{bug.ref}/fix", {"seen": "new", "version": str(make_version().id), "sentence": chosen}
    )

    assert (answer.status_code, bug.status) == (422, Status.NEW)


def ask_everybody(app, mira, bug, chosen, **words):
    given = {"seen": "new", "report": "all", "to": "customer", "language": "en", "sentence": chosen, **words}
    visit(app, mira).post(f"/bugs/{bug.ref}/question", given)
    return db.session.execute(sa.select(Question.language, Question.text).order_by(Question.language)).all()


def test_everybody_who_waits_is_asked_in_their_language_where_the_sentence_has_it(app, mira):
    chosen = sentence(SentenceList.ASKED, "Is it in …?", de="Ist es in …?")

    asked = ask_everybody(app, mira, waiting("de", "en", "es"), chosen, gap="Settings")

    assert asked == [("de", "Ist es in Settings?"), ("en", "Is it in Settings?"), ("en", "Is it in Settings?")]


def test_a_question_that_somebody_changed_is_asked_as_they_wrote_it(app, mira):
    chosen = sentence(SentenceList.ASKED, "Since when?", de="Seit wann?")

    asked = ask_everybody(app, mira, waiting("de", "en"), chosen, question="Since when exactly?")

    assert asked == [("en", "Since when exactly?")] * 2


def test_whoever_filed_it_is_asked_in_the_language_that_was_chosen(app, mira):
    chosen = sentence(SentenceList.ASKED, "Since when?", de="Seit wann?")

    assert ask_everybody(app, mira, waiting("de", "es"), chosen, to="filer") == [("en", "Since when?")]
