"""Words: what a text is made of, what each bug is found by, and how rare a word is."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import words
from bugintake.intake.models import Report
from bugintake.intake.reports import withdraw
from bugintake.intake.word_index import BugWords, weigh
from bugintake.intake.words import READ, TOLD_TERMS, frequencies, learn, stems, trigrams, words_in
from bugintake.triage import editing
from tests.factories import make_bug, make_report, make_user, make_workspace


@pytest.fixture
def actor(app):
    """Somebody in a workspace."""
    make_workspace()
    return make_user()


def found_by(*terms):
    """The numbers of the bugs that hold any of some terms, with how many of these they hold."""
    hits = weigh(dict.fromkeys(terms, 1.0), 100, 100)
    return dict(db.session.execute(sa.select(hits.c.bug_id, hits.c.weight)).all())


def test_words_are_compared_without_case_accents_and_dull_ones():
    assert words_in("The VAT line is NOT on the Račun. É is a") == {"vat": "vat", "lin": "line", "racun": "racun"}


def test_a_name_of_joined_words_counts_whole_and_in_its_parts():
    assert stems("tableView broke") == ["tableview", "brok", "tabl", "view"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exports", "export"),
        ("exporting", "exported"),
        ("queries", "query"),
        ("stopped", "stop"),
        ("save", "saving"),
        ("classes", "class"),
    ],
)
def test_forms_of_one_word_have_one_stem(one, other):
    assert stems(one) == stems(other)


@pytest.mark.parametrize(("one", "other"), [("status", "stat"), ("bus", "bu"), ("this2", "thi2")])
def test_words_that_only_look_like_forms_keep_their_own_stem(one, other):
    assert stems(one) != stems(other)


def test_a_misspelt_word_still_shares_most_of_its_trigrams():
    assert trigrams(["umlauts"]) & trigrams(["umlats"]) == {"··um", "·uml", "·mla", "·ts·"}


def test_a_megabyte_of_text_is_read_only_as_far_as_it_helps():
    assert words_in("x" * 1_000_000) == {"x" * 40: "x" * 40, "x" * (READ % 40): "x" * (READ % 40)}


def test_a_bug_is_found_by_its_title_and_by_what_every_report_tells(actor):
    bug = make_bug(actual="Umlauts are wrong.", steps="Open the invoice.", expected="Right letters.")
    make_report(bug=bug, actual="Accents vanish.", steps="Print it.", expected="Accents.")

    assert found_by("umlaut", "invoic", "letter", "accent", "·uml") == {bug.id: 5.0}


def test_a_new_title_replaces_the_old_one(actor):
    bug = make_bug(actual="Umlauts are wrong.")
    with transaction():
        editing.rename(bug, "Cyrillic is wrong", actor=actor)

    assert (found_by("cyrillic"), found_by("·uml")) == ({bug.id: 1.0}, {})


def test_words_of_a_report_that_was_taken_back_find_nothing(actor):
    bug = make_bug(actual="Umlauts are wrong.")
    report = make_report(bug=bug, actual="Something embarrassing.")
    assert found_by("embarrass") == {bug.id: 1.0}

    with transaction():
        withdraw(report, actor=actor)

    assert found_by("embarrass") == {}


def test_words_that_are_blanked_find_nothing(actor):
    bug = make_bug(actual="Umlauts are wrong.")
    report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one()
    with transaction():
        report = db.session.get_one(Report, report.id)
        report.actual = report.steps = report.expected = "erased"

    assert db.session.get_one(BugWords, bug.id).told == "eras eras eras"


def test_a_statement_that_changes_texts_is_followed_by_learning_them(actor):
    bug = make_bug(steps="Open the invoice.")
    with transaction():
        db.session.execute(sa.update(Report).values(steps="erased"))
        learn([bug.id])

    assert found_by("invoic") == {}


def test_what_is_rolled_back_is_not_learnt(actor):
    bug = make_bug(actual="Umlauts are wrong.")
    with pytest.raises(ZeroDivisionError), transaction():
        editing.rename(db.session.get_one(type(bug), bug.id), "Cyrillic is wrong", actor=actor)
        db.session.flush()
        raise ZeroDivisionError
    make_bug(actual="Something else.")

    assert found_by("cyrillic") == {}


def test_a_bug_that_many_tell_of_holds_no_more_than_helps(actor):
    bug = make_bug(steps=" ".join(f"word{number:04}" for number in range(140)))
    for _ in range(3):
        make_report(bug=bug, steps=" ".join(f"word{number:04}" for number in range(140)))

    assert len(db.session.get_one(BugWords, bug.id).told.split()) == TOLD_TERMS


def test_rare_words_tell_more_than_common_ones_and_new_bugs_are_counted(actor):
    make_bug(actual="Umlauts are wrong.")
    make_bug(actual="Accents are wrong.")
    known = frequencies()
    assert known.rarity("cyrillic") > known.rarity("umlaut") > known.rarity("wrong")
    before = known.rarity("umlaut")

    make_bug(actual="Umlauts are back.")

    assert frequencies() is known
    assert known.rarity("umlaut") < before
    assert known.holders_of("umlaut") == 2


def test_what_nobody_says_any_more_still_counts_as_common_where_many_older_bugs_hold_it(actor, monkeypatch):
    for _ in range(8):
        make_bug(actual="Umlauts are wrong.")
    for _ in range(4):
        make_bug(actual="It fails.")
    monkeypatch.setattr(words, "SAMPLE", 4)
    monkeypatch.setattr(words, "OLDER", 4)
    monkeypatch.setattr(words, "_LATEST", sa.select(sa.func.max(BugWords.bug_id) - 4).scalar_subquery())
    known = words.Frequencies()

    known.read_on()

    assert known.holders_of("umlaut") >= 6
    assert known.rarity("umlaut") < known.rarity("cyrillic")
