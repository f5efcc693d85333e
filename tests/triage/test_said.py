"""What is said about a bug besides its title and reports: a search finds it, nothing looks alike by it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import attaching
from bugintake.intake.customers import erasing
from bugintake.intake.models import OptionList, Remark, Report, Status
from bugintake.intake.reports import withdraw
from bugintake.intake.similar import look_alikes
from bugintake.intake.word_index import BugWords, weigh
from bugintake.team.models import Role
from bugintake.triage import comments, editing, palette, queries, said, splitting, transitions
from bugintake.triage.filters import Filters
from tests.factories import bring_to, make_bug, make_customer, make_option, make_report, make_telling, make_user, merge

pytestmark = pytest.mark.usefixtures("company")

NOTE = {"en": "Pelicans are meant to nest there."}


@pytest.fixture
def bug(mira):
    """A bug of Hana's, among others."""
    made = make_bug(waiting=[make_customer("Hana")])
    make_bug()
    return made


def found(text, actor):
    """The bugs that a list and the field at the top find by some words; both have to agree."""
    listed = {card.ref for card in queries.listed(Filters(text=text), actor)}
    assert {each.ref for each in palette.bugs_like(text, actor)} == listed
    return listed


def report_of(bug):
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id)).first()


def comment_on(bug, text, actor):
    with transaction():
        return comments.write(bug, text, actor=actor)


def ask(bug, text, actor):
    with transaction():
        return transitions.ask(bug, report_of(bug), text, actor=actor)


def decline(bug, actor, notes=NOTE, ways=None):
    with transaction():
        transitions.decline(bug, make_option(OptionList.DECLINE_REASON), notes, ways or {}, actor=actor)


def say_pelicans(kind, bug, actor):
    """Write of pelicans in one of the places there are."""
    if kind == "comment":
        comment_on(bug, "Pelicans nest in the cache.", actor)
    elif kind == "question":
        ask(bug, "Do pelicans nest there?", actor)
    elif kind == "answer":
        question = ask(bug, "Which birds?", actor)
        with transaction():
            transitions.answer(question, "Pelicans nest there.", actor=actor)
    elif kind == "remark":
        with transaction():
            db.session.add(Remark(report_id=report_of(bug).id, text="Pelicans nest there again."))
    elif kind == "explanation":
        decline(bug, actor)
    elif kind == "way round":
        with transaction():
            editing.set_workarounds(bug, {"de": "Do not let pelicans nest."}, actor=actor)


@pytest.mark.parametrize("kind", ["comment", "question", "answer", "remark", "explanation", "way round"])
def test_what_is_written_about_a_bug_is_found_and_makes_nothing_look_alike(bug, mira, kind):
    telling = make_telling(None, area="Search", symptom="It is slow")
    assert found("pelican", mira) == set()

    say_pelicans(kind, bug, mira)

    assert found("pelican", mira) == found("pelicans nest", mira) == {bug.ref}
    hits = weigh({"pelican": 1.0}, 100, 100)
    assert db.session.execute(sa.select(hits.c.bug_id)).all() == []
    assert look_alikes(telling.area, telling.symptom, "pelicans nest", actor=mira) == []


def test_words_count_together_with_those_of_the_title_and_of_reports(bug, mira):
    with transaction():
        editing.rename(bug, "Herons are missing", actor=mira)
    comment_on(bug, "Pelicans nest in the cache.", mira)
    assert found("herons pelicans", mira) == found('herons "pelicans nest"', mira) == {bug.ref}

    with transaction():
        editing.rename(bug, "Storks are missing", actor=mira)

    assert (found("herons pelicans", mira), found("storks pelicans", mira)) == (set(), {bug.ref})


def test_no_phrase_is_found_across_two_texts(bug, mira):
    comment_on(bug, "It is the pelicans.", mira)
    comment_on(bug, "Nest of them.", mira)

    assert (found("pelicans nest", mira), queries.listed(Filters(text='"nest pelicans"'), mira)) == ({bug.ref}, [])
    assert queries.listed(Filters(text='"pelicans nest"'), mira) == []


def test_a_comment_that_was_changed_or_removed_is_found_by_its_words_of_now(bug, mira):
    comment = comment_on(bug, "Pelicans nest there.", mira)
    with transaction():
        comments.edit(comment, "Herons nest there.", actor=mira)
    assert (found("pelicans", mira), found("herons", mira)) == (set(), {bug.ref})

    with transaction():
        comments.remove(comment, actor=mira)

    assert found("herons", mira) == set()


def test_what_is_taken_back_finds_nothing(bug, mira):
    ask(bug, "Do pelicans nest there?", mira)
    with transaction():
        transitions.undo(bug, actor=mira)
    decline(bug, mira, {"en": "Herons"}, {"en": "Storks"})
    with transaction():
        transitions.undo(bug, actor=mira)
    hana = report_of(bug).customer
    with transaction():
        again = attaching.attach(bug, make_telling(hana, actual="Cranes again."), actor=mira)
    assert found("cranes", mira) == {bug.ref}
    with transaction():
        attaching.take_back(attaching.last_telling(again), actor=mira)

    assert [found(word, mira) for word in ("pelicans", "herons", "storks", "cranes")] == [set()] * 4


def test_a_report_takes_what_was_said_about_it_along(bug, mira):
    other = make_report(make_customer("Sam"), bug=bug)
    with transaction():
        db.session.add(Remark(report_id=other.id, text="Pelicans nest there."))
    with transaction():
        apart = splitting.split(other, "Something else", actor=mira)
    assert found("pelicans", mira) == {apart.ref}

    with transaction():
        withdraw(other, actor=mira)

    assert found("pelicans", mira) == set()


def test_an_erased_customer_is_found_by_nothing_they_said(bug, mira):
    say_pelicans("remark", bug, mira)
    say_pelicans("answer", bug, mira)
    comment_on(bug, "Herons nest in the cache.", mira)

    with transaction():
        erasing.erase(report_of(bug).customer, actor=None)

    assert (found("pelicans", mira), found("herons", mira)) == (set(), {bug.ref})


def test_a_part_is_found_as_what_stands_for_it(bug, mira):
    comment_on(bug, "Pelicans nest there.", mira)
    whole = make_bug(Status.ACCEPTED)
    merge(bug, whole)

    assert found("pelicans", mira) == {whole.ref}


def test_what_is_said_about_a_restricted_bug_exists_only_for_who_may_see_it(bug, mira):
    tin = make_user(Role.ENGINEER, "Tin")
    for kind in ("comment", "remark", "way round"):
        say_pelicans(kind, bug, mira)
    with transaction():
        editing.assign(bug, mira, actor=mira)
        editing.restrict(bug, True, actor=mira)

    assert (found("pelicans", tin), found("pelicans", mira)) == (set(), {bug.ref})


def test_of_very_much_the_latest_is_found(bug, mira, clock):
    comment_on(bug, "Pelicans nest there.", mira)
    clock.advance(timedelta(minutes=1))
    comment_on(bug, " ".join(f"word{number:04}" for number in range(1000)), mira)
    assert found("pelicans", mira) == {bug.ref}
    for _ in range(3):
        clock.advance(timedelta(minutes=1))
        comment_on(bug, " ".join(f"word{number:04}" for number in range(1000)), mira)

    assert len(db.session.get_one(BugWords, bug.id).said.split()) == said.TERMS
    assert (found("pelicans", mira), found("word0999", mira)) == (set(), {bug.ref})


LONG = " ".join(f"word{number:04}" for number in range(140))


def test_what_later_reports_and_the_ends_of_long_ones_tell_is_found_too(bug, mira):
    for _ in range(3):
        make_report(make_customer(), bug=bug, steps=LONG)
    make_report(make_customer(), bug=bug, actual="Pelicans nest there.")
    long = make_bug(actual="x " * 1000 + "herons")
    many = make_bug()
    for _ in range(19):
        make_report(make_customer(), bug=many)
    make_report(make_customer(), bug=many, steps="Look at the storks.")

    assert [found(word, mira) for word in ("pelicans", "herons", "storks")] == [{bug.ref}, {long.ref}, {many.ref}]
    hits = weigh({"pelican": 1.0, "heron": 1.0, "stork": 1.0}, 100, 100)
    assert db.session.execute(sa.select(hits.c.bug_id)).all() == []


def test_words_of_a_report_that_are_gone_are_found_nowhere(bug, mira):
    sam, ole = make_customer("Sam"), make_customer("Ole")
    make_report(sam, bug=bug, actual="Pelicans nest there.")
    again = make_report(ole, bug=bug, actual="Storks nest there.")
    comment_on(bug, "Herons nest in the cache.", mira)
    assert (found("pelicans", mira), found("storks", mira)) == ({bug.ref}, {bug.ref})

    with transaction():
        erasing.erase(db.session.get_one(type(sam), sam.id), actor=None)
    assert (found("pelicans", mira), found("storks", mira)) == (set(), {bug.ref})

    with transaction():
        withdraw(again, actor=mira)

    assert (found("storks", mira), found("herons", mira)) == (set(), {bug.ref})


def test_what_is_rolled_back_is_not_learnt(bug, mira):
    with pytest.raises(ZeroDivisionError), transaction():
        comments.write(bug, "Pelicans nest there.", actor=mira)
        raise ZeroDivisionError
    bring_to(bug, Status.ACCEPTED, actor=mira)

    assert found("pelicans", mira) == set()


def test_a_bug_that_is_only_filed_is_in_the_first_index_alone(bug, mira):
    assert db.session.scalars(sa.select(BugWords.said).distinct()).all() == [""]
