"""A personal line for whoever told us of many bugs lately: who is flagged, and what they alone read."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, Stale
from bugintake.core.forms import Seen, fingerprint
from bugintake.intake.customers import erasing
from bugintake.intake.customers import merging as customer_merging
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.loop import letters, personal_lines
from bugintake.loop.doubts import doubts_about, named_in
from bugintake.loop.facts import Outcome
from bugintake.loop.links import Links
from bugintake.loop.models import MessageState
from bugintake.team.models import Role
from bugintake.team.workspace import workspace
from bugintake.triage import editing
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace, merge
from tests.loop.reading import words_of
from tests.loop.rows import announcement_of, kinds, message_to, one_message, release
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea Sommer")


@pytest.fixture
def hana(app):
    return make_customer("Hana Kos", email="hana@example.com", company="Brightline")


def write(message, text, actor, seen=None):
    with transaction():
        personal_lines.write(message, text, seen or Seen(), actor=actor)


def letter(message):
    return letters.outcome_letter([Outcome(message, Links("…", "…"))], workspace())


def test_the_third_bug_in_90_days_is_flagged_and_the_second_is_not(hana, lea, clock):
    make_bug(waiting=[hana])
    clock.advance(timedelta(days=89))
    make_bug(waiting=[hana])
    assert personal_lines.told_many([hana.id], lea) == {}

    make_bug(waiting=[hana])
    assert personal_lines.told_many([hana.id], lea) == {hana.id: 3}

    clock.advance(timedelta(days=1, seconds=1))
    assert personal_lines.told_many([hana.id], lea) == {}


def test_duplicates_are_one_bug_and_what_was_taken_back_is_none(hana, lea):
    first, part, *_others = (make_bug(waiting=[hana]) for _ in range(4))
    merge(part, first)
    assert personal_lines.told_many([hana.id], lea) == {hana.id: 3}

    with transaction():
        for report in db.session.scalars(sa.select(Report).where(Report.bug_id.in_([first.id, part.id]))):
            report.settled_by, report.settled_at = SettledBy.WITHDRAWN, report.filed_at
    assert personal_lines.told_many([hana.id], lea) == {}


def test_a_restricted_bug_counts_only_for_who_may_see_it(hana, lea):
    bugs = [make_bug(waiting=[hana]) for _ in range(3)]
    lead = make_user(Role.LEAD)
    with transaction():
        editing.restrict(db.session.get_one(Bug, bugs[0].id), True, actor=lead)

    assert personal_lines.told_many([hana.id], lea) == {}
    assert personal_lines.told_many([hana.id], lead) == {hana.id: 3}


def test_the_line_stands_in_that_persons_mail_alone_before_what_they_told(hana, lea):
    bug = make_bug(Status.LIVE, waiting=[hana, make_customer(email="sam@example.com")])

    write(message_to("hana@example.com"), "You helped us a third time.", lea)

    mine, other = letter(message_to("hana@example.com")), letter(message_to("sam@example.com"))
    assert [line.text for line in mine.lines][:3] == [
        "Hello Hana,",
        "You helped us a third time.",
        "On 10 March you told us:",
    ]
    assert [line.text for line in other.lines][1] == "On 10 March you told us:"
    assert kinds(bug)[-1] == "message.line_written"


def test_what_was_sent_keeps_the_line_among_its_words(hana, lea):
    make_bug(Status.LIVE, waiting=[hana])
    write(one_message(), "You helped us a third time.", lea)

    said = letters.text_of(Outcome(one_message(), Links("…", "…")), workspace())

    assert said.startswith("You helped us a third time.\n\n")


def test_a_line_of_a_decline_never_says_that_it_is_fixed(hana, lea):
    make_bug(Status.DECLINED, waiting=[hana])

    with pytest.raises(Invalid, match="“fixed” cannot stand in it") as refused:
        write(one_message(), "It is fixed for you.", lea)
    assert refused.value.field == "personal_line"


def test_a_line_has_a_length(hana, lea):
    make_bug(Status.LIVE, waiting=[hana])

    write(one_message(), "x" * 500, lea)
    with pytest.raises(Invalid, match="at most 500 characters"):
        write(one_message(), "x" * 501, lea)


def test_a_line_that_names_others_is_a_doubt_and_keeps_the_announcement(hana, lea):
    bug = make_bug(Status.LIVE, waiting=[hana, make_customer("Sam Okafor", company="Northpier")])
    message = message_to("hana@example.com")

    write(message, "Hana Kos of Brightline, thank you.", lea)
    assert (named_in(announcement_of(bug)), announcement_of(bug).due_at is None) == ([], False)

    write(message, "Sam Okafor of Northpier asked too, but the ticket is yours.", lea)
    assert named_in(announcement_of(bug)) == ["Northpier", "Sam Okafor"]
    assert announcement_of(bug).due_at is None
    assert doubts_about(announcement_of(bug))[0] == "In English it says “ticket”, no word of a customer."


def test_two_who_write_at_once_hear_of_each_other(hana, lea):
    make_bug(Status.LIVE, waiting=[hana])
    write(one_message(), "Thank you.", lea)

    with pytest.raises(Stale) as clash:
        write(one_message(), "Thanks!", make_user(), Seen({"personal_line": fingerprint("")}))
    [found] = clash.value.clashes
    assert (found.theirs, found.mine, found.who[:12]) == ("Thank you.", "Thanks!", "Lea wrote it")


def test_what_has_left_takes_no_line(hana, lea, clock):
    make_bug(Status.LIVE, waiting=[hana])
    clock.advance(timedelta(minutes=30))
    release()

    with pytest.raises(Conflict, match="It has left, or is about to"):
        write(one_message(), "Thank you.", lea)
    assert not personal_lines.may_be_written(one_message())


def test_an_agent_writes_it_on_the_page_and_sees_the_mail(app, hana, lea):
    for _ in range(2):
        make_bug(waiting=[hana])
    bug = make_bug(Status.LIVE, waiting=[make_customer("Ada First"), hana])
    visitor, address = visit(app, lea), f"/loop/{announcement_of(bug).id}"
    message = message_to("hana@example.com")
    page = visitor.get(address)
    assert words_of(page).count("3 bugs in 90 days") == 1
    assert page.text.count('name="personal_line"') == 1

    saved = visitor.post(f"/loop/messages/{message.id}/line", {"personal_line": "You helped us a third time."})

    assert saved.location == f"{address}?person={message.id}"
    assert "Hello Hana, You helped us a third time. On 10 March you told us:" in words_of(visitor.get(saved.location))


def test_a_refused_line_is_kept_and_says_why_at_its_field(app, hana, lea):
    for _ in range(3):
        bug = make_bug(Status.DECLINED, waiting=[hana])

    answer = visit(app, lea).post(f"/loop/messages/{one_message(bug).id}/line", {"personal_line": "It is fixed."})

    assert answer.status_code == 422
    assert 'id="f-personal_line-e"' in answer.text
    assert "It is fixed.</textarea>" in answer.text


def test_the_page_asks_the_same_for_one_person_and_for_many(app, lea):
    def announced(count):
        people = [make_customer() for _ in range(count)]
        for _ in range(2):
            for person in people:
                make_report(person, bug=make_bug(waiting=[]))
        return f"/loop/{announcement_of(make_bug(Status.LIVE, waiting=people)).id}"

    visitor, one, three = visit(app, lea), announced(1), announced(3)
    assert fewest(lambda: visitor.get(three)) == fewest(lambda: visitor.get(one))


def test_who_is_told_by_hand_has_no_line_to_write(hana, lea):
    make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        one_message().state = MessageState.TOLD_BY_HAND

    with pytest.raises(Conflict):
        write(one_message(), "Thank you.", lea)


def test_an_erased_person_leaves_no_line_behind(hana, lea):
    make_bug(Status.LIVE, waiting=[hana])
    write(one_message(), "Thank you.", lea)
    with transaction():
        erasing.erase(hana, actor=make_user(Role.ADMIN))

    assert one_message().personal_line == ""


def test_a_line_survives_when_two_records_of_one_person_become_one(hana, lea):
    twin = make_customer("Hana K.", email="hana.kos@example.com")
    make_bug(Status.LIVE, waiting=[hana, twin])
    write(message_to("hana.kos@example.com"), "You helped us a third time.", lea)

    with transaction():
        customer_merging.merge(twin, hana, actor=make_user(Role.ADMIN))

    assert one_message().personal_line == "You helped us a third time."
