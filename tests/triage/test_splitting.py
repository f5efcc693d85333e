"""A report about another problem becomes a bug of its own, and goes back while nobody has worked on that."""

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.intake import catalogue, further_lists, reports, similar, waiting
from bugintake.intake.models import Bug, OptionList, Report, Status
from bugintake.intake.queries import open_question
from bugintake.team.models import Role
from bugintake.triage import editing, history, splitting, transitions
from tests.factories import make_bug, make_customer, make_list, make_option, make_report, make_user, merge
from tests.visitors import visit

WORDS = {"actual": "It finds nothing.", "steps": "1. Type a name", "expected": "Whoever is called that."}

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def two(mira):
    """A bug that two people wait for, and the report of the second."""
    bug = make_bug(actor=mira)
    return bug, make_report(make_customer("Sam"), bug=bug, actor=mira, area="Search", **WORDS)


def split(report, actor, title="It finds nothing"):
    with transaction():
        return splitting.split(report, title, actor=actor)


def rejoin(bug, actor):
    with transaction():
        return splitting.rejoin(bug, actor=actor)


def counts(*bugs):
    return [db.session.get_one(Bug, bug.id).waiting_count for bug in bugs]


def test_the_report_makes_a_bug_with_its_own_choices_and_its_customer_waits_there(mira, two):
    bug, report = two

    new = split(report, mira)

    assert (new.title, new.area.label, new.status, new.canonical_id) == ("It finds nothing", "Search", "new", new.id)
    assert (new.symptom_id, new.impact_id, new.impact_rank) == (
        report.symptom_id,
        report.impact_id,
        report.impact.position,
    )
    assert (report.bug_id, counts(bug, new)) == (new.id, [1, 1])


def test_both_histories_say_so(mira, two):
    bug, report = two
    new = split(report, mira)
    rejoin(new, mira)

    assert [line.words for line in history.history(bug)][-2:] == [
        f"made {new.ref} of one of its reports",
        f"took a report back from {new.ref}",
    ]
    assert [line.words for line in history.history(new)] == [
        f"made it of a report about {bug.ref}",
        "took the bug back with its last report",
    ]


def test_each_bug_is_found_by_the_words_of_its_own_reports(mira, two):
    bug, report = two
    area = make_option(OptionList.AREA, "Elsewhere")
    new = split(report, mira)

    def found(words):
        return [each.bug.ref for each in similar.look_alikes(area, None, words, actor=mira)]

    assert found("It finds nothing at all.") == [new.ref]
    assert found("The VAT line is missing, only the total.") == [bug.ref]


def test_undoing_gives_the_report_back_and_the_new_bug_leaves(mira, two):
    bug, report = two
    new = split(report, mira)

    assert rejoin(new, mira) is bug

    assert (report.bug_id, counts(bug, new), new.withdrawn_at is None) == (bug.id, [2, 0], False)


def test_a_report_of_a_part_goes_back_to_that_part(mira, two):
    bug, report = two
    whole = make_bug()
    merge(bug, whole)

    new = split(report, mira)
    assert counts(whole, new) == [2, 1]
    rejoin(new, mira)

    assert (report.bug_id, counts(whole, bug)) == (bug.id, [3, 0])


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("alone", "This is all that {bug} is about, so it stays one bug."),
        ("others withdrawn", "This is all that {bug} is about, so it stays one bug."),
        ("withdrawn", "This report was taken back, or another one stands for it."),
        ("asked", "Somebody is being asked about this report. Take the answer down first."),
    ],
)
def test_what_cannot_be_split_is_refused_in_words(mira, two, case, sentence):
    bug, report = two
    first = db.session.scalars(waiting.reports_under(bug.id).order_by(Report.id)).first()
    with transaction():
        if case == "asked":
            transitions.ask(bug, report, "Which browser?", actor=mira)
        elif case != "alone":
            reports.withdraw(report if case == "withdrawn" else first, actor=mira)
    if case == "alone":
        bug = make_bug()
        report = db.session.scalars(waiting.reports_under(bug.id)).one()

    with pytest.raises(Conflict) as refusal:
        split(report, mira)

    assert refusal.value.sentence == sentence.format(bug=bug.ref)


def test_an_answered_question_goes_with_its_report(mira, two):
    bug, report = two
    with transaction():
        transitions.answer(transitions.ask(bug, report, "Which browser?", actor=mira), "Firefox", actor=mira)

    new = split(report, mira)

    assert (open_question(new), bug.status, new.status) == (None, Status.NEW, Status.NEW)


@pytest.mark.parametrize("title", ["", "x" * 201])
def test_the_new_bug_needs_a_title(mira, two, title):
    with pytest.raises(Invalid):
        split(two[1], mira, title)


def test_what_a_restricted_bug_is_split_into_is_hidden_for_the_same_people(mira, two):
    bug, report = two
    lea = make_user(Role.AGENT)
    with transaction():
        editing.assign(bug, mira, actor=mira)
        editing.restrict(bug, True, actor=mira)
        report.filed_by_id = lea.id

    new = split(report, mira)

    assert (new.is_restricted, new.owner_id, new.filed_by_id) == (True, mira.id, lea.id)
    assert rejoin(new, mira) is bug


@pytest.mark.parametrize("case", ["accepted", "attached", "taken", "merged", "told again", "never split"])
def test_undoing_is_refused_once_there_is_more_to_the_new_bug(mira, two, case):
    bug, report = two
    new = split(report, mira)
    if case == "attached":
        make_report(make_customer(), bug=new)
    elif case == "told again":
        make_report(report.customer, bug=bug)
    elif case == "merged":
        merge(new, make_bug())
    else:
        with transaction():
            if case == "accepted":
                transitions.accept(new, actor=mira)
            elif case == "taken":
                editing.assign(new, mira, actor=mira)
    sentence = {
        "told again": f"They told us of {bug.ref} again. Merge {new.ref} into {bug.ref} instead.",
        "never split": f"{bug.ref} was not split off another bug.",
    }.get(case, f"{new.ref} is more than that report by now. Merge it into {bug.ref} instead.")

    with pytest.raises(Conflict) as refusal:
        rejoin(bug if case == "never split" else new, mira)

    assert (refusal.value.sentence, report.bug_id) == (sentence, new.id)


def test_a_report_that_was_split_off_twice_goes_back_to_where_it_was_last(mira, two):
    report = two[1]
    first = split(report, mira)
    make_report(make_customer(), bug=first)
    second = split(report, mira)

    assert (rejoin(second, mira), report.bug_id) == (first, first.id)


def apart(report, actor, title="It is slow"):
    with transaction():
        return splitting.file_apart(report, title, actor=actor)


def test_who_told_of_two_problems_at_once_waits_for_both(mira):
    lea, extension = make_user(Role.AGENT), make_list("Browser extension", "None", "Blocker")
    bug = make_bug(actor=lea)
    report = db.session.scalars(waiting.reports_under(bug.id)).one()
    none = catalogue.option_labelled(extension.name, "None")
    with transaction():
        further_lists.keep(report, [(extension, none)])

    new = apart(report, mira)

    copy = db.session.scalars(waiting.reports_under(new.id)).one()
    assert (copy.customer_id, copy.actual, copy.version_id, copy.filed_by_id) == (
        report.customer_id,
        report.actual,
        report.version_id,
        lea.id,
    )
    assert further_lists.kept_in(copy) == [(extension, none)]
    assert (new.title, report.bug_id, counts(bug, new)) == ("It is slow", bug.id, [1, 1])
    assert history.history(bug)[-1].words == f"filed {new.ref} of what one of its reports tells besides"

    assert rejoin(new, mira) is bug
    assert (report.settled_at, counts(bug, new), new.withdrawn_at is None) == (None, [1, 0], False)


def test_what_a_restricted_report_tells_besides_is_hidden_for_the_same_people(mira, two):
    bug, report = two
    with transaction():
        editing.assign(bug, mira, actor=mira)
        editing.restrict(bug, True, actor=mira)

    new = apart(report, mira)

    assert (new.is_restricted, new.owner_id) == (True, mira.id)


@pytest.mark.parametrize("case", ["accepted", "attached", "merged"])
def test_what_was_filed_apart_stays_once_there_is_more_to_it(mira, two, case):
    new = apart(two[1], mira)
    if case == "attached":
        make_report(make_customer(), bug=new)
    elif case == "merged":
        merge(new, make_bug())
    else:
        with transaction():
            transitions.accept(new, actor=mira)

    with pytest.raises(Conflict, match="is more than that report by now"):
        rejoin(new, mira)


def test_a_report_that_was_taken_back_tells_of_nothing_more(mira, two):
    with transaction():
        reports.withdraw(two[1], actor=mira)

    with pytest.raises(Conflict, match="taken back"):
        apart(two[1], mira)


def test_the_page_offers_to_move_a_report_only_where_others_stay(app, mira, two):
    report = two[1]
    alone = db.session.scalars(waiting.reports_under(make_bug().id)).one()
    visitor = visit(app, mira)

    assert "Make it a bug of its own" in visitor.get(f"/reports/{report.id}/split").text
    assert "Make it a bug of its own" not in visitor.get(f"/reports/{alone.id}/split").text

    answer = visitor.post(f"/reports/{alone.id}/split", {"title": "It is slow", "stays": "1"})
    assert answer.status_code == 303
    undone = visitor.post(answer.headers["Location"] + "/split/undo", {})
    assert undone.headers["Location"].endswith(alone.bug.ref)
