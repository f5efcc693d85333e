"""Several people who merge, separate and attach at once: no loop, no bug without a stand-in, nobody uncounted."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, hold, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import attaching, crowds, reports, waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Option, OptionList, Report, Status
from bugintake.loop import announcements, replies
from bugintake.loop.envelopes import OWED
from bugintake.loop.models import Message
from bugintake.team.models import User
from bugintake.triage import merging, splitting, transitions
from tests.conftest import AT_ONCE
from tests.factories import make_bug, make_customer, make_option, make_telling, merge
from tests.waits import at_once, wait_until_waiting

pytestmark = pytest.mark.usefixtures("company")


def the(kind, number):
    """Read a row in the thread that uses it."""
    return db.session.get_one(kind, number)


def check(*ids):
    """Check that each bug stands for itself or is a part of one that does, and that everybody is counted there."""
    for number in ids:
        bug, seen = the(Bug, number), set()
        root = bug
        while root.merged_into_id is not None:
            assert root.id not in seen
            seen.add(root.id)
            root = the(Bug, root.merged_into_id)
        wait = set(db.session.scalars(waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id)))
        assert (bug.canonical_id, bug.waiting_count) == (root.id, len(wait))


def test_of_two_who_merge_a_pair_in_opposite_directions_one_does(mira, together):
    pair, actor_id = [make_bug().id, make_bug().id], mira.id

    def work(number):
        with transaction():
            one, other = pair if number % 2 else reversed(pair)
            merging.merge(the(Bug, one), the(Bug, other), actor=the(User, actor_id))

    answers = together(work)

    assert [type(answer) for answer in answers if answer is not None] == [Conflict] * (AT_ONCE - 1)
    check(*pair)


def test_a_ring_never_closes(mira, together):
    ring, actor_id = [make_bug().id for _ in range(AT_ONCE)], mira.id

    def work(number):
        with transaction():
            merging.merge(the(Bug, ring[number]), the(Bug, ring[(number + 1) % AT_ONCE]), actor=the(User, actor_id))

    answers = together(work)

    assert [type(answer) for answer in answers if answer is not None] == [Conflict]
    check(*ring)
    assert len({the(Bug, number).canonical_id for number in ring}) == 1


@pytest.mark.parametrize("status", [Status.NEW, Status.DECLINED])
def test_whoever_is_attached_while_the_bug_is_merged_waits_for_the_other_one(mira, together, status):
    part, whole = make_bug(), make_bug(status)
    part_id, whole_id, actor_id = part.id, whole.id, mira.id
    telling = make_telling()
    chosen = {kind.value: getattr(telling, kind.value).id for kind in OptionList if kind != OptionList.DECLINE_REASON}
    customer_ids = [make_customer().id for _ in range(AT_ONCE)]

    def work(number):
        with transaction():
            bug, actor = the(Bug, part_id), the(User, actor_id)
            if number == AT_ONCE // 2:
                merging.merge(bug, the(Bug, whole_id), actor=actor)
                return
            options = {name: the(Option, each) for name, each in chosen.items()}
            words = {"steps": "a", "actual": "b", "expected": "c"}
            customer = the(Customer, customer_ids[number])
            attaching.attach(bug, reports.Telling(customer=customer, **options, **words), actor=actor)

    assert together(work) == [None] * AT_ONCE
    check(part_id, whole_id)
    assert the(Bug, whole_id).waiting_count == AT_ONCE + 1
    if status == Status.DECLINED:
        about = Message.announcement_id == announcements.current(the(Bug, whole_id)).id
        owed = db.session.scalars(sa.select(Message.state).where(about)).all()
        assert owed == ["pending"] * (AT_ONCE + 1)


def test_what_a_customer_says_while_the_bug_is_merged_and_separated_counts(mira, together):
    people = [make_customer() for _ in range(AT_ONCE)]
    part, whole = make_bug(waiting=people), make_bug()
    part_id, whole_id, actor_id = part.id, whole.id, mira.id
    report_ids = list(db.session.scalars(waiting.reports_under(part.id).with_only_columns(Report.id)))

    def work(number):
        with transaction():
            bug, actor = the(Bug, part_id), the(User, actor_id)
            if number == 0:
                merging.merge(bug, the(Bug, whole_id), actor=actor)
            elif number == 1:
                splitting.split(the(Report, report_ids[1]), "Another problem", actor=actor)
            else:
                replies.works_now(the(Report, report_ids[number]))

    assert together(work) == [None] * AT_ONCE
    check(part_id, whole_id, the(Report, report_ids[1]).bug_id)
    said = db.session.scalars(sa.select(Report.settled_by).where(Report.id.in_(report_ids[2:]))).all()
    assert said == ["works_now"] * (AT_ONCE - 2)


def test_of_several_who_separate_a_part_one_does(mira, together):
    part, whole = make_bug(), make_bug()
    part_id, whole_id, actor_id = part.id, whole.id, mira.id
    merge(part, whole)

    def separate(_number):
        with transaction():
            merging.unmerge(the(Bug, part_id), actor=the(User, actor_id))

    answers = [type(answer) for answer in together(separate)]

    assert answers.count(Conflict) == AT_ONCE - 1
    check(part_id, whole_id)


def test_of_several_who_split_a_report_off_one_does(mira, together):
    bug = make_bug(waiting=[make_customer(), make_customer()])
    bug_id, actor_id = bug.id, mira.id
    report_id = db.session.scalars(waiting.reports_under(bug.id).with_only_columns(Report.id)).all()[1]

    def split(_number):
        with transaction():
            splitting.split(the(Report, report_id), "Another problem", actor=the(User, actor_id))

    answers = [type(answer) for answer in together(split) if answer is not None]

    assert answers == [Conflict] * (AT_ONCE - 1)
    check(bug_id, the(Report, report_id).bug_id)


def attach(bug_id, report_id):
    telling = make_telling(make_customer())
    attaching.attach(the(Bug, bug_id), telling, actor=the(Report, report_id).filed_by)


def attach_crowd(bug_id, report_id):
    actor = the(Report, report_id).filed_by
    crowd = crowds.Crowd(known=[make_customer()], new=[], waiting=[], refused=[])
    crowds.attach_all(the(Bug, bug_id), crowd, words="", languages={}, actor=actor, key="k")


def on_report(verb):
    return lambda _bug_id, report_id: verb(the(Report, report_id))


@pytest.mark.only_on("postgres")
@pytest.mark.parametrize(
    ("verb", "waits"),
    [
        (attach, 3),
        (attach_crowd, 3),
        (on_report(lambda report: reports.withdraw(report, actor=report.filed_by)), 1),
        (on_report(replies.works_now), 1),
        (on_report(replies.still_happening), 2),
        (on_report(replies.unsubscribe), 1),
    ],
    ids=["attach", "attach a crowd", "withdraw", "works now", "still happening", "unsubscribe"],
)
def test_who_waited_for_the_bug_while_it_was_merged_acts_on_what_stands_for_it(app, mira, verb, waits):
    part, whole = make_bug(), make_bug(Status.DECLINED)
    make_telling()
    for kind in (OptionList.FREQUENCY, OptionList.PLATFORM, OptionList.VERSION):
        make_option(kind, "Not sure", is_unsure=True)
    ids = part.id, db.session.scalars(waiting.reports_under(part.id).with_only_columns(Report.id)).one()
    error = meanwhile(app, part, lambda: verb(*ids), lambda: merging.merge(part, whole, actor=mira))

    assert error is None
    check(part.id, whole.id)
    assert the(Bug, whole.id).waiting_count == waits
    about = sa.select(Message.customer_id).where(Message.state.in_(OWED))
    assert sorted(db.session.scalars(about)) == sorted(
        db.session.scalars(waiting.unsettled_under(whole.id).with_only_columns(Report.customer_id))
    )


@pytest.mark.only_on("postgres")
def test_a_bug_that_is_merged_while_somebody_moves_it_stays_where_it_was(app, mira):
    part, whole, actor_id = make_bug(), make_bug(), mira.id
    part_id = part.id

    def accept():
        transitions.accept(the(Bug, part_id), actor=the(User, actor_id))

    error = meanwhile(app, part, accept, lambda: merging.merge(part, whole, actor=mira))

    assert type(error) is Conflict
    assert the(Bug, part_id).status == Status.NEW


@pytest.mark.only_on("postgres")
def test_what_a_customer_says_while_their_report_is_split_off_counts_there(app, mira):
    bug = make_bug(waiting=[make_customer(), make_customer()])
    report = db.session.scalars(waiting.reports_under(bug.id).order_by(Report.id)).all()[1]
    bug_id, report_id = bug.id, report.id

    error = meanwhile(
        app,
        bug,
        lambda: replies.works_now(the(Report, report_id)),
        lambda: splitting.split(report, "Another problem", actor=mira),
    )

    assert (error, the(Report, report_id).settled_by) == (None, "works_now")
    check(bug_id, the(Report, report_id).bug_id)


@pytest.mark.only_on("postgres")
def test_whoever_waited_for_a_part_lets_it_go_before_they_take_the_whole(app, mira):
    whole, part = make_bug(), make_bug()
    report_id = db.session.scalars(waiting.reports_under(part.id).with_only_columns(Report.id)).one()
    make_telling()

    with transaction():
        merging.merge(part, whole, actor=mira)
        trees = at_once(app, lambda: waiting.take([whole.id, part.id]))
        attaching_to_part = at_once(app, lambda: attach(part.id, report_id))
        saying = at_once(app, lambda: replies.works_now(the(Report, report_id)))
        wait_until_waiting(trees, attaching_to_part, saying)

    assert [trees(), attaching_to_part(), saying()] == [None, None, None]
    db.session.expire_all()
    check(part.id, whole.id)
    assert the(Bug, whole.id).waiting_count == 2


def meanwhile(app, bug, waits, holds):
    """Do one thing while somebody else, who began in time, waits for the same bug; return what that ended in."""
    with transaction():
        hold(bug)
        other = at_once(app, waits)
        wait_until_waiting(other)
        holds()
    error = other()
    db.session.rollback()
    db.session.expire_all()
    return error
