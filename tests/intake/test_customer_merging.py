"""Two records of one person or company become one: everything follows, and nobody is told twice."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.forms import Seen
from bugintake.intake import crowds, reports
from bugintake.intake.customers import adding, changing, merging, queries
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, Remark, Report, Status
from bugintake.loop import envelopes, links, messages
from bugintake.loop.models import LEAVING, Delivery, DeliveryState, HeldBecause, LinkPurpose, Message, MessageState
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace


@pytest.fixture(autouse=True)
def _company(company):
    make_workspace(review_minutes=0)


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea")


@pytest.fixture
def hana(app):
    return make_customer("Hana", email="hana@b.com")


@pytest.fixture
def twin(app):
    return make_customer("Hana K", email="hk@b.com", company="Brightline")


def merge(gone, into, actor):
    with transaction():
        merging.merge(gone, into, actor=actor)
    db.session.expire_all()


def make_attached(bug, customer, words):
    lea = make_user(Role.AGENT)
    with transaction():
        crowd = crowds.meant(bug, customer.email, "")
        crowds.attach_all(bug, crowd, words=words, languages={}, actor=lea, key=words)


def waiting(bug):
    return db.session.get_one(Bug, bug.id).waiting_count


def owed(bug):
    about = sa.select(Message.customer_id, Message.state).order_by(Message.id)
    return [tuple(row) for row in db.session.execute(about)]


def test_reports_of_other_bugs_come_along(hana, twin, lea):
    one, other = make_bug(waiting=[hana]), make_bug(waiting=[twin])

    merge(twin, hana, lea)

    assert [report.bug_id for report in queries.reports_by(hana, lea)] == [other.id, one.id]
    assert (waiting(one), waiting(other)) == (1, 1)


def test_what_both_told_of_one_bug_becomes_a_remark_and_one_person_waits(hana, twin, lea):
    bug = make_bug(waiting=[hana])
    make_attached(bug, twin, "It also breaks for me.")
    first = queries.reports_by(hana, lea)[0]

    merge(twin, hana, lea)

    remarks = db.session.scalars(sa.select(Remark)).all()
    assert [(remark.report_id, remark.text) for remark in remarks] == [(first.id, "It also breaks for me.")]
    assert (waiting(bug), len(queries.reports_by(hana, lea))) == (1, 1)


def test_what_the_other_record_knows_fills_what_this_one_lacks(hana, twin, lea):
    with transaction():
        changing.change_customer(twin, {"ids": "crm: 4711", "zone": "Europe/Zagreb"}, Seen(), actor=lea)
        changing.write_note(twin, "On leave.", actor=lea)

    merge(twin, hana, lea)

    assert (hana.email, hana.account.name, hana.zone) == ("hana@b.com", "Brightline", "Europe/Zagreb")
    assert changing.written(queries.external_ids(hana)) == "crm: 4711"
    assert [note.text for note in queries.notes_on(hana)] == ["On leave."]


def test_the_old_address_leads_to_the_record_that_stays(hana, twin, lea):
    merge(twin, hana, lea)

    with transaction():
        found = adding.known_or_new("hk@b.com", actor=None)
    assert (found, list(adding.customers_called("hk@b.com"))) == (hana, [hana])
    assert [each.customer for each in queries.customers_like("hana", lea)] == [hana]


def test_a_record_without_an_address_gets_the_other_ones(twin, lea):
    nobody = make_customer("Hana", email="")

    merge(twin, nobody, lea)

    assert (nobody.email, db.session.get_one(Customer, twin.id).email) == ("hk@b.com", None)


def test_an_old_address_can_become_the_own_one(hana, twin, lea):
    merge(twin, hana, lea)

    with transaction():
        changing.change_customer(hana, {"email": "hk@b.com"}, Seen(), actor=lea)

    assert hana.email == "hk@b.com"


def test_of_two_messages_that_wait_one_stays(hana, twin, lea):
    bug = make_bug(Status.LIVE, waiting=[hana, twin])
    with transaction():
        envelopes.open_due()

    merge(twin, hana, lea)

    assert (owed(bug), waiting(bug)) == ([(hana.id, MessageState.PENDING)], 1)


@pytest.mark.parametrize("first", [True, False])
def test_who_was_told_as_either_is_not_told_again(hana, twin, lea, first):
    bug = make_bug(Status.LIVE, waiting=[hana, twin])
    knows = hana if first else twin
    with transaction():
        message = db.session.scalars(sa.select(Message).where(Message.customer_id == knows.id)).one()
        messages.tell_by_hand(message, actor=lea)

    merge(twin, hana, lea)

    assert (owed(bug), waiting(bug)) == ([(hana.id, MessageState.TOLD_BY_HAND)], 0)


def test_who_was_told_as_both_keeps_both_mails_on_the_page(hana, twin, lea):
    bug = make_bug(Status.LIVE, waiting=[hana, twin])
    with transaction():
        for message in db.session.scalars(sa.select(Message)).all():
            messages.tell_by_hand(message, actor=lea)

    merge(twin, hana, lea)

    assert (len(owed(bug)), waiting(bug)) == (2, 0)


@pytest.mark.parametrize("first", [True, False])
def test_who_waits_as_one_is_still_owed_what_the_other_no_longer_was(hana, twin, lea, first):
    bug = make_bug(Status.LIVE, waiting=[hana, twin])
    stopped = db.session.scalars(sa.select(Report).where(Report.customer_id == (hana if first else twin).id)).one()
    with transaction():
        reports.withdraw(stopped, actor=lea)

    merge(twin, hana, lea)

    assert (owed(bug), waiting(bug)) == ([(hana.id, MessageState.PENDING)], 1)


def test_the_record_that_is_gone_never_waits_again(hana, twin, lea):
    bug = make_bug(Status.LIVE, waiting=[hana, twin])
    with transaction():
        for message in db.session.scalars(sa.select(Message)).all():
            messages.tell_by_hand(message, actor=lea)
    merge(twin, hana, lea)

    with transaction():
        transitions.unrelease(db.session.get_one(Bug, bug.id), actor=lea)

    assert waiting(bug) == 1


def test_a_message_about_another_bug_goes_to_the_address_that_stays(hana, twin, lea):
    bug = make_bug(Status.LIVE, waiting=[twin])
    with transaction():
        envelopes.open_due()

    merge(twin, hana, lea)
    with transaction():
        envelopes.open_due()

    assert owed(bug) == [(hana.id, MessageState.PENDING)]
    envelope = sa.select(Delivery.customer_id, Delivery.state).order_by(Delivery.id)
    states = [tuple(row) for row in db.session.execute(envelope)]
    assert states[-1] == (hana.id, DeliveryState.PENDING)


@pytest.mark.parametrize("envelope", LEAVING)
def test_while_a_mail_is_handed_over_nothing_is_merged(hana, twin, lea, envelope):
    make_bug(Status.LIVE, waiting=[hana, twin])
    with transaction():
        envelopes.open_due()
        db.session.execute(sa.update(Delivery).values(state=envelope))

    with pytest.raises(Conflict):
        merge(twin, hana, lea)

    assert db.session.get_one(Customer, twin.id).merged_into_id is None


def test_what_waited_for_an_address_may_leave_once_there_is_one(twin, lea):
    nobody = make_customer("Hana", email="")
    make_bug(Status.LIVE, waiting=[nobody])
    held = db.session.scalars(sa.select(Message)).one()
    assert held.held_because is HeldBecause.NO_ADDRESS

    merge(twin, nobody, lea)

    assert db.session.scalars(sa.select(Message.state)).one() is MessageState.PENDING


def test_private_links_keep_working_also_of_a_report_that_became_a_remark(hana, twin, lea):
    bug = make_bug(waiting=[hana])
    make_attached(bug, twin, "For me too.")
    theirs = db.session.scalars(sa.select(Report).where(Report.customer_id == twin.id)).one()
    with transaction():
        secret = links.make_link(theirs, LinkPurpose.REPORT, "en")[1].rpartition("/")[2]

    merge(twin, hana, lea)

    assert links.report_behind(secret, LinkPurpose.REPORT).customer_id == hana.id


@pytest.mark.parametrize("how", ["itself", "merged"])
def test_nothing_is_merged_twice_or_with_itself(hana, twin, lea, how):
    if how == "merged":
        merge(twin, hana, lea)

    with pytest.raises(Conflict):
        merge(twin, twin if how == "itself" else hana, lea)


def test_a_record_merged_before_leads_to_the_last_one(hana, twin, lea):
    last = make_customer("Hana Last")
    merge(twin, hana, lea)

    merge(hana, last, lea)

    assert db.session.get_one(Customer, twin.id).merged_into_id == last.id


def test_companies_become_one_with_their_people_and_the_old_name_leads_there(twin, lea):
    sam = make_customer("Sam", company="Bright Line")
    gone, into = db.session.get_one(Account, sam.account_id), db.session.get_one(Account, twin.account_id)

    with transaction():
        merging.merge_accounts(gone, into, actor=lea)
    db.session.expire_all()

    assert (sam.account_id, adding.account_called("bright line").id) == (into.id, into.id)
    assert [each.customer.name for each in queries.customers_like("brightline sam", lea)] == ["Sam"]
    with pytest.raises(Conflict), transaction():
        merging.merge_accounts(gone, into, actor=lea)


def test_the_preview_says_what_comes_along_but_not_what_the_reader_may_not_see(hana, twin, lea):
    make_report(twin)
    hidden = make_bug(waiting=[twin])
    with transaction():
        db.session.get_one(Bug, hidden.id).is_restricted = True

    assert len(merging.effect(twin, hana, lea).moves) == 1
