"""Reports: filing, attaching, taking back, and who waits."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.intake import attaching, reports
from bugintake.intake.models import Bug, Remark, Report, SettledBy
from bugintake.team.models import Role
from tests.factories import make_bug, make_customer, make_report, make_telling, make_user


def file(telling, actor, **values):
    with transaction():
        return reports.file_report(telling, actor=actor, **values)


def attach(bug, telling, actor, **values):
    with transaction():
        return attaching.attach(bug, telling, actor=actor, **values)


def withdraw(report):
    with transaction():
        reports.withdraw(report, actor=make_user(Role.AGENT))


def waiting(bug):
    return db.session.scalar(sa.select(Bug.waiting_count).where(Bug.id == bug.id))


def kinds():
    return [event.kind for event in db.session.scalars(sa.select(Event).order_by(Event.id))]


@pytest.mark.parametrize(
    ("actual", "title"),
    [
        ("The VAT line is missing. Only the total is there.", "The VAT line is missing"),
        ("No total\nand no VAT", "No total"),
        ("Why? Nobody knows.", "Why?"),
        ("x" * 200, "x" * 119 + "…"),
    ],
)
def test_the_title_is_the_first_sentence_of_what_happened(app, actual, title):
    assert reports.title_from(make_telling(actual=actual)) == title


def test_without_words_the_title_is_made_of_the_choices(app):
    telling = make_telling(actual="")

    assert reports.title_from(telling) == "Shows the wrong thing: Invoices › PDF export"


@pytest.mark.parametrize("name", ["steps", "actual", "expected"])
def test_a_new_bug_needs_its_three_texts_and_takes_none_too_long(app, name):
    agent, customer = make_user(Role.AGENT), make_customer()

    for text in ("", "x" * 20_001):
        with pytest.raises(Invalid) as refusal:
            file(make_telling(customer, **{name: text}), agent)
        assert refusal.value.field == name

    assert file(make_telling(customer, **{name: "x" * 20_000}), agent).bug.ref == "BUG-1"


def test_the_same_submission_twice_makes_one_report(app):
    agent, telling = make_user(Role.AGENT), make_telling(make_customer())

    first = file(telling, agent, key="k")
    second = file(telling, agent, key="k")

    assert first.id == second.id
    assert kinds().count("report.filed") == 1


def test_a_submission_key_is_refused_for_something_else_and_for_somebody_else(app):
    agent, customer = make_user(Role.AGENT), make_customer()
    file(make_telling(customer), agent, key="k")

    with pytest.raises(Conflict, match="made BUG-1"):
        file(make_telling(customer, actual="Something else."), agent, key="k")
    with pytest.raises(Conflict):
        file(make_telling(customer), make_user(Role.AGENT), key="k")
    with pytest.raises(Conflict):
        attach(make_bug(), make_telling(customer), agent, key="k")


def test_a_report_without_a_customer_makes_nobody_wait(app):
    report = file(make_telling(None), make_user())

    assert (waiting(report.bug), report.is_waiting) == (0, False)


def test_attaching_adds_a_person_who_waits_with_their_own_words(app, clock):
    bug = make_bug()
    clock.advance(timedelta(hours=1))

    report = attach(bug, make_telling(make_customer(), actual="Mine too."), make_user(Role.AGENT))

    assert (report.actual, report.bug_id, waiting(bug)) == ("Mine too.", bug.id, 2)
    assert bug.changed_at == clock.now()
    assert kinds()[-1] == "report.attached"


def test_a_second_telling_of_one_customer_is_a_remark_and_said_twice_is_one(app):
    hana = make_customer()
    bug = make_bug(waiting=[hana])
    telling = make_telling(hana, actual="Again.", steps="", expected="")

    first = attach(bug, telling, make_user(Role.AGENT))
    attach(bug, telling, make_user(Role.AGENT))
    attach(bug, make_telling(hana, actual="", steps="", expected=""), make_user(Role.AGENT))

    assert db.session.scalars(sa.select(Remark.text)).all() == ["Again."]
    assert db.session.scalars(sa.select(Report)).all() == [first]
    assert waiting(bug) == 1


def test_who_had_stopped_waiting_waits_again_when_attached(app):
    hana = make_customer()
    report = make_report(hana)
    make_report(bug=report.bug)
    withdraw(report)
    assert waiting(report.bug) == 1

    attach(report.bug, make_telling(hana), make_user(Role.AGENT))

    assert (report.settled_at, report.settled_by, waiting(report.bug)) == (None, None, 2)


def test_attaching_to_a_merged_bug_acts_on_its_canonical_one(app):
    canonical, merged = make_bug(), make_bug()
    with transaction():
        merged.merged_into_id = merged.canonical_id = canonical.id

    report = attach(merged, make_telling(make_customer()), make_user(Role.AGENT))

    assert report.bug_id == canonical.id
    assert waiting(canonical) == 3


def test_a_withdrawn_report_settles_without_a_word(app):
    report, other = make_report(), make_customer()
    make_report(other, bug=report.bug)

    withdraw(report)

    assert (report.settled_by, report.bug.withdrawn_at, waiting(report.bug)) == (SettledBy.WITHDRAWN, None, 1)
    assert kinds()[-1] == "report.withdrawn"


def test_a_bug_without_reports_and_without_work_goes_with_its_last_report(app):
    report = make_report()

    withdraw(report)

    assert report.bug.withdrawn_at is not None
    assert kinds()[-2:] == ["report.withdrawn", "bug.withdrawn"]
    with pytest.raises(Conflict, match="was taken back"):
        attach(report.bug, make_telling(make_customer()), make_user())


def test_a_bug_that_somebody_took_stays(app):
    report, owner = make_report(), make_user()
    with transaction():
        report.bug.owner_id = owner.id

    withdraw(report)

    assert report.bug.withdrawn_at is None


def test_a_settled_report_cannot_be_taken_back(app):
    report = make_report()
    withdraw(report)

    with pytest.raises(Conflict, match="settled already"):
        withdraw(report)


def test_a_source_longer_than_its_column_is_refused(app):
    with pytest.raises(Invalid) as refusal:
        file(make_telling(make_customer(), source="x" * 201), make_user())

    assert refusal.value.field == "source"
