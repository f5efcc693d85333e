"""Two connections that change the same things at the same moment, in opposite order (F-P3)."""

import contextvars
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import request
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError

from bugintake.core.db import db, hold, transaction
from bugintake.core.forms import Seen
from bugintake.intake import attaching, reports, waiting
from bugintake.intake.customers import changing
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import announcements, attempts, messages, outbox, replies
from bugintake.loop.models import Announcement, Message
from bugintake.loop.text_models import TextKind
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.team.models import Role, User
from tests.factories import make_bug, make_telling, make_user, make_workspace
from tests.loop.rows import arrive, release
from tests.loop.wording import write
from tests.visitors import visit
from tests.waits import AtOnce, wait_until_waiting

pytestmark = pytest.mark.only_on("postgres")


@pytest.fixture
def settings(settings):
    return replace(settings, smtp_url="smtp://127.0.0.1:9")


def again(made):
    """Attach the customer once more."""
    report = db.session.get_one(Report, made.report)
    attaching.attach(report.bug, make_telling(report.customer), actor=db.session.get_one(User, made.lea))


def by_hand(made):
    messages.tell_by_hand(db.session.get_one(Message, made.message), actor=db.session.get_one(User, made.lea))


def sent(made):
    attempts.begin_sending(made.claimed)
    arrive(made.claimed)


def bounced(made):
    attempts.finish(made.claimed, Outcome(Verdict.BOUNCED, Phase.RCPT, 550, "5.1.1"))


def saying(verb):
    """What a customer or somebody of the team does to the report."""

    def say(made):
        with transaction():
            verb(db.session.get_one(Report, made.report))

    return say


def withdrawn(made):
    with transaction():
        reports.withdraw(db.session.get_one(Report, made.report), actor=db.session.get_one(User, made.lea))


def told(made):
    with transaction():
        by_hand(made)


class Made:
    """A customer who is owed an outcome, in an envelope that a worker has claimed."""

    def __init__(self):
        make_workspace(review_minutes=0)
        bug, self.lea = make_bug(Status.LIVE), make_user(Role.AGENT).id
        make_telling()
        release()
        self.bug, (self.claimed,) = bug.id, outbox.claim()
        self.message = db.session.scalars(sa.select(Message.id)).one()
        self.report = db.session.scalars(sa.select(Report.id)).one()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (again, sent),
        (again, bounced),
        (again, told),
        (again, saying(replies.unsubscribe)),
        (by_hand, saying(replies.works_now)),
        (by_hand, saying(replies.still_happening)),
        (by_hand, saying(replies.unsubscribe)),
        (by_hand, withdrawn),
    ],
)
def test_f_p3_who_holds_a_bug_never_waits_for_somebody_who_waits_for_it(app, clock, first, second):
    made = Made()

    with transaction():
        hold(db.session.get_one(Bug, made.bug))
        other = AtOnce(app, lambda: second(made))
        wait_until_waiting(other)
        first(made)

    assert not isinstance(other(), OperationalError)  # a refusal is an answer, a deadlock is not
    db.session.rollback()
    unsettled = db.session.scalars(waiting.unsettled_under(made.bug)).all()
    assert db.session.get_one(Bug, made.bug, populate_existing=True).waiting_count == len(unsettled)


def test_f_p3_a_new_quiet_day_and_a_bounce_of_one_customer_never_wait_for_each_other(app, clock):
    made = Made()

    with transaction():
        customer = db.session.get_one(Report, made.report).customer
        hold(customer)
        other = AtOnce(app, lambda: bounced(made))
        wait_until_waiting(other)
        typed = {"quiet_until": "2026-05-01"}
        changing.change_customer(customer, typed, Seen(), actor=db.session.get_one(User, made.lea))

    assert other() is None


def test_f_p3_a_new_text_and_an_announcement_that_is_held_never_wait_for_each_other(app, clock):
    made = Made()

    with transaction():
        announcement = db.session.scalars(sa.select(Announcement)).one()
        announcement.released_at, announcement.due_at = None, clock.now()

    with transaction():
        hold(announcement)
        other = AtOnce(app, lambda: write(TextKind.LIVE, "{{ note }}"))
        wait_until_waiting(other)
        announcements.hold(announcement, actor=db.session.get_one(User, made.lea))

    assert other() is None


def test_f_p3_of_two_requests_in_opposite_order_one_is_tried_again(app, clock, monkeypatch):
    made, gate, orders = [make_bug().id, make_bug().id], threading.Barrier(2), []

    def take_both():
        order = made if request.args["from"] == "first" else made[::-1]
        with transaction():
            hold(db.session.get_one(Bug, order[0]))
            if len(orders) < 2:
                orders.append(order)
                gate.wait()
            else:
                orders.append(order)
            hold(db.session.get_one(Bug, order[1]))
        return "both"

    make_workspace()
    monkeypatch.setitem(app.view_functions, "loop.index", take_both)
    browsers = {way: visit(app, make_user()) for way in ("first", "last")}
    answers = {}

    def ask(way):
        answers[way] = browsers[way].get("/loop", query_string={"from": way}).text

    threads = [threading.Thread(target=contextvars.Context().run, args=(ask, way)) for way in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {"first": "both", "last": "both"}
    assert len(orders) > 2  # one was ended, and once more where it came back before the other had what it waited for


@pytest.mark.parametrize(("times", "status"), [(1, 200), (2, 200), (3, 503)])
def test_f_p3_a_request_that_was_ended_for_another_is_tried_three_times(app, monkeypatch, times, status):
    ended = []

    def end():
        if len(ended) < times:
            ended.append(1)
            raise OperationalError("UPDATE bug", {}, DeadlockDetected())
        return "done"

    make_workspace()
    monkeypatch.setitem(app.view_functions, "loop.index", end)
    monkeypatch.setattr("bugintake.core.trying_again.PAUSES", (0, 0))

    assert visit(app, make_user()).get("/loop").status_code == status
    assert len(ended) == times
