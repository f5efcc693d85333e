"""My reports: what became of what an agent filed."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import reports
from bugintake.intake.models import Question, Status
from bugintake.intake.queries import reports_of
from bugintake.loop.models import Message, MessageState
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.counting import fewest
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace
from tests.visitors import visit


@pytest.fixture
def company(app, clock):
    make_workspace()


@pytest.fixture
def lea(company):
    return make_user(Role.AGENT, "Lea Sommer")


def listed(app, user, address="/mine"):
    """What the table says: reference, customer, what they were told."""
    page = visit(app, user).get(address).text
    rows = re.findall(r"<tr data-ref=\"BUG-\d+\"><th scope=\"row\">(.*?)</tr>", page, re.DOTALL)
    plain = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "|", row)) for row in rows]
    return [
        (re.search(r"BUG-\d+", row)[0], [part.strip(" |") for part in re.split(r"\|+", row) if part.strip(" |")][2:])
        for row in plain
    ]


def test_it_lists_what_was_filed_and_attached_the_newest_first_and_nothing_of_others(app, lea, clock):
    hana, sam = make_customer("Hana Kovač", company="Brightline"), make_customer("Sam Okafor")
    filed = make_bug(waiting=[hana], actor=lea)
    others = make_bug(Status.ACCEPTED)
    make_report(sam, bug=others, actor=lea)
    make_bug()

    assert listed(app, lea) == [
        (others.ref, ["Sam Okafor", "Accepted", "Nothing yet"]),
        (filed.ref, ["Hana Kovač, Brightline", "New", "Nothing yet"]),
    ]


def test_a_report_that_was_asked_back_is_on_top_with_its_question_until_it_is_answered(app, lea):
    mira = make_user()
    asked, later = make_bug(actor=lea), make_bug(actor=lea)
    with transaction():
        transitions.ask(asked, reports_of(asked)[0], "Which browser is it?", actor=mira)
    page = visit(app, lea).get("/mine").text
    before = [ref for ref, _ in listed(app, lea)]
    with transaction():
        transitions.answer(db.session.scalars(sa.select(Question)).one(), "Firefox", actor=lea)

    assert page.index("Which browser is it?") < page.index(later.ref)
    assert (before, page.count(f"{asked.ref} ·")) == ([later.ref], 1)
    assert [ref for ref, _ in listed(app, lea)] == [later.ref, asked.ref]


def test_it_says_what_each_customer_was_told_and_when_or_why_not(app, lea, clock):
    mira = make_user()
    bugs = [make_bug(waiting=[make_customer(language="en")], actor=lea) for _ in range(3)]
    for bug in bugs:
        bring_to(bug, Status.DECLINED, actor=mira)
    nobody = make_bug(waiting=[], actor=lea)
    messages = db.session.scalars(sa.select(Message).order_by(Message.id)).all()
    clock.advance(timedelta(hours=1))
    with transaction():
        messages[1].state, messages[1].state_at = MessageState.SENT, clock.now()
        messages[2].state, messages[2].reason = MessageState.HELD, "Wait for the lawyers."
        messages[2].held_because = "no_note"

    told = dict(listed(app, lea))

    assert [told[bug.ref][2:] for bug in bugs] == [
        ["To be sent"],
        ["Sent", "Tue 10 Mar 10:00"],
        ["Held", "Wait for the lawyers."],
    ]
    assert told[nobody.ref][1:] == ["New", "Found by us: nobody waits"]


@pytest.mark.parametrize("state", [state for state in MessageState if state != MessageState.SENT])
def test_words_that_were_written_and_not_sent_are_not_shown_as_read(app, lea, state):
    bug = make_bug(waiting=[make_customer()], actor=lea)
    bring_to(bug, Status.DECLINED, actor=make_user())
    with transaction():
        message = db.session.scalars(sa.select(Message)).one()
        message.state, message.text = state, "Hi, we are leaving it as it is."

    assert "we are leaving it as it is" not in visit(app, lea).get("/mine").text


def test_it_says_which_words_a_customer_read_in_their_language(app, lea):
    bug = make_bug(waiting=[make_customer(language="de")], actor=lea)
    bring_to(bug, Status.DECLINED, actor=make_user())
    with transaction():
        message = db.session.scalars(sa.select(Message)).one()
        message.state, message.text = MessageState.SENT, "Hallo, wir lassen es <so>."

    page = visit(app, lea).get("/mine").text

    assert '<p class="words" lang="de" dir="ltr">Hallo, wir lassen es &lt;so&gt;.</p>' in page


def test_a_merged_bug_is_shown_as_the_one_that_stands_for_it(app, lea):
    part, whole = make_bug(actor=lea), make_bug()
    with transaction():
        part.merged_into_id = part.canonical_id = whole.id

    assert [ref for ref, _ in listed(app, lea)] == [whole.ref]


def test_a_bug_that_was_hidden_from_whoever_attached_to_it_is_not_there(app, lea):
    bug = make_bug()
    make_report(bug=bug, actor=lea)
    with transaction():
        editing.restrict(bug, True, actor=make_user(Role.LEAD))

    assert listed(app, lea) == []


def test_what_was_taken_back_is_not_listed(app, lea):
    bug = make_bug(actor=lea)
    with transaction():
        reports.withdraw(reports_of(bug)[0], actor=lea)

    assert listed(app, lea) == []


def test_the_page_costs_the_same_number_of_queries_for_one_report_and_for_many_and_is_read_in_parts(app, lea):
    bug = make_bug(actor=lea)
    visitor = visit(app, lea)
    one = fewest(lambda: visitor.get("/mine"))
    for _ in range(51):
        make_report(bug=bug, actor=lea)

    assert fewest(lambda: visitor.get("/mine")) == one
    assert [len(listed(app, lea, f"/mine?page={page}")) for page in (1, 2)] == [50, 2]


def test_an_agent_finds_it_in_the_top_bar_and_an_engineer_does_not(app, lea):
    top = [re.findall(r'data-go="(\w)"', visit(app, user).get("/mine").text) for user in (lea, make_user())]

    assert top == [["b", "d", "l", "m"], ["b", "d", "l"]]
    current = re.findall(r'data-go="(\w)" aria-current', visit(app, lea).get("/mine").text)
    assert current == ["m"]
