"""Look-alikes: which known bugs show beside the form, in which order, and why."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.intake.reports import withdraw
from bugintake.intake.similar import look_alikes
from bugintake.intake.words import frequencies
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import (
    bring_to,
    make_bug,
    make_customer,
    make_option,
    make_report,
    make_user,
    make_version,
    make_workspace,
)


@pytest.fixture
def look(app, clock):
    """Look for bugs in the area and with the symptom of the factories."""
    make_workspace()
    reader = make_user(Role.AGENT)

    def find(text="", *, actor=reader, symptom="Shows the wrong thing"):
        area = make_option(OptionList.AREA)
        chosen = make_option(OptionList.SYMPTOM, symptom) if symptom else None
        return look_alikes(area, chosen, text, actor=actor)

    return find


def merge(bug, into):
    """Merge by hand: the verb belongs to a later room."""
    with transaction():
        bug.merged_into_id = bug.canonical_id = into.id


def test_same_area_and_symptom_are_found_before_a_word_is_typed(look):
    bug = make_bug(waiting=[make_customer(), make_customer(), make_customer()])
    make_bug(symptom="Very slow")
    make_bug(area="Calendar")

    (found,) = look()

    assert found.bug == bug
    assert found.why == "Same area and symptom, 3 of 3 on 4.12.1."


def test_people_waiting_order_what_looks_equally_alike(look):
    few = make_bug()
    many = make_bug(waiting=[make_customer(), make_customer()])

    assert [each.bug for each in look()] == [many, few]


def test_words_rank_before_people_waiting(look):
    make_bug(waiting=[make_customer(), make_customer()], actual="The logo is cut off.")
    meant = make_bug(actual="Umlauts are wrong in exported invoices.")

    assert look("umlauts in my invoice are wrong")[0].bug == meant


def test_words_find_a_bug_with_another_symptom_in_the_area_and_say_which(look):
    bug = make_bug(symptom="Very slow", actual="Umlauts are wrong in exported invoices.")

    (found,) = look("umlauts wrong")

    assert found.bug == bug
    assert found.why == "Same area, same words: umlauts, wrong, on 4.12.1."


def test_one_common_word_is_not_enough_where_the_symptom_differs(look):
    make_bug(symptom="Very slow", actual="Umlauts are wrong in exported invoices.")

    assert look("wrong colour") == []


def test_at_most_three_are_shown(look):
    for _number in range(4):
        make_bug()

    assert len(look()) == 3


def test_the_commonest_known_version_is_named(look):
    bug = make_bug(version="4.12.1")
    make_option(OptionList.VERSION, "Not sure", is_unsure=True)
    for version in ("4.12.1", "Not sure", "Not sure", "4.12.0"):
        make_report(bug=bug, version=version)

    assert look()[0].why == "Same area and symptom, 2 of 5 on 4.12.1."


def test_live_and_declined_bugs_are_known_for_ninety_days(look, clock):
    make_version("4.13.0", live_since=clock.now())
    live, declined = make_bug(Status.LIVE), make_bug(Status.DECLINED)

    found = {each.bug.id: (each.status_label, each.why) for each in look()}

    assert found == {
        live.id: ("Live in 4.13.0", "Same area and symptom, on 4.12.1. Live since Tue 10 Mar."),
        declined.id: ("Won't fix", "Same area and symptom, on 4.12.1. Won't fix: Works as intended."),
    }
    clock.advance(timedelta(days=90, seconds=1))
    assert look() == []


def test_open_bugs_are_known_however_old_they_are(look, clock):
    bug = make_bug(Status.FIXED)
    clock.advance(timedelta(days=900))

    (found,) = look()

    assert (found.bug, found.age) == (bug, "900 d")
    assert found.why.endswith("Fixed in 4.13.0, which is not live yet.")


def test_a_merged_bug_shows_once_as_its_canonical_bug(look):
    canonical = make_bug(area="Calendar", actual="Something else entirely.")
    merge(make_bug(), into=canonical)
    merge(make_bug(), into=canonical)

    (found,) = look()

    assert found.bug == canonical
    assert found.why == "Same area and symptom, 3 of 3 on 4.12.1."


def test_a_restricted_bug_shows_only_to_who_may_see_it(look):
    filer = make_user(Role.AGENT)
    bug = make_bug(actor=filer)
    with transaction():
        bug.is_restricted = True

    assert look() == []
    assert [each.bug for each in look(actor=filer)] == [bug]
    assert [each.bug for each in look(actor=make_user(Role.LEAD))] == [bug]


def test_a_bug_that_was_taken_back_is_not_known(look):
    report = make_report()
    with transaction():
        withdraw(report, actor=make_user())

    assert look() == []


def test_looking_asks_the_database_as_often_for_three_as_for_none(look):
    area, symptom = make_option(OptionList.AREA), make_option(OptionList.SYMPTOM)
    reader = make_user(Role.AGENT)
    frequencies()  # of which a process counts the sample once
    counts = []
    for number in range(4):
        with asked() as statements:
            found = look_alikes(area, symptom, "vat", actor=reader)
        assert len(found) == number
        counts.append(len(statements))
        bug = make_bug()
        bring_to(bug, Status.ACCEPTED, actor=reader)

    assert len(set(counts)) == 1


def test_a_megabyte_of_text_is_looked_at_only_as_far_as_it_helps(look):
    make_bug()

    assert len(look("vat " * 250_000)) == 1


def test_words_find_a_bug_in_another_area_and_say_which(look):
    bug = make_bug(area="Calendar", symptom="Very slow", actual="Umlauts are wrong in exported invoices.")

    (found,) = look("umlauts wrong")

    assert found.bug == bug
    assert found.why == "Same words: umlauts, wrong, on 4.12.1."


def test_a_misspelt_title_still_finds_its_bug(look):
    bug = make_bug(area="Calendar", symptom="Very slow", actual="Umlauts are scrambled.")

    (found,) = look("Umlaust are scrambeld")

    assert found.bug == bug
    assert found.why == "A title spelt much like it, on 4.12.1."


def test_the_name_of_an_area_in_the_text_prefers_its_bugs(look):
    with transaction():
        make_option(OptionList.AREA, "Calendar").aliases = ["terminplan"]
    make_bug(area="Search", symptom="Very slow", actual="The first entry is doubled.")
    meant = make_bug(area="Calendar", symptom="Very slow", actual="The first entry is doubled.")
    make_bug(area="Settings", symptom="Very slow", actual="The first entry is doubled.")

    assert look("first entry doubled in the Terminplan")[0].bug == meant


def test_the_words_of_a_restricted_bug_that_was_merged_help_nobody_who_may_not_see_it(look):
    canonical = make_bug(area="Calendar", symptom="Very slow", actual="Something else entirely.")
    hidden = make_bug(symptom="Very slow", actual="Umlauts are wrong in exported invoices.")
    merge(hidden, into=canonical)
    with transaction():
        db.session.get_one(Bug, hidden.id).is_restricted = True

    assert look("umlauts wrong") == []
    assert [each.bug for each in look("umlauts wrong", actor=make_user(Role.LEAD))] == [canonical]


WORDS = (
    "vat",
    "line",
    "invoice",
    "export",
    "umlaut",
    "reminder",
    "calendar",
    "entry",
    "button",
    "logo",
    "slow",
    "doubled",
)
# No word twice: who says "vat vat" may well mean the bug that says it three times.
TEXTS = st.lists(st.sampled_from(WORDS), min_size=2, max_size=6, unique=True).map(" ".join)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tellings=st.lists(st.tuples(TEXTS, st.sampled_from(["Calendar", "Search"]), st.booleans()), min_size=1, max_size=4)
)
def test_the_same_text_finds_its_own_bug_first_and_never_a_hidden_one(look, tellings):
    """Among bugs of every kind, each the first time its title is used."""
    start = make_bug().id
    bugs = []
    for text, area, is_restricted in tellings:
        bug = make_bug(area=area, symptom="Very slow", actual=text)
        with transaction():
            db.session.get_one(Bug, bug.id).is_restricted = is_restricted
        bugs.append((bug, text, is_restricted))
    titles = {bug.id: text for bug, text, _ in bugs}

    for _bug, text, is_restricted in bugs:
        found = [each.bug for each in look(text, symptom=None) if each.bug.id > start]
        assert not any(db.session.get_one(Bug, each.id).is_restricted for each in found)
        if not is_restricted:
            assert sorted(titles.get(found[0].id, found[0].title).split()) == sorted(text.split())
