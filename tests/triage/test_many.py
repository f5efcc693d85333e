"""A verb on several bugs at once, as people use it from the board."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.team.models import Role
from bugintake.triage import duplicates, editing, transitions
from bugintake.triage.comment_models import Comment
from tests.counting import fewest
from tests.factories import bring_to, make_bug, make_customer, make_option, make_user, make_version, merge
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


def chosen(*bugs, **values):
    return {"bug": [f"{bug.ref} {bug.status}" for bug in bugs], **values}


def statuses(*bugs):
    numbers = sa.select(Bug.id, Bug.status).where(Bug.id.in_([bug.id for bug in bugs]))
    return [status for _number, status in db.session.execute(numbers.order_by(Bug.id)).all()]


def undo_in(page):
    return re.search(r'action="(/bugs/many/undo[^"]*)"', page)[1].replace("&amp;", "&")


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("acceptance", Status.NEW, Status.ACCEPTED),
        ("work", Status.ACCEPTED, Status.IN_PROGRESS),
        ("rest", Status.IN_PROGRESS, Status.ACCEPTED),
    ],
)
def test_each_of_several_moves_and_one_undo_takes_all_back(app, mira, verb, before, after):
    bugs = [make_bug(before), make_bug(before)]
    visitor = visit(app, mira)

    answer = visitor.post(f"/bugs/many/{verb}", chosen(*bugs, next="/board"))
    page = visitor.get(answer.location).text
    moved = statuses(*bugs)
    visitor.post(undo_in(page))

    assert (answer.status_code, moved, statuses(*bugs)) == (303, [after, after], [before, before])
    assert "Done for 2 bugs." in page


def told(bug):
    """What verbs change of a bug, as it is in the database."""
    db.session.rollback()
    db.session.expire_all()
    fresh = db.session.get_one(Bug, bug.id)
    parts = (fresh.status, fresh.owner_id, fresh.snoozed_until, fresh.raise_reason, fresh.merged_into_id)
    comments = sa.select(sa.func.count()).where(Comment.bug_id == bug.id, Comment.removed_at.is_(None))
    return (*parts, fresh.is_restricted, fresh.is_pinned, db.session.scalar(comments))


ANSWERS = {
    "assignment": {"owner": "me"},
    "snooze": {"until": ["2026-03-16", ""]},
    "raise": {"reason": "leaving"},
    "comments": {"text": "It is so here, too."},
    "question": {"report": "", "to": "filer", "language": "en", "question": "Which browser?"},
    "merge": {"into": "BUG-1", "agreed": "1"},
    "restriction": {"restricted": "1"},
    "pin": {"pinned": "1"},
}


@pytest.mark.parametrize("verb", ANSWERS)
def test_what_is_asked_once_is_done_with_each_and_one_undo_takes_all_back(app, verb):
    make_bug()
    bugs, visitor = [make_bug(), make_bug()], visit(app, make_user(Role.LEAD))
    before = [told(bug) for bug in bugs]

    if verb not in ("restriction", "pin"):
        asked = visitor.post(f"/bugs/many/{verb}", chosen(*bugs))
        assert (asked.status_code, asked.text.count('name="bug"')) == (200, 2)
    answer = visitor.post(f"/bugs/many/{verb}", chosen(*bugs, asked="1", next="/board", **ANSWERS[verb]))
    page = visitor.get(answer.location).text
    after = [told(bug) for bug in bugs]
    visitor.post(undo_in(page))

    assert "Done for 2 bugs." in page
    assert all(was != by_now for was, by_now in zip(before, after, strict=True))
    assert [told(bug) for bug in bugs] == before


@pytest.mark.parametrize("verb", ["snooze", "raise", "comments", "question", "merge"])
def test_an_answer_that_is_missing_is_asked_for_again_and_nothing_is_done(app, mira, verb):
    bugs = [make_bug(), make_bug()]
    before = [told(bug) for bug in bugs]

    answer = visit(app, mira).post(f"/bugs/many/{verb}", chosen(*bugs, asked="1"))

    assert (answer.status_code, [told(bug) for bug in bugs]) == (422, before)


@pytest.mark.parametrize(("verb", "status"), [("return", Status.LIVE), ("reconsideration", Status.DECLINED)])
def test_several_that_were_closed_are_taken_up_again(app, mira, verb, status):
    bugs = [make_bug(status), make_bug(status)]

    visit(app, mira).post(f"/bugs/many/{verb}", chosen(*bugs))

    assert statuses(*bugs) == [Status.ACCEPTED, Status.ACCEPTED]


def test_several_are_looked_at_and_woken(app, mira):
    bugs = [make_bug(), make_bug()]
    visitor = visit(app, mira)
    visitor.post("/bugs/many/raise", chosen(*bugs, asked="1", reason="leaving"))
    visitor.post("/bugs/many/look", chosen(*bugs))
    reasons = [told(bug)[3] for bug in bugs]
    visitor.post("/bugs/many/snooze", chosen(*bugs, asked="1", until="2026-03-16"))
    visitor.post("/bugs/many/waking", chosen(*bugs))

    assert (reasons, [told(bug)[2] for bug in bugs]) == ([None, None], [None, None])


def test_an_engineer_is_offered_no_undo_of_a_restriction_which_a_lead_ends(app, mira):
    bugs = [make_bug(actor=mira), make_bug(actor=mira)]
    visitor = visit(app, mira)

    page = visitor.get(visitor.post("/bugs/many/restriction", chosen(*bugs, restricted="1")).location).text

    assert "Done for 2 bugs." in page and "/bugs/many/undo" not in page


def test_of_several_that_become_a_part_of_another_the_worse_one_is_named(app, mira):
    mild, worse, other = make_bug(), make_bug(), make_bug()
    with transaction():
        db.session.execute(sa.update(Bug).values(impact_rank=4))
        db.session.execute(sa.update(Bug).where(Bug.id == worse.id).values(impact_rank=1))
    visitor = visit(app, mira)

    answer = visitor.post("/bugs/many/merge", chosen(worse, other, asked="1", agreed="1", into=mild.ref))

    assert f"{worse.ref} is worse than {mild.ref}." in visitor.get(answer.location).text


def words_of(page):
    """What the table of a preview says of each bug, and what else it says is going to happen."""
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>(.*?)</tr>", page, re.S)[1:]]
    effects = (
        re.findall(r"<li>(.*?)</li>", page.split('id="effect-h"')[1].split("</ul>")[0]) if "effect-h" in page else []
    )
    return rows, effects


def test_before_several_become_a_part_of_another_it_is_said_what_becomes_of_each(app, mira):
    hana, sam, ole = (make_customer(name) for name in ("Hana", "Sam", "Ole"))
    into = make_bug(waiting=[hana], impact="Looks off")
    mild, worse, alone = (
        make_bug(waiting=[hana, sam]),
        make_bug(waiting=[ole], impact="Cannot work"),
        make_bug(waiting=[]),
    )
    moved, part = make_bug(Status.ACCEPTED), make_bug()
    merge(part, alone)
    with transaction():
        db.session.execute(sa.update(Bug).values(impact_rank=4))
        db.session.execute(sa.update(Bug).where(Bug.id == worse.id).values(impact_rank=1))
        worse.is_restricted, worse.owner_id = True, mira.id
    before = [told(bug) for bug in (mild, worse, alone, moved, part, into)]
    sent = chosen(mild, worse, alone, part, into, asked="1", into=into.ref)
    sent["bug"] = [*sent["bug"], f"{moved.ref} new"]

    answer = visit(app, mira).post("/bugs/many/merge", sent)

    rows, effects = words_of(answer.text)
    title = mild.title
    assert answer.status_code == 200
    assert [row.partition(f"{title} ")[2] or row for row in rows] == [
        "2 people move along. 1 waits for both now, and counts once.",
        f"1 person moves along. It is worse: {worse.impact.label}, not {into.impact.label}.",
        "1 person moves along.",
        f"Stays {part.ref} is part of {alone.ref} already. Merge that one.",
        f"Stays {into.ref} is the same bug. Choose another one.",
        rows[5].partition(f"{title} ")[2],
    ]
    assert "Stays" in rows[5] and "Nothing of yours was saved yet." in rows[5]
    assert effects[0] == f"4 people wait for {into.ref} then."
    assert effects[1].startswith(f"{into.ref} becomes restricted, as {worse.ref} is")
    assert re.findall(r'name="bug" value="([^"]*)"', answer.text) == [f"{bug.ref} new" for bug in (mild, worse, alone)]
    assert f"Merge 3 bugs into {into.ref}" in answer.text
    assert [told(bug) for bug in (mild, worse, alone, moved, part, into)] == before


def test_what_the_preview_sends_merges_those_and_one_undo_takes_all_back(app, mira):
    into, bugs = make_bug(), [make_bug(), make_bug()]
    visitor = visit(app, mira)
    page = visitor.post("/bugs/many/merge", chosen(*bugs, into, asked="1", into=into.ref, next="/bugs")).text
    sent = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.split('<form method="post">')[1])

    fields = {name: [value for each, value in sent if each == name] for name, _value in sent if name != "csrf_token"}
    answer = visitor.post("/bugs/many/merge", fields)
    done = visitor.get(answer.location).text
    merged = [told(bug)[4] for bug in bugs]
    visitor.post(undo_in(done))

    assert (answer.status_code, answer.location, merged) == (303, "/bugs", [into.id] * 2)
    assert "Done for 2 bugs." in done
    assert [told(bug)[4] for bug in bugs] == [None, None]


def test_nothing_is_merged_into_a_bug_that_moved_after_the_preview(app, mira):
    into, bugs = make_bug(), [make_bug(), make_bug()]
    sent = chosen(*bugs, asked="1", agreed="1", into=into.ref, into_seen="new")
    bring_to(into, Status.ACCEPTED, actor=make_user(name="Jonas Sommer"))

    answer = visit(app, mira).post("/bugs/many/merge", sent)

    assert (answer.status_code, [told(bug)[4] for bug in bugs]) == (422, [None, None])
    assert "Jonas" in answer.text


def test_where_none_can_become_a_part_there_is_nothing_to_press(app, mira):
    into = make_bug()

    answer = visit(app, mira).post("/bugs/many/merge", chosen(into, asked="1", into=into.ref))

    assert answer.status_code == 409
    assert "None of them can become a part of" in answer.text
    assert 'name="agreed"' not in answer.text


def test_the_preview_of_merging_into_a_live_bug_says_whom_that_tells(app, mira):
    into, bug = make_bug(Status.LIVE), make_bug()

    page = visit(app, mira).post("/bugs/many/merge", chosen(bug, make_bug(), asked="1", into=into.ref)).text

    assert any("2 people will be told" in effect for effect in words_of(page)[1])


def test_the_preview_asks_the_same_of_the_database_for_people_of_two_and_of_many(app, mira):
    into, bugs = make_bug(), [make_bug() for _ in range(6)]
    db.session.expire_all()

    def cost(some):
        return fewest(lambda: duplicates.preview([(bug, Status.NEW) for bug in some], into))

    assert cost(bugs) == cost(bugs[:2])


def test_a_bug_that_somebody_took_meanwhile_stays_theirs(app, mira):
    jonas = make_user(name="Jonas Sommer")
    mine, theirs = make_bug(), make_bug()
    sent = {"bug": [f"{bug.ref} new " for bug in (mine, theirs)], "owner": "me"}
    with transaction():
        editing.assign(theirs, jonas, actor=jonas)

    visit(app, mira).post("/bugs/many/assignment", sent)

    assert [db.session.get_one(Bug, bug.id).owner_id for bug in (mine, theirs)] == [mira.id, jonas.id]


def test_one_that_somebody_moved_meanwhile_is_named_and_the_others_move(app, mira):
    jonas = make_user(name="Jonas Sommer")
    mine, theirs = make_bug(), make_bug()
    sent = chosen(mine, theirs)
    with transaction():
        transitions.start(theirs, actor=jonas)
    visitor = visit(app, mira)

    page = visitor.get(visitor.post("/bugs/many/acceptance", sent).location).text

    assert statuses(mine, theirs) == [Status.ACCEPTED, Status.IN_PROGRESS]
    assert f"Done for 1 bug. Jonas moved {theirs.ref} to In progress" in page


def test_where_none_can_move_nothing_is_done_and_it_is_said_why(app, mira):
    bug = make_bug(Status.LIVE)

    answer = visit(app, mira).post("/bugs/many/acceptance", chosen(bug))

    assert (answer.status_code, statuses(bug)) == (409, [Status.LIVE])
    assert "cannot become Accepted" in answer.text


def test_a_bug_that_one_may_not_see_does_not_exist_here_either(app, mira):
    hidden, mine = make_bug(), make_bug()
    with transaction():
        editing.restrict(hidden, True, actor=make_user(Role.LEAD))
    visitor = visit(app, mira)

    page = visitor.get(visitor.post("/bugs/many/acceptance", chosen(hidden, mine)).location).text
    with_words = visitor.post("/bugs/many/decline", chosen(hidden, mine))

    assert statuses(hidden, mine) == [Status.NEW, Status.ACCEPTED]
    assert f"There is no {hidden.ref} that you may see." in page
    assert with_words.status_code == 404


@pytest.mark.parametrize("sent", [{}, {"bug": ["rubbish"]}, {"bug": [f"BUG-{n} new" for n in range(1, 102)]}])
def test_no_bug_no_reference_and_too_many_are_refused_in_words(app, mira, sent):
    answer = visit(app, mira).post("/bugs/many/acceptance", sent)

    assert answer.status_code in (409, 422)


def test_a_reference_may_be_written_as_people_do_and_only_real_verbs_are_known(app, mira):
    bug = make_bug()
    visitor = visit(app, mira)

    asked = visitor.post("/bugs/many/decline", {"bug": [f"bug-{bug.id}"]}).text

    assert f'name="bug" value="{bug.ref} new"' in asked
    assert visitor.post("/bugs/many/fixing", chosen(bug)).status_code == 404


def test_one_form_declines_several_in_the_languages_of_all_who_wait(app, mira):
    reason = make_option(OptionList.DECLINE_REASON, "Works as intended")
    bugs = [make_bug(waiting=[make_customer(language="de")]), make_bug(waiting=[make_customer(language="es")])]
    visitor = visit(app, mira)

    asked = visitor.post("/bugs/many/decline", chosen(*bugs))
    words = {"reason": reason.id, "note_de": "So gewollt.", "note_es": "Es así.", "has_none": "y", "asked": "1"}
    visitor.post("/bugs/many/decline", chosen(*bugs, **words))

    assert (asked.status_code, re.findall(r'name="(note_..)"', asked.text)) == (200, ["note_de", "note_es", "note_en"])
    assert re.findall(r'name="bug" value="([^"]*)"', asked.text) == [f"{bug.ref} new" for bug in bugs]
    assert "There is a problem" not in asked.text
    assert statuses(*bugs) == [Status.DECLINED, Status.DECLINED]


def test_what_is_missing_is_said_at_the_form_and_what_was_typed_stays(app, mira):
    make_option(OptionList.DECLINE_REASON, "Works as intended")
    bugs = [make_bug(), make_bug()]

    answer = visit(app, mira).post("/bugs/many/decline", chosen(*bugs, note_en="Typed with care.", asked="1"))

    assert (answer.status_code, statuses(*bugs)) == (422, [Status.NEW, Status.NEW])
    assert "Typed with care." in answer.text and "Choose the reason." in answer.text


def test_one_form_fixes_several_in_a_version_that_nobody_named_before(app, mira):
    make_version("4.12.0")
    bugs = [make_bug(), make_bug()]

    visit(app, mira).post(
        "/bugs/many/fix", chosen(*bugs, version="other", version_new="4.13.0", note_en="It is right.", asked="1")
    )

    assert statuses(*bugs) == [Status.FIXED, Status.FIXED]
    assert {db.session.get_one(Bug, bug.id).release.label for bug in bugs} == {"4.13.0"}


def test_a_single_one_is_asked_for_in_the_same_way(app, mira):
    make_version("4.13.0")
    bug = make_bug()
    visitor = visit(app, mira)

    asked = visitor.post("/bugs/many/fix", chosen(bug)).text
    version = re.search(r'<option value="(\d+)"', asked)[1]
    visitor.post("/bugs/many/fix", chosen(bug, version=version, note_en="It is right.", asked="1"))

    assert re.findall(r'name="bug" value="([^"]*)"', asked) == [f"{bug.ref} new"]
    assert statuses(bug) == [Status.FIXED]


def test_an_undo_that_came_too_late_is_said_for_its_bug_alone(app, mira, clock):
    bugs = [make_bug(), make_bug()]
    visitor = visit(app, mira)
    page = visitor.get(visitor.post("/bugs/many/acceptance", chosen(*bugs)).location).text
    with transaction():
        transitions.start(db.session.get_one(Bug, bugs[0].id), actor=mira)

    told = visitor.get(visitor.post(undo_in(page)).location).text
    clock.advance(timedelta(minutes=11))

    assert statuses(*bugs) == [Status.IN_PROGRESS, Status.NEW]
    assert "Undone for 1 bug." in told and "cannot be undone any more" in told


def test_nobody_takes_back_a_move_of_a_bug_they_may_not_see(app, mira):
    hidden = make_bug()
    lead = make_user(Role.LEAD)
    with transaction():
        transitions.accept(hidden, actor=lead)
        editing.restrict(hidden, True, actor=lead)
        move = transitions.last_move(hidden)

    visit(app, mira).post(f"/bugs/many/undo?move={move.id}&move=999999&move=x")

    assert statuses(hidden) == [Status.ACCEPTED]
