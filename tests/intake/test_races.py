"""Several people at once: one submission makes one report, and everybody who waits is counted."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bugintake.core.db import ENDED_FOR_ANOTHER, db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import attaching, catalogue, filing, further_lists, option_merging, proposals, reports
from bugintake.intake.customers import erasing, merging
from bugintake.intake.customers.models import Customer
from bugintake.intake.filing import Typed
from bugintake.intake.models import Bug, Option, OptionList, Report
from bugintake.team.models import Role, User
from tests.conftest import AT_ONCE
from tests.factories import make_bug, make_customer, make_list, make_telling, make_user


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

    def request(number):
        try:
            return work(number)
        except OperationalError as ended:  # by PostgreSQL for another: a request is answered again then
            if getattr(ended.orig, "sqlstate", None) not in ENDED_FOR_ANOTHER:
                raise
            db.session.rollback()
            return work(number)

    assert [answer for answer in together(request) if isinstance(answer, Exception)] == []
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
