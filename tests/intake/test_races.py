"""Several people at once: one submission makes one report, and everybody who waits is counted."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, hold, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import (
    attaching,
    catalogue,
    crowds,
    filing,
    further_lists,
    option_merging,
    proposals,
    reports,
    waiting,
)
from bugintake.intake.customers import adding, erasing, merging
from bugintake.intake.customers.models import Customer
from bugintake.intake.filing import Typed
from bugintake.intake.models import Bug, Option, OptionList, Report
from bugintake.team.models import Role, User
from tests.conftest import AT_ONCE
from tests.factories import make_bug, make_customer, make_list, make_option, make_telling, make_user
from tests.factories import merge as merge_bugs
from tests.waits import at_once, wait_until_waiting


def test_one_submission_sent_by_several_threads_makes_one_report_and_one_customer(company, together):
    agent_id = make_user(Role.AGENT).id
    chosen = {kind: db.session.scalars(sa.select(Option).where(Option.list == kind)).first() for kind in filing.ASKED}
    choices = {kind: str(option.id) for kind, option in chosen.items()}
    texts = {"steps": "a", "actual": "b", "expected": "c"}
    typed = Typed(customer="new@example.com", new_name="New", new_company="Fresh", choices=choices, **texts)

    def submit(_number):
        with transaction():
            return filing.submit(typed, None, actor=db.session.get_one(User, agent_id), key="k").id

    assert len(set(together(submit))) == 1
    counts = [db.session.scalar(sa.select(sa.func.count()).select_from(each)) for each in (Report, Bug, Customer)]
    assert counts == [1, 1, 1]


def test_everybody_who_is_attached_at_once_is_counted(app, together):
    agent_id, bug_id = make_user(Role.AGENT).id, make_bug().id
    customer_ids = [make_customer().id for _number in range(AT_ONCE)]
    make_telling()

    def attach(number):
        with transaction():
            bug, agent = db.session.get_one(Bug, bug_id), db.session.get_one(User, agent_id)
            attaching.attach(bug, made(db.session.get_one(Customer, customer_ids[number])), actor=agent)

    assert together(attach) == [None] * AT_ONCE
    assert db.session.get_one(Bug, bug_id).waiting_count == AT_ONCE + 1


def test_one_customer_attached_at_once_by_several_waits_once(app, together):
    agent_id, bug_id, customer_id = make_user(Role.AGENT).id, make_bug().id, make_customer().id

    def attach(_number):
        with transaction():
            bug, agent = db.session.get_one(Bug, bug_id), db.session.get_one(User, agent_id)
            attaching.attach(bug, made(db.session.get_one(Customer, customer_id)), actor=agent)

    assert together(attach) == [None] * AT_ONCE
    assert db.session.get_one(Bug, bug_id).waiting_count == 2


def made(customer):
    """Tell about a bug with the choices that are there already."""
    chosen = {
        kind.value: db.session.scalars(sa.select(Option).where(Option.list == kind)).first()
        for kind in OptionList
        if kind != OptionList.DECLINE_REASON
    }
    return reports.Telling(customer=customer, **chosen, steps="a", actual="b", expected="c")


def test_words_that_several_type_at_once_become_one_choice_and_one_version(company, together):
    agent_id = make_user(Role.AGENT).id
    area_id = catalogue.options_of(OptionList.AREA)[0].id
    make_list("Proxy", grows=True)

    def choose(_number):
        with transaction():
            area = db.session.get_one(Option, area_id)
            return [option.label for _list, option in further_lists.chosen({"proxy": "Squid 6"}, area)]

    def name_version(_number):
        with transaction():
            return proposals.version_named("9.9.9", actor=db.session.get_one(User, agent_id)).label

    assert together(choose) == [["Squid 6"]] * AT_ONCE
    assert together(name_version) == ["9.9.9"] * AT_ONCE


def test_whatever_is_filed_while_its_area_is_merged_follows_it(company, together):
    agent_id, lead_id = make_user(Role.AGENT).id, make_user(Role.LEAD).id
    chosen = {kind: str(catalogue.options_of(kind)[0].id) for kind in OptionList if kind != OptionList.DECLINE_REASON}
    area_id, into_id = (option.id for option in catalogue.options_of(OptionList.AREA)[:2])
    draft = Typed(is_found_by_us=True, choices=chosen, steps="a", actual="b", expected="c")

    def work(number):
        with transaction():
            if number == AT_ONCE // 2:
                options = db.session.get_one(Option, area_id), db.session.get_one(Option, into_id)
                return option_merging.merge(*options, actor=db.session.get_one(User, lead_id)).id
            return filing.submit(draft, None, actor=db.session.get_one(User, agent_id), key=None).id

    assert [answer for answer in together(work) if not isinstance(answer, int)] == []
    assert db.session.scalars(sa.select(Report.area_id).distinct()).all() == [into_id]
    assert db.session.scalars(sa.select(Bug.area_id).distinct()).all() == [into_id]


def test_what_was_chosen_is_held_until_it_is_filed(company):
    chosen = {kind: str(catalogue.options_of(kind)[0].id) for kind in OptionList if kind != OptionList.DECLINE_REASON}
    row = sa.select(Option.id).where(Option.id.in_(map(int, chosen.values()))).with_for_update(skip_locked=True)

    with transaction():
        filing.options_chosen(Typed(choices=chosen))
        with db.engine.connect().execution_options(is_writing=db.engine.dialect.name == "postgresql") as merging:
            free = merging.execute(row).all()

    is_single_writer = db.engine.dialect.name == "sqlite"
    assert len(free) == (len(chosen) if is_single_writer else 0)


def test_who_is_attached_while_their_record_is_merged_waits_as_the_one_that_stands(company, together):
    lead_id, bug_id = make_user(Role.LEAD).id, make_bug(waiting=[]).id
    gone_id, into_id = make_customer("Hana").id, make_customer("Hana K.").id

    def work(number):
        with transaction():
            lead, bug = db.session.get_one(User, lead_id), db.session.get_one(Bug, bug_id)
            gone, into = (db.session.get_one(Customer, each) for each in (gone_id, into_id))
            if number == AT_ONCE // 2:
                return merging.merge(gone, into, actor=lead)
            if number % 2:
                return attaching.attach(bug, made(gone), actor=lead).id
            return reports.file_report(made(gone), actor=lead).id

    assert [answer for answer in together(work) if isinstance(answer, Exception)] == []
    waits = sa.select(Report.customer_id).where(Report.customer_id.is_not(None), Report.settled_at.is_(None))
    assert db.session.scalars(waits.distinct()).all() == [into_id]
    assert db.session.get_one(Bug, bug_id).waiting_count == 1


def test_nothing_is_filed_for_who_is_erased_meanwhile(company):
    hana, lead = make_customer("Hana"), make_user(Role.LEAD)
    words = made(hana)
    with transaction():
        erasing.erase(hana, actor=lead)

    with pytest.raises(Conflict), transaction():
        reports.file_report(words, actor=lead)

    assert db.session.scalars(sa.select(Bug)).all() == []


# --- Who holds what the other one wants: no two ever wait for each other ---


@pytest.mark.only_on("postgres")
def test_a_merge_that_finds_a_bug_late_lets_go_of_the_customer_before_it_takes_the_bug(app):
    lead_id, bug_id, other_id = make_user(Role.LEAD).id, make_bug(waiting=[]).id, make_customer().id
    gone_id, into_id = make_customer("Hana").id, make_customer("Hana K.").id
    make_telling()

    def attach(*ids):
        lead, bug = db.session.get_one(User, lead_id), db.session.get_one(Bug, bug_id)
        for number in ids:
            attaching.attach(bug, made(db.session.get_one(Customer, number)), actor=lead)

    def merge():
        gone, into = (db.session.get_one(Customer, each) for each in (gone_id, into_id))
        merging.merge(gone, into, actor=db.session.get_one(User, lead_id))

    with transaction():
        attach(gone_id)
        errors = [at_once(app, merge), at_once(app, lambda: attach(other_id, gone_id))]
        wait_until_waiting(*errors)
    assert [error() for error in errors] == [None, None]

    db.session.expire_all()
    assert db.session.get_one(Bug, bug_id).waiting_count == 2


@pytest.mark.only_on("postgres")
def test_a_crowd_waits_for_the_names_of_its_people_before_it_takes_the_bug(app, company):
    agent, bug_id = make_user(Role.AGENT), make_bug().id
    make_telling()
    for kind in (OptionList.FREQUENCY, OptionList.PLATFORM, OptionList.VERSION):
        make_option(kind, "Not sure", is_unsure=True)

    def attach_crowd():
        bug, actor = db.session.get_one(Bug, bug_id), db.session.get_one(User, agent.id)
        crowd = crowds.meant(bug, "new@example.com", "")
        crowds.attach_all(bug, crowd, words="", languages={}, actor=actor, key="k")

    with transaction():
        added = adding.known_or_new("new@example.com", actor=agent)
        error = at_once(app, attach_crowd)
        wait_until_waiting(error)
        attaching.attach(db.session.get_one(Bug, bug_id), made(added), actor=agent)
    assert error() is None

    db.session.expire_all()
    assert db.session.get_one(Bug, bug_id).waiting_count == 2


@pytest.mark.only_on("postgres")
def test_of_a_merged_record_nothing_is_held_while_one_waits_for_what_stands_for_it(app):
    gone, into = make_customer("Hana", email="hk@example.com"), make_customer("Hana K.", email="hana@example.com")
    with transaction():
        merging.merge(gone, into, actor=make_user(Role.LEAD))

    def stand():
        assert [each.id for each in adding.hold_standing([db.session.get_one(Customer, gone.id)])] == [into.id]

    with transaction():
        hold(into, is_leaving=True)
        error = at_once(app, stand)
        wait_until_waiting(error)
        hold(gone, is_leaving=True)
    assert error() is None


def erase(hana, twin, lead):
    erasing.erase(hana, actor=lead)


def merge(hana, twin, lead):
    merging.merge(hana, twin, actor=lead)


@pytest.mark.only_on("postgres")
@pytest.mark.parametrize("verb", [erase, merge])
def test_who_changes_a_record_takes_its_bugs_first_with_all_that_is_part_of_them(app, verb):
    hana, twin, lead = make_customer("Hana"), make_customer("Hana K."), make_user(Role.LEAD)
    part, whole = make_bug(waiting=[hana]), make_bug()
    merge_bugs(part, whole)

    def change():
        verb(*(db.session.get_one(Customer, each.id) for each in (hana, twin)), db.session.get_one(User, lead.id))

    with transaction():
        waiting.take([part.id])
        error = at_once(app, change)
        wait_until_waiting(error)
        assert error.thread.is_alive()
        waiting.take([whole.id])
        hold(hana)
    assert error() is None


@pytest.mark.only_on("postgres")
def test_whoever_is_merged_into_somebody_while_they_are_erased_is_erased_too(app):
    hana, twin, lead = make_customer("Hana"), make_customer("Hana K."), make_user(Role.LEAD)
    bug = make_bug(waiting=[hana, twin])
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == twin.id)).one()

    def erase():
        erasing.erase(db.session.get_one(Customer, hana.id), actor=db.session.get_one(User, lead.id))

    with transaction():
        hold(bug)
        error = at_once(app, erase)
        wait_until_waiting(error)
        merging.merge(twin, hana, actor=lead)
    assert error() is None

    db.session.expire_all()
    assert (db.session.get_one(Customer, twin.id).name, report.actual) == (erasing.ERASED, erasing.ERASED)
