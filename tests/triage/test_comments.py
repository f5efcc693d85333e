"""Comments of the team: who reads them, whom they tell, and how long they can be changed."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.config import settings
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, News, Status
from bugintake.loop import notice_letters
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team.models import Role
from bugintake.triage import comments, editing, transitions
from bugintake.triage.comment_models import Comment
from tests.counting import fewest
from tests.factories import make_bug, make_user
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


@pytest.fixture
def jonas(app):
    return make_user(name="Jonas Sommer")


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea Šimić")


def written(bug, text, *, actor):
    """A comment on a bug."""
    with transaction():
        return comments.write(bug, text, actor=actor)


def told():
    """Whom the outbox owes word of a mention, by name."""
    owed = sa.select(Delivery).where(Delivery.kind == DeliveryKind.MENTION).order_by(Delivery.id)
    return [delivery.user.name for delivery in db.session.scalars(owed)]


def mails():
    """What the mail about mentions says, for each that is owed; nothing where it is no longer true."""
    owed = sa.select(Delivery).where(Delivery.kind == DeliveryKind.MENTION).order_by(Delivery.id)
    letters = [notice_letters.letter_of(delivery) for delivery in db.session.scalars(owed)]
    return [
        letter and (letter.recipient, letter.subject, [(line.text, line.url) for line in letter.lines])
        for letter in letters
    ]


def test_a_comment_stands_in_the_history_in_order_and_an_agent_may_write_one(app, mira, lea):
    bug = make_bug()
    visit(app, lea).post(f"/bugs/{bug.ref}/comments", {"text": "They wrote again.\nTwice."})
    with transaction():
        transitions.accept(bug, actor=mira)
    answer = visit(app, mira).post(f"/bugs/{bug.ref}/comments", {"text": "I see it, too."})

    page = visit(app, mira).get(answer.location).text
    history = page.split('id="history-h"')[1].split("</ol>")[0]
    said = re.findall(r"<b>([^<]*)</b> ([a-z ]+)|<p class=\"words\">([^<]*)</p>", history)
    assert ["".join(part).strip() for part in said][1:] == [
        "Lea Šimićwrote",
        "They wrote again.\nTwice.",
        "Mira Kosaccepted it",
        "Mira Koswrote",
        "I see it, too.",
    ]
    assert answer.location == f"/bugs/{bug.ref}#comment-2"


def test_an_event_names_a_comment_and_does_not_carry_its_words(app, mira, jonas):
    written(make_bug(), "Ask @Jonas Sommer about the canary.", actor=mira)

    event = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.BUG_COMMENTED)).one()

    assert (event.before, event.after, event.details) == (None, None, {"comment": 1})


@pytest.mark.parametrize(
    ("text", "sentence"), [(" ", "Write the comment."), ("x" * 10_001, "at most 10,000 characters")]
)
def test_a_refused_comment_keeps_what_was_typed(app, mira, text, sentence):
    bug = make_bug()

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/comments", {"text": text})

    assert (answer.status_code, answer.text.count(sentence), answer.text.count(text.strip() or sentence)) == (422, 1, 1)
    assert db.session.scalars(sa.select(Comment)).all() == []


def test_whoever_is_mentioned_is_told_once_and_never_the_author(app, mira, jonas, lea):
    text = "@jonas sommer and @Jonas, see what @lea simic says; @Mira Kos knows. Mail me@lea.test, @nobody."

    comment = written(make_bug(), text, actor=mira)

    assert (comment.mentioned, told()) == ([jonas.id, lea.id], ["Jonas Sommer", "Lea Šimić"])


def test_a_whole_name_is_meant_before_a_first_name(app, mira):
    short, long, _other = (make_user(name=name) for name in ("Ana Ban", "Ana Ban Horvat", "Ana Čop"))

    assert written(make_bug(), "@Ana Ban Horvat", actor=mira).mentioned == [long.id]
    assert written(make_bug(), "@Ana Ban, please", actor=mira).mentioned == [short.id]
    with pytest.raises(Invalid), transaction():
        comments.write(make_bug(), "@Ana Banana", actor=mira)


def test_a_first_name_of_several_is_refused_and_says_who_they_are(app, mira):
    make_user(name="Ana Ban"), make_user(name="Ana Čop")
    bug = make_bug()

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/comments", {"text": "What does @ana say?"})

    assert answer.status_code == 422
    assert "@Ana could be Ana Ban or Ana Čop. Write the whole name." in answer.text
    assert "What does @ana say?" in answer.text


def test_somebody_who_left_is_not_mentioned(app, mira, clock):
    make_user(name="Gone Person", disabled_at=clock.now())

    assert written(make_bug(), "@Gone Person knew.", actor=mira).mentioned == []


def restricted(filer):
    """A bug that only its filer, leads and admins see."""
    bug = make_bug(actor=filer)
    with transaction():
        editing.restrict(bug, True, actor=filer)
    return bug


def test_mentioning_somebody_who_may_not_see_a_restricted_bug_is_refused_in_words(app, mira, jonas):
    bug = restricted(mira)

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/comments", {"text": "Ask @Jonas Sommer."})

    sentence = f"Jonas Sommer may not see {bug.ref}, so they cannot be told. Leave the name out, or ask a lead."
    assert (answer.status_code, answer.text.count(sentence), told()) == (422, 1, [])


def test_the_mail_says_who_where_and_nothing_of_the_words(app, mira, jonas):
    bug = make_bug()
    comment = written(bug, "The canary sings, @Jonas.", actor=mira)

    [(to, subject, lines)] = mails()

    assert (to, subject) == (jonas.email, f"Mira mentions you on {bug.ref}")
    assert [line for line in lines if line[1]] == [
        ("Mira mentions you in a comment:", f"{settings().base_url}/bugs/{bug.ref}#comment-{comment.id}")
    ]
    assert "canary" not in repr(mails())


def test_the_mail_about_a_restricted_bug_carries_its_number_alone(app, mira):
    petra = make_user(Role.LEAD, "Petra Lang")
    bug = restricted(mira)
    written(bug, "@Petra, look.", actor=mira)

    [(to, subject, lines)] = mails()

    assert (to, subject) == (petra.email, f"You are mentioned on {bug.ref}")
    assert [url for _text, url in lines if url] == []
    assert "Mira" not in repr(lines)


def test_nothing_is_sent_to_whom_a_bug_was_hidden_from_meanwhile_or_about_a_removed_comment(app, mira, jonas):
    hidden, gone = make_bug(actor=mira), make_bug(actor=mira)
    written(hidden, "@Jonas", actor=mira)
    comment = written(gone, "@Jonas", actor=mira)
    with transaction():
        editing.restrict(hidden, True, actor=mira)
        comments.remove(comment, actor=mira)

    assert mails() == [None, None]


def test_changing_a_comment_tells_those_who_are_new_in_it_and_nobody_twice(app, mira, jonas, lea):
    comment = written(make_bug(), "@Jonas", actor=mira)
    with transaction():
        comments.edit(comment, "@Jonas and @Lea", actor=mira)
        comments.edit(comment, "@Lea", actor=mira)
        comments.edit(comment, "@Jonas and @Lea, again", actor=mira)

    assert told() == ["Jonas Sommer", "Lea Šimić"]


def test_ones_own_comment_can_be_changed_and_removed_for_ten_minutes(app, mira, clock):
    bug = make_bug()
    first, second = written(bug, "Firts.", actor=mira), written(bug, "Secnod.", actor=mira)
    visitor = visit(app, mira)
    page = visitor.get(f"/bugs/{bug.ref}").text
    clock.advance(timedelta(minutes=10))
    visitor.post(f"/bugs/{bug.ref}/comments/{first.id}", {"text": "First."})
    clock.advance(timedelta(seconds=1))
    late = [
        visitor.get(f"/bugs/{bug.ref}/comments/{second.id}").status_code,
        visitor.post(f"/bugs/{bug.ref}/comments/{second.id}", {"text": "Second."}).status_code,
        visitor.post(f"/bugs/{bug.ref}/comments/{second.id}/removal").status_code,
    ]

    assert (page.count(">Change</a>"), page.count(">Remove</button>")) == (2, 2)
    assert (first.text, first.edited_at is not None, second.text, late) == ("First.", True, "Secnod.", [409, 409, 409])
    after = visitor.get(f"/bugs/{bug.ref}").text
    assert (after.count("Changed Tue 10 Mar 09:10"), after.count(">Change</a>")) == (1, 0)


def test_a_removed_comment_leaves_a_line_without_its_words(app, mira):
    bug = make_bug()
    comment = written(bug, "The canary sings.", actor=mira)

    visit(app, mira).post(f"/bugs/{bug.ref}/comments/{comment.id}/removal")

    page = visit(app, mira).get(f"/bugs/{bug.ref}").text
    assert (comment.text, page.count("canary"), page.count('<p class="muted">Removed</p>')) == ("", 0, 1)
    with pytest.raises(Conflict, match="was removed"), transaction():
        comments.edit(comment, "Again.", actor=mira)


def test_nobody_changes_what_a_colleague_wrote(app, mira, jonas):
    comment = written(make_bug(), "Mine.", actor=mira)

    for change in (lambda: comments.edit(comment, "His.", actor=jonas), lambda: comments.remove(comment, actor=jonas)):
        with pytest.raises(NotPermitted, match="Only Mira Kos"), transaction():
            change()
    assert comment.text == "Mine."


def test_a_comment_of_another_bug_is_not_found_under_this_one(app, mira):
    comment, other = written(make_bug(), "Mine.", actor=mira), make_bug()

    assert visit(app, mira).get(f"/bugs/{other.ref}/comments/{comment.id}").status_code == 404


def test_a_comment_on_a_part_stands_with_the_whole(app, mira):
    part, whole = make_bug(), make_bug()
    with transaction():
        part.merged_into_id = part.canonical_id = whole.id

    assert written(part, "Here, too.", actor=mira).bug_id == whole.id


def test_an_engineer_who_comments_has_looked_and_an_agent_has_not(app, mira, lea):
    bug = make_bug(Status.LIVE)
    with transaction():
        transitions.come_back(bug, actor=mira)
    written(bug, "Again?", actor=lea)
    before = bug.news
    written(bug, "Yes.", actor=mira)

    assert (before, db.session.get_one(Bug, bug.id).news) == (News.CAME_BACK, None)


def test_the_page_costs_the_same_number_of_queries_for_one_comment_and_for_many(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    none = fewest(lambda: visitor.get(f"/bugs/{bug.ref}"))
    written(bug, "One.", actor=mira)
    one = fewest(lambda: visitor.get(f"/bugs/{bug.ref}"))
    for _ in range(4):
        written(bug, "More.", actor=make_user())

    assert (one, fewest(lambda: visitor.get(f"/bugs/{bug.ref}"))) == (none + 1, none + 1)


def test_only_who_may_see_a_bug_is_offered_as_a_name(app, mira, jonas, lea):
    bug, visitor = restricted(mira), visit(app, mira)

    assert visitor.get(f"/bugs/{bug.ref}/colleagues").json == {"items": ["Mira Kos"]}
    items = visitor.get(f"/bugs/{make_bug().ref}/colleagues").json["items"]
    assert {"Jonas Sommer", "Lea Šimić", "Mira Kos"} <= set(items)


def test_an_unknown_mention_is_only_words(app, mira):
    with pytest.raises(Invalid), transaction():
        comments.write(make_bug(), "", actor=mira)
    assert written(make_bug(), "@media (print) and a@b.c and @", actor=mira).mentioned == []
